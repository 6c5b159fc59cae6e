"""The two procedures of the catalogue, as data."""

from __future__ import annotations

from typing import Final

from huitong.identity.model import Role
from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step, Term

EDITORS: Final[tuple[Role, ...]] = ("editor", "resource_admin")
REVIEWERS: Final[tuple[Role, ...]] = ("reviewer",)
DECIDERS: Final[tuple[Role, ...]] = ("approver", "resource_admin")

#: A person who edited does not decide on the same entry.
_EDITING: Final = ("draft", "edit", "submit", "revise", "reevaluate")

ENTRY: Final = Procedure(
    name="entry",
    zh="目录条目",
    en="catalogue entry",
    parties={
        "editor": ("编制单位", "editing unit"),
        "source": ("数源单位", "source unit"),
        "department": ("政务数据管理部门", "government data department"),
        "supervisor": ("监督单位", "supervising unit"),
    },
    states=(
        State("draft", "编制中", "being edited"),
        State("submitted", "待审核", "waiting for review"),
        State("reviewed", "已审核", "reviewed"),
        State("agreed", "数源单位已同意", "agreed by the source unit"),
        State("consented", "数据部门已同意", "consented to by the data department"),
        State("confirmed", "依据已确认", "legal basis confirmed"),
        State("published", "已发布", "published"),
        State("withdrawn", "已撤销", "withdrawn"),
    ),
    opening=Step("draft", "编目", "draft", (), "draft", "editor", EDITORS),
    steps=(
        Step("edit", "修改", "edit", ("draft",), "draft", "editor", EDITORS),
        Step("submit", "提交审核", "submit", ("draft",), "submitted", "editor", EDITORS, takes=("note",)),
        Step(
            "review", "审核通过", "pass review", ("submitted",), "reviewed", OPERATOR_PARTY, REVIEWERS,
            needs=("accuracy", "completeness", "compliance"), takes=("note",), apart_from=_EDITING,
        ),
        Step(
            "return", "退回修改", "send back", ("submitted",), "draft", OPERATOR_PARTY, REVIEWERS,
            needs=("reason",), apart_from=_EDITING,
        ),
        Step(
            "agree", "数源单位同意", "agree", ("reviewed",), "agreed", "source", DECIDERS,
            takes=("note", "document"), apart_from=("review",),
        ),
        Step(
            "object", "数源单位提出意见", "object", ("reviewed",), "draft", "source", DECIDERS,
            needs=("reason",),
        ),
        Step(
            "consent", "数据部门同意", "consent", ("agreed",), "consented", "department", DECIDERS,
            takes=("note", "document"), apart_from=(*_EDITING, "review"),
        ),
        Step(
            "decline", "数据部门不同意", "decline", ("agreed",), "draft", "department", DECIDERS,
            needs=("reason",),
        ),
        Step(
            "confirm", "确认不予共享依据", "confirm the legal basis", ("consented",), "confirmed",
            "supervisor", DECIDERS, needs=("basis",), takes=("document",), apart_from=(*_EDITING, "review"),
        ),
        Step(
            "reject_basis", "不认可依据", "reject the legal basis", ("consented",), "draft", "supervisor",
            DECIDERS, needs=("reason",),
        ),
        Step(
            "publish", "发布", "publish", ("consented", "confirmed"), "published", OPERATOR_PARTY,
            (*REVIEWERS, "officer"), takes=("note",), apart_from=_EDITING,
        ),
        Step(
            "revise", "修订", "revise", ("published", "withdrawn"), "draft", "editor", EDITORS,
            needs=("reason",), takes=("duty",),
        ),
        Step(
            "reevaluate", "重新评估", "re-evaluate", ("published",), "draft", "editor", EDITORS,
            needs=("departs", "reason"), takes=("note",),
        ),
        Step(
            "discard", "放弃修订", "discard the revision", ("draft",), "published", "editor", EDITORS,
            takes=("reason",),
        ),
        Step(
            "file", "上级平台备案", "file with the upper-level platform", ("published",), "published",
            OPERATOR_PARTY, (*REVIEWERS, "officer"), needs=("platform", "filing_no", "filing_date"),
        ),
        Step(
            "withdraw", "撤销", "withdraw", ("published",), "withdrawn", OPERATOR_PARTY, REVIEWERS,
            needs=("reason",),
        ),
        Step(
            "drop", "删除草稿", "delete a draft", ("draft",), "withdrawn", "editor", EDITORS,
            takes=("reason",),
        ),
    ),
)  # fmt: skip

DUTY: Final = Procedure(
    name="catalogue_duty",
    zh="目录更新事项",
    en="duty to update the catalogue",
    parties={"unit": ("责任单位", "unit that must update")},
    states=(
        State("open", "待更新", "to be updated"),
        State("done", "已更新", "updated", final=True),
        State("unaffected", "无需更新", "nothing to update", final=True),
    ),
    opening=Step(
        "register", "登记变更", "register a change of law or function", (), "open", OPERATOR_PARTY,
        ("officer", "reviewer", "editor"), starts=("update",),
    ),
    steps=(
        Step(
            "complete", "完成更新", "complete", ("open",), "done", "unit", (*EDITORS, "approver"),
            needs=("entries",), takes=("note",), stops=("update",),
        ),
        Step(
            "release", "认定无需更新", "find that nothing changes", ("open",), "unaffected", OPERATOR_PARTY,
            REVIEWERS, needs=("reason",), stops=("update",), apart_from=("register",),
        ),
    ),
    terms=(Term("update", "目录更新时限", "updating the catalogue", 15, warn=3, of="unit"),),
)  # fmt: skip
