"""What became of the rows in quarantine, as the ledger tells it (X-12). Light."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from huitong.batches.held import Holding
from huitong.batches.model import Batch
from huitong.batches.register import Batches


@dataclass(frozen=True, slots=True)
class Imbalance:
    """One equation that does not hold."""

    equation: str
    left: int
    right: int
    resource: str
    batch: str = ""
    seq: int = 0

    def as_dict(self) -> dict[str, Any]:
        zh = f"账目不平:{self.equation}({self.left} ≠ {self.right})"
        return {
            **asdict(self),
            "zh": zh,
            "en": f"out of balance: {self.equation} ({self.left} ≠ {self.right})",
        }


@dataclass(frozen=True, slots=True)
class Held:
    """quarantined = open + mended + replayed + expired. Rows that a delivery of mended rows left behind again
    (``again``) are among the open ones of the first delivery: they are not counted twice."""

    open: int = 0
    mended: int = 0
    replayed: int = 0
    expired: int = 0
    again: int = 0

    def plus(self, holding: Holding) -> Held:
        of = holding.figures()
        return Held(**{name: getattr(self, name) + of.get(name, 0) for name in asdict(self)})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class HeldAccounts:
    """``family``: the deliveries that brought rows again, with what they took."""

    held: Held
    family: tuple[Mapping[str, Any], ...]
    broken: list[Imbalance]


def accounts_of(batches: Iterable[Batch], register: Batches) -> HeldAccounts:
    """Of the batches that hold rows themselves. Everything is read anew: lists lag behind."""
    held, again = Held(), 0
    family: list[Mapping[str, Any]] = []
    broken: list[Imbalance] = []
    for batch in batches:
        if batch.mends:
            again += batch.counts.quarantined
            broken += _unknown_to_first(batch, register)
            continue
        stored = register.holdings.find(batch) if batch.counts.quarantined else None
        if stored is not None:
            held = held.plus(stored.holding)
            family += _members(stored.holding, register)
            broken += _imbalances(batch, stored.holding, register)
    return HeldAccounts(Held(**{**held.as_dict(), "again": again}), tuple(family), broken)


def _members(holding: Holding, register: Batches) -> Iterator[Mapping[str, Any]]:
    for take in holding.takes:
        found = register.find(take.batch)
        if found is not None:
            counts, batch = found.batch.counts, found.batch
            yield {
                "batch": take.batch, "kind": take.kind, "status": batch.status, "received": counts.received,
                "accepted": counts.accepted, "quarantined": counts.quarantined,
                "duplicate": counts.duplicate, "taken": take.closed,
            }  # fmt: skip


def _imbalances(batch: Batch, holding: Holding, register: Batches) -> Iterator[Imbalance]:
    place = (batch.resource, batch.id, batch.seq)
    rows = batch.counts.quarantined
    if rows != holding.rows:
        yield Imbalance("quarantined = open + mended + replayed + expired", rows, holding.rows, *place)
    if holding.open < 0:
        yield Imbalance("open ≥ 0", holding.open, 0, *place)
    for take in holding.takes:
        found = register.find(take.batch)
        accepted = found.batch.counts.accepted if found else 0
        if accepted != take.rows:
            name = f"rows {take.kind} = accepted by {take.batch}"
            yield Imbalance(name, take.rows, accepted, *place)


def _unknown_to_first(batch: Batch, register: Batches) -> Iterator[Imbalance]:
    """A delivery of mended rows that counts while the first one knows nothing of it."""
    stored = register.find(batch.id)
    if stored is None or stored.batch.status == "rejected" or not stored.batch.counts.accepted:
        return
    first = register.find(batch.mends)
    takes = register.holdings.of_family(first.batch) if first else ()
    if batch.id not in {take.batch for take in takes}:
        name = "rows mended = accepted"
        yield Imbalance(name, 0, stored.batch.counts.accepted, batch.resource, batch.id, batch.seq)
