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


handler = wiring.consumer("validate_batch", work, give_up)
