"""The duty to update the catalogue within 15 working days of a change of law or function (L-09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from huitong.audit.trace import Traces
from huitong.catalog.procedure import DUTY
from huitong.catalog.published import Shelf
from huitong.errors import BadRequest, Problem
from huitong.identity.model import OPERATOR
from huitong.identity.units import Units
from huitong.notices.notices import Notice
from huitong.ports import Clock, Register
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor, Rung
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record

CHANGES: Final[Mapping[str, tuple[str, str]]] = {
    "law": ("法律法规变化", "a change of law"),
    "function": ("机构职能变化", "a change of the unit's function"),
}


class Duties:
    def __init__(
        self,
        register: Register,
        shelf: Shelf,
        units: Units,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        self._shelf, self._units = shelf, units
        self.desk = Desk(DUTY, register, traces, calendar, clock, self._consequences)

    def register(
        self,
        unit: str,
        change: str,
        document: str,
        actor: Actor,
        *,
        resources: Sequence[str] = (),
        note: str = "",
    ) -> Record:
        """A change, with which the clock starts. Raises NotFound (unit), NotPermitted."""
        self._units.get(unit)
        content = {
            "unit": unit,
            "change": change,
            "document": document,
            "resources": list(resources),
            "note": note,
        }
        return self.desk.open(
            uuid4().hex[:16],
            actor if actor.unit else Actor(actor.principal, OPERATOR),
            parties={"unit": unit},
            content=content,
        )

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """Raises NotFound, NotPermitted, BadRequest, Conflict."""
        seated = actor if actor.unit else Actor(actor.principal, OPERATOR)
        return self.desk.take(id, step, seated, given, seen=seen)

    def tick(self) -> list[tuple[Record, Rung]]:
        """Reminders and breaches that are due (for the clock)."""
        return self.desk.tick()

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        step = after.history[-1]
        if before is None:
            return Effects(notices=[_told(after)])
        if step.step == "complete":
            self._refuse_old(after, step.given["entries"])
        return Effects()

    def _refuse_old(self, after: Record, entries: object) -> None:
        """An update is what was published after the duty was registered."""
        named = [str(e) for e in entries] if isinstance(entries, list) else []
        problems = []
        for name in {*named, *after.content["resources"]}:
            current = self._shelf.current(name)
            withdrawn = current is None and self._shelf.count(name) > 0
            mine = current is not None and current.entry.provider == after.content["unit"]
            if not withdrawn and not (mine and current and current.at > after.created_at):
                zh, en = f"{name} 自登记以来没有发布新版", f"{name} was not published since"
                problems.append(Problem("L-09", zh, en, {"path": name}))
        if problems or not named:
            zh, en = "目录尚未更新", "The catalogue is not updated yet"
            raise BadRequest(zh, en, problems=problems)


def _told(record: Record) -> Notice:
    zh, en = CHANGES[str(record.content["change"])]
    due = record.clocks["update"].due
    document = record.content["document"]
    return Notice(
        to=record.parties["unit"],
        kind="catalogue_duty.registered",
        about=f"catalogue_duty:{record.id}",
        zh=f"{zh}({document}):请于 {due} 前更新本单位目录",
        en=f"For {en} ({document}), update your unit's catalogue by {due}",
        due=due,
    )
