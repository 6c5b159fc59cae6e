"""Court case numbers and the numbers of documents in a case (standards.md 2.6).

Full-width brackets and spaces are accepted and published in canonical form:
half-width brackets, no spaces. 之一, 之二 … belong to documents: on a case
number they are split off with a warning. Numbers of before 2016 follow other
rules: they are accepted as text with a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Context, Mask, Semantic, Texts, as_mask, full_match, present

FIRST_YEAR: Final = 2016
#: types of insolvency cases (法〔2016〕237号)
CASE_TYPES: Final = ("破申", "破", "破终", "破监", "破他", "强清", "清申")

_COURT = "最高法|[京津冀晋内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔贵滇云藏陕甘青宁新兵军](?:\\d{2}|\\d{4})?"
_FORM = (
    r"\A\((?P<year>\d{4})\)(?P<court>" + _COURT + r")(?:知)?(?P<type>[一-龥]{1,3}?)(?:[1-9]\d{0,7})号"
    r"(?P<personal>\(个[1-9]\d*\))?(?P<suffix>之[一二三四五六七八九十]+)?\z"
)
_OLD = r"\((?:19\d{2}|200\d|201[0-5])\).{1,50}"
_SUFFIX = r"之[一二三四五六七八九十]+\z"


def canonical(values: Texts) -> Texts:
    """Half-width brackets, no spaces."""
    if as_mask(pc.match_substring_regex(values, pattern=r"[（）\s　]")).any():
        values = pc.replace_substring(values, "（", "(")
        values = pc.replace_substring(values, "）", ")")
        values = pc.replace_substring_regex(values, r"[\s　]+", "")
    return values


def canonical_case(values: Texts) -> Texts:
    """As :func:`canonical`, with a document's 之N split off."""
    values = canonical(values)
    if as_mask(pc.match_substring(values, "之")).any():
        values = pc.replace_substring_regex(values, _SUFFIX, "")
    return values


def _rules(name: str, what_zh: str, what_en: str) -> tuple[SemanticRule, ...]:
    types = "、".join(CASE_TYPES)
    example = "(2021)粤03破230号(个1)" + ("之一" if name == "document-number" else "")
    shared = (
        SemanticRule(
            f"{name}.form",
            "format",
            f"不符合{what_zh}的格式",
            f"has not the form of a {what_en}",
            f"格式如 {example}",
            f"The form is {example}",
        ),
        SemanticRule(
            f"{name}.year",
            "constraint",
            "立案年份晚于本年",
            "the year of filing lies in the future",
            "请核对括号内的年份",
            "Check the year in brackets",
        ),
        SemanticRule(
            f"{name}.type",
            "constraint",
            "类型代字不是破产案件类型",
            "the type is none of insolvency cases",
            f"可用类型:{types}",
            f"Types in use: {', '.join(CASE_TYPES)}",
        ),
        SemanticRule(
            f"{name}.before-2016",
            "format",
            "2016 年以前的编号,按原文接受",
            "a number of before 2016, accepted as it is",
            "请人工核对",
            "Check it by hand",
            severity="warning",
        ),
        SemanticRule(
            f"{name}.personal-count",
            "missing",
            "深圳个人破产案件的编号缺少(个N)",
            "a personal case of Shenzhen lacks (个N)",
            "个人案件请补上(个N)",
            "Add (个N) if it is a personal case",
            severity="warning",
        ),
    )
    if name == "document-number":
        return shared
    suffix = SemanticRule(
        f"{name}.suffix",
        "format",
        "之N 属于文书编号,已从案号中去除",
        "之N belongs to a document and was split off",
        "案号请勿带之N",
        "Give the case number without it",
        severity="warning",
    )
    return (*shared, suffix)


def _perfect(values: Texts, context: Context) -> Mask:
    """Texts that break no rule of a case number, not even with a warning: most of them, quickly told."""
    years = "|".join(str(year) for year in range(FIRST_YEAR, context.today.year + 1))
    types = "|".join(CASE_TYPES)
    return full_match(values, rf"\((?:{years})\)(?:{_COURT})知?(?:{types})[1-9]\d{{0,7}}号\(个[1-9]\d*\)")


def _check(values: Texts, context: Context, with_suffix: bool) -> list[Mask]:
    doubtful = present(values) & ~_perfect(values, context)
    masks = [np.zeros(len(values), dtype=np.bool_) for _ in range(5 + with_suffix)]
    if doubtful.any():
        for mask, found in zip(masks, _inspect(values.filter(pa.array(doubtful)), context), strict=False):
            mask[doubtful] = found
    return masks


def _inspect(values: Texts, context: Context) -> list[Mask]:
    """Masks of all six rules, for texts that are not null."""
    values = canonical(values)
    parts = pc.extract_regex(values, pattern=_FORM)
    fits = as_mask(parts.is_valid())
    year = pc.cast(pc.if_else(parts.is_valid(), parts.field("year"), "0"), pa.int32()).to_numpy()
    known_type = as_mask(pc.is_in(parts.field("type"), value_set=pa.array(CASE_TYPES, pa.string())))
    old = full_match(values, _OLD)
    modern = fits & (year >= FIRST_YEAR)
    shenzhen = modern & known_type & as_mask(pc.equal(parts.field("court"), "粤03"))
    return [
        ~modern & ~old,
        modern & (year > context.today.year),
        modern & ~known_type,
        old,
        shenzhen & as_mask(pc.equal(parts.field("personal"), "")),
        modern & as_mask(pc.not_equal(parts.field("suffix"), "")),
    ]


def _check_case(values: Texts, context: Context) -> Sequence[Mask]:
    return _check(values, context, with_suffix=True)


def _check_document(values: Texts, context: Context) -> Sequence[Mask]:
    return _check(values, context, with_suffix=False)


_STANDARD = "法〔2018〕335号, 法〔2016〕237号"

TYPES: Final = {
    "case-number": Semantic(
        "case-number",
        "案号",
        "court case number",
        _STANDARD,
        _rules("case-number", "案号", "case number"),
        _check_case,
        canonical_case,
    ),
    "document-number": Semantic(
        "document-number",
        "文书编号",
        "number of a court document",
        _STANDARD,
        _rules("document-number", "文书编号", "document number"),
        _check_document,
        canonical,
    ),
}
