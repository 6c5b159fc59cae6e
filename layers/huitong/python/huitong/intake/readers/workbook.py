"""What calamine does not tell of a workbook: macros, encryption, digits, errors, formulas without result.

The XML of the sheet is passed through regular expressions piece by piece, as
bytes: no XML parser, so no entity is ever expanded, and no tree in memory.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from huitong.errors import UnreadableFile
from huitong.intake.readers.archive import check_workbook
from huitong.intake.readers.refusals import refusal

_CHUNK: Final = 4 * 1024 * 1024
_MAX_ODD: Final = 100_000

# One cell. The value is what stands in <v>, or in <is> for inline text.
_CELL: Final = re.compile(rb"<(?:\w+:)?c ([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_REF: Final = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')
_ATTRIBUTE_S: Final = re.compile(rb'\bs="(\d+)"')
_VALUE: Final = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)<")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)<)")
# Cells worth a second look: an error, a formula, a long number, a style that pads with zeros.
_LONG: Final = re.compile(rb"v>-?(?:\d{16,}|\d(?:\.\d+)?[Ee]\+?(?:1[5-9]|[2-9]\d|\d{3}))<")
_MOMENT: Final = re.compile(rb"t(?: [^>]*)?>\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row [^>]*hidden="(?:1|true)"[^>]*>')
_ROW_NUMBER: Final = re.compile(rb'\br="(\d+)"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col [^>]*hidden="(?:1|true)"[^>]*>')
_MERGED: Final = re.compile(rb'mergeCell ref="([A-Z]{1,3}(\d+):[A-Z]{1,3}(\d+))"')
_MOST_SHOWN: Final = 200


@dataclass(slots=True)
class Oddities:
    """Cells by (row, column position from 0) or by column and row, as named."""

    broken: dict[tuple[int, int], str] = field(default_factory=dict)  # error value, or the formula
    imprecise: list[tuple[int, int]] = field(default_factory=list)
    exact: dict[int, dict[int, str]] = field(default_factory=dict)  # column -> row -> text as seen
    text_like_moments: bool = False
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)  # positions from 0
    merged: list[tuple[str, int]] = field(default_factory=list)  # ranges below the header, their first row

    def __bool__(self) -> bool:
        return bool(self.broken or self.imprecise or self.exact)


def check_xlsx(path: Path) -> None:
    """Refuse macros, encryption and what unpacks to too much. Raises UnreadableFile."""
    check_workbook(path)
    with zipfile.ZipFile(path) as book:
        names = [n.lower() for n in book.namelist()]
        types = book.read("[Content_Types].xml") if "[Content_Types].xml" in book.namelist() else b""
    if any(n.endswith("vbaproject.bin") or "/macrosheets/" in n for n in names) or b"macroEnabled" in types:
        raise _macros()
    if any(n.endswith("xl/workbook.bin") for n in names):
        raise refusal(
            "file.unsupported",
            "不支持 XLSB(二进制工作簿)",
            "XLSB (a binary workbook) is not taken",
            advice=("请另存为 XLSX", "Save it as XLSX"),
        )


def check_xls(path: Path) -> None:
    """The old container also holds encrypted XLSX, Word documents and macros. Raises UnreadableFile."""
    content = path.read_bytes() if path.stat().st_size <= 200 * 1024**2 else b""
    if not content:
        raise refusal("file.too-large", "XLS 文件超过 200 MB", "The XLS file is larger than 200 MB")
    if "EncryptedPackage".encode("utf-16-le") in content or "EncryptionInfo".encode("utf-16-le") in content:
        raise refusal(
            "file.encrypted",
            "工作簿已加密,无法读取",
            "The workbook is encrypted",
            advice=("请去除密码后重新上传", "Remove the password and upload it again"),
        )
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise _macros()
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise refusal(
            "file.unsupported",
            "不是 Excel 工作簿(可能是 Word 或其他旧式文档)",
            "This old container holds no workbook",
        )


def hidden_sheets(path: Path) -> frozenset[str]:
    """Names of sheets that a person does not see."""
    with zipfile.ZipFile(path) as book:
        if "xl/workbook.xml" not in book.namelist():
            return frozenset()
        workbook = book.read("xl/workbook.xml").decode("utf-8", "replace")
    tags = re.findall(r"<(?:\w+:)?sheet\b[^>]*>", workbook)
    hidden = [tag for tag in tags if _attribute(tag, "state").lower().endswith("hidden")]
    return frozenset(html.unescape(_attribute(tag, "name")) for tag in hidden)


def size_of_sheet(path: Path, name: str) -> int:
    """Bytes of the sheet, unpacked; 0 when the package does not say."""
    member = position_of_sheet(path, name)
    if not member:
        return 0
    with zipfile.ZipFile(path) as book:
        return book.getinfo(member).file_size


def position_of_sheet(path: Path, name: str) -> str:
    """The member of the package that holds the sheet, or "" when the package does not say."""
    with zipfile.ZipFile(path) as book:
        try:
            workbook = book.read("xl/workbook.xml").decode("utf-8", "replace")
            relations = book.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        except KeyError:
            return ""
        names = set(book.namelist())
    relation = ""
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", workbook):
        if html.unescape(_attribute(tag, "name")) == name:
            relation = _attribute(tag, r"\w+:id")
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", relations):
        if relation and _attribute(tag, "Id") == relation:
            target = _attribute(tag, "Target").lstrip("/")
            member = target if target.startswith("xl/") else f"xl/{target}"
            return member if member in names else ""
    return ""


def oddities(path: Path, member: str, left: int, width: int, header_row: int) -> Oddities:
    """Look through the cells of a sheet below its header; ``left`` columns are unused.

    Raises UnreadableFile when the sheet is damaged.
    """
    found = Oddities()
    try:
        with zipfile.ZipFile(path) as book:
            padded = _padding_styles(book)
            marks = [b'="e"', b"<f", b":f", *(b's="%d"' % style for style in padded)]
            for piece in _cells(book, member):
                if any(mark in piece for mark in marks) or _LONG.search(piece):
                    _look(piece, padded, (left, width, header_row), found)
                found.text_like_moments = found.text_like_moments or _MOMENT.search(piece) is not None
                _look_at_layout(piece, (left, width, header_row), found)
            if "xl/sharedStrings.xml" in book.namelist() and not found.text_like_moments:
                found.text_like_moments = any(
                    _MOMENT.search(piece) for piece in pieces(book, "xl/sharedStrings.xml", b"si>")
                )
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise refusal("excel.damaged", "Excel 文件已损坏", "The workbook is damaged") from error
    return found


def _look_at_layout(piece: bytes, area: tuple[int, int, int], found: Oddities) -> None:
    """Hidden rows and columns, and merged cells below the header."""
    left, width, header_row = area
    if b"hidden=" in piece:
        rows = (int(n) for tag in _HIDDEN_ROW.findall(piece) for n in _ROW_NUMBER.findall(tag))
        found.hidden_rows += [n for n in rows if n > header_row][:_MOST_SHOWN]
        for tag in _HIDDEN_COLUMN.findall(piece):
            low, high = (
                int(_attribute(tag.decode("ascii", "replace"), name) or 0) for name in ("min", "max")
            )
            places = range(max(low - 1 - left, 0), min(high - left, width))
            found.hidden_columns += list(places)
    if b"mergeCell " in piece:
        for match in _MERGED.finditer(piece):
            first, last = int(match[2]), int(match[3])
            if first > header_row and last > first and len(found.merged) < _MOST_SHOWN:
                found.merged.append((match[1].decode(), first))


def _look(piece: bytes, padded: dict[int, int], area: tuple[int, int, int], found: Oddities) -> None:
    left, width, header_row = area
    for match in _CELL.finditer(piece):
        attributes, inner = match.groups()
        place = _REF.search(attributes)
        if place is None or not inner:
            continue
        row, column = int(place[2]), _column(place[1]) - left
        if (
            row <= header_row
            or not 0 <= column < width
            or len(found.broken) + len(found.imprecise) >= _MAX_ODD
        ):
            continue
        kind = _kind(attributes)
        value = _VALUE.search(inner)
        text = value[1].decode("utf-8", "replace") if value else ""
        if kind == b"e":
            found.broken[row, column] = html.unescape(text) or "#VALUE!"
        elif not text and kind not in (b"inlineStr", b"str") and (formula := _FORMULA.search(inner)):
            found.broken[row, column] = "=" + html.unescape((formula[1] or b"").decode("utf-8", "replace"))
        elif kind in (b"", b"n") and text:
            _number(row, column, text, padded.get(_style(attributes), 0), found)


def _number(row: int, column: int, text: str, zeros: int, found: Oddities) -> None:
    if _LONG.fullmatch(b"v>%s<" % text.encode()):
        found.imprecise.append((row, column))
        found.exact.setdefault(column, {})[row] = f"{Decimal(text):f}"
    elif zeros and text.isdigit() and len(text) < zeros:
        found.exact.setdefault(column, {})[row] = text.zfill(zeros)


def _padding_styles(book: zipfile.ZipFile) -> dict[int, int]:
    """Styles whose number format is nothing but zeros: 00044 is what a person sees of 44."""
    try:
        styles = book.read("xl/styles.xml").decode("utf-8", "replace")
    except KeyError:
        return {}
    formats = {}
    for tag in re.findall(r"<(?:\w+:)?numFmt\b[^>]*>", styles):
        code = html.unescape(_attribute(tag, "formatCode"))
        if re.fullmatch(r"0{2,}", code):
            formats[_attribute(tag, "numFmtId")] = len(code)
    cells = re.search(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    tags = re.findall(r"<(?:\w+:)?xf\b[^>]*>", cells[0]) if cells else []
    wanted = ((i, formats.get(_attribute(tag, "numFmtId"), 0)) for i, tag in enumerate(tags))
    return {style: zeros for style, zeros in wanted if zeros}


def _cells(book: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    return pieces(book, member, b"row>")


def pieces(book: zipfile.ZipFile, member: str, end: bytes) -> Iterator[bytes]:
    """The member in pieces that end where an element ends, so that none is cut."""
    rest = b""
    with book.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            chunk = rest + chunk
            cut = chunk.rfind(end) + len(end)
            if cut < len(end):
                cut = len(chunk) if len(chunk) > 16 * _CHUNK else 0
            if cut:
                yield chunk[:cut]
            rest = chunk[cut:]
    if rest:
        yield rest


def _column(letters: bytes) -> int:
    position = 0
    for letter in letters:
        position = position * 26 + letter - 64
    return position - 1


def _kind(attributes: bytes) -> bytes:
    match = re.search(rb'\bt="(\w+)"', attributes)
    return match[1] if match else b""


def _style(attributes: bytes) -> int:
    match = _ATTRIBUTE_S.search(attributes)
    return int(match[1]) if match else 0


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    return match[1] if match else ""


def _macros() -> UnreadableFile:
    return refusal(
        "file.macros",
        "工作簿含有宏,不予接收",
        "The workbook has macros and is not taken",
        advice=("请另存为不含宏的 XLSX 后重新上传", "Save it as XLSX without macros and upload it again"),
    )
