"""Bodies and answers of the core: contracts, deliveries, batches, subscriptions, accounts, data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.sharing.access import PATHS
from huitong.sharing.clearance import LEVELS
from huitong.web.schemas.parts import (
    COUNT,
    COUNTS,
    FLAG,
    ID,
    MASKS,
    MODE,
    MOMENT,
    NULLABLE,
    OPEN,
    ROLES,
    STATUSES,
    TEXT,
    TEXTS,
    UNIT,
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
from huitong.web.schemas.sharing import USE_MEMBERS

_REQUESTS: Final[Mapping[str, Schema]] = {
    "ContractBody": body(
        {"document": text("ODCS 3 YAML", most=1_000_000)},
        {
            "provider": text(
                "数源单位 the source unit, when the document does not name it", pattern=f"{UNIT}|^$"
            )
        },
    ),
    "UploadBody": body(
        {
            "resource": text("contract id, table name or schema name", most=128),
            "filename": text("extension decides how the file is read", most=255, minLength=1),
        },
        {
            "unit": UNIT_TEXT,
            "mode": MODE,
            "edition": text("版本 declared edition", most=128),
            "profile": text("name of a saved import profile", most=64),
            "case_no": text("案号 case the delivery was obtained for", most=120),
            "ticket": text("校核单号 correction that the rows carry", pattern=f"{ID}|^$", most=128),
            "mends": text("批次 whose rows in quarantine it brings mended", pattern=f"{ID}|^$", most=128),
            "options": {"type": "object", "additionalProperties": TEXT, "maxProperties": 30},
        },
    ),
    "ProfileBody": {
        "type": "object",
        "description": "an import profile, see docs/deliver.md",
        "maxProperties": 40,
    },
    "RecordsBody": body(
        {},
        {
            "rows": array({"type": "object", "maxProperties": 2_000}, most=50_000),
            "deletions": array({"type": "object", "maxProperties": 2_000}, most=50_000),
            "mode": MODE,
            "unit": UNIT_TEXT,
            "edition": text("stands for the header Idempotency-Key", most=128),
            "profile": text(most=64),
            "case_no": text(most=120),
            "ticket": text("校核单号 correction that the rows carry", pattern=f"{ID}|^$", most=128),
            "mends": text("批次 whose rows in quarantine they bring mended", pattern=f"{ID}|^$", most=128),
        },
    ),
    "ReasonBody": body({"reason": text("why", most=1_000, minLength=1)}),
    "UnitBody": body({"code": UNIT_TEXT, "name": text(minLength=1)}, {"contact": text()}),
    "CredentialBody": body(
        {"name": text(minLength=1), "roles": array(one_of(*ROLES), most=6)},
        {
            "unit": text("empty for staff of the platform", pattern=f"{UNIT}|^$"),
            "acts_for": array(text("a unit, or * for any", pattern=rf"{UNIT}|^\*$"), most=100),
            "expires_at": MOMENT,
            "owner": text("account of the person who answers for it", most=64, pattern=ID),
        },
    ),
    "GrantBody": body(
        {"basis": text("批准文号 number of the recorded decision", most=256, minLength=1)},
        {
            "fields": array(text(most=128), most=2_000),
            "unmasked": array(text(most=128), most=2_000),
            "masks": {"type": "object", "additionalProperties": one_of(*MASKS), "maxProperties": 2_000},
            "row_filter": text("boolean SQL expression over the resource's columns", most=4_000),
            "purpose": text(most=1_000),
            "starts": text("first day, e.g. 2026-01-31; empty = open", most=10),
            "ends": text("last day; empty = open", most=10),
            "case_no": text("案号 the case to which it is bound", most=80),
            "duty": text("法定职责 the statutory duty to which it is bound", most=128),
            "methods": array(one_of(*PATHS), most=len(PATHS)),
            "volume": number("most rows a day; 0 = none set"),
            "users": array(text(most=128), most=1_000),
            "clearance": one_of(*LEVELS),
            "statistics": {"type": "boolean", "description": "groups of rows only, never rows"},
        },
    ),
    "SubscriptionBody": body(
        {"resource": text(most=128), "endpoint": text("https address that takes the pushes", most=2_048)},
        {
            "unit": UNIT_TEXT,
            "fields": array(text(most=128), most=2_000),
            "filter": text("boolean SQL expression over the resource's columns", most=4_000),
            "start": one_of("now", "snapshot"),
            **USE_MEMBERS,
            "secret": text("Standard Webhooks secret (whsec_…); made when absent", most=256),
        },
    ),
    "QueryBody": body(
        {"sql": text("one SELECT in Athena's dialect", most=100_000, minLength=1)},
        {
            "unit": UNIT_TEXT,
            "format": one_of("json", "csv", "arrow"),
            "limit": number("rows of the first page", low=1, high=10_000),
            "safe": {**FLAG, "description": "CSV for spreadsheets: formulas are made harmless"},
            **USE_MEMBERS,
        },
    ),
    "ExportBody": body(
        {"format": one_of("csv", "xlsx", "parquet")},
        {"purpose": text("用途 the purpose, when the query named none or another", most=500)},
    ),
    "MarksBody": body(
        {"ids": array(text("an open mark", most=64, pattern=ID), most=100)},
        {"bits": text("the hidden mark, as the order of rows has it", most=64, pattern="^[01?]{64}$")},
    ),
}

_BATCH: Final = answer(
    {
        "id": TEXT, "resource": TEXT, "unit": TEXT, "mode": MODE, "status": one_of(*STATUSES),
        **dict.fromkeys(COUNTS, COUNT), "balanced": FLAG, "received_at": TEXT,
    },
    {
        "filename": TEXT, "edition": TEXT, "decision": TEXT, "quality": OPEN, "seq": COUNT,
        "published_at": TEXT, "duplicate_of": TEXT, "refusal": {"type": ["object", "null"]},
        "preview": {"type": ["object", "null"]}, "history": {"type": "array"},
    },
)  # fmt: skip

_SOME: Final[Schema] = {"type": ["object", "null"]}
_EVENTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}

_ANSWERS: Final[Mapping[str, Schema]] = {
    "Problem": answer(
        {
            "type": TEXT,
            "title": TEXT,
            "status": COUNT,
            "detail": TEXT,
            "code": TEXT,
            "problems": {"type": "array"},
        },
        {"zh": TEXT, "en": TEXT, "where": OPEN, "request_id": TEXT},
    ),
    "Health": answer({"status": one_of("ok"), "version": TEXT}),
    "OpenApi": answer({"openapi": TEXT, "paths": OPEN}),
    "Me": answer({"id": TEXT, "unit": TEXT, "roles": TEXTS, "acts_for": TEXTS, "acting_unit": TEXT}),
    "Contract": answer(
        {
            "id": TEXT,
            "version": COUNT,
            "title": TEXT,
            "table": TEXT,
            "provider": TEXT,
            "mode": MODE,
            "fields": {"type": "array"},
        },
        {"document": TEXT, "rules": {"type": "array"}, "limits": OPEN},
    ),
    "ContractSummary": answer({"id": TEXT, "version": COUNT, "title": TEXT, "table": TEXT, "provider": TEXT}),
    "Contracts": listing("ContractSummary"),
    "Resource": answer(
        {
            "id": TEXT,
            "title": TEXT,
            "table": TEXT,
            "provider": TEXT,
            "version": COUNT,
            "columns": {"type": "array"},
        },
        {"publication": {"type": ["object", "null"]}, "row_filter": TEXT},
    ),
    "Resources": listing("Resource"),
    "UploadTicket": answer(
        {
            "upload_id": TEXT,
            "url": TEXT,
            "method": TEXT,
            "headers": OPEN,
            "expires_at": TEXT,
            "unit": TEXT,
            "resource": TEXT,
        },
    ),
    "RecordsTaken": answer(
        {"upload_id": TEXT, "unit": TEXT, "resource": TEXT, "edition": TEXT, "rows": COUNT}
    ),
    "Upload": answer(
        {"upload_id": TEXT, "unit": TEXT, "resource": TEXT, "status": one_of("waiting", *STATUSES)},
        {"filename": TEXT, "batches": {"type": "array", "items": ref("Batch")}},
    ),
    "Profile": answer({"unit": TEXT, "resource": TEXT, "name": TEXT}),
    "Profiles": listing("Profile"),
    "Batch": _BATCH,
    "Batches": listing("Batch"),
    "Unit": answer({"code": TEXT, "name": TEXT, "contact": TEXT}),
    "Units": listing("Unit"),
    "Credential": answer(
        {
            "id": TEXT,
            "name": TEXT,
            "unit": TEXT,
            "roles": TEXTS,
            "acts_for": TEXTS,
            "expires_at": TEXT,
            "disabled": FLAG,
        },
        {"owner": TEXT, "signs": FLAG, "last_used": TEXT},
    ),
    "IssuedCredential": {"allOf": [ref("Credential"), answer({"token": text("shown this once only")})]},
    "Credentials": listing("Credential"),
    "Grant": answer(
        {
            "unit": TEXT,
            "resource": TEXT,
            "fields": {"type": "array"},
            "masks": OPEN,
            "row_filter": TEXT,
            "revoked": FLAG,
            "id": TEXT,
            "basis": TEXT,
            "methods": {"type": "array"},
        }
    ),
    "Grants": listing("Grant"),
    "Subscription": answer({"id": TEXT, "resource": TEXT, "unit": TEXT, "endpoint": TEXT, "status": TEXT}),
    "NewSubscription": {"allOf": [ref("Subscription"), answer({"secret": text("shown this once only")})]},
    "Subscriptions": listing("Subscription"),
    "Delivery": answer(
        {"id": TEXT, "n": COUNT, "seq": COUNT, "count": COUNT, "status": TEXT}, {"receipt": _SOME}
    ),
    "Deliveries": listing("Delivery"),
    "Ledger": answer(
        {
            "scope": OPEN,
            "batches": COUNT,
            "by_status": OPEN,
            **dict.fromkeys((*COUNTS, "withheld", "retained", "unread"), COUNT),
            **dict.fromkeys(("due", "acknowledged", "failed", "pending"), COUNT),
            "balanced": FLAG,
            "broken": {"type": "array", "items": {"type": "object"}},
        }
    ),
    "Trace": answer({"id": TEXT, "at": TEXT, "act": TEXT, "actor": TEXT, "unit": TEXT, "resource": TEXT}),
    "Traces": listing("Trace"),
    "Export": answer(
        {
            **dict.fromkeys(("id", "url", "filename", "format", "sha256", "mark"), TEXT),
            **dict.fromkeys(("size", "rows", "expires_in"), COUNT),
        }
    ),
    "Mark": answer(
        {
            **dict.fromkeys(("id", "unit", "user", "at", "purpose", "case_no", "duty", "query"), TEXT),
            "resources": TEXTS,
            "grants": TEXTS,
            "rows": COUNT,
        }
    ),
    "Marks": listing("Mark"),
    "Query": answer(
        {
            "query_id": TEXT,
            "columns": {"type": "array"},
            "rows": {"type": "array", "items": OPEN},
            "next": NULLABLE,
        },
        {"total_rows": COUNT, "engine": TEXT, "engine_reason": TEXT},
    ),
    "Changes": answer({"items": _EVENTS, "next": TEXT, "has_more": FLAG, "seq": COUNT}),
    "Snapshot": answer({"items": _EVENTS, "next": TEXT, "has_more": FLAG, "seq": COUNT}),
    "Finding": answer({"source_row": {"type": ["integer", "null"]}, "rule": TEXT, "zh": TEXT, "en": TEXT}),
    "Findings": listing("Finding"),
}

CORE: Final[Mapping[str, Schema]] = {**_REQUESTS, **_ANSWERS}
