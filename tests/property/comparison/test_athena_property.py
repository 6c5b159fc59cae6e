"""Random lives of a resource whose comparisons Athena computes, against a comparison with plain dictionaries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("trino_query_parser")

from tests.support.athena_compare import AthenaCompareWorld
from tests.support.random_lives import CONTRACT, DELIVERIES, Edition, Increment, check_life


@settings(max_examples=8, deadline=None)
@given(st.lists(DELIVERIES, min_size=2, max_size=4))
def test_what_athena_finds_is_what_a_naive_comparison_finds(deliveries: list[Edition | Increment]) -> None:
    """Q-33, C-38: counts, rows and change log, whatever the keys and values."""
    with tempfile.TemporaryDirectory() as folder:
        check_life(AthenaCompareWorld(Path(folder), CONTRACT, judged=False), deliveries)
