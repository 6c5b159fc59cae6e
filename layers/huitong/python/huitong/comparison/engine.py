"""DuckDB for comparisons: one warm instance per process, a fresh connection for each comparison.

Opening an instance costs 20 ms, a connection one. Memory is bounded; what does
not fit spills to a folder of the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final
from uuid import uuid4

import duckdb

from huitong.warehouse.sql import text

THREADS: Final = 2
_warm: dict[int, duckdb.DuckDBPyConnection] = {}


@contextmanager
def session(memory_mb: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with its own temporary tables, gone when the context ends."""
    instance = _warm.get(memory_mb) or _open(memory_mb)
    connection = instance.cursor()
    try:
        connection.execute("SET preserve_insertion_order = false; SET TimeZone = 'UTC'").fetchall()
        yield connection
    except duckdb.Error:
        if _warm.pop(memory_mb, None) is not None:  # an instance may be unusable after an error
            instance.close()
        raise
    finally:
        connection.close()


def fetched(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a small answer. Moments come by way of Arrow: DuckDB itself wants pytz for them."""
    return [tuple(row.values()) for row in connection.sql(sql).to_arrow_table().to_pylist()]


def _open(memory_mb: int) -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect(":memory:", config={"threads": THREADS, "memory_limit": f"{memory_mb}MB"})
    spill = Path(gettempdir()) / f"huitong-spill-{uuid4().hex}"
    instance.execute(f"SET temp_directory = {text(str(spill))}").fetchall()
    _warm[memory_mb] = instance
    return instance
