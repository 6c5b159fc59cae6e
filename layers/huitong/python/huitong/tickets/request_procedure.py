"""The procedure of a request for information or verification (figures 2 and 3 of the standard), as data."""

from __future__ import annotations

from typing import Final

from huitong.procedures.model import Procedure, State, Step, Term

_OFFICER: Final = ("case_officer",)
_APPROVER: Final = ("approver",)

REQUEST: Final = Procedure(
    "request",
    "查询核对申请",
    "request for information or verification",
    (
        State("filed", "待本单位审核", "waits for the own unit"),
        State("sent", "待数源单位审批", "waits for the source unit"),
        State("approved", "已批准", "approved"),
        State("answered", "已答复", "answered"),
        State("closed", "已办结", "closed", final=True),
        State("refused", "未批准", "refused", final=True),
        State("stopped", "本单位未通过", "not passed on by the own unit", final=True),
        State("withdrawn", "已撤回", "withdrawn", final=True),
        State("ended", "随案终止", "ended with the case", final=True),
    ),
    Step("file", "提出申请", "file", (), "filed", "asker", _OFFICER),
    (
        Step(
            "check", "本单位审核通过", "pass on", ("filed",), "sent", "asker", _APPROVER,
            takes=("note",), apart_from=("file",), starts=("answer",),
        ),
        Step(
            "stop", "本单位不予提交", "do not pass on", ("filed",), "stopped", "asker", _APPROVER,
            needs=("reason",), apart_from=("file",),
        ),
        Step(
            "approve", "批准", "approve", ("sent",), "approved", "source", _APPROVER,
            takes=("fields", "unmasked", "ends", "note"), stops=("answer",), starts=("provide",),
        ),
        Step(
            "refuse", "不批准", "refuse", ("sent",), "refused", "source", _APPROVER,
            needs=("reason",), stops=("answer",),
        ),
        Step(
            "answer", "提供完毕", "provide", ("approved",), "answered", "source", ("approver", "source"),
            takes=("note",), stops=("provide",),
        ),
        Step(
            "receive", "确认收到", "confirm receipt", ("approved",), "answered", "asker", _OFFICER,
            takes=("note",), stops=("provide",),
        ),
        Step("close", "办结", "close", ("answered",), "closed", "asker", _OFFICER, takes=("note",)),
        Step(
            "withdraw", "撤回", "withdraw", ("filed", "sent", "approved"), "withdrawn", "asker", _OFFICER,
            needs=("reason",),
        ),
        Step("end", "随案终止", "end with the case", ("filed", "sent", "approved", "answered"), "ended"),
    ),
    (
        Term("answer", "答复时限", "time to decide", 10, warn=2, of="source"),
        Term("provide", "提供时限", "time to provide", 5, warn=1, of="source"),
    ),
    parties={"asker": ("申请单位", "asking unit"), "source": ("数源单位", "source unit")},
)  # fmt: skip
