"""Units that deliver later than their contract's frequency says (Q-46)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from huitong.batches.again import taken_again
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.frequency import Working, due_by
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import Clock, EventBus, Item, Register, timestamp

_ARRIVED: Final = frozenset({"published", "superseded", "validated", "held", "duplicate"})
_AT_FIRST: Final = 20


@dataclass(frozen=True, slots=True)
class Late:
    resource: str
    unit: str
    last: str  # when the last usable delivery landed; empty = none ever did
    due: str


def arrived(batch: Batch) -> bool:
    """Whether its unit kept a duty by it: a usable delivery, or the same content as before once more.

    Neither rows that are brought again nor what the operator takes in once more is a delivery of its own.
    """
    return batch.status in _ARRIVED and not batch.mends and not taken_again(batch)


def late(contract: Contract, last: str, now: datetime, working: Working | None = None) -> Late | None:
    """Whether a resource is overdue, ``last`` being the landing time of its last usable delivery.

    Without one ("") there is no period to overrun, see :func:`found`.
    """
    due = due_by(datetime.fromisoformat(last), contract.frequency, working) if last else None
    return Late(contract.id, contract.provider, last, timestamp(due)) if due and now >= due else None


def found(
    contracts: Iterable[Contract],
    batches: Batches,
    now: datetime,
    unit: str = "",
    working: Working | None = None,
    registered: Callable[[str], str] | None = None,
) -> list[Late]:
    """All that are late now, or those of one source unit: one query for each resource with a frequency.

    ``working``: the calendar, so that no unit is late for a holiday. ``registered``: when a resource was
    registered; with it those of which nothing ever came are late, too, by the period from that day (C-09).
    """
    told = []
    for c in (c for c in contracts if c.frequency and unit in ("", c.provider)):
        last = _last(c, batches)
        since = last or (registered(c.id) if registered else "")
        if (one := late(c, since, now, working)) is not None:
            told.append(replace(one, last=last))
    return told


def _last(contract: Contract, batches: Batches) -> str:
    newest = batches.of_resource(contract.id, limit=_AT_FIRST)
    last = next((b.received_at for b in newest if arrived(b)), "")
    if last or len(newest) < _AT_FIRST:
        return last
    # so many that were refused, or mends, in a row: they hide no delivery before them
    return next((b.received_at for b in batches.of_resource(contract.id) if arrived(b)), "")


@dataclass(frozen=True, slots=True)
class Lateness:
    contracts: Callable[[], Iterable[Contract]]
    batches: Batches
    register: Register
    events: EventBus
    clock: Clock
    calendar: Callable[[], Working] | None = None

    def run(self) -> list[Late]:
        """All that are late now; each is told once a day, as event ``UnitLate``."""
        now = self.clock.now()
        working = self.calendar() if self.calendar else None
        overdue = found(self.contracts(), self.batches, now, working=working)
        for one in overdue:
            if self._first_today(one, now):
                told = {"resource": one.resource, "unit": one.unit, "last": one.last, "due": one.due}
                self.events.publish("UnitLate", told)
        return overdue

    def _first_today(self, one: Late, now: datetime) -> bool:
        day = now.date().isoformat()
        expires = int((now + timedelta(days=3)).timestamp())
        try:
            self.register.create(Item(f"LATE#{one.resource}", day, {"due": one.due}, expires=expires))
        except Conflict:
            return False
        return True
