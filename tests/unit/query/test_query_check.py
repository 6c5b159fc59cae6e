"""What a query may be."""

from __future__ import annotations

import contextlib
import logging
import re
from pathlib import Path

import pytest

from huitong.errors import InvalidQuery
from huitong.query.dialect import to_duckdb
from huitong.query.parse import MAX_BYTES, AsOf, TableUse, check

DOCS = Path(__file__).resolve().parents[3] / "docs" / "query.md"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "",
        ";",
        "INSERT INTO in_01 VALUES (1)",
        "UPDATE in_01 SET a = 1",
        "DELETE FROM in_01",
        "DROP TABLE in_01",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "ALTER TABLE in_01 ADD COLUMN x int",
        "TRUNCATE TABLE in_01",
        "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
        "SET threads = 8",
        "PRAGMA database_list",
        "ATTACH 'x.db'",
        "COPY in_01 TO 'x.csv'",
        "UNLOAD (SELECT 1) TO 's3://x'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
        "DESCRIBE in_01",
        "SHOW TABLES",
        "PREPARE x FROM SELECT 1",
        "EXECUTE x",
        "SELECT a INTO b FROM in_01",
        "SELECT * FROM in_01 FOR UPDATE",
        "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
    ],
)
def test_anything_but_one_select_is_refused(sql: str) -> None:
    """Issue 2.8: read only, one statement."""
    with pytest.raises(InvalidQuery) as refused:
        check(sql)
    assert refused.value.problems
    assert all(problem.zh and problem.en for problem in refused.value.problems)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('s3://x/y')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM sniff_csv('x')",
        "SELECT * FROM parquet_scan('x')",
        "SELECT * FROM query('select 1')",
        "SELECT * FROM query_table('in_01')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pragma_table_info('in_01')",
        "SELECT * FROM TABLE(system.builtin.x())",
        "SELECT * FROM generate_series(1, 3)",
        "SELECT * FROM LATERAL (SELECT 1)",
        "SELECT read_blob('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('threads')",
        "SELECT \"read_text\"('x')",
        "SELECT system.read_text('x')",
        "SELECT 'x'.read_text()",
        "SELECT getvariable('x')",
        "SELECT nextval('s')",
        "SELECT current_user",
        "SELECT version()",
        "SELECT any_match(ARRAY['x'], f -> read_text(f) IS NOT NULL)",
        "SELECT * FROM in_01 WHERE EXISTS (SELECT 1 FROM read_csv('x'))",
        "SELECT 1 ORDER BY (SELECT content FROM read_text('x'))",
        "WITH a AS (SELECT * FROM read_csv('x')) SELECT 1",
        "SELECT COLUMNS('.*') FROM in_01",
        "SELECT * EXCLUDE (a) FROM in_01",
        "SELECT * FROM in_01 TABLESAMPLE BERNOULLI (1)",
        "SELECT * FROM in_01 PIVOT (sum(a) FOR b IN (1))",
        "SELECT @x",
        "SELECT ?",
        "SELECT cast('x' AS regclass)",
        "SELECT lpad('x', 1000000000, 'y')",
        "SELECT rpad('x', a, 'y') FROM in_01",
    ],
)
def test_what_reaches_beyond_the_tables_is_refused(sql: str) -> None:
    """S-17: functions of files, network, settings, and syntax that is not on the list."""
    with pytest.raises(InvalidQuery):
        check(sql)


@pytest.mark.parametrize("name", ["file.csv", "s3://bucket/x.parquet", "/etc/passwd"])
def test_a_path_in_quotes_is_only_a_table_name(name: str) -> None:
    assert check(f'SELECT * FROM "{name}"').tables == (TableUse(name),)


@pytest.mark.parametrize("sql", ["SELECT * FROM other.in_01", "SELECT * FROM main.pg_catalog.x"])
def test_another_database_is_refused(sql: str) -> None:
    with pytest.raises(InvalidQuery, match="no database"):
        check(sql)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InvalidQuery) as refused:
        check("SELECT getenv('x'), version() FROM read_csv('y')")
    told = {problem.en for problem in refused.value.problems}
    assert "Function not allowed: getenv" in told
    assert "Table functions are not allowed" in told
    assert len(told) >= 3


@pytest.mark.parametrize(
    "sql",
    ["SELECT '" + "x" * MAX_BYTES + "'", "SELECT " + "(" * 500 + "1" + ")" * 500, "SELECT 1 -- \x00",
     "SELECT " + ", ".join("1 + 1" for _ in range(8_000)),
     "SELECT 1" + " UNION ALL SELECT 1" * 500, "SELECT * FROM in_01" + ", in_01" * 100],
)  # fmt: skip
def test_a_query_beyond_the_bounds_is_refused_and_not_a_crash(sql: str) -> None:
    with pytest.raises(InvalidQuery):
        check(sql)


def test_tables_are_found_wherever_they_stand() -> None:
    query = check(
        """WITH a AS (SELECT * FROM in_01), in_09 AS (SELECT 1 AS x)
        SELECT (SELECT max(x) FROM in_02) FROM a JOIN "IN-03$changes" c USING (k)
        WHERE k IN (SELECT k FROM huitong.in_04 UNION SELECT k FROM in_05) AND EXISTS (SELECT 1 FROM in_09)"""
    )
    assert {(t.name, t.part) for t in query.tables} == {
        ("in_01", "current"),
        ("in_02", "current"),
        ("in-03", "changes"),
        ("in_04", "current"),
        ("in_05", "current"),
    }


def test_a_cte_hides_a_table_only_where_it_exists() -> None:
    inside = check("WITH in_01 AS (SELECT * FROM in_01) SELECT * FROM in_01")
    assert inside.tables == (TableUse("in_01"),)
    assert "huitong_0" in inside.over(inside.view_names()).sql()
    before = check("WITH b AS (SELECT * FROM a), a AS (SELECT 1 AS x) SELECT * FROM b")
    assert before.tables == (TableUse("a"),)


def test_a_name_of_the_query_is_never_the_name_of_a_view() -> None:
    query = check("WITH huitong_0 AS (SELECT 1 AS x) SELECT * FROM in_01, huitong_0")
    assert list(query.view_names().values()) == ["huitongx_0"]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("FOR VERSION AS OF 12", AsOf("version", "12")),
        ("FOR VERSION AS OF 'b12'", AsOf("version", "b12")),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 08:00:00'", AsOf("time", "2026-01-31T08:00:00.000Z")),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 08:00:00 Asia/Shanghai'", AsOf("time", "2026-01-31T00:00:00.000Z")),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 08:00:00 +08:00'", AsOf("time", "2026-01-31T00:00:00.000Z")),
        ("FOR TIMESTAMP AS OF DATE '2026-01-31'", AsOf("time", "2026-01-31T00:00:00.000Z")),
    ],
)  # fmt: skip
def test_as_of_is_read_with_its_time_zone(written: str, means: AsOf) -> None:
    assert check(f"SELECT * FROM in_01 {written} AS t").tables == (TableUse("in_01", "current", means),)


@pytest.mark.parametrize(
    "written",
    ["FOR TIMESTAMP AS OF current_timestamp", "FOR TIMESTAMP AS OF TIMESTAMP 'yesterday'",
     "FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 08:00:00 Nowhere/City'", "FOR TIMESTAMP AS OF 5"],
)  # fmt: skip
def test_an_as_of_that_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(InvalidQuery, match="AS OF"):
        check(f"SELECT * FROM in_01 {written}")


def test_findings_have_no_states_in_time() -> None:
    with pytest.raises(InvalidQuery, match="no states"):
        check('SELECT * FROM "in_01$findings" FOR VERSION AS OF 1')


def test_generated_text_quotes_every_identifier() -> None:
    text = to_duckdb(check('SELECT current_schema, "a""b" FROM in_01').tree)
    assert text == 'SELECT "current_schema", "a""b" FROM "in_01"'


def test_every_example_of_the_documentation_is_a_permitted_query() -> None:
    blocks = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.S)
    statements = [s for block in blocks for s in re.split(r"\n\n|(?<=[0-9'])(?: +-- .*)?\n(?=SELECT)", block)]
    assert len(statements) >= 7
    for statement in statements:
        assert check(statement).tables


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT * FROM in_01 WHERE name = '张三'",
        "SHOW TABLES LIKE '张三'",
        "CALL x('张三')",
        "ALTER TABLE x RENAME COLUMN 张三 TO y FOO",
        "SELECT json_extract_scalar(a, '$[\"张三') FROM in_01",
    ],
)
def test_the_parser_leaves_no_text_of_a_query_in_the_log(sql: str, caplog: pytest.LogCaptureFixture) -> None:
    """S-16: a query may name persons, and whatever a library warns of goes to the function's log."""
    with caplog.at_level(logging.DEBUG), contextlib.suppress(InvalidQuery):
        check(sql).tree.sql("athena")
    assert caplog.messages == []
