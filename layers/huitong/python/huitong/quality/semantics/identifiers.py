"""Identifiers with a fixed form: vehicle, digest, lawyer's licence, real estate unit (standards.md 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import (
    Context,
    Mask,
    Semantic,
    Texts,
    by_pattern,
    fixed_width,
    full_match,
    numbers,
    present,
)

_NONE: Final = 255
_VIN_WEIGHTS = np.array([[w] for w in (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)], dtype=np.float32)
_VIN_CHECK = np.frombuffer(b"0123456789X", dtype=np.uint8)


def _vin_values() -> npt.NDArray[np.uint8]:
    table = np.full(256, _NONE, dtype=np.uint8)
    for characters in ("0123456789", " ABCDEFGH", " JKLMN P R", "  STUVWXYZ"):
        for value, character in enumerate(characters):
            if character != " ":
                table[ord(character)] = value
    return table


_VIN_VALUE = _vin_values()


def _check_vin(values: Texts, _context: Context) -> Sequence[Mask]:
    positions, matrix = fixed_width(values, 17)
    masks = [present(values), np.zeros(len(values), dtype=np.bool_)]
    value = _VIN_VALUE[matrix]
    well_formed = (value != _NONE).all(axis=1)
    value[~well_formed] = 0
    remainder = numbers(value, _VIN_WEIGHTS)[0] % 11
    masks[0][positions[well_formed]] = False
    masks[1][positions] = well_formed & (_VIN_CHECK[remainder] != matrix[:, 8])
    return masks


def _check_unit(values: Texts, _context: Context) -> Sequence[Mask]:
    fits = full_match(values, "[0-9A-Z]{28}")
    regular = full_match(values, r"\d{12}[A-Z]{2}\d{5}[A-Z]\d{8}")
    return [present(values) & ~fits, fits & ~regular]


TYPES: Final = {
    "vin": Semantic(
        "vin",
        "车辆识别代号",
        "vehicle identification number",
        "GB 16735",
        (
            SemanticRule(
                "vin.form",
                "format",
                "应为 17 位数字或大写字母,不含 I、O、Q",
                "must have 17 digits or capital letters without I, O, Q",
                "请对照行驶证核对",
                "Compare with the vehicle licence",
            ),
            SemanticRule(
                "vin.checksum",
                "constraint",
                "第 9 位校验码不符",
                "the check character in place 9 does not fit",
                "进口车辆可能不带校验码,其余请核对",
                "Imported vehicles may carry none; check the others",
                severity="warning",
            ),
        ),
        _check_vin,
    ),
    "sm3-hex": Semantic(
        "sm3-hex",
        "SM3 摘要值",
        "SM3 digest in hexadecimal",
        "GB/T 32905",
        (
            SemanticRule(
                "sm3-hex.form",
                "format",
                "应为 64 位十六进制数",
                "must have 64 hexadecimal digits",
                "请填写完整的摘要值",
                "Give the whole digest",
            ),
        ),
        by_pattern("[0-9a-fA-F]{64}"),
    ),
    "licence17": Semantic(
        "licence17",
        "律师执业证号",
        "lawyer's licence number",
        "17 digits",
        (
            SemanticRule(
                "licence17.form",
                "format",
                "应为 17 位数字",
                "must have 17 digits",
                "请对照执业证核对",
                "Compare with the licence",
            ),
        ),
        by_pattern(r"\d{17}"),
    ),
    "unit28": Semantic(
        "unit28",
        "不动产单元号",
        "real estate unit number",
        "GB/T 37346",
        (
            SemanticRule(
                "unit28.form",
                "format",
                "应为 28 位数字或大写字母",
                "must have 28 digits or capital letters",
                "请填写完整的不动产单元号,不带空格",
                "Give the whole number without spaces",
            ),
            SemanticRule(
                "unit28.structure",
                "format",
                "各段结构与编码规则不符",
                "its parts do not follow the coding rule",
                "请对照权属证书核对",
                "Compare with the certificate",
                severity="warning",
            ),
        ),
        _check_unit,
    ),
}
