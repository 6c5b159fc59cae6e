"""JSON Schemas (2020-12) of what requests carry and answers hold: enforced by :mod:`huitong.web.checking`,
published in OpenAPI. Bodies are closed (an unknown member is a mistake worth telling); answers are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from huitong.identity.model import Role

Schema = dict[str, Any]

CODE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
UNIT: Final = r"^[0-9A-Za-z][0-9A-Za-z_-]{0,39}$"  # a registered unit's code is checked when it is registered
ID: Final = r"^[A-Za-z0-9_-]{1,128}$"
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def text(about: str = "", *, most: int = 256, **more: Any) -> Schema:
    schema: Schema = {"type": "string", "maxLength": most, **more}
    return {**schema, "description": about} if about else schema


def number(about: str = "", *, low: int = 0, high: int = 2**53) -> Schema:
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return {**schema, "description": about} if about else schema


def one_of(*values: str, about: str = "") -> Schema:
    schema: Schema = {"type": "string", "enum": list(values)}
    return {**schema, "description": about} if about else schema


def array(of: Schema, *, most: int = 10_000) -> Schema:
    return {"type": "array", "items": of, "maxItems": most}


def body(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {**answer(required, optional), "additionalProperties": False}


def answer(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    members = {**required, **(optional or {})}
    return {"type": "object", "properties": members, "required": sorted(required)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listing(name: str) -> Schema:
    return answer({"items": {"type": "array", "items": ref(name)}, "next": NULLABLE})


TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
FLAG: Final[Schema] = {"type": "boolean"}
NULLABLE: Final[Schema] = {"type": ["string", "null"]}
ANYTHING: Final[Schema] = {}
OPEN: Final[Schema] = {"type": "object"}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
MODE: Final = one_of(
    "full", "increment", "deletion", about="全量 full edition, 增量 increment, 删除清单 list of deletions"
)
UNIT_TEXT: Final = text("统一社会信用代码 unified social credit code of the unit", pattern=UNIT)
MOMENT: Final = text("ISO 8601, UTC", most=40)
STATUSES: Final = (
    "received", "ingested", "validated", "held", "published", "rejected", "duplicate", "superseded", "failed",
)  # fmt: skip
ROLES: Final[tuple[str, ...]] = get_args(Role)
MASKS: Final = ("name", "id", "phone", "address", "account", "plate", "all")
COUNTS: Final = (
    "received", "accepted", "quarantined", "duplicate", "inserted", "updated", "deleted", "unchanged",
)  # fmt: skip
