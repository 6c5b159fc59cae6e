"""XLSX and XLS through calamine: cells as text, as a person sees them (Q-13)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from huitong.intake.layout import Layout
from huitong.intake.readers.header import SEARCHED_ROWS, Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.sheets import of_layout, other_sheet
from huitong.intake.readers.table import Block
from huitong.intake.readers.workbook import (
    Oddities,
    check_xls,
    check_xlsx,
    hidden_sheets,
    oddities,
    position_of_sheet,
    size_of_sheet,
)
from huitong.intake.structure import Structural

_ROWS_PER_BLOCK: Final = 65_536
#: Bytes of a sheet beside the one that is read, up to which it is looked into.
_LOOKED_AT: Final = 16 * 1024 * 1024
_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet whose cells are text. Rows count from the sheet's first, columns from the first used one."""

    position: int
    cells: pa.RecordBatch
    left: int  # columns before the first used one

    def head(self, count: int) -> list[list[str | None]]:
        columns = [column.slice(0, count).to_pylist() for column in self.cells.columns]
        rows = [list(cells) for cells in zip(*columns, strict=True)]
        while rows and not any(rows[-1]):
            rows.pop()
        return rows


@dataclass(slots=True)
class ExcelTable:
    reader: Any
    sheet: _Sheet
    header: Sequence[str]
    header_row: int
    odd: Oddities
    findings: list[Structural] = field(default_factory=list)
    named: None = None

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        batch = self.sheet.cells.slice(self.header_row)
        if batch.num_rows == 0:
            return
        moments = self._moments(batch, wanted)
        first = self.header_row + 1
        for start in range(0, batch.num_rows, _ROWS_PER_BLOCK):
            part = batch.slice(start, _ROWS_PER_BLOCK)
            rows = pa.array(range(first + start, first + start + part.num_rows), pa.int64())
            columns = [
                _seen(part.column(p), moments[p].slice(start, _ROWS_PER_BLOCK) if p in moments else None)
                for p in wanted
            ]
            columns, rows, findings = self._without_broken(columns, rows, wanted)
            yield Block(columns, rows, findings, nul=True)

    def _moments(self, batch: pa.RecordBatch, wanted: Sequence[int]) -> dict[int, pa.Array]:
        """For columns with date cells: which cells they are. Text that looks like a moment stays text."""
        looks = {p: pc.match_substring_regex(batch.column(p), _MOMENT) for p in wanted}
        looks = {p: which for p, which in looks.items() if pc.any(which).as_py()}
        if not looks or not self.odd.text_like_moments:
            return looks
        types: dict[int, Any] = {
            p: ("datetime" if p in looks else "string") for p in range(batch.num_columns)
        }
        typed = _load(self.reader, self.sheet.position, types).cells.slice(self.header_row)
        return {p: pc.is_valid(typed.column(p)) for p in looks}

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
            raw, cells = None, {}
            if row not in given:
                cells = {self.header[p]: c[row - first].as_py() for p, c in zip(wanted, columns, strict=True)}
                cells[self.header[position]] = what
                raw = json.dumps(cells, ensure_ascii=False)
            given.add(row)
            findings.append(_no_value(row, self.header[position], what, raw, tuple(cells.items())))
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
    hidden = hidden_sheets(path) if kind == "xlsx" else frozenset()
    sheet, head, at = _found(reader, sheets, layout, names, hidden)
    title = sheets[sheet.position]
    if at >= len(head):
        raise refusal(
            "file.empty" if not head else "header.missing",
            f"工作表 {title} 没有内容" if not head else f"第 {layout.header_row} 行不存在",
            f"Sheet {title} is empty" if not head else f"There is no row {layout.header_row}",
            sheet=title,
        )
    header = _merged(sheet, head, at, names)
    member = position_of_sheet(path, title) if kind == "xlsx" else ""
    odd = oddities(path, member, sheet.left, len(header), at + 1) if member else Oddities()
    findings = of_layout(odd, header, title if title in hidden else "")
    if kind == "xls":
        findings.append(_old_format())
    if kind == "xlsx" and not layout.sheet:
        rest = [p for p, s in enumerate(sheets) if s != title and s not in hidden]
        tables = [p for p in rest if _has_table(reader, path, p, sheets[p], names)]
        findings += [other_sheet(sheets[p], title) for p in tables]
    return ExcelTable(reader, sheet, header, at + 1, odd, findings)


def _has_table(reader: Any, path: Path, position: int, name: str, names: Names) -> bool:
    """Whether a sheet that is not read has a table of the resource, too. One too large to look at counts."""
    if size_of_sheet(path, name) > _LOOKED_AT:
        return True
    return _header_at(_load(reader, position).head(SEARCHED_ROWS + 1), names, 0) is not None


def _found(
    reader: Any, sheets: Sequence[str], layout: Layout, names: Names, hidden: Collection[str]
) -> tuple[_Sheet, list[list[str | None]], int]:
    """The declared sheet; else the first with a header, those that a person sees before hidden ones; else
    the first with any content."""
    chosen = _chosen(sheets, layout.sheet)
    fallback: tuple[_Sheet, list[list[str | None]], int] | None = None
    seen_first = sorted(range(len(sheets)), key=lambda p: sheets[p] in hidden)
    for position in [chosen] if chosen is not None else seen_first:
        sheet = _load(reader, position)
        head = sheet.head(max(SEARCHED_ROWS, layout.header_row) + 1)
        at = _header_at(head, names, layout.header_row)
        if at is not None:
            return sheet, head, at
        if fallback is None or (head and not fallback[1]):
            fallback = sheet, head, 0
    assert fallback is not None  # noqa: S101 (a workbook without sheets was refused)
    return fallback


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


def _header_at(head: Sequence[Sequence[str | None]], names: Names, declared: int) -> int | None:
    if declared:
        return declared - 1
    at = names.find(head)
    # Under merged cells the header goes on: a row of nothing but names is no data.
    while at is not None and at + 1 < len(head) and any(head[at + 1]):
        cells = [cell for cell in head[at + 1] if cell and cell.strip()]
        if names.known(cells) != len(cells):
            break
        at += 1
    return at


def _merged(sheet: _Sheet, head: Sequence[Sequence[str | None]], at: int, names: Names) -> tuple[str, ...]:
    """The header row; where a merged cell leaves it empty, the nearest name above that is known."""
    header = []
    for position, cell in enumerate(head[at]):
        text = cell or ""
        if not text.strip():
            above = (head[r][position] or "" for r in range(at - 1, -1, -1))
            text = next((name for name in above if names.field(name)), "")
        header.append(text)
    below = sheet.cells.slice(at + 1)
    while header and not header[-1].strip() and below.column(len(header) - 1).null_count == below.num_rows:
        header.pop()
    return tuple(header)


def _load(reader: Any, position: int, types: Any = "string") -> _Sheet:
    """Loading is the whole cost, however few rows are asked for: once for each sheet."""
    try:
        # skip_rows 0, not None: blank rows at the top count.
        loaded = reader.load_sheet(position, header_row=None, skip_rows=0, dtypes=types)
        columns = loaded.selected_columns
        if callable(columns):
            columns = columns()
        return _Sheet(position, loaded.to_arrow(), columns[0].absolute_index if columns else 0)
    except fastexcel.FastExcelError as error:
        raise _damaged() from error


def _seen(column: pa.Array, moments: pa.Array | None) -> pa.Array:
    """Date cells as ISO text: midnight is the day alone, day zero the time alone. Empty is no value."""
    if moments is not None:
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


def _no_value(
    row: int, column: str, what: str, raw: str | None, cells: tuple[tuple[str, str | None], ...]
) -> Structural:
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
        cells=cells,
        severity="error",
    )


def _old_format() -> Structural:
    return Structural(
        "file.xls",
        "XLS 旧格式:错误值(如 #N/A)读作空,以数值保存的长号码无法核对末位,隐藏行列不提示;请另存为 XLSX 报送",
        "XLS, the old format: error values (such as #N/A) read as empty, digits of long numbers cannot be "
        "checked, hidden parts are not told of; better save it as XLSX",
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
