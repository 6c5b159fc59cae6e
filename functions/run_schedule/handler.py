"""What the clock starts. Events: ``{"job": "minute"}`` and ``{"job": "hour"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring

JOBS = ("minute", "hour")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    job = str(event.get("job", "minute"))

    def work() -> dict[str, Any]:
        return wiring.build_schedule().run(job)

    return runtime.clockwork(
        f"run_schedule.{job}" if job in JOBS else "run_schedule", work, context, wiring.succeeded
    )
