"""Different values of two units for one item (多元校核, L-06): found at publication, asked of the responsible
collector, decided with a reason, the records marked meanwhile.

Pairs are the office's rules of the kind ``agreement``. After a publication of either side its published
tables are joined once (:mod:`huitong.supervision.quality.comparing`); what differs and is not yet known
becomes one record of the procedure, with the records by blind index and both values masked in
``conflicts/{id}.parquet`` of the staging bucket. Keys: ``CONFLICTS-OF#{rule}`` / id. :meth:`look` is heavy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract
from huitong.errors import Conflict, NotFound
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.ports import Clock, Item, ObjectStore, Register
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record
from huitong.quality.rulebook.model import OfficeRule
from huitong.supervision.quality.procedures import CONFLICT
from huitong.tickets.marks import Mark, Marks

#: Records of one conflict that are marked; beyond it the conflict itself says how many there are.
MARKED_MOST: Final = 2_000
_AT_ONCE: Final = 50
_RESULT: Final = {"resolved": "两者均保留 both values stay", "agreed": "已一致 the values agree"}


@dataclass(frozen=True, slots=True)
class Differing:
    """One record of the rule's own resource; ``digest`` is of both values, under the platform's key."""

    record: str
    batch_id: str
    source_row: int
    digest: str
    own: str  # masked
    theirs: str  # masked


class Comparing(Protocol):
    """What is needed of :class:`huitong.supervision.quality.comparing.Comparison`. Heavy."""

    def differing(self, rule: OfficeRule, own: Contract, other: Contract) -> list[Differing] | None:
        """None when one of the two is not published."""
        ...

    def version(self, own: Contract, other: Contract) -> str: ...


class Rules(Protocol):
    def all(self) -> list[OfficeRule]: ...


class Conflicts:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        rules: Rules,
        known: Callable[[str], Contract | None],
        staging: ObjectStore,
        sources: Callable[[], Mapping[str, str]] = dict,
        comparing: Callable[[], Comparing] | None = None,
    ) -> None:
        self._register = register
        self._clock = clock
        self._rules = rules
        self._known = known
        self._staging = staging
        self._sources = sources
        self._comparing = comparing
        self._marks = Marks(register, clock)
        self.desk = Desk(CONFLICT, register, traces, calendar, clock, self._consequences)

    # --- after a publication (heavy) ------------------------------------------

    def look(self, resource: str) -> list[Record]:
        """Compare every pair that the resource is a side of; the conflicts that were opened.

        Safe to repeat: what is known is not opened again, and what agrees now is ended.
        """
        opened: list[Record] = []
        for rule in self._rules.all():
            if rule.kind != "agreement" or rule.state != "enabled":
                continue
            own, other = self._known(rule.resource), self._known(str(rule.parameters["resource"]))
            if own is None or other is None or resource not in (own.id, other.id):
                continue
            if (made := self._look(rule, own, other)) is not None:
                opened.append(made)
        return opened

    def _look(self, rule: OfficeRule, own: Contract, other: Contract) -> Record | None:
        if self._comparing is None:
            raise ValueError("conflicts are looked for where tables are read")
        compare = self._comparing()
        found = compare.differing(rule, own, other)
        if found is None:
            return None
        now = {(d.record, d.digest) for d in found}
        known: set[tuple[str, str]] = set()
        for item in self._register.query(f"CONFLICTS-OF#{rule.id}"):
            record = self.desk.get(item.sk)
            pairs = self._pairs(record)
            still = pairs & now
            if record.state in ("found", "correcting"):
                if not still:
                    record = self.desk.take(record.id, "agree", BY_CLOCK)
                    self.settle(record.id)
                    continue
                self._mark(record)
            known |= pairs if record.state != "agreed" else set()
        fresh = [d for d in found if (d.record, d.digest) not in known]
        return self._open(rule, own, other, fresh, compare.version(own, other)) if fresh else None

    def _open(
        self, rule: OfficeRule, own: Contract, other: Contract, fresh: list[Differing], version: str
    ) -> Record:
        id = f"cf{hashlib.sha256(f'{rule.id}:{rule.version}:{version}'.encode()).hexdigest()[:22]}"
        key = f"conflicts/{id}.parquet"
        self._keep(key, fresh)
        mine = self._responsible(rule, own, other)
        sides = (own, other) if mine else (other, own)
        content = {
            "rule": rule.id, "resource": own.id, "field": rule.fields[0], "other": other.id,
            "other_field": str(rule.parameters["other_field"]), "count": len(fresh), "records": key,
            "responsible": sides[0].id, "marked": min(len(fresh), MARKED_MOST), "decided": "",
        }  # fmt: skip
        parties = {"collector": sides[0].provider or OPERATOR, "other": sides[1].provider or OPERATOR}
        try:
            record = self.desk.open(id, BY_CLOCK, parties=parties, content=content, resource=own.id)
        except Conflict:  # another run was first with the same
            record = self.desk.get(id)
        self._mark(record)
        return record

    def _responsible(self, rule: OfficeRule, own: Contract, other: Contract) -> bool:
        """Whether the responsible collector is the rule's own side: the authoritative source of the item by
        the catalogue (one number, one source), else the other side, which the rule is compared with."""
        holders = set(self._sources_of(own, rule.fields[0])) | set(
            self._sources_of(other, str(rule.parameters["other_field"]))
        )
        return own.id in holders and other.id not in holders

    def _sources_of(self, contract: Contract, field: str) -> Iterable[str]:
        wanted = {field, f"{contract.id}.{field}"}
        return [resource for element, resource in self._sources().items() if element in wanted]

    # --- records and marks ------------------------------------------------------

    def _keep(self, key: str, rows: Sequence[Differing]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = Differing.__dataclass_fields__
        table = pa.table({name: [getattr(r, name) for r in rows] for name in names})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self._staging.put(key, sink.getvalue().to_pybytes(), content_type="application/vnd.apache.parquet")

    def records(self, record: Record, limit: int = 0) -> list[Differing]:
        """The differing records of a conflict: places and masked values. Heavy."""
        import pyarrow.parquet as pq

        with self._staging.local(str(record.content["records"])) as path:
            table = pq.read_table(path)
        return [Differing(**row) for row in (table.slice(0, limit) if limit else table).to_pylist()]

    def _pairs(self, record: Record) -> set[tuple[str, str]]:
        return {(d.record, d.digest) for d in self.records(record)}

    def _mark(self, record: Record) -> None:
        """Mark the records; those that are marked stay so."""
        resource, field = str(record.content["resource"]), str(record.content["field"])
        known = {m.record for m in self._marks.of_resource(resource) if m.ticket == record.id}
        entries = [
            self._marks.entry(
                Mark(resource, d.record, record.id, "conflict", record.created_at, (field,), d.batch_id,
                     d.source_row)
            )
            for d in self.records(record, MARKED_MOST)
            if d.record not in known
        ]  # fmt: skip
        for start in range(0, len(entries), _AT_ONCE):
            self._register.write(creates=entries[start : start + _AT_ONCE])

    def settle(self, id: str) -> int:
        """Take the marks off the records of an ended conflict; how many. Light, safe to repeat."""
        record = self.desk.get(id)
        if not CONFLICT.state(record.state).final:
            return 0
        resource, result = str(record.content["resource"]), _RESULT[record.state]
        items = [
            item
            for m in self._marks.open(resource)
            if m.ticket == id
            for item in self._marks.closed(resource, m.record, id, result)
        ]
        for start in range(0, len(items), _AT_ONCE):
            self._register.write(replaces=items[start : start + _AT_ONCE])
        waiting = self._register.get("CONFLICTS-ENDED", id)
        if waiting is not None:
            self._register.delete(waiting)
        return len(items)

    def tick(self) -> dict[str, int]:
        """For the clock: reminders and breaches, and marks of ended conflicts that were left."""
        settled = 0
        for item in self._register.query("CONFLICTS-ENDED"):
            try:
                settled += self.settle(item.sk)
            except Conflict:
                continue
        return {"clocks": len(self.desk.tick()), "unmarked": settled}

    # --- what people do ---------------------------------------------------------

    def take(self, id: str, step: str, actor: Actor, given: Mapping[str, Any], seen: int = 0) -> Record:
        """Raises as :meth:`huitong.procedures.desk.Desk.take`."""
        record = self.desk.take(id, step, actor, given, seen=seen)
        if CONFLICT.state(record.state).final:
            self.settle(id)
        return record

    def waiting(self, unit: str = "") -> list[Record]:
        """All conflicts that have not ended, of one unit or of all. Eventually consistent."""
        open_states = [s.name for s in CONFLICT.states if not s.final]
        found = self.desk.in_state(*open_states, limit=0)
        return [r for r in found if unit in ("", *r.parties.values())]

    def get(self, id: str) -> Record:
        """Raises NotFound."""
        found = self.desk.find(id)
        if found is None:
            raise NotFound(f"没有差异 {id}", f"There is no conflict {id}", conflict=id)
        return found

    # --- consequences -----------------------------------------------------------

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        step, content = after.history[-1], None
        creates = []
        if before is None:
            creates.append(Item(f"CONFLICTS-OF#{after.content['rule']}", after.id, {}))
        elif CONFLICT.state(after.state).final:
            creates.append(Item("CONFLICTS-ENDED", after.id, {}))
        told = {after.parties["collector"]} if before is None else {*after.parties.values(), OPERATOR}
        if step.step in ("mine", "theirs", "both", "settle", "agree"):
            content = {**after.content, "decided": step.step}
        taken = CONFLICT.step(step.step)
        zh, en = (taken.zh, taken.en) if taken else ("", "")
        about = f"{after.content['resource']}.{after.content['field']} / {after.content['other']}"
        notices = [
            Notice(unit, f"conflict.{step.step}", f"conflict:{after.id}",
                   f"多元校核差异 {after.id}({about},{after.content['count']} 条):{zh}",
                   f"Conflict {after.id} ({about}, {after.content['count']} records): {en}")
            for unit in sorted(told - {step.unit, ""})
        ]  # fmt: skip
        return Effects(creates=creates, notices=notices, content=content, parties=_parties(step.step, after))


def _parties(step: str, record: Record) -> dict[str, str] | None:
    """Who is to correct, and late if it does not, once it is decided whose value is wrong."""
    wrong = {"mine": "other", "theirs": "collector"}.get(step)
    return {**record.parties, "corrector": record.parties[wrong]} if wrong else None
