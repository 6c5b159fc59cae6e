"""Amounts of money in yuan as decimal text (standards.md 2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow.compute as pc

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Context, Mask, Semantic, Texts, as_mask, full_match, present

RULES: Final = (
    SemanticRule(
        "amount.form",
        "format",
        "应为最多 16 位整数、最多两位小数的十进制数",
        "must be a decimal number of at most 16 digits before and two after the point",
        "不要带千分位逗号、货币符号、空格或前导零,例如 1234.50",
        "No thousands separators, currency signs, spaces or leading zeros; for example 1234.50",
    ),
    SemanticRule(
        "amount.negative",
        "constraint",
        "金额不能为负数",
        "the amount must not be negative",
        "请核对符号;更正数请按该数据项约定的方式报送",
        "Check the sign; corrections go the way agreed for the item",
    ),
)


def _check(values: Texts, context: Context) -> Sequence[Mask]:
    fits = full_match(values, r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,2})?")
    if context.negative:
        negative: Mask = np.zeros(len(values), dtype=np.bool_)
    else:
        below = as_mask(pc.starts_with(values, "-"))
        negative = fits & below & ~full_match(values, r"-[0.]+") if below.any() else below
    return [present(values) & ~fits, negative]


TYPES: Final = {"amount": Semantic("amount", "金额", "amount of money", "CNY, yuan", RULES, _check)}
