"""A validate service over folders and memory, fed with staged rows as intake would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Mode
from huitong.intake.structure import structure_key
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.quality.keys import is_deletes, quarantined_keys_key
from huitong.quality.validate import Validate
from huitong.warehouse.files import DataFileRef

UNIT = "1144030000AA01019J"
BATCH = "b1"
Row = Mapping[str, Any]


@dataclass
class ValidationWorld:
    """``stage`` rows, ``run``, and read what came out."""

    root: Path
    contract: Contract
    register: Any = field(default_factory=MemoryRegister)
    compare_queue: Any = field(default_factory=MemoryQueue)
    events: Any = field(default_factory=MemoryEvents)
    staging: Any = None
    warehouse: Any = None
    office: Any = None

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.staging = self.staging or DiskObjects(self.root / "staging")
        self.warehouse = self.warehouse or DiskObjects(self.root / "warehouse")

    def get(self, id: str, version: int = 0) -> Contract:
        """The world is its own registry of contracts."""
        assert id == self.contract.id
        return self.contract

    @property
    def batches(self) -> Batches:
        return Batches(self.register, self.clock)

    def stage(
        self,
        rows: Sequence[Row],
        *,
        mode: Mode = "full",
        structure: Sequence[Row] = (),
        case_no: str = "",
        files: int = 1,
        group: int = 1000,
        coded: bool = True,
    ) -> None:
        """Register an ingested batch with these rows of text, in one or several files, coded or plain."""
        resource = self.contract.id
        columns = list(dict.fromkeys(name for row in rows for name in row if name != "_source_row"))
        keys = []
        for number in range(files if rows else 0):
            size = -(-len(rows) // files)
            part = rows[number * size : (number + 1) * size]
            table = {c: pa.array([r.get(c) for r in part], pa.string()) for c in columns}
            places = [r.get("_source_row", 2 + number * size + i) for i, r in enumerate(part)]
            table["_source_row"] = pa.array(places, pa.int64())
            keys.append(f"{resource}/{BATCH}/staged-{number:04}.parquet")
            self._write(keys[-1], pa.table(table), group, coded)
        if structure:
            self._write(structure_key(resource, BATCH), _structure(structure), group, coded)
        received = len(rows) + sum(1 for s in structure if s.get("raw") is not None)
        batch = Batch(
            id=BATCH,
            resource=resource,
            unit=UNIT,
            mode=mode,
            status="ingested",
            landing_key="k",
            case_no=case_no,
            received_at="2026-01-05T08:00:00.000Z",
            order="2026-01-05T08:00:00.000Z#k",
            contract_version=1,
            counts=Counts(received=received, unread=received),
            staging=tuple(keys),
        )
        self.batches.create(batch, by="test")

    def run(self) -> Batch:
        service = Validate(
            self.staging,
            self.warehouse,
            self,
            self.batches,
            self.compare_queue,
            self.events,
            self.clock,
            self.office,
        )
        return service.run(BATCH)

    @property
    def batch(self) -> Batch:
        return self.batches.get(BATCH).batch

    def refs(self, *, deletes: bool = False) -> list[DataFileRef]:
        refs = [DataFileRef.from_json(text) for text in self.batch.good]
        return [ref for ref in refs if is_deletes(ref) is deletes]

    def good(self, *, deletes: bool = False) -> list[dict[str, Any]]:
        """Good rows (or keys to delete) of all files, in the order of the source file."""
        rows = [r for ref in self.refs(deletes=deletes) for r in self.table(ref.key).to_pylist()]
        return sorted(rows, key=lambda row: row["_source_row"])

    def table(self, key: str) -> Any:
        with self.warehouse.local(key) as path:
            return pq.read_table(path)

    def findings(self) -> list[dict[str, Any]]:
        return self.staged(self.batch.findings)

    def rules(self) -> list[tuple[int | None, str, str]]:
        """What was found, as (source row, column, rule)."""
        return [(f["source_row"], f["column"], f["rule"]) for f in self.findings()]

    def quarantine(self) -> list[dict[str, Any]]:
        return self.staged(self.batch.quarantine)

    def quarantined_keys(self) -> list[dict[str, Any]]:
        key = quarantined_keys_key(self.batch.quarantine)
        return self.staged(key if self.staging.head(key) else "")

    def staged(self, key: str) -> list[dict[str, Any]]:
        if not key:
            return []
        with self.staging.local(key) as path:
            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def _write(self, key: str, table: Any, group: int, coded: bool) -> None:
        path = self.root / "writing.parquet"
        self.root.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=group, use_dictionary=coded)
        self.staging.put_file(key, path)


def _structure(found: Sequence[Row]) -> Any:
    texts = (
        "batch_id",
        "resource",
        "unit",
        "column",
        "rule",
        "criterion",
        "severity",
        "value",
        "zh",
        "en",
        "raw",
    )
    defaults = {"batch_id": BATCH, "unit": UNIT, "criterion": "structure", "severity": "error", "column": ""}
    rows = [{**defaults, **row} for row in found]
    columns = {name: pa.array([r.get(name) for r in rows], pa.string()) for name in texts}
    columns["source_row"] = pa.array([r.get("source_row") for r in rows], pa.int64())
    return pa.table(columns)
