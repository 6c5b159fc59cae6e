"""A result as a marked file: CSV, XLSX or Parquet (C-21, L-38)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from huitong.errors import LimitExceeded
from huitong.query.values import SAFE_INTEGER, csv_text, text_value
from huitong.sharing.marks import COLUMN, LEAST_ROWS, Mark, marked_order

FileFormat = Literal["csv", "xlsx", "parquet"]
MEDIA: Final[Mapping[FileFormat, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
#: A sheet has 1 048 576 rows, one of them the heading.
SHEET_ROWS: Final = 1_048_575
#: The hidden mark is made a row at a time: larger files carry the open ones only.
HIDDEN_ROWS: Final = 100_000
_METADATA: Final = b"huitong.mark"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def write_marked(table: pa.Table, mark: Mark, bits: str, target: Path) -> None:
    """Write the table, marked, in ``mark.format``.

    CSV and XLSX are made for people: what a spreadsheet would take for a formula
    is made harmless (S-17). Raises LimitExceeded when a sheet cannot hold it.
    """
    if not mark.ordered and LEAST_ROWS <= table.num_rows <= HIDDEN_ROWS:
        table = table.take(pa.array(marked_order(list(text_rows(table)), bits)))
    column = pa.DictionaryArray.from_arrays(pa.array([0] * table.num_rows, pa.int32()), [mark.id])
    marked = table.append_column(pa.field(COLUMN, column.type), column)
    _WRITERS[mark.format](marked, mark, target)  # type: ignore[index]


def text_rows(table: pa.Table) -> Iterator[tuple[str, ...]]:
    """Rows as texts, without formula guards and mark: what hidden marks are made of."""
    columns = [
        ["" if v is None else text_value(v) for v in table.column(name).to_pylist()]
        for name in table.column_names
        if name != COLUMN
    ]
    yield from zip(*columns, strict=True)


def _csv(table: pa.Table, mark: Mark, target: Path) -> None:
    """The mark's column has the whole mark as its name: tools read the file, people see the mark."""
    plain = table.set_column(table.num_columns - 1, mark.text(), table.column(COLUMN).cast(pa.string()))
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(csv_text(plain.slice(0, 0), safe=True))
        for start in range(0, plain.num_rows, 20_000):
            file.write(csv_text(plain.slice(start, 20_000), header=False, safe=True))


def _parquet(table: pa.Table, mark: Mark, target: Path) -> None:
    told = json.dumps(mark.as_dict(), ensure_ascii=False).encode()
    schema = table.schema.with_metadata({_METADATA: told, b"title": mark.text().encode()})
    pq.write_table(table.cast(schema), target, compression="zstd")


def _xlsx(table: pa.Table, mark: Mark, target: Path) -> None:
    """Two sheets: the data, whose printed pages carry the mark, and the mark in words."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.packaging.custom import StringProperty

    if table.num_rows > SHEET_ROWS:
        zh, en = f"工作表最多 {SHEET_ROWS} 行", f"A sheet holds {SHEET_ROWS} rows at most"
        raise LimitExceeded(zh, en, limit="sheet_rows")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("数据 data")
    sheet.oddFooter.center.text = f"{mark.id} {mark.unit} {mark.user} {mark.at}".replace("&", "&&")

    def cell(value: Any) -> Any:
        made = WriteOnlyCell(sheet, value=value)
        if isinstance(value, str):
            made.data_type = "s"  # a text stays a text, whatever it begins with
            made.quotePrefix = value.startswith(_FORMULA)
        return made

    sheet.append([cell(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=20_000):
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            sheet.append([cell(_sheet_value(value)) for value in row])
    words = book.create_sheet("标识 mark")
    for line in mark.lines():
        words.append([cell(text) for text in line])
    at = datetime.fromisoformat(mark.at).astimezone(UTC).replace(tzinfo=None)
    core = book.properties
    core.creator, core.description, core.identifier, core.created = mark.user, mark.text(), mark.id, at
    book.custom_doc_props.append(StringProperty(name="huitong.mark", value=json.dumps(mark.as_dict())))
    book.save(target)


def _sheet_value(value: Any) -> Any:
    """A cell that a sheet shows without losing digits: numbers beyond its 15 are texts."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "".join(c for c in value if c in "\t\n\r" or ord(c) >= 32)[:32_767]
    if isinstance(value, int):
        return value if abs(value) < min(SAFE_INTEGER, 10**15) else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return text_value(value)


_WRITERS: Final[Mapping[FileFormat, Callable[[pa.Table, Mark, Path], None]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
