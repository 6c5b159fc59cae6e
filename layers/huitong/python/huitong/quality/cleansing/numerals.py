"""Chinese numerals, amounts in words and Chinese dates, as digits (C-12).

``贰拾叁`` → ``23``, ``壹佰万元整`` → ``1000000``, ``二〇二一`` → ``2021``, ``伍元叁角`` → ``5.30``,
``12.5万`` → ``125000``; ``二〇二一年三月一日`` and ``2021/3/1`` → ``2021-03-01``. What has not exactly such a
form stays as it is: ``一百五`` can be 105 or 150 and is left to its sender.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.quality.cleansing.texts import (
    GONE,
    Places,
    either,
    groups,
    joined,
    matching,
    raw,
    substitute,
    table,
    where,
)
from huitong.quality.semantics.base import Texts, as_mask

_DIGITS: Final = {
    **dict.fromkeys("零〇○", "0"), **dict.fromkeys("一壹弌", "1"), **dict.fromkeys("二贰貳两", "2"),
    **dict.fromkeys("三叁參", "3"), **dict.fromkeys("四肆", "4"), **dict.fromkeys("五伍", "5"),
    **dict.fromkeys("六陆陸", "6"), **dict.fromkeys("七柒", "7"), **dict.fromkeys("八捌", "8"),
    **dict.fromkeys("九玖", "9"), **{chr(0xFF10 + d): str(d) for d in range(10)},
}  # fmt: skip
_UNITS: Final = {
    **dict.fromkeys("十拾", "s"), **dict.fromkeys("百佰", "b"), **dict.fromkeys("千仟", "q"),
    **dict.fromkeys("万萬", "w"), **dict.fromkeys("亿億", "y"),
}  # fmt: skip
_MONEY: Final = {
    **dict.fromkeys("元圆圓", "Y"), "角": "j", "分": "f", **dict.fromkeys("整正", "z"), "负": "-",
    **dict.fromkeys("点．", "."), "，": ",", "－": "-",
}  # fmt: skip
_NUMBERS: Final = table({**_DIGITS, **_UNITS, **_MONEY})
_CALENDAR: Final = {"年": "n", "月": "m", "日": "d", "号": "d", "　": GONE, "／": "/", "－": "-", "．": "."}
_DATES: Final = table({**_DIGITS, "十": "s", "拾": "s", "Ｏ": "O", **_CALENDAR})

#: Only such characters: letters of the sender must not be taken for ours.
_ONLY_NUMBER: Final = "[0-9.,-" + "".join({**_DIGITS, **_UNITS, **_MONEY}) + "]+"
_ONLY_DATE: Final = "[0-9Oo./\\s-" + "".join({**_DIGITS, **_CALENDAR, "十": "", "拾": "", "Ｏ": ""}) + "]+"
#: A number in Arabic digits, which may have one Chinese unit.
_ARABIC: Final = "[-－负]?[0-9０-９][0-9０-９,，]*(?:[.．点][0-9０-９]+)?[百佰千仟万萬亿億]?[元圆圓]?[整正]?"
_ZEROS: Final = "0" * 8
_SHIFTS: Final = {"b": 2, "q": 3, "w": 4, "y": 8}


def _section(n: int) -> str:
    """A number below 10,000: 贰仟零叁拾 is 2q03s. A lone last digit needs a ten or a zero before it."""
    return (
        rf"(?:0?(?P<q{n}>[1-9])q)?(?:0?(?P<b{n}>[1-9])b)?"
        rf"(?:0?(?P<t{n}>[1-9]?)(?P<m{n}>s)(?P<g{n}>[1-9]?)|0(?P<h{n}>[1-9])|(?P<e{n}>[1-9]))?"
    )


_PLAIN: Final = r"(?P<n>-?)(?P<i>\d+)(?:\.(?P<f>\d+))?(?P<u>[bqwy]?)(?P<y>Y?)z?"
_WORDS: Final = (
    rf"(?P<neg>-?)(?:(?P<Y>{_section(2)})y)?(?:(?P<W>{_section(1)})w)?(?P<C>{_section(0)})"
    r"(?:(?P<yuan>Y)(?:(?P<jiao>[1-9])j)?(?:0?(?P<fen>[1-9])f)?z?)?"
)


def suspects_of_numerals(values: Texts) -> Places:
    source = raw(values)
    return source.rows(source.data >= 0xE0)


def numerals(values: Texts) -> Texts:
    """Chinese numerals as digits; other texts as they are."""
    right = matching(values, _ONLY_NUMBER)
    coded = pc.if_else(right, values, pa.scalar(None, pa.string()))
    coded = pc.replace_substring(substitute(coded, _NUMBERS), ",", "")
    return where(right, pc.coalesce(_plain(coded, matching(values, _ARABIC)), _words(coded)), values)


def _plain(coded: Texts, arabic: Any) -> Texts:
    """Digits with at most one unit behind: 二〇二一, 12.5万, 3千元, 二点五亿; not 一二千, one or two."""
    fits, g = groups(coded, _PLAIN)
    one = pc.and_(pc.equal(pc.utf8_length(g["i"]), 1), pc.not_equal(g["f"], ""))
    fits = pc.and_(fits, pc.or_(pc.equal(g["u"], ""), pc.or_(pc.fill_null(arabic, False), one)))
    made = joined(g["i"], pc.if_else(pc.equal(g["f"], ""), "", "."), g["f"])
    for unit, places in _SHIFTS.items():
        fraction = joined(g["f"], _ZEROS)
        rest = pc.utf8_rtrim(pc.utf8_slice_codeunits(g["f"], places), "0")
        whole = joined(g["i"], pc.utf8_slice_codeunits(fraction, 0, places))
        whole = pc.replace_substring_regex(whole, r"\A0+(\d)", r"\1")
        shifted = joined(whole, pc.if_else(pc.equal(rest, ""), "", "."), rest)
        made = pc.if_else(pc.equal(g["u"], unit), shifted, made)
    return pc.if_else(fits, joined(g["n"], made), pa.scalar(None, pa.string()))


def _value(g: dict[str, Texts], n: int, bare: Any) -> tuple[Any, Any]:
    """Value of a section, and whether it is well formed; ``bare``: a lone digit may stand here."""

    def number(name: str) -> Any:
        return pc.cast(pc.if_else(pc.equal(g[name], ""), "0", g[name]), pa.int64()).to_numpy()

    ten = as_mask(pc.and_(pc.equal(g[f"m{n}"], "s"), pc.equal(g[f"t{n}"], "")))
    tens = np.where(ten, 1, number(f"t{n}"))
    higher = number(f"q{n}") * 1000 + number(f"b{n}") * 100
    value = higher + tens * 10 + number(f"g{n}") + number(f"h{n}") + number(f"e{n}")
    return value, (number(f"e{n}") == 0) | (bare & (higher == 0))


def _words(coded: Texts) -> Texts:
    """Numbers with their units: 壹佰零伍万叁仟元整."""
    fits, g = groups(coded, _WORDS)
    has_y, has_w = as_mask(pc.not_equal(g["Y"], "")), as_mask(pc.not_equal(g["W"], ""))
    y, y_right = _value(g, 2, True)
    w, w_right = _value(g, 1, ~has_y)
    c, c_right = _value(g, 0, ~has_y & ~has_w)
    right = as_mask(fits) & y_right & w_right & c_right & ~(has_y & (y == 0)) & ~(has_w & (w == 0))
    # coins alone (叁角) carry no 元 and do not come here: what is empty before 元 is no number
    right &= has_y | has_w | as_mask(pc.not_equal(g["C"], ""))
    total = pc.cast(pa.array(y * 100_000_000 + w * 10_000 + c), pa.string())
    none = pc.equal(joined(g["jiao"], g["fen"]), "")
    coins = [pc.if_else(pc.equal(g[name], ""), "0", g[name]) for name in ("jiao", "fen")]
    made = joined(g["neg"], total, pc.if_else(none, "", joined(".", *coins)))
    return pc.if_else(pa.array(right), made, pa.scalar(None, pa.string()))


def suspects_of_dates(values: Texts) -> Places:
    source = raw(values)
    if not len(source.data):
        return np.empty(0, dtype=np.int64)
    odd = (source.data - np.uint8(48) > 9) & (source.data != 45)  # neither digit nor hyphen
    lengths = source.lengths
    short = (lengths > 0) & (lengths != 10)
    if short.any():
        fifth = source.data.take(np.minimum(source.offsets[:-1] + 4, len(source.data) - 1))
        short &= (lengths != 8) | (fifth == 45)
    return either(source.rows(odd), np.flatnonzero(short))


def dates(values: Texts) -> Texts:
    """Dates with the year first as ISO 8601; other texts as they are. Whether the day exists is not asked."""
    right = matching(values, _ONLY_DATE)
    coded = pc.if_else(right, values, pa.scalar(None, pa.string()))
    coded = pc.replace_substring_regex(substitute(coded, _DATES), r"\s+", "")
    made = pa.nulls(len(values), pa.string())
    for first, second, last in (("n", "m", "d?"), ("-", "-", ""), ("/", "/", ""), (r"\.", r"\.", "")):
        fits, g = groups(
            coded,
            rf"(?P<y>[12][0-9Oo]{{3}}){first}(?P<m>\d{{1,2}}|1?s[1-9]?){second}(?P<d>\d{{1,2}}|[123]?s[1-9]?){last}",
        )
        year = pc.replace_substring_regex(g["y"], "[Oo]", "0")
        iso = joined(year, "-", _two(g["m"]), "-", _two(g["d"]))
        made = pc.coalesce(made, pc.if_else(fits, iso, pa.scalar(None, pa.string())))
    return where(right, made, values)


def _two(written: Texts) -> Texts:
    """A month or day in two digits: 3, 十 (s), 二十三 (2s3)."""
    tens = pc.replace_substring_regex(written, r"\As", "1s")
    tens = pc.replace_substring_regex(tens, r"s\z", "s0")
    return pc.utf8_lpad(pc.replace_substring(tens, "s", ""), 2, "0")
