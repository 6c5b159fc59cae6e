"""The validate step: a staged batch is checked, split, evaluated and decided on (Q-20 to Q-22, C-13).

Effects in order: good rows into the warehouse bucket, findings and quarantine
into the staging bucket, the register, the event of a rejection, the wake-up of
the comparison. All keys follow from the batch id and the content, so a repeated
run overwrites and never doubles, and a run with another outcome (a rule was
enabled, rows were taken) leaves alone what was decided; the register decides once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Final, Protocol
from uuid import uuid4

import duckdb
import numpy as np

from huitong.batches.following import following
from huitong.batches.held import entry_of
from huitong.batches.model import Batch
from huitong.batches.register import Batches, Stored
from huitong.comparison.parts import parts_for, threshold
from huitong.contracts.model import Contract, Limits
from huitong.errors import Conflict, Corrupt
from huitong.intake.returned import ORIGINAL_ROW
from huitong.ports import Clock, EventBus, Item, ObjectStore, Queue, timestamp
from huitong.quality.ahead import checked
from huitong.quality.check import Block, Checker, Rows
from huitong.quality.cleansing.apply import Cleanser
from huitong.quality.cleansing.log import CleansingLog
from huitong.quality.compile import Plan, compile_plan
from huitong.quality.duplicates import Repeated, RepeatedRows
from huitong.quality.evaluation import Tally, counts, decide, refusal
from huitong.quality.findings import Report
from huitong.quality.good import GoodRows
from huitong.quality.mending import ACCEPTED, NOT_HELD, Mending, mending_of
from huitong.quality.rulebook.bound import no_rules
from huitong.quality.rulebook.checking import Office, OfficeChecks
from huitong.quality.rulebook.monitor import entries_of
from huitong.quality.rulebook.outcome import Judged
from huitong.quality.staged import Kept, Staged
from huitong.quality.structure import Structure, keyless_rows, keys_of, read_structure, report_structure
from huitong.warehouse.files import DataFileRef, data_prefix

_BY: Final = "validate"
_MEMORY: Final = "256MB"
_CHINA: Final = timezone(timedelta(hours=8))
_NO_ROWS: Final = np.empty(0, dtype=np.int64)
_warm: dict[str, duckdb.DuckDBPyConnection] = {}


class ContractSource(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


@dataclass(frozen=True, slots=True)
class _Outcome:
    tally: Tally
    good: tuple[DataFileRef, ...]
    findings: str
    quarantine: str
    held_keys: int
    limits: Limits
    mending: Mending | None
    cleansing: str
    rules_version: str
    judged: Judged
    disagreements: str


class Validate:
    """``staging`` holds staged rows, findings and quarantine; ``warehouse`` the tables' files."""

    def __init__(
        self,
        staging: ObjectStore,
        warehouse: ObjectStore,
        contracts: ContractSource,
        batches: Batches,
        compare_queue: Queue,
        events: EventBus,
        clock: Clock,
        office: Office | None = None,
        *,
        fan_out_rows: int = 0,
    ) -> None:
        """``fan_out_rows``: files of larger batches are cut by key buckets; 0 = none are."""
        self._staging = staging
        self._warehouse = warehouse
        self._contracts = contracts
        self._batches = batches
        self._compare_queue = compare_queue
        self._events = events
        self._clock = clock
        self._office = office
        self._fan_out_rows = fan_out_rows

    def run(self, batch_id: str) -> Batch:
        """Validate an ingested batch; a batch past that only wakes the comparison again.

        Raises NotFound for an unknown batch, Corrupt when staging and register
        disagree about the number of rows, and what the ports raise.
        """
        stored = self._batches.get(batch_id)
        with following(stored.batch):
            return self._run(stored)

    def _run(self, stored: Stored) -> Batch:
        if stored.batch.status == "ingested":
            stored = self._validate(stored)
        batch = stored.batch
        if batch.status == "rejected" and batch.decision == "rejected":
            self._remove_good(batch)
            self._events.publish("BatchRejected", _summary(batch))  # again rather than never
        if batch.status not in ("received", "failed"):
            self._compare_queue.send({"resource": batch.resource}, group=batch.resource)
        return batch

    def _validate(self, stored: Stored) -> Stored:
        batch = stored.batch
        contract = self._contracts.get(batch.resource, batch.contract_version)
        outcome = self._check(batch, contract)
        if outcome.mending is not None and outcome.mending.joined:
            batch = replace(batch, mode="increment")  # rows were mended since it was read: no whole edition
        decision = decide(outcome.tally, outcome.limits)
        found: dict[str, Any] = {
            "mode": batch.mode,
            "decision": decision,
            "counts": counts(outcome.tally, decision),
            "quality": outcome.tally.quality(),
            "findings": outcome.findings,
            "quarantine": outcome.quarantine,
            "held_keys": outcome.held_keys,
            "keyless": outcome.tally.keyless,
            "cleansing": outcome.cleansing,
            "cleansed": dict(sorted(outcome.tally.cleansed.items())),
            "rules_version": outcome.rules_version,
            "disagreements": outcome.disagreements,
            "hold_for": outcome.judged.holding,
        }
        self._announce(batch, outcome.judged)
        try:
            held = _held(replace(batch, **found), outcome.mending)
            kept = entries_of(batch, outcome.rules_version, outcome.judged, timestamp(self._clock.now()))
            held["creates"] = [*held.get("creates", ()), *kept]
            if decision != "rejected":
                good = tuple(ref.to_json() for ref in outcome.good)
                return self._batches.move(stored, "validated", by=_BY, good=good, **held, **found)
            reason = refusal(outcome.tally, outcome.limits)
            return self._batches.move(stored, "rejected", by=_BY, refusal=reason, **held, **found)
        except Conflict:
            # another worker was first with the same outcome; if it is not past this step, that is a fault
            current = self._batches.get(batch.id)
            if current.batch.status == "ingested":
                raise
            return current

    def _remove_good(self, batch: Batch) -> None:
        """Not before the register says so: another worker may have taken the batch, and its files with it."""
        table = self._contracts.get(batch.resource, batch.contract_version).table
        for found in list(self._warehouse.list(f"{data_prefix(table, batch.id)}/")):
            self._warehouse.delete(found.key)

    def _check(self, batch: Batch, contract: Contract) -> _Outcome:
        structure = read_structure(self._staging, batch.resource, batch.id)
        names = [*(f.name for f in contract.fields), *([ORIGINAL_ROW] if batch.mends else [])]
        staged = Staged(self._staging, batch.staging, Cleanser(contract)).kept(names)
        bound = self._office.ready(contract) if self._office else no_rules(contract)
        plan = compile_plan(contract, bound.rules)
        plan = replace(plan, rules=(*plan.rules, ACCEPTED, NOT_HELD))  # the last ones
        with TemporaryDirectory(prefix="huitong-validate-") as folder, connect() as connection:
            checker = Checker(plan, connection, received_on(batch))
            repeated = RepeatedRows(staged, contract, checker, connection).find()
            received = repeated.rows + structure.rows
            if received != batch.counts.received:
                raise Corrupt(
                    f"批次 {batch.id} 登记了 {batch.counts.received} 行,暂存区有 {received} 行",
                    f"Batch {batch.id}: {batch.counts.received} rows registered, {received} staged",
                    batch=batch.id,
                )
            mending = mending_of(batch, contract, self._batches, self._staging, self._warehouse, checker)
            office = OfficeChecks(plan, bound, checker, batch)
            tables = self._office.tables if self._office else None
            office.look(staged, repeated, Path(folder), tables, received_on(batch))
            one = _Pass(
                batch, plan, checker, office, self._warehouse, self._staging, Path(folder), connection
            )
            one.cut(self._buckets(batch, contract))
            return one.run(staged, repeated, structure, mending)

    def _buckets(self, batch: Batch, contract: Contract) -> int:
        """How many key buckets the good rows are put into, as their comparison will want them."""
        limit = threshold(contract, self._fan_out_rows)
        return parts_for(batch.counts.received, limit) if limit and not batch.mends else 1

    def _announce(self, batch: Batch, outcome: Judged) -> None:
        """Before the register knows: again rather than never. Notices and warnings are in its write."""
        for rule, run in outcome.breaches:
            told: dict[str, Any] = {"rule": rule.id, "level": rule.level, "violations": run.violations}
            told |= {"batch": batch.id, "resource": batch.resource, "unit": batch.unit}
            self._events.publish("RuleBreached", told)


class _Pass:
    """One pass over all blocks of a batch."""

    def __init__(
        self,
        batch: Batch,
        plan: Plan,
        checker: Checker,
        office: OfficeChecks,
        warehouse: ObjectStore,
        staging: ObjectStore,
        folder: Path,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self._plan = plan
        self._checker = checker
        self._office = office
        self._staging = staging
        self._folder = folder
        self._tally = Tally()
        self._cleanse: Callable[[Block], Block] | None = None
        self._good = GoodRows(batch, plan.contract, warehouse, folder)
        self._report = Report(batch, plan, staging, folder, connection)
        self._log = CleansingLog(self._report, self._tally.cleansed)

    def cut(self, buckets: int) -> None:
        """Put the good rows into files by so many key buckets."""
        self._good.buckets = buckets

    def run(
        self, staged: Staged | Kept, repeated: Repeated, structure: Structure, mending: Mending | None
    ) -> _Outcome:
        self._mending = mending
        limits = mending.limits if mending else self._plan.contract.limits
        columns = [f.name for f in self._plan.contract.fields]
        try:
            start = 0
            self._cleanse = staged.cleanse
            blocks = staged.blocks([*columns, ORIGINAL_ROW] if mending else columns)
            for block, found in checked(self._checker, blocks):
                hits = {**found.hits, **self._office.hits(start, len(block))}
                self._block(block, found.published, repeated.within(start, len(block)), hits)
                start += len(block)
            self._add_structure(structure)
            outcome = self._office.close(self._report, self._tally)
            if decide(self._tally, limits) == "rejected":
                self._report.add_rejection(refusal(self._tally, limits))
            good = tuple(self._good.close())
            findings, quarantine = self._report.close()
            cleansing = self._log.close()
            apart = self._office.keep_disagreements(self._staging, self._folder)
        finally:
            self._good.abandon()
            self._report.abandon()
            self._log.abandon()
        held = self._report.held_keys
        rules = self._office.bound.version
        return _Outcome(
            self._tally, good, findings, quarantine, held, limits, mending, cleansing, rules, outcome, apart
        )

    def _block(
        self, block: Block, published: Mapping[str, Any], repeated: Repeated, hits: dict[int, Rows]
    ) -> None:
        self._log.add(block)
        gone = repeated.gone
        numbers = _NO_ROWS
        if self._mending is not None:
            numbers = self._mending.numbers(block, published, gone)
            for nothing in (-1, -2):  # their rules from the end: NOT_HELD, ACCEPTED
                strange = np.flatnonzero(numbers == nothing)
                hits |= {len(self._plan.rules) + nothing: strange} if len(strange) else {}
        if len(gone):
            # a copy has the same faults as the row before it: they are found there
            hits = {n: _without(rows, gone) for n, rows in hits.items()}
            hits = {n: rows for n, rows in hits.items() if len(rows)}
        if len(repeated.duplicates):
            hits[self._plan.duplicate] = repeated.duplicates
        if len(repeated.replaced):
            hits[self._plan.deduplicated] = repeated.replaced
        if len(repeated.conflicts):
            hits[self._plan.conflict] = repeated.conflicts
        unique = {plan.field.name: plan.unique for plan in self._plan.fields}
        hits |= {unique[name]: rows for name, rows in repeated.shared.items() if len(rows)}
        self._office.count(hits)
        bad, warned = np.zeros(len(block), dtype=np.bool_), np.zeros(len(block), dtype=np.bool_)
        for number, rows in hits.items():
            rule = self._plan.rules[number]
            self._tally.count(rule, len(rows))
            (bad if rule.severity == "error" else warned)[rows] = True
        out = bad.copy()
        out[gone] = True
        self._tally.received += len(block)
        self._tally.duplicate += len(gone)
        self._tally.quarantined += int(bad.sum())
        self._tally.keyless += self._without_key(hits, len(block))
        self._tally.warned += int((warned & ~out).sum())
        self._report.add(block, hits)
        self._report.quarantine(block, np.flatnonzero(bad), hits, published)
        self._keep(block, published, out)
        if self._mending is not None:
            self._mending.take(block, published, numbers, ~out, gone)

    def _without_key(self, hits: Mapping[int, Rows], rows: int) -> int:
        """Rows whose key broke a rule: they may mean another row than the one that they name."""
        keys = {f.name for f in self._plan.contract.keys}
        found = np.zeros(rows, dtype=np.bool_)
        for number, of_rule in hits.items():
            rule = self._plan.rules[number]
            if rule.severity == "error" and keys.intersection(rule.column.split(",")):
                found[of_rule] = True
        return int(found.sum())

    def _keep(self, block: Block, published: Any, out: Any) -> None:
        if block.deletes is None:
            self._good.add(published, block.source_rows, np.flatnonzero(~out) if out.any() else None)
            return
        self._good.add(published, block.source_rows, np.flatnonzero(~out & ~block.deletes))
        self._good.add_deletes(published, block.source_rows, np.flatnonzero(~out & block.deletes))

    def _add_structure(self, structure: Structure) -> None:
        report_structure(structure, self._report)
        read = keys_of(structure, self._plan.contract.keys)
        if read is not None:
            keys, records = read
            found = self._checker.check(self._cleanse(keys) if self._cleanse else keys)
            self._report.add_keys(found.published)
            hits = {n: np.intersect1d(rows, records) for n, rows in found.hits.items()}
            self._tally.keyless += self._without_key(hits, len(keys))
        self._tally.keyless += keyless_rows(structure)
        self._tally.received += structure.rows
        self._tally.quarantined += structure.rows
        self._tally.criteria.update(structure.errors_by("criterion"))
        self._tally.rules.update(structure.errors_by("rule"))


def _held(batch: Batch, mending: Mending | None) -> dict[str, list[Item]]:
    """What quarantine holds of a batch that was decided on; or that the batch takes rows of what it held.

    The latter is on condition that nobody took any since it was read: else the batch is looked at again.
    """
    if mending is None:
        return {"creates": entry_of(batch)}
    return {} if batch.decision == "rejected" else {"replaces": [mending.entry()]}


@contextmanager
def connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that sees only what is registered on this connection, with bounded memory; it may spill.

    The instance stays for the next batch: opening one takes longer than checking ten rows.
    """
    instance = _warm.get("instance") or _open()
    connection = instance.cursor()
    try:
        yield connection
    except duckdb.Error:
        if _warm.pop("instance", None) is not None:  # it may be unusable after an error
            instance.close()
        raise
    finally:
        connection.close()


def _open() -> duckdb.DuckDBPyConnection:
    spill = str(Path(gettempdir()) / f"huitong-validate-spill-{uuid4().hex}")
    instance = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": spill})
    instance.execute("SET enable_external_access = false; SET lock_configuration = true")
    _warm["instance"] = instance
    return instance


def received_on(batch: Batch) -> date:
    """The day of receipt in China: what counts as today for a batch, whenever it is checked."""
    return datetime.fromisoformat(batch.received_at).astimezone(_CHINA).date()


def _without(rows: Rows, gone: Rows) -> Rows:
    return rows[~np.isin(rows, gone, assume_unique=True)]


def _summary(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "resource": batch.resource,
        "unit": batch.unit,
        "code": str((batch.refusal or {}).get("code", "")),  # the rest may quote a cell or a file's name
        **asdict(batch.counts),
    }
