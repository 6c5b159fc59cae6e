"""Findings become issues for the responsible unit, are checked again, closed or escalated (C-05). Light.

A decided delivery leaves an entry under ``DECIDED`` in the transaction that decides on it; :meth:`tick`
takes it up, so that no delivery is forgotten and each is followed once, however often it is looked at.
Keys beside the procedure's: ``ISSUES-OF#{resource}`` / id lists what is open; ``QUALITY-ESCALATED`` / id
waits for the rectification notice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.batches.register import DECIDED, Batches
from huitong.errors import Conflict
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record
from huitong.supervision.quality.grouping import Check, groups, issue_id, violations
from huitong.supervision.quality.policy import IssuePolicy, policy
from huitong.supervision.quality.procedures import QUALITY_ISSUE

_AT_ONCE: Final = 200
_ESCALATED: Final = "QUALITY-ESCALATED"
#: An officer of the unit hears of these by notice; what a unit does itself it knows.
_TOLD: Final = frozenset({"confirm", "return", "uphold", "reject", "close", "pass", "fail", "escalate"})
_TO_DESK: Final = frozenset({"report", "dispute", "escalate"})
_WAITING: Final = tuple(s.name for s in QUALITY_ISSUE.states if not s.final)
_ENDED_MOST: Final = 1_000


class Rectifying(Protocol):
    """What is needed of :class:`huitong.supervision.desks.Supervision`."""

    @property
    def desks(self) -> Mapping[str, Desk]: ...


class QualityIssues:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        batches: Batches,
        supervision: Callable[[], Rectifying],
    ) -> None:
        self._register = register
        self._traces = traces
        self._calendar = calendar
        self._clock = clock
        self._batches = batches
        self._supervision = supervision
        self.desk = Desk(QUALITY_ISSUE, register, traces, calendar, clock, self._consequences)

    # --- what the platform does ----------------------------------------------

    def tick(self) -> dict[str, int]:
        """For the clock: follow decided deliveries, remind, escalate; who is disturbed waits a minute."""
        followed = 0
        for item in self._register.query(DECIDED, limit=_AT_ONCE):
            found = self._batches.find(str(item.body["batch"]))
            try:
                if found is not None:
                    self.follow(found.batch)
                self._register.delete(item)
            except Conflict:
                continue
            followed += 1
        rung = len(self.desk.tick())
        return {"followed": followed, "clocks": rung, "rectifications": self._rectify()}

    def follow(self, batch: Batch) -> list[Record]:
        """Open the issues of a decided delivery and check again those that it was to mend.

        Safe to repeat at any time: an issue is opened once, a check is noted once.
        """
        made: list[Record] = []
        if batch.status in ("duplicate", "received", "ingested", "failed"):
            return made
        if not batch.mends:
            kept = policy(self._register)
            for check in groups(batch, kept.warning_percent):
                record = self.desk.find(issue_id(batch.id, check))
                made.append(record or self._open(batch, check, kept))
            if made:
                self._tell_once(batch, made)
        self._check_again(batch)
        return made

    def _open(self, batch: Batch, check: Check, kept: IssuePolicy) -> Record:
        today = china_day(self._clock.now())
        days = kept.days_for(batch.unit, batch.resource)
        due = self._calendar.working_days().after(today, days).day
        content = {
            "batch": batch.id, "resource": batch.resource, "rule": check.rule, "column": check.column,
            "criterion": check.criterion, "severity": check.severity, "found": check.count,
            "remaining": check.count, "officer": "", "received_at": batch.received_at,
            "filename": batch.filename, "by": batch.history[0][2] if batch.history else "",
        }  # fmt: skip
        id = issue_id(batch.id, check)
        try:
            return self.desk.open(
                id, BY_CLOCK, parties={"unit": batch.unit}, content=content,
                given={"limit": due.isoformat()}, resource=batch.resource,
            )  # fmt: skip
        except Conflict:  # another worker was first
            return self.desk.get(id)

    def _tell_once(self, batch: Batch, made: list[Record]) -> None:
        """One notice for a delivery, whatever the number of its issues."""
        n, due = len(made), min(r.clocks["mend"].due for r in made)
        zh = f"批次 {batch.id}(资源 {batch.resource})发现 {n} 类质量问题,请于 {due} 前整改"
        en = f"Batch {batch.id} of {batch.resource} has {n} kinds of findings: mend them by {due}"
        notice = Notice(batch.unit, "quality_issue.open", f"batch:{batch.id}", zh, en, due=due,
                        id=hashlib.sha256(f"issues:{batch.id}".encode()).hexdigest()[:32])  # fmt: skip
        item = entry_of(notice, batch.history[-1][1] if batch.history else timestamp(self._clock.now()))
        if self._register.get("QUALITY-TOLD", batch.id) is None:
            try:
                self._register.write(creates=[item, Item("QUALITY-TOLD", batch.id, {})])
            except Conflict:
                return

    def _check_again(self, batch: Batch) -> None:
        """The issues that it speaks about: of the one that it mends; of a full edition, all earlier ones."""
        if batch.decision == "rejected" or batch.status == "rejected":
            return
        first = self._batches.find(batch.mends) if batch.mends else None
        left = self._batches.holdings.find(first.batch) if first else None
        for id in self._open_ids(batch.resource):
            record = self.desk.get(id)
            about = record.content
            if any(t.given.get("batch") == batch.id for t in record.history):
                continue
            if batch.mends:
                if about["batch"] != batch.mends:
                    continue
                whole = left is None or left.holding.open == 0
                remaining = 0 if whole else max(1, violations(batch, about["rule"], about["column"]))
                if not whole and left is not None and not violations(batch, about["rule"], about["column"]):
                    remaining = min(int(about["remaining"]), left.holding.open)
            elif batch.mode == "full" and about["batch"] != batch.id and self._earlier(about, batch):
                remaining = violations(batch, about["rule"], about["column"])
            else:
                continue
            self._note(record, batch, remaining)

    def _earlier(self, about: Mapping[str, Any], batch: Batch) -> bool:
        return str(about["received_at"]) < batch.received_at

    def _note(self, record: Record, batch: Batch, remaining: int) -> None:
        step = "pass" if not remaining else "fail" if record.state == "reported" else "recheck"
        if step == "recheck" and record.state == "disputed":
            return

        given = {"batch": batch.id, "remaining": remaining}
        self.desk.take(record.id, step, BY_CLOCK, given, seen=record.version)

    def _open_ids(self, resource: str) -> list[str]:
        return [item.sk for item in self._register.query(f"ISSUES-OF#{resource}")]

    # --- escalation ------------------------------------------------------------

    def _rectify(self) -> int:
        """A rectification notice for each delivery whose issues are overdue: once, whatever their number."""
        issued = 0
        kept, days = policy(self._register), self._calendar.working_days()
        desk = self._supervision().desks["rectification"]
        for item in self._register.query(_ESCALATED, limit=_AT_ONCE):
            record = self.desk.get(item.sk)
            batch, unit = str(record.content["batch"]), record.parties["unit"]
            id = f"rc{hashlib.sha256(f'quality:{batch}'.encode()).hexdigest()[:20]}"
            limit = days.after(china_day(self._clock.now()), kept.rectify_days).day.isoformat()
            grounds = f"批次 {batch} 的质量问题逾期未整改 findings of batch {batch} were not mended in time"
            try:
                if desk.find(id) is None:
                    content = {"grounds": grounds, "basis": f"quality_issue:{record.id}",
                               "resource": record.content["resource"], "batch": batch}  # fmt: skip
                    desk.open(id, BY_CLOCK, parties={"unit": unit}, content=content,
                              given={"grounds": grounds, "limit": limit})  # fmt: skip
                    issued += 1
                self._register.delete(item)
            except Conflict:
                continue
        return issued

    # --- what people do --------------------------------------------------------

    def take(self, id: str, step: str, actor: Actor, given: Mapping[str, Any], seen: int = 0) -> Record:
        """Raises as :meth:`huitong.procedures.desk.Desk.take`."""
        return self.desk.take(id, step, actor, given, seen=seen)

    def list(
        self, unit: str = "", *, state: str = "", resource: str = "", batch: str = "", officer: str = "",
        late: bool = False,
    ) -> list[Record]:  # fmt: skip
        """Of one unit, or of all ("" = for the operator's desk), newest first.

        What waits is never left out, however much there is. Of issues that ended at most 1,000 are looked at;
        ``officer`` and ``late`` ask for what waits, unless ``state`` names another.
        """
        if state in _WAITING or (not state and (officer or late)):
            found = self.waiting(unit)
        elif unit:
            found = [*self.waiting(unit), *self._ended(self.desk.of_unit(unit, limit=_ENDED_MOST))]
        else:
            ended = [s.name for s in QUALITY_ISSUE.states if s.final and state in ("", s.name)]
            found = [*self.waiting(), *self.desk.in_state(*ended, limit=_ENDED_MOST)]
        today = china_day(self._clock.now())
        chosen = [
            r
            for r in found
            if state in ("", r.state)
            and resource in ("", r.content["resource"])
            and batch in ("", r.content["batch"])
            and officer in ("", r.content["officer"])
            and (not late or overdue(r, today))
        ]
        return sorted(chosen, key=Desk.place, reverse=True)

    def waiting(self, unit: str = "") -> Sequence[Record]:
        """All issues that have not ended, of one unit or of all. Eventually consistent."""
        return [r for r in self.desk.in_state(*_WAITING, limit=0) if unit in ("", r.parties["unit"])]

    @staticmethod
    def _ended(records: Sequence[Record]) -> Sequence[Record]:
        return [r for r in records if r.state not in _WAITING]

    def counts(self, records: Sequence[Record]) -> dict[str, int]:
        """By state, and how many are overdue."""
        today = china_day(self._clock.now())
        states = Counter(r.state for r in records)
        return {**{s.name: states[s.name] for s in QUALITY_ISSUE.states},
                "overdue": sum(overdue(r, today) for r in records)}  # fmt: skip

    def policy(self) -> IssuePolicy:
        return policy(self._register)

    def set_policy(self, made: IssuePolicy, *, by: str, unit: str) -> IssuePolicy:
        """Raises Conflict."""
        from huitong.supervision.quality.policy import set_policy

        return set_policy(self._register, self._traces, made, by=by, unit=unit)

    # --- consequences ----------------------------------------------------------

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        step, unit = after.history[-1], after.parties["unit"]
        resource, creates, deletes = str(after.content["resource"]), [], []
        if before is None:
            creates.append(Item(f"ISSUES-OF#{resource}", after.id, {}))
        elif QUALITY_ISSUE.state(after.state).final:
            deletes.append((f"ISSUES-OF#{resource}", after.id))
        if step.step == "escalate":
            creates.append(Item(_ESCALATED, after.id, {}))
        content = None
        if step.step in ("assign", "hand_over"):
            content = {**after.content, "officer": str(step.given["officer"])}
        elif "remaining" in step.given:
            content = {**after.content, "remaining": step.given["remaining"], "checked": step.given["batch"]}
        told = [unit] if step.step in _TOLD else []
        told += [OPERATOR] if step.step in _TO_DESK else []
        notices = [_notice(after, to) for to in told if to != step.unit]
        return Effects(creates=creates, deletes=deletes, notices=notices, content=content)


def overdue(record: Record, today: date) -> bool:
    """Whether the unit's time limit has passed, or had when it ended."""
    clock = record.clocks["mend"]
    return bool(clock.breached) or (clock.ticking and today.isoformat() > clock.due)


def _notice(record: Record, to: str) -> Notice:
    taken = QUALITY_ISSUE.step(record.history[-1].step)
    zh, en = (taken.zh, taken.en) if taken else ("", "")
    about = f"{record.content['resource']} {record.content['rule']} {record.content['column']}".strip()
    return Notice(
        to,
        f"quality_issue.{record.history[-1].step}",
        f"quality_issue:{record.id}",
        f"质量问题 {record.id}({about}):{zh}",
        f"Quality issue {record.id} ({about}): {en}",
    )
