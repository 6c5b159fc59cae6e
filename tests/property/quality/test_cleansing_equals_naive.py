"""Each cleansing step equals a naive one that looks at one value at a time, and does nothing the second time (C-12)."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from huitong.contracts.cleansing import STEPS as NAMED
from huitong.quality.cleansing.steps import EMPTY_WORDS, STEPS, code_map

DIGITS = {c: str(d) for d, listed in enumerate(("零〇○", "一壹弌", "二贰貳两", "三叁參", "四肆", "五伍", "六陆陸",
          "七柒", "八捌", "九玖")) for c in listed} | {chr(0xFF10 + d): str(d) for d in range(10)}  # fmt: skip
UNITS = {**dict.fromkeys("十拾", 10), **dict.fromkeys("百佰", 100), **dict.fromkeys("千仟", 1000)}
UNSEEN = set(
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
)


def blank(c: str) -> bool:
    return c in "\u00a0\u202f\u205f\u3000\x7f" or ord(c) <= 0x20 or 0x2000 <= ord(c) <= 0x200A


def trim(value: str) -> str | None:
    while value and (blank(value[0]) or value[0] in UNSEEN):
        value = value[1:]
    while value and (blank(value[-1]) or value[-1] in UNSEEN):
        value = value[:-1]
    return value or None


def spaces(value: str) -> str:
    made = ""
    for c in value:
        if not blank(c):
            made += c
        elif not made.endswith(" "):
            made += " "
    return made


def half(value: str) -> str:
    return "".join(
        chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else " " if c == "\u3000" else c for c in value
    )


def section(text: str, alone: bool) -> int | None:
    """A number below 10,000 in Chinese, or None where it is none."""
    value, last, zero, bare = 0, 10_000, False, False
    i = 0
    while i < len(text):
        c = text[i]
        if DIGITS.get(c) == "0":
            if zero:
                return None
            zero = True
            i += 1
            continue
        digit = int(DIGITS[c]) if c in DIGITS else None
        following = text[i + 1] if i + 1 < len(text) else ""
        if digit is not None and following in UNITS:
            unit, i = UNITS[following], i + 2
        elif digit is not None and not following:
            if (value and last != 10 and not zero) or (not value and not alone and not zero):
                return None
            return value + digit if not bare else None
        elif digit is None and c in UNITS and UNITS[c] == 10:
            digit, unit, i = 1, 10, i + 1
        else:
            return None
        if unit >= last:
            return None
        value, last, zero = value + digit * unit, unit, False
    return None if zero or not value else value


@given(st.integers(1, 9_999_9999_9999), st.booleans(), st.booleans())
@example(10, False, False)
@example(100_000, True, True)
def test_every_number_in_chinese_is_read_back(number: int, money: bool, formal: bool) -> None:
    """C-12: written out as people and banks write it, 一百零五 or 壹佰零伍元整."""
    digits = "零壹贰叁肆伍陆柒捌玖" if formal else "零一二三四五六七八九"
    units = ("仟", "佰", "拾", "") if formal else ("千", "百", "十", "")

    def below(n: int) -> str:
        made = ""
        for d, u in zip(f"{n:04}", units, strict=True):
            made += digits[int(d)] + u if d != "0" else "零"
        return re.sub("零+", "零", made).rstrip("零")

    parts = [(number // 10**8, "亿"), (number // 10**4 % 10**4, "万"), (number % 10**4, "")]
    made = "".join(below(n) + u if n else "零" for n, u in parts)
    made = re.sub("零+", "零", made).strip("零") + ("元整" if money else "")
    assert _once("chinese-numerals", [made]) == [str(number)]


@given(st.text("零〇一二三十百千两壹", min_size=1, max_size=7))
def test_only_well_formed_numbers_are_taken_as_numbers(text: str) -> None:
    """C-12: 一百五 may be 105 or 150 and stays."""
    if all(c in DIGITS for c in text):
        expected: str = "".join(DIGITS[c] for c in text)
    else:
        value = section(text, alone=True)
        expected = text if value is None else str(value)
    assert _once("chinese-numerals", [text]) == [expected]


@given(st.dates(), st.sampled_from("年/.-"), st.booleans())
def test_every_day_is_read_in_each_of_its_spellings(day: object, mark: str, padded: bool) -> None:
    y, m, d = (int(p) for p in str(day).split("-"))
    if y < 1000 or y > 2999:
        return
    form = "{:02}" if padded else "{}"
    written = [str(y), form.format(m), form.format(d)]
    text = f"{written[0]}年{written[1]}月{written[2]}日" if mark == "年" else mark.join(written)
    assert _once("chinese-date", [text]) == [str(day)]
    chinese = "".join("〇一二三四五六七八九"[int(c)] for c in str(y))

    def small(n: int) -> str:
        tens, ones = divmod(n, 10)
        return ("" if tens == 0 else "十" if tens == 1 else "一二三"[tens - 1] + "十") + (
            "一二三四五六七八九"[ones - 1] if ones else ""
        )

    assert _once("chinese-date", [f"{chinese}年{small(m)}月{small(d)}日"]) == [str(day)]


NAIVE = {
    "trim": trim,
    "spaces": spaces,
    "no-spaces": lambda v: "".join(c for c in v if not blank(c)) or None,
    "zero-width": lambda v: "".join(c for c in v if c not in UNSEEN) or None,
    "half-width": half,
    "upper": lambda v: "".join(c.upper() if c.isascii() else c for c in v),
    "lower": lambda v: "".join(c.lower() if c.isascii() else c for c in v),
    "empty-words": lambda v: None if v in EMPTY_WORDS else v,
    "apostrophe": lambda v: re.sub(r"\A['‘’`]+(?=[-+]?[0-9])", "", v),
}
#: Characters that steps are about, near ones and far ones.
ODD = st.sampled_from(
    list("aZ09 \t\u3000\u00a0\u200b\ufeff\u00ad１Ａｚ（）。、张三零十百年月日-/.,%％¥￥元xX'‘()（）+转#")
) | st.sampled_from(
    [
        "NULL",
        "无",
        "+86",
        "0755",
        "13912345678",
        "440304800101123",
        "19000228",
        "2021",
        "(2021)粤03破1号",
        "e",
        "é",
    ]
)
TEXTS = st.lists(ODD, max_size=8).map("".join)


def _once(name: str, values: list[str | None]) -> list[str | None]:
    after, rows = STEPS[name].apply(pa.array(values, pa.string()))
    made: list[str | None] = after.to_pylist()
    assert [i for i, (a, b) in enumerate(zip(values, made, strict=True)) if a != b] == rows.tolist()
    return made


@pytest.mark.parametrize("name", sorted(NAIVE))
@given(values=st.lists(TEXTS.filter(bool) | st.none(), max_size=8))
@settings(max_examples=60)
def test_a_step_equals_its_naive_form(name: str, values: list[str | None]) -> None:
    """C-12: for any texts, and the rows named as changed are those that differ."""
    assert _once(name, values) == [None if v is None else NAIVE[name](v) for v in values]


@pytest.mark.parametrize("name", sorted(STEPS))
@given(values=st.lists(TEXTS.filter(bool) | st.none(), max_size=8))
@settings(max_examples=80)
def test_a_step_does_nothing_the_second_time(name: str, values: list[str | None]) -> None:
    """C-12: f(f(x)) = f(x), and a slice of an array is cleansed as the array is."""
    once = _once(name, values)
    assert _once(name, once) == once
    sliced, _ = STEPS[name].apply(pa.array([*values, "x"], pa.string()).slice(len(values) // 2))
    assert sliced.to_pylist()[:-1] == once[len(values) // 2 :]


@given(st.dictionaries(TEXTS.filter(bool), st.sampled_from("12"), min_size=1, max_size=4))
def test_a_code_table_changes_exactly_what_it_lists(pairs: dict[str, str]) -> None:
    pairs = {k: v for k, v in pairs.items() if k not in "12"} or {"甲": "1"}
    values = [*pairs, "没有的", None]
    after, _ = code_map("t", pairs).apply(pa.array(values, pa.string()))
    assert after.to_pylist() == [*pairs.values(), "没有的", None]


def test_every_named_step_exists_and_every_step_is_named() -> None:
    assert set(NAMED) == set(STEPS)
    assert all(unicodedata.is_normalized("NFC", zh) and en for zh, en in NAMED.values())


#: What phones, numbers of people, firms and cases become: pinned by hand.
PINNED = {
    "phone": {
        "+86 139 1234 5678": "13912345678", "0086-13912345678": "13912345678", "139-1234-5678": "13912345678",
        "１３９１２３４５６７８": "13912345678", "(0755)88123456": "0755-88123456", "075588123456": "0755-88123456",
        "+86 755 8812 3456": "0755-88123456", "0755-88123456转801": "0755-88123456-801",
        "010-66554433": "010-66554433", "88123456": "88123456", "400-800-1234": "400-800-1234", "无": "无",
    },
    "citizen-id": {
        "440304 19000228 008x": "44030419000228008X", "440304800101123": "440304198001011239",
        "440304800101998": "440304800101998", "440304801301123": "440304801301123", "'44030419000228008X":
        "44030419000228008X", "４４０３０４１９０００２２８００８Ｘ": "44030419000228008X", "G1234567": "G1234567",
    },
    "uscc": {"9144 0300-ma5g000000": "91440300MA5G000000", "９１４４０３００ＭＡ５Ｇ００００００": "91440300MA5G000000", "无代码": "无代码"},
    "case-number": {"（２０２１）粤03破 230号〔个1〕": "(2021)粤03破230号(个1)", "(2021)粤03破1号": "(2021)粤03破1号"},
    "amount": {"¥1,234.50": "1234.50", "1,234,567元整": "1234567", "12,34": "12,34", "RMB-5": "-5", "约5元": "约5元"},
    "percent": {"12.5%": "0.125", "100%": "1", "0.5％": "0.005", "1234%": "12.34", "-3%": "-0.03", "3": "3"},
    "chinese-numerals": {"12.5万": "125000", "伍元叁角": "5.30", "一万五": "一万五", "一百五": "一百五",
        "壹仟零伍元零叁分": "1005.03", "负三": "-3", "三点五": "3.5", "十": "10", "二〇二一": "2021"},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PINNED))
def test_numbers_take_one_spelling(name: str) -> None:
    """C-12: and what has another form stays for validation to name."""
    assert _once(name, list(PINNED[name])) == list(PINNED[name].values())
