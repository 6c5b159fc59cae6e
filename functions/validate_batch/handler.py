"""An ingested batch is checked. Messages: ``{"batch_id"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring
from huitong.errors import HuitongError


def work(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return runtime.of_batch(wiring.build_validate().run(message["batch_id"]))


def give_up(message: Mapping[str, Any], problem: HuitongError) -> None:
    wiring.build_failures().of_batch(message["batch_id"], problem)


handler = runtime.consumer(
    work,
    give_up=give_up,
    queue=wiring.own_queue,
    first_pause=wiring.first_pause,
    step="validate_batch",
    follow=wiring.followed,
    succeeded=wiring.succeeded,
)
