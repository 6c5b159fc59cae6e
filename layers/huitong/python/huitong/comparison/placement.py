"""Which files the current table consists of after a batch. Pure.

A file is *kept* whole, or *taken over* whole from the delivery, or written anew
from pieces: the rows of a file that stay. Rewriting is confined to files that lose
rows, to deliveries of which not every row counts, and, when a partition has
gathered many small files, to those. A file that has rows of several buckets is
written anew by each of them: afterwards every file belongs to one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from huitong.warehouse.buckets import WHOLE, Bucket, bucket_of
from huitong.warehouse.files import DataFileRef

Source = Literal["current", "delivered"]

#: A partition with more files than this of fewer rows than that has them merged in passing.
MANY_SMALL_FILES = 20
SMALL_FILE_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of one file that are part of the table after the batch."""

    source: Source
    index: int
    ref: DataFileRef
    rows: int
    shared: bool = False  # the file has rows of other buckets, which others place

    @property
    def whole(self) -> bool:
        return not self.shared and self.rows == self.ref.rows


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write: these pieces, all of one partition."""

    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.pieces)

    @property
    def partition(self) -> tuple[str | None, ...]:
        return self.pieces[0].ref.partition

    def bucket(self, compared: Bucket) -> Bucket:
        """Of which bucket all its rows are known to be: the one compared, or the one of all its pieces."""
        of = {bucket_of(piece.ref.key) for piece in self.pieces}
        only = of.pop() if len(of) == 1 else WHOLE
        return only if compared.contains(only) else compared


@dataclass(frozen=True, slots=True)
class Placement:
    """``takeover`` are files of the delivery added as they are, ``remove`` current files taken out."""

    takeover: tuple[DataFileRef, ...]
    write: tuple[NewFile, ...]
    remove: tuple[DataFileRef, ...]


def pieces_of(
    source: Source, refs: Sequence[DataFileRef], staying: Mapping[int, int], shared: Collection[int] = ()
) -> list[Piece]:
    """Pieces of the files of which rows stay; ``staying`` counts them by file index."""
    return [
        Piece(source, index, ref, staying[index], index in shared)
        for index, ref in enumerate(refs)
        if staying.get(index, 0) > 0
    ]


def place(current: Sequence[DataFileRef], pieces: Sequence[Piece]) -> Placement:
    """Decide for every piece whether its file is kept, taken over, or written anew."""
    by_partition: dict[tuple[str | None, ...], list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_partition[piece.ref.partition].append(piece)
    takeover: list[DataFileRef] = []
    write: list[NewFile] = []
    kept: set[str] = set()
    for group in by_partition.values():
        small = [p for p in group if p.rows < SMALL_FILE_ROWS]
        fragments = [p for p in small if not p.whole]
        merged = small if len(small) > MANY_SMALL_FILES else fragments
        if merged:
            write.append(NewFile(tuple(merged)))
        for piece in group:
            if piece in merged:
                continue
            if not piece.whole:
                write.append(NewFile((piece,)))
            elif piece.source == "current":
                kept.add(piece.ref.key)
            else:
                takeover.append(piece.ref)
    return Placement(tuple(takeover), tuple(write), tuple(r for r in current if r.key not in kept))
