"""What quarantine holds of each delivery, and what became of those rows (C-07, C-13, X-12).

One entry for each batch that left rows in quarantine, written in the transaction
that decided on it: ``HELD#{resource}`` / batch id. Deliveries of mended rows and
replays *take* rows of it, each in the transaction of its own validation, on
condition that nobody took any meanwhile: so a row is mended once, however many
deliver it at the same time. Which rows a delivery took stands in an object
(:attr:`Take.key`); the entry has numbers only. Light to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from huitong.errors import Conflict
from huitong.ports import Item, Register

if TYPE_CHECKING:
    from huitong.batches.model import Batch

Kind = Literal["mended", "replayed"]
#: A delivery that ended so took nothing: its rows are open again.
_VOID: Final = frozenset({"rejected"})


@dataclass(frozen=True, slots=True)
class Take:
    """What one delivery took. ``rows`` were accepted of it; ``also`` are further rows closed with them:
    copies of those, and rows of a key that was delivered by key. The object ``key`` has their numbers."""

    batch: str
    kind: Kind
    rows: int
    also: int
    key: str

    @property
    def closed(self) -> int:
        return self.rows + self.also


@dataclass(frozen=True, slots=True)
class Holding:
    """``rows`` = open + mended + replayed + expired, always. ``whole``: the batch was rejected, so all of its
    rows but repeated ones are held."""

    batch: str
    resource: str
    unit: str
    at: str  # when the delivery landed
    rows: int
    whole: bool = False
    by_rule: Mapping[str, int] = field(default_factory=dict)
    takes: tuple[Take, ...] = ()
    expired: int = 0
    expired_at: str = ""
    gone: bool = False  # what had expired is deleted
    noticed_at: str = ""

    def closed(self, kind: Kind) -> int:
        return sum(take.closed for take in self.takes if take.kind == kind)

    @property
    def mended(self) -> int:
        return self.closed("mended")

    @property
    def replayed(self) -> int:
        return self.closed("replayed")

    @property
    def open(self) -> int:
        return self.rows - self.mended - self.replayed - self.expired

    def figures(self) -> dict[str, int]:
        return {
            "open": self.open, "mended": self.mended, "replayed": self.replayed, "expired": self.expired,
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "takes": tuple(Take(**take) for take in body["takes"])})


@dataclass(frozen=True, slots=True)
class StoredHolding:
    """A holding as it was read, without the takes of deliveries that were rejected since."""

    holding: Holding
    item: Item

    def taken_by(self, take: Take) -> Item:
        """The entry with one more take; a delivery that was there before is replaced."""
        others = tuple(t for t in self.holding.takes if t.batch != take.batch)
        return self.changed(takes=(*others, take))

    def changed(self, **changes: Any) -> Item:
        return replace(self.item, body=replace(self.holding, **changes).as_dict())


class Holdings:
    def __init__(self, register: Register) -> None:
        self._register = register

    def find(self, batch: Batch) -> StoredHolding | None:
        """What is held of a batch, without the takes of deliveries that were rejected afterwards."""
        item = self._register.get(_partition(batch.resource), batch.id)
        return self._stored(item) if item else None

    def of_resource(self, resource: str) -> list[StoredHolding]:
        """Of all batches of a resource, by batch id, strongly consistent."""
        return [self._stored(item) for item in self._register.query(_partition(resource))]

    def of_family(self, batch: Batch) -> Sequence[Take]:
        found = self.find(batch)
        return found.holding.takes if found else ()

    def _stored(self, item: Item) -> StoredHolding:
        holding = Holding.from_dict(item.body)
        kept = tuple(take for take in holding.takes if not self._void(take))
        return StoredHolding(replace(holding, takes=kept), item)

    def _void(self, take: Take) -> bool:
        found = self._register.get(f"BATCH#{take.batch}", "BATCH")
        return found is not None and found.body["status"] in _VOID


def entry_of(batch: Batch) -> list[Item]:
    """The entry of a batch that validation has decided on; none where it holds nothing of its own.

    What a delivery of mended rows could not take stays with the first delivery.
    """
    rows = batch.counts.quarantined
    if batch.mends or not rows:
        return []
    holding = Holding(
        batch.id,
        batch.resource,
        batch.unit,
        batch.received_at,
        rows,
        whole=batch.decision == "rejected",
        by_rule=dict(batch.quality.by_rule),
    )
    return [Item(_partition(batch.resource), batch.id, holding.as_dict())]


def may_be_mended(batch: Batch) -> None:
    """Raises Conflict for a delivery that is not through yet, or of which an officer wants nothing."""
    if batch.status in ("published", "superseded") or (
        batch.status == "rejected" and batch.decision == "rejected" and batch.counts.received
    ):
        return
    raise Conflict(
        f"批次 {batch.id} 处于 {batch.status},没有可补正的隔离行",
        f"Batch {batch.id} is {batch.status}: it has no rows in quarantine that can be mended",
        batch=batch.id,
        status=batch.status,
    )


def _partition(resource: str) -> str:
    return f"HELD#{resource}"
