"""What a new version of a contract may change, and the column ids that outlive its versions.

A table keeps every column it ever had: a field that a version drops stays there as an optional column, and
its id is remembered so that no other column ever gets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from huitong.contracts.model import Contract, Field
from huitong.errors import Problem
from huitong.warehouse.columns import FIRST_FIELD_ID

#: name of a column → {"id", "type", "precision", "scale"}, for all columns that the table ever had
Columns = Mapping[str, Mapping[str, Any]]


def numbered(contract: Contract, columns: Columns) -> tuple[Contract, dict[str, dict[str, Any]]]:
    """The contract with its fields' ids, and the columns including its new ones."""
    known = {name: dict(column) for name, column in columns.items()}
    following = max((c["id"] for c in known.values()), default=FIRST_FIELD_ID - 1) + 1
    fields: list[Field] = []
    for field in contract.fields:
        if field.name not in known:
            known[field.name] = {"id": following, **_type(field)}
            following += 1
        fields.append(replace(field, field_id=known[field.name]["id"]))
    return replace(contract, fields=tuple(fields)), known


def incompatible(before: Contract, after: Contract, columns: Columns) -> list[Problem]:
    """Why ``after`` cannot follow ``before`` in the same table; empty when it can."""
    problems: list[Problem] = []
    spellings = {name.casefold(): name for name in columns}
    for n, field in enumerate(after.fields):
        path = f"schema[0].properties[{n}]"
        known = spellings.get(field.name.casefold())
        if known is None:
            continue
        if known != field.name:
            problems.append(
                _problem(
                    "evolution.name",
                    path,
                    f"字段 {known} 不能改写为 {field.name}",
                    f"the field {known} cannot be spelt {field.name} now",
                )
            )
            continue
        old, new = columns[known], _type(field)
        if any(old.get(k) != new[k] for k in new):
            problems.append(
                _problem(
                    "evolution.type",
                    path,
                    f"字段 {known} 的类型不能由 {_named(old)} 改为 {_named(new)}",
                    f"the type of {known} cannot change from {_named(old)} to {_named(new)}",
                )
            )
    for rule, what, zh in (("evolution.key", "keys", "主键"), ("evolution.partition", "partitions", "分区")):
        old_names = [f.name for f in getattr(before, what)]
        new_names = [f.name for f in getattr(after, what)]
        if old_names != new_names:
            was, now = ", ".join(old_names) or "–", ", ".join(new_names) or "–"
            problems.append(
                _problem(
                    rule,
                    "schema[0].properties",
                    f"{zh}不能由 {was} 改为 {now}",
                    f"the {what} cannot change from {was} to {now}",
                )
            )
    return problems


def _type(field: Field) -> dict[str, Any]:
    return {"type": field.type, "precision": field.precision, "scale": field.scale}


def _named(column: Mapping[str, Any]) -> str:
    sized = f"({column['precision']},{column['scale']})" if column["precision"] else ""
    return f"{column['type']}{sized}"


def _problem(rule: str, path: str, zh: str, en: str) -> Problem:
    return Problem(
        rule,
        zh,
        en,
        {"path": path},
        "表中已有数据;请以新的资源编号登记,或新增字段",
        "the table holds data already: register under another id, or add a field",
    )
