"""Run by the interpreter of .venv-athena: reads one table with every client and tells what each gave.

    python reader.py SQL SELECT RESULTS GROUP

The environment is that of `athena.py credentials`. Output: {client: rows or {"error": …}} as JSON. Nothing
here is set for the endpoint but what any user of Athena sets: work group, staging folder, polling. SQL says in a
comment what it is for; for SELECT the work group GROUP says it (PyAthena makes an UNLOAD only of a text that
begins with SELECT).
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import awswrangler as wr
import pandas as pd
import pyathena
from pyathena import connect
from pyathena.aio.arrow.cursor import AioArrowCursor
from pyathena.aio.cursor import AioCursor, AioDictCursor
from pyathena.aio.pandas.cursor import AioPandasCursor
from pyathena.aio.polars.cursor import AioPolarsCursor
from pyathena.aio.s3fs.cursor import AioS3FSCursor
from pyathena.arrow.async_cursor import AsyncArrowCursor
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor, AsyncDictCursor
from pyathena.cursor import Cursor, DictCursor
from pyathena.pandas.async_cursor import AsyncPandasCursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.polars.async_cursor import AsyncPolarsCursor
from pyathena.polars.cursor import PolarsCursor
from pyathena.s3fs.async_cursor import AsyncS3FSCursor
from pyathena.s3fs.cursor import S3FSCursor

POLL = 0.05
NAMES = ("id", "note", "name", "day", "moment", "amount", "flag", "big")
Rows = list[list[Any]]


def plain(value: Any) -> Any:
    """One form for what the libraries call null, day, moment and number."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str) and value.endswith(" UTC"):  # polars leaves moments with a zone as text
        return datetime.fromisoformat(value[:-4]).replace(tzinfo=UTC).isoformat()
    if isinstance(value, datetime):
        if value.tzinfo is None and (value.hour, value.minute, value.second, value.microsecond) == (
            0,
            0,
            0,
            0,
        ):
            return value.date().isoformat()  # pandas has no days
        return (
            (value.to_pydatetime() if isinstance(value, pd.Timestamp) else value).astimezone(UTC).isoformat()
        )
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def rows_of(found: Iterable[Any]) -> Rows:
    """Tuples, or mappings by name; the mark of an export is left out."""
    made = []
    for row in found:
        cells = [row[name] for name in NAMES] if isinstance(row, Mapping) else list(row)[: len(NAMES)]
        made.append([plain(cell) for cell in cells])
    return sorted(made, key=lambda row: row[0])


def frame(df: Any) -> Rows:
    return rows_of(df.to_dict("records"))


def pyathena_clients(sql: str, select: str, results: str, group: str) -> dict[str, Callable[[], Rows]]:
    api = connect(work_group="primary", schema_name="huitong", poll_interval=POLL)
    files = connect(s3_staging_dir=results, schema_name="huitong", poll_interval=POLL)
    taken = connect(s3_staging_dir=results, work_group=group, poll_interval=POLL)

    def unloaded(kind: Any) -> Any:
        return taken.cursor(kind, unload=True).execute(select)

    def fetched(cursor: Any) -> Rows:
        return rows_of(cursor.execute(sql).fetchall())

    def later(kind: Any) -> Rows:
        _, future = api.cursor(kind).execute(sql)
        return rows_of(future.result().fetchall())

    def natively(kind: Any) -> Rows:
        async def read() -> Rows:
            options = {"work_group": "primary", "schema_name": "huitong", "poll_interval": POLL}
            connection = await pyathena.aio_connect(**options)
            cursor = await connection.cursor(kind).execute(sql)
            found = cursor.fetchall()
            return rows_of(await found if asyncio.iscoroutine(found) else found)

        return asyncio.run(read())

    made: dict[str, Callable[[], Rows]] = {
        "pandas frame": lambda: frame(api.cursor(PandasCursor).execute(sql).as_pandas()),
        "arrow table": lambda: rows_of(api.cursor(ArrowCursor).execute(sql).as_arrow().to_pylist()),
        "polars frame": lambda: rows_of(api.cursor(PolarsCursor).execute(sql).as_polars().to_dicts()),
        "pandas file": lambda: frame(files.cursor(PandasCursor).execute(sql).as_pandas()),
        "polars file": lambda: rows_of(files.cursor(PolarsCursor).execute(sql).as_polars().to_dicts()),
        "pandas unload": lambda: frame(unloaded(PandasCursor).as_pandas()),
        "polars unload": lambda: rows_of(unloaded(PolarsCursor).as_polars().to_dicts()),
    }
    for kind in (Cursor, DictCursor, PandasCursor, ArrowCursor, PolarsCursor, S3FSCursor):
        made[kind.__name__] = lambda kind=kind: fetched(api.cursor(kind))  # type: ignore[misc]
    made["S3FSCursor file"] = lambda: fetched(files.cursor(S3FSCursor))
    for kind in (
        AsyncCursor, AsyncDictCursor, AsyncPandasCursor, AsyncArrowCursor, AsyncPolarsCursor, AsyncS3FSCursor,
    ):  # fmt: skip
        made[kind.__name__] = lambda kind=kind: later(kind)  # type: ignore[misc]
    for kind in (AioCursor, AioDictCursor, AioPandasCursor, AioArrowCursor, AioPolarsCursor, AioS3FSCursor):
        made[kind.__name__] = lambda kind=kind: natively(kind)  # type: ignore[misc]
    return made


def awswrangler_clients(sql: str, results: str) -> dict[str, Callable[[], Rows]]:
    options: dict[str, Any] = {"database": "huitong", "athena_query_wait_polling_delay": POLL}

    def read(**more: Any) -> Any:
        return wr.athena.read_sql_query(sql, ctas_approach=False, **options, **more)

    return {
        "wr": lambda: frame(read()),
        "wr file": lambda: frame(read(workgroup="files", keep_files=False)),
        "wr chunks": lambda: [row for part in read(chunksize=2) for row in frame(part)],
        "wr unload": lambda: frame(read(workgroup="files", unload_approach=True, s3_output=f"{results}wr/")),
    }


def further(sql: str) -> dict[str, Callable[[], Rows]]:
    def by_sqlalchemy() -> Rows:
        from sqlalchemy import create_engine, text

        address = "awsathena+rest://@athena.us-east-1.amazonaws.com:443/huitong"
        engine = create_engine(f"{address}?work_group=primary&poll_interval={POLL}")
        with engine.connect() as connection:
            return rows_of(tuple(row) for row in connection.execute(text(sql)))

    def by_cli() -> Rows:
        def aws(*words: str) -> Any:
            told = subprocess.run(
                [str(Path(sys.executable).with_name("aws")), "athena", *words, "--output", "json"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            return json.loads(told.stdout)

        id = aws("start-query-execution", "--query-string", sql)["QueryExecutionId"]
        while True:
            status = aws("get-query-execution", "--query-execution-id", id)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
        if status["State"] != "SUCCEEDED":
            raise RuntimeError(status["StateChangeReason"])
        rows = aws("get-query-results", "--query-execution-id", id, "--page-size", "2")["ResultSet"]["Rows"]
        typed = []
        for row in rows[1:]:
            cells = [cell.get("VarCharValue") for cell in row["Data"]]
            cells[6], cells[7] = cells[6] and cells[6] == "true", cells[7] and int(cells[7])
            typed.append(tuple(cells))
        return rows_of(typed)

    return {"sqlalchemy": by_sqlalchemy, "aws cli": by_cli}


def main() -> None:
    sql, select, results, group = sys.argv[1:]
    told: dict[str, Any] = {}
    clients = pyathena_clients(sql, select, results, group) | awswrangler_clients(sql, results) | further(sql)
    for name, read in clients.items():
        began = time.monotonic()
        try:
            told[name] = read()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the client says
            told[name] = {"error": f"{type(error).__name__}: {error}"}
        sys.stderr.write(f"{name}: {time.monotonic() - began:.2f} s\n")
    json.dump(told, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
