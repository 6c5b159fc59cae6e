"""Corrections (数据校核), reviews (核查) and objections (异议) to records: filing, handling, ending.

A ticket names its record by blind index; what is said about it is sealed. While it is open the record is
marked and stays usable (L-32). How a correction reaches those who had the wrong value is
:mod:`huitong.tickets.following`. Keys beside those of :mod:`huitong.procedures.desk`:
``MARKS#{resource}``, and ``TICKET-REPORT#{ticket}`` / ``REPORT`` for the closing report (L-31).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

from huitong.audit.trace import Trace, Traces
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.ports import Clock, Item, Register, Secrets, timestamp
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Procedure, Record, Step
from huitong.tickets.marks import Mark, Marks
from huitong.tickets.procedures import KINDS, POLICIES, Kind
from huitong.tickets.sealed import Doubt, sealed, unsealed
from huitong.tickets.telling import Telling

#: When the answer is ready or the matter moves on, the applicant is told at once.
_TOLD_TO_APPLICANT: Final = frozenset(
    {"accept", "examine", "find_technical", "pass_on", "mended", "report_back"}
)
_RESULTS: Final = {
    "closed": ("已办结", "closed"), "refused": ("不予受理", "not taken up"),
    "confirmed": ("核实无误", "confirmed right"), "withdrawn": ("已撤回", "withdrawn"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filing:
    """A doubt about one record, as it is filed. ``record``: blind index of its key; ``key``: its key as text.

    ``batch_id``, ``source_row``, ``seq``: where the record stood and in which publication; empty for a gap,
    a record that should be there and is not.
    """

    resource: str
    provider: str
    record: str
    key: Mapping[str, str]
    fields: tuple[str, ...]
    wrong: str
    given: Mapping[str, Any] = field(default_factory=dict)
    batch_id: str = ""
    source_row: int = 0
    seq: int = 0
    gap: bool = False


class Corrections:
    """``new_id`` gives ids; ``policy`` is what a correction request follows where its contract names none."""

    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        secrets: Secrets,
        *,
        policy: str = "s3d",
        new_id: Callable[[], str],
    ) -> None:
        self._register = register
        self._traces = traces
        self._calendar = calendar
        self._clock = clock
        self._secrets = secrets
        self._policy = policy
        self._new_id = new_id
        self.marks = Marks(register, clock)
        self._desks = {
            name: Desk(procedure, register, traces, calendar, clock, self._consequences)
            for name, procedure in KINDS.items()
        }

    # --- filing --------------------------------------------------------------

    def kind_of(self, contract: Contract) -> Kind:
        """What a correction request for a resource becomes: by its contract's policy, else the platform's."""
        return POLICIES[contract.correction_policy or self._policy]

    def file(self, actor: Actor, kind: Kind, filing: Filing) -> Record:
        """File a doubt; both clocks of L-29 run from here. Raises BadRequest, NotPermitted.

        With an objection of a data subject, ``given`` says ``by_subject`` and names the proof of identity.
        """
        if not actor.unit:
            raise NotPermitted("须代表一个单位提出", "File it for a unit", step="file")
        given = {"fields": list(filing.fields), **filing.given}
        if given.get("by_subject") and not given.get("identity_proof"):
            raise BadRequest(
                "代当事人提出异议须有身份核验凭据编号",
                "An objection of a data subject names the proof of identity",
                field="identity_proof",
            )
        desk, id = self._desks[kind], f"{kind}-{self._new_id()}"
        parties = {"applicant": actor.unit, "provider": filing.provider or OPERATOR}
        content = {
            "resource": filing.resource,
            "record": filing.record,
            "fields": list(filing.fields),
            "sealed": sealed(self._secrets, id, Doubt(filing.key, filing.wrong)),
            "gap": filing.gap,
            "batch_id": filing.batch_id,
            "source_row": filing.source_row,
            "seq": filing.seq,
        }
        if desk.procedure.opening.name == "file":
            return desk.open(id, actor, parties=parties, content=content, given=given)
        found_on = {"found_on": given.get("found_on") or china_day(self._clock.now()).isoformat()}
        desk.open(id, actor, parties=parties, content=content, given=found_on)
        return desk.take(id, "file", actor, given)

    # --- handling --------------------------------------------------------------

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """Take a step of a ticket that the actor is a party to. Raises NotFound for any other."""
        self.get(id, actor)
        return self._desk(id).take(id, step, actor, given, seen=seen)

    def get(self, id: str, actor: Actor) -> Record:
        """A ticket, for its parties and the platform. Raises NotFound, the same for one of others."""
        record = self._desk(id).find(id)
        if record is None or not _concerns(record, actor):
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        return record

    def of(self, actor: Actor, *, kind: str = "", limit: int = 100) -> list[Record]:
        """Tickets that the actor's unit is a party to, newest first; all of them for the platform's staff."""
        desks = [self._desks[kind]] if kind else list(self._desks.values())
        if _manages(actor):
            found = [r for desk in desks for r in desk.in_state(limit=0)]
        else:
            found = [r for desk in desks for r in desk.of_unit(actor.unit)] if actor.unit else []
        found.sort(key=lambda r: (r.created_at, r.id), reverse=True)
        return found[: limit or None]

    def possible(self, record: Record, actor: Actor) -> list[Step]:
        return self._desks[record.procedure].possible(record, actor)

    def procedure(self, record: Record) -> Procedure:
        return self._desks[record.procedure].procedure

    def doubt(self, id: str, actor: Actor) -> Doubt:
        """The record's key and what is said to be wrong, for the filer and the source unit; on record.

        Raises NotFound for everybody else, the platform's staff too.
        """
        record = self.get(id, actor)
        if actor.unit not in record.parties.values():
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        resource = str(record.content["resource"])
        self._traces.write(
            Trace("access", actor.principal.id, actor.unit, resource=resource, count=1, detail=f"ticket:{id}")
        )
        return self.unsealed(record)

    def permit(self, id: str, unit: str, resource: str) -> None:
        """Whether a delivery may say that it carries this ticket's correction.

        Raises NotFound, the same for one of another unit or resource, and Conflict when it is closed.
        """
        desk = self._desk(id)
        record = desk.find(id)
        if record is None or (record.parties["provider"], record.content["resource"]) != (unit, resource):
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        if record.state not in desk.procedure.step("correct").sources:  # type: ignore[union-attr]
            raise Conflict(f"{id} 已不在办理中", f"{id} is not under way", id=id)

    def unsealed(self, record: Record) -> Doubt:
        """For the platform itself: following a correction."""
        return unsealed(self._secrets, record.id, str(record.content["sealed"]))

    def desk(self, kind: str) -> Desk:
        """For the platform's own steps."""
        return self._desks[kind]

    def report(self, id: str, actor: Actor) -> dict[str, Any]:
        """The closing report. Raises NotFound while the ticket is open."""
        self.get(id, actor)
        item = self._register.get(f"TICKET-REPORT#{id}", "REPORT")
        if item is None:
            raise NotFound(f"{id} 尚未办结", f"{id} is not closed yet", id=id)
        return dict(item.body)

    def acknowledged(self, notice: Record, telling: Telling) -> None:
        """Close the ticket when this was the last of its notices. Raises Conflict when another closes it."""
        ticket = str(notice.content["ticket"])
        desk = self._desk(ticket)
        record = desk.get(ticket)
        waiting = [n for n in telling.of_ticket(record) if n.state == "told"]
        if record.state == "corrected" and not waiting:
            desk.take(ticket, "close", BY_CLOCK, seen=record.version)

    def of_unit(self, unit: str) -> Iterator[tuple[Record, str]]:
        """Records that a unit is a party to, newest first in each kind, with the state in Chinese."""
        for desk in self._desks.values():
            for record in desk.of_unit(unit, limit=500):
                yield record, desk.procedure.state(record.state).zh

    def tick(self) -> int:
        """Reminders and breaches of all tickets; how many were due."""
        return sum(len(desk.tick()) for desk in self._desks.values())

    def _desk(self, id: str) -> Desk:
        desk = self._desks.get(id.partition("-")[0])
        if desk is None:
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        return desk

    # --- what a step brings with it ----------------------------------------------

    def _consequences(self, _before: Record | None, after: Record) -> Effects:
        step, procedure = after.history[-1].step, KINDS[cast(Kind, after.procedure)]
        notices: list[Notice] = []
        creates: list[Item] = []
        replaces: Sequence[Item] = ()
        if step == "file":
            creates.append(self.marks.entry(self._mark(after)))
            notices.append(_notice(after, procedure, after.parties["provider"], "提出", "was filed"))
            if procedure.name == "review":
                notices.append(_notice(after, procedure, OPERATOR, "提出", "was filed"))
        if step in _TOLD_TO_APPLICANT:
            zh, en = procedure.state(after.state).zh, procedure.state(after.state).en
            notices.append(_notice(after, procedure, after.parties["applicant"], zh, f"is now: {en}"))
        if step == "pass_on":
            zh, en = "转本单位处理", "was passed to your unit"
            notices.append(_notice(after, procedure, after.parties["provider"], zh, en))
        corrected = after.last("correct") is not None
        if step == "correct" or (procedure.state(after.state).final and not corrected):
            result, c = "corrected" if corrected else _result(after), after.content
            replaces = self.marks.closed(str(c["resource"]), str(c["record"]), after.id, result)
        then = ("close",) if step == "correct" and not after.history[-1].given["receivers"] else ()
        if procedure.state(after.state).final:
            creates.append(self._report(after, procedure))
            zh, en = _RESULTS[after.state]
            for unit in sorted({after.parties["applicant"], after.parties["provider"]}):
                notices.append(
                    _notice(after, procedure, unit, f"{zh},办结报告已归档", f"is {en}: report archived")
                )
        return Effects(creates=creates, replaces=replaces, notices=notices, then=then)

    def _mark(self, record: Record) -> Mark:
        c = record.content
        return Mark(
            resource=str(c["resource"]),
            record=str(c["record"]),
            ticket=record.id,
            kind=record.procedure,
            since=timestamp(self._clock.now()),
            fields=tuple(c["fields"]),
            batch_id=str(c["batch_id"]),
            source_row=int(c["source_row"]),
            since_seq=int(c["seq"]),
        )

    def _report(self, record: Record, procedure: Procedure) -> Item:
        """What was doubted, by whom, what came of it, when: ids and the handlers' texts, no key, no value."""
        days = self._calendar.working_days()
        start, end = (china_day_of(t.at) for t in (record.history[0], record.history[-1]))
        corrected = record.last("correct")
        body = {
            "ticket": record.id,
            "kind": record.procedure,
            "resource": record.content["resource"],
            "fields": record.content["fields"],
            "parties": dict(record.parties),
            "state": record.state,
            "result": _result(record),
            "opened_at": record.created_at,
            "closed_at": record.history[-1].at,
            "working_days": days.between(start, end),
            "steps": [
                {"step": t.step, "at": t.at, "unit": t.unit, "by": t.by, **_texts(t.given)}
                for t in record.history
            ],
            "clocks": {
                name: {"due": c.due, "stopped": c.stopped, "late": bool(c.breached) or c.stopped > c.due}
                for name, c in record.clocks.items()
            },
            "correction": dict(corrected.given) if corrected else None,
            "zh": f"{procedure.zh} {record.id} 办结报告",
            "en": f"Closing report of {procedure.en} {record.id}",
        }
        return Item(f"TICKET-REPORT#{record.id}", "REPORT", body)


def china_day_of(moment: str) -> date:
    """The day in China of a timestamp of the register."""
    from datetime import datetime

    return china_day(datetime.fromisoformat(moment.replace("Z", "+00:00")))


def _texts(given: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("reason", "finding", "cause", "result", "conclusion", "evidence")
    return {name: given[name] for name in kept if given.get(name)}


def _result(record: Record) -> str:
    corrected = record.last("correct")
    if corrected is not None and record.state == "closed":
        return "corrected"
    return "answered" if record.state == "closed" else record.state


def _manages(actor: Actor) -> bool:
    return actor.principal.has("admin", "officer") and actor.unit in ("", OPERATOR)


def _concerns(record: Record, actor: Actor) -> bool:
    return actor.platform or _manages(actor) or (bool(actor.unit) and actor.unit in record.parties.values())


def _notice(record: Record, procedure: Procedure, to: str, zh: str, en: str) -> Notice:
    due = next((c.due for c in record.clocks.values() if c.ticking), "")
    return Notice(
        to=to,
        kind=f"{record.procedure}.{record.history[-1].step}",
        about=f"{record.procedure}:{record.id}",
        zh=f"资源 {record.content['resource']} 的{procedure.zh} {record.id}:{zh}",
        en=f"{procedure.en.capitalize()} {record.id} on resource {record.content['resource']} {en}",
        due=due,
    )


def ticket_conflict(id: str) -> Conflict:
    return Conflict(f"{id} 已不在办理中", f"{id} is not under way", id=id)
