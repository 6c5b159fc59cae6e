"""Small national code sets: sex, marital status, employment status (standards.md 2.4, 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.base import Context, Mask, Semantic, Texts, present, within


def _code_set(name: str, zh: str, en: str, standard: str, codes: Sequence[str]) -> Semantic:
    def check(values: Texts, _context: Context) -> Sequence[Mask]:
        return [present(values) & ~within(values, codes)]

    listed = "、".join(codes)
    rule = SemanticRule(
        f"{name}.code",
        "constraint",
        f"不是{zh}({standard})",
        f"is no {en} of {standard}",
        f"可用代码:{listed}",
        f"Codes in use: {', '.join(codes)}",
    )
    return Semantic(name, zh, en, standard, (rule,), check)


TYPES: Final = {
    s.name: s
    for s in (
        _code_set("sex", "性别代码", "code of sex", "GB/T 2261.1-2003", ("0", "1", "2", "9")),
        _code_set(
            "marital",
            "婚姻状况代码",
            "code of marital status",
            "GB/T 2261.2-2003",
            ("10", "20", "21", "22", "23", "30", "40", "90"),
        ),
        _code_set(
            "employment",
            "从业状况代码",
            "code of employment status",
            "GB/T 2261.4-2003",
            ("11", "13", "17", "21", "24", "27", "31", "37", "51", "54", "70", "80", "90"),
        ),
    )
}
