"""CSV given back: the sender's own bytes of each record, and cells after them (same encoding, line ends)."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from huitong.intake.readers.csv import CsvTable
from huitong.intake.readers.header import Names
from huitong.intake.returned import EN_COLUMN, ROW_COLUMN, ZH_COLUMN
from huitong.quality.returning.problems import Problems, Wrong

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Delimited:
    """``numbered``: rows get the number that they have in this file, unless it names one already."""

    table: CsvTable
    names: Names
    numbered: bool

    def write(self, source: Path, target: Path, problems: Problems, *, whole: bool) -> int:
        """The number of rows written; heading rows stay as they are."""
        header_row, rows = self.table.header_row, 0
        with self._opened(source, target) as out:
            for number, raw in enumerate(self._records(), start=1):
                wrong = problems.rows.get(number)
                if number < header_row:
                    out.write(raw)
                elif number == header_row:
                    out.write(self._with(raw, [ROW_COLUMN, ZH_COLUMN, EN_COLUMN]))
                elif raw.strip() and (whole or (wrong is not None and wrong.error)):
                    rows += 1
                    out.write(self._with(raw, [str(number), *_told(wrong)]))
        return rows

    def _with(self, raw: str, cells: Sequence[str]) -> str:
        """The record with number and problems after it; where it has such columns already, in those."""
        text = raw.rstrip("\r\n")
        end = raw[len(text) :] or "\n"
        own = [i for i, cell in enumerate(self.table.header) if self.names.returned(cell)]
        more = list(cells if self._adds_number else cells[1:])
        if own:
            text, more = self._without(text, own, more)
        delimiter = self.table.start.delimiter
        return delimiter.join([text, *map(self._quoted, more)]) + end

    @property
    def _adds_number(self) -> bool:
        return self.numbered and not any(self.names.original_row(c) for c in self.table.header)

    def _without(self, text: str, own: Sequence[int], more: list[str]) -> tuple[str, list[str]]:
        """The record without the columns of an earlier return, but with the number that it has."""
        found = next(csv.reader(io.StringIO(text, newline=""), **self._dialect), [])
        number = [found[i] for i in own if i < len(found) and self.names.original_row(self.table.header[i])]
        kept = [cell for i, cell in enumerate(found) if i not in own]
        out = io.StringIO(newline="")
        # what ends a line is what gets quoted: without both signs here a cell's own line end would not be
        csv.writer(out, lineterminator="\r\n", **self._dialect).writerow(kept)
        return out.getvalue().removesuffix("\r\n"), [*number, *more]

    def _quoted(self, cell: str) -> str:
        quote, delimiter = self.table.quote, self.table.start.delimiter
        if not quote:
            return cell.replace(delimiter, " ")
        if any(sign in cell for sign in (quote, delimiter)):
            return quote + cell.replace(quote, quote * 2) + quote
        return cell

    @property
    def _dialect(self) -> dict[str, Any]:
        delimiter, quote = self.table.start.delimiter, self.table.quote
        if not quote:
            return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None, "escapechar": "\\"}
        return {"delimiter": delimiter, "quotechar": quote}

    def _records(self) -> Iterator[str]:
        """Each record as it stands, line end included."""
        text = self.table.text
        with text.path.open("r", encoding="utf-8", newline="") as lines:
            lines.seek(text.start)
            if not (self.table.quote and text.quotes):
                yield from lines
                return
            taken: list[str] = []

            def noted() -> Iterator[str]:
                for line in lines:
                    taken.append(line)
                    yield line

            for _ in csv.reader(noted(), **self._dialect):
                yield "".join(taken)
                taken.clear()

    def _opened(self, source: Path, target: Path) -> IO[str]:
        with source.open("rb") as stream:
            head = stream.read(4)
        mark, encoding = next(
            ((m, e) for m, e in _MARKS if head.startswith(m)), (b"", self.table.text.encoding)
        )
        if mark:
            target.write_bytes(mark)
        # what an old encoding lacks of our own words is written as a question mark; the sender's it has
        return target.open("a" if mark else "w", encoding=encoding, errors="replace", newline="")


def _told(wrong: Wrong | None) -> tuple[str, str]:
    return (wrong.zh, wrong.en) if wrong else ("", "")
