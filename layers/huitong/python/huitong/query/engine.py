"""A query on DuckDB, in a connection of its own that can reach nothing but its views.

Each table that the query names becomes a view over the projection of what the
asker may see. Then the connection is locked: no file but the views' own, no
network, no extension, no setting. The parser (:mod:`huitong.query.parse`)
already refuses what would need those; this is the second wall.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.audit.subjects import Subjects
from huitong.contracts.model import Contract
from huitong.errors import Fault, HuitongError, InvalidQuery, LimitExceeded
from huitong.query.dialect import invalid, macros_in, to_duckdb
from huitong.query.disclosing import Disclosing as Relation
from huitong.query.disclosing import disclosing
from huitong.query.limits import Limits
from huitong.query.locked import bounded_memory, connect, interrupted, lock
from huitong.query.parse import CheckedQuery, TableUse
from huitong.sharing.names import quoted

_BATCH_ROWS: Final = 20_000
#: Beyond DuckDB's own limit: what Arrow and the lists that DuckDB does not count may take.
_SLACK: Final = 384 << 20
#: The limit of memory is the process's, so one query at a time.
_ONE: Final = threading.Lock()

_NAMES: Final = {
    "HUGEINT": "bigint", "UHUGEINT": "decimal(38,0)", "FLOAT": "real", "BLOB": "varbinary",
    "TIMESTAMP WITH TIME ZONE": "timestamp(6) with time zone", "TIMESTAMP": "timestamp(6)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Whose data of a resource a query gave (``exact``), or at most whose."""

    resource: str
    subjects: Subjects
    exact: bool


class Disclosing(Protocol):
    """:class:`huitong.audit.disclosed.Disclosures`, as far as queries need it."""

    def pairs_sql(self, contract: Contract, relation_sql: str) -> str: ...

    def of_file(self, path: Path) -> Subjects: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result written to a file: its columns as (name, Athena's type), rows, bytes."""

    columns: tuple[tuple[str, str], ...]
    rows: int
    size: int
    chunks: tuple[int, ...] = ()  # rows of each record batch of the file
    engine_id: str = ""
    disclosed: tuple[Disclosed, ...] = ()
    engine: str = ""  # where it ran, and why there (huitong.query.choice); empty = the only one there is
    reason: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a table is for this asker: a SELECT over local files.

    ``rows`` is the same with the ``hidden`` columns (name, field) beside, from
    which the evidence of the query is made: no query of an asker reads it.
    """

    use: TableUse
    sql: str
    paths: tuple[Path, ...] = ()
    contract: Contract | None = None
    rows: str = ""
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Whose data of a resource a query gave: the SELECT that finds it, and the file that takes it."""

    resource: str
    exact: bool
    sql: str
    path: str


@dataclass(frozen=True, slots=True)
class Task:
    """A query as text, with all that it may touch: what another process needs to carry it out."""

    statements: tuple[str, ...]  # views and macros
    paths: tuple[str, ...]
    sql: str
    limits: Limits
    target: str
    pairs: tuple[Pairs, ...] = ()


def run(
    query: CheckedQuery,
    views: Sequence[View],
    limits: Limits,
    target: Path,
    disclosures: Disclosing | None = None,
    *,
    carry_out: Callable[[Task], Outcome] | None = None,
) -> Outcome:
    """Run a checked query over its views; the result is an Arrow IPC file at ``target``.

    With ``disclosures`` the outcome says whose data it holds. ``carry_out`` does the work elsewhere
    (:mod:`huitong.query.apart`); without it this process does.

    Raises LimitExceeded (time, memory, rows, size of the result) and
    InvalidQuery (unknown columns, types that do not fit, values that cannot be
    converted). Neither tells a value of a row.
    """
    task = prepared(query, views, limits, target, disclosures)
    outcome = (carry_out or carried_out)(task)
    if disclosures is None:
        return outcome
    found = (Disclosed(p.resource, disclosures.of_file(Path(p.path)), p.exact) for p in task.pairs)
    return replace(outcome, disclosed=tuple(found))


def prepared(
    query: CheckedQuery,
    views: Sequence[View],
    limits: Limits,
    target: Path,
    disclosures: Disclosing | None = None,
) -> Task:
    """Everything as text. The text of ``pairs`` holds what is derived from the key: it is never logged."""
    names = query.view_names()
    sql = to_duckdb(query.over(names))
    statements = [f"CREATE VIEW {quoted(names[view.use])} AS {view.sql}" for view in views]
    found: dict[str, tuple[Contract, list[Relation]]] = {}
    for number, view in enumerate(views):
        if disclosures is None or view.contract is None or not view.rows:
            continue
        name = f"__huitong_rows_{number}"
        relation = disclosing(query, view.use, name, view.hidden)
        if relation is not None:
            statements.append(f"CREATE VIEW {quoted(name)} AS {view.rows}")
            found.setdefault(view.contract.id, (view.contract, []))[1].append(relation)
    pairs = [_pairs(n, target, *of, disclosures) for n, of in enumerate(found.values()) if disclosures]
    # of the evidence's text too: a WHERE that is repeated there may use a macro
    used = " ".join([sql, *(p.sql for p in pairs)])
    paths = tuple(str(path) for view in views for path in view.paths)
    return Task((*statements, *macros_in(used)), paths, sql, limits, str(target), tuple(pairs))


def _pairs(
    number: int, target: Path, contract: Contract, relations: Sequence[Relation], known: Disclosing
) -> Pairs:
    """For each resource once, over all its tables and states in the query."""
    sql = known.pairs_sql(contract, " UNION ALL ".join(r.relation_sql for r in relations))
    exact = all(r.exact for r in relations)
    return Pairs(contract.id, exact, sql, f"{target}.pairs-{number}.parquet")


def carried_out(task: Task) -> Outcome:
    """Raises like :func:`run`."""
    limits, deadline = task.limits, time.monotonic() + task.limits.seconds
    with _ONE, ExitStack() as stack:
        beside = Path(task.target).parent  # goes with the result, also when this process is ended
        temp = stack.enter_context(tempfile.TemporaryDirectory(prefix="spill-", dir=beside))
        stack.enter_context(bounded_memory((limits.memory_mb << 20) + _SLACK))
        stack.enter_context(_our_errors(limits, deadline))
        connection = connect(limits, Path(temp))
        stack.callback(connection.close)
        for statement in task.statements:
            connection.execute(statement)
        lock(connection, [Path(path) for path in task.paths])
        stack.enter_context(interrupted(connection, deadline))
        outcome = _write(connection, task.sql, limits, deadline, Path(task.target))
        for pairs in task.pairs:
            _write_pairs(connection, pairs, limits)
        return outcome


def _write_pairs(connection: duckdb.DuckDBPyConnection, pairs: Pairs, limits: Limits) -> None:
    """Through Arrow: the connection itself may write no file. Its time and memory are the query's."""
    reader = connection.sql(pairs.sql).to_arrow_reader(_BATCH_ROWS)
    with pq.ParquetWriter(pairs.path, reader.schema, compression="lz4") as writer:
        for batch in _batches(reader, limits):
            writer.write_batch(batch)


def _write(
    connection: duckdb.DuckDBPyConnection, sql: str, limits: Limits, deadline: float, target: Path
) -> Outcome:
    relation = connection.sql(sql)
    if relation is None:
        raise invalid("query.select", "只允许一条 SELECT 查询", "Only a single SELECT is allowed")
    kinds = [str(kind) for kind in relation.types]
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    names = unique_names(reader.schema.names)
    schema = pa.schema(
        [pa.field(n, _type(f.type, k)) for n, f, k in zip(names, reader.schema, kinds, strict=True)]
    )
    rows, chunks = 0, []
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema, options=options) as writer:
        for batch in _batches(reader, limits):
            rows += batch.num_rows
            if rows > limits.rows:
                raise _too_many_rows(limits)
            writer.write_batch(_fitted(batch, schema))
            chunks.append(batch.num_rows)
            if file.tell() > limits.result_bytes:
                raise _too_large(limits)
            if time.monotonic() > deadline:
                raise too_slow(limits)
    columns = tuple((n, _athena_type(k)) for n, k in zip(names, kinds, strict=True))
    return Outcome(columns, rows, target.stat().st_size, tuple(chunks))


def _batches(reader: pa.RecordBatchReader, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The batches. DuckDB's errors come out of Arrow's reader as OSError, their text with values of rows."""
    try:
        yield from reader
    except OSError as error:
        said = str(error).lower()
        if "interrupt" in said.partition(":")[0]:
            raise too_slow(limits) from None
        if "memory" in said.partition(":")[0]:
            raise too_much_memory(limits) from None
        raise _wrong_value() from None


def _type(found: pa.DataType, kind: str) -> pa.DataType:
    return pa.int64() if kind == "HUGEINT" else found


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column if column.type == field.type else pc.cast(column, field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def unique_names(names: Sequence[str]) -> list[str]:
    """Names of a result's columns; a repeated one gets a number, so that a row can be an object."""
    taken: set[str] = set()
    out = []
    for name in names:
        unique, n = name, 1
        while unique in taken:
            unique, n = f"{name}_{n}", n + 1
        taken.add(unique)
        out.append(unique)
    return out


def _athena_type(kind: str) -> str:
    if kind.endswith("[]"):
        return f"array({_athena_type(kind[:-2])})"
    if kind.startswith(("STRUCT", "MAP")):
        return kind.replace("STRUCT", "ROW").replace("VARCHAR", "varchar").lower()
    return _NAMES.get(kind, kind.lower())


# --- errors ----------------------------------------------------------------


@contextmanager
def _our_errors(limits: Limits, deadline: float) -> Iterator[None]:
    try:
        yield
    except HuitongError:
        raise
    except duckdb.InterruptException as error:
        raise too_slow(limits) from error
    except (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError) as error:
        raise too_much_memory(limits) from error
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise _wrong(error) from error
    except (
        duckdb.DataError,
        duckdb.SyntaxException,  # of a pattern: the query's own syntax was checked before
        duckdb.InvalidInputException,
        duckdb.NotSupportedError,
        pa.ArrowInvalid,
    ):
        raise _wrong_value() from None
    except duckdb.Error as error:
        if time.monotonic() > deadline:
            raise too_slow(limits) from error
        name = type(error).__name__
        raise Fault(f"查询引擎出错({name})", f"The query engine failed ({name})") from None


def _wrong(error: duckdb.Error) -> InvalidQuery:
    """A binder's error, which speaks of names and types only; our views' names are no table's."""
    text = str(error).split("\n\nLINE")[0].split("\nLINE")[0]
    text = " ".join(text.replace("huitong_", "table ").split())[:500]
    return invalid("query.names", f"名称或类型有误:{text}", f"A name or type is wrong: {text}")


def _wrong_value() -> InvalidQuery:
    """DuckDB's text may hold a value of a row; ours goes to logs too (S-16)."""
    zh = "某个值不能转换、超出范围或除以零;可用 try_cast 或 try"
    en = "A value cannot be converted, is out of range or is divided by zero; try_cast or try may help"
    return invalid("query.value", zh, en)


def _exceeded(rule: str, zh: str, en: str) -> LimitExceeded:
    return LimitExceeded(zh, en, limit=rule)


def too_slow(limits: Limits) -> LimitExceeded:
    zh, en = f"查询超过 {limits.seconds:g} 秒", f"The query took longer than {limits.seconds:g} seconds"
    return _exceeded("seconds", zh, en)


def too_much_memory(limits: Limits) -> LimitExceeded:
    zh, en = f"查询所需内存超过 {limits.memory_mb} MB", f"The query needs more than {limits.memory_mb} MB"
    return _exceeded("memory_mb", zh, en)


def _too_many_rows(limits: Limits) -> LimitExceeded:
    zh = f"结果超过 {limits.rows} 行,请加条件或 LIMIT"
    return _exceeded("rows", zh, f"The result has more than {limits.rows} rows: add a condition or a LIMIT")


def _too_large(limits: Limits) -> LimitExceeded:
    size = limits.result_bytes >> 20
    return _exceeded("result_bytes", f"结果超过 {size} MB", f"The result is larger than {size} MB")
