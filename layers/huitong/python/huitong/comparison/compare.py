"""From validated batches to published tables, one resource at a time, in landing order (Q-33).

Effects of a publication, in this order, each looked for before it is done again:
files, commit of the change log, commit of the current table, one register write
(pointer, history, batch), wake-up of the pushes, event, note that both were done.
A run that is killed anywhere is completed by the next one.

A comparison too large for one function is handed to a workflow (:mod:`huitong.comparison.fan_out`), or
computed by Athena where it is configured so (:mod:`huitong.comparison.on_athena`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from huitong.batches.following import following
from huitong.batches.model import IN_FLIGHT, Batch, Counts
from huitong.batches.register import Batches, Stored
from huitong.comparison.fan_out import FanOut
from huitong.comparison.guard import preview, reasons
from huitong.comparison.inputs import Inputs
from huitong.comparison.outputs import Outputs
from huitong.comparison.publishing import BY, Job, Publishing
from huitong.comparison.sources import Sources, opened
from huitong.contracts.registry import Contracts
from huitong.errors import Corrupt
from huitong.ports import Clock, EventBus, ObjectStore, Queue
from huitong.quality.keys import is_deletes, quarantined_keys_key
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.publication import Publications, published_meanwhile

if TYPE_CHECKING:
    from huitong.comparison.athena_difference import AthenaDifference
    from huitong.comparison.diff import Difference
    from huitong.comparison.on_athena import OnAthena

LARGE_ROWS: Final = 2_000_000


class Compare:
    """``fan_out`` and ``athena`` None: every comparison is done here, however large."""

    def __init__(
        self,
        warehouse: ObjectStore,
        staging: ObjectStore,
        lakehouse: Lakehouse,
        contracts: Contracts,
        batches: Batches,
        publications: Publications,
        push_queue: Queue,
        compare_queue: Queue,
        events: EventBus,
        clock: Clock,
        *,
        memory_mb: int = 300,
        fan_out: FanOut | None = None,
        athena: OnAthena | None = None,
    ) -> None:
        self._warehouse = warehouse
        self._staging = staging
        self._lakehouse = lakehouse
        self._contracts = contracts
        self._batches = batches
        self._publications = publications
        self._publishing = Publishing(lakehouse, batches, publications, push_queue, events)
        self._compare_queue = compare_queue
        self._clock = clock
        self._memory_mb = memory_mb
        self._fan_out = fan_out
        self._athena = athena

    def run(self, resource: str) -> list[Batch]:
        """Publish, hold or set aside every ready batch of a resource; the batches that moved.

        Stops at the first batch that is not validated yet: its own validation wakes
        us again; and at one that is handed to a workflow, whose end wakes us. A held batch lets those
        behind it pass. Raises NotFound without a contract, Conflict when another run of the same resource
        is at work, Unavailable, UnknownCommitState, Corrupt, and Fault when counts do not balance.
        """
        self._publishing.announce(self._publications.get(resource))
        moved: list[Batch] = []
        if self._fan_out is not None and self._fan_out.busy(resource):
            return moved
        for stored in self._batches.in_flight(resource):
            if moved:  # time has passed: it may have been failed, or settled by somebody else
                stored = self._batches.get(stored.batch.id)
            if stored.batch.status not in IN_FLIGHT:
                continue
            if stored.batch.status != "validated":
                break
            with following(stored.batch):
                settled = self._settle(stored)
            if settled is None:
                break
            moved.append(settled)
        return moved

    # --- one batch ---------------------------------------------------------

    def _settle(self, stored: Stored) -> Batch | None:
        """The batch as it ended; None when a workflow has it now."""
        batch = stored.batch
        pointer = self._publications.get(batch.resource)
        if pointer is not None and pointer.batch_id == batch.id:
            raise published_meanwhile(batch.resource)
        later = self._publications.landed_after(batch.resource, batch.placed)
        if any(p.mode == "full" for p in later):
            return self._set_aside(stored)
        job = Job(stored, self._contracts.get(batch.resource), pointer, later)
        self._lakehouse.ensure(job.contract)
        sources = self._sources(job)
        if self._athena is not None and self._athena.choice(job.contract, sources).engine == "athena":
            return self._compare_on_athena(self._athena, job, sources)
        if self._fan_out is not None and self._fan_out.wanted(job, sources):
            ids = self._lakehouse.field_ids(job.contract, "changes")
            self._fan_out.start(job, sources, ids)
            return None
        return self._compare(job, sources)

    def _set_aside(self, stored: Stored) -> Batch:
        """A full edition that landed later is published: this batch has nothing to say any more."""
        batch = stored.batch
        self._publishing.tell("BatchSuperseded", batch)
        findings = batch.findings
        if batch.mends:
            from huitong.comparison.overtaken import all_rows

            refs = [DataFileRef.from_json(text) for text in batch.good]
            with self._lakehouse.local.open(refs) as paths:
                findings = self._overtaken(batch, all_rows(paths))
        return self._batches.move(stored, "superseded", by=BY, findings=findings).batch

    def _overtaken(self, batch: Batch, rows: Sequence[int]) -> str:
        """Rows brought again that come too late are told to their unit: the key of the findings with them."""
        if not (batch.mends and rows):
            return batch.findings
        from huitong.comparison.overtaken import with_overtaken

        return with_overtaken(self._staging, batch, rows)

    def _compare(self, job: Job, sources: Sources) -> Batch:
        from huitong.comparison.diff import compared

        with (
            TemporaryDirectory(prefix="huitong-compare-") as folder,
            opened(sources, job.contract, self._lakehouse.local, self._staging) as inputs,
            compared(inputs, self._memory_for(sources)) as difference,
        ):
            return self._end(job, sources, inputs, difference, Path(folder))

    def _compare_on_athena(self, athena: OnAthena, job: Job, sources: Sources) -> Batch:
        with (
            TemporaryDirectory(prefix="huitong-compare-") as folder,
            athena.compared(job, sources) as difference,
        ):
            ended = self._end(job, sources, Inputs(job.contract, sources.mode), difference, Path(folder))
        if ended.status == "published":
            athena.clean(job)
        return ended

    def _end(
        self,
        job: Job,
        sources: Sources,
        inputs: Inputs,
        difference: Difference | AthenaDifference,
        folder: Path,
    ) -> Batch:
        """Publish or hold what was found."""
        counts = self._publishing.counts(job, difference.outcome)
        before = sources.current_rows
        why = reasons(job.batch, difference.outcome, before, job.contract.limits)
        if not why:
            return self._publish(job, before, inputs, difference, counts, folder)
        samples = {op: difference.keys(op, size) for op, size in why.samples().items()}
        shown = preview(job.contract, difference.outcome, before, why, samples)
        return self._publishing.hold(job, shown)

    def _publish(
        self,
        job: Job,
        before: int,
        inputs: Inputs,
        difference: Difference | AthenaDifference,
        counts: Counts,
        folder: Path,
    ) -> Batch:
        from huitong.comparison.writing import Stamp

        batch, now = job.batch, self._clock.now()
        outputs = Outputs(self._warehouse, job.contract, folder)
        received = datetime.fromisoformat(batch.received_at)
        stamp = Stamp(job.seq, batch.resource, batch.unit, batch.id, received, now)
        ids = self._lakehouse.field_ids(job.contract, "changes")
        changes = self._publishing.commit(job, "changes", outputs.changes(difference, inputs, stamp, ids))
        files = outputs.current(difference, inputs, batch.id)
        current = self._publishing.commit(job, "current", files)
        return self._publishing.enter(
            job,
            counts,
            snapshots=(changes, current),
            rows=before + sum(r.rows for r in files.add) - sum(r.rows for r in files.remove),
            now=now,
            findings=self._overtaken(batch, difference.overtaken_rows() if batch.mends else ()),
        )

    def _memory_for(self, sources: Sources) -> int:
        """Large editions spill to disk below this; more room saves them half of the work."""
        rows = max(sources.current_rows, sum(r.rows for r in sources.delivered))
        return self._memory_mb if rows <= LARGE_ROWS else self._memory_mb * 5 // 2

    # --- files -------------------------------------------------------------

    def _sources(self, job: Job) -> Sources:
        batch, contract = job.batch, job.contract
        good = [DataFileRef.from_json(text) for text in batch.good]
        keys = quarantined_keys_key(batch.quarantine)
        has_keys = batch.mode == "full" and batch.quarantine and self._staging.head(keys) is not None
        if batch.mode == "full" and batch.held_keys and not has_keys:
            raise Corrupt(
                f"批次 {batch.id} 的隔离主键文件不见了,不能比对",
                f"The keys of the rows in quarantine of batch {batch.id} are gone: it cannot be compared",
                batch=batch.id,
                key=keys,
            )
        # keys that increments which landed later have already spoken about
        stated = [text for p in job.later for text in self._batches.get(p.batch_id).batch.good]
        return Sources(
            mode=batch.mode,
            current=tuple(self._lakehouse.files(contract, "current", job.base("current"))),
            delivered=tuple(r for r in good if not is_deletes(r)),
            deletes=tuple(r for r in good if is_deletes(r)),
            stated=tuple(DataFileRef.from_json(text) for text in stated),
            quarantined=keys if has_keys else "",
        )
