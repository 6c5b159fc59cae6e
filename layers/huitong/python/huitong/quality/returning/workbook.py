"""A workbook given back: the sender's own package, one sheet of it changed and a summary added.

Every other part (sheets, titles, widths, number formats, pictures) is copied as it is.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from huitong.intake.readers.excel import ExcelTable
from huitong.intake.readers.header import Names
from huitong.intake.readers.workbook import pieces, position_of_sheet
from huitong.intake.returned import PROBLEMS_COLUMN, ROW_COLUMN
from huitong.quality.returning.problems import Problems
from huitong.quality.returning.sheets import KEEP, LEFT, Cell, Change, RowChange, changed, sheet_xml
from huitong.quality.returning.styles import ERROR, HEADING, WARNING, Styles

SUMMARY: Final = "问题汇总 Problems"
_PART: Final = "xl/worksheets/huitong-problems.xml"
_STYLES: Final = "xl/styles.xml"
_CHAIN: Final = "xl/calcChain.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_BOOK: Final = "xl/workbook.xml"
_TYPES: Final = "[Content_Types].xml"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_SHEET: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
_STRICT: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet"
_ROW_WIDTH: Final = 12.0
_PROBLEM_WIDTH: Final = 60.0

Lines = Sequence[Sequence[str | int]]


@dataclass
class Workbook:
    """One workbook of which one sheet was delivered. ``summary`` are the lines of the added sheet."""

    table: ExcelTable
    names: Names
    numbered: bool
    summary: Lines
    rows: int = 0
    _spots: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def write(self, source: Path, target: Path, problems: Problems, *, whole: bool) -> int:
        """The number of rows written."""
        title = self.table.reader.sheet_names[self.table.sheet.position]
        member = position_of_sheet(source, title)
        with (
            zipfile.ZipFile(source) as book,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out,
        ):
            styles = Styles(book.read(_STYLES) if _STYLES in book.namelist() else b"")
            self._places(problems)
            changes = _Changes(self, styles, problems, whole)
            with out.open(zipfile.ZipInfo(member), "w", force_zip64=True) as sheet:
                for piece in changed(pieces(book, member, b"row>"), changes.of, self._widths()):
                    sheet.write(piece)
            self._add_summary(source, book, out, styles)
            for info in book.infolist():
                self._copy(book, out, info, {member, _STYLES, *self._written, *(() if whole else (_CHAIN,))})
            if styles.xml:
                out.writestr(_STYLES, styles.written())
        return self.rows

    # --- where -------------------------------------------------------------

    def _places(self, problems: Problems) -> None:
        """Columns of the sheet by what findings call them, and where number and problems go."""
        left, header = self.table.sheet.left, self.table.header
        spots: dict[str, list[int]] = {}
        for place, cell in enumerate(header):
            for name in {self.names.field(cell), cell} - {""}:
                spots.setdefault(name, []).append(left + place)
        self._spots = {name: tuple(places) for name, places in spots.items()}
        of_rows = [left + i for i, c in enumerate(header) if self.names.original_row(c)]
        of_problems = [
            left + i for i, c in enumerate(header) if self.names.returned(c) and left + i not in of_rows
        ]
        beyond = left + max(len(header), self.table.sheet.cells.num_columns)
        self.numbers_known = bool(of_rows)
        self.number = of_rows[0] if of_rows else (beyond if self.numbered else -1)
        self.told = of_problems[0] if of_problems else beyond + (self.number == beyond)
        del problems

    def _widths(self) -> dict[int, float]:
        known = self.table.sheet.left + len(self.table.header)
        new = {self.number: _ROW_WIDTH, self.told: _PROBLEM_WIDTH}
        return {column: width for column, width in new.items() if column >= known}

    def spots(self, name: str) -> tuple[int, ...]:
        return self._spots.get(name, ())

    # --- the package -------------------------------------------------------

    def _add_summary(self, source: Path, book: zipfile.ZipFile, out: zipfile.ZipFile, styles: Styles) -> None:
        heading = styles.of(0, HEADING)
        made = [
            [(cell, heading if i == self._heading else 0) for cell in line]
            for i, line in enumerate(self.summary)
        ]
        rows: list[list[tuple[Cell, int]]] = [list(line) for line in made]
        known = position_of_sheet(source, SUMMARY)
        self._written = {known or _PART}
        widths = {0: 24.0, 1: 18.0, 2: 10.0, 3: 8.0, 4: 60.0, 5: 60.0}
        out.writestr(known or _PART, b"".join(sheet_xml(rows, widths)))
        if not known:
            self._written |= {_BOOK, _RELATIONS, _TYPES}
            for name, text in _with_sheet(book, SUMMARY, _PART).items():
                out.writestr(name, text)

    @property
    def _heading(self) -> int:
        return next((i for i, line in enumerate(self.summary) if len(line) > 2), -1)

    def _copy(
        self, book: zipfile.ZipFile, out: zipfile.ZipFile, info: zipfile.ZipInfo, written: set[str]
    ) -> None:
        if info.filename in written or info.is_dir():
            return
        content = book.read(info)
        if _CHAIN in written:  # what it lists is no formula any more
            if info.filename == _TYPES:
                content = re.sub(rb"<Override\b[^>]*calcChain[^>]*/>", b"", content)
            elif info.filename == _RELATIONS:
                content = re.sub(rb"<Relationship\b[^>]*calcChain[^>]*/>", b"", content)
        out.writestr(info.filename, content)


@dataclass
class _Changes:
    """What becomes of each row of the delivered sheet."""

    book: Workbook
    styles: Styles
    problems: Problems
    whole: bool

    def of(self, row: int) -> Change:
        book, header_row = self.book, self.book.table.header_row
        if row < header_row:
            return KEEP
        if row == header_row:
            return self._change({book.number: ROW_COLUMN, book.told: PROBLEMS_COLUMN}, {}, HEADING)
        wrong = self.problems.rows.get(row)
        if not self.whole and (wrong is None or not wrong.error):
            return LEFT
        book.rows += 1
        number: dict[int, Cell] = {} if book.numbers_known else {book.number: row}
        if wrong is None:
            return self._change({**number, book.told: None}, {}, "")
        colours = {
            spot: (ERROR if self._error(column, row) else WARNING)
            for column in wrong.columns
            for spot in book.spots(column)
        }
        return self._change({**number, book.told: wrong.both}, colours, ERROR if wrong.error else WARNING)

    def _error(self, column: str, row: int) -> bool:
        said = self.problems.rows[row].said
        return any(severity == "error" and column in named.split(",") for named, _, severity, _, _ in said)

    def _change(self, cells: Mapping[int, Cell], colours: Mapping[int, str], colour: str) -> RowChange:
        style = self.styles.of(0, colour) if colour else 0
        return RowChange(
            {
                c: (value, 0 if c == self.book.number and colour != HEADING else style)
                for c, value in cells.items()
                if c >= 0
            },
            {c: (lambda old, k=k: self.styles.of(old, k)) for c, k in colours.items()},  # type: ignore[misc]
            values_only=not self.whole,
        )


def _with_sheet(book: zipfile.ZipFile, title: str, part: str) -> dict[str, bytes]:
    """The parts of a package that list its sheets, with one more at the end."""
    workbook = book.read(_BOOK).decode()
    relations, types = book.read(_RELATIONS).decode(), book.read(_TYPES).decode()
    ids = [int(n) for n in re.findall(r'\bsheetId="(\d+)"', workbook)]
    prefix = (re.search(r"</(\w+:)?sheets>", workbook) or [None, ""])[1] or ""
    bound = (re.search(r'xmlns:(\w+)="[^"]*officeDocument/[^"]*relationships"', workbook) or [None, "r"])[1]
    place = f'sheetId="{max(ids, default=0) + 1}" {bound}:id="huitongProblems"'
    entry = f'<{prefix}sheet name="{html.escape(title)}" {place}/>'
    kind = _STRICT if _STRICT in relations else _SHEET
    link = f'Relationship Id="huitongProblems" Type="{kind}" Target="/{part}"/>'
    of_links = (re.search(r"</(\w+:)?Relationships>", relations) or [None, ""])[1] or ""
    of_types = (re.search(r"</(\w+:)?Types>", types) or [None, ""])[1] or ""
    override = f'<{of_types}Override PartName="/{part}" ContentType="{_KIND}"/>'
    return {
        _BOOK: workbook.replace(f"</{prefix}sheets>", f"{entry}</{prefix}sheets>").encode(),
        _RELATIONS: relations.replace(
            f"</{of_links}Relationships>", f"<{of_links}{link}</{of_links}Relationships>"
        ).encode(),
        _TYPES: types.replace(f"</{of_types}Types>", f"{override}</{of_types}Types>").encode(),
    }


def plain_workbook(sheets: Mapping[str, Iterator[Sequence[str | None]]], target: Path) -> None:
    """A workbook of texts, for formats that cannot be written."""
    overrides, entries, links = [], [], []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for n, (title, lines) in enumerate(sheets.items(), start=1):
            rows: Iterator[list[tuple[Cell, int]]] = ([(cell, 0) for cell in line] for line in lines)
            with out.open(f"xl/worksheets/sheet{n}.xml", "w", force_zip64=True) as sheet:
                for piece in sheet_xml(rows, {}):
                    sheet.write(piece)
            overrides.append(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}"/>')
            entries.append(f'<sheet name="{html.escape(title)}" sheetId="{n}" r:id="rId{n}"/>')
            links.append(f'<Relationship Id="rId{n}" Type="{_SHEET}" Target="worksheets/sheet{n}.xml"/>')
        for name, text in _package(overrides, entries, links).items():
            out.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text)


def _package(overrides: Sequence[str], entries: Sequence[str], links: Sequence[str]) -> dict[str, str]:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    packaged = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        _TYPES: f'<Types xmlns="{packaged}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kinds}.styles+xml"/>{"".join(overrides)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{packaged}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        _BOOK: f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{"".join(entries)}</sheets></workbook>',
        _RELATIONS: f'<Relationships xmlns="{packaged}/relationships">{"".join(links)}'
        f'<Relationship Id="rIdStyles" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        _STYLES: f'<styleSheet xmlns="{main}">'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="1"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
        "</styleSheet>",
    }


def plain_copy(table: ExcelTable, target: Path) -> ExcelTable:
    """A workbook as XLSX, all cells texts as the reader shows them; and the table in it.

    The rows of the delivered sheet stand where they stood.
    """
    import pyarrow as pa

    names = table.reader.sheet_names
    chosen = table.sheet.position
    sheets: dict[str, Iterator[Sequence[str | None]]] = {}
    for position, name in enumerate(names):
        if position == chosen:
            sheets[name] = _lines_of(table)
        else:
            loaded = table.reader.load_sheet(
                position, header_row=None, skip_rows=0, dtypes="string"
            ).to_arrow()
            sheets[name] = _lines(pa.Table.from_batches([loaded]), 0)
    plain_workbook(sheets, target)
    return table


def _lines_of(table: ExcelTable) -> Iterator[Sequence[str | None]]:
    left: list[str | None] = [None] * table.sheet.left
    for line in table.sheet.head(table.header_row):
        yield [*left, *line]
    for block in table.blocks(range(len(table.header))):
        for cells in zip(*(c.to_pylist() for c in block.columns), strict=True):
            yield [*left, *cells]


def _lines(cells: Any, left: int) -> Iterator[Sequence[str | None]]:
    columns = [column.to_pylist() for column in cells.columns]
    for line in zip(*columns, strict=True):
        yield [*([None] * left), *line]
