"""Applications on local ports, with people of two units and of the desk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract, Field
from huitong.errors import NotFound
from huitong.identity.model import OPERATOR, Principal, Role
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.ports import Register
from huitong.procedures.calendar import Calendar
from huitong.sharing.applications import Applications, Asker
from huitong.sharing.grants import Grants

RECEIVER, OWNER = "1144030000AA01027D", "1144030000AA01019J"

CONTRACT = Contract(
    "IN-06",
    1,
    "商事主体",
    (
        Field("uscc", "主体代码", key=1, level="L1"),
        Field("name", "姓名", level="L3", mask="name"),
        Field("id_no", "证件号码", level="L4", mask="id"),
        Field("amount", "出资额", level="L2"),
    ),
    provider=OWNER,
    share_type="2",
)

ASKED: dict[str, Any] = {
    "resource": "IN-06", "fields": ["uscc", "name", "id_no"], "unmasked": ["id_no"], "purpose": "核查",
    "matter": "个人破产", "duty": "核查", "users": ["u1"], "methods": ["read", "push"], "ends": "2026-12-31",
    "reason": "办案",
}  # fmt: skip


class Shelf:
    """One contract."""

    def __init__(self, *contracts: Contract) -> None:
        self.known = {c.id: c for c in contracts}

    def get(self, id: str, version: int = 0) -> Contract:
        del version
        if id not in self.known:
            raise NotFound("没有", "none", id=id)
        return self.known[id]


class NoRoutes:
    """No subscriptions."""

    def of_resource(self, resource: str) -> list[Any]:
        del resource
        return []

    def cancel(self, id: str, *, by: str, reason: str = "") -> Any:
        raise NotFound("没有订阅", "no subscription", id=id, by=by, reason=reason)


def asker(id: str, unit: str, *roles: Role) -> Asker:
    return Asker(Principal(id, unit, frozenset(roles)), unit)


#: One person holds more roles than anybody should, in two units: the procedure must not trust that.
PEOPLE = {
    "ann": asker("ann", RECEIVER, "applicant"),
    "bob": asker("bob", RECEIVER, "approver"),
    "cai": asker("cai", OWNER, "approver"),
    "dan": asker("dan", OWNER, "approver", "resource_admin"),
    "eve": asker("eve", OPERATOR, "officer"),
    "fay": asker("fay", OPERATOR, "officer"),
    "gus": asker("gus", RECEIVER, "applicant", "approver", "officer"),
    "gus for the owner": asker("gus", OWNER, "applicant", "approver", "officer"),
}  # fmt: skip


@dataclass
class ApplicationWorld:
    contract: Contract = CONTRACT
    register: Register = field(default_factory=MemoryRegister)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.grants = Grants(self.register, self.clock)
        self.applications = Applications(
            self.register,
            Traces(self.register, self.clock),
            Calendar(self.register),
            self.clock,
            Shelf(self.contract),  # type: ignore[arg-type]
            self.grants,
            NoRoutes(),
        )
