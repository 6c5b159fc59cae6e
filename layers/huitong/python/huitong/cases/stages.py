"""The stages of a case (案件阶段) and the allowed transitions between them, as data (domain.md 2, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Stage:
    """``open``: the court may still end the case by a ruling from here (to 22 or 80)."""

    code: str
    zh: str
    en: str
    open: bool = True


STAGES: Final[tuple[Stage, ...]] = (
    Stage("10", "申请前辅导", "guidance before the application"),
    Stage("20", "申请", "application"),
    Stage("21", "申请审查", "review of the application"),
    Stage("22", "不予受理、撤回或驳回", "not accepted, withdrawn or rejected", open=False),
    Stage("30", "受理", "acceptance"),
    Stage("31", "财产申报与债权申报", "declaration of property and claims"),
    Stage("32", "债权人会议", "creditors' meeting"),
    Stage("40", "宣告破产", "declared bankrupt"),
    Stage("41", "财产分配", "distribution"),
    Stage("42", "免责考察期", "observation period"),
    Stage("43", "免责裁定", "ruling on the discharge"),
    Stage("50", "重整期间", "reorganisation"),
    Stage("51", "重整计划执行", "performance of the plan"),
    Stage("52", "重整执行完毕、免责", "plan completed, discharge"),
    Stage("60", "和解", "settlement"),
    Stage("61", "和解协议履行与免责", "settlement performed, discharge"),
    Stage("70", "程序转换", "conversion"),
    Stage("80", "终结", "closed", open=False),
    Stage("90", "免责撤销", "discharge revoked", open=False),
)

BY_CODE: Final[Mapping[str, Stage]] = {s.code: s for s in STAGES}

#: The course of a case, and its ends by ruling: every open stage may go to 22 or 80.
COURSE: Final[tuple[tuple[str, str], ...]] = (
    ("10", "20"), ("20", "21"), ("21", "22"), ("21", "30"),
    ("30", "31"), ("31", "32"), ("32", "40"), ("32", "50"), ("32", "60"),
    ("40", "41"), ("41", "42"), ("42", "43"), ("42", "42"), ("43", "80"),
    ("50", "51"), ("51", "52"), ("52", "80"), ("50", "70"), ("70", "40"),
    ("60", "61"), ("61", "80"), ("60", "70"),
    ("43", "90"), ("52", "90"), ("61", "90"),
)  # fmt: skip
TRANSITIONS: Final[frozenset[tuple[str, str]]] = frozenset(COURSE) | frozenset(
    (s.code, end) for s in STAGES if s.open for end in ("22", "80")
)

#: 42 → 42: the only step that stays in its stage (延长考察期).
EXTENDED: Final = ("42", "42")
#: At these the case ends at once for sharing; at the discharge, after a set time (domain.md 3).
ENDS: Final = frozenset({"22", "80"})
DISCHARGES: Final = frozenset({"43", "52", "61"})
#: 20 to 61 without the end inside: only then may anybody ask about a person of the case.
USABLE: Final = frozenset(s.code for s in STAGES if "20" <= s.code <= "61" and s.code not in ENDS)
#: 21 to 51: then also about the spouse and the dependants.
FAMILY: Final = frozenset(code for code in USABLE if "21" <= code <= "51")

#: 文书类型 → the stages to which such a ruling can lead; which one follows from the stage before.
RULINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "01": ("30",),  # 受理
    "02": ("22",),  # 不予受理
    "03": ("40",),  # 宣告破产
    "04": ("51",),  # 批准重整计划
    "05": ("60",),  # 认可和解
    "06": ("43", "52", "61"),  # 免除未清偿债务
    "07": ("43",),  # 不予免除
    "08": ("80",),  # 终结
    "09": ("42",),  # 延长考察期
}


def diagram() -> str:
    """The course of a case as a Mermaid state diagram; ends by ruling from any open stage are one line."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{s.code} {s.zh}" as s{s.code}' for s in STAGES]
    lines.append("    [*] --> s10")
    lines += [f"    s{a} --> s{b}" for a, b in COURSE]
    lines += [f"    s{s.code} --> [*]" for s in STAGES if not s.open]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Stages with what they allow, as Markdown."""
    rows = [
        "| stage | 阶段 | English | questions about the debtor | about the family | next |",
        "|---|---|---|---|---|---|",
    ]
    for s in STAGES:
        following = sorted(b for a, b in TRANSITIONS if a == s.code)
        cells = (s.code, s.zh, s.en, _yes(s.code in USABLE), _yes(s.code in FAMILY))
        rows.append("| " + " | ".join((*cells, " ".join(following) or "-")) + " |")
    return "\n".join(rows) + "\n"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
