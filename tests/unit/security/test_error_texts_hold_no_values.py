"""DuckDB says in its errors which value it was; that never leaves the engine (S-16)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.query_world import FOR_DUTY, PEOPLE, World, other, person

from huitong.errors import InvalidQuery, LimitExceeded
from huitong.query.limits import Limits
from huitong.query.parse import check_condition

MANY = 42_000  # rows of more than two record batches: the error comes while Arrow reads


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    template = person(1)
    made.publish(PEOPLE, [{**template, "id_no": f"{n:018}", "visits": n} for n in range(MANY)])
    made.grant(fields=("name", "area", "visits"))
    return made


@pytest.mark.parametrize(
    "expression",
    [
        "CAST(CASE WHEN visits > 41000 THEN area ELSE '1' END AS integer)",
        "CAST(CASE WHEN visits > 41000 THEN 99999999999 ELSE 1 END AS integer)",
        "date_parse(CASE WHEN visits > 41000 THEN area ELSE '2020' END, '%Y')",
        "json_extract(CASE WHEN visits > 41000 THEN area ELSE '{}' END, '$.a')",
        "CAST(area AS date)",
    ],
)
def test_an_error_in_a_late_row_tells_nothing_of_it(world: World, expression: str) -> None:
    with pytest.raises(InvalidQuery) as refusal:
        world.queries.run(other(), f"SELECT {expression} AS x FROM in_91", use=FOR_DUTY)
    told = str(refusal.value.as_dict()) + str(refusal.value)
    assert "南山区" not in told
    assert "99999999999" not in told
    assert refusal.value.__cause__ is None


def test_memory_that_runs_out_while_rows_are_read_is_a_limit(world: World) -> None:
    sql = (
        "SELECT replace(rpad('a', 10000, 'a'), 'a', rpad('b', 10000, 'b'))"
        " FROM unnest(sequence(1, 100000)) AS t (x)"
    )
    with pytest.raises(LimitExceeded):
        world.queries.run(other(), sql, limits=Limits(seconds=20, memory_mb=128), use=FOR_DUTY)


def test_long_texts_have_no_edit_distance(tmp_path: Path) -> None:
    """One such call runs for seconds and cannot be interrupted."""
    made = World(tmp_path)
    sql = (
        "SELECT levenshtein_distance(rpad(cast(x as varchar), 10000, 'a'), rpad('', 10000, 'b'))"
        " FROM unnest(sequence(1, 2048)) AS t (x)"
    )
    with pytest.raises(InvalidQuery):
        made.queries.run(other(), sql, use=FOR_DUTY)
    assert made.ask(other(), "SELECT levenshtein_distance('kitten', 'sitting') AS n") == [{"n": 3}]


@pytest.mark.parametrize(
    "condition",
    [
        "cardinality(sequence(1, 100000000)) > area",
        "any_match(split(area, ''), x -> any_match(split(area, ''), y -> x = y))",
    ],
)
def test_a_filter_makes_no_loops_in_loops(condition: str) -> None:
    """A subscriber's filter runs unattended, before the deliveries of other units."""
    with pytest.raises(InvalidQuery):
        check_condition(condition)
