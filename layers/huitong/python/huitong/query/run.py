"""Queries: check, read what the asker may see, run within limits, keep the result for paging."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import pyarrow as pa

from huitong.audit.subjects import Subjects
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, NotFound
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, ObjectStore, Register, timestamp
from huitong.query import engine
from huitong.query.carrying import carried, times
from huitong.query.engine import Disclosed, Disclosing, Outcome
from huitong.query.grouping import SMALLEST_GROUP, grouped
from huitong.query.limits import Limits
from huitong.query.parse import CheckedQuery, TableUse, check
from huitong.query.readable import Readable, Resolver, TableSource, opened
from huitong.query.values import arrow_bytes, csv_text, json_rows
from huitong.sharing.access import Access, Use

if TYPE_CHECKING:
    from huitong.warehouse.lakehouse import Lakehouse

Format = Literal["json", "csv", "arrow"]
MEDIA: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}
#: A page ends before it is larger: an answer of a function may have 6 MB.
PAGE_BYTES: Final = 4_500_000
KEPT_HOURS: Final = 1

_STEP: Final = 1_000


class Engine(Protocol):
    """Runs a checked query over what the asker may see, writing an Arrow IPC file."""

    name: str

    def run(
        self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path
    ) -> Outcome: ...


class WarehouseTables:
    """Tables of the lakehouse as local files."""

    def __init__(self, warehouse: ObjectStore, lakehouse: Lakehouse) -> None:
        self._warehouse = warehouse
        self._lakehouse = lakehouse

    def relation(
        self, contract: Contract, table: Literal["current", "changes"], snapshot_id: int
    ) -> AbstractContextManager[tuple[str, Sequence[Path]]]:
        from huitong.warehouse.reading import relation

        return relation(self._warehouse, self._lakehouse, contract, table, snapshot_id)


class DuckDbEngine:
    """``subjects_key`` is fetched to find the rows of a case; ``disclosures`` say whose data a query gave."""

    name = "duckdb"

    def __init__(
        self,
        source: TableSource,
        staging: ObjectStore,
        subjects_key: Callable[[], str] = str,
        disclosures: Disclosing | None = None,
    ) -> None:
        self._source = source
        self._staging = staging
        self._subjects_key = subjects_key
        self._disclosures = disclosures

    def run(self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path) -> Outcome:
        """Raises LimitExceeded and InvalidQuery, and Unavailable when storage failed."""
        from huitong.query import apart

        apart.warm()  # it starts while the files are fetched
        with opened(tables, self._source, self._staging, self._subjects_key()) as views:
            return engine.run(
                query, views, limits, target, self._disclosures, carry_out=apart.carried_out_apart
            )


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A query that ran. ``columns`` are {name, type}, types as Athena names them."""

    id: str
    columns: tuple[dict[str, str], ...]
    total_rows: int
    engine: str
    seconds: float
    bytes: int
    expires_at: str
    tables: tuple[str, ...] = ()
    engine_reason: str = ""  # why there, as huitong.query.choice tells it
    #: per resource: what was had of it, and whose data (evidence; not stored with the result)
    accesses: tuple[Access, ...] = ()
    disclosed: tuple[Disclosed, ...] = ()
    #: per resource: how many of its records the rows hold
    carried: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """What is kept with the result."""
        names = ("id", "total_rows", "engine", "engine_reason", "seconds", "bytes", "expires_at")
        kept: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**kept, "columns": list(self.columns), "tables": list(self.tables)}


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows of a result, with what stands behind it."""

    table: pa.Table
    accesses: list[Access]
    disclosed: Mapping[str, Subjects]
    use: Use
    acting_unit: str
    ordered: bool
    carried: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a result: ``rows`` with JSON only, ``body`` always; ``next`` None = the last page."""

    id: str
    columns: tuple[dict[str, str], ...]
    total_rows: int
    body: bytes
    media_type: str
    next: str | None
    rows: list[dict[str, Any]] = field(default_factory=list)


class Queries:
    """``results`` is the staging bucket; entries are ``QUERY#{id}`` in the register."""

    def __init__(
        self,
        register: Register,
        results: ObjectStore,
        resolver: Resolver,
        engine: Engine,
        clock: Clock,
        smallest_group: int = SMALLEST_GROUP,
    ) -> None:
        self._register = register
        self._results = results
        self._resolver = resolver
        self._engine = engine
        self._clock = clock
        self._smallest_group = smallest_group

    def run(
        self,
        principal: Principal,
        sql: str,
        *,
        acting_unit: str = "",
        limits: Limits | None = None,
        use: Use | None = None,
    ) -> QueryResult:
        """Run one SELECT and keep its result for an hour (issue 2.8).

        Raises InvalidQuery (what it is, before anything is read), NotFound (a
        table that is not there for this asker, or has no such state), NotPermitted
        (a table that it may not read so) and LimitExceeded (time, memory, rows, bytes).
        """
        query, asked = check(sql), use or Use("sql")
        tables = [self._resolver.resolve(table, principal, acting_unit, asked) for table in query.tables]
        bounded = grouped(query, tables, self._smallest_group)
        if bounded is not None:
            query, tables = bounded.query, list(bounded.tables)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="huitong-result-") as folder:
            target = Path(folder) / "result.arrow"
            outcome = self._engine.run(query, tables, limits or Limits(), target)
            seconds = time.monotonic() - started
            return self._stored(principal, acting_unit, asked, sql, query, tables, outcome, target, seconds)

    def page(
        self,
        id: str,
        principal: Principal,
        *,
        after: str = "",
        limit: int = 1_000,
        format: Format = "json",
        safe: bool = False,
    ) -> Page:
        """Rows of a stored result from ``after`` (a ``next`` of the page before).

        A page can hold fewer rows than ``limit`` when they are large. Raises
        NotFound when the result is another's, has expired, or when the asker may
        no longer see what it was made of; BadRequest on a cursor that is none.
        """
        body = self._owned(id, principal)
        start = _offset(after, body["total_rows"])
        with self._results.local(body["key"]) as path, pa.memory_map(str(path)) as source:
            rows = _slice(pa.ipc.open_file(source), body["chunks"], start, max(1, limit))
            data, shown, taken = _encoded(rows, format, header=start == 0, safe=safe)
        end = start + taken
        return Page(
            id=id,
            columns=tuple(body["columns"]),
            total_rows=body["total_rows"],
            body=data,
            media_type=MEDIA[format],
            next=str(end) if end < body["total_rows"] else None,
            rows=shown,
        )

    @contextmanager
    def whole(self, id: str, principal: Principal, *, purpose: str = "") -> Iterator[Whole]:
        """A whole result, to be exported.

        Raises NotFound like :meth:`page`, and NotPermitted where a grant behind
        it does not name exports, or nothing was granted but a view.
        """
        body = self._owned(id, principal)
        asked = Use(**{**body["use"], "path": "export"})
        asked = replace(asked, purpose=purpose or asked.purpose)
        accesses = self._accesses(body, principal, asked)
        disclosed = {name: Subjects.from_dict(told) for name, told, _ in body["disclosed"]}
        with self._results.local(body["key"]) as path, pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
            yield Whole(
                table, accesses, disclosed, asked, body["acting_unit"], bool(body["ordered"]), body["carried"]
            )

    def _stored(
        self,
        principal: Principal,
        acting_unit: str,
        asked: Use,
        sql: str,
        query: CheckedQuery,
        tables: Sequence[Readable],
        outcome: Outcome,
        target: Path,
        seconds: float,
    ) -> QueryResult:
        id = f"q{uuid.uuid4().hex}"
        now = self._clock.now()
        expires = now + timedelta(hours=KEPT_HOURS)
        key = f"queries/{id}/result.arrow"
        self._results.put_file(key, target, content_type="application/vnd.apache.arrow.file")
        result = QueryResult(
            id=id,
            columns=tuple({"name": name, "type": kind} for name, kind in outcome.columns),
            total_rows=outcome.rows,
            engine=outcome.engine or self._engine.name,
            engine_reason=outcome.reason or "configured",
            seconds=round(seconds, 3),
            bytes=outcome.size,
            expires_at=timestamp(expires),
            tables=tuple(dict.fromkeys(t.contract.id for t in tables if t.contract)),
            accesses=tuple({t.contract.id: t.access for t in tables if t.contract and t.access}.values()),
            disclosed=() if any(t.hidden for t in tables) else outcome.disclosed,
            carried=_carried(query, tables, outcome),
        )
        uses = [
            [{"name": t.use.name, "part": t.use.part}, t.access.digest() if t.access else ""] for t in tables
        ]
        body = {
            **result.as_dict(),
            "key": key,
            "principal": principal.id,
            "acting_unit": acting_unit,
            "use": asdict(asked),
            # not the text: it may hold personal values (S-16)
            "sql_sha256": hashlib.sha256(sql.encode()).hexdigest(),
            "uses": uses,
            "ordered": bool(query.tree.args.get("order")),
            "carried": dict(result.carried),
            "disclosed": [[d.resource, d.subjects.as_dict(), d.exact] for d in result.disclosed],
            "chunks": list(outcome.chunks),
            "created_at": timestamp(now),
        }
        unit = acting_unit or principal.unit
        listed = (f"QUERIES#{unit}", f"{timestamp(now)}#{id}")
        item = Item(f"QUERY#{id}", "QUERY", body, index1=listed, expires=int(expires.timestamp()))
        self._register.create(item)
        return result

    def _owned(self, id: str, principal: Principal) -> dict[str, Any]:
        item = self._register.get(f"QUERY#{id}", "QUERY")
        body = dict(item.body) if item else {}
        if (
            not body
            or body["principal"] != principal.id
            or body["expires_at"] <= timestamp(self._clock.now())
        ):
            raise NotFound("没有该查询结果或已过期", "There is no such result, or it has expired", query=id)
        self._accesses(body, principal, Use(**body["use"]))
        return body

    def _accesses(self, body: Mapping[str, Any], principal: Principal, asked: Use) -> list[Access]:
        """What stands behind a result, as it is now; it must still be what the result was made of."""
        found: dict[str, Access] = {}
        for raw, digest in body["uses"]:
            use = TableUse(raw["name"], raw["part"])
            if use.part != "listing":
                contract, access = self._resolver.permitted(use, principal, body["acting_unit"], asked)
                if access.digest() != digest:
                    zh, en = "授权已变更,请重新查询", "The grant has changed: run the query again"
                    raise NotFound(zh, en, query=body["id"])
                found[contract.id] = access
        return list(found.values())


def _carried(query: CheckedQuery, tables: Sequence[Readable], outcome: Outcome) -> dict[str, int]:
    """Per resource, of what the query could read: as evidence has it, else as many as are published."""
    known = {d.resource: d.subjects.count for d in outcome.disclosed}
    every: dict[str, int] = {}
    for table in tables:
        if table.contract is not None:
            rows = table.publication.rows if table.publication else 0
            every[table.contract.id] = every.get(table.contract.id, 0) + rows
    return {
        t.contract.id: outcome.rows
        if t.access is not None and t.access.gives == "groups"
        else carried(
            query.tree,
            times(query.tree, (t.contract.id, t.contract.table)),
            outcome.rows,
            known.get(t.contract.id, every[t.contract.id]),
        )
        for t in tables
        if t.contract is not None
    }


def _offset(after: str, total: int) -> int:
    if not after:
        return 0
    if not after.isdigit() or int(after) > total:
        raise BadRequest("游标无效", "The cursor is not valid", after=after)
    return int(after)


def _slice(file: pa.ipc.RecordBatchFileReader, chunks: Sequence[int], start: int, limit: int) -> pa.Table:
    """Rows of the file; only the batches that hold them are read."""
    found, begin = [], 0
    for number, rows in enumerate(chunks):
        low, high = max(start, begin), min(start + limit, begin + rows)
        if low < high:
            found.append(file.get_batch(number).slice(low - begin, high - low))
        begin += rows
    return pa.Table.from_batches(found, schema=file.schema)


def _encoded(
    rows: pa.Table, format: Format, *, header: bool, safe: bool
) -> tuple[bytes, list[dict[str, Any]], int]:
    """The page's bytes, its rows for JSON, and how many rows fitted."""
    if format == "arrow":
        taken = rows
        while taken.nbytes > PAGE_BYTES and taken.num_rows > 1:
            taken = taken.slice(0, max(1, taken.num_rows * PAGE_BYTES // (2 * taken.nbytes)))
        return arrow_bytes(taken), [], taken.num_rows
    size, count, parts, shown = 0, 0, [], []
    for start in range(0, rows.num_rows or 1, _STEP):
        part = rows.slice(start, _STEP)
        if format == "csv":
            data = csv_text(part, header=header and start == 0, safe=safe).encode()
            size += len(data)
            if size > PAGE_BYTES and count:
                break
            parts.append(data)
        else:
            found = json_rows(part)
            size += len(json.dumps(found, ensure_ascii=False).encode())
            if size > PAGE_BYTES and count:
                break
            shown += found
        count += part.num_rows
    if format == "json":
        parts = [json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()]
    return b"".join(parts), shown, count
