"""Once an hour: new evidence goes to the archive, where it is searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    def work() -> dict[str, int]:
        return wiring.build_archive().run()

    return runtime.clockwork("archive_evidence", work, context, wiring.succeeded)
