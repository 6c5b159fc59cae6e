"""Push: what the push function runs for its wake-ups. Light to import; planning takes its source lazily."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random, SystemRandom

from huitong.audit.disclosed import Disclosures
from huitong.audit.trace import Traces
from huitong.delivery.accounts import Deliveries
from huitong.delivery.changes import ChangeSource
from huitong.delivery.entitlement import Entitlement
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Delivery, Subscription
from huitong.delivery.planning import Contracts, Planner
from huitong.delivery.sending import Sender
from huitong.delivery.subscriptions import Published, Subscriptions
from huitong.ports import Clock, EventBus, HttpSender, ObjectStore, Queue, Register


class Push:
    """``source`` is called when something is to be planned, so that sending imports neither Arrow nor DuckDB.

    ``exports`` is the bucket of delivery bodies (prefix ``exports/``), ``queue``
    that of the push function itself, ``dead_letters`` takes deliveries that failed for good;
    ``told`` hears of each delivery that is planned, acknowledged, or was tried in vain.
    """

    def __init__(
        self,
        register: Register,
        subscriptions: Subscriptions,
        contracts: Contracts,
        publications: Published,
        source: Callable[[], ChangeSource],
        exports: ObjectStore,
        http: HttpSender,
        entitlement: Entitlement,
        queue: Queue,
        dead_letters: Queue,
        events: EventBus,
        clock: Clock,
        limits: DeliveryLimits | None = None,
        random: Random | None = None,
        traces: Traces | None = None,
        disclosures: Disclosures | None = None,
        told: Callable[[Delivery], None] = lambda _delivery: None,
    ) -> None:
        limits = limits or DeliveryLimits()
        self._subscriptions = subscriptions
        self._contracts = contracts
        self._publications = publications
        self._queue = queue
        self._deliveries = Deliveries(register)

        @cache  # what it has read of the warehouse is worth keeping while the process lives
        def planner() -> Planner:
            return Planner(
                subscriptions,
                self._deliveries,
                source(),
                exports,
                entitlement,
                events,
                clock,
                limits,
                disclosures,
                told,
            )

        self._planner = planner
        self._sender = Sender(
            register,
            subscriptions,
            self._deliveries,
            contracts,
            exports,
            http,
            entitlement,
            dead_letters,
            events,
            clock,
            limits,
            random or SystemRandom(),
            traces,
            told,
        )

    def plan(self, resource: str, seq: int = 0) -> list[str]:  # noqa: ARG002 (the pointer is the truth)
        """Plan deliveries of everything published and not yet planned; the subscriptions to send to.

        ``seq`` is what the wake-up named; a repeated, late or early one changes
        nothing. Each subscription with deliveries due gets a wake-up of its own.
        """
        pointer = self._publications.get(resource)
        if pointer is None or not any(_waits(s, pointer.seq) for s in self._active(resource)):
            return []
        due = self._planner().plan(self._contracts.get(resource), pointer.seq)
        for subscription in due:
            self._queue.send({"subscription": subscription.id}, group=f"sub:{subscription.id}")
        return [subscription.id for subscription in due]

    def send(self, subscription: str) -> float | None:
        """Send what is due to one subscriber; seconds after which to be woken again, None = nothing left."""
        return self._sender.send(subscription)

    def _active(self, resource: str) -> list[Subscription]:
        return [s for s in self._subscriptions.of_resource(resource) if s.state == "active"]


def _waits(subscription: Subscription, seq: int) -> bool:
    return subscription.behind(seq) or subscription.outstanding > 0
