"""Bodies and answers of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from huitong.catalog.elements import KINDS
from huitong.catalog.views import GROUPINGS
from huitong.web.schemas.parts import (
    ANYTHING,
    CODE,
    COUNT,
    FLAG,
    NULLABLE,
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
    ref,
    text,
)


def _or_null(schema: Schema) -> Schema:
    """A member of null is taken away."""
    kinds = {**schema, "type": [schema["type"], "null"]}
    if "enum" in kinds:
        kinds["enum"] = [*kinds["enum"], None]
    return kinds


_LINE: Final = text(most=1_000)
_PARTY: Final = body(
    {"name": text(most=200)},
    {"code": text(most=40), "address": text(most=500), "role": text(most=200), "contact": text(most=500)},
)
_TEXTS: Final = array(text(most=500), most=200)
_NAMED: Final[Schema] = {"type": "object", "additionalProperties": text(most=1_000), "maxProperties": 500}
_CONDITION: Final = body(
    {},
    {
        "to": _LINE, "part": _LINE, "use": text(most=2_000),
        "masked": {"type": ["boolean", "null"]}, "comparison_only": {"type": ["boolean", "null"]},
    },
)  # fmt: skip
_CATEGORY: Final = body({"standard": text(most=200), "name": text(most=200), "code": text(most=64)})
_KEYWORDS: Final = body({"words": _TEXTS}, {"thesaurus": text(most=200)})
_SERVED: Final = body({"code": text(most=100)}, {"name": text(most=200)})

#: What people write of an entry (:data:`huitong.catalog.model.WRITABLE`).
_CONTENT: Final[Mapping[str, Any]] = {
    "code": text("信息资源代码", most=64), "title": text(most=200), "abstract": text(most=4_000),
    "contacts": array(_PARTY, most=20), "keywords": array(_KEYWORDS, most=50),
    "categories": array(_CATEGORY, most=20), "class_path": array(text(most=200), most=10),
    "online": array(text(most=2_000), most=20), "service": body({"url": text(most=2_000), "type": _LINE}),
    "metadata_contacts": array(_PARTY, most=20), "format": text(most=40), "format_types": _TEXTS,
    "share_type": text("1 2 3", most=1), "share_condition": text(most=4_000), "condition": _CONDITION,
    "legal_basis": text(most=4_000), "methods": array(text(most=40), most=10),
    "disclosure": text(most=40), "open": FLAG, "open_condition": text(most=4_000),
    "frequency": text(most=40), "related": array(text(most=64), most=100), "coverage": text(most=40),
    "serves": array(_SERVED, most=50), "demands": _TEXTS, "elements": _NAMED, "references": _NAMED,
    "basic_items": _TEXTS, "exceptions": _NAMED,
}  # fmt: skip
_WRITTEN: Final = body({}, {name: _or_null(schema) for name, schema in _CONTENT.items()})
_FILTERS: Final = body(
    {},
    {
        "unit": text(most=40), "kind": text(most=1), "category": text(most=64), "share_type": text(most=1),
        "method": text(most=40), "frequency": text(most=40), "coverage": text(most=40),
        "demand": text(most=200), "open": FLAG,
    },
)  # fmt: skip
_SUMMARY: Final = answer(
    {
        "resource": TEXT, "code": TEXT, "title": TEXT, "provider": TEXT, "provider_name": TEXT,
        "share_type": TEXT, "methods": TEXTS, "frequency": TEXT, "frequency_zh": TEXT, "how_zh": TEXT,
        "how_en": TEXT, "open": FLAG, "items": COUNT,
    },
    {"state": TEXT},
)  # fmt: skip
_RECORD: Final = answer(
    {
        "id": TEXT, "state": TEXT, "state_zh": TEXT, "parties": OPEN, "content": OPEN, "version": COUNT,
        "history": {"type": "array", "items": OPEN}, "possible": {"type": "array", "items": OPEN},
    },
    {"findings": {"type": "array", "items": ref("ConformanceFinding")}, "clocks": OPEN},
)  # fmt: skip
_VIEW: Final = {
    "id": TEXT, "zh": TEXT, "en": TEXT, "group_by": one_of(*GROUPINGS), "filters": OPEN, "fixed": FLAG,
}  # fmt: skip
_EDITION: Final = {
    "id": TEXT, "at": TEXT, "by": TEXT, "entries": COUNT, "digest": TEXT, "note": TEXT, "previous": TEXT,
}  # fmt: skip
_DOCUMENTS: Final[Schema] = {"type": "array", "items": OPEN}

CATALOG: Final[Mapping[str, Schema]] = {
    "EntryBody": body(
        {"resource": text("contract id", most=64, pattern=CODE)},
        {"content": _WRITTEN, "supervisor": UNIT_TEXT},
    ),
    "EntryContentBody": body(
        {"content": _WRITTEN}, {"seen": number("version that was looked at; 0 = whatever is there")}
    ),
    "CatalogStepBody": body(
        {"step": text(most=40, pattern="^[a-z_]+$")},
        {"given": {"type": "object", "maxProperties": 20}, "seen": number("version that was looked at")},
    ),
    "EditionBody": body({}, {"note": text(most=1_000)}),
    "ViewBody": body(
        {"zh": text(most=99, minLength=1), "en": text(most=99, minLength=1), "group_by": one_of(*GROUPINGS)},
        {"filters": _FILTERS},
    ),
    "ImportBody": body(
        {"workbook": text("XLSX, base64", most=5_900_000)},
        {"option": one_of("rows", "all", about="rows: good rows are applied; all: all of them, or none")},
    ),
    "ElementBody": body(
        {"title": text(most=200, minLength=1), "type": text(most=20)},
        {
            "kind": one_of(*KINDS), "semantic": text(most=40), "definition": text(most=2_000),
            "standard": text(most=200), "synonyms": _TEXTS, "retired": FLAG,
        },
    ),
    "CatalogDutyBody": body(
        {
            "unit": UNIT_TEXT, "change": one_of("law", "function"),
            "document": text("法规或文件 the law or document", most=500, minLength=1),
        },
        {"resources": array(text(most=64, pattern=CODE), most=200), "note": text(most=2_000)},
    ),
    "EntryRecord": _RECORD,
    "EntryRecords": listing("EntryRecord"),
    "CatalogDuty": _RECORD,
    "CatalogDuties": listing("CatalogDuty"),
    "EntryDocument": answer({"resource": TEXT, "summary": ref("CatalogHit")}, {"items": OPEN}),
    "EntryInterface": answer({"resource": TEXT, "operations": _DOCUMENTS, "table_schema": OPEN}),
    "CatalogHit": _SUMMARY,
    "CatalogHits": answer({"items": {"type": "array", "items": ref("CatalogHit")}, "next": NULLABLE,
                           "total": COUNT}),
    "ConformanceFinding": answer(
        {"rule": TEXT, "zh": TEXT, "en": TEXT, "severity": one_of("error", "warning")},
        {"element": TEXT, "item": TEXT},
    ),
    "ConformanceOfEntry": answer(
        {"resource": TEXT, "state": TEXT, "conforms": FLAG,
         "findings": {"type": "array", "items": ref("ConformanceFinding")}}
    ),
    "Conformance": listing("ConformanceOfEntry"),
    "CatalogEdition": answer(_EDITION),
    "CatalogEditions": listing("CatalogEdition"),
    "EditionPage": answer({"edition": ANYTHING, "items": _DOCUMENTS, "next": NULLABLE}),
    "EditionDifference": answer(
        {"from": TEXT, "to": TEXT, "added": _DOCUMENTS, "removed": _DOCUMENTS, "changed": _DOCUMENTS}
    ),
    "CatalogViewHead": answer(_VIEW),
    "CatalogViews": listing("CatalogViewHead"),
    "CatalogView": answer({**_VIEW, "groups": _DOCUMENTS}),
    "CatalogFile": answer({"filename": TEXT, "media": TEXT, "content": TEXT}),
    "CatalogImport": answer(
        {"rows": COUNT, "applied": FLAG, "created": COUNT, "edited": COUNT, "unchanged": COUNT,
         "refused": COUNT, "waiting": COUNT, "problems": _DOCUMENTS, "workbook": ref("CatalogFile")}
    ),
    "CatalogExport": answer({"edition": TEXT, "next": NULLABLE},
                            {"items": _DOCUMENTS, "dcat": OPEN, "workbook": ref("CatalogFile")}),
    "DataElement": answer({"id": TEXT, "title": TEXT, "type": TEXT, "kind": one_of(*KINDS)},
                          {"semantic": TEXT}),
    "DataElements": listing("DataElement"),
}  # fmt: skip
