"""The end of a comparison in parts: what all parts found becomes one commit of each table.

May be killed anywhere and run again, also twice at once: commits are looked for first, and the one
register write that publishes names the version of the entry that made the resource busy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from huitong.batches.following import following
from huitong.batches.model import Batch
from huitong.batches.runs import Runs, StoredRun
from huitong.comparison.guard import preview, reasons
from huitong.comparison.inputs import Op, Outcome
from huitong.comparison.outputs import Written
from huitong.comparison.part import ContractSource
from huitong.comparison.parts import Plan, Receipt, receipt_key
from huitong.comparison.publishing import Job, Publishing
from huitong.ports import Clock, ObjectStore, Queue
from huitong.warehouse.files import DataFileRef


@dataclass
class _Whole:
    """All parts together. ``local`` are the footers of the files, on disk."""

    outcome: Outcome = field(default_factory=Outcome)
    changes: list[DataFileRef] = field(default_factory=list)
    add: list[DataFileRef] = field(default_factory=list)
    remove: dict[str, DataFileRef] = field(default_factory=dict)
    local: dict[str, Path] = field(default_factory=dict)
    samples: dict[Op, list[tuple[str | None, ...]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, receipt: Receipt, folder: Path) -> None:
        self.outcome = self.outcome.plus(receipt.outcome)
        self.changes += receipt.changes
        self.add += receipt.add
        self.remove |= {ref.key: ref for ref in receipt.remove}  # a shared file is taken out by each part
        for op, keys in receipt.samples.items():
            self.samples[op] += [tuple(key) for key in keys]
        for key, content in receipt.footers.items():
            self.local[key] = folder / f"{len(self.local)}.parquet"
            self.local[key].write_bytes(content)


@dataclass(frozen=True, slots=True)
class CommitComparison:
    staging: ObjectStore
    contracts: ContractSource
    runs: Runs
    publishing: Publishing
    compare_queue: Queue
    clock: Clock

    def run(self, plan_key: str) -> Batch:
        """Publish or hold the batch of a plan whose parts are all done; the batch as it ended.

        An execution that was overtaken changes nothing. Raises NotFound when a part is not done, Conflict
        when another commit is at work, Unavailable, UnknownCommitState, Corrupt, Fault when counts do not
        balance. The comparison of batches that wait is woken in the end.
        """
        plan = Plan.from_json(self.staging.read(plan_key))
        stored = self.publishing.batches.get(plan.batch)
        with following(stored.batch):
            pointer = self.publishing.publications.get(plan.resource)
            job = Job(stored, self.contracts.get(plan.resource, plan.contract_version), pointer)
            batch = self._end(plan, plan_key, job, self.runs.get(plan.resource))
            self.compare_queue.send({"resource": plan.resource}, group=plan.resource)
        return batch

    def _end(self, plan: Plan, plan_key: str, job: Job, run: StoredRun) -> Batch:
        ours = run.run.busy and run.run.plan == plan_key
        if job.pointer is not None and job.pointer.batch_id == plan.batch:
            self.publishing.announce(job.pointer)
            if ours:  # published by somebody else, who knew of no execution: it has nothing left to do
                self.runs.free(run)
            return job.batch
        if not ours:
            return job.batch
        planned_for = (plan.current_base, plan.changes_base)
        if job.batch.status != "validated" or planned_for != (job.base("current"), job.base("changes")):
            self.runs.free(run)  # it is compared anew, with what is served now
            return job.batch
        with TemporaryDirectory(prefix="huitong-commit-") as folder:
            whole = _Whole()
            for receipt in self._receipts(plan, plan_key):
                whole.take(receipt, Path(folder))
            return self._settle(plan, job, whole, run)

    def _settle(self, plan: Plan, job: Job, whole: _Whole, run: StoredRun) -> Batch:
        counts = self.publishing.counts(job, whole.outcome)
        before = plan.sources.current_rows
        why = reasons(job.batch, whole.outcome, before, job.contract.limits)
        if why:
            samples = {op: whole.samples[op][:size] for op, size in why.samples().items()}
            shown = preview(job.contract, whole.outcome, before, why, samples)
            return self.publishing.hold(job, shown, replaces=[run.freed()])
        removed = tuple(whole.remove.values())
        changes = self.publishing.commit(job, "changes", Written(tuple(whole.changes), (), whole.local))
        current = self.publishing.commit(job, "current", Written(tuple(whole.add), removed, whole.local))
        return self.publishing.enter(
            job,
            counts,
            snapshots=(changes, current),
            rows=before + sum(r.rows for r in whole.add) - sum(r.rows for r in removed),
            now=self.clock.now(),
            replaces=[run.freed()],
        )

    def _receipts(self, plan: Plan, plan_key: str) -> Iterator[Receipt]:
        for number in range(plan.of):
            yield Receipt.from_json(self.staging.read(receipt_key(plan_key, number)))
