"""Replay of a failed batch: back to the state it failed in, and the step is woken."""

from __future__ import annotations

from dataclasses import dataclass

from huitong.batches.following import following
from huitong.batches.model import Batch, Status
from huitong.batches.register import Batches
from huitong.errors import Conflict
from huitong.ports import Queue


@dataclass(frozen=True, slots=True)
class Replay:
    batches: Batches
    ingest_queue: Queue
    validate_queue: Queue
    compare_queue: Queue

    def replay(self, id: str, *, by: str) -> Batch:
        """Set a failed batch moving again. Raises NotFound, and Conflict when it has not failed.

        The register first, the message after: a lost message is repaired by asking
        again, since a batch that already moves is only woken once more.
        """
        stored = self.batches.get(id)
        batch = stored.batch
        if batch.status == "failed":
            batch = self.batches.move(stored, _failed_in(batch), by=by, refusal=None).batch
        elif batch.status not in ("received", "ingested", "validated"):
            raise Conflict(
                f"批次 {id} 处于 {batch.status},只有失败的批次可以重放",
                f"Batch {id} is {batch.status}; only a failed one can be replayed",
                batch=id,
                status=batch.status,
            )
        with following(batch):
            self._wake(batch)
        return batch

    def _wake(self, batch: Batch) -> None:
        if batch.status == "received":
            self.ingest_queue.send({"batch_id": batch.id})
        elif batch.status == "ingested":
            self.validate_queue.send({"batch_id": batch.id})
        else:
            self.compare_queue.send({"resource": batch.resource}, group=batch.resource)


def _failed_in(batch: Batch) -> Status:
    passed = [status for status, _, _ in batch.history]
    moving: tuple[Status, ...] = ("received", "ingested", "validated")
    return max(moving, key=lambda status: _last(passed, status))


def _last(passed: list[str], status: str) -> int:
    return max((place for place, known in enumerate(passed) if known == status), default=-1)
