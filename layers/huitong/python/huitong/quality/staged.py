"""Reading a batch's staging files block by block, so that memory does not grow with the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.ports import ObjectStore
from huitong.quality.check import Block
from huitong.quality.semantics.base import as_mask

BLOCK_ROWS: Final = 131_072
#: A column whose dictionary takes no more than this in the first row group is read as a dictionary.
_SMALL_DICTIONARY: Final = 65_536
#: A batch whose texts take no more than this stays in memory while it is validated.
KEPT_BYTES: Final = 128 << 20
SOURCE_ROW: Final = "_source_row"
OPERATION: Final = "_op"


class Source(Protocol):
    """Rows of text, block by block: staged ones, or those of a trial. Every pass gives the same blocks."""

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]: ...


@dataclass(frozen=True, slots=True)
class Staged:
    """The staging files of one batch."""

    store: ObjectStore
    keys: tuple[str, ...]
    cleanse: Callable[[Block], Block] | None = None

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Blocks of these columns, with row numbers and operations, in the order of the source file."""
        for key in self.keys:
            with self.store.local(key) as path, pq.ParquetFile(path) as plain:
                present = set(plain.schema_arrow.names)
                wanted = [c for c in (*columns, SOURCE_ROW, OPERATION) if c in present]
                compact = _compact(plain.metadata, set(wanted) - {SOURCE_ROW, OPERATION})
                with pq.ParquetFile(path, read_dictionary=compact, pre_buffer=False) as file:
                    for batch in _batches(file, wanted):
                        block = _block(batch, columns)
                        yield self.cleanse(block) if self.cleanse else block

    def kept(self, columns: Sequence[str], most: int = KEPT_BYTES) -> Staged | Kept:
        """The same rows for several passes: a batch of ordinary size is read once, a larger one each time."""
        if self._size() > most:
            return self
        found, size = [], 0
        for block in self.blocks(columns):
            found.append(block)
            size += sum(array.nbytes for array in block.columns.values())
            if size > 2 * most:  # dictionaries took far less room in the file
                return self
        return Kept(tuple(found), self.cleanse)

    def _size(self) -> int:
        """Bytes of the columns as they are in memory, about."""
        size = 0
        for key in self.keys:
            with self.store.local(key) as path, pq.ParquetFile(path) as file:
                groups = range(file.num_row_groups)
                size += sum(file.metadata.row_group(n).total_byte_size for n in groups)
        return size


@dataclass(frozen=True, slots=True)
class Kept:
    """Blocks in memory, cleansed already."""

    whole: tuple[Block, ...]
    cleanse: Callable[[Block], Block] | None = None

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        for block in self.whole:
            chosen = {name: block.columns[name] for name in columns if name in block.columns}
            yield replace(block, columns=chosen)


def _compact(metadata: Any, wanted: set[str]) -> list[str]:
    if metadata.num_row_groups == 0:
        return []
    group = metadata.row_group(0)
    compact = []
    for index in range(group.num_columns):
        chunk = group.column(index)
        if chunk.path_in_schema not in wanted or not chunk.has_dictionary_page:
            continue
        size = chunk.data_page_offset - chunk.dictionary_page_offset
        # a dictionary that overflowed is followed by plain pages, far larger than indices would be
        if size <= _SMALL_DICTIONARY and chunk.total_uncompressed_size <= 4 * chunk.num_values + 4 * size:
            compact.append(chunk.path_in_schema)
    return compact


def _batches(file: Any, columns: Sequence[str]) -> Iterator[Any]:
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).num_rows <= 2 * BLOCK_ROWS:
            table = file.read_row_group(group, columns=columns)
            yield from table.combine_chunks().to_batches()
        else:
            yield from file.iter_batches(BLOCK_ROWS, row_groups=[group], columns=columns)


def _block(batch: Any, columns: Sequence[str]) -> Block:
    names = batch.schema.names
    deletes = None
    if OPERATION in names:
        operations = batch.column(OPERATION)
        deletes = as_mask(pc.equal(operations, "delete"))
        if not deletes.any():
            deletes = None
    texts = {name: batch.column(name) for name in columns if name in names}
    return Block(texts, batch.column(SOURCE_ROW), deletes)


def take(block: Block, rows: Any) -> Block:
    """The block with only these rows."""
    chosen = pa.array(rows, pa.int64())
    return Block(
        {name: array.take(chosen) for name, array in block.columns.items()},
        block.source_rows.take(chosen),
        None if block.deletes is None else np.asarray(block.deletes[rows]),
    )
