"""What the clock starts, job by job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from huitong.batches.lateness import Lateness
from huitong.batches.ledger import Ledger
from huitong.batches.sweep import Sweep
from huitong.delivery.sweep import Sweep as Wakes
from huitong.errors import BadRequest, HuitongError


@dataclass(frozen=True, slots=True)
class Schedule:
    stuck: Sweep
    due: Wakes
    lateness: Lateness
    ledger: Ledger
    area: Callable[[str], Any] | None = None
    sweeps: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    def run(self, job: str) -> dict[str, Any]:
        """``minute``: stuck batches and due deliveries; ``hour``: the ledger's balance and late units;
        after that the ``sweeps`` of the areas for that job.

        A sweep that fails does not keep the others waiting: its error is raised when all have run.
        """
        if job == "minute":
            done: dict[str, Any] = {**asdict(self.stuck.run()), "wakes": self.due.run()}
        elif job == "hour":
            late, broken = self.lateness.run(), self.ledger.check_all()
            done = {"late": [one.resource for one in late], "imbalances": len(broken)}
        else:
            raise BadRequest(f"没有作业 {job}", f"There is no job {job}", job=job)
        return {**done, **self._sweep(job)}

    def _sweep(self, job: str) -> dict[str, Any]:
        done: dict[str, Any] = {}
        failed: list[HuitongError] = []
        for name, method in self.sweeps.get(job, ()):
            try:
                done[f"{name}.{method}"] = getattr(self.area(name), method)() if self.area else None
            except HuitongError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return done
