"""Text files in any accepted encoding become UTF-8 files; every byte is looked at before any is used."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from huitong.errors import UnreadableFile
from huitong.intake.layout import ENCODINGS
from huitong.intake.readers.refusals import refusal

_CHUNK: Final = 4 * 1024 * 1024
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

#: So many three-byte characters of UTF-8 before the first byte that is none: that is UTF-8 with damage.
#: Text in GB18030 forms hardly one of them by chance, since its common characters begin below 0xE0.
_SURELY_UTF8: Final = 4

_SAVE_AS: Final = (
    "请将文件另存为 UTF-8 或 GB18030 编码后重新上传,或在导入方案中声明编码",
    "Save the file as UTF-8 or GB18030 and upload it again, or declare its encoding in the import profile",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A UTF-8 file. ``start`` is where text begins, after a byte order mark."""

    path: Path
    encoding: str  # what it was before
    start: int
    size: int
    quotes: bool  # whether the quote character occurs at all
    nul: bool


def as_utf8(path: Path, declared: str, work: Path, quote: str = '"') -> Text:
    """Find the encoding over the whole file (or take the declared one) and give the text as UTF-8.

    Raises UnreadableFile naming the row of the first byte that does not fit.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    encoding = ENCODINGS[declared] if declared else ""
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if not encoding:
        _refuse_other_unicode(head)
        encoding = marked
    if encoding in ("", "utf-8"):
        text = _checked_utf8(path, quote.encode(), len(codecs.BOM_UTF8) if marked == "utf-8" else 0)
        if isinstance(text, Text):
            return text
        if encoding == "utf-8" or text.characters >= _SURELY_UTF8:
            raise _not_in("UTF-8", text.row)
        encoding = "gb18030"
    target = work / "as-utf8.txt"
    _transcode(path, encoding, target, detected=not declared)
    text = _checked_utf8(target, quote.encode(), 0)
    if not isinstance(text, Text):
        raise _not_in(encoding.upper(), text.row)
    return Text(target, encoding, text.start, text.size, text.quotes, text.nul)


@dataclass(frozen=True, slots=True)
class _Broken:
    row: int  # line of the first byte that is not UTF-8
    characters: int  # of three bytes or more, before it


def _checked_utf8(path: Path, quote: bytes, start: int) -> Text | _Broken:
    quotes = nul = False
    size = start
    with path.open("rb") as stream:
        stream.seek(start)
        for buffer, end in _lines(stream):
            if not _is_utf8(buffer, end):
                return _broken(path, start, size + _first_wrong(bytes(buffer[:end])))
            quotes = quotes or (bool(quote) and buffer.find(quote, 0, end) >= 0)
            nul = nul or buffer.find(b"\0", 0, end) >= 0
            size += end
    return Text(path, "utf-8", start, size, quotes, nul)


def _lines(stream: BinaryIO) -> Iterator[tuple[bytearray, int]]:
    """The stream in pieces that end with a line where possible, so that no character is cut.

    One buffer is used again and again: a piece is what it holds up to the position given with it.
    """
    buffer = bytearray(2 * _CHUNK)
    held = 0
    while True:
        with memoryview(buffer) as view:
            read = stream.readinto(view[held:])  # type: ignore[attr-defined]
        held += read
        if not read:
            break
        end = buffer.rfind(b"\n", 0, held) + 1
        if not end and held == len(buffer):
            end = _character_end(buffer)  # a single line of megabytes
        if end:
            yield buffer, end
            buffer[: held - end] = buffer[end:held]
            held -= end
    if held:
        yield buffer, held


def _character_end(buffer: bytearray) -> int:
    """A position near the end that is not within a UTF-8 character."""
    for back in range(1, 5):
        if buffer[-back] & 0xC0 != 0x80:
            return len(buffer) - back
    return len(buffer)


def _is_utf8(buffer: bytearray, end: int) -> bool:
    offsets = pa.py_buffer(end.to_bytes(4, "little").rjust(8, b"\0"))
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(buffer)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _first_wrong(piece: bytes) -> int:
    try:
        piece.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(piece)


def _broken(path: Path, start: int, wrong: int) -> _Broken:
    """What lies before the first wrong byte, counted only now that there is one."""
    row, characters = 1, 0
    with path.open("rb") as stream:
        stream.seek(start)
        while stream.tell() < wrong:
            piece = stream.read(min(_CHUNK, wrong - stream.tell()))
            row += piece.count(b"\n")
            if characters < _SURELY_UTF8:
                characters += sum(character >= "\u0800" for character in piece.decode("utf-8", "ignore"))
    return _Broken(row, characters)


def _refuse_other_unicode(head: bytes) -> None:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise refusal(
            "encoding.unsupported",
            "文件为 UTF-32 编码,不支持",
            "The file is UTF-32, which is not taken",
            advice=_SAVE_AS,
        )
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not marked and len(head) >= 4 and head.count(0) * 4 >= len(head):
        raise refusal(
            "encoding.unmarked-utf-16",
            "文件疑似无 BOM 的 UTF-16 编码",
            "The file looks like UTF-16 without a byte order mark",
            advice=_SAVE_AS,
        )


def _transcode(path: Path, encoding: str, target: Path, *, detected: bool) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with path.open("rb") as stream, target.open("wb") as out:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                row = lines + chunk[: error.start].count(b"\n") + 1
                name = "UTF-8 / GB18030" if detected and encoding == "gb18030" else encoding.upper()
                raise _not_in(name, row) from error
            if lines == 0:
                text = text.removeprefix("\ufeff")
            lines += text.count("\n")
            out.write(text.encode())
            if not chunk:
                return


def _not_in(name: str, row: int) -> UnreadableFile:
    return refusal(
        "encoding.invalid",
        f"第 {row} 行含有不属于 {name} 编码的字节",
        f"Row {row} holds bytes that are not {name}",
        advice=_SAVE_AS,
        row=row,
    )
