"""A month's measures of every resource and unit, from the registers (C-08, C-09). Light."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

from huitong.batches.lateness import arrived
from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.errors import BadRequest
from huitong.ports import Clock
from huitong.procedures.calendar import Calendar, WorkingDays
from huitong.supervision.figures import span
from huitong.supervision.quality.scores import Measured, Scores, Share, measured, scores, summed
from huitong.supervision.quality.timeliness import Due, dues, timely

#: The platform's own tables of these figures are not scored themselves.
OWN: Final = frozenset({"quality_scores", "exchange_statistics"})
_COUNTED: Final = frozenset({"published", "superseded", "validated", "held", "rejected"})
_BEFORE: Final = 20


class Received(Protocol):
    """What is needed of :class:`huitong.batches.register.Batches`."""

    def of_resource(self, resource: str, *, low: str = "", high: str = "", limit: int = 0) -> list[Batch]: ...


@dataclass(frozen=True, slots=True)
class OfResource:
    """One resource in one month."""

    contract: Contract
    measured: Measured
    batches: tuple[tuple[Batch, Measured], ...]
    dues: tuple[Due, ...]

    @property
    def scores(self) -> Scores:
        return scores(self.measured)


@dataclass(frozen=True, slots=True)
class Month:
    """``low`` and ``high`` bound it as :func:`huitong.ports.timestamp` texts, both included."""

    name: str
    low: str
    high: str
    resources: Mapping[str, OfResource]

    def of_unit(self, unit: str) -> list[OfResource]:
        return [r for r in self.resources.values() if r.contract.provider == unit]

    def units(self) -> dict[str, Measured]:
        """Every unit that provides something, with the sum of its resources."""
        names = sorted({r.contract.provider for r in self.resources.values() if r.contract.provider})
        return {unit: summed(r.measured for r in self.of_unit(unit)) for unit in names}


class Monthly:
    """``registered``: when a resource was registered, which starts the duty of its first delivery."""

    def __init__(
        self,
        contracts: Callable[[], Iterable[Contract]],
        batches: Received,
        calendar: Calendar,
        clock: Clock,
        registered: Callable[[str], str],
    ) -> None:
        self._registered = registered
        self._contracts = contracts
        self._batches = batches
        self._calendar = calendar
        self._clock = clock

    def of(self, name: str, unit: str = "") -> Month:
        """A month, e.g. ``2026-01``, of all units or of one. Raises BadRequest for none, or one to come.

        Costs two queries for each resource.
        """
        year, month = month_of(name)
        now = self._clock.now()
        low, high = span(year, month)
        if datetime.fromisoformat(low) > now:
            raise BadRequest("该月尚未开始", "The month has not begun", month=name)
        days = self._calendar.working_days()
        chosen = (c for c in self._contracts() if c.id not in OWN and unit in ("", c.provider))
        return Month(name, low, high, {c.id: self._of(c, low, high, now, days) for c in chosen})

    def _of(self, contract: Contract, low: str, high: str, now: datetime, days: WorkingDays) -> OfResource:
        found = self._batches.of_resource(contract.id, low=low, high=high)
        within = [b for b in found if b.status in _COUNTED]
        landed = [_moment(b.received_at) for b in (*self._before(contract.id, low), *found) if arrived(b)]
        if not landed and (at := self._registered(contract.id)):
            landed = [_moment(at)]
        end = datetime.fromisoformat(high) + timedelta(milliseconds=1)
        owed = dues(landed, contract.frequency, datetime.fromisoformat(low), end, now, days)
        each = tuple((b, measured(b, contract)) for b in reversed(within))
        came = any(map(arrived, found)) or any(d.came is not None for d in owed)
        provided = Share(int(came), 1) if owed or came else Share()
        whole = summed(m for _, m in each).plus(Measured(timely=timely(owed), provided=provided))
        return OfResource(contract, whole, each, tuple(owed))

    def _before(self, resource: str, low: str) -> list[Batch]:
        newest = self._batches.of_resource(resource, high=low, limit=_BEFORE)
        if len(newest) < _BEFORE or any(map(arrived, newest)):
            return newest
        return self._batches.of_resource(resource, high=low)


def month_of(name: str) -> tuple[int, int]:
    """Raises BadRequest."""
    try:
        day = date.fromisoformat(f"{name}-01")
    except ValueError:
        raise BadRequest("月份有误", "Name a month, e.g. 2026-01", month=name) from None
    return day.year, day.month


def month_before(name: str) -> str:
    year, month = month_of(name)
    return (date(year, month, 1) - timedelta(days=1)).isoformat()[:7]


def shown(measured: Measured) -> dict[str, Any]:
    """Scores as text and the numbers behind them, JSON-ready."""
    return {
        **scores(measured).as_dict(),
        "batches": measured.batches,
        "rejected": measured.rejected,
        "received": measured.rows.all,
        "accepted": measured.rows.good,
        "in_time": measured.timely.good // 2,
        "due": measured.timely.all // 2,
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
