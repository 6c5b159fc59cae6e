"""Checks a JSON value against the published schema: the subset of JSON Schema that
:mod:`huitong.web.schemas` uses. Every fault is told, not only the first (S-17, S-36)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from huitong.errors import Problem
from huitong.web.schemas import SCHEMAS, Schema

MOST_FAULTS: Final = 50

_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}
_ZH: Final = {
    "object": "对象", "array": "数组", "string": "文本", "integer": "整数", "number": "数字",
    "boolean": "布尔值", "null": "空",
}  # fmt: skip


def check(value: Any, schema: Schema) -> list[Problem]:
    """What is wrong with the value, at most :data:`MOST_FAULTS`; empty when nothing is."""
    found: list[Problem] = []
    for problem in _faults(value, schema, "$"):
        found.append(problem)
        if len(found) == MOST_FAULTS:
            break
    return found


def resolved(schema: Schema) -> Schema:
    name = schema.get("$ref", "")
    return SCHEMAS[name.rsplit("/", 1)[1]] if name else schema


def _faults(value: Any, schema: Schema, path: str) -> Iterator[Problem]:
    schema = resolved(schema)
    for part in schema.get("allOf", ()):
        yield from _faults(value, part, path)
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    if kinds and not any(_KINDS[kind](value) for kind in kinds):
        zh = "或".join(_ZH[kind] for kind in kinds)
        yield _problem("type", path, f"须为{zh}", f"must be {' or '.join(kinds)}")
    elif isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        yield from _array(value, schema, path)
    elif isinstance(value, str):
        yield from _string(value, schema, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _integer(value, schema, path)


def _object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[Problem]:
    members: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield _problem("required", f"{path}.{name}", "缺少此项", "is missing")
    if len(value) > schema.get("maxProperties", len(value)):
        yield _problem("size", path, "成员过多", "has too many members")
        return
    for name, member in value.items():
        if name in members:
            yield from _faults(member, members[name], f"{path}.{name}")
        elif others is False:
            yield _problem("unknown", f"{path}.{name[:80]}", "未知的项", "is not known")
        elif isinstance(others, dict):
            yield from _faults(member, others, f"{path}.{name[:80]}")


def _array(value: Sequence[Any], schema: Schema, path: str) -> Iterator[Problem]:
    if len(value) > schema.get("maxItems", len(value)):
        yield _problem(
            "size", path, f"最多{schema['maxItems']}项", f"has more than {schema['maxItems']} items"
        )
        return
    items = schema.get("items")
    if items:
        for place, item in enumerate(value):
            yield from _faults(item, items, f"{path}[{place}]")


def _string(value: str, schema: Schema, path: str) -> Iterator[Problem]:
    if len(value) > schema.get("maxLength", len(value)):
        most = schema["maxLength"]
        yield _problem("length", path, f"最多{most}个字符", f"is longer than {most} characters")
    elif len(value) < schema.get("minLength", 0):
        yield _problem("length", path, "不能为空", "must not be empty")
    elif "enum" in schema and value not in schema["enum"]:
        known = ", ".join(schema["enum"])
        yield _problem("enum", path, f"须为其中之一:{known}", f"must be one of: {known}")
    elif "pattern" in schema and not _like(schema["pattern"], value):
        yield _problem("pattern", path, "格式不对", "has not the right form")


def _integer(value: int, schema: Schema, path: str) -> Iterator[Problem]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        yield _problem("range", path, f"须在{low}与{high}之间", f"must be between {low} and {high}")


def _like(pattern: str, value: str) -> bool:
    """JSON Schema's patterns are ECMAScript's: ``$`` is the very end, digits are ASCII."""
    return re.search(pattern.replace("$", r"\Z"), value, re.ASCII) is not None


def _problem(rule: str, path: str, zh: str, en: str) -> Problem:
    return Problem(f"body.{rule}", f"{path}:{zh}", f"{path} {en}", {"path": path})
