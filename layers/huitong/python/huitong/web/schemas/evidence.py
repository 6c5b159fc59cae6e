"""Bodies and answers of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    COUNT,
    FLAG,
    NULLABLE,
    OPEN,
    TEXT,
    TEXTS,
    Schema,
    answer,
    array,
    body,
    listing,
    text,
)

_USE: Final = {
    "id": TEXT, "at": TEXT, "act": TEXT, "actor": TEXT, "unit": TEXT, "resource": TEXT, "fields": TEXTS,
    "masked": TEXTS, "grant": TEXT, "path": TEXT, "case_no": TEXT, "purpose": TEXT, "count": COUNT,
}  # fmt: skip

EVIDENCE: Final[Mapping[str, Schema]] = {
    "RecipientsBody": body(
        {},
        {
            "id_no": text("证件号码 identity number of the person; it is neither kept nor logged", most=64),
            "resource": text("with key: the record", most=128),
            "key": {"type": "object", "maxProperties": 20, "description": "key field → value"},
            "fields": array(text(most=128), most=400),
            "from": text(most=30, pattern=r"^\d{4}-\d\d-\d\d"),
            "to": text(most=30, pattern=r"^\d{4}-\d\d-\d\d"),
        },
    ),
    "SuspendBody": body(
        {"principal": text(most=128, minLength=1), "reason": text("why", most=1_000, minLength=1)}
    ),
    "EvidenceRecord": answer(_USE, {"duty": TEXT, "result": TEXT, "detail": TEXT, "subject_count": COUNT}),
    "EvidenceRecords": listing("EvidenceRecord"),
    "Receipt": answer(_USE, {"detail": TEXT, "batch": TEXT, "seq": COUNT}),
    "Receipts": listing("Receipt"),
    "ChainVerification": answer(
        {"shard": COUNT, "first": COUNT, "last": COUNT, "count": COUNT, "next": NULLABLE},
        {"finding": {"type": ["object", "null"]}},
    ),
    "EvidenceEntries": answer({"items": {"type": "array", "items": OPEN}, "next": NULLABLE}),
    "EvidenceHeads": answer({"items": {"type": "array", "items": OPEN}, "next": NULLABLE}),
    "Suspension": answer({"principal": TEXT, "reason": TEXT, "at": TEXT, "by": TEXT, "lifted": FLAG}),
    "Suspensions": listing("Suspension"),
}
