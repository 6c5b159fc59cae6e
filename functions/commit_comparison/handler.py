"""All parts of a large comparison are done: one commit of each table, then the publication.

Task of the state machine: ``{"plan"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def work(task: Mapping[str, Any]) -> Mapping[str, Any]:
    return runtime.of_batch(wiring.build_commit_comparison().run(task["plan"]))


handler = wiring.task("commit_comparison", work, wiring.succeeded)
