"""What persons declare themselves, complaints, and impact assessments: kept apart from official data.

Self-declared information and complaints come with evidence and a declaration of truth (C-25); their text is
sealed and never reaches a resource's tables. An impact assessment stands for each new sharing of sensitive
data (S-31, PIPL art. 55) and names the application that it belongs to.
Keys: ``ASSESSMENT#{id}`` / ``ASSESSMENT``, listed by application in ``index1``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, NotFound
from huitong.identity.model import OPERATOR, Role
from huitong.ports import Clock, Item, Register, Secrets, timestamp
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.procedures.desk import Desk
from huitong.procedures.model import OPERATOR_PARTY, Procedure, Record, State, Step, Term

_DESK: Final[tuple[Role, ...]] = ("admin", "officer")

STATEMENT: Final = Procedure(
    "statement", "自主申报与投诉", "statement of a person",
    states=(
        State("received", "已收到", "received"),
        State("noted", "已采纳备查", "taken into the file", final=True),
        State("rejected", "不予采纳", "not taken", final=True),
    ),
    opening=Step("declare", "提交", "declare", (), "received", "filer",
                 needs=("kind", "truth_declared", "evidence"), takes=("about",), starts=("look",)),
    steps=(
        Step("note", "采纳备查", "take it into the file", ("received",), "noted", OPERATOR_PARTY, _DESK,
             needs=("result",), stops=("look",)),
        Step("reject", "不予采纳", "do not take it", ("received",), "rejected", OPERATOR_PARTY, _DESK,
             needs=("reason",), stops=("look",)),
    ),
    terms=(Term("look", "核看", "looked at", 15, warn=3, of="operator"),),
    parties={"filer": ("提交单位", "unit that hands it in")},
)  # fmt: skip


class Statements:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        secrets: Secrets,
        *,
        new_id: Callable[[], str],
    ) -> None:
        self.desk = Desk(STATEMENT, register, traces, calendar, clock)
        self._traces = traces
        self._secrets = secrets
        self._new_id = new_id

    def declare(self, actor: Actor, text: str, given: Mapping[str, Any]) -> Record:
        """Raises BadRequest without a declaration of truth or evidence."""
        if given.get("truth_declared") is not True:
            raise BadRequest("须声明内容真实", "Truth must be declared", field="truth_declared")
        id = f"statement-{self._new_id()}"
        content = {"sealed": self._secrets.seal(text, f"statement:{id}"), "official": False}
        return self.desk.open(id, actor, parties={"filer": actor.unit}, content=content, given=given)

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        self.get(id, actor)
        return self.desk.take(id, step, actor, given, seen=seen)

    def get(self, id: str, actor: Actor) -> Record:
        """For who handed it in and the operator's desk. Raises NotFound."""
        record = self.desk.find(id)
        if record is None or not (_at_desk(actor) or actor.unit == record.parties["filer"]):
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        return record

    def text(self, id: str, actor: Actor) -> str:
        """The statement itself; on record. Raises NotFound."""
        record = self.get(id, actor)
        self._traces.write(
            Trace("access", actor.principal.who, actor.unit, count=1, detail=f"statement:{id}")
        )
        return self._secrets.unseal(str(record.content["sealed"]), f"statement:{id}")

    def of(self, actor: Actor) -> list[Record]:
        return self.desk.in_state(limit=0) if _at_desk(actor) else self.desk.of_unit(actor.unit)

    def tick(self) -> int:
        return len(self.desk.tick())


class Assessments:
    """Impact assessments (个人信息保护影响评估)."""

    def __init__(
        self, register: Register, traces: Traces, clock: Clock, *, new_id: Callable[[], str]
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._new_id = new_id

    def put(self, body: Mapping[str, Any], *, by: str, unit: str) -> dict[str, Any]:
        """Keep an assessment; it is never changed, a later one stands beside it."""
        id, at = f"assessment-{self._new_id()}", timestamp(self._clock.now())
        kept = {**body, "id": id, "by": by, "unit": unit, "at": at}
        item = Item(f"ASSESSMENT#{id}", "ASSESSMENT", kept,
                    index1=(f"ASSESSMENTS#{body['application']}", f"{at}#{id}"),
                    index2=("ASSESSMENTS", f"{at}#{id}"))  # fmt: skip
        trace = Trace("procedure", by, unit, str(body["resource"]), detail=id)
        self._traces.commit(trace, creates=[item])
        return kept

    def of_application(self, application: str) -> list[dict[str, Any]]:
        """Those of one application, oldest first. Eventually consistent."""
        found = self._register.query_index("index1", f"ASSESSMENTS#{application}")
        return [dict(item.body) for item in found]

    def all(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Newest first."""
        found = self._register.query_index("index2", "ASSESSMENTS", limit=limit, descending=True)
        return [dict(item.body) for item in found]


def _at_desk(actor: Actor) -> bool:
    return actor.principal.has(*_DESK) and actor.unit in ("", OPERATOR)
