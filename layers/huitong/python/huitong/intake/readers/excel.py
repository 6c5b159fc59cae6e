"""XLSX and XLS through calamine: cells as text, as a person sees them (Q-13)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from huitong.intake.layout import Layout
from huitong.intake.readers.header import SEARCHED_ROWS, Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Block
from huitong.intake.readers.workbook import Oddities, check_xls, check_xlsx, oddities, position_of_sheet
from huitong.intake.structure import Structural

_ROWS_PER_BLOCK: Final = 65_536
_MAX_ROWS: Final = 1_048_576
_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$"


@dataclass(slots=True)
class ExcelTable:
    reader: Any
    sheet: int
    header: Sequence[str]
    header_row: int
    odd: Oddities
    findings: list[Structural] = field(default_factory=list)
    named: None = None

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        batch = _load(self.reader, self.sheet, skip=self.header_row)
        if batch.num_rows == 0:
            return
        moments = self._moments(batch, wanted)
        first = self.header_row + 1
        for start in range(0, batch.num_rows, _ROWS_PER_BLOCK):
            part = batch.slice(start, _ROWS_PER_BLOCK)
            rows = pa.array(range(first + start, first + start + part.num_rows), pa.int64())
            columns = [
                _seen(
                    part.column(position), moments.get(position, pa.array([])).slice(start, _ROWS_PER_BLOCK)
                )
                for position in wanted
            ]
            columns, rows, findings = self._without_broken(columns, rows, wanted)
            yield Block(columns, rows, findings, nul=True)

    def _moments(self, batch: pa.RecordBatch, wanted: Sequence[int]) -> dict[int, pa.Array]:
        """For columns with date cells: which cells they are. Text that looks like a moment stays text."""
        suspects = [p for p in wanted if pc.any(pc.match_substring_regex(batch.column(p), _MOMENT)).as_py()]
        if not suspects:
            return {}
        if not self.odd.text_like_moments:
            return {p: pc.match_substring_regex(batch.column(p), _MOMENT) for p in suspects}
        types: dict[int, Any] = {
            p: ("datetime" if p in suspects else "string") for p in range(batch.num_columns)
        }
        typed = _load(self.reader, self.sheet, skip=self.header_row, types=types)
        return {p: pc.is_valid(typed.column(p)) for p in suspects}

    def _without_broken(
        self, columns: list[pa.Array], rows: pa.Array, wanted: Sequence[int]
    ) -> tuple[list[pa.Array], pa.Array, list[Structural]]:
        """Exact digits and leading zeros put back; rows with cells that have no value taken out."""
        if not len(rows) or not self.odd:
            return columns, rows, []
        first, last = rows[0].as_py(), rows[-1].as_py()
        columns = [
            _patched(column, first, self.odd.exact.get(position, {}))
            for column, position in zip(columns, wanted, strict=True)
        ]
        findings = self._imprecise(wanted, first, last)
        broken = sorted(
            (row, position, what)
            for (row, position), what in self.odd.broken.items()
            if first <= row <= last and position in wanted
        )
        if not broken:
            return columns, rows, findings
        given: set[int] = set()
        for row, position, what in broken:
            raw = None
            if row not in given:
                cells = {self.header[p]: c[row - first].as_py() for p, c in zip(wanted, columns, strict=True)}
                cells[self.header[position]] = what
                raw = json.dumps(cells, ensure_ascii=False)
            given.add(row)
            findings.append(_no_value(row, self.header[position], what, raw))
        keep = pc.invert(pc.is_in(rows, pa.array(sorted(given), pa.int64())))
        return [c.filter(keep) for c in columns], rows.filter(keep), findings

    def _imprecise(self, wanted: Sequence[int], first: int, last: int) -> list[Structural]:
        return [
            Structural(
                "cell.precision",
                f"第 {row} 行列 {self.header[position]} 以数值存储且超过 15 位有效数字,Excel 可能已改变末位",
                f"Row {row}, column {self.header[position]}: a number of more than 15 digits; "
                "Excel may already have changed its last digits",
                source_row=row,
                column=self.header[position],
                criterion="format",
            )
            for row, position in self.odd.imprecise
            if first <= row <= last and position in wanted
        ]


def open_excel(path: Path, kind: str, layout: Layout, names: Names) -> ExcelTable:
    """Choose the sheet and the header row as far as they are not declared. Raises UnreadableFile."""
    if kind == "xlsx":
        check_xlsx(path)
    else:
        check_xls(path)
    try:
        reader = fastexcel.read_excel(path)
        sheets = reader.sheet_names
    except fastexcel.FastExcelError as error:
        raise _damaged() from error
    if not sheets:
        raise refusal("sheet.missing", "工作簿没有工作表", "The workbook has no sheet")
    sheet = _chosen(sheets, layout.sheet)
    heads = {
        i: _head(reader, i, layout.header_row) for i in ([sheet] if sheet is not None else range(len(sheets)))
    }
    found = {i: _header_at(head, names, layout.header_row) for i, head in heads.items()}
    if sheet is None:
        sheet = next((i for i, at in found.items() if at is not None), _first_with_content(heads))
    at = found[sheet] or 0
    head = heads[sheet]
    if at >= len(head):
        raise refusal(
            "file.empty" if not head else "header.missing",
            f"工作表 {sheets[sheet]} 没有内容" if not head else f"第 {layout.header_row} 行不存在",
            f"Sheet {sheets[sheet]} is empty" if not head else f"There is no row {layout.header_row}",
            sheet=sheets[sheet],
        )
    header = _merged(head, at, names)
    place = position_of_sheet(path, sheets[sheet]) if kind == "xlsx" else ""
    odd = oddities(path, place, len(header), at + 1) if place else Oddities()
    return ExcelTable(reader, sheet, header, at + 1, odd)


def _chosen(sheets: Sequence[str], wanted: str) -> int | None:
    if not wanted:
        return 0 if len(sheets) == 1 else None
    if wanted in sheets:
        return sheets.index(wanted)
    if wanted.isdigit() and 1 <= int(wanted) <= len(sheets):
        return int(wanted) - 1
    raise refusal(
        "sheet.missing",
        f"没有工作表 {wanted};现有:{'、'.join(sheets)}",
        f"There is no sheet {wanted}; there are: {', '.join(sheets)}",
        sheet=wanted,
        found=list(sheets),
    )


def _head(reader: Any, sheet: int, header_row: int) -> list[list[str | None]]:
    batch = _load(reader, sheet, skip=0, count=max(SEARCHED_ROWS, header_row))
    columns = [column.to_pylist() for column in batch.columns]
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _header_at(head: Sequence[Sequence[str | None]], names: Names, declared: int) -> int | None:
    return declared - 1 if declared else names.find(head)


def _first_with_content(heads: dict[int, list[list[str | None]]]) -> int:
    return next((i for i, head in heads.items() if head), next(iter(heads)))


def _merged(head: Sequence[Sequence[str | None]], at: int, names: Names) -> tuple[str, ...]:
    """The header row; where a merged cell leaves it empty, the nearest name above that is known."""
    header = []
    for position, cell in enumerate(head[at]):
        text = cell or ""
        if not text.strip():
            above = (head[r][position] or "" for r in range(at - 1, -1, -1))
            text = next((name for name in above if names.field(name)), "")
        header.append(text)
    while header and not header[-1]:
        header.pop()
    return tuple(header)


def _load(
    reader: Any, sheet: int, *, skip: int, count: int | None = None, types: Any = "string"
) -> pa.RecordBatch:
    try:
        loaded = reader.load_sheet(sheet, header_row=None, skip_rows=skip, n_rows=count, dtypes=types)
        return loaded.to_arrow()
    except fastexcel.FastExcelError as error:
        if "skip" in str(error) or "too many rows" in str(error):
            return pa.RecordBatch.from_arrays([], [])
        raise _damaged() from error


def _seen(column: pa.Array, moments: pa.Array) -> pa.Array:
    """Date cells as ISO text: midnight is the day alone, day zero the time alone. Empty is no value."""
    if len(moments):
        short = pc.replace_substring_regex(column, r" 00:00:00(\.0+)?$", "")
        short = pc.replace_substring_regex(short, r"^(1899-12-3[01]|1904-01-01) ", "")
        column = pc.if_else(pc.fill_null(moments, False), short, column)
    if pc.any(pc.equal(column, "")).as_py():
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column


def _patched(column: pa.Array, first: int, exact: dict[int, str]) -> pa.Array:
    inside = sorted(row for row in exact if first <= row < first + len(column))
    if not inside:
        return column
    mask = pc.is_in(pa.array(range(first, first + len(column)), pa.int64()), pa.array(inside, pa.int64()))
    return pc.replace_with_mask(column, mask, pa.array([exact[row] for row in inside], pa.string()))


def _no_value(row: int, column: str, what: str, raw: str | None) -> Structural:
    if what.startswith("#"):
        zh, en = f"是错误值 {what}", f"is the error {what}"
        rule = "cell.error"
    else:
        zh, en = f"是没有计算结果的公式 {what}", f"is a formula without a result: {what}"
        rule = "cell.formula"
    return Structural(
        rule,
        f"第 {row} 行列 {column} {zh}",
        f"Row {row}, column {column} {en}",
        source_row=row,
        column=column,
        value=what,
        raw=raw,
        severity="error",
    )


def _damaged() -> Exception:
    return refusal(
        "excel.damaged",
        "Excel 文件已损坏或无法读取",
        "The workbook is damaged or cannot be read",
        advice=(
            "请在 Excel 或 WPS 中打开并另存后重新上传",
            "Open it in Excel or WPS, save it again and upload that",
        ),
    )
