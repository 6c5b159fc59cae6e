"""Mobile numbers and other telephone numbers (standards.md 2.7). Segments are not checked: they change."""

from __future__ import annotations

from typing import Final

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Semantic, by_pattern

MOBILE: Final = r"1[3-9]\d{9}"
_LANDLINE: Final = r"(?:0\d{2,3}-?)?[2-9]\d{6,7}(?:-\d{1,6})?"
_SERVICE: Final = r"(?:400|800)-?\d{3}-?\d{4}|1[0-2]\d{3}|9\d{4,5}"

TYPES: Final = {
    "mobile": Semantic(
        "mobile",
        "手机号码",
        "mobile number",
        "E.164 (China)",
        (
            SemanticRule(
                "mobile.form",
                "format",
                "应为 11 位手机号码",
                "must be a mobile number of 11 digits",
                "只填 11 位数字,不带空格、短横或 +86",
                "Give 11 digits without spaces, hyphens or +86",
            ),
        ),
        by_pattern(MOBILE),
    ),
    "phone": Semantic(
        "phone",
        "联系电话",
        "telephone number",
        "E.164 (China)",
        (
            SemanticRule(
                "phone.form",
                "format",
                "不是手机、固定电话或服务号码",
                "is no mobile, landline or service number",
                "手机填 11 位数字;固定电话如 0755-88123456 或 0755-88123456-801",
                "Mobile: 11 digits; landline like 0755-88123456 or 0755-88123456-801",
            ),
        ),
        by_pattern(f"{MOBILE}|{_LANDLINE}|{_SERVICE}"),
    ),
}
