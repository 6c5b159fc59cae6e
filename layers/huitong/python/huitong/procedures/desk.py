"""Where records of a procedure are kept and moved: each step is one conditional write with its evidence.

Register keys: ``{PROCEDURE}#{id}`` / ``RECORD`` holds the record; ``index1`` =
(``DUE#{procedure}``, first day on which a clock wants looking at), ``index2`` =
(``PROCEDURE#{procedure}``, ``{state}#{created}#{id}``); ``PARTY#{unit}`` /
``{procedure}#{created}#{id}`` lists what a unit is a party to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import Conflict, NotFound
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import Calendar, WorkingDays, china_day
from huitong.procedures.deciding import (
    BY_CLOCK,
    Actor,
    Rung,
    marked,
    may_take,
    next_day,
    opened,
    refreshed,
    rung,
    taken,
)
from huitong.procedures.model import Procedure, Record, Step

_RECORD: Final = "RECORD"


@dataclass(frozen=True, slots=True)
class Effects:
    """What is written together with a step: entries of the register, and who is told."""

    creates: Sequence[Item] = ()
    replaces: Sequence[Item] = ()
    deletes: Sequence[tuple[str, str]] = ()
    notices: Sequence[Notice] = ()
    content: Mapping[str, Any] | None = None  # replaces the record's content


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
        effects = self._consequences(None, record)
        record = _with_content(record, effects)
        pointers = [
            Item(f"PARTY#{unit}", f"{self.procedure.name}#{record.created_at}#{id}", {"id": id})
            for unit in sorted({u for u in parties.values() if u})
        ]
        self._commit(actor, record, effects, days, creates=pointers, resource=resource)
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
        effects = (consequences or self._consequences)(before, after)
        after = _with_content(after, effects)
        self._commit(actor, after, effects, days, resource=resource)
        return replace(after, version=before.version + 1)

    def find(self, id: str) -> Record | None:
        item = self._register.get(f"{self.procedure.name.upper()}#{id}", _RECORD)
        return Record.from_dict(item.body, item.version) if item else None

    def get(self, id: str) -> Record:
        """Raises NotFound."""
        found = self.find(id)
        if found is None:
            zh, en = self.procedure.zh, self.procedure.en
            raise NotFound(f"没有{zh} {id}", f"There is no {en} {id}", id=id)
        return found

    def possible(self, record: Record, actor: Actor) -> list[Step]:
        """Steps that the actor may take now."""
        return may_take(self.procedure, record, actor)

    def of_unit(self, unit: str, *, after: str = "", limit: int = 100) -> list[Record]:
        """Records that a unit is a party to, newest first; ``after`` is the sort key before."""
        items = self._register.query(f"PARTY#{unit}", prefix=f"{self.procedure.name}#", descending=True)
        return [self.get(str(i.body["id"])) for i in items if not after or i.sk < after][: limit or None]

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

        What a clock finds changed by somebody in between is left for the next run.
        """
        days, today = self._calendar.working_days(), china_day(self._clock.now()).isoformat()
        items = self._register.query_index(
            "index1", f"DUE#{self.procedure.name}", low="0", high=f"{today}\uffff"
        )
        found: list[tuple[Record, Rung]] = []
        for item in items:
            try:
                found += self._ring(str(item.body["id"]), days)
            except Conflict:
                continue
        return found

    def _ring(self, id: str, days: WorkingDays) -> list[tuple[Record, Rung]]:
        before = refreshed(self.get(id), days)
        now = self._clock.now()
        rungs = rung(self.procedure, before, now, days)
        after, effects = marked(before, rungs, now), Effects(notices=_told_of(self.procedure, before, rungs))
        step = next((r.step for r in rungs if r.step and self._possible(after, r.step)), "")
        if step:  # in the same write: a breach noted without its step would never be acted on
            moved = taken(self.procedure, after, step, BY_CLOCK, {}, now, days)
            brought = self._consequences(after, moved)
            after = _with_content(moved, brought)
            effects = replace(brought, notices=[*effects.notices, *brought.notices])
        self._commit(BY_CLOCK, after, effects, days, rungs=rungs)
        return [(after, one) for one in rungs]

    def _possible(self, record: Record, step: str) -> bool:
        return step in {s.name for s in self.procedure.steps_from(record.state)}

    def _commit(
        self,
        actor: Actor,
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
        step = "+".join(f"{r.clock}.{r.kind}" for r in rungs) or record.history[-1].step
        trace = Trace(
            "procedure",
            actor.principal.id,
            actor.unit,
            resource=resource or str(record.content.get("resource", "")),
            case_no=str(record.content.get("case_no", "")),
            detail=f"{self.procedure.name}:{record.id}:{step}",
        )
        new = record.version == 0
        self._traces.commit(
            trace,
            creates=[*([item] if new else []), *creates, *effects.creates, *told],
            replaces=[*([] if new else [item]), *effects.replaces],
            deletes=effects.deletes,
        )

    def _item(self, record: Record, days: WorkingDays) -> Item:
        due = next_day(self.procedure, record, days)
        return Item(
            pk=f"{self.procedure.name.upper()}#{record.id}",
            sk=_RECORD,
            body=record.as_dict(),
            version=record.version,
            index1=(f"DUE#{self.procedure.name}", due) if due else None,
            index2=(f"PROCEDURE#{self.procedure.name}", f"{record.state}#{record.created_at}#{record.id}"),
        )


def _with_content(record: Record, effects: Effects) -> Record:
    return record if effects.content is None else replace(record, content=dict(effects.content))


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
