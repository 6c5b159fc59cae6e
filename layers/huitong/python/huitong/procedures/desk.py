"""Where records of a procedure are kept and moved: each step is one conditional write with its evidence.

Register keys: ``{PROCEDURE}#{id}`` / ``RECORD`` holds the record; ``index1`` =
(``DUE#{procedure}``, first day on which a clock wants looking at), ``index2`` =
(``PROCEDURE#{procedure}``, ``{state}#{created}#{id}``); ``PARTY#{unit}`` /
``{procedure}#{created}#{id}`` lists what a unit is a party to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import Conflict, HuitongError, NotFound, Refusal
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import Calendar, WorkingDays, china_day
from huitong.procedures.deciding import (
    BY_CLOCK,
    Actor,
    Rung,
    marked,
    may_take,
    newly_breached,
    next_day,
    opened,
    refreshed,
    rung,
    taken,
)
from huitong.procedures.model import Procedure, Record, Step

_RECORD: Final = "RECORD"
_MOST_BYTES: Final = 350_000  # an entry of the register holds 400 KB


@dataclass(frozen=True, slots=True)
class Effects:
    """What is written together with a step: entries of the register, and who is told."""

    creates: Sequence[Item] = ()
    replaces: Sequence[Item] = ()
    deletes: Sequence[tuple[str, str]] = ()
    notices: Sequence[Notice] = ()
    content: Mapping[str, Any] | None = None  # replaces the record's content
    parties: Mapping[str, str] | None = None  # replaces the record's; of units that are parties already
    then: Sequence[str] = ()  # steps that the platform takes next, in the same write


#: From the record before (None: it is being opened) and after the step.
Consequences = Callable[[Record | None, Record], Effects]


def nothing_more(_before: Record | None, _after: Record) -> Effects:
    return Effects()


class Desk:
    """The records of one procedure. ``consequences`` decides what each step brings with it."""

    def __init__(
        self,
        procedure: Procedure,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        consequences: Consequences = nothing_more,
    ) -> None:
        self.procedure = procedure
        self._register = register
        self._traces = traces
        self._calendar = calendar
        self._clock = clock
        self._consequences = consequences

    def open(
        self,
        id: str,
        actor: Actor,
        *,
        parties: Mapping[str, str],
        content: Mapping[str, Any],
        given: Mapping[str, Any] | None = None,
        resource: str = "",
    ) -> Record:
        """A new record by the procedure's opening step.

        ``content`` is what the record is about; ``given`` the opening step's own
        content. Raises NotPermitted, BadRequest, and Conflict when the id is taken.
        """
        days, now = self._calendar.working_days(), self._clock.now()
        record = opened(self.procedure, id, actor, parties, given or {}, now, days)
        record = replace(record, content=dict(content))
        record, effects = self._followed(None, record, self._consequences, days)
        pointers = [
            Item(f"PARTY#{unit}", _listed(self.procedure, record), {"id": id})
            for unit in sorted({u for u in parties.values() if u})
        ]
        self._commit(actor, None, record, effects, days, creates=pointers, resource=resource)
        return replace(record, version=1)

    def take(
        self,
        id: str,
        step: str,
        actor: Actor,
        given: Mapping[str, Any] | None = None,
        *,
        seen: int = 0,
        consequences: Consequences | None = None,
        resource: str = "",
    ) -> Record:
        """Take a step. ``seen`` is the version that the actor looked at; 0 = whatever is there.

        Raises NotFound, NotPermitted, BadRequest, and Conflict when the state
        does not allow the step, when the record is not as seen any more, or when
        another write came between: of two at once one wins.
        """
        days, before = self._calendar.working_days(), self.get(id)
        if seen and seen != before.version:
            raise _changed(id)
        after = taken(self.procedure, before, step, actor, given or {}, self._clock.now(), days)
        late = newly_breached(self.procedure, before, after)
        after, effects = self._followed(before, after, consequences or self._consequences, days)
        effects = replace(effects, notices=[*_told_of(self.procedure, before, late), *effects.notices])
        self._commit(actor, before, after, effects, days, resource=resource)
        return replace(after, version=before.version + 1)

    def _followed(
        self, before: Record | None, after: Record, consequences: Consequences, days: WorkingDays
    ) -> tuple[Record, Effects]:
        """The record after its step and the steps of the platform that follow, and all that they bring."""
        brought = consequences(before, after)
        after = after if brought.content is None else replace(after, content=dict(brought.content))
        after = after if brought.parties is None else replace(after, parties=dict(brought.parties))
        for name in brought.then:
            moved = taken(self.procedure, after, name, BY_CLOCK, {}, self._clock.now(), days)
            after, more = self._followed(after, moved, consequences, days)
            brought = _both(brought, more)
        return after, brought

    def find(self, id: str) -> Record | None:
        item = self._register.get(f"{self.procedure.name.upper()}#{id}", _RECORD)
        return Record.from_dict(item.body, item.version) if item else None

    def get(self, id: str) -> Record:
        """Raises NotFound."""
        found = self.find(id)
        if found is None:
            raise self.unknown(id)
        return found

    def unknown(self, id: str) -> NotFound:
        """What is raised for a record that is not there, or not there for the asker."""
        zh, en = self.procedure.zh, self.procedure.en
        return NotFound(f"没有{zh} {id}", f"There is no {en} {id}", id=id)

    def moved(self, record: Record, step: str) -> Item:
        """The entry of a record after a step of the platform, for somebody else's transaction.

        Its own consequences are that transaction's business. Raises Conflict.
        """
        days = self._calendar.working_days()
        return self._item(taken(self.procedure, record, step, BY_CLOCK, {}, self._clock.now(), days), days)

    def possible(self, record: Record, actor: Actor) -> list[Step]:
        """Steps that the actor may take now."""
        return may_take(self.procedure, record, actor)

    def of_unit(self, unit: str, *, after: str = "", limit: int = 100) -> list[Record]:
        """Records that a unit is a party to, newest first; ``after``: :meth:`place` of the one before."""
        prefix = f"{self.procedure.name}#"
        after = f"{prefix}{after}" if after else ""
        items = self._register.query(
            f"PARTY#{unit}", prefix=prefix, after=after, limit=limit, descending=True
        )
        return [self.get(str(i.body["id"])) for i in items]

    @staticmethod
    def place(record: Record) -> str:
        """Where a record stands in lists of its unit, for continuing them."""
        return f"{record.created_at}#{record.id}"

    def in_state(self, *states: str, limit: int = 100) -> list[Record]:
        """Records in any of the states (none given = all), oldest first in each. Eventually consistent."""
        found: list[Record] = []
        for state in states or tuple(s.name for s in self.procedure.states):
            items = self._register.query_index(
                "index2",
                f"PROCEDURE#{self.procedure.name}",
                low=f"{state}#",
                high=f"{state}#\uffff",
                limit=limit,
            )
            found += [Record.from_dict(i.body, i.version) for i in items]
        return found[:limit] if limit else found

    def tick(self) -> list[tuple[Record, Rung]]:
        """Reminders and breaches that are due now, noted, told and acted on; each once.

        What a clock finds changed by somebody in between is left for the next
        run. A record whose step is refused does not keep the others waiting: the
        first refusal is raised when all were looked at.
        """
        days, now = self._calendar.working_days(), self._clock.now()
        items = self._register.query_index(
            "index1", f"DUE#{self.procedure.name}", low="0", high=f"{china_day(now).isoformat()}\uffff"
        )
        found: list[tuple[Record, Rung]] = []
        refused: list[HuitongError] = []
        for item in items:
            seen = Record.from_dict(item.body, item.version)
            if not self._wants(seen, now, days):
                continue
            try:
                found += self._ring(seen.id, days)
            except Conflict:
                continue
            except Refusal as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return found

    def _wants(self, record: Record, now: datetime, days: WorkingDays) -> bool:
        fresh = refreshed(record, days)
        return fresh.clocks != record.clocks or bool(rung(self.procedure, fresh, now, days))

    def _ring(self, id: str, days: WorkingDays) -> list[tuple[Record, Rung]]:
        stored, now = self.get(id), self._clock.now()
        if not self._wants(stored, now, days):  # the index told of an older state
            return []
        before = refreshed(stored, days)
        rungs = rung(self.procedure, before, now, days)
        after, effects = marked(before, rungs, now), Effects(notices=_told_of(self.procedure, before, rungs))
        for one in rungs:  # in the same write: a breach noted without its step would never be acted on
            if one.step and self._possible(after, one.step):
                moved = taken(self.procedure, after, one.step, BY_CLOCK, {}, now, days)
                after, brought = self._followed(after, moved, self._consequences, days)
                effects = _both(effects, brought)
        self._commit(BY_CLOCK, stored, after, effects, days, rungs=rungs)
        return [(replace(after, version=stored.version + 1), one) for one in rungs]

    def _possible(self, record: Record, step: str) -> bool:
        return step in {s.name for s in self.procedure.steps_from(record.state)}

    def _commit(
        self,
        actor: Actor,
        before: Record | None,
        record: Record,
        effects: Effects,
        days: WorkingDays,
        *,
        creates: Sequence[Item] = (),
        rungs: Sequence[Rung] = (),
        resource: str = "",
    ) -> None:
        item = self._item(record, days)
        now = timestamp(self._clock.now())
        told = [entry_of(notice, now) for notice in effects.notices]
        steps = [t.step for t in record.history[len(before.history) if before else 0 :]]
        did = "+".join([*(f"{r.clock}.{r.kind}" for r in rungs), *steps]) or "clock"
        trace = Trace(
            "procedure",
            actor.principal.id,
            actor.unit,
            resource=resource or str(record.content.get("resource", "")),
            case_no=str(record.content.get("case_no", "")),
            detail=f"{self.procedure.name}:{record.id}:{did}",
        )
        self._traces.commit(
            trace,
            creates=[*([] if before else [item]), *creates, *effects.creates, *told],
            replaces=[*([item] if before else []), *effects.replaces],
            deletes=effects.deletes,
        )

    def _item(self, record: Record, days: WorkingDays) -> Item:
        due, body = next_day(self.procedure, record, days), record.as_dict()
        size = len(json.dumps(body, ensure_ascii=False).encode())
        if size > _MOST_BYTES:
            raise Conflict("记录内容过多", "The record holds too much", id=record.id, bytes=size)
        return Item(
            pk=f"{self.procedure.name.upper()}#{record.id}",
            sk=_RECORD,
            body=body,
            version=record.version,
            index1=(f"DUE#{self.procedure.name}", due) if due else None,
            index2=(f"PROCEDURE#{self.procedure.name}", f"{record.state}#{record.created_at}#{record.id}"),
        )


def _both(first: Effects, second: Effects) -> Effects:
    return Effects(
        creates=[*first.creates, *second.creates],
        replaces=[*first.replaces, *second.replaces],
        deletes=[*first.deletes, *second.deletes],
        notices=[*first.notices, *second.notices],
    )


def _listed(procedure: Procedure, record: Record) -> str:
    return f"{procedure.name}#{Desk.place(record)}"


def _told_of(procedure: Procedure, record: Record, rungs: Sequence[Rung]) -> list[Notice]:
    """To every party: a clock is nearing its end, or has run out."""
    notices = []
    for one in rungs:
        term, name = procedure.term(one.clock), f"{procedure.en} {record.id}"
        over = one.kind == "breached"
        for unit in sorted({u for u in record.parties.values() if u}):
            notices.append(
                Notice(
                    to=unit,
                    kind=f"{procedure.name}.{one.kind}",
                    about=f"{procedure.name}:{record.id}",
                    zh=f"{procedure.zh} {record.id}:“{term.zh}”{'已逾期' if over else '即将到期'}({one.due})",
                    en=f"{name}: {term.en} {'was due' if over else 'is due'} on {one.due}",
                    due=one.due,
                )
            )
    return notices


def _changed(id: str) -> Conflict:
    return Conflict("内容已被他人更改,请重新读取", "It has changed since you read it: read it again", id=id)
