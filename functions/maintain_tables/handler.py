"""Once a day: old history of the tables expires, files that will never be published go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    def work() -> dict[str, int]:
        return wiring.build_maintenance().run()

    return runtime.clockwork("maintain_tables", work, context, wiring.succeeded)
