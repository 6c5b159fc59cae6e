"""A DuckDB connection that reaches nothing but given files, and bounds of time and memory for its work."""

from __future__ import annotations

import resource as process
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from huitong.query.limits import Limits
from huitong.sharing.names import literal

_AGAIN: Final = 0.05


def connect(limits: Limits, temp: Path) -> duckdb.DuckDBPyConnection:
    """In memory, as Athena counts; it may write to ``temp`` what does not fit."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_mb}MiB",
            "threads": limits.threads,
            "temp_directory": str(temp),
            "max_temp_directory_size": f"{limits.temp_mb}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "integer_division": True,  # 5 / 2 is 2, as in Athena
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def lock(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """From now on: no file but these, no network, no extension, no setting."""
    allowed = ", ".join(literal(str(path)) for path in dict.fromkeys(paths))
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def interrupted(connection: duckdb.DuckDBPyConnection, deadline: float) -> Iterator[None]:
    """Stop what runs at the deadline, again and again: an interrupt before a statement begins is lost."""
    done = threading.Event()

    def watch() -> None:
        done.wait(max(0.0, deadline - time.monotonic()))
        while not done.wait(_AGAIN):
            connection.interrupt()

    watcher = threading.Thread(target=watch, name="query-deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def bounded_memory(more: int) -> Iterator[None]:
    """Let the process's private memory grow by ``more`` bytes at most.

    DuckDB does not count every list and text against its own limit; an
    allocation that fails is an error of this query, a process that is killed is not.
    """
    soft, hard = process.getrlimit(process.RLIMIT_DATA)
    used = _private_bytes()
    if not used:
        yield
        return
    limit = used + more
    if soft != process.RLIM_INFINITY:
        limit = min(limit, soft)
    process.setrlimit(process.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        process.setrlimit(process.RLIMIT_DATA, (soft, hard))


def _private_bytes() -> int:
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    found = [line for line in status.read_text().splitlines() if line.startswith("VmData:")]
    return int(found[0].split()[1]) << 10 if found else 0
