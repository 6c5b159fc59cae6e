"""Once an hour: new evidence goes to the archive, where it is searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    log = runtime.logger()
    log.append_keys(request_id=context.aws_request_id, function=context.function_name)
    done = wiring.build_archive().run()
    log.info("done", extra={"done": done})
    return done
