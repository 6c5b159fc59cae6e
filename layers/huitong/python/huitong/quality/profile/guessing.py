"""What a column most likely means: by its values first, by its heading where values do not tell (Q-17).

The answer decides how values are masked before anybody has said what a column is, so doubt falls on the side
of masking.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa

from huitong.contracts.model import Mask
from huitong.quality.semantics import semantic
from huitong.quality.semantics.base import Context, full_match

#: Meanings that values alone can tell, most telling first, with the share of values that must fit.
_BY_VALUE: Final = (
    "citizen-id", "uscc", "case-number", "document-number", "vin", "unit28", "sm3-hex", "licence17", "mobile",
)  # fmt: skip
_ENOUGH: Final = 0.9
#: Meanings whose values could be anything: the heading must say it, and the values fit.
_BY_HEADING: Final = (
    (r"性别|\bsex\b|gender", "sex"),
    (r"婚姻|marital", "marital"),
    (r"从业|就业|employment", "employment"),
    (r"区划|division|region_code", "division"),
    (r"年月|月份|month|period", "month"),
    (r"年度|年份|^year", "year"),
    (r"电话|手机|联系方式|phone|mobile|tel", "phone"),
)
_NAMES: Final = (
    r"姓名|人名|债权人|债务人|申请人|被执行人|联系人|法定代表|法人代表|负责人|经办人|户主|配偶|子女|父亲|母亲"
    r"|当事人|法官|律师|权利人|受让人|_name$|^name$|person|creditor|debtor"
)
_FIRMS: Final = r"单位|公司|机构|企业|法院|银行|事务所|品牌|名称|资源|firm|org|bank"
_ADDRESSES: Final = r"地址|住址|住所|坐落|住处|address"
_ACCOUNTS: Final = r"账号|帐号|卡号|账户|account|card_no"
_PLATES: Final = r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-HJ-NP-Z0-9]{5,6}"
_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧甲乙丙丁某"
)
_PASSPORT: Final = r"[A-Z]{1,2}\d{7,9}|[HM]\d{8,10}|\d{15}"
_CARD: Final = r"\d{12,19}"


@dataclass(frozen=True, slots=True)
class Meaning:
    semantic: str = ""
    fitting: float = 0.0
    level: str = ""
    mask: Mask = ""


_LEVELS: Final[Mapping[str, tuple[str, Mask]]] = {
    "citizen-id": ("L4", "id"),
    "mobile": ("L3", "phone"),
    "phone": ("L3", "phone"),
    "marital": ("L3", "all"),
    "employment": ("L3", "all"),
    "vin": ("L3", "id"),
    "unit28": ("L3", "id"),
    "licence17": ("L2", ""),
}


def meaning_of(name: str, title: str, sample: Any, today: date) -> Meaning:
    """``sample`` are texts of the column, nulls and copies left out."""
    heading = f"{name} {title}".casefold()
    if not len(sample):
        return _by_heading_alone(heading)
    for kind in _BY_VALUE:
        fitting = _fitting(kind, sample, today)
        if fitting >= _ENOUGH:
            return _of(kind, fitting)
    for pattern, kind in _BY_HEADING:
        if re.search(pattern, heading):
            fitting = _fitting(kind, sample, today)
            if fitting >= _ENOUGH:
                return _of(kind, fitting)
    return _by_heading(heading, sample)


def _of(kind: str, fitting: float) -> Meaning:
    level, mask = _LEVELS.get(kind, ("L2", ""))
    return Meaning(kind, round(fitting, 4), level, mask)


def _by_heading_alone(heading: str) -> Meaning:
    guarded = re.search(f"{_NAMES}|{_ADDRESSES}|{_ACCOUNTS}|证件|身份证|电话|手机|id_no|phone", heading)
    return Meaning(level="L3" if guarded else "L2", mask="all" if guarded else "")


def _by_heading(heading: str, sample: Any) -> Meaning:
    if re.search(_ACCOUNTS, heading) and _share(sample, _CARD) > 0.5:
        return Meaning(level="L4", mask="account")
    if re.search("证件|身份证|护照|id_no|passport|identity", heading) and (
        _share(sample, _PASSPORT) > 0.3 or _share(sample, r"\d{17}[\dXx]") > 0.1
    ):
        return Meaning(level="L4", mask="id")
    if re.search(_ADDRESSES, heading) or _share(sample, r".*[省市区县].{0,20}[路街道巷村号弄栋].*") > 0.5:
        return Meaning(level="L3", mask="address")
    if _share(sample, _PLATES) > 0.5:
        return Meaning(level="L3", mask="plate")
    named = re.search(_NAMES, heading) and not re.search(f"({_FIRMS})$", heading)
    named = named and _share(sample, r"[^\d]+") > 0.5
    if named or _share(sample, rf"[{_SURNAMES}][一-龥·]{{1,3}}") > 0.8:
        return Meaning(level="L3", mask="name")
    return _mixed(sample)


def _mixed(sample: Any) -> Meaning:
    """Columns of free text in which numbers of persons or telephones stand here and there."""
    if _share(sample, r"(?s).*(?:\d{17}[\dXx]|1[3-9]\d{9}|\d{15,19}).*") > 0.02:
        return Meaning(level="L3", mask="all")
    return Meaning(level="L2")


def _fitting(kind: str, sample: Any, today: date) -> float:
    """Share of the sample that breaks no error of the semantic type."""
    found = semantic(kind)
    values = found.canonical(sample) if found.canonical else sample
    broken = None
    for rule, mask in zip(found.rules, found.check(values, Context(today)), strict=True):
        if rule.severity == "error":
            broken = mask if broken is None else broken | mask
    return 1.0 if broken is None else float(1 - broken.mean())


def _share(sample: Any, pattern: str) -> float:
    return float(full_match(sample.cast(pa.string()), pattern).mean())
