"""Matching of two data sets (C-14)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from huitong.comparison.match import Disagreement, match
from huitong.errors import BadRequest

LEFT = (
    "SELECT * FROM (VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, 'c', 3.0), (NULL, 'n', 0)) t(id, name, amount)"
)
RIGHT = (
    "SELECT * FROM (VALUES (2, 'b', NULL), (3, 'x', 4.0), (4, 'd', 1), (NULL, 'n', 0)) t(id, name, amount)"
)


def test_two_sides_are_reported_as_agree_differ_missing_left_and_missing_right() -> None:
    """C-14."""
    report = match(LEFT, RIGHT, ["id"], ["name", "amount"])

    assert (report.agree, report.differ, report.missing_left, report.missing_right) == (2, 1, 1, 1)
    assert report.sample == (
        Disagreement("missing-right", (1,), ()),
        Disagreement("differ", (3,), ("name", "amount")),
        Disagreement("missing-left", (4,), ()),
    )


def test_only_the_columns_asked_for_are_compared() -> None:
    report = match(LEFT, RIGHT, ["id", "name"], [])

    assert (report.agree, report.differ, report.missing_left, report.missing_right) == (2, 0, 2, 2)


def test_a_side_with_a_repeated_key_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        match(LEFT, f"{RIGHT} UNION ALL {RIGHT}", ["id"], ["name"])

    assert refused.value.where == {"side": "right", "keys": 4}


def test_a_sample_is_bounded_and_counts_are_not() -> None:
    report = match("SELECT range AS id FROM range(1000)", "SELECT 1 AS id WHERE false", ["id"], [], sample=3)

    assert report.missing_right == 1000
    assert [d.key for d in report.sample] == [(0,), (1,), (2,)]


def test_moments_may_be_keys() -> None:
    at = "SELECT TIMESTAMPTZ '2026-01-01 08:00:00+08' AS at, 1 AS value"
    report = match(at, f"{at} WHERE false", ["at"], ["value"])
    assert [d.key for d in report.sample] == [(datetime(2026, 1, 1, tzinfo=UTC),)]
