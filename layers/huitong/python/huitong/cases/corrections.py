"""Correcting a stage by hand (domain.md 2): one proposes with a reason, a second person confirms. Light."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import uuid4

from huitong.audit.trace import Traces
from huitong.cases.model import Case, Moved, to_stage
from huitong.cases.register import Cases
from huitong.cases.stages import BY_CODE, ENDS
from huitong.errors import BadRequest, Conflict
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.ports import Clock, Register, timestamp
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Procedure, Record, State, Step

CORRECTION: Final = Procedure(
    "stage_correction",
    "阶段更正",
    "correction of a stage",
    (
        State("proposed", "待复核", "proposed"),
        State("applied", "已更正", "applied", final=True),
        State("dropped", "未采纳", "dropped", final=True),
    ),
    Step("propose", "提出", "propose", (), "proposed", "operator", ("officer",), needs=("reason",)),
    (
        Step(
            "confirm", "复核通过", "confirm", ("proposed",), "applied", "operator", ("officer",),
            apart_from=("propose",),
        ),
        Step(
            "drop", "不予采纳", "drop", ("proposed",), "dropped", "operator", ("officer",),
            needs=("reason",),
        ),
    ),
    parties={"court": ("人民法院", "court"), "desk": ("破产署", "bankruptcy administration")},
)  # fmt: skip


class Corrections:
    def __init__(
        self, cases: Cases, register: Register, traces: Traces, calendar: Calendar, clock: Clock
    ) -> None:
        self._cases = cases
        self._clock = clock
        self.desk = Desk(CORRECTION, register, traces, calendar, clock)

    def propose(self, case_no: str, stage: str, stage_time: str, reason: str, actor: Actor) -> Record:
        """Raises NotFound, NotPermitted, and BadRequest for a stage that there is not."""
        case = self._cases.get(case_no)
        if stage not in BY_CODE:
            raise BadRequest(f"没有阶段 {stage}", f"There is no stage {stage}", stage=stage)
        content = {
            "case_no": case.case_no,
            "stage": stage,
            "stage_time": stage_time or timestamp(self._clock.now()),
            "from": case.stage,
            "version": case.version,
        }
        id = f"k{uuid4().hex[:20]}"
        parties = {"court": case.court, "desk": OPERATOR}
        return self.desk.open(id, actor, parties=parties, content=content, given={"reason": reason})

    def take(self, id: str, step: str, actor: Actor, given: dict[str, Any], seen: int = 0) -> Record:
        """Confirm or drop. Raises Conflict when the court said something else meanwhile."""
        return self.desk.take(id, step, actor, given, seen=seen, consequences=partial(self._effects, step))

    def _effects(self, step: str, _before: Record | None, after: Record) -> Effects:
        if step != "confirm":
            return Effects()
        content = after.content
        before = self._cases.get(str(content["case_no"]))
        if before.version != content["version"]:
            raise Conflict(
                "法院已有新的信息,请重新提出", "The court has said something new since: propose again"
            )
        outcome = to_stage(
            _reopened(before, str(content["stage"])),
            str(content["stage"]),
            Moved(
                str(content["stage"]),
                str(content["stage_time"]),
                timestamp(self._clock.now()),
                f"correction:{after.id}",
            ),
            self._cases.terms,
        )
        if outcome.case is None:
            raise Conflict("没有该案件", "There is no such case")
        kept = self._cases.entries(before, outcome.case, ends=outcome.ends)
        return Effects(kept.creates, kept.replaces, notices=_told(after, before, outcome.case))


def _reopened(case: Case, stage: str) -> Case:
    """Out of an end that was none: sharing is possible again, by grants that must be given anew."""
    return case if stage in ENDS else replace(case, ended="", retain_until="")


def _told(record: Record, before: Case, after: Case) -> list[Notice]:
    zh = f"案件 {after.case_no} 的阶段经复核由 {before.stage} 更正为 {after.stage}"
    en = f"The stage of case {after.case_no} was corrected from {before.stage} to {after.stage}"
    units = dict.fromkeys((after.court, after.administrator, OPERATOR))
    return [Notice(unit, "case.corrected", f"stage_correction:{record.id}", zh, en) for unit in units if unit]
