"""What the clock starts. Events: ``{"job": "minute"}`` and ``{"job": "hour"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    log = runtime.logger()
    log.append_keys(request_id=context.aws_request_id, function=context.function_name)
    done = wiring.build_schedule().run(str(event.get("job", "minute")))
    log.info("done", extra={"job": event.get("job"), "done": done})
    return done
