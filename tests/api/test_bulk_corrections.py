"""Bulk corrections: applied for, approved, made by another in another session, checked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import COURT, Call, World
from tests.support.tickets import ticket_reading

from huitong.errors import Conflict
from huitong.local.platform import Platform

ROWS = [{"claim_no": f"00{n}", "amount": "1.00"} for n in range(1, 6)]


@pytest.fixture
def people(world: World) -> dict[str, str]:
    """Credentials of the court's people; the id by which each is designated."""
    ids = {}
    roles = {"clerk": ["source", "approver"], "head": ["source", "approver"], "engineer": ["source"]}
    for name in roles:
        credential, world.tokens[name] = world.credentials.issue(name, COURT, roles[name], by="test")
        ids[name] = credential.id
    return ids


def approved(call: Call, people: dict[str, str], designated: str = "engineer") -> str:
    body = {"what": "利率字段重算", "reason": "系统换代"}
    path = {"code": "claims"}
    made = call("POST", "/v1/resources/{code}/bulk-corrections", as_="clerk", path=path, body=body)
    assert made.status == 201, made.body
    id = str(made.body["id"])
    given = {"designated": people[designated], "decision": "局发〔2026〕1号"}
    refused = step(call, id, "approve", "clerk", **given)
    assert refused.status == 403, "the applicant does not approve"
    said = step(call, id, "approve", "head", **given)
    assert said.body["state"] == "approved"
    assert said.body["history"][-1]["given"]["session"] == people["head"]
    return id


def step(call: Call, id: str, name: str, as_: str, **given: Any) -> Any:
    body = {"step": name, "given": given}
    return call("POST", "/v1/bulk-corrections/{id}/steps", as_=as_, path={"id": id}, body=body)


def send(call: Call, id: str, as_: str, rows: Any = ROWS) -> Any:
    body = {"rows": rows, "ticket": id, "mode": "increment"}
    return call("POST", "/v1/resources/{code}/records", as_=as_, path={"code": "claims"}, body=body)


def test_only_the_designated_person_in_another_session_makes_an_approved_change(
    world: World, platform: Platform, call: Call, people: dict[str, str], tmp_path: Path
) -> None:
    """L-50, L-49: approval, other person, other session; the trail names content, time, method, person."""
    ticket_reading(world, platform.ports)
    assert send(call, "bulk_correction-none", "engineer").status == 404
    id = approved(call, people)
    assert send(call, id, "clerk").status == 403
    taken = send(call, id, "engineer")
    assert taken.status == 202, taken.body
    assert send(call, id, "engineer").body["upload_id"] == taken.body["upload_id"], "once more is the same"
    assert send(call, id, "engineer", ROWS[:2]).status == 409
    upload = world.uploads.get(taken.body["upload_id"])
    batch = platform.ingest(upload.key)
    assert batch is not None
    platform.validate(batch.id)
    platform.compare("claims")
    assert world.following.run("claims") == [id]
    shown = call("GET", "/v1/bulk-corrections/{id}", as_="head", path={"id": id}).body
    assert shown["state"] == "changed"
    by_step = {t["step"]: t["given"] for t in shown["history"]}
    assert by_step["deliver"]["person"] == people["engineer"]
    assert by_step["change"] == {"batch": batch.id, "seq": 1, "updated": 0, "inserted": 5, "deleted": 0}
    assert step(call, id, "recheck", "head", result="无误").status == 403, "who approved does not check"
    assert step(call, id, "recheck", "clerk", result="无误").body["state"] == "checked"
    assert send(call, id, "engineer", ROWS[:1]).status == 409
    kinds = [t.detail for t in world.traces.list(resource="claims") if t.act == "procedure"]
    assert f"bulk_correction:{id}:approve" in kinds


def test_the_session_of_the_approval_cannot_make_the_change(
    call: Call, world: World, people: dict[str, str]
) -> None:
    """L-50: an approver who designates himself is refused in that session."""
    id = approved(call, people, designated="head")
    said = send(call, id, "head")
    assert said.status == 403
    assert "session" in said.body["detail"]


def test_two_uploads_at_once_use_an_approval_once(call: Call, world: World, people: dict[str, str]) -> None:
    id = approved(call, people)
    engineer = world.credentials.authenticate(world.tokens["engineer"])
    first = world.bulk_corrections.permit(id, engineer, "claims")
    second = world.bulk_corrections.permit(id, engineer, "claims")
    world.bulk_corrections.delivering(id, engineer, "u1", seen=first.version)
    with pytest.raises(Conflict):
        world.bulk_corrections.delivering(id, engineer, "u2", seen=second.version)


def test_an_approval_that_is_not_used_lapses(call: Call, world: World, people: dict[str, str]) -> None:
    id = approved(call, people)
    world.clock.advance(days=30)
    world.ticket_clocks.tick()
    assert call("GET", "/v1/bulk-corrections/{id}", as_="head", path={"id": id}).body["state"] == "lapsed"
    assert send(call, id, "engineer").status == 409
