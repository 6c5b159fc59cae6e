"""A catalogue over a register in memory, with the 20 resources of ``schemas/`` and people to edit them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from huitong.audit.trace import Traces
from huitong.catalog.area import Catalogue
from huitong.catalog.elements import Element
from huitong.contracts.registry import Contracts
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR, Principal, Role
from huitong.identity.units import Units
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record

ROOT = Path(__file__).resolve().parents[2]
COURT = "1144030000AA01019J"
CIVIL = "1144030000AA01027D"
POLICE = "1144030000AA01086G"
BAR = "5144030000AA01115P"
REVIEWED = {"accuracy": True, "completeness": True, "compliance": True}


def seed() -> dict[str, Any]:
    """``schemas/catalog/entries.yaml``."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "schemas/catalog/entries.yaml").read_text())
    return found


def person(id: str, unit: str, *roles: Role) -> Actor:
    return Actor(Principal(id, unit, frozenset(roles)), unit)


EDITOR = person("editor", OPERATOR, "editor")
OTHER_EDITOR = person("editor-2", OPERATOR, "editor")
REVIEWER = person("reviewer", OPERATOR, "reviewer")
DEPARTMENT = person("department", DATA_DEPARTMENT, "approver")


def approver(unit: str) -> Actor:
    return person(f"approver-{unit[-4:]}", unit, "approver")


@dataclass
class CatalogWorld:
    root: Path
    register: MemoryRegister = field(default_factory=MemoryRegister)
    clock: ManualClock = field(default_factory=ManualClock)
    users: dict[str, set[str]] = field(default_factory=dict)
    barred: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.units = Units(self.register)
        self.contracts = Contracts(self.register, DiskObjects(self.root), self.clock)
        self.notices = Notices(self.register, self.clock)
        self.calendar = Calendar(self.register)
        self.traces = Traces(self.register, self.clock)
        self.catalog = self.another()

    def another(self) -> Catalogue:
        """A second process on the same register."""
        return Catalogue(
            self.register,
            self.contracts,
            self.units,
            self.traces,
            self.calendar,
            self.clock,
            users=lambda resource: self.users.get(resource, set()),
            gate=self._gate,
        )

    def _gate(self, resource: str, provider: str) -> None:
        if resource in self.barred:
            raise self.barred[resource]

    def with_contracts(self, *ids: str) -> CatalogWorld:
        """Contracts and units of these resources (none given = all 20), and the data elements of the seed."""
        wanted = ids or tuple(seed()["entries"])
        self.units.put(DATA_DEPARTMENT, "深圳市政务服务和数据管理局", "0755-0000001")
        self.units.put(OPERATOR, "深圳市破产事务管理署", "0755-0000002")
        for id in wanted:
            made = self.contracts.put((ROOT / f"schemas/{id}.yaml").read_text(), by="test")
            self.units.put(made.provider, made.provider_name, "0755-0000000")
        for raw in seed()["elements"]:
            self.catalog.entries.elements.put(Element(**raw), by="test")
        self.catalog.entries.elements.seed(self.contracts.all(), by="test")
        return self

    def draft(self, id: str, **more: Any) -> Record:
        content = {**seed()["entries"][id], **more}
        return self.catalog.entries.open(id, content, EDITOR)

    def forward(self, id: str, *, to: str = "published") -> Record:
        """A draft through every step up to a state."""
        entries = self.catalog.entries
        record = entries.get(id)
        steps: list[tuple[str, Actor, dict[str, Any], str]] = [
            ("submit", EDITOR, {}, "submitted"),
            ("review", REVIEWER, dict(REVIEWED), "reviewed"),
            ("agree", approver(record.parties["source"]), {"document": "协议-1"}, "agreed"),
            ("consent", DEPARTMENT, {}, "consented"),
        ]
        if record.content["entry"].get("share_type") == "3":
            steps.append(
                (
                    "confirm",
                    person("super", DATA_DEPARTMENT, "resource_admin"),
                    {"basis": "已核"},
                    "confirmed",
                )
            )
        steps.append(("publish", REVIEWER, {}, "published"))
        for step, who, given, state in steps:
            record = entries.take(id, step, who, given)
            if state == to:
                break
        return record

    def published(self, ids: Iterable[str] = ()) -> CatalogWorld:
        for id in tuple(ids) or tuple(seed()["entries"]):
            self.draft(id)
            self.forward(id)
        return self
