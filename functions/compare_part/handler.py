"""One part of a large comparison, a key bucket. Task of the state machine: ``{"plan", "number"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import wiring


def work(task: Mapping[str, Any]) -> Mapping[str, Any]:
    return wiring.build_compare_part().run(task["plan"], task["number"])


# It may write nothing to the register, not even that it works: the commit says so for all parts (S-08).
handler = wiring.task("compare_part", work)
