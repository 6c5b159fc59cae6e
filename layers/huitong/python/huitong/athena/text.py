"""Statements as Athena writes them beside SELECT, and what every text for Athena must keep to.

Athena parses two languages: DDL is Hive's (identifiers in backticks), the rest is Trino's (identifiers in
double quotes, and UNLOAD). docs/decisions/athena.md says which of them the platform uses and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def external_table(database: str, name: str, columns: Mapping[str, str], location: str) -> str:
    """DDL of a table over all Parquet files under a prefix; types as :func:`hive_type` gives them."""
    listed = ", ".join(f"{backticked(column)} {kind}" for column, kind in columns.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {backticked(database)}.{backticked(name)} ({listed}) "
        f"STORED AS PARQUET LOCATION {literal(location)}"
    )


def drop_table(database: str, name: str) -> str:
    return f"DROP TABLE IF EXISTS {backticked(database)}.{backticked(name)}"


def hive_type(duckdb: str) -> str:
    """A column's type in DDL, from its type in the warehouse (:mod:`huitong.warehouse.sql`)."""
    if duckdb.startswith("DECIMAL"):
        return duckdb.lower().replace(" ", "")
    return _HIVE[duckdb]


def quoted(name: str) -> str:
    """An identifier outside of DDL."""
    return '"' + name.replace('"', '""') + '"'


def backticked(name: str) -> str:
    """An identifier in DDL. Athena keeps names in lower case."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def names(columns: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(c)}" for c in columns)


def table_at(database: str, name: str, snapshot: int) -> str:
    """An Iceberg table as of a snapshot."""
    return f"{quoted(database)}.{quoted(name)} FOR VERSION AS OF {int(snapshot)}"


_HIVE: Final[Mapping[str, str]] = {
    "VARCHAR": "string",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
