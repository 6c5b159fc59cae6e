"""Texts as the bytes that they are: which rows are worth a look, and characters put for others.

A column of a million clean values is passed by looking at its bytes; only rows that hold something to be
cleansed are touched. Nothing here looks at rows one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.quality.semantics.base import Texts, as_mask, present

Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

NONE: Final[Places] = np.empty(0, dtype=np.int64)
#: As a value of a table: the character goes.
GONE: Final = ""

#: Blanks and characters that nobody sees, as RE2 writes them.
BLANKS: Final = r"[\s\x{00A0}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}\x00-\x1F\x7F]"
UNSEEN: Final = r"[\x{00AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]"


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of all texts, and where each begins and ends."""

    data: Bytes
    offsets: npt.NDArray[np.int32]

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        found: npt.NDArray[np.int32] = np.diff(self.offsets)
        return found

    def rows(self, flags: npt.NDArray[np.bool_]) -> Places:
        """Rows in which a byte is flagged."""
        places = np.flatnonzero(flags)
        if not len(places):
            return NONE
        found = np.searchsorted(self.offsets, places, side="right") - 1
        first = np.ones(len(found), dtype=np.bool_)
        first[1:] = found[1:] != found[:-1]
        return found[first].astype(np.int64)

    def nth(self, n: int, rows: Places | None = None) -> Bytes:
        """The n-th byte of each text (-1 = the last); of a text without it some byte, no matter which."""
        base = self.offsets[:-1] if n >= 0 else self.offsets[1:]
        places = (base if rows is None else base[rows]) + np.int32(n)
        return self.data.take(places, mode="clip")


def raw(values: Texts) -> Raw:
    """The bytes of an array of texts."""
    if not len(values):
        return Raw(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int32))
    _, starts, content = values.buffers()
    offsets = np.frombuffer(starts, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    low, high = int(offsets[0]), int(offsets[-1])
    data = np.empty(0, np.uint8) if content is None else np.frombuffer(content, np.uint8, high)[low:]
    return Raw(data, offsets - np.int32(low) if low else offsets)


def either(*rows: Places) -> Places:
    """Rows that are in any of these."""
    some = [r for r in rows if len(r)]
    if len(some) <= 1:
        return some[0] if some else NONE
    return np.unique(np.concatenate(some))


@dataclass(frozen=True, slots=True)
class Table:
    """Characters of three bytes in UTF-8 (Chinese, full-width forms) and the ASCII put for each; see
    :func:`table`."""

    keys: npt.NDArray[np.uint32]
    becomes: Bytes  # 0 = the character goes


def table(pairs: Mapping[str, str]) -> Table:
    coded = sorted((int.from_bytes(c.encode(), "big"), ord(to) if to else 0) for c, to in pairs.items())
    assert all(key > 0xFFFF for key, _ in coded)  # noqa: S101 (three bytes each)
    return Table(np.array([k for k, _ in coded], np.uint32), np.array([v for _, v in coded], np.uint8))


def substitute(values: Texts, known: Table) -> Texts:
    """Texts with the table's characters put for others."""
    source = raw(values)
    leads = np.flatnonzero((source.data & 0xF0) == 0xE0)
    if not len(leads):
        return values
    data = source.data
    key = (
        (data[leads].astype(np.uint32) << 16)
        | (data[leads + 1].astype(np.uint32) << 8)
        | data[leads + 2].astype(np.uint32)
    )
    places = np.minimum(np.searchsorted(known.keys, key), len(known.keys) - 1)
    hit = known.keys[places] == key
    leads, becomes = leads[hit], known.becomes[places[hit]]
    changed = data.copy()
    changed[leads] = becomes
    keep = np.ones(len(data), dtype=np.bool_)
    keep[leads + 1] = keep[leads + 2] = False
    keep[leads[becomes == 0]] = False
    ends = np.concatenate([[0], np.cumsum(keep, dtype=np.int32)]).astype(np.int32)
    offsets = ends[source.offsets]
    valid = None if not values.null_count else pc.cast(values.is_valid(), pa.bool_()).buffers()[1]
    made = pa.StringArray.from_buffers(
        len(values), pa.py_buffer(offsets), pa.py_buffer(changed[keep]), valid, values.null_count
    )
    return made


def empty_as_null(values: Texts) -> Texts:
    """An empty text is no value."""
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def where(mask: Any, then: Texts, otherwise: Texts) -> Texts:
    """``then`` where the mask holds; where it is null, or ``then`` has no value, ``otherwise``."""
    chosen = pc.and_(pc.fill_null(mask, False), then.is_valid())
    return pc.if_else(chosen, then, otherwise)


def matching(values: Texts, pattern: str) -> Any:
    """Which whole texts match."""
    return pc.match_substring_regex(values, pattern=rf"\A(?:{pattern})\z")


def groups(values: Texts, pattern: str) -> tuple[Any, dict[str, Texts]]:
    """Which whole texts match, and the named groups; a group that took no part is empty."""
    found = pc.extract_regex(values, pattern=rf"\A(?:{pattern})\z")
    names = [field.name for field in found.type]
    fits = found.is_valid()
    nothing = pa.scalar("", pa.string())
    return fits, {n: pc.if_else(fits, pc.fill_null(pc.struct_field(found, n), ""), nothing) for n in names}


def joined(*parts: Any) -> Texts:
    """Texts one after the other."""
    return pc.binary_join_element_wise(*parts, "")


def scatter(values: Texts, rows: Places, new: Texts) -> Texts:
    """The texts, with those of ``rows`` replaced."""
    mask = np.zeros(len(values), dtype=np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(values, pa.array(mask), new)


def different(before: Texts, after: Texts) -> npt.NDArray[np.bool_]:
    """Where two arrays differ, a null being a value of its own."""
    same = as_mask(pc.equal(before, after))
    both_null = ~present(before) & ~present(after)
    return ~(same | both_null)


def whole(values: Texts) -> Texts:
    """One contiguous array that starts at its buffer's beginning."""
    return pa.concat_arrays([values]) if values.offset else values


def chain(values: Texts, steps: Sequence[tuple[str, str]]) -> Texts:
    """Regular expressions replaced one after the other."""
    for pattern, replacement in steps:
        values = pc.replace_substring_regex(values, pattern, replacement)
    return values
