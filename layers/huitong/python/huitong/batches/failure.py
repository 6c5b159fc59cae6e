"""What is noted when a step is given up: nothing is lost, somebody is told, the others go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huitong import unnamed
from huitong.batches.following import following
from huitong.batches.model import IN_FLIGHT, Batch
from huitong.batches.register import Batches, Stored
from huitong.errors import HuitongError
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, Notices
from huitong.ports import EventBus, Queue


@dataclass(frozen=True, slots=True)
class Failures:
    """Each method may be repeated: a batch that has already left its state stays as it is.

    The operator is told by a notice, too (X-13): an event that nobody listens to is no alert.
    """

    batches: Batches
    events: EventBus
    compare_queue: Queue | None = None
    notices: Notices | None = None

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

    def of_object(self, key: str, problem: HuitongError, version: str = "") -> None:
        """A landed object could not even be registered; it stays where it landed. Told without its name."""
        told = unnamed.landed(key, version)
        self.events.publish("StepGivenUp", {"step": "ingest_file", **told, "code": problem.code})
        self._tell("ingest_file", f"object:{told['object']}", problem)

    def of_step(self, step: str, message: Mapping[str, Any], problem: HuitongError) -> None:
        """A message was given up that no batch hangs on. Told of it are the ids that it holds."""
        told = {"step": step, "message": unnamed.message(message), "code": problem.code}
        self.events.publish("StepGivenUp", told)
        self._tell(step, f"step:{step}", problem)

    def _tell(self, step: str, about: str, problem: HuitongError) -> None:
        if self.notices is not None:
            said_zh, said_en = unnamed.text(problem.zh), unnamed.text(problem.en)
            zh = f"步骤 {step} 多次失败后放弃({problem.code}):{said_zh}"
            en = f"Step {step} was given up after several attempts ({problem.code}): {said_en}"
            self.notices.send(Notice(OPERATOR, "step.given-up", about, zh, en))

    def _fail(self, stored: Stored, problem: HuitongError) -> Batch:
        told = self.notices.entries(_notice(stored.batch, problem)) if self.notices else []
        moved = self.batches.move(stored, "failed", by="platform", refusal=problem.as_dict(), creates=told)
        batch = moved.batch
        with following(batch):
            if self.compare_queue is not None:
                self.compare_queue.send({"resource": batch.resource}, group=batch.resource)
            said = {"batch": batch.id, "resource": batch.resource, "unit": batch.unit, "code": problem.code}
            self.events.publish("BatchFailed", said)
        return batch


def _notice(batch: Batch, problem: HuitongError) -> Notice:
    zh = f"批次 {batch.id}(资源 {batch.resource})处理失败({problem.code}),落地文件仍在,排除原因后请重放。"
    en = (
        f"Batch {batch.id} of {batch.resource} failed ({problem.code}). Its file is kept: remove the cause, "
        "then replay it."
    )
    return Notice(OPERATOR, "batch.failed", f"batch:{batch.id}", zh, en)
