"""GB/T 2260: administrative division codes, with those abolished since about 1980 (standards.md 2.3).

The table is ``quality/data/divisions.csv`` (see NOTICE.md there): codes and years of use.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import (
    Context,
    Mask,
    Semantic,
    Texts,
    fixed_width,
    numbers,
    present,
    spread,
)

PROVINCES: Final = (
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
)

_VALUE = np.array([[10.0 ** (5 - i)] for i in range(6)], dtype=np.float32)


@cache
def known() -> npt.NDArray[np.bool_]:
    """A million flags: true for every code that is or was in use."""
    text = (files("huitong.quality") / "data" / "divisions.csv").read_text("ascii")
    table = np.zeros(1_000_000, dtype=np.bool_)
    table[[int(line[:6]) for line in text.splitlines()[1:]]] = True
    return table


@cache
def _provinces() -> npt.NDArray[np.bool_]:
    table = np.zeros(100, dtype=np.bool_)
    table[list(PROVINCES)] = True
    return table


RULES: Final = (
    SemanticRule(
        "division.form",
        "format",
        "行政区划代码应为六位数字",
        "a division code has six digits",
        "请填写六位数字代码,保留前导零以外的全部位数",
        "Give all six digits",
    ),
    SemanticRule(
        "division.province",
        "constraint",
        "前两位不是省级代码",
        "the first two digits are no province",
        "请核对省级代码(11–15、21–23、31–37、41–46、50–54、61–65、71、81、82)",
        "Check the province (11–15, 21–23, 31–37, 41–46, 50–54, 61–65, 71, 81, 82)",
    ),
    SemanticRule(
        "division.unknown",
        "constraint",
        "区划代码表(含已撤销代码)中没有该代码",
        "the code is not in the table, abolished codes included",
        "请核对代码;统计用功能区代码不属于 GB/T 2260",
        "Check the code; statistical zones are not in GB/T 2260",
    ),
)


def _check(values: Texts, _context: Context) -> Sequence[Mask]:
    positions, matrix = fixed_width(values, 6)
    digits = matrix - np.uint8(48)
    well_formed: Mask = (digits > 9).sum(axis=1) == 0
    code = numbers(np.where(well_formed[:, None], digits, 0), _VALUE)[0]
    province = _provinces()[code // 10_000]
    size = len(values)
    return [
        present(values) & ~spread(size, positions, well_formed),
        spread(size, positions, well_formed & ~province),
        spread(size, positions, well_formed & province & ~known()[code]),
    ]


TYPES: Final = {
    "division": Semantic(
        "division", "行政区划代码", "administrative division code", "GB/T 2260-2007", RULES, _check
    )
}
