"""What a step makes of a record: pure decisions, from which :mod:`huitong.procedures.desk` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from huitong.errors import BadRequest, Conflict, NotPermitted, Problem
from huitong.identity.model import Principal
from huitong.ports import timestamp
from huitong.procedures.calendar import WorkingDays, china_day
from huitong.procedures.model import OPERATOR_PARTY, PLATFORM, Procedure, Ran, Record, Running, Step, Taken

#: A record with a longer history has gone wrong; the register holds 400 KB an entry.
MOST_STEPS: Final = 500
_MOST_TEXT: Final = 20_000
_MOST_GIVEN: Final = 60_000
_FAR: Final = timedelta(days=3_660)  # days are counted one by one


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step, and the unit acted for ("" = staff without a unit)."""

    principal: Principal
    unit: str = ""

    @property
    def platform(self) -> bool:
        return self.principal is PLATFORM


BY_CLOCK: Final = Actor(PLATFORM)


def opened(
    procedure: Procedure,
    id: str,
    actor: Actor,
    parties: Mapping[str, str],
    given: Mapping[str, Any],
    now: datetime,
    calendar: WorkingDays,
) -> Record:
    """A new record. Raises NotPermitted, BadRequest."""
    blank = Record(id, procedure.name, "", dict(parties), {}, (), {}, timestamp(now))
    return _moved(procedure, blank, procedure.opening, actor, given, now, calendar)


def taken(
    procedure: Procedure,
    record: Record,
    name: str,
    actor: Actor,
    given: Mapping[str, Any],
    now: datetime,
    calendar: WorkingDays,
) -> Record:
    """The record after the step.

    Raises NotPermitted (not this party, role or person), Conflict (not from
    this state; says what is possible) and BadRequest (content that is missing).
    """
    step = procedure.step(name)
    if step is None or step is procedure.opening:
        raise BadRequest(f"没有步骤 {name}", f"There is no step {name}", step=name)
    if record.state not in step.sources:
        raise _wrong_state(procedure, record, step)
    return _moved(procedure, record, step, actor, given, now, calendar)


def may_take(procedure: Procedure, record: Record, actor: Actor) -> list[Step]:
    """The steps that the actor may take now, for a console's buttons and for error texts."""
    return [s for s in procedure.steps_from(record.state) if not _objection(record, s, actor)]


def _moved(
    procedure: Procedure,
    record: Record,
    step: Step,
    actor: Actor,
    given: Mapping[str, Any],
    now: datetime,
    calendar: WorkingDays,
) -> Record:
    if objection := _objection(record, step, actor):
        raise NotPermitted(*objection, step=step.name)
    kept = _content(step, given)
    if len(record.history) >= MOST_STEPS:
        raise Conflict("步骤过多", "The record has too many steps", id=record.id, most=MOST_STEPS)
    state = step.target or record.state
    told = Taken(step.name, timestamp(now), actor.principal.id, actor.unit, state, kept)
    moved = replace(record, state=state, history=(*record.history, told))
    return _with_clocks(procedure, moved, step, kept, now, calendar)


def _objection(record: Record, step: Step, actor: Actor) -> tuple[str, str] | None:
    """Why the actor may not take the step; None = may."""
    if actor.platform:
        return None
    if not step.party:
        return f"步骤“{step.zh}”由平台自动执行", f"The platform itself takes step {step.name}"
    if step.roles and not actor.principal.has(*step.roles):
        roles = " ".join(step.roles)
        return f"步骤“{step.zh}”需要角色:{roles}", f"Step {step.name} needs one of the roles: {roles}"
    if not _belongs(record, step, actor):
        return f"步骤“{step.zh}”不属于本单位", f"Step {step.name} is not your unit's to take"
    for other in step.apart_from:
        before = record.last(other)
        if before is not None and before.by == actor.principal.id:
            zh = f"步骤“{step.zh}”不得由办理“{other}”的同一人办理"
            return zh, f"Who took step {other} may not take step {step.name}"
    return None


def _belongs(record: Record, step: Step, actor: Actor) -> bool:
    if step.party == OPERATOR_PARTY:
        from huitong.identity.model import OPERATOR

        return actor.unit in ("", OPERATOR)
    unit = record.parties.get(step.party, "")
    return bool(unit) and actor.unit == unit


def _content(step: Step, given: Mapping[str, Any]) -> dict[str, Any]:
    problems = []
    for name in step.needs:
        if _empty(given.get(name)):
            zh, en = f"步骤“{step.zh}”须填写 {name}", f"Step {step.name} needs {name}"
            problems.append(Problem("procedure.needs", zh, en, {"field": name}))
    known = {*step.needs, *step.takes}
    for name, value in given.items():
        if name not in known:
            zh, en = f"步骤“{step.zh}”没有 {name} 一项", f"Step {step.name} takes no {name}"
            problems.append(Problem("procedure.unknown", zh, en, {"field": name}))
        elif isinstance(value, str) and len(value) > _MOST_TEXT:
            problems.append(Problem("procedure.long", f"{name} 过长", f"{name} is too long", {"field": name}))
    if not problems and len(json.dumps(given, default=str)) > _MOST_GIVEN:
        problems.append(Problem("procedure.long", "内容过多", "The content is too much", {}))
    if problems:
        raise BadRequest("步骤内容有误", "The step's content is not valid", problems=problems)
    return dict(given)


def _empty(value: Any) -> bool:
    return value is None or (
        isinstance(value, str | list | tuple | dict)
        and not (value.strip() if isinstance(value, str) else value)
    )


def _with_clocks(
    procedure: Procedure,
    record: Record,
    step: Step,
    given: Mapping[str, Any],
    now: datetime,
    calendar: WorkingDays,
) -> Record:
    """The step's clocks touched. One that is touched after its end is breached by that, told of or not:
    nobody is in time by acting before the clock's own look."""
    today, clocks, earlier = china_day(now), dict(record.clocks), list(record.earlier)
    final = procedure.state(record.state).final
    for name, clock in record.clocks.items():
        if final or name in (*step.starts, *step.stops, *step.pauses):
            clocks[name] = clock = _overdue(clock, today, now, calendar)
        if (final or name in step.stops) and not clock.stopped:
            clocks[name] = replace(clock, stopped=today.isoformat())
        elif name in step.pauses and clock.ticking:
            used = clock.spent + calendar.between(date.fromisoformat(clock.counts_from), today)
            clocks[name] = replace(clock, paused=today.isoformat(), spent=used)
        elif name in step.resumes and clock.paused and not clock.stopped:
            clocks[name] = _due(replace(clock, paused=""), today, calendar)
    for name in step.starts:
        if name in clocks:
            run = clocks[name] if clocks[name].stopped else replace(clocks[name], stopped=today.isoformat())
            earlier.append(Ran(name, run))
        first = _first_day(step, given, today)
        fresh = Running(today.isoformat(), first.isoformat(), procedure.term(name).days, "")
        clocks[name] = _due(fresh, first, calendar)
        if step.until:
            last = _last_day(step, given, today)
            days = calendar.between(first, last)
            clocks[name] = replace(fresh, days=days, due=last.isoformat())
        if final:
            clocks[name] = replace(clocks[name], stopped=today.isoformat())
    return replace(record, clocks=clocks, earlier=tuple(earlier))


def _first_day(step: Step, given: Mapping[str, Any], today: date) -> date:
    """Day 0 of the clocks that a step starts. Raises BadRequest when its content names no day that was."""
    if not step.since:
        return today
    try:
        day = date.fromisoformat(str(given[step.since]))
    except ValueError:
        day = date.max
    if not today - _FAR <= day <= today:
        zh, en = f"{step.since} 须为今天或以前的日期", f"{step.since} must be a day up to today"
        raise BadRequest(zh, en, problems=[Problem("procedure.day", zh, en, {"field": step.since})])
    return day


def _last_day(step: Step, given: Mapping[str, Any], today: date) -> date:
    """The time limit that a step sets. Raises BadRequest when it names no day from today on."""
    try:
        day = date.fromisoformat(str(given[step.until]))
    except ValueError:
        day = date.min
    if not today <= day <= today + _FAR:
        zh, en = f"{step.until} 须为今天或以后的日期", f"{step.until} must be a day from today on"
        raise BadRequest(zh, en, problems=[Problem("procedure.day", zh, en, {"field": step.until})])
    return day


def _overdue(clock: Running, today: date, now: datetime, calendar: WorkingDays) -> Running:
    """The clock, breached if its last day has passed. A provisional day proves nothing."""
    if clock.ticking and clock.provisional:
        clock = _due(clock, date.fromisoformat(clock.counts_from), calendar)
    late = clock.ticking and not clock.provisional and today > date.fromisoformat(clock.due)
    return replace(clock, breached=timestamp(now)) if late and not clock.breached else clock


def _due(clock: Running, first: date, calendar: WorkingDays) -> Running:
    due = calendar.after(first, max(0, clock.days - clock.spent))
    return replace(clock, counts_from=first.isoformat(), due=due.day.isoformat(), provisional=due.provisional)


def _wrong_state(procedure: Procedure, record: Record, step: Step) -> Conflict:
    now = procedure.state(record.state)
    possible = [s.name for s in procedure.steps_from(record.state)]
    return Conflict(
        f"状态为“{now.zh}”,不能“{step.zh}”;可办理:{' '.join(possible) or '无'}",
        f"The state is {now.name}: step {step.name} is not possible, but: {' '.join(possible) or 'none'}",
        id=record.id,
        state=record.state,
        possible=possible,
    )


# --- clocks ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rung:
    """What a clock has come to: a reminder before its end, or its breach; ``step`` is to be taken then."""

    clock: str
    kind: Literal["warned", "breached"]
    due: str
    step: str = ""


def rung(procedure: Procedure, record: Record, now: datetime, calendar: WorkingDays) -> list[Rung]:
    """The clocks of a record that must be told of now: each reminder and each breach once.

    A breach counts when the end of the last day has passed. A provisional
    deadline is computed anew first (:func:`refreshed`); one that stays
    provisional reminds, but does not accuse.
    """
    today, found = china_day(now), []
    for term in procedure.terms:
        clock = record.clocks.get(term.name)
        if clock is None or not clock.ticking or clock.breached:
            continue
        due = date.fromisoformat(clock.due)
        if today > due:
            if not clock.provisional:
                found.append(Rung(term.name, "breached", clock.due, term.on_breach))
        elif not clock.warned and today >= calendar.before(due, term.warn):
            found.append(Rung(term.name, "warned", clock.due))
    return found


def newly_breached(procedure: Procedure, before: Record, after: Record) -> list[Rung]:
    """The clocks that a late step breached, to be told of with it."""
    ended = {r.clock: r.run for r in reversed(after.earlier[len(before.earlier) :])}
    found = []
    for term in procedure.terms:
        old = before.clocks.get(term.name)
        now = ended.get(term.name) or after.clocks.get(term.name)
        if old and now and not old.breached and now.breached:
            found.append(Rung(term.name, "breached", now.due))
    return found


def refreshed(record: Record, calendar: WorkingDays) -> Record:
    """The record with provisional deadlines counted anew."""
    clocks = {
        name: _due(clock, date.fromisoformat(clock.counts_from), calendar)
        if clock.provisional and clock.ticking
        else clock
        for name, clock in record.clocks.items()
    }
    return replace(record, clocks=clocks)


def marked(record: Record, rungs: Sequence[Rung], now: datetime) -> Record:
    """The record with its reminders and breaches noted."""
    clocks = dict(record.clocks)
    for one in rungs:
        noted = timestamp(now)
        if one.kind == "warned":
            clocks[one.clock] = replace(clocks[one.clock], warned=noted)
        else:
            clocks[one.clock] = replace(clocks[one.clock], breached=noted)
    return replace(record, clocks=clocks)


def next_day(procedure: Procedure, record: Record, calendar: WorkingDays) -> str:
    """The first day on which a clock of the record wants looking at; "" = none ticks."""
    days = []
    for term in procedure.terms:
        clock = record.clocks.get(term.name)
        if clock is None or not clock.ticking or clock.breached:
            continue
        due = date.fromisoformat(clock.due)
        if clock.provisional:
            days.append(clock.counts_from)  # at once: the year's table can come any day
        elif clock.warned:
            days.append((due + timedelta(days=1)).isoformat())
        else:
            days.append(calendar.before(due, term.warn).isoformat())
    return min(days, default="")
