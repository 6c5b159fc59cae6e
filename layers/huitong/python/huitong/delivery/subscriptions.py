"""Subscriptions in the register: who is sent what, where to, and how far that has come. Light to import."""

from __future__ import annotations

import secrets as random_source
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol

from huitong.audit.trace import Trace, Traces, commit_with
from huitong.delivery.accounts import Deliveries, item_of
from huitong.delivery.endpoints import EndpointRules, checked
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import SealedSecret, Start, State, Subscription, new_secret, secret_bytes
from huitong.errors import BadRequest, Conflict, NotFound, Problem
from huitong.ports import Clock, Item, Queue, Register, Secrets, timestamp
from huitong.sharing.access import Access

_ATTEMPTS: Final = 8
_MOVES: Final[dict[State, frozenset[State]]] = {
    "active": frozenset({"paused", "suspended", "cancelled"}),
    "paused": frozenset({"active", "suspended", "cancelled"}),
    "suspended": frozenset({"active", "cancelled"}),
    "cancelled": frozenset(),
}


class Publication(Protocol):
    @property
    def seq(self) -> int: ...


class Published(Protocol):
    """What this package needs of :class:`huitong.warehouse.publication.Publications`."""

    def get(self, resource: str) -> Publication | None: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A subscription with the register version it was read at."""

    subscription: Subscription
    item: Item


class Subscriptions:
    """``queue`` is that of the push function; it gets wake-ups, never truths."""

    def __init__(
        self,
        register: Register,
        publications: Published,
        secrets: Secrets,
        queue: Queue,
        clock: Clock,
        *,
        rules: EndpointRules | None = None,
        limits: DeliveryLimits | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._register = register
        self._traces = traces
        self._deliveries = Deliveries(register)
        self._publications = publications
        self._secrets = secrets
        self._queue = queue
        self._clock = clock
        self._rules = rules or EndpointRules()
        self._limits = limits or DeliveryLimits()

    def create(
        self,
        unit: str,
        access: Access,
        endpoint: str,
        *,
        by: str,
        fields: Sequence[str] = (),
        row_filter: str = "",
        secret: str = "",
        start: Start = "now",
        seq: int = 0,
    ) -> tuple[Subscription, str]:
        """A new subscription and, this once, its signing secret in plain.

        ``access`` is what the unit may have; ``fields`` (empty = all of them) and
        ``row_filter`` (canonical) narrow it. ``start``: ``now`` = what is published
        from now on; ``snapshot`` = the table as it is now, then what follows, without
        gap or overlap; ``seq`` = from that publication on. Raises BadRequest with
        all that is wrong with the request.
        """
        problems = _unknown_fields(access, fields)
        if not unit or not access.fields:
            problems.append(
                Problem(
                    "subscription.nothing", "没有可订阅的单位或字段", "There is no unit or no field for it"
                )
            )
        try:
            checked(endpoint, self._rules)
        except BadRequest as error:
            problems += error.problems
        pointer = self._publications.get(access.resource)
        newest = pointer.seq if pointer else 0
        if start == "seq" and not 1 <= seq <= newest + 1:
            zh = f"起始序号须在 1 与 {newest + 1} 之间"
            problems.append(
                Problem("subscription.seq", zh, f"The first publication must be 1 to {newest + 1}")
            )
        if problems:
            raise BadRequest("订阅有误", "The subscription is not valid", problems=problems)
        plain = secret or new_secret()
        secret_bytes(plain)
        chosen = narrowed(access, fields, row_filter)
        id = f"s{random_source.token_hex(12)}"
        now = timestamp(self._clock.now())
        subscription = Subscription(
            id=id,
            unit=unit,
            resource=access.resource,
            endpoint=endpoint,
            fields=chosen.fields,
            masks=dict(chosen.masks),
            row_filter=chosen.row_filter,
            secrets=(SealedSecret(self._secrets.seal(plain, context_of(id))),),
            start=start,
            snapshot_seq=newest if start == "snapshot" else 0,
            snapshot_done=not (start == "snapshot" and newest),
            planned_seq=seq - 1 if start == "seq" else newest,
            created_at=now,
            created_by=by,
            grant=chosen.grant,
            case_no=chosen.case_no,
            duty=chosen.duty,
            history=(("active", now, by),),
        )
        listed = Item(
            pk="SUBSCRIPTIONS", sk=id, body={"resource": subscription.resource, "unit": subscription.unit}
        )
        told = _told(subscription)
        commit_with(self._traces, told, self._register, creates=[_item(subscription), listed])
        self.wake(subscription)
        return subscription, plain

    def get(self, id: str) -> Stored:
        """Raises NotFound."""
        item = self._register.get(f"SUBSCRIPTION#{id}", "SUBSCRIPTION")
        if item is None:
            raise NotFound(f"没有订阅 {id}", f"There is no subscription {id}", subscription=id)
        return Stored(Subscription.from_dict(item.body), item)

    def all(self) -> list[Subscription]:
        """Every subscription in every state, strongly consistent."""
        return [self.get(item.sk).subscription for item in self._register.query("SUBSCRIPTIONS")]

    def of_resource(self, resource: str) -> list[Subscription]:
        """Strongly consistent, so that a publication never misses a subscription made just before."""
        listed = self._register.query("SUBSCRIPTIONS")
        return [self.get(item.sk).subscription for item in listed if item.body["resource"] == resource]

    def of_unit(self, unit: str) -> list[Subscription]:
        """Newest first; eventually consistent."""
        found = self._register.query_index("index2", f"SUBSCRIPTIONS#{unit}", descending=True)
        return [Subscription.from_dict(item.body) for item in found]

    def pause(self, id: str, *, by: str, reason: str = "") -> Subscription:
        """Nothing is planned or sent until it is resumed. Raises NotFound, or Conflict when it cannot be."""
        return self._move(id, "paused", by=by, reason=reason)

    def resume(self, id: str, *, by: str) -> Subscription:
        """Go on after a pause or a suspension, with everything published meanwhile, in order.

        The delivery that failed gets all its attempts anew. Raises NotFound, Conflict.
        """
        resumed = self._move(id, "active", by=by, reason="")
        self.wake(resumed)
        return resumed

    def cancel(self, id: str, *, by: str, reason: str = "") -> Subscription:
        """End it for good; what was delivered stays accounted for. Raises NotFound, Conflict."""
        return self._move(id, "cancelled", by=by, reason=reason)

    def rotate(self, id: str, *, by: str, secret: str = "") -> tuple[Subscription, str]:
        """A new signing secret; for a while messages are signed with the former ones too.

        Raises NotFound, BadRequest for a malformed secret, Conflict when another write came between.
        """
        plain = secret or new_secret()
        secret_bytes(plain)
        stored = self.get(id)
        now = self._clock.now()
        until = timestamp(now + timedelta(hours=self._limits.rotation_hours))
        former = [s if s.until else replace(s, until=until) for s in stored.subscription.secrets]
        living = [s for s in former if s.until > timestamp(now)]
        fresh = SealedSecret(self._secrets.seal(plain, context_of(id)))
        entry = ("secret rotated", timestamp(now), by)
        history = (*stored.subscription.history, entry)
        rotated = self.change(stored, secrets=(fresh, *living), history=history)
        return rotated.subscription, plain

    def signing_secrets(self, subscription: Subscription) -> list[str]:
        """The secrets in force, newest first, in plain: for signing only."""
        now = timestamp(self._clock.now())
        living = [s for s in subscription.secrets if not s.until or s.until > now]
        return [self._secrets.unseal(s.sealed, context_of(subscription.id)) for s in living]

    def change(
        self, stored: Stored, *, creates: Sequence[Item] = (), replaces: Sequence[Item] = (), **changes: Any
    ) -> Stored:
        """Write changed attributes together with other items, all or nothing. Raises Conflict."""
        item = replace(_item(replace(stored.subscription, **changes)), version=stored.item.version)
        if "history" in changes:  # somebody acted; progress is no act
            told = _told(Subscription.from_dict(item.body))
            commit_with(self._traces, told, self._register, creates=creates, replaces=[item, *replaces])
        else:
            self._register.write(creates=creates, replaces=[item, *replaces])
        return Stored(Subscription.from_dict(item.body), replace(item, version=item.version + 1))

    def moved(self, subscription: Subscription, state: State, *, by: str, reason: str) -> dict[str, Any]:
        """The changes of a move to another state. Raises Conflict when that is not allowed."""
        if state not in _MOVES[subscription.state]:
            raise Conflict(
                f"订阅处于 {subscription.state},不能转为 {state}",
                f"The subscription is {subscription.state} and cannot become {state}",
                subscription=subscription.id,
            )
        entry = (state, timestamp(self._clock.now()), by)
        return {"state": state, "reason": reason, "history": (*subscription.history, entry)}

    def wake(self, subscription: Subscription) -> None:
        """Ask the push function to look for what is due."""
        message = {"resource": subscription.resource, "seq": 0}
        self._queue.send(message, group=f"resource:{subscription.resource}")

    def _move(self, id: str, state: State, *, by: str, reason: str) -> Subscription:
        for attempt in range(_ATTEMPTS):
            stored = self.get(id)
            try:
                changes = self.moved(stored.subscription, state, by=by, reason=reason)
                anew = self._failed_anew(stored.subscription) if state == "active" else []
                return self.change(stored, replaces=anew, **changes).subscription
            except Conflict:
                # a sender or planner wrote progress: read again; a move that is not allowed stays so
                if attempt + 1 == _ATTEMPTS or state not in _MOVES[self.get(id).subscription.state]:
                    raise
        raise AssertionError("unreachable")

    def _failed_anew(self, subscription: Subscription) -> list[Item]:
        if not subscription.outstanding:
            return []
        found = self._deliveries.get(subscription.id, subscription.acked + 1)
        if found.delivery.state != "failed":
            return []
        fresh = replace(
            found.delivery, state="pending", attempts=0, next_attempt_at="", reason="", reported=False
        )
        return [item_of(fresh, found.item.version)]


def context_of(id: str) -> str:
    """What a subscription's secrets are sealed for."""
    return f"subscription:{id}"


def narrowed(access: Access, fields: Sequence[str], row_filter: str) -> Access:
    """Not more than ``access``: fewer fields, fewer rows, the same masks."""
    kept = tuple(f for f in access.fields if not fields or f in fields)
    filters = [f for f in dict.fromkeys((access.row_filter, row_filter)) if f]
    joined = " AND ".join(f"({f})" for f in filters) if len(filters) > 1 else "".join(filters)
    masks = {name: mask for name, mask in access.masks.items() if name in kept}
    return replace(access, fields=kept, masks=masks, row_filter=joined)


def _unknown_fields(access: Access, fields: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            "subscription.field",
            f"授权中没有字段 {name}",
            f"Field {name} is not granted",
            {"field": name},
        )
        for name in dict.fromkeys(fields)
        if name not in access.fields
    ]


def _told(subscription: Subscription) -> Trace:
    what, _, by = subscription.history[-1]
    return Trace(
        "configure",
        by,
        subscription.unit,
        subscription.resource,
        fields=subscription.fields,
        grant=subscription.grant,
        detail=f"subscription:{subscription.id}:{what}",
    )


def _item(subscription: Subscription) -> Item:
    return Item(
        pk=f"SUBSCRIPTION#{subscription.id}",
        sk="SUBSCRIPTION",
        body=subscription.as_dict(),
        index1=(f"SUBSCRIPTIONS#{subscription.resource}", f"{subscription.created_at}#{subscription.id}"),
        index2=(f"SUBSCRIPTIONS#{subscription.unit}", f"{subscription.created_at}#{subscription.id}"),
    )
