"""Columns of the warehouse as DuckDB text: names, types, scans of Parquet files.

Text only; nothing here imports DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from huitong.contracts.model import Contract, Field
from huitong.errors import Fault
from huitong.warehouse.columns import BEFORE, CHANGES, CURRENT, FIRST_FIELD_ID

_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "list<string>": "VARCHAR[]",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Local Parquet files of one table. ``ids`` are its field ids by column.

    ``alike``: every file has every column of the table, and none hides a column of
    DuckDB's own, so columns may be found by name. Finding them by id makes DuckDB 2.0
    copy what it reads: twice the time.
    """

    paths: tuple[Path, ...]
    ids: Mapping[str, int]
    alike: bool = False


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_type(field: Field) -> str:
    if field.type == "decimal":
        return f"DECIMAL({field.precision or 38}, {field.scale})"
    return _TYPES[field.type]


def by_field_id(contract: Contract) -> tuple[Field, ...]:
    """The contract's fields in table order. Raises Fault when the contract was never registered."""
    if not contract.table or any(f.field_id < FIRST_FIELD_ID for f in contract.fields):
        raise Fault(
            f"资源 {contract.id} 的契约未登记,没有表名或字段编号",
            f"The contract of {contract.id} is not registered: it has no table or no field ids",
            resource=contract.id,
        )
    return tuple(sorted(contract.fields, key=lambda f: f.field_id))


def current_ids(contract: Contract) -> dict[str, int]:
    """Field ids of the current table, by column."""
    system = {name: position for position, (name, _) in enumerate(CURRENT, start=1)}
    return system | {f.name: f.field_id for f in by_field_id(contract)}


def current_columns(contract: Contract) -> dict[str, str]:
    """Columns of the current table and their types, in table order."""
    system = {name: _TYPES[kind] for name, kind in CURRENT}
    return system | {f.name: sql_type(f) for f in by_field_id(contract)}


def changes_columns(contract: Contract) -> dict[str, str]:
    """Columns of the change log and their types, in table order."""
    fields = by_field_id(contract)
    before = ", ".join(f"{quoted(f.name)} {sql_type(f)}" for f in fields)
    return (
        {name: _TYPES[kind] for name, kind in (*CHANGES, *CURRENT)}
        | {f.name: sql_type(f) for f in fields}
        | {BEFORE: f"STRUCT({before})"}
    )


def names(columns: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(c)}" for c in columns)


def parquet_select(files: Files, columns: Mapping[str, str], *, more: str = "") -> str:
    """A SELECT over Parquet files, columns found by field id as Iceberg does.

    A column that a file lacks (it is older than the column), or that has no id yet, is null there. ``more``
    is further expressions; they may use ``file_index`` and ``file_row_number``. The
    text may be followed by a WHERE over these two.
    """
    listed = ", ".join(text(str(p)) for p in files.paths)
    further = f", {more}" if more else ""
    if files.alike:
        return f"SELECT {names(columns)}{further} FROM read_parquet([{listed}])"
    schema = ", ".join(
        f"{files.ids[name]}: {{name: {text('#' + name)}, type: {text(kind)}, default_value: NULL}}"
        for name, kind in columns.items()
        if name in files.ids
    )
    shown = ", ".join(
        f"{quoted('#' + name) if name in files.ids else f'CAST(NULL AS {kind})'} AS {quoted(name)}"
        for name, kind in columns.items()
    )
    return f"SELECT {shown}{further} FROM read_parquet([{listed}], schema=MAP {{{schema}}})"


def select_of(files: Files, columns: Mapping[str, str], *, more: str = "") -> str:
    """As :func:`parquet_select`; without any file, no rows and the same types."""
    if files.paths:
        return parquet_select(files, columns, more=more)
    typed = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
    return f"SELECT {typed}{f', {more}' if more else ''} WHERE false"
