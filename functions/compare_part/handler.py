"""One part of a large comparison, a key bucket. Task of the state machine: ``{"plan", "number"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def work(task: Mapping[str, Any]) -> Mapping[str, Any]:
    return wiring.build_compare_part().run(task["plan"], task["number"])


handler = runtime.task("compare_part", work)
