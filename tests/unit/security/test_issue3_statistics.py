"""Figures about groups, asked by somebody who wants to know one person's value (S-34)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.query_world import PEOPLE, World, other, person

from huitong.contracts.model import Field
from huitong.errors import HuitongError, InvalidQuery

PERSONS = replace(
    PEOPLE,
    fields=(
        *(replace(f, semantic="citizen-id") if f.name == "id_no" else f for f in PEOPLE.fields),
        Field("debt", type="integer", level="L4", field_id=15),
    ),
)
TARGET = "visits = 7 AND area LIKE '{guess}%'"  # visits = 7: one person alone


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, PERSONS)
    made.publish(PERSONS, [{**person(n), "debt": n} for n in range(12)])
    made.grant(PERSONS, statistics=True, unmasked=("debt",))
    return made


def told(world: World, sql: str) -> Any:
    try:
        return world.ask(other(), sql)
    except HuitongError as error:
        return (type(error).__name__, error.en)


@pytest.mark.parametrize(
    "trap",
    [
        "CASE WHEN {target} THEN length(area) * 9223372036854775807 ELSE 0 END < 0",
        "CASE WHEN {target} THEN visits + 9223372036854775807 ELSE 0 END < 0",
        "CASE WHEN {target} THEN area ELSE '1' END = 2",
        "CASE WHEN {target} THEN area ELSE '1' END IN (2, 3)",
        "'a' LIKE CASE WHEN {target} THEN '\\' ELSE 'b' END ESCAPE '\\'",
        "'a' LIKE 'b' ESCAPE CASE WHEN {target} THEN 'xx' ELSE '\\' END",
    ],
)
def test_an_error_does_not_tell_whether_a_condition_holds_for_one_person(world: World, trap: str) -> None:
    """A condition that fails for one row alone is answered like one that does not."""
    answers = [
        told(
            world, f"SELECT count(*) AS n FROM in_91 WHERE NOT ({trap.format(target=TARGET.format(guess=g))})"
        )
        for g in "南福"
    ]
    shapes = [a if isinstance(a, tuple) else "figures" for a in answers]
    assert shapes[0] == shapes[1], answers


def test_a_group_s_key_that_fails_for_one_person_is_no_error(world: World) -> None:
    key = "CASE WHEN visits = 7 THEN visits * 9223372036854775807 ELSE 0 END"
    expected = [{"k": 0, "n": 11}]
    assert told(world, f"SELECT {key} AS k, count(*) AS n FROM in_91 GROUP BY 1") == expected
    assert (
        told(world, f"SELECT {key} AS k, count(*) AS n FROM in_91 GROUP BY {key} ORDER BY {key}") == expected
    )


def test_identity_numbers_and_l4_fields_are_counted_and_nothing_else(world: World) -> None:
    """What docs/query.md says; sums of few are differences of two queries."""
    assert told(world, "SELECT count(debt) AS n FROM in_91") == [{"n": 12}]
    for figure in ("sum(debt)", "avg(debt)", "stddev(debt)"):
        with pytest.raises(InvalidQuery):
            world.ask(other(), f"SELECT {figure} FROM in_91")
