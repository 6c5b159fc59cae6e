"""What each table of a query is for its asker: the resource, the state, the access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Field
from huitong.contracts.registry import Contracts
from huitong.errors import NotFound, NotPermitted
from huitong.identity.model import Principal
from huitong.ports import ObjectStore
from huitong.quality.masking import mask_sql
from huitong.query.dialect import invalid
from huitong.query.engine import View
from huitong.query.parse import NAMESPACE, AsOf, TableUse
from huitong.sharing.access import Access, Use
from huitong.sharing.decide import access_for
from huitong.sharing.grants import Grants
from huitong.sharing.names import literal, quoted
from huitong.sharing.projection import (
    CHANGE_COLUMNS,
    CURRENT_COLUMNS,
    granted_fields,
    projection_sql,
    rows_sql,
)
from huitong.tickets.marks import Marks
from huitong.warehouse.publication import Publication, Publications

#: Of findings and quarantine, the newest so many batches can be read by SQL.
NEWEST_BATCHES: Final = 500

_FINDINGS: Final = (
    ("batch_id", "VARCHAR"), ("resource", "VARCHAR"), ("unit", "VARCHAR"), ("source_row", "BIGINT"),
    ("column", "VARCHAR"), ("rule", "VARCHAR"), ("criterion", "VARCHAR"), ("severity", "VARCHAR"),
    ("value", "VARCHAR"), ("zh", "VARCHAR"), ("en", "VARCHAR"),
)  # fmt: skip
_QUARANTINE: Final = (
    ("_batch_id", "VARCHAR"), ("_unit", "VARCHAR"), ("_resource", "VARCHAR"), ("_source_row", "BIGINT"),
    ("_received_at", "VARCHAR"), ("_rules", "VARCHAR[]"),
)  # fmt: skip
_CLEANSED: Final = (
    ("batch_id", "VARCHAR"), ("source_row", "BIGINT"), ("column", "VARCHAR"), ("step", "VARCHAR"),
    ("before", "VARCHAR"), ("after", "VARCHAR"),
)  # fmt: skip
#: What lies beside a batch, for the unit that delivered it and for the operator's desks.
_BESIDE: Final = ("findings", "quarantine", "cleansed")
_HISTORY: Final = (
    ("seq", "BIGINT"), ("batch_id", "VARCHAR"), ("published_at", "VARCHAR"), ("mode", "VARCHAR"),
    ("contract_version", "BIGINT"), ("rows", "BIGINT"), ("inserted", "BIGINT"), ("updated", "BIGINT"),
    ("deleted", "BIGINT"), ("unchanged", "BIGINT"),
)  # fmt: skip
_MARKS: Final = (
    ("_batch_id", "VARCHAR"), ("_source_row", "BIGINT"), ("ticket", "VARCHAR"), ("kind", "VARCHAR"),
    ("fields", "VARCHAR"), ("state", "VARCHAR"), ("since", "VARCHAR"), ("result", "VARCHAR"),
)  # fmt: skip
_MOMENT: Final = (
    "CAST(REPLACE(REPLACE(published_at, 'T', ' '), 'Z', ' UTC') AS TIMESTAMP WITH TIME ZONE) AS published_at"
)
_TABLES: Final = (
    ("table_catalog", "VARCHAR"), ("table_schema", "VARCHAR"), ("table_name", "VARCHAR"),
    ("table_type", "VARCHAR"),
)  # fmt: skip
_COLUMNS: Final = (
    ("table_catalog", "VARCHAR"), ("table_schema", "VARCHAR"), ("table_name", "VARCHAR"),
    ("column_name", "VARCHAR"), ("ordinal_position", "BIGINT"), ("column_default", "VARCHAR"),
    ("is_nullable", "VARCHAR"), ("data_type", "VARCHAR"), ("comment", "VARCHAR"),
)  # fmt: skip
_CATALOG: Final = "awsdatacatalog"
_SYSTEM_TYPES: Final = {"_source_row": "bigint", "_received_at": "timestamp(6) with time zone"}

#: A query that names no ground: enough for what is not personal, and for one's own.
SQL: Final = Use("sql")

Columns = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Readable:
    """One table for one asker. ``fixed`` is a SELECT without a table; ``files`` are staging keys."""

    use: TableUse
    contract: Contract | None = None
    access: Access | None = None
    publication: Publication | None = None
    fixed: str = ""
    files: tuple[str, ...] = ()
    marks: str = ""  # a SELECT of the records under verification, of rows that may not all be the asker's
    hidden: tuple[tuple[str, str], ...] = ()  # columns beside the asker's: (name that nobody knows, field)


class TableSource(Protocol):
    """Local Parquet files of a published table (:func:`huitong.warehouse.reading.relation`)."""

    def relation(
        self, contract: Contract, table: Literal["current", "changes"], snapshot_id: int
    ) -> AbstractContextManager[tuple[str, Sequence[Path]]]: ...


class Resolver:
    """Finds what a table name means for an asker."""

    def __init__(
        self,
        contracts: Contracts,
        grants: Grants,
        publications: Publications,
        batches: Batches,
        marks: Marks | None = None,
    ) -> None:
        self._contracts = contracts
        self._grants = grants
        self._publications = publications
        self._batches = batches
        self._marks = marks

    def resolve(self, use: TableUse, principal: Principal, acting_unit: str, asked: Use = SQL) -> Readable:
        """Raises NotFound, the same for a table that does not exist and one that the asker may not know
        of; NotPermitted for one that it knows of and may not read so."""
        if use.part == "listing":
            return Readable(use, fixed=self._listing(use.name, principal, acting_unit))
        contract, access = self.permitted(use, principal, acting_unit, asked)
        if use.part == "history":
            return Readable(use, contract, access, fixed=self._history(contract, access))
        if use.part in _BESIDE:
            return Readable(use, contract, access, files=self._files(contract.id, use.part))
        published = self._published(contract.id, use.as_of)
        if use.part == "marks":
            return Readable(use, contract, access, published, marks=self._marked(contract, access))
        return Readable(use, contract, access, published)

    def permitted(
        self, use: TableUse, principal: Principal, acting_unit: str, asked: Use = SQL
    ) -> tuple[Contract, Access]:
        """Whose table it is and what the asker may have of it. Raises like :meth:`resolve`."""
        contract = self._contract(use.name)
        access = None
        if contract is not None:
            access = access_for(principal, contract, self._grants, acting_unit=acting_unit, use=asked)
        if contract is None or access is None or not access.fields:
            raise _no_table(use)
        if use.part in _BESIDE:
            _check_rejected(use, access)
        if access.gives == "groups" and use.part not in ("current", "history"):
            zh, en = "只授权统计", "Only statistics are granted"
            raise NotPermitted(zh, en, resource=contract.id, why="statistics")
        return contract, access

    def _contract(self, name: str) -> Contract | None:
        for candidate in dict.fromkeys((name, name.upper())):
            found = self._contracts.find(candidate)
            if found is not None and name in (found.table.lower(), found.id.lower()):
                return found
        return next((c for c in self._contracts.all() if name in (c.table.lower(), c.id.lower())), None)

    def _published(self, resource: str, as_of: AsOf | None) -> Publication | None:
        if as_of is None:
            return self._publications.get(resource)
        if as_of.kind == "time":
            return self._publications.at(resource, moment=as_of.value)
        if not as_of.value.isdigit():
            return self._publications.at(resource, batch_id=as_of.value)
        number = int(as_of.value)
        if number < 1_000_000_000:
            return self._publications.at(resource, seq=number)
        for published in self._publications.list(resource):
            if number in (published.current_snapshot, published.changes_snapshot):
                return published
        raise NotFound("没有该快照", "There is no such snapshot", resource=resource, snapshot=as_of.value)

    def _marked(self, contract: Contract, access: Access) -> str:
        """Records under verification, and results of late, by the rows' places (L-32, C-24). Which ticket it
        is, and of what kind, is its parties' to know: others learn that there is one, of shown fields."""
        rows: list[list[str | int | None]] = []
        for mark in self._marks.of_resource(contract.id) if self._marks else ():
            shown = [name for name in mark.fields if name in access.fields]
            if mark.batch_id and shown:
                told = [mark.ticket if access.owner else None, mark.kind if access.owner else None]
                state = [mark.state, mark.since, mark.result]
                rows.append([mark.batch_id, mark.source_row, *told, " ".join(shown), *state])
        return values_sql(_MARKS, rows)

    def _history(self, contract: Contract, access: Access) -> str:
        # With a row filter, the counts of all rows would tell of rows outside of it.
        open_counts = not access.row_filter and not access.case_no and access.gives == "rows"
        rows = []
        for p in self._publications.list(contract.id):
            counts = [p.counts.get(name) for name in ("inserted", "updated", "deleted", "unchanged")]
            numbers = [p.rows, *counts] if open_counts else [None] * 5
            rows.append([p.seq, p.batch_id, p.published_at, p.mode, p.contract_version, *numbers])
        shown = ", ".join(_MOMENT if name == "published_at" else name for name, _ in _HISTORY)
        return f"SELECT {shown} FROM ({values_sql(_HISTORY, rows)}) AS h"

    def _files(self, resource: str, part: str) -> tuple[str, ...]:
        batches = self._batches.of_resource(resource)
        keys = [{"findings": b.findings, "quarantine": b.quarantine}.get(part, b.cleansing) for b in batches]
        return tuple([key for key in keys if key][:NEWEST_BATCHES])

    def _listing(self, name: str, principal: Principal, acting_unit: str) -> str:
        seen = []
        for contract in self._contracts.all():
            access = access_for(principal, contract, self._grants, acting_unit=acting_unit)
            if access is not None and access.fields:
                seen.append((contract, access))
        if name == "tables":
            rows = [
                [_CATALOG, NAMESPACE, table, "VIEW"]
                for contract, _ in seen
                for table in (contract.table, f"{contract.table}$changes", f"{contract.table}$history")
            ]
            return values_sql(_TABLES, rows)
        listed = [row for contract, access in seen for row in _column_rows(contract, access)]
        return values_sql(_COLUMNS, listed)


def _column_rows(contract: Contract, access: Access) -> Iterator[list[str | int | None]]:
    columns = [(name, _SYSTEM_TYPES.get(name, "varchar"), "") for name in CURRENT_COLUMNS]
    columns += [(f.name, athena_type(f, access), f.title) for f in granted_fields(contract, access)]
    for position, (name, kind, comment) in enumerate(columns, start=1):
        yield [_CATALOG, NAMESPACE, contract.table, name, position, None, "YES", kind, comment]


def athena_type(field: Field, access: Access) -> str:
    """The type by which a field appears to the asker: masked fields are text."""
    if access.masks.get(field.name):
        return "varchar"
    if field.type == "decimal":
        return f"decimal({field.precision or 38},{field.scale})"
    kinds = {"string": "varchar", "integer": "bigint", "timestamp": "timestamp(6) with time zone"}
    return kinds.get(field.type, field.type)


def _check_rejected(use: TableUse, access: Access) -> None:
    """Findings and quarantine are for the unit that must mend them, and, masked, for the operator's desks
    under a duty: what was never published is no part of a grant or a case."""
    if access.owner:
        return
    if access.grant or access.gives != "rows":
        raise _no_table(use)
    if access.case_no:
        zh, en = "待改数据不属于案件,请指明职责", "Rows to be mended are of no case: name a duty"
        raise NotPermitted(zh, en, resource=access.resource, why="case")


def _no_table(use: TableUse) -> NotFound:
    shown = use.name if use.part == "current" else f"{use.name}${use.part}"
    return NotFound(f"没有表 {shown}", f"There is no table {shown}", table=shown)


@contextmanager
def opened(
    readables: Iterable[Readable], source: TableSource, staging: ObjectStore, subjects_key: str = ""
) -> Iterator[list[View]]:
    """The tables as views over local files, which stay while the context lasts.

    Raises what the stores raise; LimitExceeded never.
    """
    with ExitStack() as stack:
        yield [_view(readable, source, staging, stack, subjects_key) for readable in readables]


def _view(
    readable: Readable, source: TableSource, staging: ObjectStore, stack: ExitStack, subjects_key: str
) -> View:
    use, contract, access = readable.use, readable.contract, readable.access
    if readable.fixed:
        return View(use, readable.fixed)
    if contract is None or access is None:
        raise invalid("query.table", "没有该表", "There is no such table")
    if use.part in _BESIDE:
        paths = [stack.enter_context(staging.local(key)) for key in readable.files]
        if use.part in ("findings", "cleansed"):
            columns = _FINDINGS if use.part == "findings" else _CLEANSED
            return View(use, _parquet_sql(columns, paths), tuple(paths))
        return View(use, _quarantine_sql(contract, access, paths), tuple(paths))
    published, evidence = readable.publication, traced(contract)
    if use.part == "changes":
        snapshot = published.changes_snapshot if published else 0
        sql, files = stack.enter_context(source.relation(contract, "changes", snapshot))
        system = (*CHANGE_COLUMNS, *CURRENT_COLUMNS)
        rows = rows_sql(contract, access, sql, evidence, subjects_key)
        shown = projection_sql(
            contract, access, sql, system_columns=system, before=True, subjects_key=subjects_key
        )
        return View(use, shown, tuple(files), contract, rows, evidence)
    snapshot = published.current_snapshot if published else 0
    sql, files = stack.enter_context(source.relation(contract, "current", snapshot))

    if use.part == "marks":
        places = ("_batch_id", "_source_row")
        mine = projection_sql(contract, access, sql, system_columns=places, subjects_key=subjects_key)
        return View(use, marks_sql(readable.marks, mine, places), tuple(files))

    def projected(hidden: Sequence[tuple[str, str]]) -> str:
        return projection_sql(
            contract, access, sql, system_columns=CURRENT_COLUMNS, subjects_key=subjects_key, hidden=hidden
        )

    return View(use, projected(readable.hidden), tuple(files), contract, projected(evidence), evidence)


def marks_sql(marks: str, mine: str, places: Sequence[str]) -> str:
    """Marks of the asker's rows. As in the projection a join alone is no barrier: every column is null until
    its row was found among the asker's, or an error would tell of marks on other rows."""
    names, seen = ", ".join(places), "__huitong_seen"
    own = f"SELECT DISTINCT {names}, TRUE AS {seen} FROM ({mine}) AS r"
    found = f"SELECT * FROM ({marks}) AS m LEFT JOIN ({own}) AS o USING ({names})"
    shown = ", ".join(f"CASE WHEN {seen} THEN {quoted(n)} END AS {quoted(n)}" for n, _ in _MARKS)
    return f"SELECT {shown} FROM ({found}) AS f WHERE {seen}"


def traced(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Keys and persons under names of their own: what evidence of a query is made of."""
    names = dict.fromkeys(f.name for f in (*contract.keys, *contract.subject_fields))
    return tuple((f"__huitong_traced_{n}", name) for n, name in enumerate(names))


def _quarantine_sql(contract: Contract, access: Access, paths: Sequence[Path]) -> str:
    """Rows as they were delivered, all text; masks apply to them as to published ones."""
    fields = granted_fields(contract, access)
    every = [(f.name, "VARCHAR") for f in contract.fields]
    inner = _parquet_sql((*_QUARANTINE, *every), paths)
    columns = [quoted(name) for name, _ in _QUARANTINE]
    columns += [
        f"{mask_sql(access.masks.get(f.name, ''), quoted(f.name))} AS {quoted(f.name)}" for f in fields
    ]
    return f"SELECT {', '.join(columns)} FROM ({inner}) AS q"


def _parquet_sql(columns: Columns, paths: Sequence[Path]) -> str:
    """Files that may lack some columns (null then) and may have others (left out)."""
    empty = "SELECT " + ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns)
    empty += " WHERE FALSE"
    if not paths:
        return empty
    listed = ", ".join(literal(str(path)) for path in paths)
    names = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in columns)
    files = f"SELECT * FROM read_parquet([{listed}], union_by_name = true)"
    return f"SELECT {names} FROM ({empty} UNION ALL BY NAME {files}) AS p"


def values_sql(columns: Columns, rows: Sequence[Sequence[str | int | None]]) -> str:
    """Rows as a SELECT without a table, for DuckDB and Athena alike."""
    names = ", ".join(name for name, _ in columns)
    if not rows:
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns)
        return f"SELECT {empty} WHERE FALSE"
    lines: list[str] = []
    for row in rows:
        cells = [_cell(value) for value in row]
        if not lines:
            cells = [f"CAST({cell} AS {kind})" for cell, (_, kind) in zip(cells, columns, strict=True)]
        lines.append(f"({', '.join(cells)})")
    return f"SELECT {names} FROM (VALUES {', '.join(lines)}) AS v({names})"


def _cell(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else str(int(value))
