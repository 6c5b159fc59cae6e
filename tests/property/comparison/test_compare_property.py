"""Random lives of a resource against a comparison with plain dictionaries."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.compare_world import CompareWorld
from tests.support.random_lives import CONTRACT, DELIVERIES, Edition, Increment, check_life


@settings(max_examples=25, deadline=None)
@given(st.lists(DELIVERIES, min_size=1, max_size=5))
def test_counts_rows_and_change_log_are_those_of_a_naive_comparison(
    deliveries: list[Edition | Increment],
) -> None:
    """Q-33: inserted, updated, deleted and unchanged are exact, and the log leads from each table to the next."""
    with tempfile.TemporaryDirectory() as folder:
        check_life(CompareWorld(Path(folder), CONTRACT), deliveries)
