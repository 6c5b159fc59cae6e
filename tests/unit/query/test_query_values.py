"""Cells as JSON and CSV."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from huitong.query.values import csv_text, json_rows, json_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**53) - 1, "-9007199254740993"),
        (Decimal("1.50"), "1.50"),
        (Decimal("0E-10"), "0.0000000000"),
        (Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (True, True),
        ("=1", "=1"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 8, 0, 0, 5, tzinfo=UTC), "2026-01-31T08:00:00.000005Z"),
        (datetime(2026, 1, 31, 8), "2026-01-31T08:00:00"),
        (b"\x00\xff", "00ff"),
        ([1, None, Decimal("2")], [1, None, "2"]),
        ({"a": {"b": date(2026, 1, 1)}}, {"a": {"b": "2026-01-01"}}),
    ],
)
def test_no_digit_is_lost_in_json(value: object, shown: object) -> None:
    assert json_value(value) == shown


def test_an_empty_map_is_an_object() -> None:
    column = pa.array([[("a", 1)], [], None], type=pa.map_(pa.string(), pa.int64()))
    assert json_rows(pa.table({"m": column})) == [{"m": {"a": 1}}, {"m": {}}, {"m": None}]


TRICKY = pa.table(
    {
        "t": pa.array(
            ["=1+1", "+86", "-1", "@x", "\tx", 'say "hi"', "a,b", "a\r\nb", "", None, " x", "汇通"]
        ),
        "n": pa.array([-1] * 12, type=pa.int64()),
    }
)


def test_csv_gives_texts_back_byte_for_byte() -> None:
    import csv
    import io

    rows = list(csv.reader(io.StringIO(csv_text(TRICKY), newline="")))
    assert rows[0] == ["t", "n"]
    assert [row[0] for row in rows[1:]] == [text or "" for text in TRICKY.column("t").to_pylist()]


def test_csv_tells_null_from_the_empty_text() -> None:
    lines = csv_text(TRICKY).split("\r\n")
    assert '"",-1' in lines
    assert ",-1" in lines


def test_a_safe_csv_runs_no_formula_and_leaves_numbers_alone() -> None:
    """S-17: formula injection."""
    lines = csv_text(TRICKY, header=False, safe=True).split("\r\n")
    assert lines[:4] == ["'=1+1,-1", "'+86,-1", "'-1,-1", "'@x,-1"]
    assert all(not line.startswith(("=", "+", "-", "@")) for line in lines if line)
    assert "汇通,-1" in lines
