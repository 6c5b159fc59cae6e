"""Domain events on EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from huitong.aws.errors import translated
from huitong.errors import Unavailable

SOURCE = "cn.huitong"


class EventBridge:
    """:class:`huitong.ports.EventBus` on one event bus."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        entry = {
            "Source": SOURCE,
            "DetailType": kind,
            "Detail": json.dumps(detail, ensure_ascii=False),
            "EventBusName": self._bus,
        }
        with translated(f"event {kind}"):
            answer = self._client.put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            code = answer["Entries"][0].get("ErrorCode", "")
            raise Unavailable(f"事件 {kind} 未发出", f"Event {kind} was not taken", what=kind, aws=code)
