"""What all semantic types share: the shape of a check, and ways to look at many texts at once.

A check takes an array of texts and gives one boolean mask per rule, true where
the rule is broken. A null breaks nothing. No check looks at rows one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.quality.rules import SemanticRule
from huitong.quality.semantics.shapes import shape_of

Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.uint8]
Texts = Any  # pa.StringArray: pyarrow ships no types

#: Rows looked at in one go: they fit the processor's cache, and the product stays below the size at which
#: the linear algebra library starts threads (which would cost more than they give).
BLOCK = 2048
#: So many texts of another width are cut out one by one.
_FEW = 4096


@dataclass(frozen=True, slots=True)
class Context:
    """What a check depends on beside the value: the day of receipt, and whether amounts may be negative."""

    today: date
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Semantic:
    """A semantic type: its rules, and the check that gives a mask for each of them, in the same order.

    ``canonical`` turns accepted spellings into the one that is published (texts in, texts out).
    """

    name: str
    zh: str
    en: str
    standard: str
    rules: tuple[SemanticRule, ...]
    check: Callable[[Texts, Context], Sequence[Mask]]
    canonical: Callable[[Texts], Texts] | None = None


def full_match(values: Texts, pattern: str) -> Mask:
    """True where the whole text matches (RE2); false for null."""
    shape = shape_of(pattern) if pa.types.is_string(values.type) else None
    if shape is not None:
        positions, texts = fixed_width(values, shape.width)
        return spread(len(values), positions, shape.fits(texts))
    found = pc.match_substring_regex(values, pattern=rf"\A(?:{pattern})\z")
    return as_mask(found)


def as_mask(values: Any) -> Mask:
    """A boolean array as numpy, null as false."""
    if values.null_count:
        values = pc.fill_null(values, False)
    mask: Mask = values.to_numpy(zero_copy_only=False)
    return mask


def present(values: Texts) -> Mask:
    """True where the value is not null."""
    if values.null_count == 0:
        return np.ones(len(values), dtype=np.bool_)
    return as_mask(values.is_valid())


def within(values: Texts, codes: Sequence[str]) -> Mask:
    """True where the value is one of the codes; false for null."""
    return as_mask(pc.and_(pc.is_in(values, value_set=pa.array(codes, pa.string())), values.is_valid()))


def fixed_width(values: Texts, width: int) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The texts of exactly ``width`` bytes: their positions, and their bytes as a matrix of one row each."""
    offsets = np.frombuffer(values.buffers()[1], dtype=np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1]
    data = _bytes(values)
    lengths = np.diff(offsets)
    fitting = lengths == width
    if values.null_count:
        fitting &= present(values)
    positions = np.flatnonzero(fitting)
    total = int(offsets[-1] - offsets[0]) if len(offsets) else 0
    if total == len(positions) * width:  # all others are empty: the bytes already lie in rows
        return positions, data[offsets[0] : offsets[0] + total].reshape(-1, width)
    others = np.flatnonzero(~fitting & (lengths > 0))
    if len(others) <= _FEW:  # between them the bytes already lie in rows
        borders = np.concatenate([offsets[:1], offsets[1:][others]]), np.append(offsets[others], offsets[-1])
        parts = [data[a:b] for a, b in zip(borders[0].tolist(), borders[1].tolist(), strict=True) if b > a]
        return positions, (np.concatenate(parts) if parts else data[:0]).reshape(-1, width)
    kept = values.take(pa.array(positions))  # quicker than picking their bytes one by one
    return positions, _bytes(kept)[: len(positions) * width].reshape(-1, width)


def _bytes(values: Texts) -> Matrix:
    buffer = values.buffers()[2]
    if buffer is None:
        return np.empty(0, dtype=np.uint8)
    return np.frombuffer(buffer, dtype=np.uint8)


def numbers(digits: npt.NDArray[Any], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Weighted sums of digit rows, one row of sums for each column of weights; exact below 2**24."""
    sums = np.empty((weights.shape[1], len(digits)), dtype=np.int32)
    for start in range(0, len(digits), BLOCK):
        block = digits[start : start + BLOCK].astype(np.float32)
        sums[:, start : start + BLOCK] = (block @ weights).T
    return sums


def spread(length: int, positions: npt.NDArray[np.int64], flags: npt.NDArray[np.bool_]) -> Mask:
    """A mask of ``length`` that is true at those positions whose flag is set."""
    mask = np.zeros(length, dtype=np.bool_)
    mask[positions[flags]] = True
    return mask


def by_pattern(pattern: str) -> Callable[[Texts, Context], Sequence[Mask]]:
    """A check with one rule: the whole text must match."""

    def check(values: Texts, _context: Context) -> Sequence[Mask]:
        return [present(values) & ~full_match(values, pattern)]

    return check
