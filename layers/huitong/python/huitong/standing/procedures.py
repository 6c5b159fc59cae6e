"""The procedures between units, as data: agreements, lists, docking, joint tests, sharing outside.

Two shapes repeat. What is *signed* (agreements) needs a signature of each side,
in any order. What is *jointly confirmed* (lists, docking records, tests) is put
forward by one side, which binds that side, and confirmed by the other; a new
version is put forward and confirmed through the same steps (Q-54) and then
counts instead of the former.
"""

from __future__ import annotations

from typing import Final

from huitong.identity.model import Role
from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step

#: People who bind a unit. Systems and case officers do not sign.
BINDING: Final[tuple[Role, ...]] = ("resource_admin", "approver", "officer", "admin")
DESK: Final[tuple[Role, ...]] = ("officer", "admin")

_SIGNATURE: Final = ("signatory", "post", "signed_on", "digest")

AGREEMENT: Final = Procedure(
    "agreement",
    "协议",
    "agreement",
    states=(
        State("drafted", "待签署", "drafted"),
        State("first_signed", "甲方已签", "signed by the first party"),
        State("second_signed", "乙方已签", "signed by the second party"),
        State("signed", "双方已签", "signed by both"),
        State("withdrawn", "已撤回", "withdrawn", final=True),
        State("ended", "已终止", "terminated", final=True),
        State("expired", "已到期", "expired", final=True),
        State("superseded", "已被替代", "superseded", final=True),
    ),
    opening=Step("draft", "拟定", "draft", (), "drafted", "drafter", BINDING),
    steps=(
        Step("sign_first", "甲方签署", "sign", ("drafted",), "first_signed", "first", BINDING, _SIGNATURE),
        Step("sign_second", "乙方签署", "sign", ("drafted",), "second_signed", "second", BINDING, _SIGNATURE),
        Step("countersign_second", "乙方会签", "countersign", ("first_signed",), "signed", "second",
             BINDING, _SIGNATURE),
        Step("countersign_first", "甲方会签", "countersign", ("second_signed",), "signed", "first",
             BINDING, _SIGNATURE),
        Step("withdraw", "撤回", "withdraw", ("drafted", "first_signed", "second_signed"), "withdrawn",
             "drafter", BINDING, ("reason",)),
        Step("end_first", "甲方终止", "terminate", ("signed",), "ended", "first", BINDING, ("reason",)),
        Step("end_second", "乙方终止", "terminate", ("signed",), "ended", "second", BINDING, ("reason",)),
        Step("end_operator", "管理方终止", "terminate", ("signed",), "ended", OPERATOR_PARTY, DESK,
             ("reason",)),
        Step("expire", "到期", "expire", ("signed",), "expired"),
        Step("supersede", "被替代", "supersede", ("signed",), "superseded"),
    ),
    parties={"first": ("甲方(提供方)", "first party, which provides"),
             "second": ("乙方(使用方)", "second party, which uses"),
             "drafter": ("拟定方", "who drafts")},
)  # fmt: skip


def _confirmed(name: str, zh: str, en: str, act_zh: str) -> Procedure:
    """Put forward by one side, confirmed or returned by the other; ended by either."""
    return Procedure(
        name,
        zh,
        en,
        states=(
            State("proposed", "待对方确认", "waits for the other side"),
            State("confirmed", "已共同确认", "confirmed by both"),
            State("returned", "已退回", "returned", final=True),
            State("withdrawn", "已撤回", "withdrawn", final=True),
            State("ended", "已终止", "ended", final=True),
        ),
        opening=Step("propose", act_zh, "put forward", (), "proposed", "proposer", BINDING),
        steps=(
            Step("confirm", "确认", "confirm", ("proposed",), "confirmed", "other", BINDING,
                 takes=("remark",)),
            Step("return", "退回", "return", ("proposed",), "returned", "other", BINDING, ("reason",)),
            Step("withdraw", "撤回", "withdraw", ("proposed",), "withdrawn", "proposer", BINDING,
                 takes=("reason",)),
            Step("end", "终止", "end", ("confirmed",), "ended", "proposer", BINDING, ("reason",)),
            Step("end_other", "对方终止", "end", ("confirmed",), "ended", "other", BINDING, ("reason",)),
        ),
        parties={"proposer": ("提出方", "who puts it forward"), "other": ("确认方", "the other side")},
    )  # fmt: skip


SHARE_LIST: Final = _confirmed("share_list", "共享清单", "list of resources to share", "提出清单")
DOCKING: Final = _confirmed("docking", "对接记录", "docking record", "提出对接方案")
JOINT_TEST: Final = _confirmed("joint_test", "联调测试", "joint test", "登记测试")

OUTSIDE: Final = Procedure(
    "outside_exchange",
    "平台外共享",
    "sharing outside the platform",
    states=(
        State("filed", "待数源单位同意", "waits for the source unit"),
        State("agreed", "待数据主管部门意见", "waits for the data department"),
        State("recorded", "已备案", "recorded"),
        State("refused", "不同意", "refused", final=True),
        State("ended", "已终止", "ended", final=True),
    ),
    opening=Step("file", "提交", "file", (), "filed", "filer", BINDING),
    steps=(
        Step("agree", "数源单位同意", "agree to the plan", ("filed",), "agreed", "source", BINDING,
             ("digest",), ("remark",)),
        Step("decline", "数源单位不同意", "decline", ("filed",), "refused", "source", BINDING, ("reason",)),
        Step("consent", "主管部门同意", "give a favourable opinion", ("agreed",), "recorded", "department",
             BINDING, ("opinion", "document")),
        Step("object", "主管部门不同意", "object", ("agreed",), "refused", "department", BINDING,
             ("opinion",)),
        Step("end", "终止", "end", ("recorded",), "ended", OPERATOR_PARTY, DESK, ("reason",)),
    ),
    parties={"filer": ("提交单位", "who files"), "source": ("数源单位", "source unit"),
             "department": ("数据主管部门", "data department")},
)  # fmt: skip

PROCEDURES: Final = (AGREEMENT, SHARE_LIST, DOCKING, JOINT_TEST, OUTSIDE)
