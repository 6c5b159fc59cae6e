"""The same queries on Athena (QUERY_ENGINE=athena): views become CTEs over the Iceberg tables.

The projection is the one of DuckDB, transpiled, so that both engines show the
same to the same asker. Snapshots are named, so both read the published state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlglot
from sqlglot import exp

from huitong.errors import Fault, LimitExceeded
from huitong.query.dialect import invalid, rewritten
from huitong.query.engine import Outcome, unique_names
from huitong.query.limits import Limits
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable, athena_type
from huitong.sharing.projection import CHANGE_COLUMNS, CURRENT_COLUMNS, projection_sql
from huitong.warehouse.files import changes_table

_BASE: Final = "huitong_base"
_PAUSE: Final = 0.25
_ROWS: Final = 20_000

State = Literal["running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Progress:
    state: State
    reason: str = ""


class AthenaRuns(Protocol):
    """Athena, as far as queries need it; the adapter is :mod:`huitong.aws.athena`."""

    def start(self, sql: str) -> str: ...

    def progress(self, id: str) -> Progress: ...

    def stop(self, id: str) -> None: ...

    def columns(self, id: str) -> list[tuple[str, str]]:
        """Names and Athena's types."""
        ...

    def rows(self, id: str) -> Iterator[list[str | None]]:
        """Rows as text, without the heading."""
        ...


class AthenaEngine:
    """``namespace`` is the Glue database of the tables."""

    name = "athena"

    def __init__(
        self, runs: AthenaRuns, namespace: str, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._runs = runs
        self._namespace = namespace
        self._pause = pause

    def run(self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path) -> Outcome:
        """Start, wait, fetch. A query that is over its time is stopped.

        Raises LimitExceeded, InvalidQuery (what Athena refuses, or a table that
        cannot be read there) and Unavailable.
        """
        sql = athena_sql(query, tables, self._namespace)
        id = self._runs.start(sql)
        self._wait(id, limits)
        columns = self._runs.columns(id)
        names = unique_names([name for name, _ in columns])
        kinds = [kind for _, kind in columns]
        schema = pa.schema([pa.field(n, _arrow_type(k)) for n, k in zip(names, kinds, strict=True)])
        rows, chunks, block = 0, [], list[list[str | None]]()
        with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema) as writer:

            def flush() -> None:
                cells = [
                    [_value(row[n], schema.field(n).type) for row in block] for n in range(len(schema.names))
                ]
                arrays = [pa.array(c, type=f.type) for c, f in zip(cells, schema, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
                chunks.append(len(block))
                block.clear()

            for row in self._runs.rows(id):
                rows += 1
                if rows > limits.rows or file.tell() > limits.result_bytes:
                    raise LimitExceeded(
                        "结果过大,请加条件或 LIMIT", "The result is too large: add a LIMIT", limit="rows"
                    )
                block.append(row)
                if len(block) == _ROWS:
                    flush()
            if block:
                flush()
        named = tuple(zip(names, kinds, strict=True))
        return Outcome(named, rows, target.stat().st_size, tuple(chunks), engine_id=id)

    def _wait(self, id: str, limits: Limits) -> None:
        waited = 0.0
        while (progress := self._runs.progress(id)).state == "running":
            if waited >= limits.seconds:
                self._runs.stop(id)
                zh, en = (
                    f"查询超过 {limits.seconds:g} 秒",
                    f"The query took longer than {limits.seconds:g} seconds",
                )
                raise LimitExceeded(zh, en, limit="seconds")
            self._pause(_PAUSE)
            waited += _PAUSE
        if progress.state == "failed":
            # Athena's reason may hold a value of a row (a cast that failed): only its code is told
            code = progress.reason.split(":")[0][:60]
            raise invalid("query.athena", f"Athena 拒绝执行({code})", f"Athena refused the query ({code})")
        if progress.state == "cancelled":
            raise Fault("查询被取消", "The query was cancelled")


def athena_sql(query: CheckedQuery, tables: Sequence[Readable], namespace: str) -> str:
    """The whole text for Athena: a WITH of what the asker may see, then the query over it.

    Raises InvalidQuery for a table that only DuckDB can read.
    """
    names = query.view_names()
    tree = query.over(names)
    views = [
        exp.CTE(
            this=_view(table, namespace),
            alias=exp.TableAlias(this=exp.to_identifier(names[table.use], quoted=True)),
        )
        for table in tables
    ]
    found = tree.args.get("with_")
    own = list(found.expressions) if isinstance(found, exp.With) else []
    if views:
        tree.set("with_", exp.With(expressions=[*views, *own]))
    return str(tree.sql("athena", identify=True, comments=False))


def _view(table: Readable, namespace: str) -> exp.Expr:
    if table.fixed:
        return sqlglot.parse_one(table.fixed, read="duckdb")
    use, contract, access, published = table.use, table.contract, table.access, table.publication
    if contract is None or access is None or use.part not in ("current", "changes"):
        zh, en = f"Athena 上不能查询 {use.name}${use.part}", f"{use.name}${use.part} cannot be read on Athena"
        raise invalid("query.athena", zh, en)
    if published is None:
        zh, en = f"{use.name} 尚未发布", f"{use.name} has not been published yet"
        raise invalid("query.athena", zh, en)
    changes = use.part == "changes"
    if access.case_no and access.subjects and contract.subject_fields:
        zh = "Athena 上不能按案件人员查询:密钥不出平台"
        raise invalid("query.athena", zh, "Persons of a case are not found on Athena: the key stays here")
    if changes and (access.row_filter or access.case_no):
        zh = "Athena 上不能查询带行筛选的变更日志"
        raise invalid("query.athena", zh, "A change log with a row filter cannot be read on Athena")
    system = (*CHANGE_COLUMNS, *CURRENT_COLUMNS) if changes else CURRENT_COLUMNS
    text = projection_sql(
        contract,
        access,
        f"SELECT * FROM {_BASE}",
        system_columns=system,
        before=changes,
        hidden=table.hidden,
    )
    tree = sqlglot.parse_one(text, read="duckdb")
    snapshot = published.changes_snapshot if changes else published.current_snapshot
    name = changes_table(contract.table) if changes else contract.table
    types = {f.name: athena_type(f, access) for f in contract.fields}

    def for_athena(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table) and node.name == _BASE:
            return _iceberg(namespace, name, snapshot)
        if isinstance(node, exp.Repeat):  # Athena's repeat makes an array
            size = exp.cast(node.args["times"], "BIGINT")
            return exp.Anonymous(this="rpad", expressions=[exp.Literal.string(""), size, node.this])
        if isinstance(node, exp.Struct):
            return _row(node, types)
        return node

    return rewritten(tree, for_athena)


def _iceberg(namespace: str, name: str, snapshot: int) -> exp.Table:
    version = exp.Version(this="VERSION", kind="AS OF", expression=exp.Literal.number(snapshot))
    return exp.Table(
        this=exp.to_identifier(name, quoted=True),
        db=exp.to_identifier(namespace, quoted=True),
        version=version,
    )


def _row(node: exp.Struct, types: dict[str, str]) -> exp.Expr:
    """A struct with names as Athena has it: a cast of a ROW."""
    values = [pair.expression for pair in node.expressions]
    names = [pair.this.name for pair in node.expressions]
    members = [
        exp.ColumnDef(
            this=exp.to_identifier(name, quoted=True),
            kind=exp.DataType.build(types[name], dialect="athena"),
        )
        for name in names
    ]
    kind = exp.DataType(this=exp.DataType.Type.STRUCT, expressions=members, nested=True)
    return exp.Cast(this=exp.Anonymous(this="ROW", expressions=values), to=kind)


# --- values ----------------------------------------------------------------

_SIMPLE: Final[dict[str, pa.DataType]] = {
    "tinyint": pa.int64(),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "float": pa.float64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


def _arrow_type(kind: str) -> pa.DataType:
    base, _, rest = kind.lower().partition("(")
    if base == "decimal":
        precision, _, scale = rest.rstrip(")").partition(",")
        return pa.decimal128(int(precision or 38), int(scale or 0))
    zoned = base == "timestamp" and "zone" in rest
    return _SIMPLE.get("timestamp with time zone" if zoned else base.strip(), pa.string())


def _value(text: str | None, kind: pa.DataType) -> Any:
    """A cell of Athena's answer, which is text, as the type of its column."""
    if text is None or pa.types.is_string(kind):
        return text
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_floating(kind):
        return float(text)
    if pa.types.is_boolean(kind):
        return text == "true"
    if pa.types.is_decimal(kind):
        return Decimal(text)
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    if kind.tz is None:
        return datetime.fromisoformat(text)
    moment, _, zone = text.rpartition(" ")
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
