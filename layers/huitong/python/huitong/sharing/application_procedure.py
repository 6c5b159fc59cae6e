"""The sharing application (共享申请) as data: states, steps, clocks (X-19, L-16 to L-21, L-24 to L-28, Q-55).

An extension or a change of a sharing is a new application that ``amends`` the
former one: it goes through the same steps as a new one (Q-54) and takes its
place, grant and all, in one write.
"""

from __future__ import annotations

from typing import Final

from huitong.identity.model import Role
from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step, Term
from huitong.sharing import disputes

_ASKER: Final[tuple[Role, ...]] = ("applicant",)
_APPROVER: Final[tuple[Role, ...]] = ("approver",)
_DESK: Final[tuple[Role, ...]] = ("officer",)
_KEEPER: Final[tuple[Role, ...]] = ("approver", "resource_admin")
_WRITTEN: Final = ("draft", "revise", "submit")
_SENT: Final = (*_WRITTEN, "send")
_UNDECIDED: Final = ("deciding", "negotiating", "coordinating")
_RUNNING: Final = ("active", "ending_by_receiver", "ending_by_owner")
#: Members of an application that its writer may change while it is a draft.
MEMBERS: Final = (
    "fields", "unmasked", "row_filter", "purpose", "matter", "case_no", "duty", "users", "methods", "volume",
    "frequency", "starts", "ends", "reason", "licence",
)  # fmt: skip

_STATES: Final = (
    State("drafted", "草稿", "draft"),
    State("reviewing", "单位内部审核", "reviewed inside the applying unit"),
    State("deciding", "数源单位办理", "with the owner"),
    State("supplementing", "待补充材料", "waiting for the applicant"),
    State("seconding", "待第二人复核", "to be confirmed by a second person"),
    State("refused", "不予共享", "refused by the owner"),
    State("approved", "已同意待提供", "approved, to be provided"),
    State("active", "共享中", "in force"),
    State("ending_by_receiver", "使用单位提出终止", "the user unit wants to end it"),
    State("ending_by_owner", "数源单位提出终止", "the owner wants to end it"),
    State("forwarded", "已转出", "passed on to another level"),
    State("answered", "已由上级或外地平台答复", "answered elsewhere", final=True),
    State("withdrawn", "已撤回", "withdrawn", final=True),
    State("ended", "已终止", "ended", final=True),
    State("replaced", "已变更", "replaced by an amendment", final=True),
)

_STEPS: Final = (
    # inside the applying unit
    Step("revise", "修改", "revise", ("drafted",), "drafted", "receiver", _ASKER, takes=MEMBERS),
    Step("submit", "提交内部审核", "submit", ("drafted",), "reviewing", "receiver", _ASKER),
    Step("return_inside", "退回修改", "return", ("reviewing",), "drafted", "receiver", _APPROVER,
         ("reason",)),
    Step("send", "审核同意并提交", "send", ("reviewing",), "deciding", "receiver", _APPROVER,
         apart_from=_WRITTEN, starts=("answer",)),
    # routed to another level (L-27, L-28)
    Step("forward", "转出", "pass on", ("deciding",), "forwarded", stops=("answer",)),
    Step("report", "登记答复", "record the answer", ("forwarded",), "answered", OPERATOR_PARTY, _DESK,
         ("result",), ("document",)),
    # the owner's decision
    Step("ask_supplement", "要求补充", "ask for more", ("deciding",), "supplementing", "owner", _KEEPER,
         ("question",), pauses=("answer",)),
    Step("supplement", "补充", "supplement", ("supplementing",), "deciding", "receiver", _ASKER, ("text",),
         ("document",), resumes=("answer",)),
    Step("decide", "逐项决定", "decide field by field", _UNDECIDED, "", "owner", _APPROVER, ("approved",),
         ("refused", "masks", "unmasked", "row_filter", "text"), apart_from=_SENT),
    Step("refuse", "不予共享", "refuse", ("deciding", "supplementing"), "refused", "owner", _APPROVER,
         ("reason",), apart_from=_SENT, stops=("answer",)),
    Step("ask_second", "提请复核", "ask for a second person", _UNDECIDED, "seconding"),
    Step("second", "复核同意", "confirm as second person", ("seconding",), "approved", "owner", _APPROVER,
         apart_from=(*_SENT, "decide"), starts=("provide",), stops=("answer",)),
    Step("return_decision", "复核退回", "return the decision", ("seconding",), "deciding", "owner", _APPROVER,
         ("reason",), apart_from=("decide",)),
    Step("settle", "同意共享", "approve", (*_UNDECIDED, "joint_review"), "approved", starts=("provide",),
         stops=("answer",)),
    *disputes.STEPS,
    # providing and using
    Step("provide", "提供", "provide", ("approved",), "active", "owner", _KEEPER, takes=("text",),
         stops=("provide",)),
    Step("provide_by_desk", "平台开通", "open at the desk", ("approved",), "active", OPERATOR_PARTY, _DESK,
         takes=("text",), stops=("provide",)),
    Step("open_at_once", "即时开通", "open at once", ("approved",), "active", stops=("provide",)),
    # ending
    Step("withdraw", "撤回", "withdraw",
         ("drafted", "reviewing", "deciding", "supplementing", "seconding", "refused", "approved",
          "forwarded", *disputes.STAGES), "withdrawn", "receiver", ("applicant", "approver"), ("reason",)),
    Step("give_up", "停止使用", "give up", _RUNNING, "ended", "receiver", _APPROVER, ("reason",)),
    Step("propose_end", "提出终止", "propose to end it", ("active",), "ending_by_receiver", "receiver",
         _APPROVER, ("reason",)),
    Step("owner_propose_end", "提出终止", "propose to end it", ("active",), "ending_by_owner", "owner",
         _APPROVER, ("reason",)),
    Step("owner_agree_end", "同意终止", "agree to end it", ("ending_by_receiver",), "ended", "owner",
         _APPROVER, apart_from=("propose_end",)),
    Step("agree_end", "同意终止", "agree to end it", ("ending_by_owner",), "ended", "receiver", _APPROVER,
         apart_from=("owner_propose_end",)),
    Step("owner_keep", "不同意终止", "keep it", ("ending_by_receiver",), "active", "owner", _APPROVER,
         ("reason",)),
    Step("keep", "不同意终止", "keep it", ("ending_by_owner",), "active", "receiver", _APPROVER, ("reason",)),
    Step("end_by_decision", "决定终止", "end by decision", ("approved", *_RUNNING), "ended", OPERATOR_PARTY,
         _DESK, ("reason", "document")),
    Step("expire", "到期", "expire", ("approved", *_RUNNING), "ended"),
    Step("replace", "变更", "be replaced", _RUNNING, "replaced"),
)  # fmt: skip

APPLICATION: Final = Procedure(
    "application",
    "共享申请",
    "sharing application",
    states=(*_STATES[:6], *disputes.STATES, *_STATES[6:]),
    opening=Step("draft", "填写", "draft", (), "drafted", "receiver", _ASKER),
    steps=_STEPS,
    terms=(
        Term("answer", "答复", "answer", 10, warn=2, on_breach="overdue", of="owner"),
        Term("provide", "提供", "provide", 5, of="owner"),
    ),
    parties={"receiver": ("使用单位", "applying unit"), "owner": ("数源单位", "owner")},
)

#: States in which the application's grant is in force (as far as its days go).
IN_FORCE: Final = frozenset(_RUNNING)
#: States in which the desk's clock looks for the end date.
BOUND_TO_END: Final = ("approved", *_RUNNING)
