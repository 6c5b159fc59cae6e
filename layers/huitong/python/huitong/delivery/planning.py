"""Planning: which deliveries a subscription is due, written down before anything is sent.

Each piece is one transaction of its delivery and the subscription's progress,
after its body is stored: a planner that is killed anywhere goes on where it
was, and two planners cannot both plan the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from huitong.audit.disclosed import Disclosures
from huitong.audit.subjects import NOBODY
from huitong.contracts.model import Contract
from huitong.delivery.accounts import Deliveries, item_of
from huitong.delivery.changes import ChangeSource
from huitong.delivery.chunks import Chunk, chunks
from huitong.delivery.entitlement import Entitlement
from huitong.delivery.events import BATCH_CONTENT, EventMaker, Placed
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Delivery, Kind, Position, Subscription
from huitong.delivery.subscriptions import Stored, Subscriptions
from huitong.errors import Conflict, Fault, Refusal
from huitong.ports import Clock, EventBus, ObjectStore, timestamp
from huitong.sharing.access import Access

_ATTEMPTS: Final = 8
BY: Final = "push"
ENDED: Final = "grant-ended"
LOST: Final = "content-lost"


class Contracts(Protocol):
    """What this package needs of :class:`huitong.contracts.registry.Contracts`."""

    def get(self, id: str, version: int = 0) -> Contract: ...


class Planner:
    def __init__(
        self,
        subscriptions: Subscriptions,
        deliveries: Deliveries,
        source: ChangeSource,
        exports: ObjectStore,
        entitlement: Entitlement,
        events: EventBus,
        clock: Clock,
        limits: DeliveryLimits,
        disclosures: Disclosures | None = None,
        told: Callable[[Delivery], None] = lambda _delivery: None,
    ) -> None:
        self._observer = told
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._source = source
        self._exports = exports
        self._entitlement = entitlement
        self._events = events
        self._clock = clock
        self._limits = limits
        self._disclosures = disclosures

    def plan(self, contract: Contract, upto: int) -> list[Subscription]:
        """Plan for every active subscription what was published up to ``upto``; those with deliveries due.

        One subscription's trouble does not stop the others: one that can never
        be planned is suspended with the reason, and a fault is raised at the end.
        """
        due: list[Subscription] = []
        fault: Fault | None = None
        for subscription in self._subscriptions.of_resource(contract.id):
            if subscription.state != "active":
                continue
            try:
                planned = self._plan_one(subscription.id, contract, upto)
            except Conflict:
                continue  # somebody else plans it right now
            except Refusal as refusal:
                self.suspend(subscription.id, refusal.code)
                continue
            except Fault as found:
                fault = found
                continue
            if planned.state == "active" and planned.outstanding:
                due.append(planned)
        if fault is not None:
            raise fault
        return due

    def suspend(self, id: str, reason: str) -> None:
        """Stop a subscription without a failed delivery, and tell. Does nothing when it is not active."""
        stored = self._subscriptions.get(id)
        if stored.subscription.state != "active":
            return
        changes = self._subscriptions.moved(stored.subscription, "suspended", by=BY, reason=reason)
        suspended = self._subscriptions.change(stored, **changes).subscription
        self._events.publish(
            "SubscriptionSuspended",
            {"subscription": id, "unit": suspended.unit, "resource": suspended.resource, "reason": reason},
        )

    def _plan_one(self, id: str, contract: Contract, upto: int) -> Subscription:
        for attempt in range(_ATTEMPTS):
            stored = self._subscriptions.get(id)
            if stored.subscription.state != "active":
                break
            access = self._entitlement(stored.subscription, contract)
            if access is None:
                self.suspend(id, ENDED)
                break
            try:
                if not self._restore(stored.subscription, contract, access):
                    self.suspend(id, LOST)
                    break
                return self._catch_up(stored, contract, access, upto).subscription
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
        return self._subscriptions.get(id).subscription

    def _catch_up(self, stored: Stored, contract: Contract, access: Access, upto: int) -> Stored:
        maker = EventMaker(contract, access)
        start = stored.subscription
        if not start.snapshot_done:
            rows = self._source.snapshot(contract, access, start.snapshot_seq, after=start.snapshot_ordinal)
            with closing(rows):
                for chunk in self._cut(maker.snapshot(rows), start.next_delivery):
                    stored = self._keep(stored, access, "snapshot", chunk, snapshot_ordinal=chunk.last)
            stored = self._progress(stored, snapshot_done=True)
        start = stored.subscription
        if start.planned_seq < upto:
            rows = self._source.changes(contract, access, start.planned, upto)
            with closing(rows):
                for chunk in self._cut(maker.changes(rows), start.next_delivery):
                    stored = self._keep(stored, access, "changes", chunk, **_reached(chunk, upto))
            if stored.subscription.planned_seq < upto:  # nothing for this subscriber at the end
                stored = self._progress(stored, planned_seq=upto, planned_ordinal=0)
        return stored

    def _cut(self, events: Iterator[Placed], n: int, limits: DeliveryLimits | None = None) -> Iterator[Chunk]:
        with TemporaryDirectory(prefix="huitong-push-") as folder:
            yield from chunks(events, n, limits or self._limits, Path(folder))

    def _keep(self, stored: Stored, access: Access, kind: Kind, chunk: Chunk, **progress: Any) -> Stored:
        subscription = stored.subscription
        delivery = Delivery(
            subscription=subscription.id,
            n=chunk.n,
            resource=subscription.resource,
            unit=subscription.unit,
            kind=kind,
            form=chunk.form,
            seq=chunk.seq,
            first=chunk.first,
            last=chunk.last,
            count=chunk.count,
            object=self._store(subscription.id, chunk),
            sha256=chunk.sha256,
            size=chunk.size,
            created_at=timestamp(self._clock.now()),
            batch=chunk.batch if kind == "changes" else "",
            **self._told(chunk, access),
        )
        kept = self._progress(stored, delivery, next_delivery=chunk.n + 1, **progress)
        self._observer(delivery)
        return kept

    def _told(self, chunk: Chunk, access: Access) -> dict[str, Any]:
        """What a delivery says of the access that it was made under."""
        subjects = self._disclosures.of_pairs(chunk.pairs) if self._disclosures else NOBODY
        return {
            "fields": access.fields,
            "masked": tuple(name for name in access.fields if access.masks.get(name)),
            "access": access.digest(),
            "grant": access.grant,
            "case_no": access.case_no,
            "duty": access.duty,
            "purpose": access.purpose,
            "subjects": subjects.as_dict() if subjects.count else {},
        }

    def _store(self, subscription: str, chunk: Chunk) -> str:
        """The digest in the key keeps a planner that lost the race from changing what the winner stored."""
        ending = "json" if chunk.form == "inline" else "ndjson.gz"
        key = f"exports/{subscription}/{chunk.n:010d}-{chunk.sha256[:16]}.{ending}"
        if isinstance(chunk.content, bytes):
            self._exports.put(key, chunk.content, content_type=BATCH_CONTENT)
        else:
            self._exports.put_file(key, chunk.content, content_type="application/gzip")
        return key

    def _progress(self, stored: Stored, delivery: Delivery | None = None, **changes: Any) -> Stored:
        """Write progress. A receipt that a sender wrote meanwhile is no obstacle; another planner is."""
        before = _place(stored.subscription)
        creates = [item_of(delivery)] if delivery else []
        for attempt in range(_ATTEMPTS):
            try:
                return self._subscriptions.change(stored, creates=creates, **changes)
            except Conflict:
                stored = self._subscriptions.get(stored.subscription.id)
                if attempt + 1 == _ATTEMPTS or _place(stored.subscription) != before:
                    raise
        raise AssertionError("unreachable")

    def _restore(self, subscription: Subscription, contract: Contract, access: Access) -> bool:
        """Make the body of the next delivery again when its object was lost; False = it cannot be."""
        if not subscription.outstanding:
            return True
        found = self._deliveries.get(subscription.id, subscription.acked + 1)
        lost = found.delivery
        if lost.object or lost.state != "pending":
            return True
        maker, after = EventMaker(contract, access), lost.first - 1
        whole = replace(self._limits, link_events=lost.count)
        if lost.kind == "snapshot":
            rows = self._source.snapshot(contract, access, lost.seq, after=after, limit=lost.count)
            events = maker.snapshot(rows)
        else:
            at = Position(lost.seq, after)
            rows = self._source.changes(contract, access, at, lost.seq, limit=lost.count)
            events = maker.changes(rows)
        with closing(rows):
            for chunk in self._cut(events, lost.n, whole):
                if (chunk.first, chunk.last, chunk.count) != (lost.first, lost.last, lost.count):
                    return False  # the grant gives less by now
                key = self._store(subscription.id, chunk)
                again = replace(
                    lost,
                    object=key,
                    form=chunk.form,
                    sha256=chunk.sha256,
                    size=chunk.size,
                    reason="",
                    traced=lost.traced and lost.access == access.digest(),  # else it is another disclosure
                    **self._told(chunk, access),
                )
                self._subscriptions.change(
                    self._subscriptions.get(subscription.id), replaces=[item_of(again, found.item.version)]
                )
                return True
        return False


def _reached(chunk: Chunk, upto: int) -> dict[str, int]:
    """How far the change log is planned once this chunk is."""
    if chunk.next is None:
        return {"planned_seq": upto, "planned_ordinal": 0}
    if chunk.next.seq == chunk.seq:
        return {"planned_seq": chunk.seq - 1, "planned_ordinal": chunk.last}
    return {"planned_seq": chunk.next.seq - 1, "planned_ordinal": 0}


def _place(subscription: Subscription) -> tuple[Any, ...]:
    s = subscription
    return (s.state, s.next_delivery, s.planned_seq, s.planned_ordinal, s.snapshot_ordinal, s.snapshot_done)
