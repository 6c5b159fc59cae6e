"""Records of supervision: opened, moved on, told to whom they concern (L-45 to L-48)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, Problem
from huitong.identity.model import OPERATOR
from huitong.identity.units import Units
from huitong.notices.notices import Notice, Notices
from huitong.ports import Clock, Register
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record, Step
from huitong.standing.contents import day_of
from huitong.supervision.procedures import (
    ANNUAL_REPORT,
    CHANGE_NOTICE,
    COMPLAINT,
    COMPLIANCE,
    PROCEDURES,
    RECTIFICATION,
)

#: Name in paths and commands → procedure.
KINDS: Final = {
    "rectifications": RECTIFICATION,
    "complaints": COMPLAINT,
    "change-notices": CHANGE_NOTICE,
    "compliance-checks": COMPLIANCE,
    "annual-reports": ANNUAL_REPORT,
}
_PREFIX: Final = {"rectification": "rc", "complaint": "cp", "change_notice": "cn", "compliance": "cc"}
#: Notices of one transaction; more partners than these are told by the next ones.
_TOLD_AT_ONCE: Final = 80
_TOLD: Final = {
    "confirm": ("计划", "planned"),
    "cancel": ("已取消", "cancelled"),
    "complete": ("已完成", "done"),
}
#: Days that a step names must not lie before these of earlier steps.
_ORDER: Final = {
    "approved_on": ("prepared_on",),
    "checked_on": ("approved_on",),
    "accepted_on": ("checked_on",),
}


class Supervision:
    """``affected``: units that get something of these resources. ``owner``: a resource's source unit."""

    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        units: Units,
        *,
        affected: Callable[[Iterable[str]], Iterable[str]],
        owner: Callable[[str], str],
    ) -> None:
        self._clock = clock
        self._units = units
        self._notices = Notices(register, clock)
        self._affected = affected
        self._owner = owner
        self.desks: Mapping[str, Desk] = {
            p.name: Desk(p, register, traces, calendar, clock, self._consequences) for p in PROCEDURES
        }

    def open(self, kind: str, actor: Actor, body: Mapping[str, Any]) -> Record:
        """A new record of a kind (:data:`KINDS`) from the members of a request.

        Raises BadRequest with all that is wrong, NotFound (a unit, a resource), NotPermitted, Conflict.
        """
        procedure = KINDS[kind]
        parties, content, given = {
            "rectification": self._rectification,
            "complaint": self._complaint,
            "change_notice": self._change_notice,
            "compliance": self._compliance,
            "annual_report": self._annual_report,
        }[procedure.name](actor, body)
        for unit in parties.values():
            self._units.get(unit)
        year = content.get("year")
        id = str(year) if year else f"{_PREFIX[procedure.name]}{secrets.token_hex(10)}"
        return self.desks[procedure.name].open(id, actor, parties=parties, content=content, given=given)

    def take(
        self, procedure: str, id: str, step: str, actor: Actor, given: Mapping[str, Any], seen: int = 0
    ) -> Record:
        """Raises as :meth:`huitong.procedures.desk.Desk.take`."""
        before = self.desks[procedure].get(id)
        record = self.desks[procedure].take(id, step, actor, given, seen=seen)
        rest = self._partners(before, record)[_TOLD_AT_ONCE:]
        if rest:  # beyond what one transaction holds
            self._notices.send(*rest)
        return record

    def overdue(self) -> list[Record]:
        """Rectification notices whose time limit has passed without an answer, the oldest limit first."""
        today = china_day(self._clock.now()).isoformat()
        waiting = self.desks["rectification"].in_state("issued", "returned", limit=0)
        late = [r for r in waiting if r.clocks["answer"].due < today]
        return sorted(late, key=lambda r: r.clocks["answer"].due)

    def tick(self) -> dict[str, int]:
        """For the clock: reminders, breaches, and in January the announcement of the report."""
        told = sum(len(desk.tick()) for desk in self.desks.values())
        return {"supervision": told + self._announce()}

    def _announce(self) -> int:
        today = china_day(self._clock.now())
        if today.month != 1 or self.desks["annual_report"].find(str(today.year - 1)) is not None:
            return 0
        self.open("annual-reports", BY_CLOCK, {"year": today.year - 1})
        return 1

    # --- contents

    def _rectification(self, _actor: Actor, body: Mapping[str, Any]) -> Any:
        given = {"grounds": body["grounds"], "limit": body["limit"]}
        content = {"grounds": body["grounds"], "basis": body.get("basis", "")}
        return {"unit": str(body["unit"])}, content, given

    def _complaint(self, actor: Actor, body: Mapping[str, Any]) -> Any:
        respondent = str(body["respondent"])
        if respondent == actor.unit:
            _refuse("respondent", "不能投诉本单位", "A unit does not complain about itself")
        content = {k: body[k] for k in ("matter", "document", "digest") if body.get(k)}
        return {"complainant": actor.unit, "respondent": respondent}, content, {}

    def _change_notice(self, actor: Actor, body: Mapping[str, Any]) -> Any:
        resources = list(dict.fromkeys(str(r) for r in body["resources"]))
        foreign = [r for r in resources if self._owner(r) != actor.unit]
        if not resources or foreign:
            _refuse("resources", f"须为本单位的资源:{' '.join(foreign)}", "Name resources of your own unit")
        if day_of(str(body["ends"])) is None or str(body["ends"]) < str(body["starts"]):
            _refuse("ends", "结束日期有误", "ends must be a day, not before starts")
        content = {**body, "resources": resources}
        return {"unit": actor.unit}, content, {"starts": body["starts"]}

    def _compliance(self, actor: Actor, body: Mapping[str, Any]) -> Any:
        day = day_of(str(body["prepared_on"]))
        if day is None or day > china_day(self._clock.now()):
            _refuse("prepared_on", "编制日期有误", "prepared_on must be a day up to today")
        return {"unit": actor.unit}, dict(body), {}

    def _annual_report(self, _actor: Actor, body: Mapping[str, Any]) -> Any:
        year, today = int(body["year"]), china_day(self._clock.now())
        if not 2000 <= year < today.year:
            _refuse("year", "须为已结束的年度", "It must be a year that has ended")
        due = date(year + 1, 1, 31)
        content = {"year": year, "due": due.isoformat()}
        return {"manager": OPERATOR}, content, {"last_day": max(due, today).isoformat()}

    # --- consequences

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        step = after.history[-1]
        procedure = self.desks[after.procedure].procedure
        taken = procedure.opening if before is None else procedure.step(step.step)
        content = self._dated(after, step.given) if after.procedure == "compliance" and before else None
        if after.procedure == "annual_report" and step.step == "draft":
            content = {**after.content, "assessment": step.given["assessment"]}
        units = {u for u in after.parties.values() if u} | {OPERATOR}
        notices = [_notice(procedure.zh, procedure.en, after, taken, u) for u in sorted(units - {step.unit})]
        notices += self._partners(before, after)[:_TOLD_AT_ONCE]
        if after.procedure == "change_notice" and step.step == "begin":
            self._not_before(after)
        return Effects(content=content, notices=notices)

    def _partners(self, before: Record | None, record: Record) -> list[Notice]:
        """Those who get something of the resources: they acknowledge that they know (L-48)."""
        step = record.history[-1].step
        quiet = before is None or (step == "cancel" and before.state == "filed")
        if record.procedure != "change_notice" or step not in _TOLD or quiet:
            return []
        zh, en = _TOLD[step]
        known = {*record.parties.values(), OPERATOR}
        period = f"{record.content['starts']} – {record.content['ends']}"
        named = " ".join(record.content["resources"])
        return [
            Notice(
                unit,
                f"change_notice.{step}",
                f"change_notice:{record.id}",
                f"数源系统变更({zh}):{named},{period}",
                f"Change of a source system ({en}): {named}, {period}",
                due=str(record.content["starts"]),
                must_acknowledge=step == "confirm",
            )
            for unit in sorted(set(self._affected(record.content["resources"])) - known)
        ]

    def _not_before(self, record: Record) -> None:
        if china_day(self._clock.now()).isoformat() < str(record.content["starts"]):
            _refuse("starts", "早于备案的开始日期", "It begins before the day that was filed")

    def _dated(self, record: Record, given: Mapping[str, Any]) -> dict[str, Any]:
        """The content with the step's days, which follow each other (L-47)."""
        for name, former in _ORDER.items():
            if name not in given:
                continue
            day = day_of(str(given[name]))
            if day is None or day > china_day(self._clock.now()):
                _refuse(name, f"{name} 日期有误", f"{name} must be a day up to today")
            if any(str(given[name]) < str(record.content[f]) for f in former):
                _refuse(name, f"{name} 早于前一步骤", f"{name} lies before the step before it")
        return {**record.content, **{n: given[n] for n in _ORDER if n in given}}


def _notice(zh: str, en: str, record: Record, step: Step | None, unit: str) -> Notice:
    named = (step.zh, step.en) if step is not None else ("", "")
    return Notice(
        unit,
        f"{record.procedure}.{record.history[-1].step}",
        f"{record.procedure}:{record.id}",
        f"{zh} {record.id}:{named[0]}",
        f"{en} {record.id}: {named[1]}",
    )


def _refuse(field: str, zh: str, en: str) -> None:
    raise BadRequest(zh, en, problems=[Problem(f"supervision.{field}", zh, en, {"field": field})])
