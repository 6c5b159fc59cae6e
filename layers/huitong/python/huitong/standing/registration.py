"""What is registered of a unit beyond its code and name: kind, address, the four named officers, state.

Q-40 (source unit with role, contact and code), L-40 (officers; changes recorded
and notified). Keys: ``STANDING#{unit}`` / ``REGISTRATION`` holds what counts now,
``STANDING#{unit}`` / ``CHANGE#{at}#{id}`` each change with its old and new values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Self, get_args
from uuid import uuid4

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, Problem
from huitong.identity.model import OPERATOR
from huitong.identity.units import Units
from huitong.notices.notices import Notice, Notices, entry_of
from huitong.ports import Clock, Item, Register, timestamp

Duty = Literal["leader", "sharing", "technical", "resources"]
UnitState = Literal["active", "suspended", "closed"]

#: The officers that each unit names (L-40).
DUTIES: Final[Mapping[str, tuple[str, str]]] = {
    "leader": ("分管领导", "responsible leader"),
    "sharing": ("共享专员", "sharing officer"),
    "technical": ("技术负责人", "technical officer"),
    "resources": ("资源管理员", "resource administrator"),
}
#: The first two characters of the code: registering department and kind of body (GB 32100).
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "11": ("机关", "organ of government"),
    "12": ("事业单位", "public institution"),
    "13": ("编办直接管理的群众团体", "mass organisation"),
    "19": ("机构编制其他", "other body of the staffing office"),
    "31": ("律师执业机构", "law firm"),
    "32": ("公证处", "notary office"),
    "33": ("基层法律服务所", "local legal service"),
    "34": ("司法鉴定机构", "judicial expertise"),
    "35": ("仲裁委员会", "arbitration commission"),
    "51": ("社会团体", "association"),
    "52": ("民办非企业单位", "private non-enterprise unit"),
    "53": ("基金会", "foundation"),
    "91": ("企业", "enterprise"),
    "92": ("个体工商户", "individual business"),
    "93": ("农民专业合作社", "farmers' cooperative"),
}
_MOVES: Final[Mapping[UnitState, frozenset[UnitState]]] = {
    "active": frozenset({"suspended", "closed"}),
    "suspended": frozenset({"active", "closed"}),
    "closed": frozenset(),
}
#: A transaction holds 100 entries; further partners are told right after it.
_TOLD_AT_ONCE: Final = 80


@dataclass(frozen=True, slots=True)
class Officer:
    """``account`` is the person's account on the platform, if there is one."""

    name: str
    post: str = ""
    phone: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    unit: str
    address: str = ""
    region: str = ""  # division code, GB/T 2260
    role: str = ""  # e.g. 数源单位, 用数单位, 技术服务单位
    officers: Mapping[str, Officer] = field(default_factory=dict)
    state: UnitState = "active"
    reason: str = ""
    at: str = ""
    by: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        return KINDS.get(self.unit[:2], ("其他", "other"))

    @property
    def unnamed(self) -> list[str]:
        """Duties without an officer."""
        return [duty for duty in DUTIES if duty not in self.officers]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        officers = {duty: Officer(**officer) for duty, officer in body["officers"].items()}
        return cls(**{**body, "officers": officers})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a registration. ``what``: ``officer.leader``, ``address``, ``state`` …"""

    at: str
    by: str
    what: str
    old: str
    new: str
    reason: str = ""


class Registrations:
    """``partners`` names the units that share with a unit: they are told of its changes."""

    def __init__(
        self,
        register: Register,
        units: Units,
        traces: Traces,
        clock: Clock,
        partners: Callable[[str], Iterable[str]],
    ) -> None:
        self._register = register
        self._units = units
        self._traces = traces
        self._clock = clock
        self._partners = partners

    def put(self, wanted: Registration, *, by: str, acting: str = "") -> Registration:
        """Register a known unit's standing, or change it. State and reason are not changed by this.

        Raises NotFound (the unit itself is not registered), BadRequest with all
        that is wrong, Conflict when another change came between or the unit is closed.
        """
        self._units.get(wanted.unit)
        if problems := _problems(wanted):
            raise BadRequest("单位登记有误", "The registration is not valid", problems=problems)
        stored = self._register.get(f"STANDING#{wanted.unit}", "REGISTRATION")
        before = Registration.from_dict(stored.body) if stored else None
        if before is not None and before.state == "closed":
            raise _closed(wanted.unit)
        kept = (before.state, before.reason) if before else ("active", "")
        after = replace(wanted, state=kept[0], reason=kept[1])
        return self._write(before, after, stored, by=by, acting=acting)

    def move(self, unit: str, state: UnitState, *, reason: str, by: str, acting: str = "") -> Registration:
        """Suspend, close or set active again. Raises BadRequest, NotFound, Conflict."""
        if not reason.strip():
            raise BadRequest("请说明理由", "Give the reason", unit=unit)
        self._units.get(unit)
        stored = self._register.get(f"STANDING#{unit}", "REGISTRATION")
        before = Registration.from_dict(stored.body) if stored else Registration(unit)
        if state not in _MOVES[before.state]:
            raise Conflict(
                f"单位处于 {before.state},不能转为 {state}",
                f"The unit is {before.state} and cannot become {state}",
                unit=unit,
            )
        after = replace(before, state=state, reason=reason)
        return self._write(before if stored else None, after, stored, by=by, acting=acting, reason=reason)

    def find(self, unit: str) -> Registration | None:
        item = self._register.get(f"STANDING#{unit}", "REGISTRATION")
        return Registration.from_dict(item.body) if item else None

    def history(self, unit: str) -> list[Change]:
        """Every change, newest first."""
        items = self._register.query(f"STANDING#{unit}", prefix="CHANGE#", descending=True)
        return [Change(**item.body) for item in items]

    def _write(
        self,
        before: Registration | None,
        after: Registration,
        stored: Item | None,
        *,
        by: str,
        acting: str,
        reason: str = "",
    ) -> Registration:
        now = timestamp(self._clock.now())
        changes = [Change(now, by, *what, reason) for what in _differences(before, after)]
        if not changes and before is not None:
            return before
        after = replace(after, at=now, by=by)
        item = Item(f"STANDING#{after.unit}", "REGISTRATION", after.as_dict())
        notices = self._notices(after, changes) if before is not None else []
        creates = [
            *(
                Item(item.pk, f"CHANGE#{now}#{n:03}{uuid4().hex[:8]}", asdict(c))
                for n, c in enumerate(changes)
            ),
            *(entry_of(notice, now) for notice in notices[:_TOLD_AT_ONCE]),
        ]
        trace = Trace("configure", by, acting, detail=f"registration:{after.unit}")
        if stored is None:
            self._traces.commit(trace, creates=[item, *creates])
        else:
            self._traces.commit(trace, creates=creates, replaces=[replace(item, version=stored.version)])
        if notices[_TOLD_AT_ONCE:]:
            Notices(self._register, self._clock).send(*notices[_TOLD_AT_ONCE:])
        return after

    def _notices(self, after: Registration, changes: list[Change]) -> list[Notice]:
        """To the operator and to all partners: what changed, without names of persons."""
        name = self._units.get(after.unit).name
        zh = "、".join(_named(c.what)[0] for c in changes)
        en = ", ".join(_named(c.what)[1] for c in changes)
        to = sorted({OPERATOR, *self._partners(after.unit)} - {after.unit})
        return [
            Notice(
                unit,
                "unit.changed",
                f"unit:{after.unit}",
                f"{name}的登记信息已变更:{zh}",
                f"The registration of {name} changed: {en}",
            )
            for unit in to
        ]


def credit_code_warnings(code: str) -> list[Problem]:
    """The inner check of characters 9 to 17 (GB 11714): a failure is only a warning (standards.md 2.2)."""
    body, check = code[8:16], code[16:17]
    if len(code) != 18 or not body.isalnum():
        return []
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(c, 36) for w, c in zip(weights, body, strict=True))
    wanted = {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
    if check == wanted:
        return []
    return [
        Problem(
            "unit.organisation-code",
            f"主体标识码(第9至17位)的校验位应为 {wanted}",
            f"The check character of the organisation code inside should be {wanted}",
            {"field": "code"},
            "请核对原始证照;可继续登记",
            "Compare it with the certificate; it can be registered all the same",
        )
    ]


def _problems(wanted: Registration) -> list[Problem]:
    problems = []
    for duty, officer in wanted.officers.items():
        if duty not in DUTIES:
            problems.append(Problem("unit.duty", f"没有职责 {duty}", f"There is no duty {duty}"))
        elif not officer.name.strip():
            zh, en = DUTIES[duty]
            problems.append(Problem("unit.officer", f"{zh}须有姓名", f"The {en} needs a name"))
    if wanted.region and not (wanted.region.isdecimal() and len(wanted.region) in (6, 9, 12)):
        problems.append(
            Problem("unit.region", "行政区划代码须为6、9或12位数字", "A division code has 6, 9 or 12 digits")
        )
    return problems


def _differences(before: Registration | None, after: Registration) -> list[tuple[str, str, str]]:
    old, new = _flat(before), _flat(after)
    return [
        (name, old.get(name, ""), new.get(name, ""))
        for name in sorted({*old, *new})
        if old.get(name, "") != new.get(name, "")
    ]


def _flat(registration: Registration | None) -> dict[str, str]:
    if registration is None:
        return {}
    plain = {name: str(getattr(registration, name)) for name in ("address", "region", "role", "state")}
    for duty, officer in registration.officers.items():
        plain[f"officer.{duty}"] = " ".join(filter(None, asdict(officer).values()))
    return plain


def _named(what: str) -> tuple[str, str]:
    head, _, duty = what.partition(".")
    known = {"address": ("地址", "address"), "region": ("行政区划", "division"), "role": ("角色", "role"),
             "state": ("状态", "state")}  # fmt: skip
    return DUTIES[duty] if head == "officer" and duty in get_args(Duty) else known.get(what, (what, what))


def _closed(unit: str) -> Conflict:
    return Conflict(f"单位 {unit} 已注销", f"Unit {unit} is closed", unit=unit)
