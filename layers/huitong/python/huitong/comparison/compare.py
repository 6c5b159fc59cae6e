"""From validated batches to published tables, one resource at a time, in landing order (Q-33).

Effects of a publication, in this order, each looked for before it is done again:
files, commit of the change log, commit of the current table, one register write
(pointer, history, batch), wake-up of the pushes, event, note that both were done.
A run that is killed anywhere is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from huitong.batches.model import IN_FLIGHT, Batch, Counts
from huitong.batches.register import Batches, Stored
from huitong.comparison.guard import Kind, excesses, preview, sample_sizes
from huitong.comparison.inputs import Inputs, LocalFile, Op, Outcome
from huitong.contracts.model import Contract
from huitong.contracts.registry import Contracts
from huitong.errors import Corrupt, Fault
from huitong.ports import Clock, EventBus, ObjectStore, Queue, timestamp
from huitong.quality.keys import is_deletes, quarantined_keys_key
from huitong.warehouse.files import DataFileRef, changes_table, data_prefix
from huitong.warehouse.lakehouse import Lakehouse, Which
from huitong.warehouse.publication import Publication, Publications, published_meanwhile

if TYPE_CHECKING:
    from huitong.comparison.diff import Difference

BY: Final = "compare"
LARGE_ROWS: Final = 2_000_000
_OPS: Final[Mapping[Kind, Op]] = {"deleted": "delete", "updated": "update"}


@dataclass(frozen=True, slots=True)
class _Job:
    """One batch about to be compared with what is served."""

    stored: Stored
    contract: Contract
    pointer: Publication | None
    later: Sequence[Publication]  # publications of batches that landed after this one

    @property
    def batch(self) -> Batch:
        return self.stored.batch

    @property
    def seq(self) -> int:
        return self.pointer.seq + 1 if self.pointer else 1


@dataclass(frozen=True, slots=True)
class _Written:
    """Files for one commit."""

    add: tuple[DataFileRef, ...]
    remove: tuple[DataFileRef, ...]
    local: Mapping[str, Path]


class Compare:
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
    ) -> None:
        self._warehouse = warehouse
        self._staging = staging
        self._lakehouse = lakehouse
        self._contracts = contracts
        self._batches = batches
        self._publications = publications
        self._push_queue = push_queue
        self._compare_queue = compare_queue
        self._events = events
        self._clock = clock
        self._memory_mb = memory_mb

    def run(self, resource: str) -> list[Batch]:
        """Publish, hold or set aside every ready batch of a resource; the batches that moved.

        Stops at the first batch that is not validated yet: its own validation wakes
        us again. A held batch lets those behind it pass. Raises NotFound without a
        contract, Conflict when another run of the same resource is at work,
        Unavailable, UnknownCommitState, Corrupt, and Fault when counts do not balance.
        """
        self._announce(self._publications.get(resource))
        moved: list[Batch] = []
        for stored in self._batches.in_flight(resource):
            if moved:  # time has passed: it may have been failed, or settled by somebody else
                stored = self._batches.get(stored.batch.id)
            if stored.batch.status not in IN_FLIGHT:
                continue
            if stored.batch.status != "validated":
                break
            moved.append(self._settle(stored))
        return moved

    # --- one batch ---------------------------------------------------------

    def _settle(self, stored: Stored) -> Batch:
        batch = stored.batch
        pointer = self._publications.get(batch.resource)
        if pointer is not None and pointer.batch_id == batch.id:
            raise published_meanwhile(batch.resource)
        later = self._publications.landed_after(batch.resource, batch.placed)
        if any(p.mode == "full" for p in later):
            return self._set_aside(stored)
        contract = self._contracts.get(batch.resource)
        return self._compare(_Job(stored, contract, pointer, later))

    def _set_aside(self, stored: Stored) -> Batch:
        """A full edition that landed later is published: this batch has nothing to say any more."""
        batch = stored.batch
        self._tell("BatchSuperseded", batch)
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

    def _compare(self, job: _Job) -> Batch:
        from huitong.comparison.diff import compared

        self._lakehouse.ensure(job.contract)
        with (
            TemporaryDirectory(prefix="huitong-compare-") as folder,
            self._inputs(job) as inputs,
            compared(inputs, self._memory_for(inputs)) as difference,
        ):
            counts = self._counts(job, difference.outcome)
            exceeded = excesses(difference.outcome, inputs.current_rows, job.contract.limits)
            if (not exceeded and not job.batch.hold_for) or job.batch.released_by:
                return self._publish(job, inputs, difference, counts, Path(folder))
            sizes = sample_sizes(exceeded)
            samples = {kind: difference.keys(_OPS[kind], size) for kind, size in sizes.items()}
            shown = preview(
                job.contract, difference.outcome, inputs.current_rows, exceeded, samples, job.batch.hold_for
            )
        self._tell("BatchHeld", job.batch)
        return self._batches.move(job.stored, "held", by=BY, preview=shown).batch

    def _counts(self, job: _Job, outcome: Outcome) -> Counts:
        """The batch's counts as they will be published. Raises Fault when they do not balance."""
        counts = replace(job.batch.counts, **asdict(outcome))
        if not counts.balanced(job.batch.mode):
            self._events.publish(
                "LedgerImbalance",
                {"batch": job.batch.id, "resource": job.batch.resource, "counts": asdict(counts)},
            )
            raise Fault(
                f"批次 {job.batch.id} 的行数不平衡,未发布",
                f"The counts of batch {job.batch.id} do not balance: not published",
                batch=job.batch.id,
                counts=asdict(counts),
            )
        return counts

    def _publish(
        self, job: _Job, inputs: Inputs, difference: Difference, counts: Counts, folder: Path
    ) -> Batch:
        now = self._clock.now()
        changes_base = job.pointer.changes_snapshot if job.pointer else 0
        current_base = job.pointer.current_snapshot if job.pointer else 0
        changes = self._write_changes(job, difference, now, folder)
        changes_snapshot = self._commit(job, "changes", changes, changes_base)
        current = self._write_current(job, inputs, difference, folder)
        current_snapshot = self._commit(job, "current", current, current_base)
        rows = inputs.current_rows + sum(r.rows for r in current.add) - sum(r.rows for r in current.remove)
        publication = Publication(
            resource=job.batch.resource,
            seq=job.seq,
            batch_id=job.batch.id,
            current_snapshot=current_snapshot,
            changes_snapshot=changes_snapshot,
            published_at=timestamp(now),
            rows=rows,
            order=job.batch.placed,
            received_high=max(job.batch.placed, job.pointer.received_high if job.pointer else ""),
            mode=job.batch.mode,
            contract_version=job.contract.version,
            counts=asdict(counts),
        )
        findings = self._overtaken(job.batch, difference.overtaken_rows() if job.batch.mends else ())
        published = self._enter(job, publication, counts, findings)
        self._announce(publication)
        return published

    def _enter(self, job: _Job, publication: Publication, counts: Counts, findings: str) -> Batch:
        """Make the publication the served one, and the batch published, in one register write."""
        entry = self._publications.entry(publication)
        moved = self._batches.move(
            job.stored,
            "published",
            by=job.batch.released_by or BY,
            creates=entry.creates,
            replaces=entry.replaces,
            counts=counts,
            findings=findings,
            seq=publication.seq,
            published_at=publication.published_at,
        )
        return moved.batch

    def _announce(self, publication: Publication | None) -> None:
        """Wake the pushes of what is served and tell of it, unless that was done."""
        if publication is None or publication.announced:
            return
        resource, seq = publication.resource, publication.seq
        self._push_queue.send(
            {"resource": resource, "seq": seq},
            group=f"resource:{resource}",
            dedup=f"{publication.batch_id}-{seq}",
        )
        self._events.publish(
            "BatchPublished",
            {
                "batch": publication.batch_id,
                "resource": resource,
                "seq": seq,
                "rows": publication.rows,
                "counts": dict(publication.counts),
            },
        )
        self._publications.mark_announced(publication)

    def _memory_for(self, inputs: Inputs) -> int:
        """Large editions spill to disk below this; more room saves them half of the work."""
        rows = max(inputs.current_rows, sum(f.ref.rows for f in inputs.delivered))
        return self._memory_mb if rows <= LARGE_ROWS else self._memory_mb * 5 // 2

    # --- files -------------------------------------------------------------

    @contextmanager
    def _inputs(self, job: _Job) -> Iterator[Inputs]:
        """Everything that the comparison reads, as local files."""
        batch, contract = job.batch, job.contract
        good = [DataFileRef.from_json(text) for text in batch.good]
        served = job.pointer.current_snapshot if job.pointer else 0
        keys = quarantined_keys_key(batch.quarantine)
        has_keys = batch.mode == "full" and batch.quarantine and self._staging.head(keys) is not None
        with ExitStack() as stack:

            def local(refs: Sequence[DataFileRef]) -> tuple[LocalFile, ...]:
                paths = stack.enter_context(self._lakehouse.local.open(refs))
                return tuple(LocalFile(ref, path) for ref, path in zip(refs, paths, strict=True))

            yield Inputs(
                contract=contract,
                mode=batch.mode,
                current=local(self._lakehouse.files(contract, "current", served)),
                delivered=local([r for r in good if not is_deletes(r)]),
                deletes=local([r for r in good if is_deletes(r)]),
                quarantined=stack.enter_context(self._staging.local(keys)) if has_keys else None,
                stated=tuple(f.path for f in local(self._stated(job))),
            )

    def _stated(self, job: _Job) -> list[DataFileRef]:
        """Files with the keys that increments which landed later have already spoken about."""
        good = [text for p in job.later for text in self._batches.get(p.batch_id).batch.good]
        return [DataFileRef.from_json(text) for text in good]

    def _write_changes(self, job: _Job, difference: Difference, now: datetime, folder: Path) -> _Written:
        if not difference.outcome.changed:
            return _Written((), (), {})
        from huitong.comparison.writing import ROWS, Stamp, write_changes
        from huitong.warehouse.arrow_schema import changes_arrow_schema

        batch, contract = job.batch, job.contract
        schema = changes_arrow_schema(contract, self._lakehouse.field_ids(contract, "changes"))
        received_at = datetime.fromisoformat(batch.received_at)
        stamp = Stamp(job.seq, batch.resource, batch.unit, batch.id, received_at, now)
        path = folder / "changes.parquet"
        rows = write_changes(difference.change_rows(ROWS), schema, contract, stamp, path)
        _expect(rows, difference.outcome.changed, batch)
        key = f"{data_prefix(changes_table(contract.table), batch.id)}/changes-{uuid4().hex}.parquet"
        ref = self._store(key, path, rows, ())
        return _Written((ref,), (), {key: path})

    def _write_current(self, job: _Job, inputs: Inputs, difference: Difference, folder: Path) -> _Written:
        placement = difference.placement()
        local = {f.ref.key: f.path for f in inputs.delivered}
        add = list(placement.takeover)
        if placement.write:
            from huitong.comparison.writing import ROWS, write_rows
            from huitong.warehouse.arrow_schema import arrow_schema

            schema = arrow_schema(job.contract)
            for number, file in enumerate(placement.write):
                path = folder / f"current-{number}.parquet"
                rows = write_rows(difference.rows_of(file, ROWS), schema, job.contract, path)
                _expect(rows, file.rows, job.batch)
                key = f"{data_prefix(job.contract.table, job.batch.id)}/rows-{uuid4().hex}.parquet"
                add.append(self._store(key, path, rows, file.partition))
                local[key] = path
        return _Written(tuple(add), placement.remove, local)

    def _store(self, key: str, path: Path, rows: int, partition: tuple[str | None, ...]) -> DataFileRef:
        """Keys are fresh for each attempt: a file that some commit may name never changes its bytes."""
        self._warehouse.put_file(key, path)
        return DataFileRef(key, rows, path.stat().st_size, partition)

    def _commit(self, job: _Job, which: Which, files: _Written, base: int) -> int:
        return self._lakehouse.commit(
            job.contract,
            which,
            add=files.add,
            remove=files.remove,
            local=files.local,
            batch_id=job.batch.id,
            seq=job.seq,
            base=base,
            served=lambda: self._served(job.batch.resource, which),
        )

    def _served(self, resource: str, which: Which) -> int:
        """The snapshot that is served now, 0 = none."""
        pointer = self._publications.get(resource)
        if pointer is None:
            return 0
        return pointer.current_snapshot if which == "current" else pointer.changes_snapshot

    def _tell(self, kind: str, batch: Batch) -> None:
        self._events.publish(kind, {"batch": batch.id, "resource": batch.resource, "unit": batch.unit})


def _expect(rows: int, expected: int, batch: Batch) -> None:
    if rows != expected:
        raise Corrupt(
            f"批次 {batch.id} 写出 {rows} 行,应为 {expected} 行",
            f"Batch {batch.id}: {rows} rows were written, {expected} were counted",
            batch=batch.id,
        )
