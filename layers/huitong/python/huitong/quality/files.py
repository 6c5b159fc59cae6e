"""Writing Parquet of any size: one row group a block, local only while a file is open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef

FILE_ROWS: Final = 1_000_000  # after so many rows a new file begins
COMPRESSION: Final = "zstd"
LEVEL: Final = 1


@dataclass
class ParquetFiles:
    """A series of Parquet files with one schema.

    ``types`` are the columns' types in order; ``field_ids`` their Iceberg ids.
    Columns that come as dictionaries are written as such, the others plain.
    ``key`` names the n-th file; an empty series leaves no file. What is put bears the digest of its content
    in its name: another attempt with another outcome cannot change a file that was decided on.
    """

    store: ObjectStore
    folder: Path
    key: Callable[[], str]
    types: Mapping[str, Any]
    field_ids: Mapping[str, int] = field(default_factory=dict)
    measured: Sequence[str] = ()  # text columns with minimum and maximum in the footer; all others have them
    partition: tuple[str | None, ...] = ()
    file_rows: int = FILE_ROWS  # 0 = everything in one file
    addressed: bool = True
    written: list[DataFileRef] = field(default_factory=list)
    _writer: Any = None
    _schema: Any = None
    _path: Path | None = None
    _name: str = ""
    _rows: int = 0

    def add(self, columns: Mapping[str, Any]) -> None:
        """Append rows: arrays of one length by column name."""
        rows = len(next(iter(columns.values())))
        if not rows:
            return
        if self._writer is None:
            self._open(columns)
        arrays = [_as(columns[f.name], f.type) for f in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=rows)
        self._rows += rows
        if self.file_rows and self._rows >= self.file_rows:
            self.close()

    def close(self, name: str = "") -> list[DataFileRef]:
        """Finish the open file and put it in the store, under ``name`` if given. Returns all files so far."""
        if self._writer is not None and self._path is not None:
            self._writer.close()
            size = self._path.stat().st_size
            name = name or (_addressed(self._name, self._path) if self.addressed else self._name)
            self.store.put_file(name, self._path, content_type="application/vnd.apache.parquet")
            self._path.unlink()
            self.written.append(DataFileRef(name, self._rows, size, self.partition))
            self._writer, self._path, self._rows = None, None, 0
        return self.written

    def abandon(self) -> None:
        """Close without keeping what was not put yet."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _open(self, columns: Mapping[str, Any]) -> None:
        fields = []
        for name, kind in self.types.items():
            coded = pa.types.is_dictionary(columns[name].type)
            notes = {"PARQUET:field_id": str(self.field_ids[name])} if name in self.field_ids else None
            fields.append(pa.field(name, pa.dictionary(pa.int32(), kind) if coded else kind, metadata=notes))
        self._schema = pa.schema(fields)
        self._name = self.key()
        self._path = self.folder / self._name.replace("/", "_")
        self._writer = pq.ParquetWriter(
            self._path,
            self._schema,
            compression=COMPRESSION,
            compression_level=LEVEL,
            use_dictionary=[f.name for f in fields if _worth_coding(f)],
            write_statistics=[f.name for f in fields if f.name in self.measured or not _is_text(f.type)],
            store_decimal_as_integer=True,  # as Iceberg wants it
            store_schema=False,  # readers shall see plain strings, not Arrow dictionaries
        )


def _addressed(name: str, path: Path) -> str:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    return f"{name.removesuffix('.parquet')}-{digest}.parquet"


def _worth_coding(field: Any) -> bool:
    kind = field.type
    return bool(pa.types.is_dictionary(kind) or pa.types.is_date(kind) or field.name == "_received_at")


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_dictionary(kind) or pa.types.is_list(kind))


def _as(array: Any, kind: Any) -> Any:
    if array.type == kind:
        return array
    if pa.types.is_dictionary(kind):
        plain = array.cast(kind.value_type) if pa.types.is_dictionary(array.type) else array
        return plain.dictionary_encode().cast(kind)
    return array.cast(kind)
