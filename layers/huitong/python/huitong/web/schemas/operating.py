"""Bodies and answers of operating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    ANYTHING,
    COUNT,
    FLAG,
    ID,
    NULLABLE,
    OPEN,
    TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    one_of,
    ref,
    text,
)  # fmt: skip

_STATE: Final = one_of("ok", "attention", "failing", "unknown")
_NAMED: Final = {"id": TEXT, "zh": TEXT, "en": TEXT}

OPERATING: Final[Mapping[str, Schema]] = {
    "SettleLettersBody": body(
        {"reason": text("理由 why, for the record", most=500, minLength=1)},
        {
            "ids": array(text(most=128, pattern=ID), most=100),
            "drop": {**FLAG, "description": "drop them instead of sending them again"},
        },
    ),
    "SecretBody": body(
        {}, {"secret": text("Standard Webhooks secret (whsec_…); made when absent", most=256)}
    ),
    "Status": answer(
        {
            "at": TEXT,
            "version": TEXT,
            "state": _STATE,
            "parts": {"type": "array", "items": ref("StatusPart")},
            "tables": {"type": "array", "items": OPEN},
            "evidence": OPEN,
            "measured_at": NULLABLE,
        }
    ),
    "StatusPart": answer(
        {
            **_NAMED,
            "state": _STATE,
            "queues": {"type": "array", "items": answer({"name": TEXT, "waiting": COUNT, "in_flight": COUNT,
                                                         "dead": {"type": ["integer", "null"]}})},
            "steps": {"type": "array", "items": answer({**_NAMED, "last_success": NULLABLE})},
            "troubles": {"type": "array", "items": answer({"state": _STATE, "zh": TEXT, "en": TEXT})},
        }
    ),
    "DeadLetterBox": answer({"box": TEXT, "dead": COUNT, "waiting": COUNT}),
    "DeadLetterBoxes": listing("DeadLetterBox"),
    "DeadLetter": answer(
        {"id": TEXT, "box": TEXT, "sent_at": TEXT, "correlation": TEXT, "message": ANYTHING}
    ),
    "DeadLetters": listing("DeadLetter"),
    "SettledLetters": answer({"items": {"type": "array", "items": OPEN}}),
    "PlatformKey": answer(
        {"name": TEXT, "zh": TEXT, "en": TEXT, "rotates": FLAG, "versions": {"type": "array", "items": OPEN}}
    ),
    "PlatformKeys": listing("PlatformKey"),
    "RotatedSecret": answer({"id": TEXT, "secret": TEXT, "former_until": NULLABLE}),
}  # fmt: skip
