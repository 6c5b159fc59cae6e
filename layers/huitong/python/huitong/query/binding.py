"""Types of a query's result, without any row: bound by DuckDB over empty tables."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from huitong.query.dialect import macros_in, to_duckdb
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable, marks_sql
from huitong.sharing.names import quoted
from huitong.sharing.projection import CHANGE_COLUMNS, CURRENT_COLUMNS, projection_sql
from huitong.warehouse.sql import Files, changes_columns, current_columns, select_of

_NESTED = ("STRUCT", "MAP", "UNION")


def nested_columns(query: CheckedQuery, tables: Sequence[Readable]) -> list[str]:
    """Columns of the result that are lists, rows or maps: Athena gives these as text that nobody reads back.

    Only for tables that Athena can read. Empty also when the query does not fit its tables: then whoever
    runs it says so.
    """
    names = query.view_names()
    with duckdb.connect(":memory:", config={"threads": 1, "integer_division": True}) as connection:
        for table in tables:
            connection.execute(f"CREATE VIEW {quoted(names[table.use])} AS {_empty(table)}")
        sql = to_duckdb(query.over(names))
        for statement in macros_in(sql):
            connection.execute(statement)
        try:
            found = connection.sql(f"DESCRIBE {sql}").fetchall()
        except duckdb.Error:
            return []
    return [str(row[0]) for row in found if str(row[1]).endswith("]") or str(row[1]).startswith(_NESTED)]


def _empty(table: Readable) -> str:
    """The table's view as the asker has it, over no file."""
    contract, access = table.contract, table.access
    if table.fixed or contract is None or access is None:
        return table.fixed
    changes = table.use.part == "changes"
    columns = changes_columns(contract) if changes else current_columns(contract)
    rows = select_of(Files((), {}), columns)
    if table.use.part == "marks":
        places = ("_batch_id", "_source_row")
        return marks_sql(table.marks, projection_sql(contract, access, rows, system_columns=places), places)
    system = (*CHANGE_COLUMNS, *CURRENT_COLUMNS) if changes else CURRENT_COLUMNS
    return projection_sql(
        contract, access, rows, system_columns=system, before=changes, hidden=() if changes else table.hidden
    )
