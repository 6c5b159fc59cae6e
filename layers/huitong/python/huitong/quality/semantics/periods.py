"""Dates, instants, months and years as text, and their values (standards.md 2.5).

:func:`parse_dates` and :func:`parse_instants` read the platform's own forms
without looking at rows one by one; a null in the answer is a text that is not
of that form, or a day that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import (
    Context,
    Mask,
    Matrix,
    Semantic,
    Texts,
    fixed_width,
    full_match,
    numbers,
    present,
)
from huitong.quality.semantics.calendar import days_since_1970, is_day

_DAY_US: Final = 86_400_000_000


def _weights(places: Sequence[tuple[int, int]], width: int) -> npt.NDArray[np.float32]:
    """One column for each (start, length): the number that stands there."""
    table = np.zeros((width, len(places)), dtype=np.float32)
    for column, (start, length) in enumerate(places):
        table[start : start + length, column] = [10.0 ** (length - 1 - i) for i in range(length)]
    return table


#: separators of each accepted width: {place: characters}
_DATE: Final = {4: "-", 7: "-"}
_LOCAL: Final = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":"}
_YMD_TIME: Final = ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2))


def _shaped(matrix: Matrix, separators: dict[int, str]) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Digits with zero in the places of separators; whether all places hold what they should."""
    digits = matrix - np.uint8(48)
    fits = np.ones(len(matrix), dtype=np.bool_)
    for place, character in separators.items():
        fits &= matrix[:, place] == ord(character)
        digits[:, place] = 0
    wrong = np.flatnonzero(digits.reshape(-1) > 9)
    fits[wrong // matrix.shape[1]] = False
    digits[~fits] = 0
    return digits, fits


def _dates_of_width(values: Texts, width: int, days: npt.NDArray[np.int32], good: Mask) -> None:
    positions, matrix = fixed_width(values, width)
    if not len(positions):
        return
    separators, places = (_DATE, _YMD_TIME[:3]) if width == 10 else ({}, ((0, 4), (4, 2), (6, 2)))
    digits, fits = _shaped(matrix, separators)
    year, month, day = numbers(digits, _weights(places, width))
    month_day = month * 100 + day
    fits &= is_day(year, month_day)
    kept = positions[fits]
    days[kept] = days_since_1970(year[fits], month_day[fits])
    good[kept] = True


def parse_dates(values: Texts) -> Any:
    """``YYYY-MM-DD`` or ``YYYYMMDD`` as date32."""
    days = np.zeros(len(values), dtype=np.int32)
    good = np.zeros(len(values), dtype=np.bool_)
    for width in (10, 8):
        _dates_of_width(values, width, days, good)
    return pa.array(days, mask=~good).view(pa.date32())


def _instants_of_width(values: Texts, width: int, micros: npt.NDArray[np.int64], good: Mask) -> None:
    positions, matrix = fixed_width(values, width)
    if not len(positions):
        return
    in_utc = matrix[:, width - 1] == ord("Z")
    for chosen, end in ((in_utc, 1), (~in_utc, 6)):
        if chosen.all():
            _instants(positions, matrix, end, micros, good)
        elif chosen.any():
            _instants(positions[chosen], matrix[chosen], end, micros, good)


def _instants(
    positions: npt.NDArray[np.int64], matrix: Matrix, end: int, micros: npt.NDArray[np.int64], good: Mask
) -> None:
    """``end``: 1 for texts that end in Z, 6 for those that end in an offset."""
    width = matrix.shape[1]
    body = width - end
    separators, places = dict(_LOCAL), list(_YMD_TIME)
    fraction = body - 20
    if fraction not in (-1, *range(1, 10)):
        return
    if fraction > 0:
        separators[19] = "."
        places.append((20, min(fraction, 6)))
    west = matrix[:, body] == ord("-")
    if end == 6:
        if west.any():
            matrix = matrix.copy()
            matrix[west, body] = ord("+")
        separators |= {body: "+", body + 3: ":"}
        places += [(body + 1, 2), (body + 4, 2)]
    else:
        separators[body] = "Z"
    digits, fits = _shaped(matrix, separators)
    parts = numbers(digits, _weights(places, width)).astype(np.int64)
    year, month, day, hour, minute, second = parts[:6]
    month_day = (month * 100 + day).astype(np.int32)
    fits &= is_day(year.astype(np.int32), month_day) & (hour < 24) & (minute < 60) & (second < 60)
    total = (hour * 3600 + minute * 60 + second) * 1_000_000
    if fraction > 0:
        total += parts[6] * 10 ** (6 - min(fraction, 6))
    if end == 6:
        ahead = parts[-2] * 60 + parts[-1]
        fits &= (parts[-2] <= 14) & (parts[-1] < 60)
        total -= np.where(west, -ahead, ahead) * 60_000_000
    kept = positions[fits]
    days = days_since_1970(year[fits].astype(np.int32), month_day[fits]).astype(np.int64)
    micros[kept] = days * _DAY_US + total[fits]
    good[kept] = True


def parse_instants(values: Texts) -> Any:
    """``YYYY-MM-DDThh:mm:ss[.f](Z|±hh:mm)`` as timestamp[us, UTC]; digits after the sixth are cut off."""
    micros = np.zeros(len(values), dtype=np.int64)
    good = np.zeros(len(values), dtype=np.bool_)
    for width in range(20, 36):
        _instants_of_width(values, width, micros, good)
    return pa.array(micros, mask=~good).view(pa.timestamp("us", "UTC"))


def _check_dates(values: Texts, _context: Context) -> Sequence[Mask]:
    return [present(values) & ~present(parse_dates(values))]


def _check_instants(values: Texts, _context: Context) -> Sequence[Mask]:
    return [present(values) & ~present(parse_instants(values))]


def _check_months(values: Texts, _context: Context) -> Sequence[Mask]:
    return [present(values) & ~full_match(values, r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])")]


def _check_years(values: Texts, context: Context) -> Sequence[Mask]:
    fits = full_match(values, r"(?:19|20)\d{2}")
    allowed = [str(year) for year in range(1900, context.today.year + 1)]
    future = fits & ~full_match(values, "|".join(allowed))
    return [present(values) & ~fits, future]


_STANDARD = "GB/T 7408.1-2023"


def _form(name: str, zh: str, en: str, example: str) -> SemanticRule:
    return SemanticRule(
        f"{name}.form",
        "format",
        f"不是有效的{zh}",
        f"is no valid {en}",
        f"格式为 {example}",
        f"The form is {example}",
    )


TYPES: Final = {
    "date": Semantic(
        "date",
        "日期",
        "date",
        _STANDARD,
        (_form("date", "日期", "date", "2021-03-01"),),
        _check_dates,
    ),
    "timestamp": Semantic(
        "timestamp",
        "日期时间",
        "date and time",
        _STANDARD,
        (_form("timestamp", "日期时间", "date and time with zone", "2021-03-01T09:00:00+08:00"),),
        _check_instants,
    ),
    "month": Semantic(
        "month", "年月", "month", _STANDARD, (_form("month", "年月", "month", "2021-03"),), _check_months
    ),
    "year": Semantic(
        "year",
        "年度",
        "year",
        _STANDARD,
        (
            _form("year", "年度", "year", "2021"),
            SemanticRule(
                "year.future",
                "constraint",
                "年度晚于本年",
                "the year lies in the future",
                "请核对年度",
                "Check the year",
            ),
        ),
        _check_years,
    ),
}
