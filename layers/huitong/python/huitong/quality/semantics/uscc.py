"""GB 32100: unified social credit codes (standards.md 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Context, Mask, Semantic, Texts, fixed_width, numbers, present

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NONE: Final = 255


def _values_of(alphabet: str) -> npt.NDArray[np.uint8]:
    table = np.full(256, _NONE, dtype=np.uint8)
    table[np.frombuffer(alphabet.encode(), dtype=np.uint8)] = np.arange(len(alphabet), dtype=np.uint8)
    return table


_VALUE = _values_of(ALPHABET)
_INNER_VALUE = _values_of(_ORGANISATION)
_WEIGHTS = np.array([[pow(3, i, 31)] for i in range(17)], dtype=np.float32)
_INNER_WEIGHTS = np.array([[w] for w in (3, 7, 9, 10, 5, 8, 4, 2)], dtype=np.float32)
#: expected ninth character of an organisation code by the remainder of the sum
_INNER_CHECK = np.frombuffer(b"0X987654321", dtype=np.uint8)

RULES: Final = (
    SemanticRule(
        "uscc.form",
        "format",
        "应为 18 位,第 3 至 8 位为数字,字母不含 I、O、S、V、Z",
        "must have 18 characters, digits in places 3 to 8, no letters I, O, S, V, Z",
        "请填写完整的 18 位代码,字母大写",
        "Give all 18 characters, letters in capitals",
    ),
    SemanticRule(
        "uscc.checksum",
        "constraint",
        "校验码不符",
        "the check character does not fit",
        "代码中有一位抄错或两位颠倒,请对照登记证书核对",
        "A character is wrong or two are swapped: compare with the certificate",
    ),
    SemanticRule(
        "uscc.inner",
        "constraint",
        "主体标识码(组织机构代码)的校验码不符",
        "the check character of the organisation code inside does not fit",
        "请对照登记证书核对第 9 至 17 位",
        "Compare characters 9 to 17 with the certificate",
        severity="warning",
    ),
)


def _check(values: Texts, _context: Context) -> Sequence[Mask]:
    positions, matrix = fixed_width(values, 18)
    masks = [present(values), *(np.zeros(len(values), dtype=np.bool_) for _ in range(2))]
    if not len(positions):
        return masks
    value = _VALUE[matrix]
    well_formed = (value != _NONE).all(axis=1) & (value[:, 2:8] <= 9).all(axis=1)
    value[~well_formed] = 0
    total = numbers(value[:, :17], _WEIGHTS)[0]
    inner = _INNER_VALUE[matrix[:, 8:16]]
    inner[~well_formed] = 0
    remainder = numbers(inner, _INNER_WEIGHTS)[0] % 11
    masks[0][positions[well_formed]] = False
    masks[1][positions] = well_formed & ((31 - total % 31) % 31 != value[:, 17])
    masks[2][positions] = well_formed & (_INNER_CHECK[remainder] != matrix[:, 16])
    return masks


TYPES: Final = {
    "uscc": Semantic("uscc", "统一社会信用代码", "unified social credit code", "GB 32100-2015", RULES, _check)
}
