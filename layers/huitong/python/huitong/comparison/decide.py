"""The decision on a held batch. Quick to import."""

from __future__ import annotations

from dataclasses import dataclass

from huitong.batches.following import following
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.errors import Conflict
from huitong.ports import EventBus, Queue


@dataclass(frozen=True, slots=True)
class Hold:
    """Who may decide is checked by the caller. Both decisions may be repeated by the same person."""

    batches: Batches
    compare_queue: Queue
    events: EventBus

    def release(self, batch_id: str, *, by: str) -> Batch:
        """Let a held batch go on to publication, past the guard.

        Raises NotFound, and Conflict when the batch is not held. The register
        comes first; a wake-up that was lost is sent again by asking again.
        """
        stored = self.batches.get(batch_id)
        batch = stored.batch
        if batch.released_by != by:
            if batch.status != "held":
                raise _not_held(batch)
            batch = self.batches.move(stored, "validated", by=by, released_by=by).batch
        with following(batch):
            self.compare_queue.send({"resource": batch.resource}, group=batch.resource)
        return batch

    def reject(self, batch_id: str, *, by: str, reason: str) -> Batch:
        """End a held batch: nothing of it is published. Raises NotFound, and Conflict when it is not held."""
        stored = self.batches.get(batch_id)
        batch = stored.batch
        if batch.status == "rejected" and batch.refusal and batch.refusal.get("by") == by:
            return batch
        if batch.status != "held":
            raise _not_held(batch)
        refusal = {
            "code": "rejected-by-officer",
            "zh": f"经人工审核驳回:{reason}",
            "en": f"Rejected after review: {reason}",
            "by": by,
            "reason": reason,
        }
        told = {"batch": batch.id, "resource": batch.resource, "unit": batch.unit}
        batch = self.batches.move(stored, "rejected", by=by, refusal=refusal).batch
        with following(batch):
            self.events.publish("BatchRejected", told)
        return batch


def _not_held(batch: Batch) -> Conflict:
    return Conflict(
        f"批次 {batch.id} 处于 {batch.status},没有被暂挂",
        f"Batch {batch.id} is {batch.status}, not held",
        batch=batch.id,
        status=batch.status,
    )
