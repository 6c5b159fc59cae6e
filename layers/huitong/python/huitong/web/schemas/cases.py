"""Bodies and answers of cases, requests and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    ANYTHING,
    CODE,
    COUNT,
    FLAG,
    ID,
    OPEN,
    TEXT,
    UNIT_TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    ref,
    text,
)

_CASE_NO: Final = text("案号 case number", most=200)
_PURPOSE: Final = text("用途 purpose", most=500)
_RECORDED: Final = {
    "id": TEXT,
    "state": TEXT,
    "state_zh": TEXT,
    "version": COUNT,
    "parties": OPEN,
    "content": OPEN,
    "history": {"type": "array", "items": OPEN},
    "clocks": OPEN,
    "possible": {"type": "array", "items": OPEN},
    "created_at": TEXT,
}
_VALUE: Final[Schema] = {"type": ["string", "number", "boolean"], "maxLength": 1_000}
_VALUES: Final[Schema] = {
    "type": "object",
    "additionalProperties": _VALUE,
    "maxProperties": 50,
    "description": "field → value",
}

CASES: Final[Mapping[str, Schema]] = {
    "Case": answer(
        {
            "case_no": TEXT,
            "stage": TEXT,
            "stage_zh": TEXT,
            "stage_time": TEXT,
            "procedure_type": TEXT,
            "court": TEXT,
            "administrator": TEXT,
            "apply_date": TEXT,
            "history": {"type": "array", "items": OPEN},
            "usable": FLAG,
            "flag": TEXT,
            "ended": TEXT,
            "end_due": TEXT,
            "retain_until": TEXT,
        },
        {"relations": OPEN, "team": {"type": "array", "items": ref("CaseMember")},
         "findings": {"type": "array", "items": OPEN}},
    ),
    "Cases": listing("Case"),
    "CaseMemberBody": body(
        {"id": text("account, credential or unit", most=128, pattern=ID), "unit": UNIT_TEXT}
    ),
    "CaseMember": answer(
        dict.fromkeys(("id", "unit", "by", "at", "request", "ended_at", "ended_by"), TEXT)
    ),
    "StageCorrectionBody": body(
        {"stage": text(most=2, pattern="^[0-9]{2}$"), "reason": text("理由 reason", most=2_000, minLength=1)},
        {"stage_time": text("ISO 8601", most=40, pattern=r"^\d{4}-\d\d-\d\d")},
    ),
    "StageCorrection": answer(_RECORDED),
    "StageCorrections": listing("StageCorrection"),
    "RequestBody": body(
        {
            "resource": text(most=64, pattern=CODE),
            "fields": array(text(most=64), most=500),
            "purpose": _PURPOSE,
        },
        {
            "case_no": _CASE_NO,
            "duty": text("法定职责 statutory duty", most=200),
            "kind": one_of("query", "verification", about="查询, 核对"),
            "mode": one_of("interface", "subscription", about="接口, 经市平台订阅"),
            "persons": array(ref("RequestPerson"), most=20),
        },
    ),
    "RequestPerson": body(
        {"id_no": text("证件号码 identity number", most=64, minLength=1)},
        {
            "relation": one_of("debtor", "spouse", "dependant", "other", about="left out: the debtor"),
            "name": text("姓名 name", most=100),
        },
    ),
    "RequestStepBody": body(
        {"step": text(most=40, pattern="^[a-z_]+$")},
        {"given": {"type": "object", "additionalProperties": ANYTHING, "maxProperties": 20},
         "seen": number("version that the asker looked at; a later one is a conflict")},
    ),
    "Request": answer(_RECORDED),
    "Requests": listing("Request"),
    "RequestPersons": answer({"items": {"type": "array", "items": OPEN}}),
    "VerificationBody": body(
        {"items": array(ref("VerificationItem"), most=200)},
        {
            "case_no": _CASE_NO,
            "duty": text("法定职责 statutory duty", most=200),
            "purpose": _PURPOSE,
            "grant": text(most=128),
        },
    ),
    "VerificationItem": body({"key": _VALUES, "claimed": _VALUES}),
    "Verification": answer(
        {"items": {"type": "array", "items": {
            "type": "object", "additionalProperties": one_of("agree", "differ", "unknown"),
            "description": "claimed field → result, in the order of the request"}}}
    ),
}  # fmt: skip
