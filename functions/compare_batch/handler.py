"""Ready batches of a resource are compared and published, in landing order. Messages: ``{"resource"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring
from huitong.errors import HuitongError


def work(message: Mapping[str, Any]) -> Mapping[str, Any]:
    done = wiring.build_compare().run(message["resource"])
    return {"batches": [runtime.of_batch(batch) for batch in done]}


def give_up(message: Mapping[str, Any], problem: HuitongError) -> None:
    """The batch at the head of the resource fails, so that those behind it go on."""
    wiring.build_failures().at_head_of(message["resource"], problem)


handler = runtime.consumer(
    work,
    give_up=give_up,
    queue=wiring.own_queue,
    first_pause=wiring.first_pause,
    step="compare_batch",
    follow=wiring.followed,
    succeeded=wiring.succeeded,
)
