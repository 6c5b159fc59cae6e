"""The safety net under lost wake-ups: batches in flight that stand still are woken, and fail in the end.

A function that is killed leaves its message to come back, but a message can
be lost between two effects, or use up its receives in a crash that nobody could
note. The register shows it: the batch moves by itself, yet has not for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from huitong.batches.failure import Failures
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.batches.replay import Replay
from huitong.batches.runs import Runs
from huitong.errors import Unavailable
from huitong.ports import Clock, Item, Register, timestamp


@dataclass(frozen=True, slots=True)
class Swept:
    woken: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """``resources`` lists the ids of all contracts."""

    resources: Callable[[], Iterable[str]]
    register: Register
    batches: Batches
    replay: Replay
    failures: Failures
    clock: Clock
    stuck_after: timedelta = timedelta(minutes=15)
    wakes: int = 3

    def run(self) -> Swept:
        """Wake each batch at most once per ``stuck_after``; after ``wakes`` of them in one state it fails.

        One that a workflow compares is woken, too, but not failed while the workflow has time: whoever is
        woken asks the workflow, which may have ended with nobody told, and leaves one that runs alone.
        """
        done = Swept()
        for resource in self.resources():
            flying = self.batches.in_flight(resource)
            for place, stored in enumerate(flying):
                # A validated batch may rightly wait for those that landed before it.
                waits = stored.batch.status == "validated" and place > 0
                if self._still(stored.batch) and not waits:
                    asked = stored.batch.status == "validated" and self._in_parts(resource)
                    done = self._treat(stored.batch, done, counted=not asked)
        return done

    def _treat(self, batch: Batch, done: Swept, *, counted: bool) -> Swept:
        note = self.register.get(f"BATCH#{batch.id}", "SWEEP")
        seen: Mapping[str, Any] = {"times": 0, "at": ""}
        if note and note.body["status"] == batch.status:
            seen = note.body
        if seen["at"] and not self._over(seen["at"]):
            return done
        if counted and seen["times"] >= self.wakes:
            self.failures.of_batch(batch.id, _stuck(batch, self.wakes))
            return replace(done, failed=(*done.failed, batch.id))
        now = timestamp(self.clock.now())
        body = {"status": batch.status, "times": seen["times"] + counted, "at": now}
        fresh = Item(pk=f"BATCH#{batch.id}", sk="SWEEP", body=body, version=note.version if note else 0)
        self.register.replace(fresh) if note else self.register.create(fresh)
        self.replay.replay(batch.id, by="schedule")
        return replace(done, woken=(*done.woken, batch.id))

    def _still(self, batch: Batch) -> bool:
        return self._over(batch.history[-1][1])

    def _in_parts(self, resource: str) -> bool:
        """Whether a workflow compares a batch, as far as anybody told, and has time to."""
        run = Runs(self.register).get(resource).run
        return run.busy and not run.over(self.clock.now())

    def _over(self, at: str) -> bool:
        return self.clock.now() - datetime.fromisoformat(at) >= self.stuck_after


def _stuck(batch: Batch, wakes: int) -> Unavailable:
    return Unavailable(
        f"批次 {batch.id} 停在 {batch.status},唤醒 {wakes} 次仍无进展",
        f"Batch {batch.id} stands still in {batch.status} after {wakes} wake-ups",
        batch=batch.id,
        status=batch.status,
    )
