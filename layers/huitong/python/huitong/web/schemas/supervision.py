"""Bodies and answers of supervision. Records of procedures are answered as ``Matter``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    CODE,
    COUNT,
    FLAG,
    OPEN,
    TEXT,
    TEXTS,
    UNIT_TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    text,
)

_DAY: Final = text("a day, e.g. 2026-01-31", most=10, pattern=r"^\d{4}-\d\d-\d\d$")
_LONG: Final = text(most=8_000, minLength=1)
_RESOURCES: Final = array(text(most=128, pattern=CODE), most=500)
_DOCUMENT: Final = text("key under documents/, or its number elsewhere", most=512)
_DIGEST: Final = text("SM3 or SHA-256, 64 hexadecimal digits", most=64, pattern="^[0-9a-fA-F]{64}$")
_EFFECTS: Final = array(one_of("grants", "derived"), most=2)

SUPERVISION: Final[Mapping[str, Schema]] = {
    "RectificationBody": body(
        {"unit": UNIT_TEXT, "grounds": _LONG, "limit": {**_DAY, "description": "last day for the answer"}},
        {"basis": text("the rule", most=500)},
    ),
    "ComplaintBody": body(
        {"respondent": UNIT_TEXT, "matter": _LONG}, {"document": _DOCUMENT, "digest": _DIGEST}
    ),
    "ChangeNoticeBody": body(
        {
            "kind": one_of("change", "upgrade", "shutdown"),
            "resources": _RESOURCES,
            "starts": _DAY,
            "ends": _DAY,
            "impact": _LONG,
        },
        {"plan": text(most=8_000), "document": _DOCUMENT, "digest": _DIGEST},
    ),
    "ComplianceBody": body(
        {"project": _LONG, "prepared_on": _DAY, "document": _DOCUMENT, "digest": _DIGEST},
        {"resources": array(text(most=200), most=500)},
    ),
    "AnnualReportBody": body({"year": number("the year that it is about", low=2000, high=9999)}),
    "AnnualMonthBody": body({"month": number(low=1, high=12)}),
    "AnnualFigures": answer(
        {"year": COUNT, "months": {"type": "array"}, "missing": {"type": "array"}, "summary": array(OPEN),
         "resources": {"type": "array"}, "units": {"type": "array"}, "procedures": OPEN}
    ),
    "AnnualMonth": answer({"month": TEXT, "at": TEXT}),
    "AnnualFile": answer({"document": TEXT, "sha256": TEXT, "url": TEXT, "size": COUNT}),
    "RestrictionBody": body({"unit": UNIT_TEXT, "reason": _LONG, "effects": _EFFECTS}),
    "RestrictionStepBody": body(
        {"id": text(most=40, pattern="^[0-9a-f]+$"), "step": one_of("confirm", "lift"), "reason": _LONG}
    ),
    "Restriction": answer(
        {"id": TEXT, "unit": TEXT, "ground": TEXT, "state": TEXT, "reason_zh": TEXT, "reason_en": TEXT,
         "effects": TEXTS, "resources": TEXTS, "since": TEXT, "by": TEXT, "ended_at": TEXT}
    ),
    "Restrictions": listing("Restriction"),
    "RestrictionPolicyBody": body(
        {"automatic": FLAG, "grace_days": number(low=0, high=366), "effects": _EFFECTS}
    ),
    "RestrictionPolicy": answer({"automatic": FLAG, "grace_days": COUNT, "effects": TEXTS}),
}  # fmt: skip
