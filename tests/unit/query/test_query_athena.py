"""The same query as Athena gets it, and its answer back as a typed result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot
from tests.support.query_world import FOR_DUTY, PEOPLE, World, other, owner, person

from huitong.athena.runs import Progress
from huitong.errors import InvalidQuery, LimitExceeded
from huitong.identity.model import Principal
from huitong.query.athena import AthenaEngine
from huitong.query.athena_text import athena_sql
from huitong.query.limits import Limits
from huitong.query.parse import check
from huitong.query.run import Queries


class Answers:
    """Athena, answering after so many polls."""

    def __init__(self, polls: int = 2, end: Progress = Progress("succeeded")) -> None:  # noqa: B008 (frozen)
        self.polls, self.end = polls, end
        self.sql, self.stopped, self.forgotten = "", False, False

    def start(self, sql: str, token: str) -> str:
        self.sql = sql
        assert 32 <= len(token) <= 128
        return "run-1"

    def forget(self, id: str) -> None:
        self.forgotten = True

    def progress(self, id: str) -> Progress:
        self.polls -= 1
        return Progress("running") if self.polls >= 0 else self.end

    def stop(self, id: str) -> None:
        self.stopped = True

    def columns(self, id: str) -> list[tuple[str, str]]:
        kinds = [
            "varchar",
            "bigint",
            "decimal(12,2)",
            "double",
            "boolean",
            "date",
            "timestamp",
            "timestamp with time zone",
        ]
        return [(kind.split("(")[0][:3], kind) for kind in kinds]

    def rows(self, id: str) -> Iterator[list[str | None]]:
        yield [
            "x",
            "7",
            "1.50",
            "2.5",
            "true",
            "2026-01-31",
            "2026-01-31 08:00:00.000",
            "2026-01-31 08:00:00.000 Asia/Shanghai",
        ]
        yield [None] * 8


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.publish(PEOPLE, [person(n) for n in range(3)])
    made.publish(PEOPLE, [person(n) for n in range(4)])
    return made


def _text(world: World, who: Principal, sql: str) -> str:
    query = check(sql)
    return athena_sql(
        query, [world.resolver.resolve(use, who, "", FOR_DUTY) for use in query.tables], "huitong_db"
    )


def test_views_stand_before_the_query_and_name_the_published_snapshot(world: World) -> None:
    text = _text(world, owner(), "WITH a AS (SELECT * FROM in_91) SELECT count(*) FROM a")
    assert text.startswith('WITH "huitong_0" AS (SELECT')
    assert 'FROM "huitong_db"."in_91" FOR VERSION AS OF 8000000000000000020' in text
    assert text.endswith('"a" AS (SELECT * FROM "huitong_0" AS "in_91") SELECT COUNT(*) FROM "a"')


def test_athena_gets_no_field_and_no_row_outside_of_the_grant(world: World) -> None:
    """The one grant on every path."""
    world.grant(fields=("name", "area"), row_filter="\"area\" = '南山区'")
    text = _text(world, other(), "SELECT * FROM in_91 UNION ALL SELECT * FROM in_91 FOR VERSION AS OF 1")
    assert "id_no" not in text
    assert "amount" not in text
    assert text.count("COALESCE((\"area\" = '南山区'), FALSE)") == 2
    assert text.count("FOR VERSION AS OF") == 2
    assert "REPEAT" not in text  # Athena's makes an array
    assert sqlglot.parse_one(text, read="athena")


def test_the_change_log_on_athena_names_the_members_of_the_row_before(world: World) -> None:
    world.grant(fields=("name", "visits"))
    text = _text(world, other(), 'SELECT _before.visits FROM "in_91$changes"')
    assert 'AS ROW("name" VARCHAR, "visits" BIGINT))' in text
    assert 'FILTER("_changed_columns", "c" -> "c" IN (\'name\', \'visits\'))' in text
    assert 'FROM "huitong_db"."in_91__changes"' in text


@pytest.mark.parametrize("table", ['"in_91$findings"', '"in_91$quarantine"', "in_92"])
def test_what_only_duckdb_can_read_is_refused_by_name(world: World, table: str) -> None:
    with pytest.raises(InvalidQuery):
        _text(world, owner(), f"SELECT * FROM {table}")


def test_the_listing_and_the_history_need_no_table(world: World) -> None:
    text = _text(world, owner(), "SELECT table_name FROM information_schema.tables")
    assert "huitong_db" not in text
    assert "'in_91'" in text
    assert "CAST('bin_910001' AS VARCHAR)" in _text(world, owner(), 'SELECT * FROM "in_91$history"')


def test_an_answer_of_athena_becomes_a_typed_result(world: World) -> None:
    runs = Answers()
    pauses: list[float] = []
    queries = Queries(
        world.register,
        world.staging,
        world.resolver,
        AthenaEngine(runs, "huitong_db", pause=pauses.append),
        world.clock,
    )
    result = queries.run(owner(), "SELECT * FROM in_91")
    assert (result.engine, result.total_rows, len(pauses)) == ("athena", 2, 2)
    assert [c["type"] for c in result.columns][2] == "decimal(12,2)"
    page = queries.page(result.id, owner(), format="arrow")
    first, second = pa.ipc.open_stream(page.body).read_all().to_pylist()
    assert list(first.values()) == [
        "x", 7, Decimal("1.50"), 2.5, True, date(2026, 1, 31), datetime(2026, 1, 31, 8),
        datetime(2026, 1, 31, tzinfo=UTC),
    ]  # fmt: skip
    assert set(second.values()) == {None}


def test_a_query_over_its_time_is_stopped_on_athena(tmp_path: Path) -> None:
    runs, now = Answers(polls=10_000), [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    engine = AthenaEngine(runs, "db", clock=lambda: now[0], pause=pause)
    with pytest.raises(LimitExceeded):
        engine.run(check("SELECT 1"), [], Limits(seconds=2), tmp_path / "r.arrow")
    assert runs.stopped
    assert 2 <= now[0] < 3


def test_a_refusal_of_athena_tells_no_value(tmp_path: Path) -> None:
    end = Progress("failed", "INVALID_CAST_ARGUMENT: Cannot cast '张三' to INT")
    engine = AthenaEngine(Answers(end=end), "db", pause=lambda _: None)
    with pytest.raises(InvalidQuery) as refused:
        engine.run(check("SELECT 1"), [], Limits(), tmp_path / "r.arrow")
    assert "INVALID_CAST_ARGUMENT" in refused.value.en
    assert "张三" not in str(refused.value.as_dict())


def test_a_result_of_athena_beyond_its_rows_is_an_error(tmp_path: Path) -> None:
    engine = AthenaEngine(Answers(), "db", pause=lambda _: None)
    with pytest.raises(LimitExceeded):
        engine.run(check("SELECT 1"), [], Limits(rows=1), tmp_path / "r.arrow")
