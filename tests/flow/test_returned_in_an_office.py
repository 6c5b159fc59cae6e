"""The file that comes back is opened, mended and saved in LibreOffice, as a clerk does, and lands (C-13)."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flow_world import AMOUNT, KEY, Flow, contract
from tests.support.old_workbook import biff
from tests.support.returned_world import give_back_of, taken, write_csv

from huitong.intake.returned import EN_COLUMN, PROBLEMS_COLUMN, ROW_COLUMN, ZH_COLUMN

DOCUMENT = contract(
    KEY, "name: id_no, logicalType: string", f"{AMOUNT}, required: true", "name: noted, logicalType: date",
    "name: note, logicalType: string",
)  # fmt: skip
HEADER = ("item", "id_no", "amount", "noted", "note")
#: item, id_no, amount, noted, note; b and d cannot be read.
TEXTS = (
    ("000a", "440300199001011234", "1234.50", "2026-01-05", "=1+1"),
    ("000b", "000000000000000017", "zwei", "2026-01-06", "1-2"),
    ("000c", "123456789012345678", "0.10", "2024-02-29", "00"),
    ("000d", "000000199001010000", "3.00", "2026-02-30", "1e5"),
)
MENDED = {"000b": ("amount", "2.00"), "000d": ("noted", "2026-02-28")}
PUBLISHED = {
    "000a": ("440300199001011234", "1234.50", "2026-01-05", "=1+1"),
    "000b": ("000000000000000017", "2.00", "2026-01-06", "1-2"),
    "000c": ("123456789012345678", "0.10", "2024-02-29", "00"),
    "000d": ("000000199001010000", "3.00", "2026-02-28", "1e5"),
}
#: LibreOffice's number of an encoding, in the options of its CSV filter.
ENCODINGS = {"bom.csv": ("utf-8-sig", 76), "gbk.csv": ("gb18030", 85), "utf16.csv": ("utf-16", 65535)}


def write_typed(path: Path) -> None:
    """Numbers as numbers and days as days, as people type them; what cannot be one is text."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["2026 年债权汇总表"])
    sheet.append(HEADER)
    for item, id_no, amount, noted, note in TEXTS:
        day = date.fromisoformat(noted) if noted != "2026-02-30" else noted
        sheet.append([item, id_no, float(amount) if amount != "zwei" else amount, day, None])
        row = sheet.max_row
        sheet.cell(row, 3).number_format = "#,##0.00"
        sheet.cell(row, 4).number_format = "yyyy/m/d"
        sheet.cell(row, 5).value, sheet.cell(row, 5).data_type = note, "s"
    book.save(path)


def office(folder: Path, path: Path, form: str, *more: str) -> Path:
    """What LibreOffice saves of a file. Skips, with the reason, where there is none."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed: apt-get install libreoffice-calc")
    saved = folder / "saved"
    home = f"-env:UserInstallation=file://{folder / 'home'}"
    command = [program, home, "--headless", *more, "--convert-to", form, "--outdir", str(saved), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (made,) = saved.iterdir()
    return made


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "platform", DOCUMENT)


def shown(flow: Flow) -> dict[str, tuple[str, ...]]:
    return {r["item"]: tuple(str(r[c]) for c in HEADER[1:]) for r in flow.rows()}


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_workbook_saved_by_libreoffice_lands_with_ids_zeros_and_days_as_they_were(
    flow: Flow, tmp_path: Path, name: str, whole: bool
) -> None:
    """C-13: XLSX with typed cells, and XLS that comes back as XLSX."""
    path = tmp_path / name
    if name == "f.xlsx":
        write_typed(path)
    else:
        path.write_bytes(biff([["2026 年债权汇总表"], list(HEADER), *map(list, TEXTS)]))
    first = flow.published_file(path)
    assert (first.status, first.counts.accepted, first.counts.quarantined) == ("published", 2, 2)
    copy = taken(flow, give_back_of(flow).make(first, whole=whole), tmp_path)
    saved = office(tmp_path, copy, "xlsx:Calc MS Excel 2007 XML")
    book = openpyxl.load_workbook(saved)
    sheet = book.worksheets[0]
    heading = [str(c.value) for c in sheet[2]]
    assert heading[5:7] == [ROW_COLUMN, PROBLEMS_COLUMN]
    assert sheet["C4"].fill.fgColor.rgb == "FFFFC7CE", "what is wrong is still red after saving"
    assert bool(sheet.row_dimensions[3].hidden) is not whole
    for line in sheet.iter_rows(min_row=3):
        if line[0].value in MENDED:
            column, text = MENDED[line[0].value]
            line[HEADER.index(column)].value = date.fromisoformat(text) if column == "noted" else float(text)
    book.save(saved)
    second = flow.published_file(saved, mends=first.id)
    assert (second.status, second.counts.accepted) == ("published", 2)
    assert shown(flow) == PUBLISHED
    holding = flow.batches.holdings.find(first)
    assert holding is not None
    assert holding.holding.figures() == {"open": 0, "mended": 2, "replayed": 0, "expired": 0}
    flow.check()


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_libreoffice_reads_a_returned_csv_cell_by_cell_in_its_encoding(
    flow: Flow, tmp_path: Path, name: str
) -> None:
    """C-13: with columns as text; what it saves as a workbook, mended, lands."""
    path, (encoding, number) = tmp_path / name, ENCODINGS[name]
    write_csv(encoding)([*TEXTS], path)
    _with_header(path, encoding)
    first = flow.published_file(path)
    assert first.counts.quarantined == 2
    copy = taken(flow, give_back_of(flow).make(first, whole=False), tmp_path)
    as_text = "/".join(f"{n}/2" for n in range(1, 9))
    saved = office(
        tmp_path, copy, "xlsx:Calc MS Excel 2007 XML", f"--infilter=CSV:44,34,{number},1,{as_text}"
    )
    book = openpyxl.load_workbook(saved)
    sheet = book.worksheets[0]
    lines = [[c.value for c in line] for line in sheet.iter_rows()]
    assert lines[1] == [*HEADER, ROW_COLUMN, ZH_COLUMN, EN_COLUMN]
    assert [line[:6] for line in lines[2:]] == [[*TEXTS[1], "4"], [*TEXTS[3], "6"]]
    assert all(not str(line[6]).isascii() and line[7].isascii() for line in lines[2:])  # Chinese, English
    for line in sheet.iter_rows(min_row=3):
        column, text = MENDED[line[0].value]
        line[HEADER.index(column)].value = text
    book.save(saved)
    second = flow.published_file(saved, mends=first.id)
    assert (second.status, second.counts.accepted) == ("published", 2)
    assert shown(flow) == PUBLISHED


def _with_header(path: Path, encoding: str) -> None:
    text = path.read_bytes().decode(encoding).replace("item,amount,noted", ",".join(HEADER), 1)
    path.write_bytes(text.encode(encoding))
