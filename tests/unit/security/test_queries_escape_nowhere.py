"""Attempts to reach, by SQL, what lies under the views: other fields, other rows, plain values, files."""

from __future__ import annotations

import pytest
from tests.support.query_world import PEOPLE, World, other, person

from huitong.errors import InvalidQuery, NotFound
from huitong.query.dialect import to_duckdb
from huitong.query.parse import check, check_condition
from huitong.sharing.grants import access_for
from huitong.sharing.row_filter import canonical_filter

KELVIN = "\u212a"  # lower() makes it a "k", DuckDB does not


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("worldk"))
    made.publish(PEOPLE, [person(n) for n in range(5)])
    made.grant(fields=("name", "area", "visits"), row_filter="\"area\" = '南山区'")
    return made


@pytest.mark.parametrize(
    "part",
    [
        "day from now()), (select 1",
        "day from now()), (select view_definition from information_schema.views limit 1",
        "epoch from now()) union all select sql from duckdb_views() --",
        "day\nfrom now()",
        "day/**/from",
    ],
)
def test_a_quoted_part_of_a_date_never_becomes_sql(world: World, part: str) -> None:
    """S-17: sqlglot prints such names as they are."""
    with pytest.raises(InvalidQuery):
        world.ask(other(), f'SELECT extract("{part}" FROM current_timestamp) FROM in_91')
    with pytest.raises(InvalidQuery):
        check_condition(f'extract("{part}" FROM seen) = 1')
    with pytest.raises(InvalidQuery):
        check(f"SELECT date_diff('{part}', a, b) FROM in_91")


@pytest.mark.parametrize(
    ("cte", "table"),
    [
        (f"duc{KELVIN}db_views", "duckdb_views"),
        (f"/tmp/{KELVIN}.parquet", "/tmp/k.parquet"),
        ("duckdb_views", "duckdb_views"),
        ("DuckDB_Views", "duckdb_views"),
        ("sqlite_master", "sqlite_master"),
        ("pg_views", "pg_views"),
        ("pragma_database_list", "pragma_database_list"),
        ("/tmp/x.parquet", "/tmp/x.parquet"),
    ],
)
def test_a_with_never_opens_a_file_or_the_catalogue(world: World, cte: str, table: str) -> None:
    """A name that Python and DuckDB fold differently would be no CTE for the one that reads."""
    with pytest.raises((InvalidQuery, NotFound)):
        world.ask(other(), f'WITH "{cte}" AS (SELECT 1 AS x) SELECT * FROM "{table}"')


def test_the_files_under_a_view_cannot_be_named(world: World) -> None:
    """The engine may open exactly these files; only the parser keeps a query from naming them."""
    raw = next(p for p in world._root.glob("in_91-current-*.parquet") if "k" in str(p))
    shadow = str(raw).replace("k", KELVIN, 1)
    with pytest.raises((InvalidQuery, NotFound)):
        world.ask(
            other(), f'WITH "{shadow}" AS (SELECT 1) SELECT * FROM "{raw}", (SELECT count(*) FROM in_91) t'
        )


@pytest.mark.parametrize(
    "condition",
    [
        "any_match(ARRAY[1], id_no -> TRUE) AND id_no LIKE '4403%'",
        "id_no = 'x' OR any_match(ARRAY[1], id_no -> id_no = 1)",
        "any_match(ARRAY['x'], y -> id_no = y) AND any_match(ARRAY['x'], id_no -> TRUE)",
        f"any_match(ARRAY['x'], \"{KELVIN}ind\" -> kind = 'x')",
        "cardinality(filter(ARRAY[amount], amount -> amount > 1)) > 0",
    ],
)
def test_a_lambda_elsewhere_gives_no_right_to_a_column(world: World, condition: str) -> None:
    """S-08: a subscriber's filter over a field that it may not see would tell its values."""
    access = access_for(other(), PEOPLE, world.grants)
    with pytest.raises(InvalidQuery) as refusal:
        canonical_filter(condition, PEOPLE, access)
    assert {p.rule for p in refusal.value.problems} == {"filter.column"}


def test_the_parameter_of_a_lambda_is_no_column(world: World) -> None:
    access = access_for(other(), PEOPLE, world.grants)
    assert canonical_filter("any_match(ARRAY['南山区', '福田区'], x -> x = area)", PEOPLE, access)


@pytest.mark.parametrize("comment", ["-- */ , secret /*\n", "/* */ ", "/*+ hint */ ", "-- x\n"])
def test_comments_do_not_go_on(comment: str) -> None:
    text = to_duckdb(check(f"SELECT 1 {comment} , 2 AS b FROM in_91").tree)
    assert "/*" not in text
    assert "--" not in text
