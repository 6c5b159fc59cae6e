"""What happens while two units connect: the log of communications (Q-49) and work items (Q-50).

Keys: ``DOCKING-LOG#{docking}`` / ``{at}#{id}``; ``DOCKING-WORK#{docking}`` / ``{number}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, get_args
from uuid import uuid4

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.identity.model import OPERATOR
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record
from huitong.standing.desks import Standing

WorkState = Literal["open", "under_way", "done", "dropped"]
_MOVES: Final[Mapping[WorkState, frozenset[str]]] = {
    "open": frozenset({"under_way", "done", "dropped"}),
    "under_way": frozenset({"open", "done", "dropped"}),
    "done": frozenset({"open"}),
    "dropped": frozenset({"open"}),
}


@dataclass(frozen=True, slots=True)
class Communication:
    """One entry of the log: who spoke with whom about what."""

    at: str
    by: str
    unit: str
    people: str
    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One item of the docking work. ``owner`` is a unit, ``person`` who does it there."""

    number: int
    title: str
    owner: str
    person: str = ""
    state: WorkState = "open"
    due: str = ""
    remark: str = ""
    at: str = ""
    by: str = ""


class DockingWork:
    def __init__(self, standing: Standing, register: Register, traces: Traces, clock: Clock) -> None:
        self._standing = standing
        self._register = register
        self._traces = traces
        self._clock = clock

    def record(self, docking: str, actor: Actor) -> Record:
        """The docking record. Raises NotFound, and NotPermitted unless the actor's unit is a party."""
        found = self._standing.desks["docking"].get(docking)
        if actor.unit not in (*found.parties.values(), OPERATOR):
            raise NotPermitted("不是对接双方", "Not a party to this docking", docking=docking)
        return found

    def say(self, docking: str, actor: Actor, *, people: str, text: str) -> Communication:
        """Add to the log, which only grows. Raises BadRequest, NotFound, NotPermitted."""
        self.record(docking, actor)
        if not text.strip() or not people.strip():
            raise BadRequest("请填写参加人员与内容", "Say who spoke and about what", docking=docking)
        now = timestamp(self._clock.now())
        entry = Communication(now, actor.principal.id, actor.unit, people, text, uuid4().hex)
        item = Item(f"DOCKING-LOG#{docking}", f"{now}#{entry.id}", asdict(entry))
        self._traces.commit(self._trace(actor, docking, "log"), creates=[item])
        return entry

    def log(self, docking: str, *, limit: int = 0) -> list[Communication]:
        """Newest first."""
        items = self._register.query(f"DOCKING-LOG#{docking}", descending=True, limit=limit)
        return [Communication(**item.body) for item in items]

    def add(
        self, docking: str, actor: Actor, *, title: str, owner: str, person: str = "", due: str = ""
    ) -> Work:
        """A new work item of one of the two units. Raises BadRequest, NotFound, NotPermitted, Conflict."""
        record = self.record(docking, actor)
        if not title.strip() or owner not in (*record.parties.values(), OPERATOR):
            raise BadRequest(
                "工作项须有名称,责任单位须为对接双方之一",
                "An item needs a title and one of the two units as its owner",
                docking=docking,
            )
        last = self._register.query(f"DOCKING-WORK#{docking}", descending=True, limit=1)
        number = int(last[0].body["number"]) + 1 if last else 1
        work = Work(number, title.strip(), owner, person, due=due, at=self._now(), by=actor.principal.id)
        trace = self._trace(actor, docking, f"work:{number}:open")
        self._traces.commit(trace, creates=[_item(docking, work)])
        return work

    def move(self, docking: str, number: int, actor: Actor, state: str, *, remark: str = "") -> Work:
        """Set an item's state. Raises BadRequest, NotFound, NotPermitted, Conflict."""
        self.record(docking, actor)
        stored = self._register.get(f"DOCKING-WORK#{docking}", f"{number:06}")
        if stored is None:
            raise NotFound(f"没有工作项 {number}", f"There is no item {number}", docking=docking)
        work = Work(**stored.body)
        if state not in get_args(WorkState):
            raise BadRequest(f"没有状态 {state}", f"There is no state {state}", docking=docking)
        if state not in _MOVES[work.state]:
            raise Conflict(
                f"工作项处于 {work.state},不能转为 {state}", f"The item is {work.state}, it cannot be {state}"
            )
        changed: dict[str, Any] = {"state": state, "remark": remark, "at": self._now()}
        moved = replace(work, by=actor.principal.id, **changed)
        item = replace(_item(docking, moved), version=stored.version)
        self._traces.commit(self._trace(actor, docking, f"work:{number}:{state}"), replaces=[item])
        return moved

    def work(self, docking: str) -> list[Work]:
        return [Work(**item.body) for item in self._register.query(f"DOCKING-WORK#{docking}")]

    def _trace(self, actor: Actor, docking: str, what: str) -> Trace:
        return Trace("procedure", actor.principal.id, actor.unit, detail=f"docking:{docking}:{what}")

    def _now(self) -> str:
        return timestamp(self._clock.now())


def _item(docking: str, work: Work) -> Item:
    return Item(f"DOCKING-WORK#{docking}", f"{work.number:06}", asdict(work))
