"""Traces that tools leave in text: what Excel, the web and databases make of a value (Q-21).

``4.40304E+17`` was an identity number, ``#N/A`` a formula, ``NULL`` nothing, ``&nbsp;`` a blank of a web
page. As text they would pass for values. A column without a trace is passed by a look at its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Field
from huitong.quality.cleansing.texts import BLANKS, UNSEEN, Raw, raw
from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Mask, Texts, full_match, within

_ERRORS: Final = (
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA",
)  # fmt: skip
_NOTHING: Final = ("NULL", "null", "Null", "None", "NaN", "nan", "undefined", "(null)", "<null>", r"\N")
_TAGS: Final = "</?(?:td|tr|th|table|br|p|div|span|font|b|i|a|ul|li|html|body|script|img|input)(?:[ />]|$)"
_ENTITIES: Final = r"&(?:nbsp|lt|gt|amp|quot|ldquo|rdquo|#\d{1,6}|#x[0-9A-Fa-f]{1,6});"


def _scientific(values: Texts) -> Mask:
    return full_match(values, r"[+-]?\d(?:\.\d+)?[Ee]\+\d{2,3}")


def _error(values: Texts) -> Mask:
    return within(values, _ERRORS) | full_match(values, "#{3,}")


def _nothing(values: Texts) -> Mask:
    return within(values, _NOTHING)


def _unseen(values: Texts) -> Mask:
    return _found(values, rf"{UNSEEN}|[\x01-\x08\x0B\x0C\x0E-\x1F\x7F]")


def _apostrophe(values: Texts) -> Mask:
    return _found(values, r"\A['`][+-]?\d")


def _markup(values: Texts) -> Mask:
    return _found(values, f"(?i){_TAGS}|{_ENTITIES}")


def _blank(values: Texts) -> Mask:
    return _found(values, rf"\A{BLANKS}|{BLANKS}\z")


def _found(values: Texts, pattern: str) -> Mask:
    hits = pc.fill_null(pc.match_substring_regex(values, pattern=pattern), False)
    mask: Mask = hits.to_numpy(zero_copy_only=False)
    return mask


def _holds(*signs: bytes) -> Callable[[Raw, bytes], bool]:
    return lambda _, content: any(_has(content, sign) for sign in signs)


def _has(content: bytes, sign: bytes) -> bool:
    """Single bytes are found many times as fast: the first is looked for before the whole."""
    return sign[:1] in content and (len(sign) == 1 or sign in content)


def _begins(letters: bytes) -> Callable[[Raw, bytes], bool]:
    """Whether some text begins with one of these; few columns have any."""

    def ask(source: Raw, content: bytes) -> bool:
        if not any(letter in content for letter in letters):
            return False
        first = source.nth(0)
        return bool(np.isin(first, np.frombuffer(letters, dtype=np.uint8)).any())

    return ask


def _unseen_signs(source: Raw, content: bytes) -> bool:
    signs = (b"\xe2\x80", b"\xe2\x81", b"\xef\xbb\xbf", b"\xc2\xad", b"\x7f")
    return int(source.data.min()) < 0x20 or any(_has(content, sign) for sign in signs)


#: code → (whether the bytes of a column can hold such a trace, what to ask its texts then)
_SIGNS: Final[Mapping[str, tuple[Callable[[Raw, bytes], bool], Callable[[Texts], Mask]]]] = {
    "text.scientific": (_holds(b"+"), _scientific),
    "text.error-value": (_holds(b"#"), _error),
    "text.nothing": (_begins(b"Nnu(<\\"), _nothing),
    "text.unseen": (_unseen_signs, _unseen),
    "text.apostrophe": (_holds(b"'", b"`"), _apostrophe),
    "text.markup": (_holds(b"<", b"&"), _markup),
    "text.blank": (_holds(b" ", b"\t", b"\n", b"\r", b"\xe3\x80\x80", b"\xc2\xa0", b"\xe2\x80"), _blank),
}

_RULES: Final = (
    SemanticRule(
        "text.scientific",
        "format",
        "是科学计数法,号码的末位已丢失",
        "is in scientific notation: its last digits are lost",
        "请从业务系统重新导出,不要用 Excel 打开后另存;导出前将该列设为文本",
        "Export it again from its system without saving it in Excel; make the column text first",
    ),
    SemanticRule(
        "text.error-value",
        "format",
        "是表格软件的错误值或列宽不足的显示,不是数据",
        "is an error of a spreadsheet or a column too narrow to show, no value",
        "请更正公式、加宽列后重新导出",
        "Mend the formula or widen the column and export again",
    ),
    SemanticRule(
        "text.nothing",
        "missing",
        "是表示空值的字样,不是数据",
        "is a word for an empty value, no value",
        "请留空;也可在导入方案中设置 null_markers,或在契约中设置清洗 empty-words",
        "Leave it empty; or set null_markers in the import profile, or cleanse: empty-words in the contract",
        severity="warning",
    ),
    SemanticRule(
        "text.unseen",
        "format",
        "含看不见的字符(零宽字符、控制字符或 BOM)",
        "holds characters that nobody sees (zero width, control, byte order mark)",
        "请删除后重新填写;也可在契约中设置清洗 zero-width",
        "Remove them; or set cleanse: zero-width in the contract",
        severity="warning",
    ),
    SemanticRule(
        "text.apostrophe",
        "format",
        "数字前有撇号",
        "has an apostrophe before a number",
        "请去掉撇号;也可在契约中设置清洗 apostrophe",
        "Remove it; or set cleanse: apostrophe in the contract",
        severity="warning",
    ),
    SemanticRule(
        "text.markup",
        "format",
        "含网页标记",
        "holds markup of a web page",
        "请只粘贴文字",
        "Paste as plain text",
        severity="warning",
    ),
    SemanticRule(
        "text.blank",
        "format",
        "主键首尾有空白,会被当作另一个主键",
        "a key that begins or ends with a blank counts as another key",
        "请去掉空白;也可在契约中设置清洗 trim",
        "Remove it; or set cleanse: trim in the contract",
        severity="warning",
    ),
)


def rules_of(field: Field) -> tuple[SemanticRule, ...]:
    """The traces that a field is looked through for: texts only; blanks at the ends on keys only."""
    if field.type != "string":
        return ()
    asked = (r for r in _RULES if field.key or r.code != "text.blank")
    return tuple(replace(r, severity="error") if _strict(r, field) else r for r in asked)


def _strict(rule: SemanticRule, field: Field) -> bool:
    """A key that looks like another is one; a required item must not be a word for nothing."""
    if rule.code == "text.nothing":
        return field.required
    return bool(field.key) and rule.code in ("text.unseen", "text.apostrophe")


def restricted(field: Field) -> bool:
    """Whether other rules already say which texts are right: then only what breaks them is looked through."""
    return bool(field.semantic or field.pattern or field.codes)


def check(values: Texts, codes: tuple[str, ...], among: Mask | None = None) -> list[Mask]:
    """A mask for each code; ``among``: only these values."""
    if among is not None and not among.any():
        return [among] * len(codes)
    looked = values if among is None else values.filter(pa.array(among))
    source = raw(looked)
    content = source.data.tobytes()
    masks = []
    for code in codes:
        possible, ask = _SIGNS[code]
        found = np.zeros(len(values), dtype=np.bool_)
        if content and possible(source, content):
            if among is None:
                found = ask(looked)
            else:
                found[among] = ask(looked)
        masks.append(found)
    return masks
