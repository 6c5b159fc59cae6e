"""What is noted when a step is given up: nothing is lost, somebody is told, the others go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huitong.batches.following import following
from huitong.batches.model import IN_FLIGHT, Batch
from huitong.batches.register import Batches, Stored
from huitong.errors import HuitongError
from huitong.ports import EventBus, Queue


@dataclass(frozen=True, slots=True)
class Failures:
    """Each method may be repeated: a batch that has already left its state stays as it is."""

    batches: Batches
    events: EventBus
    compare_queue: Queue | None = None

    def of_batch(self, id: str, problem: HuitongError) -> Batch | None:
        """The batch becomes ``failed``, with the reason, if it still moves. Those behind it go on."""
        stored = self.batches.find(id)
        if stored is None or stored.batch.status not in IN_FLIGHT:
            return None
        return self._fail(stored, problem)

    def at_head_of(self, resource: str, problem: HuitongError) -> Batch | None:
        """The batch of the resource that the comparison had before it, if any, becomes ``failed``."""
        head = next(iter(self.batches.in_flight(resource)), None)
        if head is None or head.batch.status != "validated":
            return None
        return self._fail(head, problem)

    def of_object(self, key: str, problem: HuitongError) -> None:
        """A landed object could not even be registered; it stays where it landed."""
        self.events.publish("StepGivenUp", {"step": "ingest_file", "key": key, "code": problem.code})

    def of_step(self, step: str, message: Mapping[str, Any], problem: HuitongError) -> None:
        """A message was given up that no batch hangs on. Messages hold ids only."""
        self.events.publish("StepGivenUp", {"step": step, "message": dict(message), "code": problem.code})

    def _fail(self, stored: Stored, problem: HuitongError) -> Batch:
        batch = self.batches.move(stored, "failed", by="platform", refusal=problem.as_dict()).batch
        with following(batch):
            if self.compare_queue is not None:
                self.compare_queue.send({"resource": batch.resource}, group=batch.resource)
            told = {"batch": batch.id, "resource": batch.resource, "unit": batch.unit, "code": problem.code}
            self.events.publish("BatchFailed", told)
        return batch
