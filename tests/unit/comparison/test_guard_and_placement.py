"""The pure decisions: limits, and which files to write."""

from __future__ import annotations

import pytest

from huitong.comparison.guard import excesses
from huitong.comparison.inputs import Outcome
from huitong.comparison.placement import MANY_SMALL_FILES, Piece, pieces_of, place
from huitong.contracts.model import Limits
from huitong.warehouse.files import DataFileRef

LIMITS = Limits(max_deleted_percent=30, max_updated_percent=60, guard_floor=20)


@pytest.mark.parametrize(
    ("outcome", "current", "kinds"),
    [
        (Outcome(deleted=30), 100, []),
        (Outcome(deleted=31), 100, ["deleted"]),
        (Outcome(updated=60), 100, []),
        (Outcome(updated=61), 100, ["updated"]),
        (Outcome(deleted=40, updated=61), 100, ["deleted", "updated"]),
        (Outcome(deleted=20), 20, []),
        (Outcome(deleted=21), 21, ["deleted"]),
        (Outcome(inserted=1_000_000), 10, []),
        (Outcome(inserted=100), 0, []),
    ],
)
def test_a_batch_is_held_above_the_limits_and_not_at_them(
    outcome: Outcome, current: int, kinds: list[str]
) -> None:
    assert [e.kind for e in excesses(outcome, current, LIMITS)] == kinds


def test_an_excess_says_how_much_of_how_much() -> None:
    (excess,) = excesses(Outcome(deleted=1000), 3000, LIMITS)

    assert (excess.rows, excess.percent, excess.limit) == (1000, 33.33, 30)


def ref(name: str, rows: int, *partition: str) -> DataFileRef:
    return DataFileRef(name, rows, rows, partition)


def test_untouched_files_stay_and_whole_files_are_taken_over() -> None:
    current, delivered = [ref("a", 50_000), ref("b", 50_000)], [ref("n", 50_000)]
    pieces = [
        *pieces_of("current", current, {0: 50_000, 1: 49_999}),
        *pieces_of("delivered", delivered, {0: 50_000}),
    ]

    placement = place(current, pieces)

    assert placement.takeover == (delivered[0],)
    assert placement.remove == (current[1],)
    assert [f.rows for f in placement.write] == [49_999]


def test_a_file_of_which_nothing_stays_is_removed_without_a_successor() -> None:
    placement = place([ref("a", 5)], pieces_of("current", [ref("a", 5)], {0: 0}))

    assert (placement.write, placement.remove) == ((), (ref("a", 5),))


def test_small_files_are_merged_when_there_are_many_of_them_in_one_partition() -> None:
    current = [ref(f"a{n}", 10, "x") for n in range(MANY_SMALL_FILES)] + [ref("b", 10, "y")]
    new = Piece("delivered", 0, ref("n", 7, "x"), 7)
    pieces = [*pieces_of("current", current, dict.fromkeys(range(len(current)), 10)), new]

    placement = place(current, pieces)

    (merged,) = placement.write
    assert (merged.rows, merged.partition) == (MANY_SMALL_FILES * 10 + 7, ("x",))
    assert placement.remove == tuple(current[:-1])
    assert placement.takeover == ()


def test_fragments_of_one_partition_become_one_file_and_others_another() -> None:
    current = [ref("a", 10, "x"), ref("b", 10, "x"), ref("c", 10, "y")]

    placement = place(current, pieces_of("current", current, {0: 1, 1: 2, 2: 3}))

    assert sorted((f.partition, f.rows) for f in placement.write) == [(("x",), 3), (("y",), 3)]
