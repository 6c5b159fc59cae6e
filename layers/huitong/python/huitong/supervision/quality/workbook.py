"""The monthly report as a workbook: one sheet to read, one for each table. Heavy inside :func:`workbook`."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from huitong.supervision.quality.report import Report, Table

_BLUE: Final = "1F4E79"
_PALE: Final = "DDEBF7"
_FONT: Final = "Microsoft YaHei"
_WIDE: Final = 1.3  # a width of the page in columns of a sheet


def workbook(report: Report) -> bytes:
    """An .xlsx file: scores first, numbers as numbers, headings frozen, pages set up to be printed."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "评分 scores"
    sheet.append([report.title])
    sheet["A1"].font = Font(name=_FONT, bold=True, size=16, color=_BLUE)
    sheet.append([f"{report.name}({report.unit})"])
    sheet["A2"].font = Font(name=_FONT, size=12)
    place = f"第 {report.rank} / {report.ranked} 名" if report.rank else "本月无排名"
    sheet.append([f"Monthly data quality report, {report.month} · {place} · 编制日 {report.made_on}"])
    sheet.append([])
    sheet.append(["指标", "Score", "本月", "上月", "变化 change"])
    for cell in sheet[5]:
        cell.font, cell.fill = (
            Font(name=_FONT, bold=True, color="FFFFFF"),
            PatternFill("solid", fgColor=_BLUE),
        )
    for line in report.lines:
        sheet.append([line.zh, line.en, *(_cell(v) for v in (line.value, line.before, line.change))])
        for cell in sheet[sheet.max_row]:
            cell.fill = PatternFill("solid", fgColor=_PALE if line.key in ("total", "quality") else "FFFFFF")
            if cell.column > 2:
                cell.number_format, cell.alignment = "0.00", Alignment(horizontal="right")
        sheet.cell(sheet.max_row, 5).number_format = "+0.00;-0.00;0.00"
    for letter, width in zip("ABCDE", (16, 18, 12, 12, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([])
    sheet.append(
        ["评分 0–100,公式见《评分办法》 Scores are 0–100 by the published formulas; – = 本月无此项 not asked"]
    )
    sheet.cell(sheet.max_row, 1).font = Font(name=_FONT, italic=True, color="808080", size=9)
    _page(sheet, report, landscape=False)
    for table in report.tables:
        _sheet(book, table, report)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Any, table: Table, report: Report) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(table.zh[:28].replace("(", " ").replace(")", ""))
    sheet.append([f"{table.zh} {table.en}"])
    sheet["A1"].font = Font(name=_FONT, bold=True, size=14, color=_BLUE)
    sheet.append([f"{zh}\n{en}".strip() for zh, en in table.heading])
    thin = Side(style="thin", color="BFBFBF")
    for cell in sheet[2]:
        cell.font, cell.fill = (
            Font(name=_FONT, bold=True, color="FFFFFF"),
            PatternFill("solid", fgColor=_BLUE),
        )
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    sheet.row_dimensions[2].height = 32
    for row in table.rows:
        sheet.append([_cell(v) for v in row])
        for cell in sheet[sheet.max_row]:
            number = isinstance(cell.value, int | float) or cell.value == "–"
            cell.alignment = Alignment(
                wrap_text=True, vertical="top", horizontal="right" if number else "left"
            )
            cell.border = Border(bottom=thin)
            if isinstance(cell.value, float):
                cell.number_format = "0.00"
    if not table.rows:
        sheet.append([f"{table.none_zh} {table.none_en}"])
    for number, width in enumerate(table.widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = max(9, width * _WIDE)
    sheet.freeze_panes = "A3"
    sheet.print_title_rows = "2:2"
    _page(sheet, report, landscape=True)


def _page(sheet: Any, report: Report, *, landscape: bool) -> None:
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.left.text = f"{report.name} {report.month}"
    sheet.oddFooter.right.text = "&P / &N"


def _cell(value: Any) -> Any:
    """Text stays text: a file name or a rule that begins like a formula is none."""
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return value
