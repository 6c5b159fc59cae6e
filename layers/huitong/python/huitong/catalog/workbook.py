"""Workbooks of the catalogue: template, export, and what was imported with its errors in it (X-17).

Read with bounds and without evaluating anything: macros, encryption, document
types and formulas are refused, and so is what unpacks to too much. openpyxl is
imported when a workbook is made or read, not before.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from huitong.catalog.columns import CLASS_NOTE, COLUMNS, cell
from huitong.errors import Problem, TooLarge, UnreadableFile

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SHEET: Final = "目录 Catalogue"
_GUIDE: Final = "说明 Guide"
_ITEMS: Final = "信息项 Items"
_SUMMARY: Final = "汇总 Summary"
_ERRORS: Final = "错误 Errors"
MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_BYTES: Final = 4_000_000
MOST_UNPACKED: Final = 60_000_000
MOST_ROWS: Final = 1_000
_MOST_PARTS: Final = 200
_MOST_CELL: Final = 10_000
_RED: Final = "FFFFC7CE"
_HEAD: Final = "FFD9E1F2"
_ITEM_HEADS: Final = (
    "资源编号 resource", "字段 field", "信息项名称 item", "数据类型 type", "长度 length", "必填 required",
    "主键 key", "级别 level", "数据元 element", "来源 source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read: path → text. ``faults``: path (or "") → what is wrong."""

    number: int
    cells: Mapping[str, str]
    faults: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of a row: created, edited, unchanged, refused, or waiting (checked, nothing applied)."""

    row: Row
    result: str = ""
    problems: list[Problem] = field(default_factory=list)


def template() -> bytes:
    """An empty workbook with a guide to its columns."""
    return export([])


def export(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Entries with their items as a workbook that can be imported again."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    shown = list(entries)
    _heads(sheet, SHEET, [c.heading for c in COLUMNS])
    for number, one in enumerate(shown, 2):
        for place, column in enumerate(COLUMNS, 1):
            _put(sheet, number, place, cell(one, column))
    _items(book.create_sheet(), shown)
    _guide(book.create_sheet())
    return _bytes(book)


def told(outcomes: Sequence[Outcome], applied: bool) -> bytes:
    """The rows as they came, wrong cells coloured, a column of errors, and a sheet that counts."""
    from openpyxl import Workbook
    from openpyxl.styles import PatternFill

    book = Workbook()
    sheet, red = book.active, PatternFill("solid", fgColor=_RED)
    _heads(sheet, SHEET, [*(c.heading for c in COLUMNS), _ERRORS])
    places = {c.path: place for place, c in enumerate(COLUMNS, 1)}
    for number, one in enumerate(outcomes, 2):
        for column in COLUMNS:
            _put(sheet, number, places[column.path], one.row.cells.get(column.path, ""))
        for problem in one.problems:
            path = str(problem.where.get("path", ""))
            place = places.get(path) or places.get(path.partition("[")[0])
            if place:
                sheet.cell(number, place).fill = red
        texts = [f"{p.rule}: {p.zh} / {p.en}" for p in one.problems]
        _put(sheet, number, len(COLUMNS) + 1, "\n".join(texts))
        if texts:
            sheet.cell(number, len(COLUMNS) + 1).fill = red
    _summary(book.create_sheet(), outcomes, applied)
    _guide(book.create_sheet())
    return _bytes(book)


def read(data: bytes) -> list[Row]:
    """The rows of the sheet :data:`SHEET`. Raises TooLarge and UnreadableFile."""
    _check(data)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        if SHEET not in book.sheetnames:
            raise _unreadable(f"没有工作表“{SHEET}”", f"There is no sheet {SHEET}")
        return _rows(book[SHEET])
    except (InvalidFileException, KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise _unreadable("工作簿无法读取", "The workbook cannot be read") from error


def _rows(sheet: Any) -> list[Row]:
    headings = {c.heading: c.path for c in COLUMNS} | {c.zh: c.path for c in COLUMNS}
    paths: list[str] = []
    found: list[Row] = []
    for number, cells in enumerate(sheet.iter_rows(max_col=len(COLUMNS) + 20), 1):
        if number == 1:
            paths = [headings.get(str(c.value or "").strip(), "") for c in cells]
            if "resource" not in paths:
                raise _unreadable("第一行没有“资源编号”一列", "The first row has no column resource")
            continue
        row = _row(number, cells, paths)
        if not any(row.cells.values()):
            if number > MOST_ROWS * 2:
                break
            continue
        found.append(row)
        if len(found) > MOST_ROWS:
            zh, en = f"最多 {MOST_ROWS} 行,请分批导入", f"At most {MOST_ROWS} rows: import in parts"
            raise TooLarge(zh, en, most=MOST_ROWS)
    return found


def _row(number: int, cells: Sequence[Any], paths: Sequence[str]) -> Row:
    texts: dict[str, str] = {}
    faults = []
    for one, path in zip(cells, paths, strict=False):
        if not path or one.value is None:
            continue
        text = str(one.value).strip()
        where = {"sheet": SHEET, "row": number, "path": path}
        if one.data_type == "f":
            zh, en = "不接受公式,请填写值", "Formulas are not taken: write the value"
            faults.append(Problem("workbook.formula", zh, en, where))
        elif one.data_type == "e":
            faults.append(Problem("workbook.error", "单元格为错误值", "The cell is an error", where))
        elif len(text) > _MOST_CELL:
            zh, en = f"超过 {_MOST_CELL} 字", f"More than {_MOST_CELL} characters"
            faults.append(Problem("workbook.long", zh, en, where))
            text = text[:100]
        texts[path] = _unforced(text)
    return Row(number, texts, tuple(faults))


def _check(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise TooLarge(f"工作簿超过 {MOST_BYTES} 字节", "The workbook is too large", most=MOST_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = book.infolist()
            if len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > MOST_UNPACKED:
                zh, en = "工作簿解压后过大", "The workbook unpacks to too much"
                raise TooLarge(zh, en, most=MOST_UNPACKED)
            names = [p.filename.lower() for p in parts]
            if any(n.endswith("vbaproject.bin") or "/macrosheets/" in n for n in names):
                raise _unreadable("工作簿含有宏", "The workbook has macros")
            for part in parts:
                with book.open(part) as stream:
                    _refuse_entities(stream.read(min(part.file_size, 4_096)))
    except zipfile.BadZipFile as error:
        raise _unreadable("不是 XLSX 工作簿,或已加密", "This is no XLSX workbook, or encrypted") from error


def _refuse_entities(head: bytes) -> None:
    """A part that declares a document type could declare entities that grow."""
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise _unreadable("工作簿含有实体声明", "The workbook declares entities")


def _unreadable(zh: str, en: str) -> UnreadableFile:
    return UnreadableFile(zh, en, problems=[Problem("workbook.unreadable", zh, en)])


# --- writing ---------------------------------------------------------------


def _heads(sheet: Worksheet, title: str, headings: Sequence[str]) -> None:
    from openpyxl.styles import Font, PatternFill

    sheet.title = title
    fill = PatternFill("solid", fgColor=_HEAD)
    for place, heading in enumerate(headings, 1):
        _put(sheet, 1, place, heading)
        sheet.cell(1, place).fill = fill
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "B2"


def _put(sheet: Worksheet, row: int, place: int, text: str) -> None:
    """A text as a text: what begins with ``=`` is no formula."""
    if text == "":
        return
    one = sheet.cell(row, place)
    one.value = _printable(text)
    one.data_type = "s"


def _printable(text: str) -> str:
    return "".join(c if c in "\n\t" or ord(c) >= 32 else " " for c in text)


def _unforced(text: str) -> str:
    return text.replace("_x000D_", "").replace("\r\n", "\n")


def _items(sheet: Worksheet, shown: Sequence[Mapping[str, Any]]) -> None:
    _heads(sheet, _ITEMS, _ITEM_HEADS)
    number = 1
    for one in shown:
        for name, item in sorted(one.get("items", {}).items(), key=lambda p: p[1].get("place", 0)):
            number += 1
            texts = (
                one["resource"], name, item.get("title", ""), item.get("letter", ""), item.get("length", ""),
                "是" if item.get("required") else "", item.get("key", ""), item.get("level", ""),
                item.get("element", ""), item.get("source", ""),
            )  # fmt: skip
            for place, text in enumerate(texts, 1):
                _put(sheet, number, place, str(text))


def _guide(sheet: Worksheet) -> None:
    _heads(sheet, _GUIDE, ("列 column", "必填 mandatory", "填法 how to fill"))
    for number, column in enumerate(COLUMNS, 2):
        for place, text in enumerate((column.heading, "是" if column.mandatory else "", column.note), 1):
            _put(sheet, number, place, text)
    notes = (
        "空白单元格保持原值或由数据模型带出 / an empty cell keeps the value, or takes it from the contract",
        "“-”表示清除该元素 / - takes the element away",
        f"信息资源代码首位 / first digit of a code: {CLASS_NOTE}",
        "信息项来自数据模型,“信息项”表仅供查阅 / items come from the contract; their sheet is for reading",
    )
    for number, text in enumerate(notes, len(COLUMNS) + 3):
        _put(sheet, number, 1, text)


def _summary(sheet: Worksheet, outcomes: Sequence[Outcome], applied: bool) -> None:
    _heads(sheet, _SUMMARY, ("结果 result", "行数 rows"))
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.result] = counts.get(one.result, 0) + 1
    rows = [*sorted(counts.items()), ("applied", "是 yes" if applied else "否 no")]
    for number, (name, count) in enumerate(rows, 2):
        _put(sheet, number, 1, name)
        _put(sheet, number, 2, str(count))
    number = len(rows) + 3
    for one in outcomes:
        for problem in one.problems:
            _put(sheet, number, 1, f"第 {one.row.number} 行 row {one.row.number}")
            _put(sheet, number, 2, f"{problem.rule}: {problem.zh} / {problem.en}")
            number += 1


def _bytes(book: Any) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
