"""XLSX and XLS: what a person sees in a cell is what comes out of it."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from tests.support.old_workbook import biff

FIELDS = ["claim_id", "creditor", "creditor_id", "amount", "filed"]


def workbook(
    *rows: list[Any], sheet: str = "Sheet1", before: dict[str, list[list[Any]]] | None = None
) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = sheet
    for row in rows:
        first.append(row)
    for position, (name, others) in enumerate((before or {}).items()):
        other = book.create_sheet(name, position)
        for row in others:
            other.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def changed(data: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """A workbook with some bytes of one member replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == member:
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return buffer.getvalue()


def with_member(data: bytes, name: str, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, content)
    return buffer.getvalue()


def test_text_stays_text_and_numbers_and_dates_come_out_as_seen(intake: Any) -> None:
    """Q-13: identifiers exactly as they went in, 18 digits and leading zeros included."""
    batch = intake.land(
        workbook(
            FIELDS,
            ["00012", "张三", "440301199003070011", 44, datetime.date(2024, 1, 5)],
            ["A2", " 李四 ", "44030119900307001X", 44.5, datetime.datetime(2024, 1, 5, 10, 30)],
            ["A3", True, None, 0.1 + 0.2, "2024/1/5"],
            ["A4", "#N/A是文本", "1e5", -5, datetime.time(8, 30)],
        ),
        "claims.xlsx",
    )
    assert [[row[f] for f in FIELDS] for row in intake.rows(batch)] == [
        ["00012", "张三", "440301199003070011", "44", "2024-01-05"],
        ["A2", " 李四 ", "44030119900307001X", "44.5", "2024-01-05 10:30:00"],
        ["A3", "true", None, "0.3", "2024/1/5"],
        ["A4", "#N/A是文本", "1e5", "-5", "08:30:00"],
    ]
    assert intake.column(batch, "_source_row") == [2, 3, 4, 5]
    assert intake.findings(batch) == []


def test_text_that_looks_like_a_moment_stays_as_it_was_typed(intake: Any) -> None:
    moment = datetime.datetime(2024, 1, 5)
    batch = intake.land(
        workbook(FIELDS, ["A1", "2024-01-05 00:00:00", None, 1, moment], ["A2", moment, None, 1, None]),
        "claims.xlsx",
    )
    assert intake.column(batch, "creditor") == ["2024-01-05 00:00:00", "2024-01-05"]


def test_a_number_beyond_15_digits_keeps_the_digits_of_the_file_and_is_warned_of(intake: Any) -> None:
    data = workbook(FIELDS, ["A1", "x", 440301199003070011, 1, None], ["A2", "y", 7, 1, None])
    data = changed(data, "xl/worksheets/sheet1.xml", b"<v>7</v>", b"<v>440301199003070011</v>")
    batch = intake.land(data, "claims.xlsx")

    # The first is how Excel and openpyxl store such a number: its last digits are gone before we see it.
    assert intake.column(batch, "creditor_id") == ["440301199003070000", "440301199003070011"]
    finding = intake.findings(batch)[0]
    assert (finding["rule"], finding["severity"], finding["source_row"]) == ("cell.precision", "warning", 2)
    assert finding["raw"] is None


def test_zeros_that_a_number_format_shows_are_kept(intake: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(FIELDS)
    sheet.append([44, "x", None, 1, None])
    sheet["A2"].number_format = "000000"
    buffer = io.BytesIO()
    book.save(buffer)

    assert intake.column(intake.land(buffer.getvalue(), "claims.xlsx"), "claim_id") == ["000044"]


def test_the_sheet_and_header_row_are_found_below_a_title(intake: Any) -> None:
    data = workbook(
        ["债权申报表", None, None],
        [None],
        ["债权编号", "债权人", "金额"],
        ["A1", "张三", 10],
        [None, None, None],
        ["A2", "李四", 20],
        sheet="明细",
        before={"说明": [["填表说明"], ["请勿修改表头"]]},
    )
    batch = intake.land(data, "claims.xlsx")

    assert [(r["claim_id"], r["amount"], r["_source_row"]) for r in intake.rows(batch)] == [
        ("A1", "10", 4),
        ("A2", "20", 6),
    ]


def test_the_sheet_and_header_row_can_be_declared(intake: Any, refused: Any) -> None:
    data = workbook(FIELDS, ["A1", "x"], FIELDS, ["A2", "y"], before={"旧": [FIELDS, ["B1", "z"]]})

    assert intake.column(intake.upload(data, options={"sheet": "Sheet1", "header_row": 3}), "claim_id") == [
        "A2"
    ]
    assert intake.column(intake.upload(data, options={"sheet": "1"}, edition="2"), "claim_id") == ["B1"]
    assert refused(intake.upload(data, options={"sheet": "没有"}, edition="3"))["rule"] == "sheet.missing"


def test_merged_header_cells_take_the_name_from_above(intake: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["债权编号", "债权人信息", None, "金额"])
    sheet.append([None, "债权人", "证件号码", None])
    sheet.append(["A1", "张三", "440301199003070011", 5])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:D2")
    buffer = io.BytesIO()
    book.save(buffer)
    batch = intake.land(buffer.getvalue(), "claims.xlsx")

    [row] = intake.rows(batch)
    assert (row["claim_id"], row["creditor"], row["creditor_id"], row["amount"]) == (
        "A1",
        "张三",
        "440301199003070011",
        "5",
    )


def test_a_table_that_does_not_begin_in_the_first_cell_keeps_its_row_numbers(intake: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row, cells in (
        (3, FIELDS),
        (4, ["A1", "x", None, 1]),
        (7, ["A2", "y", None, "#REF!"]),
        (8, ["A3", "z"]),
    ):
        for position, value in enumerate(cells):
            sheet.cell(row, position + 3, value)
    buffer = io.BytesIO()
    book.save(buffer)
    batch = intake.land(buffer.getvalue(), "claims.xlsx")

    assert [(r["claim_id"], r["_source_row"]) for r in intake.rows(batch)] == [("A1", 4), ("A3", 8)]
    assert [(f["rule"], f["source_row"], f["column"]) for f in intake.findings(batch)] == [
        ("cell.error", 7, "amount")
    ]


def test_values_below_no_name_are_reported(intake: Any) -> None:
    batch = intake.land(workbook(FIELDS, ["A1", "x", None, 1, None, "无名"]), "claims.xlsx")
    assert [(f["rule"], f["column"]) for f in intake.findings(batch)] == [("column.unknown", "#6")]


def test_a_formula_gives_its_stored_result(intake: Any) -> None:
    data = workbook(FIELDS, ["A1", "x", None, "=1+1", None])
    data = changed(data, "xl/worksheets/sheet1.xml", b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    assert intake.column(intake.land(data, "claims.xlsx"), "amount") == ["2"]


def test_rows_with_errors_or_formulas_without_result_go_to_quarantine_alone(intake: Any) -> None:
    data = workbook(
        FIELDS,
        ["A1", "x", None, "=1+1", None],
        ["A2", "y", None, "#DIV/0!", None],
        ["A3", "z", None, 3, None],
    )
    batch = intake.land(data, "claims.xlsx")

    assert intake.column(batch, "claim_id") == ["A3"]
    assert batch.counts.received == 3
    found = [(f["rule"], f["source_row"], f["column"], f["value"]) for f in intake.findings(batch)]
    assert found == [("cell.formula", 2, "amount", "=1+1"), ("cell.error", 3, "amount", "#DIV/0!")]
    assert all('"claim_id"' in f["raw"] for f in intake.findings(batch))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (with_member(workbook(FIELDS), "xl/vbaProject.bin"), "file.macros"),
        (with_member(workbook(FIELDS), "xl/bomb.xml", b"A" * 30_000_000), "archive.too-large"),
        (workbook(FIELDS)[:-100], "archive.damaged"),
        (workbook(FIELDS), "file.no-rows"),
        (workbook(), "file.empty"),
        (workbook(["姓名", "年龄"], ["x", 1]), "columns.missing"),
        (workbook([*FIELDS, "金额"], ["x", 1, 1, 1, 1, 1]), "columns.duplicate"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "file.encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le"), "file.macros"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "file.unsupported"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "excel.damaged"),
    ],
)
def test_a_workbook_that_cannot_be_taken_is_refused(
    intake: Any, refused: Any, data: bytes, rule: str
) -> None:
    assert refused(intake.land(data, "claims.xlsx"))["rule"] == rule


def test_an_external_entity_is_not_expanded(intake: Any) -> None:
    data = workbook(FIELDS, ["A1", "secret", None, 1, None])
    entity = b'<!DOCTYPE worksheet [<!ENTITY e SYSTEM "file:///etc/hostname">]><worksheet'
    data = changed(data, "xl/worksheets/sheet1.xml", b"<worksheet", entity)
    data = changed(data, "xl/worksheets/sheet1.xml", b"secret", b"&e;")
    batch = intake.land(data, "claims.xlsx")

    if batch.status == "ingested":
        with open("/etc/hostname") as name:  # noqa: PTH123
            assert name.read().strip() not in str(intake.rows(batch))
    else:
        assert batch.refusal["problems"][0]["rule"] == "excel.damaged"


def test_an_xls_is_read_like_an_xlsx(intake: Any) -> None:
    batch = intake.land(
        biff([["债权编号", "债权人", "金额"], ["001", "张三", 12.5], ["002", "李四", 7.0]]), "claims.xls"
    )

    assert [(r["claim_id"], r["creditor"], r["amount"]) for r in intake.rows(batch)] == [
        ("001", "张三", "12.5"),
        ("002", "李四", "7"),
    ]
