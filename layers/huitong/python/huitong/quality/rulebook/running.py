"""Rules that look at all rows of a delivery at once: DuckDB, bounded time and memory (Q-21, L-06).

The columns that they read are written once, typed, to a local file; each rule is one statement over it and
over published tables. A rule that fails is told and left out: it never loses a delivery. Only what a repeat
of the whole step may heal (Unavailable) is raised.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.errors import HuitongError, Unavailable
from huitong.quality.check import Checker, Rows
from huitong.quality.compile import Plan
from huitong.quality.duplicates import Repeated
from huitong.quality.rulebook import statements
from huitong.quality.rulebook.binding import DELIVERY, SetCheck
from huitong.quality.rulebook.model import OF_BATCH
from huitong.quality.rulebook.tables import Table, Tables
from huitong.quality.rulebook.whole import Facts, Left, Said, of_batch
from huitong.quality.staged import Source
from huitong.quality.typed import arrow_type
from huitong.query.limits import Limits
from huitong.query.locked import bounded_memory, connect, interrupted, lock
from huitong.sharing.names import literal, quoted

_NONE: Final[Rows] = np.empty(0, dtype=np.int64)
_SLACK: Final = 512 << 20
#: Rows of disagreements kept for those who settle them; findings have all.
MOST_DISAGREEMENTS: Final = 200_000
_EACH: Final = Limits(seconds=60.0, memory_mb=512, temp_mb=4096)

DISAGREEMENT_TYPES: Final = {
    "rule": pa.string(),
    "rule_version": pa.int64(),
    "resource": pa.string(),
    "other": pa.string(),
    "source_row": pa.int64(),
    "keys": pa.list_(pa.field("element", pa.string())),
    "field": pa.string(),
    "other_field": pa.string(),
    "own": pa.string(),
    "theirs": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one rule, and of all together."""

    each: Limits = _EACH
    seconds: float = 240.0


BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Carried:
    """How one rule went: ``state`` ok, failed or skipped, with why; ``ms`` -1 = within a common pass."""

    state: str = "ok"
    ms: int = -1
    why: str = ""


@dataclass
class Found:
    """``hits``: rule number → positions of rows in the batch, ascending."""

    rows: int = 0
    hits: dict[int, Rows] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    carried: dict[int, Carried] = field(default_factory=dict)
    disagreements: list[Any] = field(default_factory=list)

    def within(self, start: int, rows: int) -> dict[int, Rows]:
        """What falls into a block, with positions in the block."""
        found = {}
        for number, places in self.hits.items():
            low, high = np.searchsorted(places, [start, start + rows])
            if high > low:
                found[number] = places[low:high] - start
        return found


class SetRules:
    """The rules of a plan that look at all rows, for one delivery."""

    def __init__(
        self,
        plan: Plan,
        checker: Checker,
        tables: Tables,
        batch: Batch,
        today: date,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._plan = plan
        self._checker = checker
        self._tables = tables
        self._batch = batch
        self._today = today
        self._bounds = bounds

    def find(self, source: Source, repeated: Repeated, folder: Path) -> Found:
        """Raises Unavailable when a table could not be read for now."""
        found = Found()
        if not self._plan.sets:
            return found
        file = folder / "delivery.parquet"
        found.rows = self._write(source, repeated, file)
        deadline = time.monotonic() + self._bounds.seconds
        with ExitStack() as stack:
            opened = {n: self._opened(n, check, stack, found) for n, check in self._plan.sets}
            connection = connect(self._bounds.each, folder)
            stack.callback(connection.close)
            stack.enter_context(bounded_memory((self._bounds.each.memory_mb << 20) + _SLACK))
            day = f"DATE '{self._today.isoformat()}' AS _received_on"
            sql = f"SELECT *, {day} FROM read_parquet({literal(str(file))})"
            connection.execute(f"CREATE VIEW {DELIVERY} AS {sql}")
            lock(connection, [file, *(p for o in opened.values() if o for t in o.values() for p in t.paths)])
            for number, check in self._plan.sets:
                tables = opened[number]
                if tables is not None:
                    self._one(connection, number, check, tables, found, deadline)
        return found

    def _write(self, source: Source, repeated: Repeated, file: Path) -> int:
        """The columns that the rules read, typed; without copies and rows that only ask for a deletion."""
        wanted = {name for _, check in self._plan.sets for name in check.columns}
        fields = [f for f in self._plan.contract.fields if f.name in wanted]
        types = {"_source_row": pa.int64(), statements.PLACE: pa.int64()}
        schema = pa.schema([*types.items(), *((f.name, arrow_type(f)) for f in fields)])
        start = written = 0
        with pq.ParquetWriter(file, schema, compression="lz4", write_statistics=False) as writer:
            for block in source.blocks([f.name for f in fields]):
                kept = np.ones(len(block), dtype=np.bool_)
                kept[repeated.within(start, len(block)).gone] = False
                if block.deletes is not None:
                    kept &= ~block.deletes
                chosen = np.flatnonzero(kept)
                typed = self._checker.published(block, fields)
                columns = [block.source_rows, pa.array(np.arange(start, start + len(block))),
                           *(_plain(typed[f.name]) for f in fields)]  # fmt: skip
                table = pa.Table.from_arrays(columns, schema=schema)
                writer.write_table(table if len(chosen) == len(block) else table.take(pa.array(chosen)))
                start += len(block)
                written += len(chosen)
        return written

    def _opened(
        self, number: int, check: SetCheck, stack: ExitStack, found: Found
    ) -> Mapping[str, Table] | None:
        """The published tables of a rule by resource; None when it cannot be asked."""
        kind = check.rule.kind
        own = self._plan.contract
        wanted = [(other, "current") for other in check.others]
        if kind == "unique_history":
            wanted = [(own, "changes")]
        elif kind == "drift":
            wanted = [(own, "current")]
        tables = {}
        for contract, which in wanted:
            try:
                table = stack.enter_context(self._tables.open(contract, which))  # type: ignore[arg-type]
            except Unavailable:
                raise
            except HuitongError as error:
                found.carried[number] = Carried("failed", 0, error.en)
                return None
            if table is not None:
                tables[contract.id] = table
            elif contract.id != own.id:
                found.carried[number] = Carried("skipped", 0, f"{contract.id} is not published yet")
                return None
        return tables

    def _one(
        self,
        connection: duckdb.DuckDBPyConnection,
        number: int,
        check: SetCheck,
        tables: Mapping[str, Table],
        found: Found,
        deadline: float,
    ) -> None:
        began = time.monotonic()
        each = min(deadline, began + self._bounds.each.seconds)
        try:
            if check.rule.kind in OF_BATCH and self._batch.mends:
                raise Left("rows that are brought again are no edition", "skipped")
            if began >= deadline:
                raise Left("the time for all rules of the office is used up")
            with interrupted(connection, each):
                self._carry_out(connection, number, check, tables, found)
            state, why = "ok", ""
        except Left as left:
            state, why = left.state, str(left)
        except duckdb.InterruptException:
            state, why = "failed", "it took too long"
        except (duckdb.Error, MemoryError, pa.ArrowException) as error:
            # texts of the engine can hold values of rows: only the kind of error is kept
            state, why = (
                "failed",
                "too much memory" if _memory(error) else f"the engine refused it ({type(error).__name__})",
            )
        found.carried[number] = Carried(state, round((time.monotonic() - began) * 1000), why)

    def _carry_out(
        self,
        connection: duckdb.DuckDBPyConnection,
        number: int,
        check: SetCheck,
        tables: Mapping[str, Table],
        found: Found,
    ) -> None:
        rule, own = check.rule, self._plan.contract
        if rule.kind in OF_BATCH:
            published = tables.get(own.id)
            if rule.kind == "drift" and published is not None:
                self._view(connection, "other", published.sql)
            facts = Facts(self._batch, own, self._today, self._tables, published is not None)
            said = of_batch(connection, number, rule, facts)
            if said is not None:
                found.said.append(said)
            return
        if rule.kind == "sql":
            places = _places(connection, statements.offending(self._own_sql(connection, check, tables)))
        elif rule.kind == "agreement":
            self._view(connection, "other", tables[check.others[0].id].sql)
            places = self._disagreeing(connection, check, found)
        else:
            sql = self._across(connection, check, tables, own)
            places = _places(connection, sql)
        if len(places):
            found.hits[number] = places

    def _across(
        self,
        connection: duckdb.DuckDBPyConnection,
        check: SetCheck,
        tables: Mapping[str, Table],
        own: Contract,
    ) -> str:
        if check.rule.kind == "unique_history":
            history = tables.get(own.id)
            if history is not None:
                self._view(connection, "other", history.sql)
            return statements.unique_history(check, own, history is not None)
        (other,) = check.others
        table = tables.get(other.id)
        rows = [table.sql] if table is not None and (other.id != own.id or self._batch.mode != "full") else []
        if other.id == own.id:  # what the delivery itself brings counts, too
            rows.append(f"SELECT * FROM {DELIVERY}")
        self._view(connection, "other", " UNION ALL BY NAME ".join(rows))
        return statements.reference(check, own)

    def _own_sql(
        self, connection: duckdb.DuckDBPyConnection, check: SetCheck, tables: Mapping[str, Table]
    ) -> str:
        from huitong.query.dialect import macros_in, to_duckdb

        query = check.query
        if query is None:
            raise Left("it has no statement")
        by_table = {name: table for c in check.others for name in (c.table.lower(), c.id.lower())
                    if (table := tables.get(c.id))}  # fmt: skip
        names = query.view_names()
        for use, name in names.items():
            own = use.name == DELIVERY
            if not own and use.name not in by_table:
                raise Left(f"{use.name} is not published yet", "skipped")
            self._view(connection, name, f"SELECT * FROM {DELIVERY}" if own else by_table[use.name].sql)
        sql = to_duckdb(query.over(names))
        for statement in macros_in(sql):
            connection.execute(statement.replace("CREATE MACRO", "CREATE OR REPLACE MACRO", 1))
        return sql

    def _disagreeing(self, connection: duckdb.DuckDBPyConnection, check: SetCheck, found: Found) -> Rows:
        rule = check.rule
        sql = statements.agreement(check, self._plan.contract)
        answer: Any = connection.execute(f"{sql} ORDER BY 1").to_arrow_table()
        rows = min(len(answer), MOST_DISAGREEMENTS)
        (name,) = rule.fields
        same = {"rule": rule.finding, "rule_version": rule.version, "resource": self._plan.contract.id,
                "other": check.others[0].id, "field": name,
                "other_field": str(rule.parameters["other_field"])}  # fmt: skip
        kept = answer.slice(0, rows)
        columns = {n: pa.repeat(pa.scalar(v, DISAGREEMENT_TYPES[n]), rows) for n, v in same.items()}
        columns |= {n: kept.column(n).combine_chunks().cast(DISAGREEMENT_TYPES[n])
                    for n in ("source_row", "keys", "own", "theirs")}  # fmt: skip
        if rows:
            found.disagreements.append(columns)
        return np.unique(answer.column(0).to_numpy())

    @staticmethod
    def _view(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
        connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {sql}")


def _places(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    answer: Any = connection.execute(sql).to_arrow_table()
    found = answer.column(0).to_numpy()
    return np.unique(found.astype(np.int64)) if len(found) else _NONE


def _plain(array: Any) -> Any:
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def _memory(error: BaseException) -> bool:
    return isinstance(error, duckdb.OutOfMemoryException | MemoryError | pa.ArrowMemoryError)
