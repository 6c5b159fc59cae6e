"""Text to typed values: only the exact forms, nothing rounded, nothing guessed (standards.md 2.5, 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from huitong.contracts.model import Field
from huitong.quality.typed import Converter
from huitong.quality.validate import connect

INTEGER = Field("v", type="integer")
MONEY = Field("v", type="decimal", precision=18, scale=2)
WHOLE = Field("v", type="decimal", precision=4, scale=0)
DOUBLE = Field("v", type="double")
LOGICAL = Field("v", type="boolean")
DATE = Field("v", type="date")
DATE_CN = Field("v", type="date", formats=("%Y/%m/%d", "%Y年%m月%d日"))
INSTANT = Field("v", type="timestamp")
INSTANT_CN = Field("v", type="timestamp", formats=("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S%z"))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


CASES: list[tuple[Field, str, Any]] = [
    (INTEGER, "12", 12),
    (INTEGER, "+12", 12),
    (INTEGER, "-0", 0),
    (INTEGER, "007", 7),
    (INTEGER, "9223372036854775807", 2**63 - 1),
    *(
        (INTEGER, text, None)
        for text in ("9223372036854775808", "12.0", "1e3", " 12", "1_000", "１２", "", "x")
    ),
    (MONEY, "750000.00", Decimal("750000.00")),
    (MONEY, "0", Decimal("0.00")),
    (MONEY, "1234567890.1", Decimal("1234567890.10")),
    (MONEY, "-5.00", Decimal("-5.00")),
    (MONEY, "9999999999999999.99", Decimal("9999999999999999.99")),
    *(
        (MONEY, text, None)
        for text in ("12.345", "12.340", "1,234.00", "1e3", ".5", "5.", "+5", "¥5", " 5", "")
    ),
    (MONEY, "10000000000000000.00", None),
    (WHOLE, "1234", Decimal(1234)),
    (WHOLE, "1234.0", None),
    (WHOLE, "12345", None),
    (DOUBLE, "12.5", 12.5),
    (DOUBLE, "-1.5e-3", -0.0015),
    (DOUBLE, ".5", 0.5),
    *((DOUBLE, text, None) for text in ("nan", "inf", "-Infinity", "1e999", "1,5", "0x10", "")),
    *((LOGICAL, text, True) for text in ("1", "true", "TRUE", "是", "Y", "y")),
    *((LOGICAL, text, False) for text in ("0", "false", "False", "否", "N", "n")),
    *((LOGICAL, text, None) for text in ("2", "yes", "真", "", " 1")),
    (DATE, "2021-03-01", date(2021, 3, 1)),
    (DATE, "20240229", date(2024, 2, 29)),
    (DATE, "0001-01-01", date(1, 1, 1)),
    (DATE, "9999-12-31", date(9999, 12, 31)),
    *(
        (DATE, text, None)
        for text in (
            "2023-02-29",
            "2021/3/1",
            "2021-13-01",
            "21-03-01",
            "2021-3-1",
            "2021-03-01 ",
            "0000-01-01",
        )
    ),
    (DATE_CN, "2021/3/1", date(2021, 3, 1)),
    (DATE_CN, "2021年03月01日", date(2021, 3, 1)),
    (DATE_CN, "2021-03-01", date(2021, 3, 1)),
    (DATE_CN, "1921/2/30", None),
    (DATE_CN, "21/3/1", None),
    (INSTANT, "2021-03-01T09:00:00+08:00", utc(2021, 3, 1, 1)),
    (INSTANT, "2024-02-29T23:59:59Z", utc(2024, 2, 29, 23, 59, 59)),
    (INSTANT, "2021-07-19T15:30:00.250+08:00", utc(2021, 7, 19, 7, 30, 0, 250_000)),
    (INSTANT, "2021-07-19T15:30:00.1Z", utc(2021, 7, 19, 15, 30, 0, 100_000)),
    (INSTANT, "2021-07-19T15:30:00.123456789Z", utc(2021, 7, 19, 15, 30, 0, 123_456)),
    (INSTANT, "1969-12-31T23:59:59-05:30", utc(1970, 1, 1, 5, 29, 59)),
    (INSTANT, "1940-06-03T00:00:00+08:00", utc(1940, 6, 2, 16)),
    *(
        (INSTANT, text, None)
        for text in (
            "2021-03-01 09:00:00",
            "2021-03-01T24:00:00+08:00",
            "2021-03-01T09:00:00",
            "2021-03-01T09:00+08:00",
            "2021-03-01T09:00:00+0800",
            "2021-03-01T09:00:00+08:60",
            "2021-03-01T09:00:00.1234567890Z",
            "2021-03-01T09:00:00z",
        )
    ),
    (INSTANT_CN, "2021-03-01 09:00:00", utc(2021, 3, 1, 1)),
    (INSTANT_CN, "01.03.2021 09:00:00+01:00", utc(2021, 3, 1, 8)),
    (INSTANT_CN, "2021-03-01", None),
    (Field("v"), " 007 ", " 007 "),
]


@pytest.fixture(scope="module")
def converter() -> Iterator[Converter]:
    with connect() as connection:
        yield Converter(connection)


@pytest.mark.parametrize(("field", "text", "value"), CASES, ids=[f"{f.type}-{t}" for f, t, _ in CASES])
def test_a_text_is_read_strictly_by_its_type(
    converter: Converter, field: Field, text: str, value: Any
) -> None:
    typed = converter.convert({field: pa.array([None, text, None], pa.string())})["v"]
    assert typed.to_pylist() == [None, value, None]


def test_columns_of_different_lengths_are_read_together(converter: Converter) -> None:
    """Distinct values of one column and all values of another, as dictionaries make them."""
    other = Field("w", type="integer")
    typed = converter.convert({INTEGER: pa.array(["1", "x"]), other: pa.array(["2", None, "3"])})
    assert {name: values.to_pylist() for name, values in typed.items()} == {"v": [1, None], "w": [2, None, 3]}
