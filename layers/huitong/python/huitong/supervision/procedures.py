"""The procedures of supervision, as data: rectification, complaints, changes, new projects, the report.

Days that the law does not fix are designed: a complaint is taken up within 5 and
answered within 15 working days. A rectification notice sets its own last day.
"""

from __future__ import annotations

from typing import Final

from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step, Term
from huitong.standing.procedures import BINDING, DESK

RECTIFICATION: Final = Procedure(
    "rectification",
    "整改通知",
    "rectification notice",
    states=(
        State("issued", "待整改", "waits for the unit"),
        State("answered", "已答复", "answered"),
        State("returned", "退回再整改", "returned, waits for the unit"),
        State("accepted", "整改完成", "accepted", final=True),
        State("withdrawn", "已撤销", "withdrawn", final=True),
    ),
    opening=Step("issue", "下达", "issue", (), "issued", OPERATOR_PARTY, DESK, ("grounds", "limit"),
                 starts=("answer",), until="limit"),
    steps=(
        Step("answer", "答复", "answer", ("issued", "returned"), "answered", "unit", BINDING, ("text",),
             ("document", "digest"), stops=("answer",)),
        Step("accept", "认可", "accept", ("answered",), "accepted", OPERATOR_PARTY, DESK,
             takes=("remark",)),
        Step("return", "退回", "return", ("answered",), "returned", OPERATOR_PARTY, DESK,
             ("reason", "limit"), starts=("answer",), until="limit"),
        Step("withdraw", "撤销", "withdraw", ("issued", "answered", "returned"), "withdrawn",
             OPERATOR_PARTY, DESK, ("reason",)),
    ),
    terms=(Term("answer", "整改期限", "time limit for the answer", 10, warn=2, of="unit"),),
    parties={"unit": ("被通知单位", "the unit that must put it right")},
)  # fmt: skip

COMPLAINT: Final = Procedure(
    "complaint",
    "投诉",
    "complaint",
    states=(
        State("filed", "待受理", "waits to be taken up"),
        State("registered", "待被投诉单位答复", "waits for the other unit's answer"),
        State("answered", "待处理", "waits for the decision"),
        State("concluded", "已书面答复", "answered in writing", final=True),
        State("dismissed", "不予受理", "not taken up", final=True),
        State("withdrawn", "已撤回", "withdrawn", final=True),
    ),
    opening=Step("file", "提交", "file", (), "filed", "complainant", BINDING, starts=("take_up",)),
    steps=(
        Step("register", "受理", "take up", ("filed",), "registered", OPERATOR_PARTY, DESK,
             takes=("remark",), starts=("answer",), stops=("take_up",)),
        Step("dismiss", "不予受理", "do not take up", ("filed",), "dismissed", OPERATOR_PARTY, DESK,
             ("reason",), stops=("take_up",)),
        Step("answer", "书面答复", "answer in writing", ("registered",), "answered", "respondent", BINDING,
             ("text",), ("document", "digest"), stops=("answer",), starts=("decide",)),
        Step("conclude", "处理并书面答复投诉方", "decide, answer the complainant in writing",
             ("registered", "answered"), "concluded", OPERATOR_PARTY, DESK, ("decision",),
             ("document", "digest")),
        Step("withdraw", "撤回", "withdraw", ("filed", "registered", "answered"), "withdrawn",
             "complainant", BINDING, ("reason",)),
    ),
    terms=(
        Term("take_up", "受理期限", "time limit to take it up", 5, of="operator"),
        Term("answer", "答复期限", "time limit for the answer", 15, warn=3, of="respondent"),
        Term("decide", "处理期限", "time limit for the decision", 10, warn=2, of="operator"),
    ),
    parties={"complainant": ("投诉单位", "who complains"), "respondent": ("被投诉单位", "about whom")},
)  # fmt: skip

CHANGE_NOTICE: Final = Procedure(
    "change_notice",
    "系统变更备案",
    "planned change of a source system",
    states=(
        State("filed", "待确认", "waits for confirmation"),
        State("confirmed", "已确认", "confirmed"),
        State("under_way", "实施中", "under way"),
        State("done", "已完成", "done", final=True),
        State("returned", "已退回", "returned", final=True),
        State("cancelled", "已取消", "cancelled", final=True),
        State("lapsed", "逾期未确认", "lapsed without confirmation", final=True),
    ),
    opening=Step("file", "备案", "file", (), "filed", "unit", BINDING, ("starts",), starts=("confirm",),
                 until="starts"),
    steps=(
        Step("confirm", "确认", "confirm", ("filed",), "confirmed", OPERATOR_PARTY, DESK,
             takes=("remark",), stops=("confirm",)),
        Step("return", "退回", "return", ("filed",), "returned", OPERATOR_PARTY, DESK, ("reason",)),
        Step("begin", "开始实施", "begin", ("confirmed",), "under_way", "unit", BINDING),
        Step("complete", "完成", "complete", ("under_way",), "done", "unit", BINDING, takes=("remark",)),
        Step("cancel", "取消", "cancel", ("filed", "confirmed"), "cancelled", "unit", BINDING,
             ("reason",)),
        Step("lapse", "逾期失效", "lapse", ("filed",), "lapsed"),
    ),
    terms=(Term("confirm", "确认期限", "to be confirmed by its start", 5, on_breach="lapse",
                of="operator"),),
    parties={"unit": ("数源单位", "whose system it is")},
)  # fmt: skip

COMPLIANCE: Final = Procedure(
    "compliance",
    "新建项目合规检查",
    "compliance check of a new project",
    states=(
        State("prepared", "目录已编制", "catalogue prepared"),
        State("approved", "已立项", "project approved"),
        State("failed", "检查未通过", "check failed"),
        State("passed", "检查通过", "check passed"),
        State("accepted", "已验收", "project accepted", final=True),
        State("dropped", "已终止", "dropped", final=True),
    ),
    opening=Step("prepare", "编制项目资源目录", "prepare the project's catalogue", (), "prepared", "unit",
                 BINDING),
    steps=(
        Step("approve", "立项", "approve the project", ("prepared",), "approved", OPERATOR_PARTY, DESK,
             ("approved_on", "approval")),
        Step("pass", "检查通过", "pass the check of catalogue and docking", ("approved", "failed"),
             "passed", OPERATOR_PARTY, DESK, ("checked_on", "findings")),
        Step("fail", "检查不通过", "fail the check", ("approved", "failed"), "failed", OPERATOR_PARTY, DESK,
             ("checked_on", "findings")),
        Step("accept", "验收", "accept the project", ("passed",), "accepted", OPERATOR_PARTY, DESK,
             ("accepted_on",), ("remark",)),
        Step("drop", "终止", "drop", ("prepared", "approved", "failed", "passed"), "dropped", "unit",
             BINDING, ("reason",)),
    ),
    parties={"unit": ("建设单位", "whose project it is")},
)  # fmt: skip

ANNUAL_REPORT: Final = Procedure(
    "annual_report",
    "年度报告",
    "annual report",
    states=(
        State("due", "待编制", "to be drafted"),
        State("drafted", "待审核", "waits for review"),
        State("reviewed", "待报送", "waits for submission"),
        State("submitted", "已报送", "submitted", final=True),
    ),
    opening=Step("announce", "提示编制", "announce", (), "due", OPERATOR_PARTY, DESK, ("last_day",),
                 starts=("submit",), until="last_day"),
    steps=(
        Step("draft", "编制", "draft", ("due", "drafted"), "drafted", OPERATOR_PARTY, DESK,
             ("assessment",), ("figures",)),
        Step("review", "审核", "review", ("drafted",), "reviewed", OPERATOR_PARTY, DESK,
             takes=("remark",), apart_from=("draft",)),
        Step("return", "退回修改", "return", ("drafted", "reviewed"), "due", OPERATOR_PARTY, DESK,
             ("reason",)),
        Step("submit", "报送", "submit", ("reviewed",), "submitted", OPERATOR_PARTY, DESK,
             ("document", "digest", "submitted_on"), ("to",), stops=("submit",)),
    ),
    terms=(Term("submit", "报送期限", "to be submitted by 31 January", 20, warn=10, of="operator"),),
)  # fmt: skip

PROCEDURES: Final = (RECTIFICATION, COMPLAINT, CHANGE_NOTICE, COMPLIANCE, ANNUAL_REPORT)
