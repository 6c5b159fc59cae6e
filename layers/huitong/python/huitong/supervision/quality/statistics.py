"""Exchange statistics: what each unit provided and obtained of each resource, by day and by month (C-16).

Provided: from batches. Obtained: from deliveries (events acknowledged) and from the evidence of what was
read, queried, downloaded and compared by units other than the provider. Light.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Protocol

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.delivery.model import Delivery
from huitong.procedures.calendar import china_day
from huitong.supervision.figures import EVIDENCE_MOST, span
from huitong.supervision.quality.monthly import OWN, month_of

COUNTED: Final = (
    "batches", "received", "accepted", "changes", "messages", "events", "queries", "pulls", "downloads",
    "comparisons", "rows",
)  # fmt: skip
_OF_ACT: Final = {"query": "queries", "access": "pulls", "download": "downloads", "compare": "comparisons"}
Key = tuple[str, str, str, str]  # period, unit, resource, direction


class Received(Protocol):
    def of_resource(self, resource: str, *, low: str = "", high: str = "") -> list[Batch]: ...


class Delivered(Protocol):
    def of_resource(self, resource: str, *, low: str = "", high: str = "") -> list[Delivery]: ...


class Used(Protocol):
    def list(self, *, resource: str = "", low: str = "", high: str = "", limit: int = 100) -> list[Trace]: ...


class Statistics:
    def __init__(
        self,
        contracts: Callable[[], Iterable[Contract]],
        batches: Received,
        deliveries: Delivered,
        traces: Used,
    ) -> None:
        self._contracts = contracts
        self._batches = batches
        self._deliveries = deliveries
        self._traces = traces

    def of(self, month: str, unit: str = "", resource: str = "") -> list[dict[str, Any]]:
        """Lines of a month and of its days, of all or of one unit or resource, in order of their key.

        ``complete`` False: more evidence than is counted at once. Raises BadRequest for no month.
        """
        low, high = span(*month_of(month))
        lines: dict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
        partial = set()
        for contract in self._contracts():
            if contract.id in OWN or resource not in ("", contract.id):
                continue
            self._provided(lines, contract, low, high)
            self._obtained(lines, contract, low, high)
            if not self._used(lines, contract, low, high):
                partial.add(contract.id)
        return [
            {"period": p, "unit": u, "resource": r, "direction": d, **n, "complete": r not in partial}
            for (p, u, r, d), n in sorted(lines.items())
            if unit in ("", u)
        ]

    def _provided(self, lines: dict[Key, dict[str, int]], c: Contract, low: str, high: str) -> None:
        for b in self._batches.of_resource(c.id, low=low, high=high):
            counts = b.counts
            for line in _both(lines, b.received_at, b.unit, c.id, "provided"):
                line["batches"] += 1
                line["received"] += counts.received
                line["accepted"] += counts.accepted
                line["changes"] += counts.inserted + counts.updated + counts.deleted

    def _obtained(self, lines: dict[Key, dict[str, int]], c: Contract, low: str, high: str) -> None:
        for d in self._deliveries.of_resource(c.id, low=low, high=high):
            if d.state == "acknowledged":
                for line in _both(lines, d.created_at, d.unit, c.id, "obtained"):
                    line["messages"] += 1
                    line["events"] += d.count

    def _used(self, lines: dict[Key, dict[str, int]], c: Contract, low: str, high: str) -> bool:
        found = self._traces.list(resource=c.id, low=low, high=high, limit=EVIDENCE_MOST)
        for t in found:
            if t.act in _OF_ACT and t.path and t.unit and t.unit != c.provider:
                for line in _both(lines, t.at, t.unit, c.id, "obtained"):
                    line[_OF_ACT[t.act]] += 1
                    line["rows"] += t.count
        return len(found) < EVIDENCE_MOST


def _both(
    lines: dict[Key, dict[str, int]], at: str, unit: str, resource: str, direction: str
) -> Iterable[dict[str, int]]:
    """The lines of the moment's month and day."""
    day = china_day(datetime.fromisoformat(at)).isoformat()
    return [lines[period, unit, resource, direction] for period in (day[:7], day)]
