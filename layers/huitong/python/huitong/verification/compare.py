"""The comparison itself: one join over the published table, of which results alone come out (L-22).

Claims and the provider's rows meet in a DuckDB in memory that may neither write to disk nor open
anything but the table's own files. What it returns are the words of :data:`RESULTS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from huitong.contracts.model import Contract
from huitong.errors import Fault, Unavailable
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted
from huitong.sharing.projection import projection_sql
from huitong.verification.values import claimed_sql, held_sql
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.reading import relation_of

#: agrees; differs; there is no such record, or the provider has no value.
RESULTS: Final = ("agree", "differ", "unknown")
Row = tuple[Mapping[str, str], Mapping[str, str]]  # texts of the key, texts that are claimed, by field

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "memory_limit": "512MiB",
    "threads": 2,
    "temp_directory": "",  # nothing is ever written out
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


def compared(
    lakehouse: Lakehouse,
    contract: Contract,
    access: Access,
    snapshot_id: int,
    rows: Sequence[Row],
    *,
    subjects_key: str,
) -> list[dict[str, str]]:
    """For each row the result of each claimed field. Raises Unavailable and Fault, never with a value."""
    names = sorted({name for _, claimed in rows for name in claimed})
    keys = [f.name for f in contract.keys]
    shown = {*access.fields, *keys}
    plain = Access(
        contract.id,
        tuple(f.name for f in contract.fields if f.name in shown),
        row_filter=access.row_filter,
        case_no=access.case_no,
        subjects=access.subjects,
    )
    with ExitStack() as stack:
        refs = lakehouse.files(contract, "current", snapshot_id)
        sql, paths = stack.enter_context(relation_of(lakehouse, contract, "current", refs))
        held = projection_sql(contract, plain, sql, subjects_key=subjects_key)
        try:
            connection = stack.enter_context(duckdb.connect(":memory:", config=_CONFIG))
            _load(connection, rows, keys, names)
            _lock(connection, paths)
            found = connection.execute(_join(contract, held, keys, names)).fetchall()
        except (duckdb.OutOfMemoryException, duckdb.IOException, OSError) as error:
            kind = type(error).__name__
            raise Unavailable("暂时无法比对", f"Nothing can be compared now ({kind})") from None
        except duckdb.Error as error:  # its text can hold a value
            raise Fault("比对出错", f"The comparison failed ({type(error).__name__})") from None
    return [{n: r for n, r in zip(names, results, strict=True) if r} for _, *results in found]


def _load(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], keys: Sequence[str], names: Sequence[str]
) -> None:
    columns = {"n": pa.array(range(len(rows)), pa.int64())}
    for at, name in enumerate(keys):
        columns[f"k{at}"] = pa.array([key[name] for key, _ in rows], pa.string())
    for at, name in enumerate(names):
        columns[f"c{at}"] = pa.array([claimed.get(name) for _, claimed in rows], pa.string())
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("given", pa.table(columns))
    connection.execute("CREATE TEMP TABLE claims AS SELECT * FROM given")
    connection.unregister("given")


def _lock(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    allowed = ", ".join(literal(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _join(contract: Contract, held: str, keys: Sequence[str], names: Sequence[str]) -> str:
    """Every claim meets the whole table, whether it has such a record or not."""
    by_name = {f.name: f for f in contract.fields}
    on = " AND ".join(
        f"{claimed_sql(by_name[name], f'c.k{at}')} = {held_sql(by_name[name], f'h.{quoted(name)}')}"
        for at, name in enumerate(keys)
    )
    results = []
    for at, name in enumerate(names):
        claim, value = f"c.c{at}", f"h.{quoted(name)}"
        agrees = f"{claimed_sql(by_name[name], claim)} = {held_sql(by_name[name], value)}"
        results.append(
            f"CASE WHEN any_value({claim}) IS NULL THEN NULL WHEN count({value}) = 0 THEN 'unknown' "
            f"WHEN bool_or({agrees}) THEN 'agree' ELSE 'differ' END AS r{at}"
        )
    return (
        f"SELECT c.n, {', '.join(results)} FROM claims AS c LEFT JOIN ({held}) AS h ON {on} "
        "GROUP BY c.n ORDER BY c.n"
    )
