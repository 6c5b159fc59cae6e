"""Batches in the register: one item each, every change of state one conditional write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from huitong.audit.trace import Act, Trace, Traces
from huitong.batches.held import Holdings
from huitong.batches.model import IN_FLIGHT, TRANSITIONS, Batch, Status
from huitong.errors import Conflict, NotFound
from huitong.ports import Clock, Item, Register, timestamp

#: Partition of what :func:`_decided` leaves.
DECIDED: Final = "DECIDED"


def batch_id(unit: str, resource: str, sha256: str, edition: str, mends: str = "") -> str:
    """The identity of a delivery: same unit, resource, bytes, edition and mended batch, same batch."""
    named = (unit, resource, sha256, edition, mends) if mends else (unit, resource, sha256, edition)
    digest = hashlib.sha256("\x1f".join(named).encode()).hexdigest()
    return f"b{digest[:31]}"


def no_batch(id: str) -> NotFound:
    return NotFound(f"没有批次 {id}", f"There is no batch {id}", batch=id)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch with the register version it was read at."""

    batch: Batch
    item: Item


class Batches:
    """``told`` hears of each state entered, once, after it is written: for log lines and metrics."""

    def __init__(
        self,
        register: Register,
        clock: Clock,
        traces: Traces | None = None,
        told: Callable[[Batch, str], None] = lambda _batch, _before: None,
    ) -> None:
        self._told = told
        self._register = register
        self._clock = clock
        self._log = traces or Traces(register, clock)
        self.holdings = Holdings(register)

    def get(self, id: str) -> Stored:
        """Raises NotFound."""
        found = self.find(id)
        if found is None:
            raise no_batch(id)
        return found

    def find(self, id: str) -> Stored | None:
        item = self._register.get(f"BATCH#{id}", "BATCH")
        return Stored(Batch.from_dict(item.body), item) if item else None

    def create(self, batch: Batch, *, by: str) -> Stored:
        """Register a new batch. Raises Conflict when the id is taken: then it is the same delivery."""
        batch = replace(batch, history=((batch.status, timestamp(self._clock.now()), by),))
        item = _item(batch)
        self._log.commit(*_traces(batch, by), creates=[item, *_markers(batch)])
        self._told(batch, "")
        return Stored(batch, replace(item, version=1))

    def move(
        self,
        stored: Stored,
        status: Status,
        *,
        by: str,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        **changes: Any,
    ) -> Stored:
        """Change state and attributes in one write, together with further entries if given.

        Raises Conflict when the transition is not allowed or when somebody else
        changed the batch after it was read.
        """
        batch = stored.batch
        if status not in TRANSITIONS[batch.status]:
            raise Conflict(
                f"批次 {batch.id} 处于 {batch.status},不能转为 {status}",
                f"Batch {batch.id} is {batch.status} and cannot become {status}",
                batch=batch.id,
                status=batch.status,
            )
        entry = (status, timestamp(self._clock.now()), by)
        moved = replace(batch, status=status, history=(*batch.history, entry), **changes)
        item = replace(_item(moved), version=stored.item.version)
        before, after = _markers(batch), _markers(moved)
        self._log.commit(
            *_traces(moved, by, batch.status),
            creates=[*(after if not before else ()), *_decided(batch, moved), *creates],
            replaces=[item, *replaces],
            deletes=[(m.pk, m.sk) for m in before] if not after else (),
        )
        self._told(moved, batch.status)
        return Stored(moved, replace(item, version=item.version + 1))

    def annotate(self, stored: Stored, **changes: Any) -> Stored:
        """Change attributes without changing state. Raises Conflict like :meth:`move`."""
        changed = replace(stored.batch, **changes)
        item = self._register.replace(replace(_item(changed), version=stored.item.version))
        return Stored(changed, item)

    def of_resource(self, resource: str, *, low: str = "", high: str = "", limit: int = 0) -> list[Batch]:
        """Batches of a resource, newest landing first (eventually consistent)."""
        return self._listed("index1", f"BATCHES#{resource}", low, high, limit)

    def of_unit(self, unit: str, *, low: str = "", high: str = "", limit: int = 0) -> list[Batch]:
        return self._listed("index2", f"BATCHES#{unit}", low, high, limit)

    def in_flight(self, resource: str) -> list[Stored]:
        """Batches of a resource that still move by themselves, in landing order, strongly consistent."""
        markers = self._register.query(f"FLIGHT#{resource}")
        found = [self.find(marker.body["batch"]) for marker in markers]
        return [s for s in found if s is not None and s.batch.status in IN_FLIGHT]

    def _listed(self, index: Any, pk: str, low: str, high: str, limit: int) -> list[Batch]:
        high = f"{high}\uffff" if high else ""
        items = self._register.query_index(index, pk, low=low, high=high, limit=limit, descending=True)
        return [Batch.from_dict(i.body) for i in items]


def _traces(batch: Batch, by: str, before: Status | None = None) -> list[Trace]:
    """What a state entered means for the record (L-34): collected, compared, became an update."""
    counts = batch.counts
    acts: dict[Act, int] = {}
    decided = before in ("held", "failed") and batch.status != "superseded"
    if decided:  # somebody released, rejected or replayed it: what was recorded before is not again
        acts["procedure"] = 0
    elif batch.status in ("ingested", "duplicate") or (batch.status == "rejected" and not counts.accepted):
        acts["collect"] = counts.received
    if batch.status in ("published", "held", "superseded"):
        acts["compare"] = counts.accepted
    if batch.status == "published":
        acts["update"] = counts.inserted + counts.updated + counts.deleted
    of_batch = Trace(
        "collect",
        actor=by,
        unit=batch.unit,
        resource=batch.resource,
        batch=batch.id,
        seq=batch.seq,
        case_no=batch.case_no,
        detail=f"batch:{before}:{batch.status}" if decided else "",
    )
    return [replace(of_batch, act=act, count=rows) for act, rows in acts.items()]


def _item(batch: Batch) -> Item:
    return Item(
        pk=f"BATCH#{batch.id}",
        sk="BATCH",
        body=batch.as_dict(),
        index1=(f"BATCHES#{batch.resource}", batch.order),
        index2=(f"BATCHES#{batch.unit}", batch.order),
    )


def _decided(before: Batch, after: Batch) -> list[Item]:
    """What says that a delivery was decided on, for those who follow its findings (C-05): in the same write,
    so that none is forgotten, and read and removed by the clock."""
    if before.status not in ("received", "ingested") or after.status not in ("validated", "rejected"):
        return []
    return [Item(DECIDED, f"{after.id}#{len(after.history):03}", {"batch": after.id})]


def _markers(batch: Batch) -> list[Item]:
    if batch.status not in IN_FLIGHT:
        return []
    return [Item(pk=f"FLIGHT#{batch.resource}", sk=f"{batch.placed}#{batch.id}", body={"batch": batch.id})]
