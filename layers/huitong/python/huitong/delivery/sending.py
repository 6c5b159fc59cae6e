"""Sending: what is due to one subscriber, in order, until it gives its receipt. Light to import.

Effects of one delivery, in this order: its evidence, noted at the delivery in
the same write (S-15: what cannot be recorded is not sent); then for each attempt
the POST and one transaction of the delivery and the subscription's progress.
Killed in between, the same message goes out again, with the same id and the same
bytes, and the receiver knows it; the evidence is not repeated.
"""

from __future__ import annotations

import hashlib
import secrets as random_source
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from huitong.audit.subjects import Subjects
from huitong.audit.trace import Trace, Traces
from huitong.delivery.accounts import Deliveries, item_of
from huitong.delivery.accounts import Stored as StoredDelivery
from huitong.delivery.entitlement import Entitlement
from huitong.delivery.events import BATCH_CONTENT, LINES_FORMAT, array_of, encoded, link_event, numbered
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Delivery, Subscription
from huitong.delivery.planning import ENDED, Contracts
from huitong.delivery.receipt import Outcome, outcome_of
from huitong.delivery.signing import content_digest, signed_headers
from huitong.delivery.subscriptions import Stored, Subscriptions
from huitong.errors import Conflict, NotFound, NotPermitted, Unavailable
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, EventBus, HttpSender, Item, ObjectStore, Queue, Register, timestamp

_ATTEMPTS: Final = 8
_LEASE: Final = "SENDING"


class Lease:
    """One sender at a time works for a subscription; a killed one is waited for until its time is over."""

    def __init__(self, register: Register, clock: Clock, subscription: str, seconds: float) -> None:
        self._register = register
        self._clock = clock
        self._pk = f"SUBSCRIPTION#{subscription}"
        self._seconds = seconds
        self._owner = random_source.token_hex(8)
        self._held: Item | None = None

    def claim(self) -> float:
        """0 when it is ours; else the seconds after which to try again."""
        found = self._register.get(self._pk, _LEASE)
        now = self._clock.now()
        if found is not None:
            left = seconds_until(str(found.body["until"]), now)
            if left > 0:
                return left
        return 0.0 if self._write(found, now) else self._seconds

    def renew(self) -> bool:
        """False when another sender took over because this one was too slow."""
        return self._write(self._held, self._clock.now())

    def release(self) -> None:
        if self._held is None:
            return
        try:
            self._register.delete(self._held)
        except Conflict:
            self._held = None  # somebody else's by now

    def _write(self, over: Item | None, now: datetime) -> bool:
        until = now + timedelta(seconds=self._seconds)
        body = {"owner": self._owner, "until": timestamp(until)}
        item = Item(
            self._pk, _LEASE, body, over.version if over else 0, expires=int(until.timestamp()) + 86_400
        )
        try:
            self._held = self._register.replace(item) if over else self._register.create(item)
        except Conflict:
            self._held = None
            return False
        return True


class Sender:
    def __init__(
        self,
        register: Register,
        subscriptions: Subscriptions,
        deliveries: Deliveries,
        contracts: Contracts,
        exports: ObjectStore,
        http: HttpSender,
        entitlement: Entitlement,
        dead_letters: Queue,
        events: EventBus,
        clock: Clock,
        limits: DeliveryLimits,
        random: Random,
        traces: Traces | None = None,
        told: Callable[[Delivery], None] = lambda _delivery: None,
    ) -> None:
        self._observer = told
        self._register = register
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._contracts = contracts
        self._exports = exports
        self._http = http
        self._entitlement = entitlement
        self._dead_letters = dead_letters
        self._events = events
        self._clock = clock
        self._limits = limits
        self._random = random
        self._traces = traces

    def send(self, id: str) -> float | None:
        """Send what is due, in order, up to the first failure.

        Gives the seconds after which to be called again (0 = at once), None when
        nothing is left to do; if nobody calls, the sweep does. Raises NotFound for
        an unknown subscription, and faults.
        """
        if self._subscriptions.get(id).subscription.state in ("paused", "cancelled"):
            return None
        lease = Lease(
            self._register, self._clock, id, self._limits.answer_seconds + self._limits.lease_seconds
        )
        wait = lease.claim()
        if wait > 0:
            return wait
        try:
            return self._run(id, lease)
        finally:
            lease.release()

    def _run(self, id: str, lease: Lease) -> float | None:
        end = self._clock.now() + timedelta(seconds=self._limits.run_seconds)
        for _ in range(self._limits.messages_per_run):
            if self._clock.now() >= end:
                break
            stored = self._subscriptions.get(id)
            subscription = stored.subscription
            if subscription.state == "suspended":
                self._report(subscription)
            if subscription.state != "active" or not subscription.outstanding:
                return None
            access = self._entitlement(subscription, self._contracts.get(subscription.resource))
            if access is None:
                self._suspend(stored, ENDED)
                return None
            due = self._deliveries.get(id, subscription.acked + 1)
            wait = seconds_until(due.delivery.next_attempt_at, self._clock.now())
            if wait > 0:
                return wait
            if due.delivery.object and due.delivery.access not in ("", access.digest()):
                narrowed = replace(due.delivery, object="", reason="grant-changed")
                self._register.replace(item_of(narrowed, due.item.version))
                self._subscriptions.wake(subscription)  # the planner makes it again, as it is granted now
                return None
            if not due.delivery.object:
                self._subscriptions.wake(subscription)  # the planner makes it again
                return None
            if not lease.renew():
                return self._limits.lease_seconds
            pause = self._attempt(subscription, due)
            if pause is not None:
                return pause
        return 0.0

    def _attempt(self, subscription: Subscription, due: StoredDelivery) -> float | None:
        """One POST and its record; the pause before the next attempt when it failed, None to go on."""
        body = self._body(due)
        if body is None:
            self._subscriptions.wake(subscription)
            return None
        try:
            due = self._traced(subscription, due)
        except Conflict:
            return 0.0  # somebody else changed the delivery: look again
        outcome = self._post(subscription, due.delivery, body)
        if outcome.receipt is not None:
            self._acknowledged(due, outcome)
            return None
        return self._failed(due, outcome)

    def _body(self, due: StoredDelivery) -> bytes | None:
        """The bytes to send; None when the stored ones are lost: then they are to be made again."""
        delivery = due.delivery
        if delivery.form == "link":
            found = self._exports.head(delivery.object)
            if found is not None and found.size == delivery.size:
                return self._link_body(delivery)
        else:
            try:
                body = self._exports.read(delivery.object)
            except NotFound:
                body = b""
            if hashlib.sha256(body).hexdigest() == delivery.sha256:
                return body
        lost = replace(delivery, object="", reason="content-lost")
        self._register.replace(item_of(lost, due.item.version))
        return None

    def _link_body(self, delivery: Delivery) -> bytes:
        now = self._clock.now()
        seconds = self._limits.link_seconds
        data = {
            "url": self._exports.presign_get(delivery.object, seconds=seconds),
            "expires_at": timestamp(now + timedelta(seconds=seconds)),
            "sha256": delivery.sha256,
            "size": delivery.size,
            "count": delivery.count,
            "format": LINES_FORMAT,
            "seq": delivery.seq,
        }
        event = link_event(
            delivery.resource, delivery.kind, delivery.seq, delivery.first, delivery.last, now=now, data=data
        )
        return array_of([encoded(numbered(event, delivery.n))])

    def _post(self, subscription: Subscription, delivery: Delivery, body: bytes) -> Outcome:
        now = self._clock.now()
        headers = {
            **signed_headers(
                delivery.message_id, body, self._subscriptions.signing_secrets(subscription), now
            ),
            "content-type": BATCH_CONTENT,
            "content-digest": content_digest(body),
            "huitong-subscription": subscription.id,
            "huitong-sequence": str(delivery.n),
            "huitong-count": str(delivery.count),
        }
        try:
            answer = self._http.post(
                subscription.endpoint, body, headers, seconds=self._limits.answer_seconds
            )
        except Unavailable:
            return Outcome(reason="no-answer")
        except NotPermitted:
            return Outcome(reason="address-not-permitted")
        return outcome_of(answer, delivery.n, delivery.count, self._clock.now())

    def _acknowledged(self, due: StoredDelivery, outcome: Outcome) -> None:
        now = timestamp(self._clock.now())
        self._record(
            due,
            {"acked": due.delivery.n},
            state="acknowledged",
            attempts=due.delivery.attempts + 1,
            next_attempt_at="",
            reason="",
            http_status=outcome.http_status,
            receipt=outcome.receipt,
            acknowledged_at=now,
        )

    def _failed(self, due: StoredDelivery, outcome: Outcome) -> float | None:
        attempts = due.delivery.attempts + 1
        pause = None if outcome.gone else self._limits.pause_after(attempts, self._random)
        told = {"attempts": attempts, "reason": outcome.reason, "http_status": outcome.http_status}
        if pause is None:
            self._record(due, None, state="failed", next_attempt_at="", **told)
            return None  # the next look finds it suspended and reports it
        pause = max(pause, min(outcome.wait, self._limits.pauses[-1]))
        again = timestamp(self._clock.now() + timedelta(seconds=pause))
        self._record(due, {}, next_attempt_at=again, **told)
        return pause

    def _record(self, due: StoredDelivery, progress: Mapping[str, Any] | None, **changes: Any) -> None:
        """Write what became of a delivery, with the subscription's progress; None = suspend it.

        A planner may write the subscription meanwhile: then again. Another
        sender's record of the same delivery stands: that one was not slower.
        """
        delivery = replace(due.delivery, **changes)
        item = item_of(delivery, due.item.version)
        for attempt in range(_ATTEMPTS):
            stored = self._subscriptions.get(delivery.subscription)
            try:
                if progress is None and stored.subscription.state in ("active", "paused"):
                    moved = self._subscriptions.moved(
                        stored.subscription, "suspended", by="push", reason=delivery.reason
                    )
                    self._subscriptions.change(stored, replaces=[item], **moved)
                elif progress:
                    self._subscriptions.change(stored, replaces=[item], **progress)
                else:
                    self._register.replace(item)
                self._observer(delivery)
                return
            except Conflict:
                now = self._deliveries.get(delivery.subscription, delivery.n)
                if now.item.version != due.item.version:
                    return
                if attempt + 1 == _ATTEMPTS:
                    raise

    def _traced(self, subscription: Subscription, due: StoredDelivery) -> StoredDelivery:
        """The delivery with its evidence on record: from the first attempt on the data may be outside."""
        delivery = due.delivery
        if self._traces is None or delivery.traced:
            return due
        told = Trace(
            "share",
            actor="push",
            unit=subscription.unit,
            resource=subscription.resource,
            fields=delivery.fields or subscription.fields,
            masked=delivery.masked,
            batch=delivery.batch,
            seq=delivery.seq,
            count=delivery.count,
            detail=delivery.message_id,
            path="push",
            grant=delivery.grant,
            case_no=delivery.case_no,
            duty=delivery.duty,
            purpose=delivery.purpose,
        ).of(Subjects.from_dict(delivery.subjects))
        item = item_of(replace(delivery, traced=True), due.item.version)
        self._traces.commit(told, replaces=[item])
        return self._deliveries.get(delivery.subscription, delivery.n)

    def _suspend(self, stored: Stored, reason: str) -> None:
        moved = self._subscriptions.moved(stored.subscription, "suspended", by="push", reason=reason)
        self._subscriptions.change(stored, **moved)
        self._events.publish("SubscriptionSuspended", self._told(stored.subscription, reason))

    def _report(self, subscription: Subscription) -> None:
        """Tell of a delivery that failed for good, once: dead-letter queue, event, mark."""
        if not subscription.outstanding:
            return
        found = self._deliveries.get(subscription.id, subscription.acked + 1)
        failed = found.delivery
        if failed.state != "failed" or failed.reported:
            return
        told = {
            **self._told(subscription, failed.reason),
            "sequence": failed.n,
            "seq": failed.seq,
            "count": failed.count,
            "attempts": failed.attempts,
            "http_status": failed.http_status,
        }
        self._dead_letters.send(
            told, group=f"sub:{subscription.id}", dedup=f"{failed.message_id}.{found.item.version}"
        )
        self._events.publish("DeliveryFailed", told)
        now = timestamp(self._clock.now())
        notices = [entry_of(n, now) for n in _failed(subscription, failed)]
        with suppress(Conflict):  # it was given a new start meanwhile
            mark = item_of(replace(failed, reported=True), found.item.version)
            self._register.write(creates=notices, replaces=[mark])

    def _told(self, subscription: Subscription, reason: str) -> dict[str, Any]:
        return {
            "subscription": subscription.id,
            "unit": subscription.unit,
            "resource": subscription.resource,
            "reason": reason,
        }


def _failed(subscription: Subscription, delivery: Delivery) -> list[Notice]:
    """For the operator and the unit that waits (X-13)."""
    name, resource, tries = subscription.id, subscription.resource, delivery.attempts
    zh = f"订阅 {name}(资源 {resource})第 {delivery.n} 次推送在 {tries} 次尝试后失败:{delivery.reason}"
    en = (
        f"Delivery {delivery.n} of subscription {name} ({resource}) failed after {tries} attempts: "
        f"{delivery.reason}"
    )
    to = sorted({OPERATOR, subscription.unit})
    return [Notice(unit, "delivery.failed", f"subscription:{name}", zh, en) for unit in to]


def seconds_until(moment: str, now: datetime) -> float:
    """Seconds from now to a ports.timestamp; 0 when it is past or empty."""
    if not moment:
        return 0.0
    return max(0.0, (datetime.fromisoformat(moment) - now).total_seconds())
