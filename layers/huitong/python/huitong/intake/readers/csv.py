"""CSV and its relatives, streamed: memory does not grow with the file (Q-13)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv

from huitong.errors import UnreadableFile
from huitong.intake.layout import Layout
from huitong.intake.readers.encoding import Text, as_utf8
from huitong.intake.readers.header import SEARCHED_ROWS, Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Block
from huitong.intake.structure import Structural

#: A record must fit into a block. Larger blocks save nothing and take memory, which a small file does not.
BLOCK_BYTES: Final = 4 * 1024 * 1024
LONG_BLOCK_BYTES: Final = 16 * 1024 * 1024
_SMALL_FILE: Final = 64 * 1024 * 1024
_SAMPLE_BYTES: Final = 1024 * 1024
_DELIMITERS: Final = (",", "\t", ";", "|")
_MAX_CELL: Final = 16 * 1024 * 1024
_RAW_SHOWN: Final = 100_000


@dataclass(frozen=True, slots=True)
class _Start:
    """What the head of the file shows."""

    delimiter: str
    header: tuple[str, ...]
    header_row: int  # record number from 1
    data: int  # offset of the first record after the header


@dataclass(slots=True)
class CsvTable:
    text: Text
    quote: str  # "" = nothing quotes
    start: _Start
    findings: list[Structural] = field(default_factory=list)
    named: None = None

    @property
    def header(self) -> Sequence[str]:
        return self.start.header

    @property
    def header_row(self) -> int:
        return self.start.header_row

    @property
    def _block_bytes(self) -> int:
        return LONG_BLOCK_BYTES if self.text.size <= _SMALL_FILE else BLOCK_BYTES

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        if self.start.data >= self.text.size:
            return
        ragged: list[tuple[int, int, str]] = []

        def keep(row: Any) -> str:
            ragged.append((row.number, row.actual_columns, row.text))
            return "skip"

        numbers = _Numbers(self.start.header_row)
        with self.text.path.open("rb") as stream:
            stream.seek(self.start.data)
            try:
                for batch in self._open(stream, wanted, keep):
                    rows = numbers.take(batch.num_rows, [number for number, _, _ in ragged])
                    found = [self._ragged(*one) for one in ragged]
                    ragged.clear()
                    yield Block(batch.columns, rows, found, nul=self.text.nul)
            except pa.ArrowInvalid as error:
                raise _translated(error, self._block_bytes) from error
        if ragged:
            empty = pa.array([], pa.string())
            yield Block(
                [empty] * len(wanted), pa.array([], pa.int64()), [self._ragged(*one) for one in ragged]
            )

    def _open(self, stream: Any, wanted: Sequence[int], keep: Any) -> Any:
        names = [str(position) for position in range(len(self.start.header))]
        quotes = bool(self.quote) and self.text.quotes
        return pyarrow.csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            # One thread: the numbers of ragged rows are only known so, and it costs less CPU.
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=self._block_bytes, column_names=names
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.start.delimiter,
                quote_char=self.quote if quotes else False,
                newlines_in_values=quotes,
                ignore_empty_lines=False,  # they count as rows; rows without any value are dropped later
                invalid_row_handler=keep,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                include_columns=[str(position) for position in wanted],
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,  # as_utf8 has looked at every byte
            ),
        )

    def _ragged(self, number: int, cells: int, raw: str) -> Structural:
        row = self.start.header_row + number
        expected = len(self.start.header)
        zh, en = _why(cells, expected)
        return Structural(
            "row.ragged",
            f"第 {row} 行有 {cells} 列,表头有 {expected} 列{zh}",
            f"Row {row} has {cells} columns; the header has {expected}{en}",
            source_row=row,
            raw=raw[:_RAW_SHOWN],
            severity="error",
            cells=self._cells(raw),
        )

    def _cells(self, raw: str) -> tuple[tuple[str, str | None], ...]:
        """The cells of a ragged row, counted from the left."""
        dialect = _dialect(self.start.delimiter, self.quote)
        try:
            found = next(csv.reader(io.StringIO(raw, newline=""), **dialect), [])
        except csv.Error:
            return ()
        return tuple((name, cell or None) for name, cell in zip(self.start.header, found, strict=False))


def _why(cells: int, expected: int) -> tuple[str, str]:
    if cells > expected:
        return (
            ";多半是某个值含有分隔符而未加引号,或行尾多了分隔符",
            "; most likely a value holds the delimiter without quotes, or the row ends with one",
        )
    return (
        ";多半是某个值含有换行而未加引号,或行尾缺列",
        "; most likely a value holds a line break without quotes, or columns at the end are missing",
    )


def _translated(error: pa.ArrowInvalid, limit: int) -> UnreadableFile:
    if "straddling" in str(error):
        return refusal(
            "row.too-long",
            f"有一行超过 {limit // 1024 // 1024} MB,可能缺少换行或引号未闭合",
            f"A row is longer than {limit // 1024 // 1024} MB; a line end or a quote may be missing",
        )
    return refusal("csv.unreadable", "CSV 内容无法解析", f"The CSV cannot be parsed: {str(error)[:200]}")


class _Numbers:
    """Source row numbers of consecutive good rows, with holes where rows were ragged."""

    def __init__(self, header_row: int) -> None:
        self._header_row = header_row
        self._next = 1  # record number after the header
        self._holes: list[int] = []

    def take(self, count: int, holes: Sequence[int]) -> pa.Array:
        self._holes.extend(holes)
        start, end = self._next, self._next + count
        inside = 0
        for hole in self._holes:
            if hole < end:
                end += 1
                inside += 1
        numbers = np.arange(start, end, dtype=np.int64)
        if inside:
            numbers = np.delete(numbers, np.asarray(self._holes[:inside], dtype=np.int64) - start)
            del self._holes[:inside]
        self._next = end
        return pa.array(numbers + self._header_row)


def open_csv(path: Path, layout: Layout, names: Names, work: Path) -> CsvTable:
    """Find encoding, delimiter and header row as far as they are not declared. Raises UnreadableFile."""
    quote = "" if layout.quote == "none" else layout.quote or '"'
    text = as_utf8(path, layout.encoding, work, quote)
    start = _find_start(text, layout, names, quote)
    if quote and text.quotes:
        _check_quotes(text, start.delimiter, quote)
    return CsvTable(text, quote, start)


def _find_start(text: Text, layout: Layout, names: Names, quote: str) -> _Start:
    with text.path.open("rb") as stream:
        stream.seek(text.start)
        sample = stream.read(_SAMPLE_BYTES).decode("utf-8", "ignore")
    if not sample.strip():
        raise refusal("file.empty", "文件没有内容", "The file has no content")
    delimiters = (layout.delimiter,) if layout.delimiter else _DELIMITERS
    deepest = max(SEARCHED_ROWS, layout.header_row)
    tried = [(d, _records(sample, d, quote, deepest)) for d in delimiters]
    delimiter, records = max(tried, key=lambda pair: _fitness(pair[1], names, layout.header_row))
    if layout.header_row:
        position = layout.header_row - 1
        if position >= len(records):
            raise refusal(
                "header.missing",
                f"第 {layout.header_row} 行不存在,无法作为表头",
                f"There is no row {layout.header_row} to be the header",
                row=layout.header_row,
            )
    else:
        position = names.find([cells for cells, _ in records]) or 0
    header, end = records[position]
    below = [cells for cells, _ in records[position + 1 :] if any(cells)]
    if below and all(len(c) == len(header) + 1 and not c[-1] for c in below):
        header = [*header, ""]  # a delimiter at the end of every row but the header's
    return _Start(delimiter, tuple(header), position + 1, text.start + end)


def _records(sample: str, delimiter: str, quote: str, deepest: int) -> list[tuple[list[str], int]]:
    """The first records, each with the number of bytes up to its end."""
    # The limit is the interpreter's, not the reader's; ours is higher than its default of 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    used = 0

    def lines() -> Iterator[str]:
        nonlocal used
        for line in io.StringIO(sample, newline=""):
            used += len(line.encode())
            yield line

    found: list[tuple[list[str], int]] = []
    reader = csv.reader(lines(), **_dialect(delimiter, quote))
    try:
        for cells in reader:
            found.append((cells, used))
            if len(found) >= deepest:
                break
    except csv.Error:
        pass  # the rest of the sample does not decide where the header is
    return found or [([], 0)]


def _fitness(records: Sequence[tuple[list[str], int]], names: Names, header_row: int) -> tuple[int, int]:
    """Most known names in one row; then most columns in the first row (or the declared header)."""
    known = max((names.known(cells) for cells, _ in records), default=0)
    first = records[min(max(header_row - 1, 0), len(records) - 1)][0]
    return known, len(first)


def _dialect(delimiter: str, quote: str) -> dict[str, Any]:
    if not quote:
        return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
    return {"delimiter": delimiter, "quotechar": quote}


def _check_quotes(text: Text, delimiter: str, quote: str) -> None:
    """Refuse quotes that do not close, or with text after them: rows would silently run together.

    Nearly every file is proven right by looking at the neighbours of its
    quotes; only one with a doubt is read again, record by record.
    """
    if not _surely_balanced(text, delimiter, quote):
        _check_each_record(text, delimiter, quote)


def _surely_balanced(text: Text, delimiter: str, quote: str) -> bool:
    mark = ord(quote)
    opens = np.zeros(256, dtype=bool)
    opens[[ord(delimiter) if delimiter.isascii() else mark, 10, 13, mark]] = True
    inside = False
    before = 10
    with text.path.open("rb") as stream:
        stream.seek(text.start)
        chunk = stream.read(BLOCK_BYTES)
        while chunk:
            following = stream.read(BLOCK_BYTES)
            padded = np.frombuffer(bytes([before]) + chunk + (following[:1] or b"\n"), dtype=np.uint8)
            at = np.flatnonzero(padded[1:-1] == mark) + 1
            opening, closing = (at[1::2], at[0::2]) if inside else (at[0::2], at[1::2])
            if not (opens[padded[opening - 1]].all() and opens[padded[closing + 1]].all()):
                return False
            inside ^= bool(len(at) % 2)
            before = chunk[-1]
            chunk = following
    return not inside


def _check_each_record(text: Text, delimiter: str, quote: str) -> None:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    row = 0
    with text.path.open("r", encoding="utf-8", newline="") as lines:
        lines.seek(text.start)
        try:
            for _ in csv.reader(lines, strict=True, **_dialect(delimiter, quote)):
                row += 1
        except csv.Error as error:
            raise _bad_quote(row + 1) from error


def _bad_quote(row: int) -> UnreadableFile:
    return refusal(
        "csv.quote",
        f"第 {row} 行的引号未正确闭合",
        f"A quote in row {row} is not closed properly",
        advice=(
            "引号内的引号应写成两个;若引号不起引用作用,请在导入方案中设 quote 为 none",
            'Double a quote inside quotes; if quotes do not quote, set quote to "none" in the import profile',
        ),
        row=row,
    )
