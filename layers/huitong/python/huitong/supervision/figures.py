"""The figures of the annual report, counted month by month so that no request scans a year (L-45).

What one month costs: for each resource one query of its batches, one of its
deliveries and one of its evidence (up to :data:`EVIDENCE_MOST` records; beyond
that the count is marked incomplete), and one query for each state of each
procedure. What is counted is kept: ``FIGURES#{2026-01}`` / ``RESOURCE#{id}``,
``PROCEDURE#{name}``, and ``MONTH`` last, which says that the month is complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.delivery.model import Delivery
from huitong.errors import BadRequest, Conflict
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import Calendar, WorkingDays, china_day
from huitong.procedures.model import Procedure, Record

EVIDENCE_MOST: Final = 20_000
_ROWS: Final = ("received", "accepted", "quarantined", "inserted", "updated", "deleted")


class Delivered(Protocol):
    """What is needed of :class:`huitong.delivery.accounts.Deliveries`."""

    def of_resource(self, resource: str, *, low: str = "", high: str = "") -> list[Delivery]: ...


class Received(Protocol):
    """What is needed of :class:`huitong.batches.register.Batches`."""

    def of_resource(self, resource: str, *, low: str = "", high: str = "") -> list[Batch]: ...


class Used(Protocol):
    """What is needed of :class:`huitong.audit.trace.Traces`."""

    def list(self, *, resource: str = "", low: str = "", high: str = "", limit: int = 100) -> list[Trace]: ...


class Figures:
    """``procedures``: those whose records are counted, as the installation has them."""

    def __init__(
        self,
        register: Register,
        contracts: Callable[[], Iterable[Contract]],
        batches: Received,
        deliveries: Delivered,
        traces: Used,
        procedures: Callable[[], Iterable[Procedure]],
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        self._register = register
        self._contracts = contracts
        self._batches = batches
        self._deliveries = deliveries
        self._traces = traces
        self._procedures = procedures
        self._calendar = calendar
        self._clock = clock

    def gather(self, year: int, month: int) -> dict[str, Any]:
        """Count one month and keep it, over an earlier count. Raises BadRequest for a month to come."""
        now = self._clock.now()
        if date(year, month, 1) > china_day(now):
            raise BadRequest("该月尚未开始", "The month has not begun", year=year, month=month)
        low, high = span(year, month)
        key = f"FIGURES#{year}-{month:02}"
        for contract in self._contracts():
            self._keep(key, f"RESOURCE#{contract.id}", self._of_resource(contract, low, high))
        days = self._calendar.working_days()
        for procedure in self._procedures():
            self._keep(key, f"PROCEDURE#{procedure.name}", self._of_procedure(procedure, low, high, days))
        told = {"month": f"{year}-{month:02}", "at": timestamp(now)}
        self._keep(key, "MONTH", told)
        return told

    def month(self, year: int, month: int) -> list[Item]:
        """What is kept of a month; empty when it was not counted."""
        items = self._register.query(f"FIGURES#{year}-{month:02}")
        return items if any(i.sk == "MONTH" for i in items) else []

    def tick(self) -> dict[str, int]:
        """For the clock, once a day: this month, and the one before while its last days may still move."""
        today = china_day(self._clock.now())
        with suppress(Conflict):
            self._register.create(Item("FIGURES-RUN", today.isoformat(), {}, expires=_soon(self._clock)))
            last = today.replace(day=1) - timedelta(days=1)
            months = [(today.year, today.month)] + ([(last.year, last.month)] if today.day <= 5 else [])
            for year, month in months:
                self.gather(year, month)
            return {"months": len(months)}
        return {"months": 0}

    def _of_resource(self, contract: Contract, low: str, high: str) -> dict[str, Any]:
        batches = self._batches.of_resource(contract.id, low=low, high=high)
        deliveries = self._deliveries.of_resource(contract.id, low=low, high=high)
        traces = self._traces.list(resource=contract.id, low=low, high=high, limit=EVIDENCE_MOST)
        acts: Counter[str] = Counter(t.act for t in traces)
        return {
            "provider": contract.provider,
            "title": contract.title,
            "share_type": contract.share_type,
            "batches": dict(Counter(b.status for b in batches)),
            "rows": {name: sum(getattr(b.counts, name) for b in batches) for name in _ROWS},
            "pushes": dict(Counter(d.state for d in deliveries)),
            "events": sum(d.count for d in deliveries),
            "pushed_to": dict(Counter(d.unit for d in deliveries)),
            "acts": dict(acts),
            "acts_complete": len(traces) < EVIDENCE_MOST,
        }

    def _of_procedure(self, procedure: Procedure, low: str, high: str, days: WorkingDays) -> dict[str, Any]:
        states: dict[str, int] = {}
        breaches: Counter[str] = Counter()
        elapsed: list[int] = []
        units: Counter[str] = Counter()
        for state in procedure.states:
            records = self._created(procedure, state.name, low, high)
            states[state.name] = len(records)
            for record in records:
                breaches.update(name for name, clock in record.clocks.items() if clock.breached)
                units.update({u for u in record.parties.values() if u})
                if state.final:
                    elapsed.append(_elapsed(record, days))
        return {
            "zh": procedure.zh,
            "en": procedure.en,
            "states": states,
            "state_zh": {s.name: s.zh for s in procedure.states},
            "breaches": dict(breaches),
            "elapsed": elapsed[:2_000],
            "units": dict(units),
        }

    def _created(self, procedure: Procedure, state: str, low: str, high: str) -> Sequence[Record]:
        items = self._register.query_index(
            "index2", f"PROCEDURE#{procedure.name}", low=f"{state}#{low}", high=f"{state}#{high}"
        )
        return [Record.from_dict(i.body, i.version) for i in items]

    def _keep(self, pk: str, sk: str, body: Mapping[str, Any]) -> None:
        stored = self._register.get(pk, sk)
        if stored is None:
            self._register.create(Item(pk, sk, body))
        else:
            self._register.replace(replace(stored, body=body))


def span(year: int, month: int) -> tuple[str, str]:
    """The month in China, as its first and last moment in UTC."""
    following = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    before = date(year, month, 1) - timedelta(days=1)
    return f"{before.isoformat()}T16:00:00.000Z", f"{following.isoformat()}T15:59:59.999Z"


def _elapsed(record: Record, days: WorkingDays) -> int:
    """Working days from the opening to the end."""
    started, ended = (
        china_day(datetime.fromisoformat(moment)) for moment in (record.created_at, record.history[-1].at)
    )
    return days.between(started, ended)


def _soon(clock: Clock) -> int:
    return int((clock.now() + timedelta(days=3)).timestamp())
