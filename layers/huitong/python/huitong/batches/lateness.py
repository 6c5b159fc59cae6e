"""Units that deliver later than their contract's frequency says (Q-46)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from huitong.batches.register import Batches
from huitong.contracts.frequency import Working, due_by
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import Clock, EventBus, Item, Register, timestamp

_ARRIVED: Final = frozenset({"published", "superseded", "validated", "held", "duplicate"})


@dataclass(frozen=True, slots=True)
class Late:
    resource: str
    unit: str
    last: str  # when the last usable delivery landed
    due: str


def late(contract: Contract, last: str, now: datetime, working: Working | None = None) -> Late | None:
    """Whether a resource is overdue, ``last`` being the landing time of its last usable delivery.

    A resource that never had a delivery has no period to overrun.
    """
    due = due_by(datetime.fromisoformat(last), contract.frequency, working) if last else None
    return Late(contract.id, contract.provider, last, timestamp(due)) if due and now >= due else None


def found(
    contracts: Iterable[Contract],
    batches: Batches,
    now: datetime,
    unit: str = "",
    working: Working | None = None,
) -> list[Late]:
    """All that are late now, or those of one source unit: one query for each resource with a frequency.

    ``working``: the calendar, so that no unit is late for a holiday.
    """
    wanted = (c for c in contracts if c.frequency and unit in ("", c.provider))
    return [one for c in wanted if (one := late(c, _last(c, batches), now, working)) is not None]


def _last(contract: Contract, batches: Batches) -> str:
    newest = batches.of_resource(contract.id, limit=20)
    return next((b.received_at for b in newest if b.status in _ARRIVED), "")


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
