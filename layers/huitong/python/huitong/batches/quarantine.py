"""What is held: listed by rule, unit and age; brought again; expired (C-07, X-12).

Light: figures come from the register; rows are touched by the steps of the flow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from huitong.audit.trace import Trace, Traces
from huitong.batches.held import Holding, StoredHolding, may_be_mended
from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import Batches, Stored
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.intake.mends import rank_after
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, ObjectStore, Queue, Register, timestamp
from huitong.procedures.calendar import CHINA, Calendar

Group = Literal["rule", "unit", "age"]
#: How long rows are held where the contract does not say, and how long before the end its unit is told.
HELD_DAYS: Final = 180
NOTICE_WORKING_DAYS: Final = 10
_AGES: Final = (7, 30, 90, 180)
_BY: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Line:
    """Rows of one rule, unit or age. ``rows`` of a rule are violations when they came in, of all others
    rows; the four figures are of the deliveries that they stand in."""

    group: str
    batches: int = 0
    rows: int = 0
    open: int = 0
    mended: int = 0
    replayed: int = 0
    expired: int = 0

    def plus(self, rows: int, holding: Holding) -> Line:
        of = holding.figures()
        return replace(
            self, batches=self.batches + 1, rows=self.rows + rows,
            **{name: getattr(self, name) + of[name] for name in of},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quarantine:
    """``rules`` gives the version of all rules of a contract, and of the published tables that they read; it
    names a replay, so that one that cannot find anything else is the same batch. ``ingest_queue`` leads to
    where deliveries are read and objects written."""

    register: Register
    batches: Batches
    contracts: Callable[[], Iterable[Contract]]
    rules: Callable[[Contract], str]
    profile_version: Callable[[Batch], int]
    staging: ObjectStore
    ingest_queue: Queue
    calendar: Calendar
    traces: Traces
    clock: Clock
    held_days: int = field(default=HELD_DAYS)

    # --- what is held ------------------------------------------------------

    def listed(self, resource: str = "", unit: str = "") -> list[Holding]:
        """What is held, newest first; of one resource, of one unit, or of all."""
        names = [resource] if resource else [c.id for c in self.contracts()]
        found = [h.holding for name in names for h in self.batches.holdings.of_resource(name)]
        return sorted((h for h in found if unit in ("", h.unit)), key=lambda h: (h.at, h.batch), reverse=True)

    def grouped(self, by: Group, resource: str = "", unit: str = "") -> list[Line]:
        """Most first; ages from the youngest."""
        lines: dict[str, Line] = {}

        def add(group: str, rows: int, holding: Holding) -> None:
            lines[group] = lines.get(group, Line(group)).plus(rows, holding)

        for holding in self.listed(resource, unit):
            if by == "rule":
                for rule, rows in holding.by_rule.items():
                    add(rule, rows, holding)
            else:
                add(holding.unit if by == "unit" else self._age(holding), holding.rows, holding)
        if by == "age":
            order = [_age(days) for days in (*_AGES, 0)]
            return sorted(lines.values(), key=lambda line: order.index(line.group))
        return sorted(lines.values(), key=lambda line: (-line.rows, line.group))

    def _age(self, holding: Holding) -> str:
        days = (self.clock.now() - datetime.fromisoformat(holding.at)).days
        return _age(next((most for most in _AGES if days < most), 0))

    # --- bringing rows again ----------------------------------------------

    def replay(self, first: Batch, contract: Contract, *, by: str) -> Batch:
        """The batch that brings the rows held again, as they were, under the rules as they are now.

        The same rules over the same tables give the same batch, however often it is asked; so does one
        that waits to be read. Raises Conflict where nothing is open, and for a batch that is itself a mend.
        """
        may_be_mended(first)
        stored = self.batches.holdings.find(first)
        id = self._replay_id(first, contract)
        known = self.batches.find(id) or self._waiting(first)
        id = known.batch.id if known else id
        if known is None:
            if first.mends or stored is None or not stored.holding.open:
                raise Conflict(
                    f"批次 {first.id} 没有仍被隔离的行",
                    f"Batch {first.id} has no rows that are still in quarantine",
                    batch=first.id,
                )
            with suppress(Conflict):  # somebody asked at the same time
                self.batches.create(self._brought(id, first), by=by)
            known = self.batches.get(id)
        if known.batch.status == "received":
            self.ingest_queue.send({"batch_id": id})
        return known.batch

    def _waiting(self, first: Batch) -> Stored | None:
        """A replay that will be checked by the rules and tables as they are then."""
        moving = self.batches.in_flight(first.resource)
        return next(
            (
                s
                for s in moving
                if s.batch.replay and s.batch.mends == first.id and s.batch.status == "received"
            ),
            None,
        )

    def _replay_id(self, first: Batch, contract: Contract) -> str:
        named = (first.id, "replay", self.rules(contract), str(self.profile_version(first)))
        return f"b{hashlib.sha256('|'.join(named).encode()).hexdigest()[:31]}"

    def _brought(self, id: str, first: Batch) -> Batch:
        """The same file once more. Its reading takes out the rows that are still open."""
        now = timestamp(self.clock.now())
        order = f"{now}#{now}#{id[:24]}#{id[-8:]}"
        return replace(
            first, id=id, status="received", mends=first.id, replay=True, received_at=now, order=order,
            rank=rank_after(first, now, order), mode="deletion" if first.mode == "deletion" else "increment",
            counts=Counts(), quality=Quality(), decision="", refusal=None, preview=None, released_by="",
            staging=(), good=(), findings="", quarantine="", seq=0, published_at="", history=(),
            rules_version="", disagreements="", cleansing="", cleansed={}, hold_for=(),
        )  # fmt: skip

    # --- expiry ------------------------------------------------------------

    def tick(self) -> dict[str, list[str]]:
        """Tell units of rows that expire soon, and let go of those whose time is over."""
        noticed, expired = [], []
        for contract in self.contracts():
            for stored in self.batches.holdings.of_resource(contract.id):
                if stored.holding.expired_at and not stored.holding.gone:
                    self.ingest_queue.send({"let_go": stored.holding.batch})
                if not stored.holding.open or not self._decided(stored.holding):
                    continue
                with suppress(Conflict):  # rows were brought again at this moment: next time
                    ends = self.ends(stored.holding, contract)
                    if not stored.holding.noticed_at:
                        noticed += [stored.holding.batch] if self._announce(stored, ends) else []
                    elif self._today() > ends:
                        self._expire(stored)
                        expired.append(stored.holding.batch)
        return {"noticed": noticed, "expired": expired}

    def _decided(self, holding: Holding) -> bool:
        """Rows of a delivery that an officer has still to decide on are kept, however long that takes."""
        found = self.batches.find(holding.batch)
        return found is not None and found.batch.status in ("published", "superseded", "rejected")

    def ends(self, holding: Holding, contract: Contract) -> date:
        """The last day on which the rows are held: never before the time is over that a notice gives."""
        days = contract.limits.quarantine_days or self.held_days
        last = _day(holding.at) + timedelta(days=days)
        if self._today() <= last and not holding.noticed_at:
            return last
        told = _day(holding.noticed_at) if holding.noticed_at else self._today()
        return max(last, self.calendar.working_days().after(told, NOTICE_WORKING_DAYS).day)

    def _today(self) -> date:
        return self.clock.now().astimezone(CHINA).date()

    def _announce(self, stored: StoredHolding, ends: date) -> bool:
        holding = stored.holding
        days = self.calendar.working_days()
        if holding.noticed_at or self._today() < days.before(ends, NOTICE_WORKING_DAYS):
            return False
        now = timestamp(self.clock.now())
        notice = Notice(
            holding.unit, "quarantine.expiring", f"batch:{holding.batch}",
            f"批次 {holding.batch}(资源 {holding.resource})有 {holding.open} 行仍被隔离,"
            f"{ends.isoformat()} 后不再保留,请补正。",
            f"{holding.open} rows of batch {holding.batch} ({holding.resource}) are still in quarantine and "
            f"are not kept after {ends.isoformat()}: mend them.",
            due=ends.isoformat(),
        )  # fmt: skip
        self.register.write(creates=[entry_of(notice, now)], replaces=[stored.changed(noticed_at=now)])
        return True

    def _expire(self, stored: StoredHolding) -> None:
        """The register first: what goes is counted before. The step is asked for until it is done."""
        holding = stored.holding
        now = timestamp(self.clock.now())
        told = Trace(
            "procedure", _BY, holding.unit, holding.resource, batch=holding.batch, count=holding.open,
            detail="quarantine:expired",
        )  # fmt: skip
        self.traces.commit(told, replaces=[stored.changed(expired=holding.open, expired_at=now)])
        self.ingest_queue.send({"let_go": holding.batch})

    def let_go(self, id: str) -> dict[str, Any]:
        """The step that follows expiry, where objects may be written: what was held is written over with
        nothing (the bucket drops former versions after days). May be repeated. Raises NotFound, Conflict."""
        batch = self.batches.get(id)
        stored = self.batches.holdings.find(batch.batch)
        if stored is None or not stored.holding.expired_at or stored.holding.gone:
            return {"batch_id": id, "let_go": 0}
        staged = batch.batch.staging if stored.holding.whole else ()  # all of them are held
        keys = [*_objects(batch.batch, self.staging), *staged]
        for key in keys:
            self.staging.put(key, b"")
        kept = () if staged else batch.batch.staging
        self.batches.annotate(batch, quarantine="", staging=kept)
        self.register.replace(stored.changed(gone=True))
        return {"batch_id": id, "let_go": len(keys)}


def _objects(batch: Batch, staging: ObjectStore) -> list[str]:
    """Plain values of rows in quarantine: the rows themselves, and files that were given back."""
    returned = [found.key for found in staging.list(f"returned/{batch.id}/")]
    others = [found.key for found in staging.list(f"{batch.resource}/{batch.id}/quarantine-")]  # of attempts
    return [key for key in dict.fromkeys((batch.quarantine, *others, *returned)) if key]


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(CHINA).date()


def _age(most: int) -> str:
    return f"<{most}d" if most else f">={_AGES[-1]}d"


def shown(holding: Holding, ends: str = "") -> dict[str, Any]:
    """What the API tells of a holding: numbers only."""
    told = {"batch": holding.batch, "resource": holding.resource, "unit": holding.unit, "at": holding.at}
    mends = [{"batch": t.batch, "kind": t.kind, "rows": t.rows, "also": t.also} for t in holding.takes]
    return {
        **told, "rows": holding.rows, **holding.figures(), "by_rule": dict(holding.by_rule), "takes": mends,
        "ends": ends, "expired_at": holding.expired_at,
    }  # fmt: skip
