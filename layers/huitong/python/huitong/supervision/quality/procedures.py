"""Findings of a delivery as issues for their unit (C-05), and conflicts between units (L-06), as data."""

from __future__ import annotations

from typing import Final

from huitong.identity.model import Role
from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step, Term
from huitong.standing.procedures import DESK

#: Who answers for a unit's data there.
OF_UNIT: Final[tuple[Role, ...]] = ("quality", "resource_admin", "approver", "officer", "source")
_WAITS: Final = ("open", "assigned", "escalated")

QUALITY_ISSUE: Final = Procedure(
    "quality_issue",
    "数据质量问题",
    "quality issue",
    states=(
        State("open", "待分派", "waits for somebody of the unit"),
        State("assigned", "整改中", "is being mended"),
        State("reported", "待复核", "mended as the unit says, waits for the check"),
        State("disputed", "有异议", "the unit says that the rule is wrong"),
        State("escalated", "已督办", "overdue, at the operator's desk"),
        State("closed", "已关闭", "closed", final=True),
        State("void", "规则有误", "the rule was wrong", final=True),
    ),
    opening=Step("open", "发现", "find", (), "open", needs=("limit",), starts=("mend",), until="limit"),
    steps=(
        Step("assign", "分派", "assign", ("open", "assigned"), "assigned", "unit", OF_UNIT, ("officer",)),
        Step("hand_over", "转派", "hand over", ("escalated",), "", "unit", OF_UNIT, ("officer",)),
        Step("report", "报告已整改", "say that it is mended", _WAITS, "reported", "unit", OF_UNIT,
             ("remark",), ("batch",), stops=("mend",), starts=("check",)),
        Step("confirm", "复核通过", "confirm", ("reported",), "closed", OPERATOR_PARTY, DESK,
             takes=("remark",)),
        Step("return", "退回整改", "return", ("reported",), "assigned", OPERATOR_PARTY, DESK,
             ("reason", "limit"), stops=("check",), starts=("mend",), until="limit"),
        Step("dispute", "提出异议", "dispute the rule", _WAITS, "disputed", "unit", OF_UNIT, ("reason",),
             pauses=("mend",), starts=("decide",)),
        Step("uphold", "异议成立", "the rule is wrong", ("disputed",), "void", OPERATOR_PARTY, DESK,
             ("reason",)),
        Step("reject", "异议不成立", "the rule stands", ("disputed",), "assigned", OPERATOR_PARTY, DESK,
             ("reason",), stops=("decide",), resumes=("mend",)),
        Step("close", "直接关闭", "close without mending", (*_WAITS, "disputed"), "closed", OPERATOR_PARTY,
             DESK, ("reason",)),
        Step("pass", "自动复核通过", "pass the check", (*_WAITS, "reported", "disputed"), "closed",
             takes=("batch", "remaining")),
        Step("recheck", "自动复核", "is checked again", _WAITS, "",
             takes=("batch", "remaining")),
        Step("fail", "自动复核未通过", "fail the check", ("reported",), "assigned",
             takes=("batch", "remaining"), stops=("check",), starts=("mend",)),
        Step("escalate", "逾期督办", "escalate", ("open", "assigned"), "escalated"),
    ),
    terms=(
        Term("mend", "整改期限", "time limit for mending", 5, on_breach="escalate", of="unit"),
        Term("check", "复核期限", "time limit for the check", 5, of="operator"),
        Term("decide", "异议裁定期限", "time limit for deciding on the dispute", 5, of="operator"),
    ),
    parties={"unit": ("责任单位", "the unit that delivered")},
)  # fmt: skip

CONFLICT: Final = Procedure(
    "conflict",
    "多元校核差异",
    "conflict between units",
    states=(
        State("found", "待核实", "waits for the responsible collector"),
        State("correcting", "待更正", "one side is to correct"),
        State("resolved", "已核实", "resolved: both values stay", final=True),
        State("agreed", "已一致", "the values agree now", final=True),
    ),
    opening=Step("find", "发现", "find", (), "found", starts=("confirm",)),
    steps=(
        Step("mine", "本单位数据正确", "our value is right", ("found",), "correcting", "collector", OF_UNIT,
             ("reason",), ("document", "digest"), stops=("confirm",), starts=("correct",)),
        Step("theirs", "对方数据正确", "their value is right", ("found",), "correcting", "collector",
             OF_UNIT, ("reason",), ("document", "digest"), stops=("confirm",), starts=("correct",)),
        Step("both", "两者均保留", "both values stay", ("found",), "resolved", "collector", OF_UNIT,
             ("reason",), ("document", "digest")),
        Step("reopen", "重新核实", "look again", ("correcting",), "found", OPERATOR_PARTY, DESK,
             ("reason",), stops=("correct",), starts=("confirm",)),
        Step("settle", "管理方裁定保留", "the operator decides: both stay", ("found", "correcting"),
             "resolved", OPERATOR_PARTY, DESK, ("reason",)),
        Step("agree", "数据已一致", "the values agree", ("found", "correcting"), "agreed"),
    ),
    terms=(
        Term("confirm", "核实期限", "time limit for the confirmation", 5, of="collector"),
        Term("correct", "更正期限", "time limit for the correction", 5, of="corrector"),
    ),
    parties={
        "collector": ("责任采集单位", "the responsible collector"),
        "other": ("另一方单位", "the other unit"),
        "corrector": ("更正单位", "the unit that is to correct"),
    },
)  # fmt: skip
