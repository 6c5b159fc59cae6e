"""What a rule would have done: to rows that were sent along, to a past delivery, to what is published (C-04).

Nothing is written and nobody is told. Values of rows are shown masked as the contract says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Field
from huitong.errors import BadRequest, NotFound
from huitong.ports import Clock, ObjectStore, timestamp
from huitong.quality.check import Block, Checker, Rows
from huitong.quality.cleansing.apply import Cleanser
from huitong.quality.compile import Plan, compile_plan
from huitong.quality.duplicates import Repeated, RepeatedRows
from huitong.quality.masking import mask_of, mask_value
from huitong.quality.rulebook.binding import Bound, bind
from huitong.quality.rulebook.book import Rulebook
from huitong.quality.rulebook.bound import bind_all
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.running import Bounds, Found, SetRules
from huitong.quality.rulebook.tables import Table, Tables
from huitong.quality.staged import Source, Staged, take
from huitong.quality.validate import connect, received_on
from huitong.query.limits import Limits
from huitong.sharing.names import quoted

MOST_POSTED: Final = 1_000
#: Rows of a delivery or a table that a trial looks at.
MOST_ROWS: Final = 200_000
_SHOWN: Final = 20
_BLOCK: Final = 65_536
_BOUNDS: Final = Bounds(Limits(seconds=12.0, memory_mb=512, temp_mb=1024), 15.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """On what to try a rule: exactly one of rows, a batch, the published table."""

    rows: Sequence[Mapping[str, Any]] = ()
    batch: str = ""
    table: bool = False


class Trials:
    def __init__(
        self, rulebook: Rulebook, batches: Batches, staging: ObjectStore, tables: Tables, clock: Clock
    ) -> None:
        self._rulebook = rulebook
        self._batches = batches
        self._staging = staging
        self._tables = tables
        self._clock = clock

    def run(self, rule: OfficeRule, contract: Contract, asked: Asked) -> dict[str, Any]:
        """The outcome as JSON-ready values. Raises BadRequest, NotFound, Unavailable."""
        if sum((bool(asked.rows), bool(asked.batch), asked.table)) != 1:
            raise BadRequest("请给出样例行、批次或已发布表之一", "Give rows, a batch, or the published table")
        if len(asked.rows) > MOST_POSTED:
            raise BadRequest(f"样例最多 {MOST_POSTED} 行", f"A trial takes {MOST_POSTED} rows at most")
        candidate = bind(rule, contract, self._rulebook.known)
        present = bind_all(self._rulebook.of(contract), contract, self._rulebook.known).rules
        plan = compile_plan(contract, (*present, candidate))
        with ExitStack() as stack:
            batch = self._batch(asked, contract)
            source = First(stack.enter_context(self._source(asked, contract, batch)), MOST_ROWS)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="huitong-trial-")))
            connection = stack.enter_context(connect())
            checker = Checker(plan, connection, received_on(batch))
            one = _Trial(plan, checker, candidate, contract)
            return one.run(source, self._tables, batch, connection, folder)

    def _batch(self, asked: Asked, contract: Contract) -> Batch:
        if asked.batch:
            batch = self._batches.get(asked.batch).batch
            if batch.resource != contract.id:
                raise NotFound(
                    f"资源 {contract.id} 没有该批次", f"{contract.id} has no such batch", batch=batch.id
                )
            return batch
        now = timestamp(self._clock.now())
        counts = Counts(received=len(asked.rows))
        return Batch("trial", contract.id, contract.provider, contract.mode, "ingested", "", received_at=now,
                     order="", counts=counts)  # fmt: skip

    @contextmanager
    def _source(self, asked: Asked, contract: Contract, batch: Batch) -> Iterator[Source]:
        if asked.rows:
            yield Posted(asked.rows, Cleanser(contract))
        elif asked.batch:
            if not batch.staging:
                raise NotFound("该批次没有可用的行", "The batch has no rows to look at", batch=batch.id)
            yield Staged(self._staging, batch.staging, Cleanser(contract))
        else:
            with self._tables.open(contract, "current") as table:
                if table is None:
                    raise NotFound(f"资源 {contract.id} 尚未发布", f"{contract.id} is not published yet")
                yield Published(table, contract)


@dataclass(frozen=True, slots=True)
class Posted:
    """Rows of a request, as a delivery would bring them."""

    rows: Sequence[Mapping[str, Any]]
    cleanse: Any

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        texts = {n: pa.array([_text(row.get(n)) for row in self.rows], pa.string()) for n in columns}
        yield self.cleanse(Block(texts, pa.array(range(1, len(self.rows) + 1), pa.int64()), None))


@dataclass(frozen=True, slots=True)
class Published:
    """Published rows, written again as a delivery would have them."""

    table: Table
    contract: Contract

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        fields = [f for f in self.contract.fields if f.name in columns]
        shown = ", ".join(["_source_row", *(f"{_written(f)} AS {quoted(f.name)}" for f in fields)])
        sql = f"SELECT {shown} FROM ({self.table.sql}) AS t"
        with duckdb.connect(config={"threads": 2, "memory_limit": "512MB"}) as connection:
            connection.execute("SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
            reader: Any = connection.execute(sql).to_arrow_reader(_BLOCK)
            for batch in reader:
                yield Block({f.name: batch.column(f.name) for f in fields}, batch.column("_source_row"), None)


@dataclass(slots=True)
class First:
    """No more than the first rows of a source; ``cut`` says that there were more."""

    source: Source
    most: int
    cut: bool = False

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        left = self.most
        for block in self.source.blocks(columns):
            if len(block) > left:
                self.cut = True
                if left:
                    yield take(block, np.arange(left))
                return
            left -= len(block)
            yield block


class _Trial:
    """One pass; counts what is in quarantine with the present rules, and with the candidate among them."""

    def __init__(self, plan: Plan, checker: Checker, candidate: Bound, contract: Contract) -> None:
        self._plan = plan
        self._checker = checker
        self._contract = contract
        self._rule = candidate.rule
        self._number = max(plan.office)
        self._old = next(
            (n for n, r in plan.office.items() if r.id == candidate.rule.id and n != self._number), -1
        )
        names = [*(f.name for f in contract.keys), *candidate.rule.fields]
        self._shown = [f for f in contract.fields if f.name in names]
        self.samples: list[dict[str, Any]] = []
        self.counts = dict.fromkeys(
            ("rows", "violations", "quarantined_now", "quarantined_then", "newly_quarantined", "released"), 0
        )

    def run(
        self, source: First, tables: Tables, batch: Batch, connection: duckdb.DuckDBPyConnection, folder: Path
    ) -> dict[str, Any]:
        began = time.monotonic()
        repeated = RepeatedRows(source, self._contract, self._checker, connection).find()
        if not batch.counts.received:
            batch = replace(batch, counts=Counts(received=repeated.rows))
        rules = SetRules(self._plan, self._checker, tables, batch, received_on(batch), _BOUNDS)
        found = rules.find(source, repeated, folder)
        start = 0
        for block in source.blocks([f.name for f in self._contract.fields]):
            self._block(block, repeated.within(start, len(block)), found.within(start, len(block)))
            start += len(block)
        return self._told(found, source.cut, round((time.monotonic() - began) * 1000))

    def _block(self, block: Block, repeated: Repeated, found: Mapping[int, Rows]) -> None:
        hits = {**self._checker.check(block).hits, **found}
        hits |= {self._plan.conflict: repeated.conflicts}
        unique = {p.field.name: p.unique for p in self._plan.fields}
        hits |= {unique[name]: rows for name, rows in repeated.shared.items()}
        kept = np.ones(len(block), dtype=np.bool_)
        kept[repeated.gone] = False
        now, then = np.zeros(len(block), dtype=np.bool_), np.zeros(len(block), dtype=np.bool_)
        for number, rows in hits.items():
            if self._plan.rules[number].severity == "error":
                if number != self._number:
                    now[rows] = True
                if number != self._old:
                    then[rows] = True
        now, then = now & kept, then & kept
        mine = hits.get(self._number, np.empty(0, dtype=np.int64))
        mine = mine[kept[mine]]
        told = (int(kept.sum()), len(mine), now.sum(), then.sum(), (then & ~now).sum(), (now & ~then).sum())
        for name, n in zip(self.counts, told, strict=True):
            self.counts[name] += int(n)
        for place in mine[: _SHOWN - len(self.samples)]:
            self.samples.append(self._sample(block, int(place)))

    def _sample(self, block: Block, place: int) -> dict[str, Any]:
        values = {}
        for f in self._shown:
            column = block.columns.get(f.name)
            values[f.name] = mask_value(mask_of(f), None if column is None else column[place].as_py())
        return {"source_row": block.source_rows[place].as_py(), "values": values}

    def _told(self, found: Found, cut: bool, ms: int) -> dict[str, Any]:
        carried = found.carried.get(self._number)
        state, why = (carried.state, carried.why) if carried else ("ok", "")
        if self._number in self._checker.failed:
            state, why = "failed", "it cannot be evaluated"
        said = [s for s in found.said if s.number == self._number]
        violations = self.counts["violations"] + len(said)
        return {
            **self.counts,
            "violations": violations,
            "rule": self._rule.id,
            "version": self._rule.version,
            "state": state,
            "why": why,
            "breached": state == "ok" and self._rule.breached(violations, self.counts["rows"]),
            "said": [{"value": s.value, "zh": s.zh, "en": s.en} for s in said],
            "samples": self.samples,
            "only_first_rows": cut,
            "rule_ms": carried.ms if carried else None,
            "ms": ms,
        }


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _written(field: Field) -> str:
    column = quoted(field.name)
    if field.type == "timestamp":
        return f"strftime(CAST({column} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"CAST({column} AS VARCHAR)"
