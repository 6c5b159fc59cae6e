"""Resources with a history for tests of queries: real register, real Parquet files, no cloud, no catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.support.grounds import DUTY, KnownGrounds

from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Field
from huitong.identity.model import Principal
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.ports import timestamp
from huitong.query.limits import Limits
from huitong.query.readable import Resolver
from huitong.query.run import DuckDbEngine, Queries
from huitong.sharing.access import Use
from huitong.sharing.grants import Grant, Grants
from huitong.warehouse.publication import Publication, Publications

#: For what these tests ask unless they say otherwise.
FOR_DUTY = Use("sql", duty=DUTY)

OWNER, OTHER = "91440300OWNER00001", "91440300OTHER00002"
Row = Mapping[str, Any]

PEOPLE = Contract(
    id="IN-91",
    version=1,
    title="人员",
    table="in_91",
    provider=OWNER,
    case_field="case_no",
    fields=(
        Field("id_no", title="证件号码", key=1, level="L4", mask="id", field_id=7),
        Field("name", level="L3", mask="name", field_id=8),
        Field("area", field_id=9),
        Field("amount", type="decimal", precision=12, scale=2, level="L3", field_id=10),
        Field("born", type="date", field_id=11),
        Field("seen", type="timestamp", field_id=12),
        Field("visits", type="integer", field_id=13),
        Field("case_no", field_id=14),
    ),
)
SECRETS = Contract(
    id="IN-92",
    version=1,
    title="不予共享",
    table="in_92",
    provider=OWNER,
    share_type="3",
    fields=(Field("k", key=1, field_id=7), Field("v", field_id=8)),
)


def person(n: int, **changes: Any) -> dict[str, Any]:
    """A row whose every cell is its own: what turns up somewhere can be traced to its cell."""
    row = {
        "id_no": f"4403001990010{n:05}",
        "name": f"张人{n:03}",
        "area": ("福田区", "南山区")[n % 2],
        "amount": Decimal(f"{1000 + n}.50"),
        "born": date(1990, 1, 1 + n % 28),
        "seen": datetime(2026, 1, 1, 8, n % 60, tzinfo=UTC),
        "visits": n,
        "case_no": f"(2026)粤03破{n}号",
    }
    return {**row, **changes}


def owner() -> Principal:
    return Principal("p-owner", OWNER, frozenset({"source"}))


def other() -> Principal:
    return Principal("p-other", OTHER, frozenset({"consumer"}))


def officer() -> Principal:
    return Principal("p-officer", "91440300ADMIN00003", frozenset({"officer"}))


@dataclass
class StaticContracts:
    """Contracts that are simply there; the registry's reading side."""

    known: Sequence[Contract]

    def find(self, id: str, version: int = 0) -> Contract | None:
        return next((c for c in self.known if c.id == id), None)

    def all(self) -> list[Contract]:
        return list(self.known)


class World:
    def __init__(self, root: Path, *contracts: Contract) -> None:
        self.clock = ManualClock()
        self.register = MemoryRegister()
        self.staging = DiskObjects(root / "staging")
        self.publications = Publications(self.register)
        self.grounds = KnownGrounds()
        self.grants = Grants(self.register, self.clock, self.grounds)
        self.batches = Batches(self.register, self.clock)
        self.contracts = StaticContracts(contracts or (PEOPLE, SECRETS))
        self._root = root
        self._rows: dict[str, list[Row]] = {}
        self._log: dict[str, list[Row]] = {}
        resolver = Resolver(self.contracts, self.grants, self.publications, self.batches)
        self.resolver = resolver
        self.queries = Queries(
            self.register, self.staging, resolver, DuckDbEngine(self, self.staging), self.clock
        )

    def grant(self, contract: Contract = PEOPLE, unit: str = OTHER, **given: Any) -> Grant:
        """A grant for :data:`~tests.support.grounds.DUTY`, by two persons, unless said otherwise."""
        ground = {} if given.get("case_no") else {"duty": DUTY}
        grant = Grant(unit, contract.id, **{"seconded_by": "second", **ground, **given})
        return self.grants.put(grant, contract, by="test")

    def publish(self, contract: Contract, rows: Sequence[Row]) -> Publication:
        """The next edition of a resource: its current rows and the changes that lead to them."""
        key = contract.keys[0].name
        before = {r[key]: r for r in self._rows.get(contract.id, [])}
        after = {r[key]: r for r in rows}
        now = self.publications.get(contract.id)
        seq = now.seq + 1 if now else 1
        batch = f"b{contract.table}{seq:04}"
        self.clock.advance(hours=1)
        ops = []
        for k in sorted(before.keys() | after.keys()):
            old, new = before.get(k), after.get(k)
            if old is None:
                ops.append(("insert", new, None, []))
            elif new is None:
                ops.append(("delete", old, old, []))
            elif new != old:
                names = [f.name for f in contract.fields if new.get(f.name) != old.get(f.name)]
                ops.append(("update", new, old, names))
        at = self.clock.now()
        log = self._log.setdefault(contract.id, [])
        for n, (op, row, old, changed) in enumerate(ops, start=1):
            system = {"_seq": seq, "_ordinal": n, "_op": op, "_changed_columns": changed, "_changed_at": at}
            log.append({**self._system(contract, batch, n, row), **row, **system, "_before": old})
        self._rows[contract.id] = list(rows)
        current = [{**self._system(contract, batch, n, r), **r} for n, r in enumerate(rows, start=2)]
        self._write(contract, "current", seq, current)
        self._write(contract, "changes", seq, log)
        counts = {
            "inserted": sum(op == "insert" for op, *_ in ops),
            "updated": sum(op == "update" for op, *_ in ops),
            "deleted": sum(op == "delete" for op, *_ in ops),
            "unchanged": len(rows) - sum(op in ("insert", "update") for op, *_ in ops),
        }
        moment = timestamp(at)
        published = Publication(
            contract.id, seq, batch, _snapshot(seq, "current"), _snapshot(seq, "changes"), moment,
            len(rows), moment, moment, contract_version=1, counts=counts,
        )  # fmt: skip
        entry = self.publications.entry(published)
        self.register.write(entry.creates, entry.replaces)
        return published

    def reject(
        self, contract: Contract, findings: Sequence[Row], rows: Sequence[Row], id: str = "b1"
    ) -> None:
        """A batch with findings and quarantined rows."""
        for name, table in (("findings", findings), ("quarantine", rows)):
            path = self._root / f"{id}-{name}.parquet"
            pq.write_table(pa.Table.from_pylist(list(table)), path)
            self.staging.put_file(f"{contract.id}/{id}/{name}.parquet", path)
        prefix = f"{contract.id}/{id}"
        batch = Batch(
            id=id, resource=contract.id, unit=contract.provider, mode="full", status="received",
            landing_key="k", order=id, findings=f"{prefix}/findings.parquet",
            quarantine=f"{prefix}/quarantine.parquet",
        )  # fmt: skip
        self.batches.create(batch, by="test")

    def ask(
        self,
        who: Principal,
        sql: str,
        *,
        acting_unit: str = "",
        limits: Limits | None = None,
        use: Use = FOR_DUTY,
    ) -> list[dict[str, Any]]:
        """All rows of a query's result, as JSON has them."""
        result = self.queries.run(who, sql, acting_unit=acting_unit, limits=limits, use=use)
        rows: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self.queries.page(result.id, who, after=after)
            rows += page.rows
            after = page.next
        return rows

    @contextmanager
    def relation(
        self, contract: Contract, table: str, snapshot_id: int
    ) -> Iterator[tuple[str, Sequence[Path]]]:
        if not snapshot_id:
            schema = _schema(contract, table)
            path = self._root / f"{contract.table}-{table}-0.parquet"
            pq.write_table(schema.empty_table(), path)
        else:
            path = self._root / f"{contract.table}-{table}-{snapshot_id}.parquet"
        yield f"SELECT * FROM read_parquet('{path}')", [path]

    def _write(self, contract: Contract, table: str, seq: int, rows: Sequence[Row]) -> None:
        path = self._root / f"{contract.table}-{table}-{_snapshot(seq, table)}.parquet"
        schema = _schema(contract, table)
        pq.write_table(pa.Table.from_pylist([dict(r) for r in rows], schema=schema), path)

    def _system(self, contract: Contract, batch: str, n: int, row: Row) -> dict[str, Any]:
        return {
            "_resource": contract.id, "_unit": contract.provider, "_batch_id": batch, "_source_row": n,
            "_received_at": self.clock.now(), "_case_no": row.get(contract.case_field, ""),
        }  # fmt: skip


def _snapshot(seq: int, table: str) -> int:
    return 8_000_000_000_000_000_000 + seq * 10 + (table == "changes")


_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def _schema(contract: Contract, table: str) -> pa.Schema:
    own = [
        (f.name, pa.decimal128(f.precision, f.scale) if f.type == "decimal" else _TYPES[f.type])
        for f in contract.fields
    ]
    system: list[tuple[str, pa.DataType]] = [
        ("_resource", pa.string()), ("_unit", pa.string()), ("_batch_id", pa.string()),
        ("_source_row", pa.int64()), ("_received_at", _TYPES["timestamp"]), ("_case_no", pa.string()),
    ]  # fmt: skip
    if table == "current":
        return pa.schema(system + own)
    changes: list[tuple[str, pa.DataType]] = [
        ("_seq", pa.int64()), ("_ordinal", pa.int64()), ("_op", pa.string()),
        ("_changed_columns", pa.list_(pa.string())), ("_changed_at", _TYPES["timestamp"]),
    ]  # fmt: skip
    return pa.schema(changes + system + own + [("_before", pa.struct(own))])
