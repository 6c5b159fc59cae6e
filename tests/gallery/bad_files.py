"""Files as units really deliver them, made by code, and what must become of each.

``expected`` are findings as (row, column, rule); ``keys`` the rows that are published; ``refused`` the rule by
which the file as a whole cannot be read; ``values`` what some published cells must be.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from tests.gallery.gallery_world import HEADER, ID, row

Row = Sequence[Any]
Found = tuple[int | None, str, str]
REJECTED: Found = (None, "", "batch.rejected")


@dataclass(frozen=True)
class Bad:
    data: bytes
    keys: str = ""  # published claims, by number: "12" are C001 and C002
    expected: tuple[Found, ...] = ()
    odd_keys: tuple[str, ...] = ()  # other keys that are published
    refused: str = ""
    says: tuple[str, ...] = ()  # what the words of the findings must hold
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def text(*rows: Row, encoding: str = "utf-8", delimiter: str = ",", end: str = "\r\n") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(rows)
    return buffer.getvalue().encode(encoding)


def book(*rows: Row, change: Callable[[Any, Any], None] | None = None) -> bytes:
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    for cells in rows:
        sheet.append(cells)
    if change:
        change(workbook, sheet)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def packed(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in members:
            archive.writestr(name, "x")
    return buffer.getvalue()


def renamed(**headings: str) -> list[str]:
    return [headings.get(h, h) for h in HEADER]


def _hide(_book: Any, sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["D"].hidden = True


def _second_sheet(workbook: Any, _sheet: Any) -> None:
    other = workbook.create_sheet("2月")
    other.append(HEADER)
    other.append(row(3))


def _hidden_first(workbook: Any, _sheet: Any) -> None:
    other = workbook.create_sheet("旧", 0)
    other.sheet_state = "hidden"
    other.append(HEADER)
    other.append(row(9))


def _mac_dates(workbook: Any, sheet: Any) -> None:
    workbook.epoch = CALENDAR_MAC_1904
    sheet["F2"] = date(2024, 1, 5)


def _formats(_book: Any, sheet: Any) -> None:
    sheet["E2"].number_format = "0.00%"
    sheet["E3"].number_format = '"¥"#,##0.00'
    sheet["F3"].number_format = "[$-804]yyyy年m月d日"


def _error_cell(_book: Any, sheet: Any) -> None:
    sheet["B2"] = "#N/A"
    sheet["B2"].data_type = "e"


TITLE = ["个人破产债权申报汇总表"]
GOOD = [row(1), row(2)]
TOTAL = ["合计", None, None, None, "2001.00", None, None, None]

GALLERY: dict[str, Bad] = {
    # --- encodings and bytes
    "utf-8-with-bom.csv": Bad(b"\xef\xbb\xbf" + text(HEADER, *GOOD), "12"),
    "gb18030.csv": Bad(text(HEADER, *GOOD, encoding="gb18030"), "12"),
    "utf-16.csv": Bad(text(HEADER, *GOOD, delimiter="\t", encoding="utf-16"), "12"),
    "two-encodings.csv": Bad(
        text(HEADER, *GOOD) + text(row(3), encoding="gb18030"), refused="encoding.invalid", says=("4",)
    ),
    "nul.csv": Bad(text(HEADER, row(1, creditor="甲\0某"), row(2)), "2", ((2, "creditor", "cell.nul"),)),
    "bom-inside.csv": Bad(
        text(HEADER, row(1, creditor="\ufeff甲某"), row(2, claim_no="C00\u200b2")),
        "1",
        ((2, "creditor", "text.unseen"), (3, "claim_no", "text.unseen")),
        says=("zero-width",),
    ),
    # --- what stands around a table
    "title-and-notes-above.csv": Bad(text(TITLE, ["填报单位:某院", "", "2024-01-05"], HEADER, *GOOD), "12"),
    "title-and-notes-above.xlsx": Bad(book(TITLE, [None], ["填报单位:某院"], HEADER, *GOOD), "12"),
    "note-below.csv": Bad(
        text(HEADER, *GOOD, ["备注：以上数据截至2024年1月"] + [""] * 7), "12", ((4, "", "row.note"),)
    ),
    "signature-below.xlsx": Bad(
        book(HEADER, *GOOD, [None], ["制表人：乙某", None, None, None, None], ["第 1 页"]),
        "12",
        ((5, "", "row.note"), (6, "", "row.note")),
    ),
    "total-below.csv": Bad(text(HEADER, *GOOD, TOTAL), "12", ((4, "", "row.total"),), says=("合计行",)),
    "total-in-the-fourth-column.xlsx": Bad(
        book(HEADER, *GOOD, [None, None, None, "合 计：", 2001]), "12", ((4, "", "row.total"),)
    ),
    "subtotals.csv": Bad(
        text(HEADER, row(1), ["小计", "", "", "", "1000.5", "", "", ""], row(2), ["总计", *TOTAL[1:]]),
        "12",
        ((3, "", "row.total"), (5, "", "row.total")),
    ),
    "header-again.csv": Bad(text(HEADER, row(1), HEADER, row(2)), "12", ((3, "", "row.header"),)),
    "two-rows-of-header.xlsx": Bad(book(HEADER, HEADER, *GOOD), "12"),
    "second-table-below.xlsx": Bad(
        book(HEADER, *GOOD, [None], ["债务人", "地址", "电话"], ["乙某", "深圳", "13900000001"]),
        "12",
        (
            (5, "", "table.second"),
            (5, "amount", "required"),
            (5, "id_no", "citizen-id.form"),
            (6, "amount", "required"),
            (6, "id_no", "citizen-id.form"),
        ),
        says=("另一张表",),
    ),
    "second-table-beside.xlsx": Bad(
        book(
            [*HEADER, None, "债务人", "电话"], [*row(1), None, "乙", "139"], [*row(2), None, None, None],
            [None] * 9 + ["丙", "138"],
        ),
        "12",
        (
            (None, "#9", "column.unknown"),
            (None, "债务人", "column.unknown"),
            (None, "电话", "column.unknown"),
            (4, "", "row.unknown-fields"),
        ),
    ),
    # --- columns
    "value-only-in-an-unknown-column.csv": Bad(
        text([*HEADER, "内部编号"], [*row(1), "7"], [""] * 8 + ["8"]),
        "1",
        ((None, "内部编号", "column.unknown"), (3, "", "row.unknown-fields")),
        says=("内部编号", "列错位"),
    ),
    "shifted.csv": Bad(
        text(HEADER, row(1), ["C002", "", "甲某", ID, "62220000", "1000", "2024-01-05", "是"]),
        "1",
        (
            (3, "creditor", "required"), (3, "filed", "type"), (3, "id_no", "citizen-id.form"),
            (3, "secured", "type"),
        ),
    ),
    "comma-not-quoted.csv": Bad(
        text(HEADER, row(1)) + b"C002,\xe7\x94\xb2,x,y,z,1,2024-01-05,1,a,b\r\n", "1", ((3, "", "row.ragged"),),
        says=("分隔符",),
    ),
    "comma-at-the-end-of-each-row.csv": Bad(
        text(HEADER) + b"".join(text(r, end=",\r\n") for r in GOOD), "12", ((None, "#9", "column.unknown"),)
    ),
    "comma-at-the-end-of-one-row.csv": Bad(
        text(HEADER, row(1)) + text(row(2), end=",\r\n"), "1", ((3, "", "row.ragged"),), says=("行尾",)
    ),
    "unit-in-the-heading.csv": Bad(
        text(renamed(金额="金额(万元)"), *GOOD), refused="columns.missing", says=("万元",)
    ),
    "unit-of-an-optional-column.csv": Bad(
        text(renamed(账号="账号（尾号）"), *GOOD),
        "12",
        ((None, "account", "column.absent"), (None, "账号（尾号）", "column.unit")),
        values={"C001": {"account": None}},
    ),
    "decorated-headings.csv": Bad(
        text(renamed(债权编号="*债权\n编号", 金额="金额（元）", 备注="备 注（选填）"), *GOOD), "12",
        values={"C001": {"amount": Decimal("1000.50")}},
    ),
    "heading-twice.csv": Bad(text([*HEADER, "金额"], [*row(1), "1"]), refused="columns.duplicate"),
    "tabs-named-csv.csv": Bad(text(HEADER, *GOOD, delimiter="\t"), "12"),
    # --- sheets
    "merged-cells.xlsx": Bad(
        book(HEADER, row(1), ["C002", *[None] * 7], change=lambda _, s: s.merge_cells("B2:B3")),
        "1",
        ((2, "", "cell.merged"), (3, "amount", "required"), (3, "creditor", "required")),
        says=("B2:B3",),
    ),
    "hidden-rows-and-columns.xlsx": Bad(
        book(HEADER, *GOOD, change=_hide),
        "12",
        ((None, "", "sheet.hidden-columns"), (None, "", "sheet.hidden-rows")),
        says=("账号", "3"),
    ),
    "two-sheets.xlsx": Bad(
        book(HEADER, *GOOD, change=_second_sheet), "12", ((None, "", "sheet.not-read"),), says=("2月",)
    ),
    "hidden-sheet-first.xlsx": Bad(book(HEADER, *GOOD, change=_hidden_first), "12"),
    "empty-sheet.xlsx": Bad(book(), refused="file.empty"),
    "header-only.xlsx": Bad(book(HEADER), refused="file.no-rows"),
    # --- what Excel does to values
    "scientific.csv": Bad(
        text(HEADER, row(1, id_no="4.40304E+17"), row(2, account="6.2222E+15"), row(3)),
        "3",
        ((2, "id_no", "citizen-id.form"), (2, "id_no", "text.scientific"), (3, "account", "text.scientific")),
        says=("末位已丢失", "重新导出"),
    ),
    "id-as-number.xlsx": Bad(
        book(HEADER, row(1, id_no=int(ID)), row(2)),
        "2",
        ((2, "id_no", "citizen-id.checksum"), (2, "身份证号", "cell.precision")),
    ),
    "date-as-number.csv": Bad(
        text(HEADER, row(1, filed="45296"), row(2)), "2", ((2, "filed", "type.serial"),), says=("日期格式",)
    ),
    "date-as-number.xlsx": Bad(book(HEADER, row(1, filed=45296), row(2)), "2", ((2, "filed", "type.serial"),)),
    "dates-since-1904.xlsx": Bad(
        book(HEADER, row(1), change=_mac_dates), "1", values={"C001": {"filed": date(2024, 1, 5)}}
    ),
    "percent-currency-and-chinese-date-formats.xlsx": Bad(
        book(HEADER, row(1, amount=0.12), row(2, amount=1234.5, filed=datetime(2024, 2, 29)), change=_formats),
        "12",
        values={"C001": {"amount": Decimal("0.12")}, "C002": {"amount": Decimal("1234.50"), "filed": date(2024, 2, 29)}},
    ),
    "percent-and-currency-as-text.csv": Bad(
        text(HEADER, row(1, amount="12.5%"), row(2, amount="￥1,000.00"), row(3)),
        "3",
        ((2, "amount", "type"), (3, "amount", "type")),
    ),
    "error-cell.xlsx": Bad(book(HEADER, *GOOD, change=_error_cell), "2", ((2, "债权人", "cell.error"),)),
    "error-as-text.csv": Bad(
        text(HEADER, row(1, creditor="#N/A"), row(2, note="#REF!"), row(3, account="######"), row(4)),
        "4",
        (
            (2, "creditor", "text.error-value"), (3, "note", "text.error-value"), (4, "account", "text.error-value"),
        ),
    ),
    "formula-never-calculated.xlsx": Bad(
        book(HEADER, row(1, amount="=1+1"), row(2)), "2", ((2, "金额", "cell.formula"),)
    ),
    "apostrophe.csv": Bad(
        text(HEADER, row(1, account="'6222"), row(2, claim_no="'002"), row(3)),
        "13",
        ((2, "account", "text.apostrophe"), (3, "claim_no", "text.apostrophe")),
    ),
    "leading-zeros.xlsx": Bad(book(HEADER, row(1, account="000123")), "1", values={"C001": {"account": "000123"}}),
    # --- what people and programs type
    "full-width.csv": Bad(
        text(HEADER, row(1, amount="１０００.５０"), row(2, filed="２０２４-01-05"), row(3)),
        "3",
        ((2, "amount", "type.full-width"), (3, "filed", "type.full-width")),
        says=("half-width",),
    ),
    "blank-in-a-key.csv": Bad(
        text(HEADER, row(1), row(2, claim_no=" C002")), "1", ((3, "claim_no", "text.blank"),), (" C002",)
    ),
    "words-for-nothing.csv": Bad(
        text(HEADER, row(1, creditor="NULL"), row(2, note="NaN")), "2",
        ((2, "creditor", "text.nothing"), (3, "note", "text.nothing")),
    ),
    "pasted-from-a-page.csv": Bad(
        text(HEADER, row(1, creditor="<b>甲某</b>"), row(2, note="甲&nbsp;乙")), "12",
        ((2, "creditor", "text.markup"), (3, "note", "text.markup")),
    ),
    "yes-and-no.csv": Bad(
        text(HEADER, row(1, secured="是"), row(2, secured="否"), row(3, secured="有")), "12",
        ((4, "secured", "type"),), values={"C001": {"secured": True}, "C002": {"secured": False}},
    ),
    "line-break-in-a-cell.csv": Bad(
        text(HEADER, row(1, note="一\n二"), row(2)), "12", values={"C001": {"note": "一\n二"}}
    ),
    "quote-not-closed.csv": Bad(
        text(HEADER, row(1)) + 'C002,"甲某,x\r\n'.encode(), refused="csv.quote", says=("引号",)
    ),
    "open-document.ods": Bad(packed("mimetype", "content.xml"), refused="file.unsupported", says=("XLSX",)),
    "page-named-xls.xls": Bad(
        "<html><table><tr><td>债权编号</td></tr></table></html>".encode(), refused="file.unsupported"
    ),
}  # fmt: skip
