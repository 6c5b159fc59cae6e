"""Files of every format with bad rows among good ones, and what a unit does with the file that comes back."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.styles import Font, PatternFill
from tests.support.old_workbook import biff

from huitong.audit.trace import Traces
from huitong.intake.returned import COLUMNS
from huitong.quality.returning.give_back import GiveBack, Returned

Row = Sequence[str | None]
HEADER = ("item", "amount", "noted")


def give_back_of(flow: Any) -> GiveBack:
    p = flow.ports
    return GiveBack(
        p.register, p.landing, p.staging, flow.contracts, flow.uploads, flow.profiles, flow.batches,
        Traces(p.register, p.clock), p.clock,
    )  # fmt: skip


def taken(flow: Any, returned: Returned, folder: Path) -> Path:
    target = folder / returned.filename
    target.write_bytes(flow.ports.staging.read(returned.key))
    return target


def write_xlsx(rows: Sequence[Row], path: Path) -> None:
    """As offices make them: a title above, formats, a second sheet, a merged cell, a column of formulas."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "明细"
    sheet.append(["2026 年汇总表"])
    sheet.merge_cells("A1:C1")
    sheet.append([*HEADER, "说明"])
    for n, row in enumerate(rows, start=3):
        sheet.append([*row, f"备注{n}"])
        sheet.cell(n, 1).number_format = "@"
        sheet.cell(n, 2).font = Font(bold=True)
        sheet.cell(n, 4).fill = PatternFill("solid", fgColor="FF00FF00")
    sheet.column_dimensions["A"].width = 33
    other = book.create_sheet("其他")
    other["B2"] = "不动"
    other["B3"] = "=1+1"
    book.save(path)


def write_csv(encoding: str, end: str = "\r\n", quoted: bool = True) -> Callable[[Sequence[Row], Path], None]:
    def write(rows: Sequence[Row], path: Path) -> None:
        def cell(text: str | None) -> str:
            shown = text or ""
            return f'"{shown}"' if quoted else shown

        lines = ["汇总表,,", ",".join(HEADER), *(",".join(map(cell, row)) for row in rows)]
        path.write_bytes((end.join(lines) + end).encode(encoding))

    return write


def write_json(rows: Sequence[Row], path: Path) -> None:
    path.write_text("[" + ",\n".join(_object(row) for row in rows) + "]")


def write_ndjson(rows: Sequence[Row], path: Path) -> None:
    path.write_text("".join(_object(row) + "\n" for row in rows))


def _object(row: Row) -> str:
    return json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False)


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    columns = list(zip(*rows, strict=True))
    pq.write_table(
        pa.table({n: pa.array(c, pa.string()) for n, c in zip(HEADER, columns, strict=True)}), path
    )


def write_xls(rows: Sequence[Row], path: Path) -> None:
    path.write_bytes(biff([["2026 年汇总表"], list(HEADER), *(list(row) for row in rows)]))


#: By format: how a unit's system writes it.
WRITERS: dict[str, Callable[[Sequence[Row], Path], None]] = {
    "f.xlsx": write_xlsx,
    "f.xls": write_xls,
    "utf8.csv": write_csv("utf-8"),
    "bom.csv": write_csv("utf-8-sig", end="\n"),
    "gbk.csv": write_csv("gb18030", quoted=False),
    "utf16.csv": write_csv("utf-16"),
    "f.json": write_json,
    "f.ndjson": write_ndjson,
    "f.parquet": write_parquet,
}


def mend(path: Path, cells: dict[tuple[str, str], str]) -> None:
    """What a person does: in the row of that item, write this into that column. Nothing else is touched."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        for line in sheet.iter_rows(min_row=3):
            for (item, column), text in cells.items():
                if line[0].value == item:
                    line[HEADER.index(column)].value = text
        book.save(path)
    elif path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        pq.write_table(pa.Table.from_pylist([_mended(r, cells) for r in rows]), path)
    elif path.suffix in (".json", ".ndjson"):
        text = path.read_text()
        many = (
            json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
        )
        path.write_text("".join(json.dumps(_mended(r, cells), ensure_ascii=False) + "\n" for r in many))
    else:
        raw = path.read_bytes()
        encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            encoding = "gb18030"
            text = raw.decode(encoding)
        lines = list(csv.reader(io.StringIO(text, newline="")))
        for parts in lines:
            for (item, column), value in cells.items():
                if parts and parts[0] == item:
                    parts[HEADER.index(column)] = value
        out = io.StringIO(newline="")
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows(lines)
        path.write_bytes(out.getvalue().encode(encoding))


def _mended(row: dict[str, Any], cells: dict[tuple[str, str], str]) -> dict[str, Any]:
    return {c: cells.get((row.get("item", ""), c), v) for c, v in row.items()}


def in_office(path: Path, folder: Path) -> list[list[str]]:
    """The first sheet as LibreOffice reads it. Skips, with the reason, where there is none."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed: apt-get install libreoffice-calc")
    made = folder / "office"
    home = f"-env:UserInstallation=file://{folder / 'home'}"
    form = "csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true,false,false,false,1"
    command = [office, home, "--headless", "--convert-to", form, "--outdir", str(made), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (found,) = made.glob("*.csv")
    return [line.split("\t") for line in found.read_text(encoding="utf-8").splitlines()]


def own(cells: Sequence[str]) -> list[str]:
    return [c for c in cells if c in COLUMNS]
