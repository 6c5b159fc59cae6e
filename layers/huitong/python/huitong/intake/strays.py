"""Rows of a sheet that are no records: totals, notes, the header again, the head of another table (Q-13).

Cells are looked at by column and only where a telling word occurs in it at all; single rows only once they
are suspected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.intake.readers.header import plain
from huitong.intake.returned import ROW_NAMES
from huitong.intake.structure import HEADER, NOTE, TOTAL, Structural

_LOOKED: Final = 4  # columns from the left in which a total or a note begins
_TOTAL_SIGNS: Final = ("计".encode(), b"otal", b"OTAL")
_TOTAL: Final = (
    r"(?i)^[\s　]*(?:(?:本页|本表|全部|年度|本月|本年)?[总合小累共][\s　]*计|(?:grand |sub)?[\s-]*totals?)"
    r"[\s　]*[:：]?[\s　]*$"
)
_WHO: Final = "(?:人|单位|日期|时间)?"
_NOTED: Final = rf"备?注(?:释|明)?|(?:填[表报写])?说明|(?:填[表报写]|制表|审核|复核){_WHO}"
_OTHERS: Final = rf"(?:打印|导出){_WHO}|数据来源|联系(?:人|电话|方式)|单位(?:盖章|负责人)?"
#: A note by its form; and one by its words, which counts only where the row lacks what a record needs.
_SURE_NOTE: Final = (
    rf"^[\s　(（*＊]*(?:(?:{_NOTED}|{_OTHERS})\s*(?:\d*[:：]|\d+[.、])|第\s*\d+\s*页|共\s*\d+\s*页)"
)
_NOTE: Final = rf"^[\s　(（*＊]*(?:{_NOTED}|{_OTHERS}|以上|以下|\d+\s*/\s*\d+\s*页)"
_ANY: Final = f"{_TOTAL}|{_SURE_NOTE}|{_NOTE}"
_MOST_GAPS: Final = 200


@dataclass(frozen=True, slots=True)
class Strays:
    """Looks through blocks. ``header`` are the headings of the wanted columns, ``needed`` the positions of
    those without which a row is no record."""

    header: tuple[str, ...]
    needed: frozenset[int]

    def of(
        self, columns: Sequence[pa.Array], rows: pa.Array, after_gap: Sequence[int] = ()
    ) -> tuple[pa.Array | None, list[Structural]]:
        """Which rows are records (None = all), and findings on the others. ``after_gap``: positions of rows
        that follow an empty one."""
        if not len(rows):
            return None, []
        verdicts: dict[int, tuple[str, str, str]] = {}
        for place in self._suspects(columns):
            verdict = self._verdict([column[place].as_py() for column in columns])
            if verdict:
                verdicts[place] = verdict
        findings = [self._finding(columns, rows, place, *verdicts[place]) for place in sorted(verdicts)]
        findings += self._second_tables(columns, rows, [p for p in after_gap if p not in verdicts])
        if not verdicts:
            return None, findings
        keep = np.ones(len(rows), dtype=np.bool_)
        keep[list(verdicts)] = False
        return pa.array(keep), findings

    def _suspects(self, columns: Sequence[pa.Array]) -> list[int]:
        """Rows worth a look: those that lack what a record needs and begin with a telling word, those with
        many empty cells that begin with a total, and those that repeat a heading."""
        found: set[int] = set()
        lacking = _any_null([c for i, c in enumerate(columns) if i in self.needed])
        for column in columns[:_LOOKED] if len(lacking) else ():
            found.update(lacking[_matches(column.take(pa.array(lacking)), _ANY)].tolist())
        first = _bytes(columns[0]) if columns else b""
        if any(sign[:1] in first and sign in first for sign in _TOTAL_SIGNS):
            sparse = _sparse(columns)
            found.update(sparse[_matches(columns[0].take(pa.array(sparse)), _ANY)].tolist())
        for position, column in enumerate(columns[:2]):
            heading = self.header[position].strip()
            sign, content = heading.encode(), _bytes(column) if position else first
            if heading and sign[:1] in content and sign in content:
                hits = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), heading), False)
                found.update(np.flatnonzero(hits.to_numpy(zero_copy_only=False)).tolist())
        return sorted(found)

    def _verdict(self, cells: Sequence[str | None]) -> tuple[str, str, str] | None:
        # the number that the platform put beside a row that it gave back is no value of the row
        given = [(i, c) for i, c in enumerate(cells) if c and c.strip() and self.header[i] not in ROW_NAMES]
        if not given:
            return None
        same = sum(plain(c) == plain(self.header[i]) for i, c in given)
        if len(given) > 1 and same * 2 > len(given):
            return HEADER, "是重复的表头", "is the header again"
        place, first = given[0]
        lacking = not self.needed <= {i for i, _ in given}
        # a record that has all it needs may say "total" in a column of its own
        total = lacking or not self.needed or place in self.needed
        if total and re.match(_TOTAL, first) and len(given) < len(cells):
            return TOTAL, "是合计行,不是数据", "is a row of totals, no record"
        if (
            len(given) == 1
            and len(cells) > 2
            and (re.match(_SURE_NOTE, first) or (lacking and re.match(_NOTE, first)))
        ):
            return NOTE, "是表外说明,不是数据", "is a note on the table, no record"
        return None

    def _finding(
        self, columns: Sequence[pa.Array], rows: pa.Array, place: int, rule: str, zh: str, en: str
    ) -> Structural:
        number = rows[place].as_py()
        cells = [
            (h, c)
            for h, column in zip(self.header, columns, strict=True)
            if (c := column[place].as_py()) is not None
        ]
        return Structural(
            rule,
            f"第 {number} 行{zh};未作为数据接收,请删除该行",
            f"Row {number} {en}; it was not taken as one: remove it",
            source_row=number,
            raw=json.dumps(dict(cells), ensure_ascii=False),
            severity="error",
            cells=tuple(cells),  # if it was a record after all, what is served of its key stays
        )

    def _second_tables(
        self, columns: Sequence[pa.Array], rows: pa.Array, places: Sequence[int]
    ) -> list[Structural]:
        """A row of words without a digit below a gap, where a number or the first column's own kind of value
        is due, heads another table."""
        found = []
        for place in places[:_MOST_GAPS]:
            cells = [c for column in columns if (c := column[place].as_py()) and c.strip()]
            if len(cells) < 2 or any(re.search(r"\d", c) or len(c) > 20 for c in cells):
                continue
            above = [c for column in columns if (c := column[max(place - 1, 0)].as_py())]
            if not any(re.search(r"\d", c) for c in above):
                continue
            number = rows[place].as_py()
            shown = "、".join(cells[:10])
            found.append(
                Structural(
                    "table.second",
                    f"第 {number} 行(空行后)像是另一张表的表头:{shown};其下各行仍按本表读取,请分成两个文件",
                    f"Row {number}, below an empty row, looks like the header of another table: {shown}; "
                    "what follows was read as rows of the first: deliver each table as a file of its own",
                    source_row=number,
                )
            )
        return found


def _any_null(columns: Sequence[pa.Array]) -> npt.NDArray[np.int64]:
    """Rows without a value in one of the columns."""
    empty = None
    for column in columns:
        if column.null_count:
            mask = column.is_null().to_numpy(zero_copy_only=False)
            empty = mask if empty is None else empty | mask
    return np.empty(0, dtype=np.int64) if empty is None else np.flatnonzero(empty)


def _sparse(columns: Sequence[pa.Array]) -> npt.NDArray[np.int64]:
    """Rows of which a third of the cells are empty, at least one."""
    empty = np.zeros(len(columns[0]), dtype=np.int32)
    for column in columns:
        if column.null_count:
            empty += column.is_null().to_numpy(zero_copy_only=False)
    return np.flatnonzero((empty > 0) & (empty * 3 >= len(columns)))


def _matches(column: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    hits = pc.fill_null(pc.match_substring_regex(column, pattern=pattern), False)
    mask: npt.NDArray[np.bool_] = hits.to_numpy(zero_copy_only=False)
    return mask


def _bytes(column: pa.Array) -> bytes:
    """The text of a column without its borders."""
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset :]
    content: Any = column.buffers()[2]
    if content is None or not len(column):
        return b""
    return bytes(memoryview(content)[int(offsets[0]) : int(offsets[len(column)])])
