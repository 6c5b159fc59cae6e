"""Good rows on their way into the warehouse: system columns, partitions, files (Q-01, L-34)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Field
from huitong.errors import LimitExceeded
from huitong.ports import ObjectStore
from huitong.quality.check import Rows
from huitong.quality.files import ParquetFiles
from huitong.quality.keys import deletes_key, part_key
from huitong.quality.staged import SOURCE_ROW
from huitong.quality.typed import arrow_type
from huitong.warehouse.buckets import WHOLE, Bucket, number_sql
from huitong.warehouse.columns import CURRENT, FIRST_FIELD_ID
from huitong.warehouse.files import DataFileRef

MAX_PARTITIONS: Final = 500
#: Rows of all partitions together that wait in memory until they make row groups worth writing.
_WAITING_ROWS: Final = 262_144
#: Of so many key buckets' rows; for more of them, more rows wait.
_FEW_BUCKETS: Final = 16

_SYSTEM_TYPES: Final = {
    "string": pa.string(),
    "integer": pa.int64(),
    "timestamp": pa.timestamp("us", "UTC"),
}
Columns = dict[str, Any]
_Place = tuple[tuple[str | None, ...], Bucket]
#: Files open at once, each with its writer's memory.
_MOST_FILES: Final = 256


def constant(value: str | None, rows: int) -> Any:
    """A column that says the same in each row, at the cost of one value."""
    if value is None:
        return pa.nulls(rows, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array([value]))


def field_ids(contract: Contract) -> dict[str, int]:
    """Iceberg ids of the columns of the current table."""
    ids = {name: place for place, (name, _) in enumerate(CURRENT, start=1)}
    for place, f in enumerate(contract.fields):
        ids[f.name] = f.field_id or FIRST_FIELD_ID + place
    return ids


@dataclass
class GoodRows:
    """Writes the good rows of one batch. ``refs`` after :meth:`close`."""

    batch: Batch
    contract: Contract
    store: ObjectStore
    folder: Path
    buckets: int = 1  # of keys: each file has rows of one of them (huitong.warehouse.buckets)
    rows: int = 0
    _parts: dict[_Place, ParquetFiles] = field(default_factory=dict)
    _waiting: dict[tuple[str | None, ...], list[Columns]] = field(default_factory=dict)
    _waiting_rows: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._ids = field_ids(self.contract)
        self._types = {name: _SYSTEM_TYPES[kind] for name, kind in CURRENT}
        self._types |= {f.name: arrow_type(f) for f in self.contract.fields}
        self._received = datetime.fromisoformat(self.batch.received_at)
        deletes = itertools.count()
        keys = self.contract.keys
        self._deletes = ParquetFiles(
            self.store,
            self.folder,
            lambda: deletes_key(self.contract.table, self.batch.id, next(deletes)),
            {SOURCE_ROW: pa.int64(), **{f.name: arrow_type(f) for f in keys}},
            self._ids,
        )

    def add(self, published: Mapping[str, Any], source_rows: Any, chosen: Rows | None) -> None:
        """Append these rows of a block; ``chosen`` None = all."""
        columns: Columns = {SOURCE_ROW: source_rows, **published}
        if chosen is not None:
            columns = take(columns, chosen)
        rows = len(columns[SOURCE_ROW])
        if not rows:
            return
        self.rows += rows
        columns |= self._system(columns, rows)
        if not self.contract.partitions and self.buckets == 1:
            self._files((), WHOLE).add(columns)
            return
        for partition, places in self._by_partition(columns):
            part = columns if len(places) == rows else take(columns, places)
            self._waiting.setdefault(partition, []).append(part)
        self._waiting_rows += rows
        if self._waiting_rows >= _WAITING_ROWS * (1 if self.buckets <= _FEW_BUCKETS else 4):
            self._flush()

    def add_deletes(self, published: Mapping[str, Any], source_rows: Any, chosen: Rows) -> None:
        """Append keys to delete."""
        names = [f.name for f in self.contract.keys]
        columns: Columns = {SOURCE_ROW: source_rows, **{n: published[n] for n in names}}
        self.rows += len(chosen)
        self._deletes.add(take(columns, chosen))

    def close(self) -> list[DataFileRef]:
        """Finish all files and put them in the store."""
        self._flush()
        refs = [ref for files in self._parts.values() for ref in files.close()]
        return [*refs, *self._deletes.close()]

    def abandon(self) -> None:
        for files in (*self._parts.values(), self._deletes):
            files.abandon()

    def _files(self, partition: tuple[str | None, ...], bucket: Bucket) -> ParquetFiles:
        found = self._parts.get((partition, bucket))
        if found is None:
            if len({known for known, _ in self._parts} - {partition}) >= MAX_PARTITIONS:
                raise LimitExceeded(
                    f"批次 {self.batch.id} 的分区超过 {MAX_PARTITIONS} 个,请修改数据契约的分区项",
                    f"Batch {self.batch.id} falls into more than {MAX_PARTITIONS} partitions: "
                    "change the partition columns of the contract",
                    batch=self.batch.id,
                )
            found = self._parts[partition, bucket] = ParquetFiles(
                self.store,
                self.folder,
                lambda: part_key(self.contract.table, self.batch.id, next(self._numbers), bucket),
                self._types,
                self._ids,
                measured=[f.name for f in (*self.contract.keys, *self.contract.partitions)],
                partition=partition,
            )
        return found

    def _system(self, columns: Columns, rows: int) -> Columns:
        case = self.contract.case_field
        received = pa.repeat(pa.scalar(self._received, pa.timestamp("us", "UTC")), rows)
        return {
            "_resource": constant(self.batch.resource, rows),
            "_unit": constant(self.batch.unit, rows),
            "_batch_id": constant(self.batch.id, rows),
            "_received_at": received,
            "_case_no": self._case(columns.get(case) if case else None, rows),
        }

    def _case(self, column: Any, rows: int) -> Any:
        declared = self.batch.case_no or None
        if column is None:
            return constant(declared, rows)
        if declared is None or column.null_count == 0:
            return column
        return pc.coalesce(column.cast(pa.string()), pa.scalar(declared))

    def _by_partition(self, columns: Columns) -> list[tuple[tuple[str | None, ...], Rows]]:
        if not self.contract.partitions:
            return [((), np.arange(len(columns[SOURCE_ROW])))]
        combined = np.zeros(len(columns[SOURCE_ROW]), dtype=np.int64)
        values: list[list[str | None]] = []
        for f in self.contract.partitions:
            coded = _partition_texts(columns[f.name]).dictionary_encode(null_encoding="encode")
            combined = combined * len(coded.dictionary) + coded.indices.to_numpy()
            values.append(coded.dictionary.to_pylist())
        numbers, inverse = np.unique(combined, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        places = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
        return [(_unpack(int(n), values), p) for n, p in zip(numbers, places, strict=True)]

    def _flush(self) -> None:
        if not self._parts and self._waiting:  # the first time: many partitions are cut into fewer buckets
            while self.buckets > 1 and self.buckets * len(self._waiting) > _MOST_FILES:
                self.buckets //= 2
        for partition, parts in self._waiting.items():
            joined = join(parts)
            if self.buckets == 1:
                self._files(partition, WHOLE).add(joined)
                continue
            for number, places in enumerate(by_bucket(joined, self.contract.keys, self.buckets)):
                if len(places):
                    self._files(partition, Bucket(number, self.buckets)).add(take(joined, places))
        self._waiting.clear()
        self._waiting_rows = 0


def by_bucket(columns: Columns, keys: Sequence[Field], buckets: int) -> list[Rows]:
    """Positions of the rows of each key bucket, ascending."""
    import duckdb

    table = pa.table({f.name: columns[f.name] for f in keys})
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("keys", table)
        numbers = connection.sql(f"SELECT {number_sql(keys, buckets)}::INTEGER FROM keys").fetchnumpy()
    (found,) = numbers.values()
    order = np.argsort(found, kind="stable")
    return list(np.split(order, np.cumsum(np.bincount(found, minlength=buckets))[:-1]))


def _partition_texts(column: Any) -> Any:
    """Values as warehouse.data_files writes them: moments as ISO 8601 with an offset."""
    texts = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        texts = pc.replace_substring_regex(texts, r"^(\S+) (\S+?)(\.0+)?Z$", r"\1T\2+00:00")
    return texts


def _unpack(number: int, values: Sequence[list[str | None]]) -> tuple[str | None, ...]:
    picked: list[str | None] = []
    for listed in reversed(values):
        number, place = divmod(number, len(listed))
        picked.append(listed[place])
    return tuple(reversed(picked))


def take(columns: Columns, rows: Rows) -> Columns:
    chosen = pa.array(rows, pa.int64())
    return {name: array.take(chosen) for name, array in columns.items()}


def join(parts: Sequence[Columns]) -> Columns:
    """Blocks one after the other; dictionaries of different blocks become one."""
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name in parts[0]:
        chunks = [part[name] for part in parts]
        if any(pa.types.is_dictionary(c.type) for c in chunks):
            plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in chunks]
            joined[name] = pa.concat_arrays(plain).dictionary_encode()
        else:
            joined[name] = pa.concat_arrays(chunks)
    return joined
