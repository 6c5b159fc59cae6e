"""The history of :mod:`tests.support.push_world` as Parquet files, as comparison writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.support.push_world import CHANGED_AT, CONTRACT, RESOURCE, State

from huitong.contracts.model import Contract
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.warehouse.arrow_schema import arrow_schema, changes_arrow_schema
from huitong.warehouse.columns import BEFORE, CHANGES, CURRENT
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.local_files import LocalFiles
from huitong.warehouse.publication import Publication, Publications

FIELDS = [f.name for f in CONTRACT.fields]
IDS = {
    name: number
    for number, name in enumerate(
        [
            *(name for name, _ in (*CHANGES, *CURRENT)),
            "_changed_columns.element",
            *FIELDS,
            BEFORE,
            *(f"{BEFORE}.{name}" for name in FIELDS),
        ],
        start=1,
    )
}


class FileLakehouse:
    """What reading needs of a Lakehouse, over files whose lists stand for snapshots."""

    def __init__(self, store: DiskObjects) -> None:
        self.snapshots: dict[tuple[str, int], list[DataFileRef]] = {}
        self.local = LocalFiles(store)
        self.asked: list[tuple[str, int]] = []

    def files(self, contract: Contract, which: str, snapshot_id: int) -> list[DataFileRef]:
        self.asked.append((which, snapshot_id))
        return self.snapshots[which, snapshot_id] if snapshot_id else []

    def field_ids(self, contract: Contract, which: str) -> Mapping[str, int]:
        if which == "changes":
            return IDS
        own = {f.name: f.field_id for f in CONTRACT.fields}
        return {name: n for n, (name, _) in enumerate(CURRENT, start=1)} | own


@dataclass
class Warehouse:
    """Publishes states as files, snapshots and register entries."""

    folder: Path
    last: State = field(default_factory=dict)
    seq: int = 0

    def __post_init__(self) -> None:
        self.store = DiskObjects(self.folder)
        self.register = MemoryRegister()
        self.publications = Publications(self.register)
        self.lakehouse = FileLakehouse(self.store)
        self._log: list[DataFileRef] = []

    def publish(self, state: State) -> int:
        self.seq += 1
        changed = list(_changes(self.last, state, self.seq))
        if changed:
            schema = changes_arrow_schema(CONTRACT, IDS)
            self._log = [*self._log, self._write(f"log/{self.seq}.parquet", changed, schema)]
        rows = [
            {**_origin(self.seq, n, f"b{self.seq}"), **row}
            for n, (_, row) in enumerate(sorted(state.items()), 1)
        ]
        current = [self._write(f"rows/{self.seq}.parquet", rows, arrow_schema(CONTRACT))]
        self.lakehouse.snapshots["changes", self.seq] = self._log
        self.lakehouse.snapshots["current", self.seq] = current
        publication = Publication(
            resource=RESOURCE,
            seq=self.seq,
            batch_id=f"b{self.seq}",
            current_snapshot=self.seq,
            changes_snapshot=self.seq,
            published_at="2026-01-05T08:00:00.000Z",
            rows=len(rows),
            order=f"{self.seq:03}",
            received_high=f"{self.seq:03}",
        )
        entry = self.publications.entry(publication)
        self.register.write(entry.creates, entry.replaces)
        self.last = dict(state)
        return self.seq

    def _write(self, key: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> DataFileRef:
        path = self.folder / "made.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, store_schema=False)
        self.store.put_file(key, path)
        return DataFileRef(key, len(rows), path.stat().st_size)


def _origin(seq: int, n: int, batch: str) -> dict[str, Any]:
    return {
        "_resource": RESOURCE,
        "_unit": CONTRACT.provider,
        "_batch_id": batch,
        "_source_row": n + 1,
        "_received_at": CHANGED_AT,
        "_case_no": None,
    }


def _changes(was: State, now: State, seq: int) -> Iterator[dict[str, Any]]:
    touched = [key for key in sorted({*was, *now}) if was.get(key) != now.get(key)]
    for ordinal, key in enumerate(touched, start=1):
        old, new = was.get(key), now.get(key)
        op = "insert" if old is None else "delete" if new is None else "update"
        changed = [n for n in FIELDS if old and new and old[n] != new[n]]
        yield {
            "_seq": seq,
            "_ordinal": ordinal,
            "_op": op,
            "_changed_columns": changed,
            "_changed_at": CHANGED_AT,
            **_origin(seq, ordinal, f"b{seq}"),
            **(new or old or {}),
            BEFORE: old,
        }
