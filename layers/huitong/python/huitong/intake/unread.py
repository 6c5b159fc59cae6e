"""Rows that have values, but none in a column of the contract: no row is lost without a word (Q-20)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huitong.intake.columns import Plan
from huitong.intake.readers.table import Table
from huitong.intake.structure import UNKNOWN_FIELDS, Structural


@dataclass(slots=True)
class Unread:
    """Takes note of rows that look empty; the columns that are not staged are read only if there are any."""

    table: Table
    plan: Plan
    _blank: list[Any] = field(default_factory=list)

    def note(self, rows: Any) -> None:
        """``rows``: numbers of rows without a value in any wanted column; None = none."""
        if rows is not None and self.plan.unread and self.table.header_row:
            self._blank.append(rows)

    def findings(self) -> Iterator[list[Structural]]:
        """Those of them that have a value elsewhere, block by block; each is a row for quarantine."""
        if not self._blank:
            return
        blank = pa.concat_arrays(self._blank)
        header = [self.table.header[p].strip() or f"#{p + 1}" for p in self.plan.unread]
        for block in self.table.blocks(self.plan.unread):
            here = pc.is_in(block.rows, value_set=blank)
            given = None
            for column in block.columns:
                has = pc.is_valid(column)
                given = has if given is None else pc.or_(given, has)
            if given is None:
                continue
            chosen = pc.and_(here, given)
            if not pc.any(chosen).as_py():
                continue
            columns = [column.filter(chosen).to_pylist() for column in block.columns]
            numbers = block.rows.filter(chosen).to_pylist()
            yield [
                _lost(n, header, cells) for n, cells in zip(numbers, zip(*columns, strict=True), strict=True)
            ]


def _lost(number: int, header: list[str], cells: tuple[str | None, ...]) -> Structural:
    named = {name: cell for name, cell in zip(header, cells, strict=True) if cell is not None}
    shown = "、".join(list(named)[:5])
    return Structural(
        UNKNOWN_FIELDS,
        f"第 {number} 行只有契约中没有的列有值:{shown};可能列错位,或不是数据",
        f"Row {number} has values only in columns that are not in the contract: {shown}; "
        "its cells may have shifted, or it is no record",
        source_row=number,
        raw=json.dumps(named, ensure_ascii=False),
        severity="error",
    )
