"""Once a day: old history of the tables expires, files that will never be published go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    log = runtime.logger()
    log.append_keys(request_id=context.aws_request_id, function=context.function_name)
    done = wiring.build_maintenance().run()
    log.info("done", extra={"done": done})
    return done
