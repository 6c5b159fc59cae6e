"""A resource with validated batches for tests of comparison and warehouse: real tables on disk, no cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from huitong.batches.failure import Failures
from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.batches.runs import Runs
from huitong.comparison.commit import CommitComparison
from huitong.comparison.compare import Compare
from huitong.comparison.decide import Hold
from huitong.comparison.fan_out import FanOut
from huitong.comparison.part import ComparePart
from huitong.comparison.publishing import Publishing
from huitong.contracts.model import Contract, Field, Mode
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.local.workflows import MemoryWorkflows
from huitong.ports import timestamp
from huitong.quality.keys import QUARANTINED_KEYS, deletes_key, part_key, staging_key
from huitong.warehouse.arrow_schema import arrow_schema, arrow_type
from huitong.warehouse.buckets import Bucket, bucket_of, number_sql
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.lakehouse import Lakehouse, Which
from huitong.warehouse.publication import Publications
from huitong.warehouse.reading import relation

UNIT = "91440300SOURCE0001"
Row = Mapping[str, Any]

CLAIMS = Contract(
    id="IN-90",
    version=1,
    title="债权",
    table="in_90",
    provider=UNIT,
    case_field="case_no",
    fields=(
        Field("claim_no", key=1, field_id=7),
        Field("creditor", level="L3", mask="name", field_id=8),
        Field("amount", type="decimal", precision=12, scale=2, field_id=9),
        Field("filed", type="date", field_id=10),
        Field("case_no", field_id=11),
    ),
)


def grown(contract: Contract, *more: Field) -> Contract:
    """The next version with further columns at the end."""
    first = max(f.field_id for f in contract.fields) + 1
    added = tuple(replace(f, field_id=first + n) for n, f in enumerate(more))
    return replace(contract, version=contract.version + 1, fields=(*contract.fields, *added))


def claim(n: int, **changes: Any) -> dict[str, Any]:
    row = {
        "claim_no": f"C{n:04}",
        "creditor": f"张{n}",
        "amount": Decimal(f"{n}.50"),
        "filed": date(2026, 1, 1 + n % 28),
        "case_no": "(2026)粤03破1号",
    }
    return {**row, **changes}


def counts(batch: Any) -> dict[str, int]:
    shown = asdict(batch.counts)
    return {k: shown[k] for k in ("inserted", "updated", "deleted", "unchanged", "withheld", "retained")}


def of(
    inserted: int = 0, updated: int = 0, deleted: int = 0, unchanged: int = 0, **more: int
) -> dict[str, int]:
    return {
        "inserted": inserted, "updated": updated, "deleted": deleted, "unchanged": unchanged,
        "withheld": 0, "retained": 0, **more,
    }  # fmt: skip


class KnownContracts:
    """Stands for the contract registry: the latest version of each."""

    def __init__(self, *contracts: Contract) -> None:
        self.by_id = {c.id: c for c in contracts}

    def get(self, id: str, version: int = 0) -> Contract:
        return self.by_id[id]


def sqlite_catalog(root: Path) -> Callable[[], Any]:
    def catalog() -> Any:
        from pyiceberg.catalog.sql import SqlCatalog

        root.mkdir(parents=True, exist_ok=True)
        return SqlCatalog("test", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}/warehouse")

    return catalog


@dataclass
class CompareWorld:
    root: Path
    contract: Contract = CLAIMS
    clock: ManualClock = field(default_factory=ManualClock)
    register: Any = field(default_factory=MemoryRegister)
    events: Any = field(default_factory=MemoryEvents)
    push_queue: Any = field(default_factory=MemoryQueue)
    compare_queue: Any = field(default_factory=MemoryQueue)
    workflows: Any = field(default_factory=MemoryWorkflows)
    fan_out_rows: int = 0  # 0 = every comparison is done by one function

    def __post_init__(self) -> None:
        self.warehouse: Any = DiskObjects(self.root / "warehouse")
        self.staging: Any = DiskObjects(self.root / "staging")
        self.catalog = sqlite_catalog(self.root)
        self.contracts = KnownContracts(self.contract)
        self.landed = 0
        self.connect()

    def connect(self) -> None:
        """Build the services on the ports as they are now."""
        self.batches = Batches(self.register, self.clock)
        self.publications = Publications(self.register)
        self.lakehouse = Lakehouse(self.catalog, "test", self.warehouse)
        self.compare = self.comparing(fan_out=self._fan_out() if self.fan_out_rows else None)
        self.part = ComparePart(self.warehouse, self.staging, self.contracts)
        publishing = Publishing(self.lakehouse, self.batches, self.publications, self.push_queue, self.events)
        self.commit = CommitComparison(
            self.staging, self.contracts, Runs(self.register), publishing, self.compare_queue, self.clock
        )
        self.hold = Hold(self.batches, self.compare_queue, self.events)

    def comparing(self, **where: Any) -> Compare:
        """The service on the ports as they are now; ``where`` is computed, if not by it alone."""
        return Compare(
            warehouse=self.warehouse,
            staging=self.staging,
            lakehouse=self.lakehouse,
            contracts=self.contracts,  # type: ignore[arg-type]
            batches=self.batches,
            publications=self.publications,
            push_queue=self.push_queue,
            compare_queue=self.compare_queue,
            events=self.events,
            clock=self.clock,
            **where,
        )

    def _fan_out(self) -> FanOut:
        failures = Failures(self.batches, self.events, self.compare_queue)
        runs = Runs(self.register)
        return FanOut(runs, self.workflows, self.staging, failures, self.clock, self.fan_out_rows)

    def machine(self, given: Mapping[str, Any]) -> None:
        """What the state machine does: all parts, then the commit."""
        for item in json.loads(self.staging.read(given["items"])):
            self.part.run(given["plan"], item["number"])
        self.commit.run(given["plan"])

    def use(self, contract: Contract) -> None:
        self.contract = self.contracts.by_id[contract.id] = contract

    # --- deliveries --------------------------------------------------------

    def land(
        self,
        rows: Sequence[Row] = (),
        *,
        mode: Mode = "full",
        deletes: Sequence[Row] = (),
        quarantined: Sequence[Row] = (),
        keyless: int = 0,
        status: str = "validated",
        order: int = 0,
        contract: Contract | None = None,
        cut: int = 1,
    ) -> str:
        """A batch as validation leaves it; its id. ``order`` places its landing, else it is the newest.

        ``cut`` is the number of key buckets that its files are of.
        """
        contract = contract or self.contract
        self.landed += 1
        place = order or self.landed * 10
        id = f"b{self.landed:031}"
        at = timestamp(self.clock.now() + timedelta(seconds=place))
        received = len(rows) + len(deletes) + len(quarantined)
        accepted = len(rows) + len(deletes)
        keys = staging_key(contract.id, id, QUARANTINED_KEYS)
        if quarantined:
            path = self.staging._path(keys)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(self._keys(contract, quarantined), path)
        batch = Batch(
            id=id,
            resource=contract.id,
            unit=UNIT,
            mode=mode,
            status="validated" if status == "held" else status,  # type: ignore[arg-type]
            landing_key=f"{UNIT}/{contract.id}/u{place}/f.csv",
            received_at=at,
            order=f"{at}#{place:06}",
            contract_version=contract.version,
            counts=Counts(
                received=received, accepted=accepted, quarantined=len(quarantined), withheld=accepted
            ),
            good=tuple(r.to_json() for r in self._good(contract, id, at, rows, deletes, cut)),
            quarantine=staging_key(contract.id, id, "quarantine.parquet") if quarantined else "",
            held_keys=len(quarantined),
            keyless=keyless,
        )
        self.batches.create(batch, by="test")
        return id

    def deliver(self, rows: Sequence[Row] = (), **how: Any) -> Batch:
        """Land a batch and compare; the batch as it ended."""
        id = self.land(rows, **how)
        self.compare.run(self.contract.id)
        self.workflows.work_off(self.machine)
        return self.batch(id)

    def batch(self, id: str) -> Batch:
        return self.batches.get(id).batch

    def _good(
        self, contract: Contract, id: str, at: str, rows: Sequence[Row], deletes: Sequence[Row], cut: int
    ) -> list[DataFileRef]:
        partitions = [f.name for f in contract.partitions]
        buckets = self._buckets(contract, rows, cut)
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for number, row in enumerate(rows, start=2):
            system = {
                "_resource": contract.id, "_unit": UNIT, "_batch_id": id, "_source_row": number,
                "_received_at": at, "_case_no": row.get(contract.case_field),
            }  # fmt: skip
            place = (buckets[number - 2], *(row.get(p) for p in partitions))
            groups.setdefault(place, []).append({**system, **row})
        found = []
        for number, ((bucket, *values), group) in enumerate(groups.items()):
            table = pa.Table.from_pylist(_timed(group), schema=arrow_schema(contract))
            partition = tuple(None if v is None else str(v) for v in values)
            key = part_key(contract.table, id, number, Bucket(bucket, cut))
            found.append(self._put(key, table, partition))
        if deletes:
            numbered = [{"_source_row": n + 2 + len(rows), **row} for n, row in enumerate(deletes)]
            keys = self._keys(contract, numbered)
            table = keys.append_column(
                "_source_row", pa.array([r["_source_row"] for r in numbered], pa.int64())
            )
            found.append(self._put(deletes_key(contract.table, id, 0), table, ()))
        return found

    def _buckets(self, contract: Contract, rows: Sequence[Row], cut: int) -> list[int]:
        keys = self._keys(contract, rows)
        with duckdb.connect() as db:
            db.register("keys", keys)
            return [
                int(n) for (n,) in db.sql(f"SELECT {number_sql(contract.keys, cut)} FROM keys").fetchall()
            ]

    def check_files(self) -> None:
        """Every row of the current table is in a file of its bucket, as the file's name says."""
        publication = self.publications.at(self.contract.id)
        for ref in self.lakehouse.files(self.contract, "current", publication.current_snapshot):
            bucket = bucket_of(ref.key)
            keys = pq.read_table(self.warehouse._path(ref.key))
            assert set(self._buckets(self.contract, keys.to_pylist(), bucket.of)) == {bucket.number}

    def _keys(self, contract: Contract, rows: Sequence[Row]) -> pa.Table:
        schema = pa.schema([pa.field(f.name, arrow_type(f)) for f in contract.keys])
        return pa.Table.from_pylist([{f.name: r[f.name] for f in contract.keys} for r in rows], schema=schema)

    def _put(self, key: str, table: pa.Table, partition: tuple[str | None, ...]) -> DataFileRef:
        path = self.root / "part.parquet"
        pq.write_table(table, path, compression="zstd", store_schema=False)
        self.warehouse.put_file(key, path)
        return DataFileRef(key, table.num_rows, path.stat().st_size, partition)

    # --- what came of it ---------------------------------------------------

    def read(self, which: Which = "current", seq: int = 0, order: str = "") -> list[dict[str, Any]]:
        """The rows of a table as of a publication, the present one by default, through DuckDB."""
        publication = self.publications.at(self.contract.id, seq=seq)
        snapshot = publication.current_snapshot if which == "current" else publication.changes_snapshot
        with relation(self.warehouse, self.lakehouse, self.contract, which, snapshot) as (sql, _):
            order = order or ("_seq, _ordinal" if which == "changes" else self.contract.keys[0].name)
            with duckdb.connect() as db:
                db.execute("SET TimeZone = 'UTC'")
                return db.sql(f"SELECT * FROM ({sql}) ORDER BY {order}").to_arrow_table().to_pylist()

    def rows(self, seq: int = 0) -> list[dict[str, Any]]:
        """The contract's fields of the current rows, without system columns."""
        return [{f.name: row[f.name] for f in self.contract.fields} for row in self.read("current", seq)]

    def commits(self, which: Which) -> list[str]:
        """Batch ids of all snapshots of a table, published or not."""
        name = self.contract.table if which == "current" else f"{self.contract.table}__changes"
        table = self.catalog().load_table(f"test.{name}")
        return [s.summary["huitong.batch-id"] for s in table.snapshots()]


def _timed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    from datetime import datetime

    return [{**r, "_received_at": datetime.fromisoformat(r["_received_at"])} for r in rows]
