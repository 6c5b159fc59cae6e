"""What the clock starts, job by job."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from huitong.batches.lateness import Lateness
from huitong.batches.ledger import Ledger
from huitong.batches.sweep import Sweep
from huitong.delivery.sweep import Sweep as Wakes
from huitong.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Schedule:
    stuck: Sweep
    due: Wakes
    lateness: Lateness
    ledger: Ledger

    def run(self, job: str) -> dict[str, Any]:
        """``minute``: stuck batches and due deliveries; ``hour``: the ledger's balance and late units."""
        if job == "minute":
            return {**asdict(self.stuck.run()), "wakes": self.due.run()}
        if job == "hour":
            late, broken = self.lateness.run(), self.ledger.check_all()
            return {"late": [one.resource for one in late], "imbalances": len(broken)}
        raise BadRequest(f"没有作业 {job}", f"There is no job {job}", job=job)
