"""JSON arrays and NDJSON: every number keeps the digits it was written with (Q-06, Q-13).

Neither DuckDB (1.10 becomes 1.1) nor pyarrow (no numbers in text columns)
keeps them, so objects are decoded by the standard library's C scanner, which
hands numbers over as text; columns are then made block by block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from huitong.errors import UnreadableFile
from huitong.intake.columns import unknown_column
from huitong.intake.layout import Layout
from huitong.intake.readers.encoding import as_utf8
from huitong.intake.readers.header import Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Block
from huitong.intake.structure import UNKNOWN_FIELDS, Structural

_ROWS_PER_BLOCK: Final = 10_000
_CHUNK: Final = 4 * 1024 * 1024
_MAX_ROW: Final = 16 * 1024 * 1024
_MAX_UNKNOWN: Final = 100
_SPACE: Final = " \t\r\n"
_UNKNOWN_FIELDS: Final = ("没有一个数据契约中的字段", "has no field of the contract")

Pairs = list[tuple[str, Any]]


#: The keys and the values of an object; or None and whatever stands where an object should.
_Row = tuple[tuple[str, ...] | None, Any]


class _Object(Pairs):
    """The members of one JSON object as they stand, doubles included."""


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Object, parse_float=str, parse_int=str, parse_constant=str, strict=False
)


@dataclass(slots=True)
class JsonTable:
    path: Path
    start: int
    names: Names
    header: Sequence[str]
    header_row: int = 0
    findings: list[Structural] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    _unknown: set[str] = field(default_factory=set)
    _labels: dict[str, str] = field(default_factory=dict)

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        labels = [self.header[position] for position in wanted]
        with self.path.open("r", encoding="utf-8", newline="") as stream:
            stream.seek(self.start)
            rows: list[_Row] = []
            first = 1
            keys: tuple[str, ...] | None = None
            for value in _values(stream):
                if value.__class__ is _Object and value:
                    # Kept as tuples of text, which the garbage collector does not follow.
                    names, cells = zip(*value, strict=True)
                    keys = keys if names == keys else names
                    rows.append((keys, cells))
                else:
                    rows.append((None, value))
                if len(rows) >= _ROWS_PER_BLOCK:
                    yield self._block(rows, first, labels)
                    first += len(rows)
                    rows = []
            if rows:
                yield self._block(rows, first, labels)

    def _block(self, rows: Sequence[_Row], first: int, labels: Sequence[str]) -> Block:
        findings: list[Structural] = []
        return self._regular(rows, first, labels, findings) or self._each_row(rows, first, labels, findings)

    def _regular(
        self, rows: Sequence[_Row], first: int, labels: Sequence[str], findings: list[Structural]
    ) -> Block | None:
        """The usual case, whole columns at a time: every row an object with the same fields, plain values."""
        keys = rows[0][0]
        if keys is None or any(names is not keys for names, _ in rows):
            return None
        named = [self._labels[k] if k in self._labels else self._label(k, findings) for k in keys]
        at = {label: position for position, label in enumerate(named) if label}
        if not at or len(at) != sum(map(bool, named)):
            return None  # no field is known, or two keys mean the same one
        columns = list(zip(*(cells for _, cells in rows), strict=True))
        nothing = pa.nulls(len(rows), pa.string())
        try:
            arrays = [_array(columns[at[label]]) if label in at else nothing for label in labels]
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            return None  # a truth value, something nested or half a character: to be found row by row
        return Block(arrays, pa.array(range(first, first + len(rows)), pa.int64()), findings, nul=True)

    def _each_row(
        self, rows: Sequence[_Row], first: int, labels: Sequence[str], findings: list[Structural]
    ) -> Block:
        columns: dict[str, list[Any]] = {label: [] for label in labels}
        numbers: list[int] = []
        for number, (keys, values) in enumerate(rows, start=first):
            row = values if keys is None else _Object(zip(keys, values, strict=True))
            cells = self._cells(number, row, findings)
            if cells is None:
                continue
            numbers.append(number)
            for label, column in columns.items():
                column.append(cells.get(label))
        arrays = [pa.array(column, pa.string()) for column in columns.values()]
        return Block(arrays, pa.array(numbers, pa.int64()), findings, nul=True)

    def _cells(self, number: int, row: Any, findings: list[Structural]) -> dict[str, str | None] | None:
        """The row by column; None, with findings, when it cannot be one."""
        if not isinstance(row, _Object):
            findings.append(_broken(number, row, "row.not-object", "不是对象", "is not an object"))
            return None
        cells: dict[str, str | None] = {}
        problems: list[Structural] = []
        for key, value in row:
            label = self._labels.get(key)
            if label is None:
                label = self._label(key, findings)
            if not label:
                continue
            if label in cells:
                what = (f"字段 {key} 出现多次", f"has the field {key} more than once")
                problems.append(_broken(number, None, "row.duplicate-field", *what, column=label))
                continue
            if value.__class__ is not str and value is not None:
                value = _text(value)
                if value is None:
                    what = (f"字段 {key} 含嵌套值", f"has a nested value in {key}")
                    problems.append(_broken(number, None, "cell.nested", *what, column=label))
            elif value is not None and not value.isascii() and _has_surrogate(value):
                what = (f"字段 {key} 含不完整的 Unicode 字符", f"has half a Unicode character in {key}")
                problems.append(_broken(number, None, "cell.surrogate", *what, column=label))
            cells[label] = value or None
        if row and not cells:
            findings.append(_broken(number, row, UNKNOWN_FIELDS, *_UNKNOWN_FIELDS))
            return None
        if not problems:
            return cells
        first = problems[0]
        known = tuple(cells.items())
        problems[0] = _broken(number, row, first.rule, "", "", column=first.column, like=first, cells=known)
        findings.extend(problems)
        return None

    def _label(self, key: str, findings: list[Structural]) -> str:
        label = self.names.label(key)
        if label:
            self.named.add(label)
        elif self.names.returned(key):
            pass
        elif key in self._unknown or len(self._unknown) >= _MAX_UNKNOWN:
            return ""
        else:
            self._unknown.add(key)
            findings.append(unknown_column(_printable(key)))
        if len(self._labels) < 10_000:
            self._labels[key] = label
        return label


def _array(values: Sequence[str | None]) -> pa.Array:
    array = pa.array(values, pa.string())
    empty = pc.equal(array, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), array) if pc.any(empty).as_py() else array


def open_json(path: Path, layout: Layout, names: Names, work: Path) -> JsonTable:
    """Raises UnreadableFile."""
    text = as_utf8(path, layout.encoding or "utf-8", work)
    return JsonTable(text.path, text.start, names, names.labels)


def _values(stream: TextIO) -> Iterator[Any]:
    """The elements of an array, or the values that follow each other; never more than some MB in memory."""
    buffer = _Buffer(stream)
    array = buffer.skip(_SPACE) == "["
    if array:
        buffer.position += 1
    row = 0
    while True:
        following = buffer.skip(_SPACE)
        if array and following == "]":
            buffer.position += 1
            if buffer.skip(_SPACE):
                raise _bad(row, "数组之后还有内容", "there is more after the array")
            return
        if not following:
            if array:
                raise _bad(row + 1, "文件不完整,数组未结束", "the file ends within the array")
            return
        if array and row:
            if following != ",":
                raise _bad(row, "两个元素之间缺少逗号", "a comma is missing between two elements")
            buffer.position += 1
            buffer.skip(_SPACE)
        row += 1
        yield buffer.value(row)


@dataclass(slots=True)
class _Buffer:
    stream: TextIO
    text: str = ""
    position: int = 0
    ended: bool = False

    def skip(self, characters: str) -> str:
        """Pass over the characters; the next one, or "" at the end."""
        while True:
            while self.position < len(self.text):
                if self.text[self.position] not in characters:
                    return self.text[self.position]
                self.position += 1
            if not self._more():
                return ""

    def value(self, row: int) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.position)
            except (json.JSONDecodeError, RecursionError) as error:
                cut = len(self.text) - self.position < _MAX_ROW
                if isinstance(error, RecursionError) or not cut or not self._more():
                    raise _bad(row, "不是有效的 JSON", "it is not valid JSON") from error
                continue
            # A number or literal at the very end of the buffer may go on in the next piece.
            if end < len(self.text) or not self._more():
                self.position = end
                return value

    def _more(self) -> bool:
        if self.ended:
            return False
        piece = self.stream.read(_CHUNK)
        self.ended = not piece
        self.text = self.text[self.position :] + piece
        self.position = 0
        return bool(piece)


def _text(value: Any) -> str | None:
    if value is True or value is False:
        return "true" if value else "false"
    return None


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:200]


def _plain(value: Any) -> Any:
    """A decoded value for showing: the first of doubled members wins no more than the last; all are shown."""
    if isinstance(value, _Object):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_plain(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_plain(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _broken(
    number: int,
    row: Any,
    rule: str,
    zh: str,
    en: str,
    *,
    column: str = "",
    like: Structural | None = None,
    cells: tuple[tuple[str, str | None], ...] = (),
) -> Structural:
    return Structural(
        rule,
        like.zh if like else f"第 {number} 行{zh}",
        like.en if like else f"Row {number} {en}",
        source_row=number,
        column=column,
        raw=None if row is None and column else _printable_raw(row),
        severity="error",
        cells=cells,
    )


def _printable_raw(row: Any) -> str:
    shown: str = _plain(row)
    return shown.encode("utf-8", "replace").decode()[:100_000]


def _bad(row: int, zh: str, en: str) -> UnreadableFile:
    return refusal(
        "json.invalid",
        f"第 {row} 条记录处无法读取:{zh}",
        f"The file cannot be read at record {row}: {en}",
        advice=("请用 JSON 工具检查后重新上传", "Check the file with a JSON tool and upload it again"),
        row=row,
    )
