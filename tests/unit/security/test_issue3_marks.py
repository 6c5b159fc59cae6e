"""The table of records under verification, asked about rows that the asker may not see (S-11, L-32)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.query_world import PEOPLE, World, other, person

from huitong.errors import HuitongError
from huitong.tickets.marks import Mark, Marks

SHOWN, HIDDEN, ABSENT = 4, 5, 99  # source rows: 福田区, 南山区, none


def answer(world: World, condition: str) -> Any:
    try:
        return world.ask(other(), f'SELECT _source_row FROM "in_91$marks" WHERE {condition}')
    except HuitongError as error:
        return (type(error).__name__, error.en)


@pytest.mark.parametrize(
    "condition",
    [
        "CASE WHEN _source_row = {row} THEN fields ELSE '1' END = 1",
        "CAST(CASE WHEN _source_row = {row} AND fields LIKE 'a%' THEN 'x' ELSE '1' END AS integer) = 1",
        "CASE WHEN _source_row = {row} THEN _source_row * 9223372036854775807 ELSE 0 END = 1",
        "_source_row = {row} AND CAST(state AS integer) = 1",
    ],
)
def test_an_error_does_not_tell_of_a_mark_on_a_hidden_row(tmp_path: Path, condition: str) -> None:
    world = World(tmp_path)
    published = world.publish(PEOPLE, [person(n) for n in range(6)])
    marks = Marks(world.register, world.clock)
    world.resolver._marks = marks
    for row in (SHOWN, HIDDEN):
        mark = Mark(
            "IN-91", f"r{row}", f"t{row}", "correction", "2026-01-05", ("area",), published.batch_id, row
        )
        world.register.create(marks.entry(mark))
    world.grant(row_filter="area = '福田区'")
    assert answer(world, "TRUE") == [{"_source_row": SHOWN}]
    assert answer(world, condition.format(row=HIDDEN)) == answer(world, condition.format(row=ABSENT))
