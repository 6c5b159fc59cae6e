"""Bodies and answers of returned files and of quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import COUNT, FLAG, OPEN, TEXT, Schema, answer, body, ref

_FIGURES: Final = dict.fromkeys(("open", "mended", "replayed", "expired"), COUNT)

MENDING: Final[Mapping[str, Schema]] = {
    "ReturnedBody": body({}, {"all": {"type": "boolean", "description": "all rows, not only the bad ones"}}),
    "ReturnedAsked": answer({"batch": TEXT, "ready": FLAG}),
    "Returned": answer(
        {
            **dict.fromkeys(("batch", "url", "filename", "sha256", "at"), TEXT),
            **dict.fromkeys(("size", "rows", "expires_in"), COUNT),
            "whole": FLAG,
        },
        {"note_zh": TEXT, "note_en": TEXT},
    ),
    "Holding": answer(
        {
            **dict.fromkeys(("batch", "resource", "unit", "at", "ends"), TEXT),
            "rows": COUNT,
            **_FIGURES,
            "by_rule": OPEN,
            "takes": {"type": "array", "items": {"type": "object"}},
        },
        {"expired_at": TEXT},
    ),
    "QuarantineLine": answer({"group": TEXT, "batches": COUNT, "rows": COUNT, **_FIGURES}),
    "Quarantine": answer(
        {
            "items": {"type": "array", "items": {"anyOf": [ref("QuarantineLine"), ref("Holding")]}},
            "next": {"type": ["string", "null"]},
        }
    ),
    "ReplayPreview": answer(
        {
            "batch": TEXT,
            **dict.fromkeys(("open", "looked_at", "would_pass", "still_bad", "unreadable"), COUNT),
            "sampled": FLAG,
            "by_rule": {"type": "array", "items": {"type": "object"}},
        },
        {"not_looked_at": {"type": "array", "items": TEXT}, "zh": TEXT, "en": TEXT},
    ),
}
