"""Sharing applications in tests: the people on both sides, and the steps up to a standing grant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.api_world import BANK, COURT, Call, Said, World
from tests.support.grounds import DUTY

from huitong.errors import Problem
from huitong.identity.model import OPERATOR
from huitong.sharing.applications import Applications
from huitong.sharing.grant import Grant

ASKED = {
    "resource": "claims",
    "fields": ["claim_no", "debtor_id"],
    "purpose": "核对债权",
    "matter": "个人破产债权核查",
    "duty": DUTY,
    "users": ["bank"],
    "methods": ["pull", "push"],
    "volume": 1000,
    "frequency": "每日",
    "ends": "2026-06-30",
    "reason": "办理个人破产案件需要",
}
PEOPLE = {
    "asker": (BANK, ["applicant"]),
    "chief": (BANK, ["approver", "applicant"]),
    "owner": (COURT, ["approver"]),
    "owner2": (COURT, ["approver"]),
    "keeper": (COURT, ["resource_admin"]),
    "desk": (OPERATOR, ["officer"]),
    "desk2": (OPERATOR, ["officer"]),
}
Step = Callable[..., Said]


@pytest.fixture(name="people")
def made_people(world: World) -> None:
    world.units.put(OPERATOR, "市破产事务管理署")
    for name, (unit, roles) in PEOPLE.items():
        world.tokens[name] = world.credentials.issue(name, unit, roles, by="test")[1]


@dataclass
class Catalogue:
    """Says one share type of every resource."""

    type: str

    def share_type(self, resource: str) -> str | None:
        del resource
        return self.type


@dataclass
class Closed:
    """A gate at which something always lacks."""

    def lacks(self, unit: str, resource: object, interface: str = "sql") -> list[Problem]:
        del unit, resource
        return [Problem("gate.security", "缺少安全协议", f"no security agreement for {interface}")]


def applications(world: World, *, share_type: str = "", gate: Closed | None = None) -> Applications:
    return Applications(
        world.register, world.traces, world.calendar, world.clock, world.contracts, world.grants,
        world.subscriptions, entries=Catalogue(share_type), gate=gate,
    )  # fmt: skip


@pytest.fixture(name="file")
def made_file(call: Call, people: None) -> Callable[..., str]:
    def filed(as_: str = "asker", **changes: Any) -> str:
        said = call("POST", "/v1/applications", as_=as_, body={**ASKED, **changes})
        assert said.status == 201, said.body
        return str(said.body["id"])

    return filed


@pytest.fixture(name="step")
def made_step(call: Call) -> Step:
    def taken(as_: str, id: str, name: str, *, seen: int = 0, ok: bool = True, **given: Any) -> Said:
        body: dict[str, Any] = {"step": name, "given": given, "seen": seen}
        said = call("POST", "/v1/applications/{id}/steps", as_=as_, path={"id": id}, body=body)
        assert not ok or said.status == 200, said.body
        return said

    return taken


@pytest.fixture(name="sent")
def made_sent(file: Callable[..., str], step: Step) -> Callable[..., str]:
    def made(**changes: Any) -> str:
        id = file(**changes)
        step("asker", id, "submit")
        step("chief", id, "send")
        return id

    return made


@pytest.fixture(name="active")
def made_active(sent: Callable[..., str], step: Step) -> Callable[..., str]:
    def made(**changes: Any) -> str:
        id = sent(**changes)
        step("owner", id, "decide", approved=changes.get("fields", ASKED["fields"]))
        step("keeper", id, "provide")
        return id

    return made


def grant_of(world: World, id: str) -> Grant | None:
    return world.grants.find(BANK, "claims", id)


def due_of(said: Said, clock: str) -> str:
    return str(said.body["clocks"][clock]["due"])


def subscribe(call: Call, grant: str) -> Said:
    headers = {"Huitong-Grant": grant, "Huitong-Duty": quote(DUTY)}
    body = {"resource": "claims", "endpoint": "https://receiver.example/in"}
    return call("POST", "/v1/subscriptions", as_="bank", body=body, headers=headers)
