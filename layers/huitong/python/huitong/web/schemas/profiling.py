"""Answers of profiling and cleansing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import COUNT, FLAG, NULLABLE, OPEN, TEXT, Schema, answer, ref

_PAIRS: Final = {"type": "array", "items": {"type": "array"}, "description": "[text, rows], frequent first"}

PROFILING: Final[Mapping[str, Schema]] = {
    "CleansedValues": answer(
        {"items": {"type": "array", "items": ref("CleansedValue")},
         "next": NULLABLE, "total": COUNT, "steps": OPEN}
    ),
    "CleansedValue": answer(
        {"source_row": COUNT, "column": TEXT, "step": TEXT, "before": NULLABLE, "after": NULLABLE}
    ),
    "DataProfile": answer(
        {"rows": COUNT, "columns": {"type": "array", "items": ref("ProfiledColumn")},
         "keys": {"type": "array"}, "drift": {"type": "array"}, "of": OPEN, "suppressed": FLAG}
    ),
    "ProfiledColumn": answer(
        {"name": TEXT, "title": TEXT, "rows": COUNT, "nulls": COUNT, "distinct": COUNT, "exact": FLAG,
         "shortest": COUNT, "longest": COUNT, "type": TEXT, "semantic": TEXT, "level": TEXT, "mask": TEXT,
         "minimum": NULLABLE, "maximum": NULLABLE, "shapes": _PAIRS, "top": _PAIRS, "key": FLAG}
    ),
}  # fmt: skip
