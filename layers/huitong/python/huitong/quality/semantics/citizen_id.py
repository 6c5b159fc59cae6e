"""GB 11643: citizen identity numbers, and the residence permits of the same form (standards.md 2.1).

Residence permits of Hong Kong, Macao and Taiwan residents carry 810000, 820000
and 830000; numbers that start with 9 are permanent residence cards of
foreigners, whose region is not checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import (
    Context,
    Mask,
    Matrix,
    Semantic,
    Texts,
    fixed_width,
    numbers,
    present,
)
from huitong.quality.semantics.calendar import is_day
from huitong.quality.semantics.division import known

FIRST_BIRTH_YEAR: Final = 1880
_X: Final = np.uint8(ord("X") - 48)
_RESIDENCE_PERMITS: Final = (810_000, 820_000, 830_000)


def _weights() -> npt.NDArray[np.float32]:
    """Columns: region, year, month and day, checksum over all 18 (ISO 7064 MOD 11-2)."""
    table = np.zeros((18, 4), dtype=np.float32)
    table[0:6, 0] = [100_000, 10_000, 1_000, 100, 10, 1]
    table[6:10, 1] = [1_000, 100, 10, 1]
    table[10:14, 2] = [1_000, 100, 10, 1]
    table[:, 3] = [pow(2, 17 - i, 11) for i in range(18)]
    return table


_WEIGHTS: Final = _weights()


@cache
def _regions() -> npt.NDArray[np.bool_]:
    table = known().copy()
    table[list(_RESIDENCE_PERMITS)] = True
    table[900_000:] = True
    return table


RULES: Final = (
    SemanticRule(
        "citizen-id.form",
        "format",
        "应为 17 位数字加 1 位数字或大写 X",
        "must be 17 digits and one digit or capital X",
        "请填写完整的 18 位号码,末位 x 请大写,不要带空格",
        "Give all 18 characters, the last one a capital X if it is one, no spaces",
    ),
    SemanticRule(
        "citizen-id.region",
        "constraint",
        "前 6 位不是现行或曾用的行政区划代码",
        "the first six digits are no division code, present or former",
        "请核对证件的前 6 位",
        "Check the first six digits against the document",
    ),
    SemanticRule(
        "citizen-id.birth-date",
        "constraint",
        "第 7 至 14 位不是有效的出生日期",
        "digits 7 to 14 are no possible date of birth",
        "请核对证件上的出生日期",
        "Check the date of birth against the document",
    ),
    SemanticRule(
        "citizen-id.checksum",
        "constraint",
        "校验码不符",
        "the check character does not fit",
        "号码中有一位抄错或两位颠倒,请对照证件核对",
        "A digit is wrong or two are swapped: compare with the document",
    ),
)


def _digits(matrix: Matrix) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Digit values with X as 10, and which rows are well-formed (the others are all zero)."""
    digits = matrix - np.uint8(48)
    odd = np.flatnonzero(digits.reshape(-1) > 9)
    row, column = np.divmod(odd, 18)
    is_x = (column == 17) & (digits[row, column] == _X)
    well_formed = np.ones(len(matrix), dtype=np.bool_)
    well_formed[row[~is_x]] = False
    digits[row[is_x], 17] = 10
    digits[row[~is_x]] = 0
    return digits, well_formed


def _check(values: Texts, context: Context) -> Sequence[Mask]:
    positions, matrix = fixed_width(values, 18)
    masks = [present(values), *(np.zeros(len(values), dtype=np.bool_) for _ in range(3))]
    if not len(positions):
        return masks
    digits, well_formed = _digits(matrix)
    region, year, month_day, total = numbers(digits, _WEIGHTS)
    born = year * 10_000 + month_day
    today = context.today.year * 10_000 + context.today.month * 100 + context.today.day
    alive = (year >= FIRST_BIRTH_YEAR) & (born <= today) & is_day(year, month_day)
    masks[0][positions[well_formed]] = False
    masks[1][positions] = well_formed & ~_regions().take(region)
    masks[2][positions] = well_formed & ~alive
    masks[3][positions] = well_formed & (total % 11 != 1)
    return masks


TYPES: Final = {
    "citizen-id": Semantic(
        "citizen-id", "公民身份号码", "citizen identity number", "GB 11643-1999", RULES, _check
    )
}
