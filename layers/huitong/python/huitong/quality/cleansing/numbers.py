"""Numbers that name people, firms, telephones and cases, in one spelling; amounts and percentages (C-12)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.quality.cleansing.texts import (
    BLANKS,
    UNSEEN,
    Places,
    chain,
    either,
    groups,
    joined,
    matching,
    raw,
    substitute,
    table,
    where,
)
from huitong.quality.semantics.base import Texts, as_mask, fixed_width

#: Full-width forms and the ideographic space.
HALF: Final = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)} | {"　": " "}
_HALF: Final = table(HALF)
_BRACKETS: Final = table(
    {**HALF, **dict.fromkeys("〔【〖﹝", "("), **dict.fromkeys("〕】〗﹞", ")"), "　": " "}
)
_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
_CHECKS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)
#: The first identity numbers: 6 of the region, 6 of the birth date, 3 of the sequence. 996 to 999 were for
#: people born before 1900, whose century the short number does not tell.
_SHORT_ID: Final = r"\d{6}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d\d[0-5]|\d[0-8]\d|[0-8]\d\d)"


def half_width(values: Texts) -> Texts:
    return substitute(values, _HALF)


def suspects_of_full_width(values: Texts) -> Places:
    source = raw(values)
    return source.rows((source.data == 0xEF) | (source.data == 0xE3))


def _squeezed(values: Texts) -> Texts:
    """Half-width, without blanks, hyphens, invisible characters and an apostrophe in front."""
    return chain(half_width(values), ((f"{BLANKS}|{UNSEEN}|[-‐‑–—]", ""), (r"\A['‘’`]+", "")))


def not_digits(values: Texts, width: int) -> Places:
    """Rows with anything but digits, or of another length."""
    source = raw(values)
    lengths = source.lengths
    return either(
        source.rows(source.data - np.uint8(48) > 9), np.flatnonzero((lengths != width) & (lengths > 0))
    )


def suspects_of_ids(values: Texts) -> Places:
    return not_digits(values, 18)


def citizen_ids(values: Texts) -> Texts:
    """Numbers of 18 places; those of 15 get their century and check character. Others as they are."""
    bare = pc.utf8_upper(_squeezed(values))
    short = pc.if_else(matching(bare, _SHORT_ID), bare, pa.scalar(None, pa.string()))
    made = where(matching(bare, r"\d{17}[\dX]"), bare, values)
    return pc.coalesce(_long_id(short), made)


def _long_id(short: Texts) -> Texts:
    body = joined(pc.utf8_slice_codeunits(short, 0, 6), "19", pc.utf8_slice_codeunits(short, 6, 15))
    positions, matrix = fixed_width(body, 17)
    if not len(positions):
        return pa.nulls(len(short), pa.string())
    sums = (matrix.astype(np.int32) - 48) @ _WEIGHTS
    last = np.full(len(short), ord("0"), dtype=np.uint8)
    last[positions] = _CHECKS[sums % 11]
    offsets = pa.py_buffer(np.arange(len(short) + 1, dtype=np.int32))
    return joined(body, pa.StringArray.from_buffers(len(short), offsets, pa.py_buffer(last)))


def suspects_of_codes(values: Texts) -> Places:
    """Rows with bytes that are neither digits nor capitals."""
    source = raw(values)
    data = source.data
    return source.rows((data - np.uint8(48) > 9) & (data - np.uint8(65) > 25))


def credit_codes(values: Texts) -> Texts:
    bare = pc.utf8_upper(_squeezed(values))
    return where(matching(bare, "[0-9A-Z]{15,18}"), bare, values)


def suspects_of_phones(values: Texts) -> Places:
    return not_digits(values, 11)


def phones(values: Texts) -> Texts:
    """Mobiles as 11 digits, landlines as ``0755-88123456`` with ``-801`` for an extension."""
    plain = chain(
        half_width(values),
        (
            (f"{UNSEEN}|['‘’`]", ""),
            (rf"{BLANKS}*(?:转|#|[eE]xt\.?){BLANKS}*", "x"),
            (f"{BLANKS}|[()‐‑–—]", ""),
        ),
    )
    plain = pc.replace_substring_regex(plain, r"\A((?:\+?86|0086)-?)?(.*)\z", r"\2")
    bare = pc.replace_substring(plain, "-", "")
    mobile = where(matching(bare, r"1[3-9]\d{9}"), bare, values)
    # the extension is told by its mark, or by a hyphen after the number
    fits, g = groups(plain, r"0?(?P<a>10|2\d|[3-9]\d{2})-?(?P<n>[2-9]\d{3}-?\d{3,4})(?:[x-](?P<x>\d{1,6}))?")
    with_area = as_mask(pc.match_substring_regex(plain, r"\A0")) | as_mask(
        pc.match_substring_regex(half_width(values), rf"\A{BLANKS}*(?:\+|00)?86")
    )
    number = pc.replace_substring(g["n"], "-", "")
    landline = joined("0", g["a"], "-", number, pc.if_else(pc.equal(g["x"], ""), "", joined("-", g["x"])))
    right = pc.and_(pc.and_(fits, pa.array(with_area)), pc.greater_equal(pc.utf8_length(number), 7))
    return where(pc.and_(right, pc.equal(mobile, values)), landline, mobile)


def suspects_of_cases(values: Texts) -> Places:
    source = raw(values)
    data = source.data
    return source.rows((data <= 0x20) | (data == 0xEF) | (data == 0xE3) | (data == 0xC2) | (data == 0xE2))


def case_numbers(values: Texts) -> Texts:
    """Half-width brackets and digits, no blanks."""
    return chain(substitute(values, _BRACKETS), ((f"{BLANKS}|{UNSEEN}", ""),))


def suspects_of_amounts(values: Texts) -> Places:
    source = raw(values)
    data = source.data
    return source.rows((data - np.uint8(48) > 9) & (data != 46) & (data != 45))


def amounts(values: Texts) -> Texts:
    """Numbers without currency signs, 元 and separators of thousands; other texts as they are."""
    bare = chain(half_width(values), ((f"{BLANKS}|{UNSEEN}", ""),))
    bare = chain(bare, ((r"\A(-?)(?:CNY|RMB|[¥￥])(-?)", r"\1\2"), (r"(?:元整?|圆整?|CNY|RMB)\z", "")))
    number = r"-?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?"
    return where(matching(bare, number), pc.replace_substring(bare, ",", ""), values)


def suspects_of_percent(values: Texts) -> Places:
    source = raw(values)
    return source.rows((source.data == 0x25) | (source.data == 0xEF))


def percents(values: Texts) -> Texts:
    """``12.5%`` as ``0.125``, digit by digit, without arithmetic."""
    bare = chain(half_width(values), ((f"{BLANKS}|{UNSEEN}", ""),))
    fits, g = groups(bare, r"(?P<n>-?)(?P<i>\d+)(?:\.(?P<f>\d+))?%")
    whole = pc.utf8_lpad(g["i"], 3, "0")
    padded = pc.utf8_length(g["i"])
    cut = pc.if_else(pc.less(padded, 3), "0", pc.replace_substring_regex(whole, r"\A(.*)..\z", r"\1"))
    cut = pc.replace_substring_regex(cut, r"\A0+(\d)", r"\1")
    fraction = joined(pc.utf8_slice_codeunits(whole, -2), g["f"])
    fraction = pc.utf8_rtrim(fraction, "0")
    made = joined(g["n"], cut, pc.if_else(pc.equal(fraction, ""), "", "."), fraction)
    return where(fits, made, values)
