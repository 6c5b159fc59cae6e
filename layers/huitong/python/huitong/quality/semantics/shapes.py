"""Patterns of a fixed width, as ids and phone numbers have: compared byte by byte instead of by RE2.

``C[0-9]{17}``, ``154\\d{8}``, ``[0-9A-Z]{18}``: literals, classes of ASCII and repetitions by a number. Any
other pattern has no shape and is RE2's. A text in classes of ASCII has as many bytes as characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

_ATOM: Final = re.compile(r"(\\d|\[[^\]\\^]+\]|[A-Za-z0-9 _:;,/@#%&=<>~!\"'-])(?:\{(\d{1,3})\})?")
_RANGE: Final = re.compile(r"([A-Za-z0-9])-([A-Za-z0-9])|([A-Za-z0-9 _:;,/@#%&=<>~!\"'])")
_WIDEST: Final = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """Bytes that may stand in each of a text's places: runs of (from, to, lowest, highest) or a table."""

    width: int
    runs: tuple[tuple[int, int, int, int, bytes], ...]

    def fits(self, texts: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which rows of a matrix of bytes, ``width`` wide, fit."""
        fitting = np.ones(len(texts), dtype=np.bool_)
        for start, end, low, high, table in self.runs:
            part = texts[:, start:end]
            if table:
                outside = np.frombuffer(table, dtype=np.bool_)[part]
                np.logical_not(outside, out=outside)
            else:
                outside = (part - np.uint8(low)) > np.uint8(high - low)  # below the lowest wraps around
            if end == start + 1:
                fitting &= ~outside[:, 0]
            else:  # few bytes are outside: finding them is quicker than folding every row
                fitting[np.flatnonzero(outside) // (end - start)] = False
        return fitting


@lru_cache(maxsize=256)
def shape_of(pattern: str) -> Shape | None:
    """The shape of a pattern that is nothing but a shape; None for all others."""
    at, place, runs = 0, 0, []
    while at < len(pattern):
        atom = _ATOM.match(pattern, at)
        if atom is None or pattern[atom.end() : atom.end() + 1] in ("?", "*", "+", "|", "{"):
            return None
        times = int(atom.group(2) or 1)
        ranges = _ranges(atom.group(1))
        if not ranges or not times or place + times > _WIDEST:
            return None
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        table = b"" if len(ranges) == 1 else _table(ranges)
        runs.append((place, place + times, low, high, table))
        at, place = atom.end(), place + times
    return Shape(place, tuple(runs)) if runs else None


def _ranges(atom: str) -> list[tuple[int, int]]:
    if atom == r"\d":
        return [(ord("0"), ord("9"))]
    if not atom.startswith("["):
        return [(ord(atom), ord(atom))]
    inner, found, at = atom[1:-1], [], 0
    while at < len(inner):
        part = _RANGE.match(inner, at)
        if part is None:
            return []
        low, high = part.group(1) or part.group(3), part.group(2) or part.group(3)
        if low > high:
            return []
        found.append((ord(low), ord(high)))
        at = part.end()
    return found


def _table(ranges: list[tuple[int, int]]) -> bytes:
    table = bytearray(256)
    for low, high in ranges:
        table[low : high + 1] = b"\x01" * (high + 1 - low)
    return bytes(table)
