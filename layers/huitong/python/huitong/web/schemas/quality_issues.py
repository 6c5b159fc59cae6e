"""Bodies and answers of the work on quality. Issues and conflicts are answered as ``Matter``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    COUNT,
    FLAG,
    NULLABLE,
    OPEN,
    TEXT,
    Schema,
    answer,
    body,
    number,
    one_of,
    ref,
    text,
)  # fmt: skip

_DAYS: Final = number("working days", low=1, high=60)
_BY: Final[Schema] = {"type": "object", "additionalProperties": _DAYS, "maxProperties": 500}
_MONTH: Final = text("a month, e.g. 2026-01", most=7, pattern=r"^20\d\d-(0[1-9]|1[0-2])$")
_LIST: Final[Schema] = {"type": "array", "items": OPEN}
_METRIC: Final = one_of(
    "completeness", "conformity", "timeliness", "consistency", "logic", "quality", "provision", "total"
)
_ALERT: Final = text("id of the rule", most=64, pattern="^[a-z0-9][a-z0-9_-]*$")

QUALITY_ISSUES: Final[Mapping[str, Schema]] = {
    "QualityIssues": answer(
        {"items": {"type": "array", "items": ref("Matter")}, "counts": OPEN, "next": NULLABLE}
    ),
    "QualityPolicyBody": body(
        {"days": _DAYS},
        {"by_unit": _BY, "by_resource": _BY, "warning_percent": number(low=0, high=100),
         "rectify_days": _DAYS},
    ),
    "QualityPolicy": answer(
        {"days": COUNT, "by_unit": OPEN, "by_resource": OPEN, "warning_percent": COUNT, "rectify_days": COUNT}
    ),
    "ConflictRecords": answer({"items": _LIST, "count": COUNT}),
    "Scores": answer({"month": TEXT, "units": _LIST, "resources": _LIST}),
    "Ranking": answer({"month": TEXT, "items": _LIST}),
    "OverdueList": answer({"items": _LIST}),
    "ExchangeStatistics": answer({"month": TEXT, "items": _LIST}),
    "ScoreAlertBody": body(
        {"id": _ALERT, "metric": _METRIC, "kind": one_of("below", "drop"), "value": number(low=0, high=100)},
        {"scope": one_of("unit", "resource"), "level": one_of("info", "attention", "serious"),
         "enabled": FLAG},
    ),
    "ScoreAlertActBody": body(
        {"month": _MONTH, "id": text("id of the alert: rule~subject", most=200),
         "remark": text("what was done", most=2_000, minLength=1)}
    ),
    "ScoreAlert": answer({"id": TEXT, "metric": TEXT}),
    "ScoreAlerts": answer({"month": TEXT, "rules": _LIST, "items": _LIST}),
    "QualityReport": answer({"unit": TEXT, "month": TEXT, "format": TEXT}),
}  # fmt: skip
