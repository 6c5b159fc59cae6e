"""A comparison in parts says and serves what one function says and serves, whatever the table, cut and files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.compare_world import CompareWorld
from tests.support.random_lives import (
    CONTRACT,
    DELIVERIES,
    Edition,
    Increment,
    Table,
    check_served,
    delivered,
)

from huitong.comparison.parts import parts_for
from huitong.warehouse.buckets import Bucket, bucket_of


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(DELIVERIES, st.sampled_from([1, 2, 4, 8]), st.booleans()), min_size=1, max_size=5),
    st.integers(1, 6),
)
def test_parts_and_one_function_agree_on_counts_rows_and_change_log(
    deliveries: list[tuple[Edition | Increment, int, bool]], limit: int
) -> None:
    """Q-33, X-08: some batches are compared in parts and some are not, delivered in one file or cut already."""
    with tempfile.TemporaryDirectory() as folder:
        world = CompareWorld(Path(folder), CONTRACT, fan_out_rows=limit)
        table: Table = {}
        for seq, (delivery, cut, in_parts) in enumerate(deliveries, start=1):
            world.fan_out_rows = limit if in_parts else 0
            world.connect()
            batch = delivered(world, delivery, cut)
            assert batch.status == "published"
            table, ordinals = check_served(world, batch, table, delivery, seq)
            assert ordinals == sorted(set(ordinals))
            assert all(o > 0 for o in ordinals)
            assert len(table) == world.publications.at("IN-94").rows
        world.check_files()


@given(st.integers(0, 5_000_000), st.integers(1, 5_000_000))
def test_the_number_of_parts_is_a_power_of_two_and_one_only_below_the_threshold(
    rows: int, limit: int
) -> None:
    parts = parts_for(rows, limit)
    assert parts & (parts - 1) == 0
    assert (parts > 1) <= (rows >= limit)
    assert parts <= 1024
    if 4 <= limit <= rows and parts < 1024:
        assert rows / parts <= limit / 4 + 1


POWERS = st.sampled_from([1, 2, 4, 8, 16])


@given(POWERS, POWERS, st.integers(0, 15), st.integers(0, 15), st.integers(0, 1 << 63))
def test_buckets_meet_exactly_when_a_row_can_be_in_both(
    one: int, other: int, a: int, b: int, hash: int
) -> None:
    first, second = Bucket(a % one, one), Bucket(b % other, other)
    in_first, in_second = hash % one == first.number, hash % other == second.number
    assert not (in_first and in_second) or first.meets(second)
    assert not (first.contains(second) and in_second) or in_first
    assert bucket_of(f"t/data/b1/part{first.tag()}-0001-ab.parquet") == first
