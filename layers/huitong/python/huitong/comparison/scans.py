"""Scans of the local files of one comparison: positions of rows, and only those of its bucket.

A position is the file's index and the row's number in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb

from huitong.comparison.inputs import Inputs, LocalFile
from huitong.errors import Corrupt
from huitong.warehouse.buckets import bucket_of, number_sql
from huitong.warehouse.footers import files_of
from huitong.warehouse.sql import Files, current_ids, names, select_of

SHIFT: Final = 40
MASK: Final = (1 << SHIFT) - 1
_POSITION: Final = f"((file_index::BIGINT << {SHIFT}) | file_row_number)"


class Scans:
    """``columns`` are the table's columns and their types."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, inputs: Inputs, columns: Mapping[str, str]
    ) -> None:
        self._db = connection
        self._bucket = inputs.bucket
        self._all = (*inputs.current, *inputs.delivered)
        self._columns = columns
        self._key_fields = inputs.contract.keys
        self._keys = tuple(f.name for f in inputs.contract.keys)
        self._ids = current_ids(inputs.contract)
        self._known: dict[tuple[Path, ...], Files] = {}
        #: whether a row is of the bucket
        self.in_bucket = f"{number_sql(inputs.contract.keys, self._bucket.of)} = {self._bucket.number}"

    def of(self, files: Sequence[LocalFile], columns: Sequence[str], first: int = 0) -> str:
        """A table expression of these columns and ``#pos``; ``first`` is the index of the first file."""
        parts, place = [], first
        for shared, found in groupby(files, key=self._is_shared):
            group = list(found)
            parts.append(self._alike(group, columns, place, shared=shared))
            place += len(group)
        return f"({' UNION ALL '.join(parts or [self._alike((), columns, 0, shared=False)])})"

    def files(self, files: Sequence[LocalFile]) -> Files:
        known = tuple(f.path for f in files)
        if known not in self._known:
            self._known[known] = files_of(known, self._columns, self._ids)
        return self._known[known]

    def shared(self, files: Sequence[LocalFile]) -> set[int]:
        """Indexes of the files that may have rows of other buckets."""
        return {index for index, file in enumerate(files) if self._is_shared(file)}

    def rows(self, files: Sequence[LocalFile]) -> list[int]:
        """How many rows of the bucket each file has."""
        rows = [f.ref.rows for f in files]
        for index in self.shared(files):
            rows[index] = self._count(f"SELECT count(*) FROM {self.of([files[index]], self._keys)}")
        return rows

    def check(self) -> None:
        """Files have the rows that their names promise: else a key could be in two buckets, or in none.

        Raises Corrupt.
        """
        if self._bucket.of == 1:
            return
        for file in self._all:
            named = bucket_of(file.ref.key)
            if named.of == 1:
                continue
            rows = select_of(self.files([file]), {k: self._columns[k] for k in self._keys})
            wrong = f"{number_sql(self._key_fields, named.of)} <> {named.number}"
            strange = self._count(f"SELECT count(*) FROM ({rows}) WHERE {wrong}")
            if strange:
                raise Corrupt(
                    f"文件 {file.ref.key} 有其他分桶的行",
                    f"File {file.ref.key} has rows of other buckets than its name says",
                    key=file.ref.key,
                    rows=strange,
                )

    def _is_shared(self, file: LocalFile) -> bool:
        return not self._bucket.contains(bucket_of(file.ref.key))

    def _alike(self, files: Sequence[LocalFile], columns: Sequence[str], first: int, *, shared: bool) -> str:
        wanted = dict.fromkeys((*columns, *self._keys)) if shared else columns
        typed = {c: self._columns[c] for c in wanted}
        position = f"{_POSITION} + {first << SHIFT}" if first else _POSITION
        more = f'{position if files else "0::BIGINT"} AS "#pos"'
        rows = select_of(self.files(files), typed, more=more)
        return f'SELECT {names(columns)}, "#pos" FROM ({rows}) WHERE {self.in_bucket}' if shared else rows

    def _count(self, sql: str) -> int:
        (found,) = self._db.execute(sql).fetchall()
        return int(found[0])
