"""Bodies and answers of corrections, bulk corrections and notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    COUNT,
    FLAG,
    ID,
    OPEN,
    TEXT,
    TEXTS,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    text,
)

_NAME: Final = text(most=128, minLength=1)
_DAY: Final = text("2026-01-31", most=10, pattern=r"^\d{4}-\d\d-\d\d$")
_GIVEN: Final[Schema] = {"type": "object", "maxProperties": 30}

#: Answers of records of a procedure begin alike.
RECORD: Final[Mapping[str, Schema]] = {
    "id": TEXT,
    "procedure": TEXT,
    "state": TEXT,
    "parties": OPEN,
    "history": {"type": "array"},
    "clocks": OPEN,
    "version": COUNT,
    "possible": TEXTS,
}

CORRECTIONS: Final[Mapping[str, Schema]] = {
    "CorrectionBody": body(
        {
            "fields": array(_NAME, most=400),
            "wrong": text("what is wrong; kept sealed, for the two units", most=600, minLength=1),
        },
        {
            "key": {
                "type": "object",
                "description": "the record's key, member by member",
                "additionalProperties": text(most=200),
                "maxProperties": 20,
            },
            "batch_id": text(
                "with source_row: the record's place, as every path shows it", most=128, pattern=ID
            ),
            "source_row": number(),
            "gap": {**FLAG, "description": "缺失: the record with this key should be there and is not"},
            "evidence": text("number of the document that proves it", most=256),
            "found_on": _DAY,
            "by_subject": {
                **FLAG,
                "description": "当事人提出: filed for the person whom the record is about",
            },
            "identity_proof": text("number of the proof of that person's identity", most=256),
            "truth_declared": {**FLAG, "description": "真实性声明"},
        },
    ),
    "CorrectionStepBody": body(
        {"step": text(most=40, pattern="^[a-z_]+$")},
        {"given": _GIVEN, "seen": number("version that was looked at; 0 = whatever is there")},
    ),
    "BulkCorrectionBody": body(
        {"what": text(most=2_000, minLength=1), "reason": text(most=2_000, minLength=1)},
        {"rows": number("rows to be corrected, about"), "evidence": text(most=256)},
    ),
    "AcknowledgeBody": body({}, {"remark": text(most=1_000)}),
    "Correction": answer(
        {**RECORD, "resource": TEXT, "fields": TEXTS},
        {"receivers": {"type": "array"}, "gap": FLAG},
    ),
    "Corrections": listing("Correction"),
    "CorrectionRecord": answer({"id": TEXT, "key": OPEN, "wrong": TEXT}),
    "CorrectionReport": answer({"ticket": TEXT, "result": TEXT, "steps": {"type": "array"}}),
    "BulkCorrection": answer({**RECORD, "resource": TEXT}),
    "BulkCorrections": listing("BulkCorrection"),
    "Notice": answer(
        {"id": TEXT, "to": TEXT, "kind": TEXT, "about": TEXT, "zh": TEXT, "en": TEXT, "at": TEXT},
        {"due": TEXT, "must_acknowledge": FLAG, "read_at": TEXT, "read_by": TEXT},
    ),
    "Notices": listing("Notice"),
}
