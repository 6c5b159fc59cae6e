"""Ready batches of a resource are compared and published, in landing order. Messages: ``{"resource"}``.

The rule of executions that ended badly sends ``{"execution"}``: their resource is free again then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring
from huitong.errors import HuitongError


def resource_of(message: Mapping[str, Any]) -> str:
    if "execution" in message:
        return wiring.resource_of_execution(message["execution"])
    return str(message["resource"])


def work(message: Mapping[str, Any]) -> Mapping[str, Any]:
    done = wiring.build_compare().run(resource_of(message))
    return {"batches": [runtime.of_batch(batch) for batch in done]}


def give_up(message: Mapping[str, Any], problem: HuitongError) -> None:
    """The batch at the head of the resource fails, so that those behind it go on."""
    wiring.build_failures().at_head_of(resource_of(message), problem)


handler = wiring.consumer("compare_batch", work, give_up)
