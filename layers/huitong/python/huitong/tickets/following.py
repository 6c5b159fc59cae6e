"""A correction travels through the ordinary flow; here it is noticed and told on (Q-53, L-49).

After every publication of a resource: does it change a record under verification? Then the ticket moves on
to "corrected", naming the batch and the publication (the change log has the former value beside the new
one), and each unit that was given the wrong value gets a notice. Every step can be repeated after a kill:
notices have fixed ids and come first, the ticket's own step is a conditional write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from huitong.batches.register import Batches
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import Clock
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import BY_CLOCK
from huitong.procedures.model import Record
from huitong.tickets.bulk import BulkCorrections
from huitong.tickets.corrections import Corrections, china_day_of
from huitong.tickets.finding import Happened, Key, Records, key_of
from huitong.tickets.marks import Mark
from huitong.tickets.telling import Receivers, Telling, Wrong, given_wrong
from huitong.warehouse.publication import Publications


class ContractSource(Protocol):
    def find(self, id: str, version: int = 0) -> Contract | None: ...


class Following:
    """``records`` is called when there is something to look for: it brings Arrow and DuckDB."""

    def __init__(
        self,
        corrections: Corrections,
        bulk: BulkCorrections,
        telling: Telling,
        records: Callable[[], Records],
        receivers: Callable[[], Receivers],
        contracts: ContractSource,
        publications: Publications,
        batches: Batches,
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        self._corrections = corrections
        self._bulk = bulk
        self._telling = telling
        self._records = records
        self._receivers = receivers
        self._contracts = contracts
        self._publications = publications
        self._batches = batches
        self._calendar = calendar
        self._clock = clock

    def published(self, resource: str) -> list[str]:
        """Look through what was published of a resource; the ids of tickets that moved on.

        Repeats change nothing. Raises faults (then it is to be called again).
        """
        moved = self._bulk.published(resource)
        marks = self._corrections.marks.open(resource)
        contract, now = self._contracts.find(resource), self._publications.get(resource)
        if contract is None or now is None or not marks:
            return moved
        keys = {mark: self._key(contract, mark) for mark in marks}
        first = min(mark.since_seq for mark in marks) + 1
        if first > now.seq:
            return moved
        changes = list(self._records().changes(contract, dict.fromkeys(keys.values()), first, now.seq))
        for mark, key in keys.items():
            own = [c for c in changes if c.key == key and c.seq > mark.since_seq]
            if own and self._follow(contract, mark, key, own):
                moved.append(mark.ticket)
        return moved

    def run(self, resource: str) -> list[str]:
        """What is to be done after a publication: :meth:`published`, :meth:`top_up`."""
        moved = self.published(resource)
        self.top_up(resource)
        return moved

    def top_up(self, resource: str) -> int:
        """Tell units to which a push with the wrong value was still on its way; tickets looked at."""
        looked = 0
        for kind in ("correction", "review", "objection"):
            for record in self._corrections.desk(kind).in_state("corrected", limit=0):
                contract = self._contracts.find(resource)
                step = record.last("correct")
                if record.content["resource"] != resource or contract is None:
                    continue
                if step is None or not step.given["wrong_seq"]:
                    continue
                wrong = self._wrong(contract, tuple(step.given["fields"]), int(step.given["wrong_seq"]),
                                    int(step.given["seq"]))  # fmt: skip
                self._telling.tell(record, self._told(contract, record, wrong), wrong.end_seq)
                looked += 1
        return looked

    def _key(self, contract: Contract, mark: Mark) -> Key:
        record = self._corrections.desk(mark.kind).get(mark.ticket)
        return key_of(contract, self._corrections.unsealed(record).key)

    def _follow(self, contract: Contract, mark: Mark, key: Key, changes: Sequence[Happened]) -> bool:
        """Whether the ticket moved on; else the mark goes to where the record stands now."""
        record = self._corrections.desk(mark.kind).get(mark.ticket)
        found = next((c for c in changes if self._corrects(record, c)), None)
        if found is None:
            last = changes[-1]
            with suppress(Conflict):  # the ticket was closed at this moment
                self._corrections.marks.moved(mark, last.batch_id, last.source_row)
            return False
        wrong = self._wrong_before(contract, key, found, set(record.content["fields"]))
        told = self._told(contract, record, wrong) if wrong.first_seq else {}
        units = self._telling.tell(record, told, found.seq)
        days = self._calendar.working_days()
        filed = record.last("file") or record.history[0]
        try:
            self._corrections.desk(mark.kind).take(
                mark.ticket,
                "correct",
                BY_CLOCK,
                {
                    "batch": found.batch_id,
                    "seq": found.seq,
                    "wrong_seq": wrong.first_seq,
                    "fields": list(wrong.fields),
                    "receivers": units,
                    "elapsed_days": days.between(china_day_of(filed.at), china_day(self._clock.now())),
                },
                seen=record.version,
            )
        except Conflict:
            return False  # a step came between: the next look decides anew
        return True

    def _corrects(self, record: Record, change: Happened) -> bool:
        """A batch that names the ticket, or a change of what was doubted."""
        if change.op != "update" or set(change.changed) & set(record.content["fields"]):
            return True
        stored = self._batches.find(change.batch_id)
        return stored is not None and stored.batch.ticket == record.id

    def _wrong_before(self, contract: Contract, key: Key, found: Happened, doubted: set[str]) -> Wrong:
        """Which fields were wrong, and since which publication: the last one that set any of them.

        Of an update those that were doubted and changed. Where only others changed (the batch names the
        ticket), all of these but moments, which change with everything.
        """
        if found.op == "insert":  # there was nothing to be given
            return Wrong((), 0, "", found.seq, "")
        every = tuple(f.name for f in contract.fields)
        moments = {f.name for f in contract.fields if f.type == "timestamp"}
        changed = [f for f in found.changed if f in doubted] or [f for f in found.changed if f not in moments]
        fields = every if found.op == "delete" else tuple(changed)
        before = self._records().changes(contract, [key], 1, found.seq - 1) if found.seq > 1 else ()
        first = _last_set(before, set(fields))
        return self._wrong(contract, fields, first, found.seq)

    def _wrong(self, contract: Contract, fields: tuple[str, ...], first: int, end: int) -> Wrong:
        def at(seq: int) -> str:
            return self._publications.at(contract.id, seq=seq).published_at if seq else ""

        return Wrong(fields, first, at(first), end, at(end))

    def _told(self, contract: Contract, record: Record, wrong: Wrong) -> dict[str, Any]:
        blind = str(record.content["record"])
        given = self._receivers().of_record(contract, blind, wrong.fields, wrong.first_at, "")
        return given_wrong(given, wrong, contract, record.parties["provider"])


def _last_set(changes: Iterable[Happened], fields: set[str]) -> int:
    """The last publication that gave one of the fields its value."""
    seqs = [c.seq for c in changes if c.op == "insert" or set(c.changed) & fields]
    return seqs[-1] if seqs else 0
