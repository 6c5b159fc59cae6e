"""What units agree on with each other: drafted, signed, confirmed, tested, and found again by pair.

Each record is one of a procedure of :mod:`huitong.standing.procedures`. Beside
the desks' own keys, ``BETWEEN#{a}#{b}`` / ``{procedure}#{created}#{id}`` lists
what stands between two units (in the order of their codes), strongly consistent:
gates decide on it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from huitong.audit.trace import Traces
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, NotPermitted, Problem
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR
from huitong.identity.units import Units
from huitong.notices.notices import Notice
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record, Taken
from huitong.standing.contents import (
    agreement_problems,
    day_of,
    docking_problems,
    outside_problems,
    test_problems,
)
from huitong.standing.procedures import AGREEMENT, DOCKING, JOINT_TEST, OUTSIDE, PROCEDURES, SHARE_LIST

#: Name in paths and commands → procedure.
KINDS: Final = {
    "agreements": AGREEMENT,
    "share-lists": SHARE_LIST,
    "dockings": DOCKING,
    "joint-tests": JOINT_TEST,
    "outside-exchanges": OUTSIDE,
}
_PREFIX: Final = {"agreement": "ag", "share_list": "sl", "docking": "dk", "joint_test": "jt",
                  "outside_exchange": "oe"}  # fmt: skip
_SIGNING: Final = frozenset({"sign_first", "sign_second", "countersign_first", "countersign_second"})


class Standing:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        units: Units,
        contracts: Contracts,
    ) -> None:
        self._register = register
        self._clock = clock
        self._units = units
        self._contracts = contracts
        self.desks: Mapping[str, Desk] = {
            p.name: Desk(p, register, traces, calendar, clock, self._consequences) for p in PROCEDURES
        }

    # --- opening ------------------------------------------------------------

    def open(self, kind: str, actor: Actor, given: Mapping[str, Any]) -> Record:
        """A new record of a kind (:data:`KINDS`) from the members of a request.

        Raises BadRequest with all that is wrong, NotFound (a unit), NotPermitted
        (not a party's to open; no confirmed list before docking) and Conflict.
        """
        procedure = KINDS[kind]
        maker = {
            "agreement": self._agreement,
            "share_list": self._share_list,
            "docking": self._docking,
            "joint_test": self._joint_test,
            "outside_exchange": self._outside,
        }[procedure.name]
        parties, content = maker(actor, given)
        for unit in sorted(set(parties.values())):
            self._units.get(unit)
        id = f"{_PREFIX[procedure.name]}{secrets.token_hex(10)}"
        resources = content.get("resources") or [content.get("resource", "")]
        about = str(resources[0]) if len(resources) == 1 else ""
        return self.desks[procedure.name].open(id, actor, parties=parties, content=content, resource=about)

    def _agreement(self, actor: Actor, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        first, second = str(given["first"]), str(given["second"])
        parties = {"first": first, "second": second, "drafter": actor.unit}
        problems = agreement_problems(given) + self._unknown(given.get("resources", ()))
        if first == second:
            problems.append(_problem("parties", "协议须有两方", "An agreement has two parties"))
        if actor.unit not in (first, second, OPERATOR):
            raise NotPermitted(
                "只有双方或管理方可拟定协议", "Only a party or the operator drafts an agreement"
            )
        problems += self._replaceable(str(given.get("replaces", "")), {first, second})
        _refuse(problems)
        content = {k: v for k, v in given.items() if k not in ("first", "second") and v not in ("", [], 0)}
        return parties, {**content, "resources": self._ids(given.get("resources", ())), "signatures": []}

    def _share_list(self, actor: Actor, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        problems = self._unknown(given["resources"])
        if not given["resources"]:
            problems.append(_problem("resources", "清单不能为空", "The list names no resource"))
        _refuse(problems)
        return self._sides(actor, given), {
            "resources": self._ids(given["resources"]),
            "remark": given.get("remark", ""),
        }

    def _docking(self, actor: Actor, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        parties = self._sides(actor, given)
        _refuse(docking_problems(given) + self._unknown(given["resources"]))
        resources = self._ids(given["resources"])
        listed = self.listed(parties["proposer"], parties["other"])
        if missing := [r for r in resources if r not in listed]:
            raise NotPermitted(
                f"开始对接前须有双方确认的共享清单;清单未含:{' '.join(missing)}",
                f"Docking starts after a list that both confirmed; it lacks: {' '.join(missing)}",
                problems=[
                    Problem(
                        "docking.list",
                        f"双方确认的清单未含资源 {r}",
                        f"The confirmed list does not include {r}",
                        {"resource": r},
                        "先提出并确认共享清单",
                        "Put forward and confirm a list first",
                    )
                    for r in missing
                ],
            )
        content = {k: v for k, v in given.items() if k != "counterpart"}
        return parties, {**content, "resources": resources}

    def _joint_test(self, actor: Actor, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        today = china_day(self._clock.now())
        parties = self._sides(actor, given)
        _refuse(test_problems(given, today) + self._unknown([given["resource"]]))
        contract = self._contracts.get(str(given["resource"]))
        content = {k: v for k, v in given.items() if k != "counterpart"}
        return parties, {**content, "resource": contract.id, "contract_version": contract.version}

    def _outside(self, actor: Actor, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        _refuse(outside_problems(given) + self._unknown(given["resources"]))
        content = {k: v for k, v in given.items() if k != "source"}
        parties = {"filer": actor.unit, "source": str(given["source"]), "department": DATA_DEPARTMENT}
        foreign = [r for r in self._ids(given["resources"]) if self._owner(r) != parties["source"]]
        if foreign:
            _refuse([_problem("resources", f"资源不属于该数源单位:{' '.join(foreign)}",
                              f"These are not the source unit's: {' '.join(foreign)}")])  # fmt: skip
        return parties, {**content, "resources": self._ids(given["resources"])}

    # --- finding ------------------------------------------------------------

    def between(self, one: str, other: str, procedure: str) -> list[Record]:
        """Records of a procedure between two units, oldest first, in any state; strongly consistent."""
        pointers = self._register.query(_pair(one, other), prefix=f"{procedure}#")
        return [self.desks[procedure].get(str(p.body["id"])) for p in pointers]

    def listed(self, one: str, other: str) -> frozenset[str]:
        """Resources on the list that both units confirmed last."""
        latest = latest_confirmed(self.between(one, other, "share_list"))
        return frozenset(latest.content["resources"]) if latest else frozenset()

    def partners(self, unit: str) -> list[str]:
        """Units with which the unit has an agreement, by code."""
        return sorted({str(item.body["unit"]) for item in self._register.query(f"PARTNERS#{unit}")})

    # --- moving -------------------------------------------------------------

    def take(
        self, procedure: str, id: str, step: str, actor: Actor, given: Mapping[str, Any], seen: int = 0
    ) -> Record:
        """Take a step; an agreement that replaces another one ends that as soon as both have signed.

        Raises as :meth:`huitong.procedures.desk.Desk.take`.
        """
        record = self.desks[procedure].take(id, step, actor, given, seen=seen)
        if procedure == "agreement" and record.state == "signed":
            self._supersede(record)
        return record

    def _supersede(self, record: Record) -> None:
        former = self.desks["agreement"].find(str(record.content.get("replaces", "")))
        if former is not None and former.state == "signed":
            self.desks["agreement"].take(former.id, "supersede", BY_CLOCK)

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        if before is None:
            return Effects(creates=_pointers(after), notices=_told(after, opened=True))
        step = after.history[-1]
        content: Mapping[str, Any] | None = None
        creates: Sequence[Item] = ()
        if after.procedure == "agreement" and step.step in _SIGNING:
            self._check_signature(after, step)
            signed = {"side": step.step.rpartition("_")[2], "unit": step.unit, "at": step.at, **step.given}
            content = {**after.content, "signatures": [*after.content["signatures"], signed]}
            creates = self._partnership(after) if after.state == "signed" else ()
        if after.procedure == "outside_exchange" and step.step == "agree":
            _same_digest(after, step)
        return Effects(creates=creates, content=content, notices=_told(after))

    def _check_signature(self, record: Record, step: Taken) -> None:
        day = day_of(str(step.given["signed_on"]))
        if day is None or day > china_day(self._clock.now()):
            _refuse([_problem("signed_on", "签署日期有误", "signed_on is not a day up to today")])
        _same_digest(record, step)

    def _partnership(self, record: Record) -> list[Item]:
        first, second = record.parties["first"], record.parties["second"]
        return [
            Item(f"PARTNERS#{a}", f"{b}#{record.id}", {"unit": b})
            for a, b in ((first, second), (second, first))
        ]

    # --- checks -------------------------------------------------------------

    def _sides(self, actor: Actor, given: Mapping[str, Any]) -> dict[str, str]:
        other = str(given["counterpart"])
        if other == actor.unit:
            _refuse([_problem("counterpart", "对方不能是本单位", "The other side is another unit")])
        return {"proposer": actor.unit, "other": other}

    def _unknown(self, resources: Sequence[str]) -> list[Problem]:
        return [
            _problem("resources", f"没有资源 {r}", f"There is no resource {r}")
            for r in resources
            if self._contracts.find(str(r)) is None
        ]

    def _ids(self, resources: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(self._contracts.get(str(r)).id for r in resources))

    def _owner(self, resource: str) -> str:
        return self._contracts.get(resource).provider or OPERATOR

    def _replaceable(self, former: str, parties: set[str]) -> list[Problem]:
        if not former:
            return []
        found = self.desks["agreement"].find(former)
        if found is None or {found.parties["first"], found.parties["second"]} != parties:
            return [
                _problem("replaces", "被替代的须是同样双方的协议", "replaces names no agreement of these two")
            ]
        return []


def latest_confirmed(records: Sequence[Record]) -> Record | None:
    """The record that counts: the one confirmed last. (Ended ones count no more, nor those before them.)"""
    done = [r for r in records if r.last("confirm") is not None]
    newest = max(done, key=lambda r: (r.last("confirm").at, r.created_at), default=None)  # type: ignore[union-attr]
    return newest if newest is not None and newest.state == "confirmed" else None


def _pair(one: str, other: str) -> str:
    return f"BETWEEN#{'#'.join(sorted((one, other)))}"


def _pointers(record: Record) -> list[Item]:
    sides = [record.parties[n] for n in ("first", "second", "proposer", "other") if n in record.parties]
    if len(sides) != 2:
        return []
    return [Item(_pair(*sides), f"{record.procedure}#{record.created_at}#{record.id}", {"id": record.id})]


def _told(record: Record, *, opened: bool = False) -> list[Notice]:
    """The other parties are told of each step."""
    step = record.history[-1]
    desk = next(p for p in PROCEDURES if p.name == record.procedure)
    taken = desk.opening if opened else desk.step(step.step)
    if taken is None:
        return []
    return [
        Notice(
            unit,
            f"{record.procedure}.{step.step}",
            f"{record.procedure}:{record.id}",
            f"{desk.zh} {record.id}:{taken.zh}",
            f"{desk.en} {record.id}: {taken.en}",
        )
        for unit in sorted({u for u in record.parties.values() if u} - {step.unit})
    ]


def _same_digest(record: Record, step: Taken) -> None:
    """Who signs names the digest of what was read: nobody signs another text."""
    if str(step.given["digest"]).lower() != str(record.content["digest"]).lower():
        _refuse([_problem("digest", "摘要与文件不符", "The digest is not that of the document")])


def _problem(field: str, zh: str, en: str) -> Problem:
    return Problem(f"standing.{field}", zh, en, {"field": field})


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise BadRequest("内容有误", "The content is not valid", problems=problems)
