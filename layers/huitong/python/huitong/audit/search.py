"""Search in the evidence, and who received a person's data (Q-04, L-35). Light to import, heavy to use.

Asked are the archive (DuckDB over sorted Parquet) and the records that came
since its last run, straight from the chains: nothing is missing for an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huitong.audit.archive import (
    File,
    Manifest,
    Which,
    as_trace,
    closed,
    inline_pairs,
    pairs_of_object,
    parquet,
    table_of,
)
from huitong.audit.chain import SHARDS, Entry, Tail
from huitong.audit.heads import entries_after
from huitong.audit.trace import Trace
from huitong.ports import ObjectStore, Register

if TYPE_CHECKING:
    import duckdb

MOST: Final = 1_000
_TAIL: Final = 200_000
_END: Final = "\uffff"
_SHOWN: Final = (
    "id", "at", "act", "actor", "unit", "resource", "fields", "masked", "grant", "path", "case_no", "duty",
    "purpose", "batch", "seq", "count", "request", "detail", "result", "source", "subject_count",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """What an asker may see: uses by these units, or of these resources. None of both = everything."""

    units: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty members do not restrict. ``high`` includes the day or moment it names."""

    unit: str = ""
    actor: str = ""
    resource: str = ""
    act: str = ""
    path: str = ""
    grant: str = ""
    case_no: str = ""
    batch: str = ""
    low: str = ""
    high: str = ""
    after: str = ""  # "at#id" of the last one of the page before


@dataclass(frozen=True, slots=True)
class Page:
    items: tuple[Trace, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One time that data went to somebody. ``fields`` are those asked about, or all."""

    id: str
    at: str
    act: str
    unit: str
    actor: str
    resource: str
    fields: tuple[str, ...]
    masked: tuple[str, ...]
    path: str
    grant: str
    case_no: str
    purpose: str
    detail: str
    batch: str
    seq: int
    count: int


def shown(trace: Trace) -> dict[str, Any]:
    """What the API tells of a record."""
    return {name: getattr(trace, name) for name in _SHOWN}


class Evidence:
    def __init__(self, register: Register, evidence: ObjectStore) -> None:
        self._register = register
        self._evidence = evidence

    def search(self, wanted: Wanted, scope: Scope, *, limit: int = 100) -> Page:
        """Records newest first. Raises faults."""
        conditions, values = _conditions(wanted, scope)
        with self._opened("records", wanted.low, wanted.high) as (connection, relation):
            rows = _rows(
                connection,
                f"SELECT * EXCLUDE (entry, shard, n) FROM {relation} WHERE {' AND '.join(conditions)} "
                f'ORDER BY "at" DESC, id DESC LIMIT {min(limit, MOST) + 1}',
                values,
            )
        found = tuple(as_trace(row) for row in rows)
        page = found[: min(limit, MOST)]
        return Page(page, f"{page[-1].at}#{page[-1].id}" if len(found) > len(page) else "")

    def recipients(
        self,
        *,
        subject: str = "",
        record: str = "",
        fields: Sequence[str] = (),
        low: str = "",
        high: str = "",
        limit: int = MOST,
    ) -> list[Receipt]:
        """Who was given data of a person or of a record (blind indexes), newest first.

        Over deliveries, queries, reads, exports, snapshots and comparisons alike.
        ``fields`` keeps what disclosed one of them.
        """
        ids = self._ids(subject, record, low, high)
        if not ids:
            return []
        moments = [at for _, at in ids]
        with self._opened("records", min(moments), max(moments)) as (connection, relation):
            connection.register("wanted_ids", _table(ids))
            overlap = "AND list_has_any(fields, ?::VARCHAR[])" if fields else ""
            rows = _rows(
                connection,
                f"SELECT r.* EXCLUDE (entry, shard, n) FROM {relation} AS r "
                'WHERE r."at" >= ? AND r."at" <= ? AND r.id IN (SELECT id FROM wanted_ids) '
                f'{overlap} ORDER BY "at" DESC, id DESC LIMIT {int(limit)}',
                [min(moments), max(moments), *([list(fields)] if fields else [])],
            )
        return [_receipt(as_trace(row), fields) for row in rows]

    def _ids(self, subject: str, record: str, low: str, high: str) -> list[tuple[str, str]]:
        """Records (id, at) that disclosed the person or the record."""
        asked = [(name, value) for name, value in (("subject", subject), ("record", record)) if value]
        if not asked:
            return []
        conditions = [f"{name} = ?" for name, _ in asked] + ['"at" >= ?', '"at" <= ?']
        values = [value for _, value in asked] + [low, high + _END]
        with self._opened("pairs", low, high) as (connection, relation):
            sql = f'SELECT DISTINCT id, "at" FROM {relation} WHERE {" AND ".join(conditions)}'
            found: Any = connection.sql(sql, params=values)
            return [(str(id), str(at)) for id, at in found.fetchall()]

    def _opened(self, which: Which, low: str, high: str) -> _Opened:
        manifest, _ = Manifest.read(self._register)
        files = [f for f in manifest.files(which) if f.high >= low and (not high or f.low <= high + _END)]
        return _Opened(self._evidence, which, files, self._tail(manifest))

    def _tail(self, manifest: Manifest) -> list[Entry]:
        found: list[Entry] = []
        for shard in range(SHARDS):
            raws = entries_after(self._register, Tail(shard, manifest.upto[shard]), _TAIL)
            found += [Entry.from_dict(raw) for _, raw in raws]
        return found


class _Opened:
    """A connection that sees the archive's files and the entries since, as one relation."""

    def __init__(
        self, store: ObjectStore, which: Which, files: Sequence[File], tail: Sequence[Entry]
    ) -> None:
        self._store, self._which, self._files, self._tail = store, which, files, tail
        self._stack = ExitStack()

    def __enter__(self) -> tuple[duckdb.DuckDBPyConnection, str]:
        with ExitStack() as stack:
            connection = stack.enter_context(closed())
            paths = [stack.enter_context(self._store.local(f.key)) for f in self._files]
            sources = [f"SELECT * FROM {parquet(paths)}"] if paths else []
            if self._which == "records":
                connection.register("fresh", table_of(self._tail))
                sources.append("SELECT * FROM fresh")
            else:
                connection.register("fresh", inline_pairs(self._tail))
                sources.append("SELECT * FROM fresh")
                for trace in (Trace.from_dict(e.record) for e in self._tail):
                    if trace.subject_object:
                        path = stack.enter_context(self._store.local(trace.subject_object))
                        sources.append(pairs_of_object(path, trace))
            self._stack = stack.pop_all()
        return connection, f"({' UNION ALL '.join(sources)})"

    def __exit__(self, *error: object) -> None:
        self._stack.close()


def _conditions(wanted: Wanted, scope: Scope) -> tuple[list[str], list[Any]]:
    conditions, values = ['"at" >= ?'], [wanted.low]
    if wanted.high:
        conditions.append('"at" <= ?')
        values.append(wanted.high + _END)
    for name in ("unit", "actor", "resource", "act", "path", "grant", "case_no", "batch"):
        if value := getattr(wanted, name):
            conditions.append(f'"{name}" = ?')
            values.append(value)
    if wanted.after:
        at, _, id = wanted.after.partition("#")
        conditions.append('("at" < ? OR ("at" = ? AND id < ?))')
        values += [at, at, id]
    more: list[Any] = list(values)
    if not scope.everything:
        conditions.append("(list_contains(?::VARCHAR[], unit) OR list_contains(?::VARCHAR[], resource))")
        more += [[u for u in scope.units if u], [r for r in scope.resources if r]]
    return conditions, more


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    relation: Any = connection.sql(sql, params=list(values))
    rows: list[dict[str, Any]] = relation.to_arrow_table().to_pylist()
    return rows


def _table(ids: Sequence[tuple[str, str]]) -> Any:
    import pyarrow as pa

    return pa.table({"id": [id for id, _ in ids]})


def _receipt(trace: Trace, fields: Sequence[str]) -> Receipt:
    kept = tuple(f for f in trace.fields if not fields or f in fields)
    told = {name: getattr(trace, name) for name in Receipt.__slots__}
    return Receipt(**{**told, "fields": kept, "masked": tuple(f for f in trace.masked if f in kept)})
