"""A table of which only some rows count: those of a delivery that are brought again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huitong.intake.readers.table import Block, Table
from huitong.intake.structure import Structural


def only(table: Table, rows: Any) -> Table:
    """``rows`` are row numbers (an array of integers); None = the table as it is."""
    return table if rows is None else _Chosen(table, rows)


class _Chosen:
    def __init__(self, table: Table, rows: Any) -> None:
        self._table = table
        self._rows = pa.array(rows, pa.int64())
        self._known = frozenset(rows.tolist())
        self.header = table.header
        self.header_row = table.header_row
        self.findings: Sequence[Structural] = table.findings

    @property
    def named(self) -> Collection[str] | None:
        return self._table.named

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        for block in self._table.blocks(wanted):
            chosen = pc.is_in(block.rows, value_set=self._rows)
            columns = [column.filter(chosen) for column in block.columns]
            found = [f for f in block.findings if f.source_row is None or f.source_row in self._known]
            yield Block(columns, block.rows.filter(chosen), found, nul=block.nul)
