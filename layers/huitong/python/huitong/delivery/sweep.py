"""The safety net behind lost wake-ups of the push function. Light to import."""

from __future__ import annotations

from huitong.delivery.accounts import Deliveries
from huitong.delivery.model import Subscription
from huitong.delivery.sending import seconds_until
from huitong.delivery.subscriptions import Published, Subscriptions
from huitong.ports import Clock, Queue, Register


class Sweep:
    """Run by the clock, every minute."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        publications: Published,
        register: Register,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._subscriptions = subscriptions
        self._publications = publications
        self._deliveries = Deliveries(register)
        self._queue = queue
        self._clock = clock

    def run(self) -> int:
        """Wake what should be planned or sent by now; how many wake-ups that took."""
        found = self._subscriptions.all()
        pointers = {r: self._publications.get(r) for r in {s.resource for s in found}}
        seqs = {r: pointer.seq for r, pointer in pointers.items() if pointer}
        late = sorted(
            {s.resource for s in found if s.state == "active" and s.behind(seqs.get(s.resource, 0))}
        )
        for resource in late:
            self._queue.send({"resource": resource, "seq": seqs[resource]}, group=f"resource:{resource}")
        ready = [s.id for s in found if self._has_work(s)]
        for id in ready:
            self._queue.send({"subscription": id}, group=f"sub:{id}")
        return len(late) + len(ready)

    def _has_work(self, subscription: Subscription) -> bool:
        if not subscription.outstanding or subscription.state not in ("active", "suspended"):
            return False
        next_one = self._deliveries.get(subscription.id, subscription.acked + 1).delivery
        if subscription.state == "suspended":
            return next_one.state == "failed" and not next_one.reported
        return seconds_until(next_one.next_attempt_at, self._clock.now()) == 0
