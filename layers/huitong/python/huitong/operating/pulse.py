"""What the clock measures once a minute: ages and last publications, as figures and for the status page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from huitong.batches.register import Batches
from huitong.delivery.accounts import Deliveries
from huitong.delivery.subscriptions import Subscriptions
from huitong.errors import Conflict
from huitong.operating.heartbeats import PK
from huitong.ports import Clock, Item, Register, timestamp
from huitong.warehouse.publication import Publications

SK: Final = "PULSE"
_MOST_TABLES: Final = 500  # listed one by one


@dataclass(frozen=True, slots=True)
class Pulse:
    """``resources`` lists the ids of all contracts; ``measure`` takes figures by their metric's name."""

    resources: Callable[[], Iterable[str]]
    register: Register
    batches: Batches
    subscriptions: Subscriptions
    publications: Publications
    deliveries: Deliveries
    measure: Callable[[Mapping[str, float]], None]
    clock: Clock

    def run(self) -> dict[str, Any]:
        """Measure, tell, and keep it for the status page; the figures."""
        now = self.clock.now()
        waiting: dict[str, dict[str, Any]] = {}
        tables: list[dict[str, Any]] = []
        for resource in self.resources():
            for stored in self.batches.in_flight(resource):
                batch = stored.batch
                seen = waiting.setdefault(batch.status, {"count": 0, "oldest": batch.received_at})
                seen["count"] += 1
                seen["oldest"] = min(seen["oldest"], batch.received_at)
            served = self.publications.get(resource)
            if served is not None and len(tables) < _MOST_TABLES:
                tables.append({"resource": resource, "seq": served.seq, "published_at": served.published_at,
                               "rows": served.rows})  # fmt: skip
        pending = self._pending()
        figures = {
            "OldestPendingBatch": _age(min((w["oldest"] for w in waiting.values()), default=""), now),
            "OldestPendingPush": _age(pending["oldest"], now),
        }
        self.measure(figures)
        self._keep({"at": timestamp(now), "batches": waiting, "pushes": pending, "tables": tables})
        return figures

    def _pending(self) -> dict[str, Any]:
        """Deliveries without a receipt. Paused subscriptions wait because somebody wants it."""
        oldest, count, suspended = "", 0, 0
        for subscription in self.subscriptions.all():
            suspended += subscription.state == "suspended"
            if not subscription.outstanding or subscription.state in ("paused", "cancelled"):
                continue
            count += subscription.outstanding
            first = self.deliveries.get(subscription.id, subscription.acked + 1).delivery
            oldest = min(filter(None, (oldest, first.created_at)))
        return {"count": count, "oldest": oldest, "suspended": suspended}

    def _keep(self, body: Mapping[str, Any]) -> None:
        found = self.register.get(PK, SK)
        try:
            if found is None:
                self.register.create(Item(PK, SK, body))
            else:
                self.register.replace(found.with_body(**body))
        except Conflict:
            return  # two runs of the same minute


def _age(moment: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(moment)).total_seconds()) if moment else 0.0
