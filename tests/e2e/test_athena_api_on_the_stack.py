"""Athena's API for real, as far as the emulator has it: start, poll, stop, pages, errors (Q-08, C-38).

The emulator runs plain SQL on DuckDB over Parquet tables of Glue; Iceberg, UNLOAD and Trino's own functions
it has not (difference ``no-athena``): those are held by tests/unit/athena.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huitong.athena.runs import finished, token
from huitong.aws.athena import AthenaQueries
from huitong.errors import HuitongError, InvalidQuery, LimitExceeded, Unavailable
from huitong.query.athena import AthenaEngine
from huitong.query.limits import Limits
from huitong.query.parse import check

pytestmark = pytest.mark.e2e
DATABASE, ROWS = "athena_e2e", 2_345


@pytest.fixture(scope="module")
def queries(stack: Any) -> Iterator[AthenaQueries]:
    """A table of its own over plain Parquet, in a bucket of its own."""
    import differences  # of localstack/, which conftest.py puts on the path
    import emulators

    if differences.holds("made-up-athena", emulators.chosen().name):
        pytest.skip(differences.known("made-up-athena").reason)
    s3, glue, athena = (stack.client(name) for name in ("s3", "glue", "athena"))
    bucket = "athena-e2e"
    s3.create_bucket(Bucket=bucket)
    table = pa.table(
        {
            "n": pa.array(range(ROWS), pa.int64()),
            "name": [None if n % 7 == 0 else f"张{n}" for n in range(ROWS)],
            "born": pa.array([date(1990, 1, 1 + n % 28) for n in range(ROWS)]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    s3.put_object(Bucket=bucket, Key="people/part-0.parquet", Body=sink.getvalue())
    glue.create_database(DatabaseInput={"Name": DATABASE})
    made = AthenaQueries(athena, workgroup="primary", database=DATABASE, output=f"s3://{bucket}/results/")
    ddl = made.start(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `people` (`n` bigint, `name` string, `born` date) "
        f"STORED AS PARQUET LOCATION 's3://{bucket}/people/'",
        token("ddl", str(time.time_ns())),
    )
    finished(made, ddl, time.monotonic() + 30)
    yield made
    glue.delete_database(Name=DATABASE)


def _rows(queries: AthenaQueries, sql: str) -> list[list[str | None]]:
    run = queries.start(sql, token(sql, str(time.time_ns())))
    finished(queries, run, time.monotonic() + 30)
    return list(queries.rows(run))


def test_all_pages_of_an_answer_come_in_order_nulls_apart_from_empty_texts(queries: AthenaQueries) -> None:
    rows = _rows(queries, "SELECT n, name, '' AS nothing FROM people ORDER BY n")
    assert [row[0] for row in rows] == [str(n) for n in range(ROWS)]
    assert rows[:2] == [["0", None, ""], ["1", "张1", ""]]


def test_an_engine_writes_the_answer_with_its_types(queries: AthenaQueries, tmp_path: Path) -> None:
    query = check("SELECT 7 AS n, DATE '2026-01-31' AS d, CAST(NULL AS varchar) AS nothing, 'x' AS t")
    engine = AthenaEngine(queries, DATABASE)
    outcome = engine.run(query, [], Limits(), tmp_path / "result.arrow")
    assert (outcome.rows, bool(outcome.engine_id)) == (1, True)
    with pa.memory_map(str(tmp_path / "result.arrow")) as source:
        (row,) = pa.ipc.open_file(source).read_all().to_pylist()
    assert row == {"n": 7, "d": date(2026, 1, 31), "nothing": None, "t": "x"}


@pytest.mark.parametrize("sql", ["SELECT nobody FROM people", "SELECT * FROM no_such_table", "SELEC 1"])
def test_a_query_that_fails_is_an_error_of_ours_that_tells_no_text_of_it(
    queries: AthenaQueries, sql: str
) -> None:
    run = queries.start(sql, token(sql, str(time.time_ns())))
    with pytest.raises((InvalidQuery, Unavailable)) as told:
        finished(queries, run, time.monotonic() + 30)
    assert "nobody" not in str(told.value.as_dict())
    assert "Binder" not in str(told.value.as_dict())


def test_what_is_refused_at_the_start_is_an_invalid_query(queries: AthenaQueries) -> None:
    with pytest.raises(InvalidQuery):
        queries.start("CREATE TABLE people2 (n bigint)", token("refused", str(time.time_ns())))


def test_a_run_over_its_time_is_stopped_there(queries: AthenaQueries) -> None:
    slow = (
        "SELECT count(*) FROM people AS a CROSS JOIN people AS b CROSS JOIN people AS c "
        "WHERE c.n < 12 AND (a.n * b.n + c.n) % 1000003 = 7"
    )
    run = queries.start(slow, token("slow", str(time.time_ns())))
    with pytest.raises(LimitExceeded):
        finished(queries, run, time.monotonic() + 0.05)
    assert queries.progress(run).state == "cancelled"


def test_a_run_that_is_not_known_is_an_error_of_ours(queries: AthenaQueries) -> None:
    with pytest.raises(HuitongError):
        queries.progress("00000000-0000-0000-0000-000000000000")
