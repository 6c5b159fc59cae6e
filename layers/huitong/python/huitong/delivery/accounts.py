"""Deliveries in the register, and what the ledger takes from them. Light to import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from huitong.delivery.model import Delivery
from huitong.errors import NotFound
from huitong.ports import Item, Register


@dataclass(frozen=True, slots=True)
class DeliveryTotals:
    """Events (not messages) that receivers were to get: due = acknowledged + failed + pending."""

    due: int = 0
    acknowledged: int = 0
    failed: int = 0
    pending: int = 0

    @property
    def balanced(self) -> bool:
        return self.due == self.acknowledged + self.failed + self.pending

    def plus(self, other: DeliveryTotals) -> DeliveryTotals:
        both = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(DeliveryTotals)}
        return DeliveryTotals(**both)


@dataclass(frozen=True, slots=True)
class Stored:
    """A delivery with the register version it was read at."""

    delivery: Delivery
    item: Item


class Deliveries:
    def __init__(self, register: Register) -> None:
        self._register = register

    def get(self, subscription: str, n: int) -> Stored:
        """Raises NotFound."""
        item = self._register.get(f"SUBSCRIPTION#{subscription}", f"DELIVERY#{n:010}")
        if item is None:
            raise NotFound(
                f"没有投递 {subscription}.{n}",
                f"There is no delivery {subscription}.{n}",
                subscription=subscription,
                sequence=n,
            )
        return _stored(item)

    def of_subscription(
        self, subscription: str, *, after: int = 0, limit: int = 0, descending: bool = False
    ) -> list[Stored]:
        """In order of their sequence, strongly consistent; ``after`` is exclusive."""
        edge = f"DELIVERY#{after:010}" if after else ""
        found = self._register.query(
            f"SUBSCRIPTION#{subscription}",
            prefix="DELIVERY#",
            after=edge,
            limit=limit,
            descending=descending,
        )
        return [_stored(item) for item in found]

    def of_resource(self, resource: str, *, low: str = "", high: str = "", limit: int = 0) -> list[Delivery]:
        """Newest first, by time of planning; eventually consistent."""
        return self._listed(True, resource, low, high, limit)

    def of_unit(self, unit: str, *, low: str = "", high: str = "", limit: int = 0) -> list[Delivery]:
        """Of a receiving unit; newest first, by time of planning; eventually consistent."""
        return self._listed(False, unit, low, high, limit)

    def totals(
        self, resource: str = "", unit: str = "", low: str = "", high: str = "", *, seq: int = 0
    ) -> DeliveryTotals:
        """Events due and what became of them, of a resource, a receiving unit, a period of planning.

        ``seq`` (with ``resource``) gives those of one publication, hence of one batch. Rows X-12, C-16.
        """
        if unit:
            found = [d for d in self.of_unit(unit, low=low, high=high) if resource in ("", d.resource)]
        else:
            found = [
                d for name in self._resources(resource) for d in self.of_resource(name, low=low, high=high)
            ]
        return totals_of(d for d in found if seq in (0, d.seq))

    def _resources(self, resource: str) -> list[str]:
        if resource:
            return [resource]
        return sorted({str(item.body["resource"]) for item in self._register.query("SUBSCRIPTIONS")})

    def _listed(self, by_resource: bool, key: str, low: str, high: str, limit: int) -> list[Delivery]:
        high = f"{high}\uffff" if high else ""
        items = self._register.query_index(
            "index1" if by_resource else "index2",
            f"DELIVERIES#{key}",
            low=low,
            high=high,
            limit=limit,
            descending=True,
        )
        return [Delivery.from_dict(item.body) for item in items]


def totals_of(deliveries: Iterable[Delivery]) -> DeliveryTotals:
    """Sum the events of deliveries by what became of them."""
    total = DeliveryTotals()
    for delivery in deliveries:
        total = total.plus(DeliveryTotals(due=delivery.count, **{delivery.state: delivery.count}))
    return total


def item_of(delivery: Delivery, version: int = 0) -> Item:
    """The register entry of a delivery; ``version`` 0 creates it."""
    order = f"{delivery.created_at}#{delivery.subscription}#{delivery.n:010}"
    return Item(
        pk=f"SUBSCRIPTION#{delivery.subscription}",
        sk=f"DELIVERY#{delivery.n:010}",
        body=delivery.as_dict(),
        version=version,
        index1=(f"DELIVERIES#{delivery.resource}", order),
        index2=(f"DELIVERIES#{delivery.unit}", order),
    )


def _stored(item: Item) -> Stored:
    return Stored(Delivery.from_dict(item.body), item)
