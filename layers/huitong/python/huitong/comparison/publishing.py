"""From files that are written to what is served: commits, one register write, wake-ups.

Effects in this order, each looked for before it is done again: commit of the change
log, commit of the current table, one register write (pointer, history, batch),
wake-up of the pushes, event, note that both were done. It is the same whether one
function compared the batch or many did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches, Stored
from huitong.comparison.inputs import Outcome
from huitong.comparison.outputs import Written
from huitong.contracts.model import Contract
from huitong.errors import Fault
from huitong.ports import EventBus, Item, Queue, timestamp
from huitong.warehouse.lakehouse import Lakehouse, Which
from huitong.warehouse.publication import Publication, Publications

BY: Final = "compare"


@dataclass(frozen=True, slots=True)
class Job:
    """One batch about to be compared with what is served."""

    stored: Stored
    contract: Contract
    pointer: Publication | None
    later: Sequence[Publication] = ()  # publications of batches that landed after this one

    @property
    def batch(self) -> Batch:
        return self.stored.batch

    @property
    def seq(self) -> int:
        return self.pointer.seq + 1 if self.pointer else 1

    def base(self, which: Which) -> int:
        """The snapshot that is served, 0 = none."""
        return _snapshot(self.pointer, which)


@dataclass(frozen=True, slots=True)
class Publishing:
    lakehouse: Lakehouse
    batches: Batches
    publications: Publications
    push_queue: Queue
    events: EventBus

    def counts(self, job: Job, outcome: Outcome) -> Counts:
        """The batch's counts as they will be published. Raises Fault when they do not balance."""
        batch = job.batch
        counts = replace(batch.counts, **asdict(outcome))
        if not counts.balanced(batch.mode):
            told = {"batch": batch.id, "resource": batch.resource, "counts": asdict(counts)}
            self.events.publish("LedgerImbalance", told)
            raise Fault(
                f"批次 {batch.id} 的行数不平衡,未发布",
                f"The counts of batch {batch.id} do not balance: not published",
                batch=batch.id,
                counts=asdict(counts),
            )
        return counts

    def commit(self, job: Job, which: Which, files: Written) -> int:
        """One snapshot of the batch on top of what is served; its id. A repeat finds it."""
        return self.lakehouse.commit(
            job.contract,
            which,
            add=files.add,
            remove=files.remove,
            local=files.local,
            batch_id=job.batch.id,
            seq=job.seq,
            base=job.base(which),
            served=lambda: _snapshot(self.publications.get(job.batch.resource), which),
        )

    def enter(
        self,
        job: Job,
        counts: Counts,
        *,
        snapshots: tuple[int, int],
        rows: int,
        now: datetime,
        findings: str = "",
        replaces: Sequence[Item] = (),
    ) -> Batch:
        """Make the snapshots (change log, current) the served ones and the batch published, in one write.

        ``rows`` are those of the current table; ``replaces`` are further entries of the same write.
        """
        batch = job.batch
        publication = Publication(
            resource=batch.resource,
            seq=job.seq,
            batch_id=batch.id,
            current_snapshot=snapshots[1],
            changes_snapshot=snapshots[0],
            published_at=timestamp(now),
            rows=rows,
            order=batch.placed,
            received_high=max(batch.placed, job.pointer.received_high if job.pointer else ""),
            mode=batch.mode,
            contract_version=job.contract.version,
            counts=asdict(counts),
        )
        entry = self.publications.entry(publication)
        moved = self.batches.move(
            job.stored,
            "published",
            by=batch.released_by or BY,
            creates=entry.creates,
            replaces=[*entry.replaces, *replaces],
            counts=counts,
            findings=findings or batch.findings,
            seq=publication.seq,
            published_at=publication.published_at,
        )
        self.announce(publication)
        return moved.batch

    def hold(self, job: Job, shown: dict[str, Any], replaces: Sequence[Item] = ()) -> Batch:
        """Set the batch aside until somebody decides."""
        self.tell("BatchHeld", job.batch)
        return self.batches.move(job.stored, "held", by=BY, preview=shown, replaces=replaces).batch

    def announce(self, publication: Publication | None) -> None:
        """Wake the pushes of what is served and tell of it, unless that was done."""
        if publication is None or publication.announced:
            return
        resource, seq = publication.resource, publication.seq
        self.push_queue.send(
            {"resource": resource, "seq": seq},
            group=f"resource:{resource}",
            dedup=f"{publication.batch_id}-{seq}",
        )
        told = {"batch": publication.batch_id, "resource": resource, "seq": seq, "rows": publication.rows}
        self.events.publish("BatchPublished", {**told, "counts": dict(publication.counts)})
        self.publications.mark_announced(publication)

    def tell(self, kind: str, batch: Batch) -> None:
        self.events.publish(kind, {"batch": batch.id, "resource": batch.resource, "unit": batch.unit})


def _snapshot(pointer: Publication | None, which: Which) -> int:
    if pointer is None:
        return 0
    return pointer.current_snapshot if which == "current" else pointer.changes_snapshot
