"""What every reader gives, whatever the format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from huitong.intake.structure import Structural

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: one text array for each wanted column, and each row's number in the source.

    ``findings`` lie in or before these rows. ``nul`` says that a NUL character may be among the cells.
    """

    columns: Sequence[pa.Array]
    rows: pa.Array  # int64
    findings: Sequence[Structural] = field(default_factory=tuple)
    nul: bool = False


class Table(Protocol):
    """An opened file. ``header`` are its columns as written; ``header_row`` is 0 where there is none."""

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def header_row(self) -> int: ...

    @property
    def findings(self) -> Sequence[Structural]:
        """On the file as a whole, known at opening."""
        ...

    @property
    def named(self) -> Collection[str] | None:
        """None where the header tells; else the columns that rows have named so far."""
        ...

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        """The columns at the positions ``wanted``, in that order. Raises UnreadableFile."""
        ...
