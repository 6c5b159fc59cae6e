"""Sharing applications (共享申请): from filing to a grant that binds, and to its end. Light to import.

Every step is one conditional write of the desk (:mod:`huitong.procedures.desk`);
what it brings with it (the grant, the implementation sheet, notices, the end of
the sharing that an amendment replaces) stands in the same transaction. No
other way leads from an application to a grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, Conflict, NotPermitted, Problem
from huitong.identity.model import OPERATOR, Principal
from huitong.ports import Clock, Register
from huitong.procedures.breaches import Breach, breaches_of
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk
from huitong.procedures.model import Record, Step
from huitong.sharing import asking
from huitong.sharing.application_procedure import APPLICATION, BOUND_TO_END, IN_FORCE
from huitong.sharing.circle import Circle, class_of
from huitong.sharing.closing import Closing, Routes
from huitong.sharing.disputes import disputed, published
from huitong.sharing.grants import NOT_SHARED, Grants
from huitong.sharing.implementation_sheets import Sheets
from huitong.sharing.outcomes import Gate, Outcomes


class Entries(Protocol):
    """What the catalogue (:mod:`huitong.catalog`) says of a resource; None = it has no entry."""

    def share_type(self, resource: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """Who files or takes a step, and the unit acted for."""

    principal: Principal
    unit: str

    @property
    def actor(self) -> Actor:
        return Actor(self.principal, self.unit)


class Applications:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        contracts: Contracts,
        grants: Grants,
        routes: Routes,
        *,
        entries: Entries | None = None,
        gate: Gate | None = None,
        circle: Circle | None = None,
    ) -> None:
        self._calendar = calendar
        self._clock = clock
        self._contracts = contracts
        self._grants = grants
        self._entries = entries
        self._circle = circle or Circle()
        self._closing = Closing(register, grants, routes)
        self.sheets = Sheets(register)
        self.desk = Desk(APPLICATION, register, traces, calendar, clock, self._outcomes_of(gate))

    def _outcomes_of(self, gate: Gate | None) -> Outcomes:
        return Outcomes(self, self._contracts, self._grants, self._clock, gate, self._circle)

    # --- filing

    def file(self, asker: Asker, body: Mapping[str, Any]) -> Record:
        """A draft (L-24). ``body`` names a ``resource``; or an application that it ``amends``, of which the
        members not given are taken; or something ``elsewhere`` (L-28).

        Raises BadRequest with all that is missing, NotFound, NotPermitted for a
        resource that is not shared (不予共享).
        """
        if body.get("elsewhere"):
            return self._elsewhere(asker, body)
        former = self._amended(asker, str(body.get("amends", "")))
        name = former.content["resource"] if former else str(body.get("resource", ""))
        if former and body.get("resource") not in (None, "", name):
            raise BadRequest("变更不能改换资源", "An amendment stays with its resource", resource=name)
        contract = self._contracts.get(name)
        owner = contract.provider or OPERATOR
        if asker.unit == owner:
            raise BadRequest("本单位的资源无须申请", "Your unit's own resource needs no application")
        share_type = self.share_type(contract)
        if share_type == NOT_SHARED:
            raise _unshared(contract)
        asked = asking.complete(body, former.content if former else None)
        asking.check_asked(asked, contract, china_day(self._clock.now()))
        id = f"a{uuid4().hex[:24]}"
        content = {
            **asked,
            "row_filter": _canonical(asked["row_filter"], contract),
            "resource": contract.id,
            "contract_version": contract.version,
            "share_type": share_type,
            "sharing_class": self._class(body, owner, asker.unit),
            "amends": former.id if former else "",
            "root": former.content["root"] if former else id,
        }
        parties = {"receiver": asker.unit, "owner": owner}
        return self.desk.open(id, asker.actor, parties=parties, content=content)

    def share_type(self, contract: Contract) -> str:
        """The stricter of what the catalogue and the contract say; nothing said is conditional."""
        said = self._entries.share_type(contract.id) if self._entries else None
        return max(said or "", contract.share_type) or "2"

    def _class(self, body: Mapping[str, Any], owner: str, receiver: str) -> str:
        found = class_of(owner, receiver)
        if body.get("sharing_class") not in (None, "", found):
            zh, en = f"该申请属于 {found}", f"This application is {found}"
            problem = Problem("application.class", zh, en, {"field": "sharing_class"})
            raise BadRequest(zh, en, problems=[problem])
        return found

    def _amended(self, asker: Asker, id: str) -> Record | None:
        if not id:
            return None
        former = self.desk.get(id)
        if former.parties.get("receiver") != asker.unit:
            raise NotPermitted("只能变更本单位的申请", "Only your unit's application can be amended", id=id)
        if former.state not in IN_FORCE:
            raise Conflict("该共享未在执行中", "That sharing is not in force", id=id, state=former.state)
        return former

    def _elsewhere(self, asker: Asker, body: Mapping[str, Any]) -> Record:
        asked = asking.complete(body)
        asking.check_asked(asked, None, china_day(self._clock.now()))
        if asked["row_filter"]:
            raise BadRequest("外地资源不能设行范围", "Rows elsewhere cannot be chosen here")
        content = {
            **asked, "resource": "", "elsewhere": dict(body["elsewhere"]), "share_type": "2", "amends": "",
            "sharing_class": "external_exchange", "root": "",
        }  # fmt: skip
        return self.desk.open(
            f"a{uuid4().hex[:24]}", asker.actor, parties={"receiver": asker.unit}, content=content
        )

    # --- steps

    def take(
        self, asker: Asker, id: str, step: str, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """Take a step. Raises NotFound, NotPermitted, BadRequest and Conflict (see Desk.take)."""
        after = self.desk.take(id, step, asker.actor, given, seen=seen)
        if APPLICATION.state(after.state).final:
            self._closing.finish(id)
        return after

    def revised(self, before: Record, given: Mapping[str, Any]) -> dict[str, Any]:
        """The content of a draft after its revision, checked as when it was filed."""
        asked = asking.complete({**given}, before.content)
        today = china_day(self._clock.now())
        if not before.content["resource"]:
            asking.check_asked(asked, None, today)
            return {**before.content, **asked}
        contract = self._contracts.get(before.content["resource"])
        asking.check_asked(asked, contract, today)
        if "row_filter" in given:
            asked["row_filter"] = _canonical(asked["row_filter"], contract)
        return {**before.content, **asked, "contract_version": contract.version}

    def narrowed(self, asked: str, further: str, contract: Contract) -> str:
        """What was asked for and what the owner adds, as one canonical filter."""
        filters = [f for f in (asked, _canonical(further, contract)) if f]
        return " AND ".join(f"({f})" for f in filters) if len(filters) > 1 else "".join(filters)

    # --- reading

    def get(self, asker: Asker, id: str, *, supervisor: bool = False) -> Record:
        """Raises NotFound also for those whom it does not concern. A draft is its unit's own."""
        record = self.desk.get(id)
        if record.parties.get("receiver") == asker.unit and asker.unit:
            return record
        sent = record.last("send") is not None
        if sent and (supervisor or (record.parties.get("owner") == asker.unit and asker.unit)):
            return record
        raise self.desk.unknown(id)

    def of_unit(self, unit: str, *, after: str = "", limit: int = 100) -> tuple[list[Record], str | None]:
        """Those of the unit and those to it (once they were sent), newest first, and where to go on."""
        found = self.desk.of_unit(unit, after=after, limit=limit)
        further = self.desk.place(found[-1]) if limit and len(found) == limit else None
        return [r for r in found if r.parties.get("receiver") == unit or r.last("send")], further

    def sent(self, *states: str, limit: int = 0) -> list[Record]:
        """For the desk: every application that left its unit."""
        return [r for r in self.desk.in_state(*states, limit=limit) if r.last("send")]

    def possible(self, asker: Asker, record: Record) -> list[Step]:
        return self.desk.possible(record, asker.actor)

    def disputes(self) -> list[dict[str, Any]]:
        """Published stages and results of negotiation, coordination, joint review (L-20, L-21)."""
        found = [published(r) for r in self.desk.in_state(limit=0) if disputed(r)]
        return sorted(found, key=lambda d: d["steps"][0]["day"] if d["steps"] else "", reverse=True)

    def breaches(self, low: str = "", high: str = "") -> list[Breach]:
        """Deadlines that were missed, by the day on which they were due (L-17, L-18), for supervision."""
        days, today = self._calendar.working_days(), china_day(self._clock.now())
        return breaches_of(APPLICATION, self.desk.in_state(limit=0), days, today, low=low, high=high)

    # --- the clock

    def tick(self) -> int:
        """Reminders, breaches, and what a stopped process left to close. Returns how much was done."""
        told = self.desk.tick()
        return len(told) + self._closing.finish_all()

    def expire(self) -> int:
        """Sharings whose last day is over, or whose grant was ended otherwise. Returns how many ended."""
        today, done = china_day(self._clock.now()).isoformat(), 0
        for record in self.desk.in_state(*BOUND_TO_END, limit=0):
            if not self._over(record, today):
                continue
            try:
                self.desk.take(record.id, "expire", BY_CLOCK)
            except Conflict:
                continue  # somebody ended or changed it just now
            self._closing.finish(record.id)
            done += 1
        return done

    def end(self, id: str, reason: str) -> Record:
        """End a sharing for another capability (limits on a late unit, the end of an agreement)."""
        after = self.desk.take(id, "end_by_decision", BY_CLOCK, {"reason": reason, "document": reason})
        self._closing.finish(id)
        return after

    def _over(self, record: Record, today: str) -> bool:
        if record.content["ends"] < today:
            return True
        if record.state not in IN_FORCE:
            return False
        grant = self._grants.find(
            record.parties["receiver"], record.content["resource"], record.content["root"]
        )
        return grant is None or grant.revoked


def _unshared(contract: Contract) -> NotPermitted:
    why = contract.share_condition or "不予共享类"
    zh, en = f"资源 {contract.id} 不予共享:{why}", f"Resource {contract.id} is not shared: {why}"
    return NotPermitted(zh, en, resource=contract.id)


def _canonical(expression: str, contract: Contract) -> str:
    if not expression.strip():
        return ""
    from huitong.sharing.row_filter import canonical_filter  # brings a parser of SQL

    return canonical_filter(expression, contract)
