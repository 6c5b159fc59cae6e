"""The XML of a sheet, row by row: cells coloured, cells added, rows left out. No tree, no parser (S-21).

Rows keep their numbers, and rows that are left out stay as hidden ones: so merged
cells, filters, formats and pictures stay where they are, and a person sees in
the margin which row of the first file it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_ROW: Final = re.compile(rb"<((?:\w+:)?)row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.DOTALL)
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_NUMBER: Final = re.compile(rb'\br="(\d+)"')
_REF: Final = re.compile(rb'\br="([A-Z]{1,3})\d+"')
_STYLE: Final = re.compile(rb'\ss="(\d+)"')
_SPANS: Final = re.compile(rb'\sspans="[^"]*"')
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)")
#: What a formula had come to; some programs write an empty element where it was never calculated.
_VALUE: Final = re.compile(rb"<(?:\w+:)?(?:v\b[^>]*>[^<]|is\b)")
_COLS: Final = re.compile(rb"<((?:\w+:)?)cols>(.*?)</(?:\w+:)?cols>", re.DOTALL)
_COL: Final = re.compile(rb"<(?:\w+:)?col\b[^>]*?(?:/>|></(?:\w+:)?col>)")
_DATA: Final = re.compile(rb"<((?:\w+:)?)sheetData\b")
_DIMENSION: Final = re.compile(rb"<(?:\w+:)?dimension\b[^>]*?(?:/>|>\s*</(?:\w+:)?dimension>)")
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LAST: Final = 16_383
_LONGEST: Final = 32_000

Cell = str | int | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """``cells`` by column: text, a number, or None for no cell; ``colours``: column → style for a style."""

    cells: Mapping[int, tuple[Cell, int]]
    colours: Mapping[int, Callable[[int], int]]
    values_only: bool = False  # formulas give way to what they had come to


class Left:
    """A row that is left out."""


KEEP: Final = None
LEFT: Final = Left()
Change = RowChange | Left | None


def changed(
    pieces: Iterator[bytes], change: Callable[[int], Change], widths: Mapping[int, float]
) -> Iterator[bytes]:
    """The sheet, piece by piece; ``change`` says what becomes of a row, ``widths`` are columns to set."""
    last, begun = 0, False
    for piece in pieces:
        if not begun and (data := _DATA.search(piece)):
            begun = True
            yield _headed(piece[: data.start()], data[1], widths)
            piece = piece[data.start() :]
        out, at = [], 0
        for row in _ROW.finditer(piece):
            number = _NUMBER.search(row[2])
            last = int(number[1]) if number else last + 1
            made = change(last)
            if made is KEEP:
                continue
            out.append(piece[at : row.start()])
            out.append(_without(row, last) if isinstance(made, Left) else _with(row, last, made))
            at = row.end()
        yield b"".join(out) + piece[at:]


def cell_xml(prefix: bytes, column: int, row: int, value: Cell, style: int) -> bytes:
    """A cell. Text is text whatever it looks like, never a formula."""
    p, place = prefix, letters(column) + b"%d" % row
    marked = b' s="%d"' % style if style else b""
    if value is None:
        return b'<%sc r="%s"%s/>' % (p, place, marked)
    if isinstance(value, int):
        return b'<%sc r="%s"%s><%sv>%d</%sv></%sc>' % (p, place, marked, p, value, p, p)
    text = escape(_ILLEGAL.sub("", value)[:_LONGEST]).encode()
    return b'<%sc r="%s"%s t="inlineStr"><%sis><%st xml:space="preserve">%s</%st></%sis></%sc>' % (
        p, place, marked, p, p, text, p, p, p,
    )  # fmt: skip


def letters(column: int) -> bytes:
    """The name of a column, counted from 0."""
    name = b""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = bytes([65 + rest]) + name
    return name


def _position(name: bytes) -> int:
    place = 0
    for letter in name:
        place = place * 26 + letter - 64
    return place - 1


def _without(row: re.Match[bytes], number: int) -> bytes:
    return b'<%srow r="%d" hidden="1"/>' % (row[1], number)


def _with(row: re.Match[bytes], number: int, change: RowChange) -> bytes:
    prefix = row[1]
    cells: dict[int, bytes] = {}
    place = -1
    for cell in _CELL.finditer(row[3] or b""):
        ref = _REF.search(cell[1])
        place = _position(ref[1]) if ref else place + 1
        cells[place] = _valued(cell[0], cell[2]) if change.values_only else cell[0]
    for column, styled in change.colours.items():
        found = cells.get(column)
        if found is None:
            cells[column] = cell_xml(prefix, column, number, None, styled(0))
        else:
            old = _STYLE.search(found[: found.index(b">") + 1])
            new = b' s="%d"' % styled(int(old[1]) if old else 0)
            start = found.index(b"c") + 1
            cells[column] = _STYLE.sub(new, found, count=1) if old else found[:start] + new + found[start:]
    for column, (value, style) in change.cells.items():
        cells.pop(column, None)
        if value is not None:
            cells[column] = cell_xml(prefix, column, number, value, style)
    inner = b"".join(cells[column] for column in sorted(cells))
    return b"<%srow%s>%s</%srow>" % (prefix, _SPANS.sub(b"", row[2]), inner, prefix)


def _valued(cell: bytes, inner: bytes | None) -> bytes:
    """A formula counts on rows that may be left out: where it has a value, that stays."""
    if not inner or b"f" not in inner or not _VALUE.search(inner):
        return cell
    return _FORMULA.sub(b"", cell, count=1)


def _headed(head: bytes, prefix: bytes, widths: Mapping[int, float]) -> bytes:
    """What stands before the rows: the size of the sheet left open, columns as wide as asked."""
    head = _DIMENSION.sub(b"", head)
    if not widths:
        return head
    first = min(widths) + 1
    found = _COLS.search(head)
    kept = [made for col in _COL.findall(found[2]) if (made := _before(col, first))] if found else []
    more = [
        b'<%scol min="%d" max="%d" width="%.1f" customWidth="1"/>' % (prefix, c + 1, c + 1, width)
        for c, width in sorted(widths.items())
    ]
    cols = b"<%scols>%s</%scols>" % (prefix, b"".join([*kept, *more]), prefix)
    return head[: found.start()] + cols + head[found.end() :] if found else head + cols


def _before(col: bytes, first: int) -> bytes:
    """A range of columns, as far as it lies before the column ``first`` (from 1)."""
    low, high = (re.search(rb'\b%s="(\d+)"' % name, col) for name in (b"min", b"max"))
    if low is None or high is None or int(low[1]) >= first:
        return b""
    return col if int(high[1]) < first else col.replace(high[0], b'max="%d"' % (first - 1))


def sheet_xml(
    rows: Sequence[Sequence[tuple[Cell, int]]] | Iterator[Sequence[tuple[Cell, int]]],
    widths: Mapping[int, float],
) -> Iterator[bytes]:
    """A new sheet of (value, style) cells; printed, it is as wide as the page."""
    yield (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    )
    if widths:
        cols = (
            b'<col min="%d" max="%d" width="%.1f" customWidth="1"/>' % (c + 1, c + 1, w)
            for c, w in sorted(widths.items())
        )
        yield b"<cols>" + b"".join(cols) + b"</cols>"
    yield b"<sheetData>"
    for number, cells in enumerate(rows, start=1):
        made = (
            cell_xml(b"", c, number, value, style)
            for c, (value, style) in enumerate(cells)
            if value is not None
        )
        yield b'<row r="%d">%s</row>' % (number, b"".join(made))
    yield b'</sheetData><pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
