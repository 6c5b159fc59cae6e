"""Large comparisons are handed to a workflow: many parts at once, one commit at the end.

While it is at work the resource is busy, so that batches that follow wait
(:mod:`huitong.batches.runs`). Effects of a start in order: plan, list of parts, the entry
that makes the resource busy, the execution. Whoever looks at a busy resource whose execution
does not exist starts it; one that ended badly is given up: its batch fails, and may be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from huitong.batches.failure import Failures
from huitong.batches.runs import Run, Runs, StoredRun
from huitong.comparison.parts import Plan, parts_of, threshold, weight
from huitong.comparison.publishing import Job
from huitong.comparison.sources import Sources
from huitong.errors import Fault
from huitong.ports import Clock, ObjectStore, Workflows, WorkflowState, timestamp


class PartsFailed(Fault):
    """An execution ended without a publication, after all its retries."""

    code = "parts-failed"


@dataclass(frozen=True, slots=True)
class FanOut:
    """``rows``: from this size on, where a contract says nothing. ``longest``: of an execution."""

    runs: Runs
    workflows: Workflows
    staging: ObjectStore
    failures: Failures
    clock: Clock
    rows: int
    longest: timedelta = timedelta(hours=2, minutes=10)

    def wanted(self, job: Job, sources: Sources) -> bool:
        """Whether a comparison is too large for one function. Rows that are brought again never are."""
        return not job.batch.mends and weight(sources) >= threshold(job.contract, self.rows)

    def start(self, job: Job, sources: Sources, change_ids: Mapping[str, int]) -> Run:
        """Plan a comparison and have it done. Raises Conflict when another run is at work, Unavailable."""
        now, before = self.clock.now(), self.runs.get(job.batch.resource)
        plan = Plan(
            batch=job.batch.id,
            resource=job.batch.resource,
            unit=job.batch.unit,
            attempt=before.run.attempt + 1,
            of=parts_of(sources, threshold(job.contract, self.rows)),
            seq=job.seq,
            room=sources.current_rows + sources.delivered_rows,
            current_base=job.base("current"),
            changes_base=job.base("changes"),
            contract_version=job.contract.version,
            received_at=job.batch.received_at,
            changed_at=timestamp(now),
            change_ids=change_ids,
            sources=sources,
        )
        self.staging.put(plan.key, plan.to_json(), content_type="application/json")
        self.staging.put(plan.items_key, plan.items(), content_type="application/json")
        given = {"plan": plan.key, "items": plan.items_key}
        until = timestamp(now + self.longest)
        run = Run(plan.batch, plan.attempt, plan.key, given, until, busy=True)
        self.runs.claim(before, run)
        self.workflows.start(run.name, given)
        return run

    def busy(self, resource: str) -> bool:
        """Whether batches of the resource must wait. An execution that ended badly is given up here."""
        stored = self.runs.get(resource)
        run = stored.run
        if not run.busy:
            return False
        state = self.workflows.state(run.name)
        if state is None and not run.over(self.clock.now()):
            self.workflows.start(run.name, run.given)
            return True
        if state is not None and state.status == "running":
            return True
        now = self.runs.get(resource)  # it may have ended well while we asked
        if now.run != run:
            return now.run.busy
        self._give_up(now, state)
        return False

    def _give_up(self, stored: StoredRun, state: WorkflowState | None) -> None:
        run, reason = stored.run, state.reason if state else "never started"
        problem = PartsFailed(
            f"批次 {run.batch} 的分片比对未完成({reason})",
            f"The comparison of batch {run.batch} in parts did not end well ({reason})",
            batch=run.batch,
            execution=run.name,
            reason=reason,
        )
        self.failures.of_batch(run.batch, problem)
        self.runs.free(stored)
