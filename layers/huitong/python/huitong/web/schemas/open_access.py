"""Bodies and answers of open access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.corrections import RECORD
from huitong.web.schemas.parts import (
    CODE,
    COUNT,
    FLAG,
    ID,
    NULLABLE,
    OPEN,
    TEXT,
    TEXTS,
    Schema,
    answer,
    array,
    body,
    listing,
    one_of,
    text,
)

_SAID: Final = text(most=2_000, minLength=1)
_CODE: Final = text(most=64, pattern=CODE)

OPEN_ACCESS: Final[Mapping[str, Schema]] = {
    "OpenResource": answer({"id": TEXT, "title": TEXT, "provider_name": TEXT, "fields": {"type": "array"}}),
    "OpenResources": listing("OpenResource"),
    "OpenRows": answer(
        {"items": {"type": "array", "items": OPEN}, "next": NULLABLE, "seq": COUNT, "fields": TEXTS}
    ),
    "OwnRecordBody": body(
        {
            "code": text("authorisation code", most=64, minLength=1),
            "number": text(
                "the person's own identity number", most=32, minLength=1, pattern=r"^[0-9A-Za-z()（）-]+$"
            ),
        }
    ),
    "OwnRecord": answer({"request": TEXT, "resources": {"type": "array"}}),
    "OpenCheck": answer({"resource": TEXT, "released": FLAG, "problems": {"type": "array"}}),
    "OpenReleaseBody": body({"basis": text("decision that it rests on", most=256, minLength=1)}),
    "OpenRelease": answer({"resource": TEXT, "version": COUNT, "fields": TEXTS, "at": TEXT, "by": TEXT}),
    "ExpiredItems": answer({"items": {"type": "array", "items": OPEN}, "next": NULLABLE}),
    "SubjectRequestBody": body(
        {
            "kind": one_of("access", "correction", "deletion", "explanation"),
            "number": text("the person's identity number; not kept", most=32, minLength=1),
            "identity_proof": text("number of the proof of identity", most=256, minLength=1),
            "agreement": text("number of the person's signed agreement", most=256, minLength=1),
        },
        {"resources": array(_CODE, most=30), "wish": text("what is asked for", most=2_000)},
    ),
    "SubjectRequest": answer({**RECORD, "kind": TEXT}),
    "SubjectRequests": listing("SubjectRequest"),
    "SubjectCode": answer({"id": TEXT, "code": text("shown this once only"), "expires_at": TEXT}),
    "StatementBody": body(
        {
            "kind": one_of("self_declared", "complaint"),
            "text": text("sealed; at most 1 000 characters", most=1_000, minLength=1),
            "evidence": text("number of the document", most=256, minLength=1),
            "truth_declared": {**FLAG, "description": "真实性声明"},
        },
        {"about": text("a resource, a case, a procedure's id", most=128)},
    ),
    "Statement": answer(RECORD),
    "Statements": listing("Statement"),
    "StatementText": answer({"id": TEXT, "text": TEXT}),
    "AssessmentBody": body(
        {
            "application": text("id of the application for sharing", most=128, pattern=ID),
            "resource": _CODE,
            "purpose": _SAID,
            "necessity": _SAID,
            "risks": _SAID,
            "measures": _SAID,
            "conclusion": one_of("acceptable", "acceptable with measures", "not acceptable"),
        }
    ),
    "Assessment": answer({"id": TEXT, "application": TEXT, "resource": TEXT, "conclusion": TEXT, "at": TEXT}),
    "Assessments": listing("Assessment"),
}
