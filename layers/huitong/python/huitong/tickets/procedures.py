"""Corrections, objections, reviews, correction notices and bulk corrections as procedures (data).

Two policies for the correction of a record: ``s3d`` (default): the user reports within 5 working days of
finding the fault, the source unit answers within 10 (L-29); ``s3c``: the platform's manager checks within
3, mends a technical cause within 3, or passes it on to the source unit, which has 3 (L-30). A resource's
contract chooses with the custom property ``correctionPolicy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from huitong.identity.model import Role
from huitong.procedures.model import OPERATOR_PARTY, Procedure, State, Step, Term

Kind = Literal["correction", "review", "objection"]
Policy = Literal["s3d", "s3c"]

#: Who answers for a source unit's data.
KEEPERS: Final[tuple[Role, ...]] = ("admin", "source", "resource_admin", "approver", "quality")
_MANAGERS: Final[tuple[Role, ...]] = ("admin", "officer")
_PARTIES: Final = {
    "applicant": ("提出单位", "unit that doubts the record"),
    "provider": ("数源单位", "source unit"),
}
#: What is wrong is said under seal (:mod:`huitong.tickets.sealed`): the text can name persons.
_FILED: Final = ("fields",)
#: What else a filing says: evidence and identity references are numbers of documents, never the documents.
_SAID: Final = ("evidence", "found_on", "truth_declared", "by_subject", "identity_proof")

_CLOSED: Final = State("closed", "已办结", "closed with a report", final=True)
_REFUSED: Final = State("refused", "不予受理", "not taken up", final=True)
_CONFIRMED: Final = State("confirmed", "核实无误", "confirmed right", final=True)
_WITHDRAWN: Final = State("withdrawn", "已撤回", "withdrawn", final=True)
_CORRECTED: Final = State("corrected", "已更正,待接收方确认", "corrected, receivers are being told")
_TELL: Final = Term(
    "tell", "接收方确认更正", "receivers acknowledge the correction", 5, on_breach="close_late"
)


def _ending(sources: tuple[str, ...], stops: tuple[str, ...]) -> tuple[Step, ...]:
    """What every kind ends with: the corrected record was published, those who had it were told."""
    return (
        Step("correct", "更正已发布", "the correction was published", sources, "corrected",
             needs=("batch", "seq", "wrong_seq"), takes=("receivers", "elapsed_days", "fields"),
             stops=stops, starts=("tell",)),
        Step("close", "办结", "close: every receiver has acknowledged", ("corrected",), "closed",
             stops=("tell",)),
        Step("close_late", "逾期办结", "close: some receivers are late", ("corrected",), "closed"),
    )  # fmt: skip


def _by_provider(
    name: str, zh: str, en: str, opening: Step, filed: tuple[Step, ...], first: tuple[State, ...], *,
    terms: tuple[Term, ...], parties: Mapping[str, tuple[str, str]],
) -> Procedure:  # fmt: skip
    """A doubt that the source unit itself examines."""
    work = ("filed", "accepted", "examined")
    return Procedure(
        name, zh, en,
        states=(
            *first, State("filed", "已提出", "filed"), State("accepted", "已受理", "taken up"),
            State("examined", "已核查属实", "examined: the record is wrong"),
            _CORRECTED, _CLOSED, _CONFIRMED, _REFUSED, _WITHDRAWN,
        ),
        opening=opening,
        steps=(
            *filed,
            Step("accept", "受理", "take up", ("filed",), "accepted", "provider", KEEPERS),
            Step("refuse", "不予受理", "do not take up", ("filed",), "refused", "provider", KEEPERS,
                 needs=("reason",), stops=("answer",)),
            Step("examine", "核查属实", "found wrong; the correction follows", ("accepted",), "examined",
                 "provider", KEEPERS, needs=("finding",)),
            Step("confirm", "核实无误", "confirm that the record is right", ("accepted", "examined"),
                 "confirmed", "provider", KEEPERS, needs=("reason",), stops=("answer",)),
            Step("withdraw", "撤回", "withdraw", ("filed", "accepted"), "withdrawn", "applicant",
                 needs=("reason",), stops=("answer",)),
            *_ending(work, ("answer",)),
        ),
        terms=(*terms, _TELL),
        parties=parties,
    )  # fmt: skip


_ANSWER: Final = Term(
    "answer", "数源单位核查答复", "the source unit handles and answers", 10, warn=2, of="provider"
)

CORRECTION: Final = _by_provider(
    "correction", "数据校核", "correction",
    Step("note", "发现疑义", "note a doubt", (), "noted", "applicant", needs=("found_on",),
         starts=("report",), since="found_on"),
    (
        Step("file", "提出校核", "report it to the source unit", ("noted",), "filed", "applicant",
             needs=_FILED, takes=_SAID, stops=("report",), starts=("answer",)),
        Step("drop", "放弃", "drop the doubt", ("noted",), "withdrawn", "applicant", needs=("reason",),
             stops=("report",)),
    ),
    (State("noted", "已发现疑义", "doubt noted"),),
    terms=(Term("report", "使用单位反馈", "the user reports its doubt", 5, of="applicant"), _ANSWER),
    parties=_PARTIES,
)  # fmt: skip

OBJECTION: Final = _by_provider(
    "objection", "异议", "objection",
    Step("file", "提出异议", "object to a record", (), "filed", "applicant",
         needs=_FILED, takes=_SAID, starts=("answer",)),
    (), (), terms=(_ANSWER,), parties=_PARTIES,
)  # fmt: skip

REVIEW: Final = Procedure(
    "review", "核查申请", "review",
    states=(
        State("filed", "已提出", "filed"),
        State("technical", "技术原因处理中", "a technical cause is mended"),
        State("passed", "已转责任单位", "passed to the responsible unit"),
        State("answered", "已答复", "answered"), _CORRECTED, _CLOSED, _REFUSED, _WITHDRAWN,
    ),
    opening=Step("file", "提出核查", "ask the platform's manager to check", (), "filed", "applicant",
                 needs=_FILED, takes=_SAID, starts=("check",)),
    steps=(
        Step("find_technical", "属技术原因", "a technical cause was found", ("filed",), "technical",
             OPERATOR_PARTY, _MANAGERS, needs=("cause",), stops=("check",), starts=("mend",)),
        Step("mended", "技术原因已消除", "the technical cause is mended", ("technical",), "answered",
             OPERATOR_PARTY, _MANAGERS, needs=("result",), stops=("mend",)),
        Step("pass_on", "转责任单位", "pass it to the responsible unit", ("filed",), "passed",
             OPERATOR_PARTY, _MANAGERS, needs=("reason",), stops=("check",), starts=("handle",)),
        Step("report_back", "责任单位反馈", "the responsible unit reports back", ("passed",), "answered",
             "provider", KEEPERS, needs=("result",), stops=("handle",)),
        Step("refuse", "不予受理", "do not take up", ("filed",), "refused", OPERATOR_PARTY, _MANAGERS,
             needs=("reason",), stops=("check",)),
        Step("withdraw", "撤回", "withdraw", ("filed",), "withdrawn", "applicant", needs=("reason",),
             stops=("check",)),
        Step("conclude", "办结", "close with a report", ("answered",), "closed", OPERATOR_PARTY, _MANAGERS,
             needs=("conclusion",)),
        *_ending(("filed", "technical", "passed", "answered"), ("check", "mend", "handle")),
    ),
    terms=(
        Term("check", "平台核查", "the manager checks", 3, of="operator"),
        Term("mend", "技术原因更正", "a technical cause is mended", 3, of="operator"),
        Term("handle", "责任单位处理", "the responsible unit handles it", 3, of="provider"), _TELL,
    ),
    parties=_PARTIES,
)  # fmt: skip

#: One for each unit that was given the wrong value.
CORRECTION_NOTICE: Final = Procedure(
    "correction_notice", "更正通知", "correction notice",
    states=(
        State("told", "已通知", "told"), State("acknowledged", "已确认", "acknowledged", final=True),
    ),
    opening=Step("tell", "通知", "tell who was given the wrong value", (), "told",
                 needs=("ticket", "fields", "seq"), takes=("masked", "ways", "grants"), starts=("confirm",)),
    steps=(
        Step("acknowledge", "确认已更正", "acknowledge: own copies are corrected", ("told",), "acknowledged",
             "receiver", takes=("remark",), stops=("confirm",)),
    ),
    terms=(Term("confirm", "接收方确认", "the receiver acknowledges", 5, of="receiver"),),
    parties={"receiver": ("接收单位", "receiving unit"), "provider": _PARTIES["provider"]},
)  # fmt: skip

BULK_CORRECTION: Final = Procedure(
    "bulk_correction", "批量更正", "bulk correction",
    states=(
        State("requested", "已申请", "requested"), State("approved", "已批准", "approved"),
        State("changed", "已更正,待复核", "changed, to be checked again"),
        State("checked", "复核通过", "checked again", final=True),
        State("refused", "不予批准", "refused", final=True),
        State("lapsed", "批准失效", "the approval lapsed", final=True),
    ),
    opening=Step("request", "申请", "apply for a bulk correction", (), "requested", "provider", KEEPERS,
                 needs=("what", "reason"), takes=("rows", "evidence")),
    steps=(
        Step("approve", "批准", "approve, naming who makes the change", ("requested",), "approved",
             "provider", ("admin", "approver"), needs=("designated", "decision"), takes=("session",),
             apart_from=("request",), starts=("use",)),
        Step("refuse", "不予批准", "refuse", ("requested",), "refused", "provider", ("admin", "approver"),
             needs=("reason",), apart_from=("request",)),
        Step("deliver", "交付更正数据", "deliver the corrected rows", ("approved",), "approved",
             needs=("upload", "session", "person")),
        Step("change", "更正已发布", "the correction was published", ("approved",), "changed",
             needs=("batch", "seq"), takes=("updated", "inserted", "deleted"), stops=("use",)),
        Step("recheck", "复核", "check the change again", ("changed",), "checked", "provider", KEEPERS,
             needs=("result",), apart_from=("approve",)),
        Step("lapse", "批准失效", "the approval was not used", ("approved",), "lapsed"),
    ),
    terms=(Term("use", "批准有效期", "the approval is used", 10, on_breach="lapse"),),
    parties={"provider": _PARTIES["provider"]},
)  # fmt: skip

KINDS: Final[Mapping[str, Procedure]] = {p.name: p for p in (CORRECTION, REVIEW, OBJECTION)}
#: What a correction request becomes under a policy.
POLICIES: Final[Mapping[str, Kind]] = {"s3d": "correction", "s3c": "review"}
ALL: Final = (CORRECTION, REVIEW, OBJECTION, CORRECTION_NOTICE, BULK_CORRECTION)
