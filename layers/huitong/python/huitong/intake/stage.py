"""From the columns of a file to the fields of a contract: staging Parquet, in bounded memory (Q-12, Q-14)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Mode
from huitong.intake.cells import Cells
from huitong.intake.columns import Plan, plan_columns
from huitong.intake.profiles import ImportProfile
from huitong.intake.readers.header import Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Table
from huitong.intake.strays import Strays
from huitong.intake.structure import UNKNOWN_FIELDS, Structural, structure_key
from huitong.intake.unread import Unread
from huitong.ports import ObjectStore

#: A file is closed at either limit, so that no step needs to hold more.
ROWS_PER_FILE: Final = 1_000_000
TEXT_BYTES_PER_FILE: Final = 256 * 1024 * 1024
ROWS_PER_GROUP: Final = 128 * 1024
_SAMPLED_ROWS: Final = 4096
_FINDINGS_AT_ONCE: Final = 10_000

#: lz4: staging lives for minutes; measured against zstd level 1 it saves a fifth of the step's CPU.
_COMPRESSION: Final = "lz4"

STRUCTURE_SCHEMA: Final = pa.schema(
    [
        ("batch_id", pa.string()),
        ("resource", pa.string()),
        ("unit", pa.string()),
        ("source_row", pa.int64()),
        ("column", pa.string()),
        ("rule", pa.string()),
        ("criterion", pa.string()),
        ("severity", pa.string()),
        ("value", pa.string()),
        ("zh", pa.string()),
        ("en", pa.string()),
        ("raw", pa.string()),
        ("key", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Staged:
    """``rows`` counts all rows of the file: those in ``keys`` and the ``broken`` ones."""

    keys: tuple[str, ...]
    rows: int
    broken: int
    findings: int


def stage(
    table: Table,
    names: Names,
    contract: Contract,
    profile: ImportProfile | None,
    mode: Mode,
    batch: Batch,
    store: ObjectStore,
    work: Path,
) -> Staged:
    """Write the rows of a table for validation. The same table gives the same objects again.

    Raises UnreadableFile when columns are missing or ambiguous, or there is no row at all.
    """
    plan = plan_columns(table, names, contract, profile, mode)
    strays = _strays(table, plan, contract) if table.header_row else None
    cells = Cells(plan, contract, profile, strays)
    unread = Unread(table, plan)
    findings = _FindingsFile(batch, work, (*table.findings, *plan.findings), _Keys(names, contract, cells))
    parts = _Parts(plan, batch, store, work)
    broken = given = 0
    with findings, parts:
        for block in table.blocks(plan.wanted):
            given += len(block.rows) + sum(f.rule == UNKNOWN_FIELDS for f in block.findings)
            rows = cells.of_block(block)
            broken += sum(f.raw is not None for f in rows.findings)
            findings.add(rows.findings)
            parts.add(rows.batch)
            unread.note(rows.blank)
        for lost in unread.findings():
            broken += len(lost)
            findings.add(lost)
        rows_read = parts.rows + broken
        if given:
            plan.check_named(table.named)
        if rows_read == 0:
            raise _no_rows(batch.filename)
    if findings.count:
        store.put_file(structure_key(batch.resource, batch.id), findings.path)
    return Staged(tuple(parts.keys), rows_read, broken, findings.count)


def _strays(table: Table, plan: Plan, contract: Contract) -> Strays:
    needed = {f.name for f in contract.fields if f.key or (f.required and not plan.deletes)}
    places = frozenset(i for i, name in enumerate(plan.fields) if name in needed)
    return Strays(tuple(table.header[p] for p in plan.wanted), places)


def _no_rows(filename: str) -> Exception:
    return refusal(
        "file.no-rows",
        "文件只有表头,没有数据行",
        "The file has a header and no rows",
        advice=(
            "全量交付若无任何行会删除全部现有数据,因此不予接收;要删除数据请用删除清单(mode=deletion)",
            "A full edition without rows would delete everything; to delete, deliver keys with mode=deletion",
        ),
        file=filename,
    )


@dataclass(slots=True)
class _Parts:
    """Staging files of limited size, each put into the store as soon as it is full."""

    plan: Plan
    batch: Batch
    store: ObjectStore
    work: Path
    keys: list[str] = field(default_factory=list)
    rows: int = 0
    _writer: pq.ParquetWriter | None = None
    _path: Path | None = None
    _in_file: int = 0
    _bytes_in_file: int = 0
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _waiting_rows: int = 0
    _dictionaries: list[str] | None = None

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()  # less than a group is left: add() has written the rest
            self._finish()
        elif self._writer is not None:
            self._writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows == 0:
            return
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.rows += batch.num_rows
        while self._waiting_rows >= ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        """Write one row group; what is more than that waits for the next."""
        if not self._waiting:
            return
        waiting = pa.Table.from_batches(self._waiting)
        group, rest = waiting.slice(0, ROWS_PER_GROUP), waiting.slice(ROWS_PER_GROUP)
        self._waiting, self._waiting_rows = rest.to_batches(), rest.num_rows
        writer = self._writer or self._begin(group)
        writer.write_table(group, row_group_size=ROWS_PER_GROUP)
        self._in_file += group.num_rows
        self._bytes_in_file += group.nbytes
        if self._in_file >= ROWS_PER_FILE or self._bytes_in_file >= TEXT_BYTES_PER_FILE:
            self._finish()

    def _begin(self, group: pa.Table) -> pq.ParquetWriter:
        if self._dictionaries is None:
            self._dictionaries = _repetitive(group)
        self._path = self.work / "staged.parquet"
        self._writer = pq.ParquetWriter(
            self._path,
            group.schema,
            compression=_COMPRESSION,
            use_dictionary=self._dictionaries,
            write_statistics=False,
        )
        self._in_file = self._bytes_in_file = 0
        return self._writer

    def _finish(self) -> None:
        if self._writer is None or self._path is None:
            return
        self._writer.close()
        self._writer = None
        key = f"{self.batch.resource}/{self.batch.id}/staged-{len(self.keys) + 1:04}.parquet"
        self.store.put_file(key, self._path)
        self.keys.append(key)
        self._path.unlink()


def _repetitive(group: pa.Table) -> list[str]:
    """Columns with few distinct values: only those gain from a dictionary."""
    sample = group.slice(0, _SAMPLED_ROWS)
    return [
        name
        for name in group.column_names
        if pa.types.is_string(group.schema.field(name).type)
        and sample.column(name).combine_chunks().dictionary_encode().dictionary.__len__() * 2
        <= sample.num_rows
    ]


@dataclass(frozen=True, slots=True)
class _Keys:
    """Reads the keys of rows that cannot be staged; only findings on those carry cells."""

    names: Names
    contract: Contract
    cells: Cells

    def of(self, findings: Sequence[Structural]) -> list[str | None]:
        """For each finding the texts of the key as a JSON list, None where a part of it is missing."""
        rows = [{self.names.field(column): text for column, text in f.cells} for f in findings]
        columns = {f.name: pa.array([r.get(f.name) for r in rows], pa.string()) for f in self.contract.keys}
        texts = [self.cells.cell(name, column).to_pylist() for name, column in columns.items()]
        return [None if None in k else json.dumps(k, ensure_ascii=False) for k in zip(*texts, strict=True)]


@dataclass(slots=True)
class _FindingsFile:
    """Findings on structure, written as they come: a file of nothing but broken rows fits as well."""

    batch: Batch
    work: Path
    first: Sequence[Structural]
    keys: _Keys
    count: int = 0
    _waiting: list[Structural] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    @property
    def path(self) -> Path:
        return self.work / "structure.parquet"

    def __enter__(self) -> _FindingsFile:
        self.add(self.first)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, findings: Sequence[Structural]) -> None:
        self._waiting.extend(findings)
        self.count += len(findings)
        if len(self._waiting) >= _FINDINGS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, STRUCTURE_SCHEMA, compression=_COMPRESSION)
        rows = [
            {
                "batch_id": self.batch.id,
                "resource": self.batch.resource,
                "unit": self.batch.unit,
                "source_row": f.source_row,
                "column": f.column,
                "rule": f.rule,
                "criterion": f.criterion,
                "severity": f.severity,
                "value": f.value,
                "zh": f.zh,
                "en": f.en,
                "raw": f.raw,
                "key": key,
            }
            for f, key in zip(self._waiting, self.keys.of(self._waiting), strict=True)
        ]
        self._writer.write_table(pa.Table.from_pylist(rows, schema=STRUCTURE_SCHEMA))
        self._waiting.clear()
