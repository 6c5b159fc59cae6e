"""Correction notices: who was given a wrong value is told, and acknowledges within a deadline (Q-53)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract, Mask
from huitong.errors import Conflict, NotFound
from huitong.notices.notices import Notice, Notices
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record
from huitong.tickets.procedures import CORRECTION_NOTICE

#: The notice that a unit acknowledges has this kind.
KIND: Final = "correction_notice.tell"


@dataclass(frozen=True, slots=True)
class Given:
    """One time that a unit was given a record: which fields, which of them masked, by which way.

    ``seq``: the publication that it came from, where the way knows it; 0 = the one served at ``at``.
    """

    unit: str
    at: str
    fields: tuple[str, ...]
    masked: tuple[str, ...] = ()
    way: str = ""
    grant: str = ""
    seq: int = 0


class Receivers(Protocol):
    """What the evidence of use answers."""

    def of_record(
        self, contract: Contract, record: str, fields: Sequence[str], low: str, high: str
    ) -> Iterable[Given]:
        """Every time between two moments (empty = open) that one of the fields of a record was given."""
        ...


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was wrong, from which publication to which; moments are those of the two publications."""

    fields: tuple[str, ...]
    first_seq: int
    first_at: str
    end_seq: int
    end_at: str


def given_wrong(given: Iterable[Given], wrong: Wrong, contract: Contract, provider: str) -> dict[str, Given]:
    """One entry for each unit that has seen the wrong value: exactly those (Q-53).

    A field that was masked in part counts: what was shown of it may be what was wrong, and the notice says
    that it was masked. One that was masked whole does not: nothing of its value was given.
    """
    told: dict[str, Given] = {}
    for one in given:
        if one.unit in ("", provider) or not _was_wrong(one, wrong):
            continue
        shown = [f for f in one.fields if f in wrong.fields and not _hidden(contract, one, f)]
        if not shown:
            continue
        before = told.get(one.unit)
        fields = [*before.fields, *shown] if before else shown
        plain = {f for f in shown if f not in one.masked} | (
            {f for f in before.fields if f not in before.masked} if before else set()
        )
        ways = {one.way, *(before.way.split(" ") if before else ())} - {""}
        grants = {one.grant, *(before.grant.split(" ") if before else ())} - {""}
        told[one.unit] = Given(
            one.unit,
            max(one.at, before.at) if before else one.at,
            tuple(f.name for f in contract.fields if f.name in fields),
            tuple(f.name for f in contract.fields if f.name in fields and f.name not in plain),
            " ".join(sorted(ways)),
            " ".join(sorted(grants)),
        )
    return told


def _was_wrong(one: Given, wrong: Wrong) -> bool:
    if one.seq:
        return wrong.first_seq <= one.seq < wrong.end_seq
    return wrong.first_at <= one.at < wrong.end_at


def _hidden(contract: Contract, one: Given, name: str) -> bool:
    field = contract.field_named(name)
    mask: Mask = (field.mask or "all") if field is not None else "all"
    return name in one.masked and mask == "all"


class Telling:
    """The correction notices of all tickets."""

    def __init__(self, register: Register, traces: Traces, calendar: Calendar, clock: Clock) -> None:
        self._register = register
        self._notices = Notices(register, clock)
        self.desk = Desk(CORRECTION_NOTICE, register, traces, calendar, clock, _told)

    def tell(self, ticket: Record, told: Mapping[str, Given], seq: int) -> list[str]:
        """One notice for each unit; who has one already gets no other. The units."""
        for unit, given in sorted(told.items()):
            try:
                self.desk.open(
                    notice_id(ticket.id, unit),
                    BY_CLOCK,
                    parties={"receiver": unit, "provider": ticket.parties["provider"]},
                    content={"resource": ticket.content["resource"], "ticket": ticket.id},
                    given={
                        "ticket": ticket.id,
                        "fields": list(given.fields),
                        "seq": seq,
                        "masked": list(given.masked),
                        "ways": given.way,
                        "grants": given.grant,
                    },
                )
            except Conflict:
                if self.desk.find(notice_id(ticket.id, unit)) is None:
                    raise
        return sorted(told)

    def acknowledge(self, id: str, actor: Actor, remark: str = "") -> Record:
        """A unit says that its own copies are corrected; the notice counts as read in the same write.

        Raises NotFound for a notice of another unit, Conflict when it was acknowledged already.
        """
        record = self.desk.find(id)
        if record is None or actor.unit != record.parties["receiver"]:
            raise NotFound(f"没有通知 {id}", f"There is no notice {id}", notice=id)

        def read(_before: Record | None, _after: Record) -> Effects:
            return Effects(replaces=self._notices.read_entries(actor.unit, f"{CORRECTION_NOTICE.name}:{id}",
                                                               by=actor.principal.id))  # fmt: skip

        return self.desk.take(
            id, "acknowledge", actor, {"remark": remark} if remark else {}, consequences=read
        )

    def tick(self) -> int:
        """Reminders, and who has not acknowledged in time."""
        return len(self.desk.tick())

    def of_ticket(self, ticket: Record) -> list[Record]:
        """The notices of a corrected ticket, by unit."""
        listed = self._register.query(_of(ticket.id))
        found = (self.desk.find(str(item.body["id"])) for item in listed)
        return [record for record in found if record is not None]


def notice_id(ticket: str, unit: str) -> str:
    return f"{ticket}-{unit}"


def _of(ticket: str) -> str:
    return f"TOLD#{ticket}"


def notice_named(notice: Notice) -> str:
    """The correction notice that a unit's notice tells of; empty when it tells of something else."""
    kind, _, id = notice.about.partition(":")
    return id if kind == CORRECTION_NOTICE.name and notice.must_acknowledge else ""


def shown(notice: Record) -> dict[str, Any]:
    """A notice as the parties of its ticket see it: who was told of what, until when, acknowledged when."""
    told, clock = notice.history[0].given, notice.clocks["confirm"]
    done = notice.last("acknowledge")
    return {
        "id": notice.id,
        "unit": notice.parties["receiver"],
        "fields": told["fields"],
        "masked": told.get("masked", []),
        "ways": told.get("ways", ""),
        "due": clock.due,
        "late": bool(clock.breached) or bool(clock.stopped and clock.stopped > clock.due),
        "acknowledged_at": done.at if done else "",
    }


def _told(before: Record | None, after: Record) -> Effects:
    if before is not None:
        return Effects()
    told = after.history[0].given
    names, resource, seq = "、".join(told["fields"]), after.content["resource"], told["seq"]
    return Effects(
        creates=[Item(_of(str(told["ticket"])), after.parties["receiver"], {"id": after.id})],
        notices=[
            Notice(
                to=after.parties["receiver"],
                kind=KIND,
                about=f"{after.procedure}:{after.id}",
                zh=f"资源 {resource} 中贵单位取得过的一条记录已更正({names}),发布序号 {seq};请更正并确认",
                en=f"A record of {resource} that your unit was given is corrected"
                f" ({', '.join(told['fields'])}, publication {seq}): correct your copies and acknowledge",
                due=after.clocks["confirm"].due,
                must_acknowledge=True,
            )
        ],
    )
