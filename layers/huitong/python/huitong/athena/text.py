"""Statements as Athena writes them beside SELECT, and what every text for Athena must keep to.

Athena parses two languages: DDL is Hive's (identifiers in backticks), the rest is Trino's (identifiers in
double quotes, and UNLOAD). The platform uses the second alone: tables are made through the catalogue, and
commits are its own (docs/decisions/athena.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from huitong.errors import InvalidQuery, Problem

#: Athena's limit on the text of a query, in bytes.
MAX_BYTES: Final = 262_144


def fitting(sql: str) -> str:
    """The text as it is. Raises InvalidQuery when Athena would not take it for its length."""
    if len(sql.encode()) > MAX_BYTES:
        zh = f"查询连同授权条件超过 Athena 的 {MAX_BYTES} 字节"
        en = f"The query with what is granted exceeds Athena's {MAX_BYTES} bytes"
        raise InvalidQuery(zh, en, problems=[Problem("query.athena", zh, en)])
    return sql


def unload(select: str, to: str) -> str:
    """Rows of a SELECT as Parquet files under an empty prefix ``s3://…/``."""
    return fitting(f"UNLOAD ({select}) TO {literal(to)} WITH (format = 'PARQUET', compression = 'ZSTD')")


def quoted(name: str) -> str:
    """An identifier outside of DDL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def names(columns: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(c)}" for c in columns)


def table_at(database: str, name: str, snapshot: int) -> str:
    """An Iceberg table as of a snapshot."""
    return f"{quoted(database)}.{quoted(name)} FOR VERSION AS OF {int(snapshot)}"
