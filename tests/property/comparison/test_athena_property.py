"""Random lives of a resource whose comparisons Athena computes, against a comparison with plain dictionaries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("trino_query_parser")

from tests.property.comparison.test_compare_property import (
    CONTRACT,
    DELIVERIES,
    Edition,
    Increment,
    Table,
    applied,
    expected,
    key_of,
    row,
    value_of,
)
from tests.support.athena_compare import AthenaCompareWorld
from tests.support.compare_world import counts


@settings(max_examples=8, deadline=None)
@given(st.lists(DELIVERIES, min_size=2, max_size=4))
def test_what_athena_finds_is_what_a_naive_comparison_finds(deliveries: list[Edition | Increment]) -> None:
    """Q-33, C-38: counts, rows and change log, whatever the keys and values."""
    with tempfile.TemporaryDirectory() as folder:
        world = AthenaCompareWorld(Path(folder), CONTRACT, judged=False)
        table: Table = {}
        for seq, delivery in enumerate(deliveries, start=1):
            rows = [row(k, v) for k, v in delivery.rows.items()]
            if isinstance(delivery, Edition):
                batch = world.deliver(rows, quarantined=[row(k, (None, None)) for k in delivery.quarantined])
            else:
                gone = [row(k, (None, None)) for k in delivery.deletes - delivery.rows.keys()]
                batch = world.deliver(rows, mode="increment", deletes=gone)
            after, did = expected(table, delivery)
            assert counts(batch) == did
            changes = [c for c in world.read("changes") if c["_seq"] == seq]
            assert [c["_ordinal"] for c in changes] == list(range(1, len(changes) + 1))
            assert applied(table, changes) == after
            assert {key_of(r): value_of(r) for r in world.read()} == after
            table = after
