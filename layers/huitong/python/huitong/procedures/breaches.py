"""Missed deadlines of a procedure's records, for supervision (L-17, L-18, L-46). Pure.

Judged from the days themselves, not from the marks that the clock left, so
that a clock which stood still hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from huitong.identity.model import OPERATOR
from huitong.procedures.calendar import WorkingDays
from huitong.procedures.model import OPERATOR_PARTY, Procedure, Record, Running


@dataclass(frozen=True, slots=True)
class Breach:
    """``unit`` was late by ``days_late`` working days; ``ended`` empty = still is."""

    procedure: str
    id: str
    clock: str
    zh: str
    en: str
    unit: str
    resource: str
    started: str
    due: str
    ended: str
    days_late: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def breaches_of(
    procedure: Procedure,
    records: Iterable[Record],
    calendar: WorkingDays,
    today: date,
    *,
    low: str = "",
    high: str = "",
) -> list[Breach]:
    """Breaches whose last day in time lies within low … high (days, both included; empty = open)."""
    found = []
    for record in records:
        for name, run in _runs(record):
            term = procedure.term(name)
            run = _counted_anew(run, calendar)
            end = date.fromisoformat(run.stopped or run.paused) if run.stopped or run.paused else today
            late = calendar.between(date.fromisoformat(run.due), end)
            over = end > date.fromisoformat(run.due)
            if (
                not over
                or run.provisional
                or not ((not low or run.due >= low) and (not high or run.due <= high))
            ):
                continue
            unit = OPERATOR if term.of == OPERATOR_PARTY else record.parties.get(term.of, "")
            resource = str(record.content.get("resource", ""))
            found.append(
                Breach(procedure.name, record.id, name, term.zh, term.en, unit, resource, run.started,
                       run.due, run.stopped, late)
            )  # fmt: skip
    return sorted(found, key=lambda b: (b.due, b.id, b.clock))


def _runs(record: Record) -> Iterator[tuple[str, Running]]:
    yield from ((r.clock, r.run) for r in record.earlier)
    yield from record.clocks.items()


def _counted_anew(run: Running, calendar: WorkingDays) -> Running:
    if not run.provisional or run.paused:
        return run
    due = calendar.after(date.fromisoformat(run.counts_from), max(0, run.days - run.spent))
    return replace(run, due=due.day.isoformat(), provisional=due.provisional)
