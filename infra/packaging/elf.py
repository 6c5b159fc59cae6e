"""The little of ELF that packaging needs: for which processor a library is, what it needs to be loaded, and
where its symbols begin."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MACHINES: Final = {62: "x86_64", 183: "aarch64"}
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_MAGIC: Final = b"\x7fELF\x02\x01"  # 64 bits, little-endian: both of Lambda's processors
_ENTRY: Final = struct.Struct("<QQ")  # of the dynamic section
_NEED: Final = struct.Struct("<HHIII")
_NEEDED_VERSION: Final = struct.Struct("<IHHII")
_LOADED, _DYNAMIC = 1, 2  # kinds of program headers
_LIBRARY, _STRINGS, _RUN_PATHS, _VERSIONS = 1, 5, (15, 29), 0x6FFFFFFE  # tags of entries
_SHARED_OBJECT: Final = 3
_ALLOCATED: Final = 2
_WITHOUT_BYTES: Final = 8  # .bss


def machine(content: bytes) -> str:
    """The processor of an ELF file, "other" for one that is not ours, "" for what is no ELF file."""
    if not content.startswith(b"\x7fELF"):
        return ""
    if not content.startswith(_MAGIC) or len(content) < _HEADER.size:
        return "other"
    return MACHINES.get(_HEADER.unpack_from(content)[2], "other")


@dataclass(frozen=True, slots=True)
class Linked:
    """What a library asks the loader for: others by name, where to look, versions of their symbols."""

    libraries: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


def linked(content: bytes) -> Linked:
    """Of an ELF file's dynamic section; nothing of one that has none, nor of what is no ELF file."""
    if not content.startswith(_MAGIC) or len(content) < _HEADER.size:
        return Linked()
    header = _HEADER.unpack_from(content)
    programs = [_PROGRAM.unpack_from(content, header[5] + n * header[9]) for n in range(header[10])]
    entries = [
        pair
        for kind, _, at, _, _, size, _, _ in programs
        if kind == _DYNAMIC
        for pair in _ENTRY.iter_unpack(content[at : at + size - size % _ENTRY.size])
    ]
    known = dict(reversed(entries))
    if _STRINGS not in known:
        return Linked()
    strings = _offset(known[_STRINGS], programs)

    def text(at: int) -> str:
        return content[strings + at : content.index(b"\0", strings + at)].decode()

    folders = [part for tag, at in entries if tag in _RUN_PATHS for part in text(at).split(":") if part]
    versions: Iterable[int] = (
        _versions(content, _offset(known[_VERSIONS], programs)) if _VERSIONS in known else ()
    )
    return Linked(
        tuple(text(at) for tag, at in entries if tag == _LIBRARY),
        tuple(folders),
        tuple(sorted({text(at) for at in versions})),
    )


def _offset(address: int, programs: list[tuple[int, ...]]) -> int:
    """Where in the file a place in memory comes from."""
    return next(address - p[3] + p[2] for p in programs if p[0] == _LOADED and p[3] <= address < p[3] + p[5])


def _versions(content: bytes, at: int) -> Iterator[int]:
    """Places of the names of versions that are needed of other libraries."""
    while True:
        _, count, _, first, following = _NEED.unpack_from(content, at)
        one = at + first
        for _ in range(count):
            _, _, _, name, after = _NEEDED_VERSION.unpack_from(content, one)
            yield name
            one += after
        if not following:
            return
        at += following


def without_symbols(content: bytes) -> bytes:
    """A shared library without what only debuggers read: every byte that no program header names.

    The loader goes by program headers alone, so section headers go too. Parts keep
    their addresses; in the file they move together, as far as their alignment lets them.
    What has bytes in memory that no program header maps stays as it is.
    """
    if not content.startswith(_MAGIC) or len(content) < _HEADER.size:
        return content
    header = _HEADER.unpack_from(content)
    kind, at, size, count = header[1], header[5], header[9], header[10]
    if kind != _SHARED_OBJECT or size != _PROGRAM.size:
        return content
    programs = [_PROGRAM.unpack_from(content, at + n * size) for n in range(count)]
    parts = _merged(
        [(0, _HEADER.size), (at, at + count * size), *((p[2], p[2] + p[5]) for p in programs if p[5])]
    )
    if not all(any(a <= start and end <= b for a, b in parts) for start, end in _needed(content, header)):
        return content
    kept, moved = _together(content, parts, max((p[7] for p in programs), default=1))
    smaller = bytearray(kept)
    where = _moved(at, moved)
    _HEADER.pack_into(smaller, 0, *header[:5], where, 0, *header[7:12], 0, 0)
    for n, p in enumerate(programs):
        _PROGRAM.pack_into(smaller, where + n * size, *p[:2], _moved(p[2], moved) if p[5] else p[2], *p[3:])
    return bytes(smaller) if len(smaller) < len(content) else content


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _needed(content: bytes, header: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Bytes of the sections that are there in memory."""
    at, size, count = header[6], header[11], header[12]
    for n in range(count):
        section = _SECTION.unpack_from(content, at + n * size)
        if section[2] & _ALLOCATED and section[1] != _WITHOUT_BYTES and section[5]:
            yield section[4], section[4] + section[5]


def _together(
    content: bytes, parts: list[tuple[int, int]], alignment: int
) -> tuple[bytes, list[tuple[int, int, int]]]:
    """The parts behind each other, and for each (start, end, where it starts now)."""
    kept, moved = bytearray(), []
    for start, end in parts:
        kept += bytes((start - len(kept)) % max(alignment, 1))
        moved.append((start, end, len(kept)))
        kept += content[start:end]
    return bytes(kept), moved


def _moved(offset: int, moved: list[tuple[int, int, int]]) -> int:
    start, _, now = next(part for part in moved if part[0] <= offset <= part[1])
    return now + offset - start
