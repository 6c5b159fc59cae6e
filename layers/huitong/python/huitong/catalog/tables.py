"""The interface description of an entry (L-14): where it is had, and its items as a Table Schema document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Letters of the guide → Frictionless types (standards.md 1.4).
_TYPES: Final = {
    "C": "string", "M": "string", "N": "number", "Y": "number", "B": "number", "F": "number", "I": "integer",
    "D": "date", "T": "datetime", "L": "boolean", "G": "string",
}  # fmt: skip
#: Ways out of the platform by method: operation of the API, what it gives.
_OPERATIONS: Final = {
    "query": ("run_query", "POST /v1/queries", "联机查询 online query"),
    "interface": ("get_changes", "GET /v1/resources/{code}/changes", "变更接口 changes by cursor"),
    "front_end": ("subscribe", "POST /v1/subscriptions", "推送至前置机 pushes to a front-end machine"),
    "bulk": ("get_snapshot", "GET /v1/resources/{code}/snapshot", "批量下载 bulk download"),
}


def table_schema(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Frictionless Table Schema of an entry's items."""
    items = sorted(shown.get("items", {}).items(), key=lambda pair: pair[1].get("place", 0))
    keys = sorted((one["key"], name) for name, one in items if one.get("key"))
    schema: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "title": shown.get("title", ""),
        "description": shown.get("abstract", ""),
        "fields": [_field(name, one) for name, one in items],
    }
    return {**schema, "primaryKey": [name for _, name in keys]} if keys else schema


def interface(shown: Mapping[str, Any]) -> dict[str, Any]:
    """How the resource is had: service, operations of the API, items."""
    code = str(shown["resource"])
    ways = [_OPERATIONS[m] for m in shown.get("methods", ()) if m in _OPERATIONS]
    return {
        "resource": code,
        "code": shown.get("code", ""),
        "title": shown.get("title", ""),
        "edition": shown.get("edition", 0),
        "contract_version": shown.get("contract_version", 0),
        "service": shown.get("service"),
        "online": list(shown.get("online", ())),
        "openapi": "/v1/openapi.json",
        "operations": [
            {"operation": id, "route": route.replace("{code}", code), "about": about}
            for id, route, about in ways
        ],
        "table_schema": table_schema(shown),
    }


def _field(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    letter = str(one.get("letter", "C"))
    constraints: dict[str, Any] = {}
    if one.get("required") or one.get("key"):
        constraints["required"] = True
    if one.get("length") and letter in ("C", "M"):
        constraints["maxLength"] = one["length"]
    if one.get("codes"):
        constraints["enum"] = list(one["codes"])
    told = {
        "name": name,
        "title": one.get("title", ""),
        "type": _TYPES.get(letter, "string"),
        "format": "binary" if letter == "G" else "",
        "constraints": constraints,
        "sensitivity": one.get("level", ""),
        "mask": one.get("mask", ""),
        "dataElement": one.get("element", ""),
    }
    return {k: v for k, v in told.items() if v not in ("", {})}
