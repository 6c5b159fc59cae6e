"""Whole numbers and decimals that are written plainly, read by their bytes: ``-12``, ``750000.00``, ``0.5``.

Everything else (a plus sign, more digits than 64 bits hold, what is no number) is left to the engine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MINUS: Final = ord("-")
_POINT: Final = ord(".")
_ZERO: Final = np.uint8(ord("0"))
_DIGITS: Final = 18  # so many fit 64 bits whatever they are

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def plain_numbers(values: Any, scale: int, precision: int = _DIGITS) -> tuple[Numbers, Flags] | None:
    """Values times ``10 ** scale``, and which texts were read; None where the array is not laid out for it.

    ``precision`` is the number of digits that the type holds, those behind the point among them.
    """
    if not pa.types.is_string(values.type) or not len(values):
        return None
    offsets = np.frombuffer(values.buffers()[1], dtype=np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1]
    content = values.buffers()[2]
    if content is None or offsets[0] == offsets[-1]:
        return None
    data = np.frombuffer(content, dtype=np.uint8)[offsets[0] : offsets[-1]]
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    lengths = ends - starts
    negative = (data[np.minimum(starts, len(data) - 1)] == _MINUS) & (lengths > 0)
    places = _places(data, ends, lengths, scale)
    pointed = places > 0
    digits = lengths - negative - pointed
    read: Flags = (digits > places) & (digits - places + scale <= min(precision, _DIGITS))
    if values.null_count:
        read &= values.is_valid().to_numpy(zero_copy_only=False)
    points = (ends - 1 - places)[pointed]
    other = (data - _ZERO) > 9
    other[starts[negative]] = False
    other[points] = False
    odd = np.flatnonzero(other)
    if len(odd):
        read[np.searchsorted(ends, odd, side="right")] = False
    return _times(_whole(data, points, lengths - pointed, read), places, scale), read


def decimals(numbers: Numbers, read: Flags, kind: Any) -> Any:
    """Numbers times ``10 ** scale`` as an array of the decimal type ``kind``; null where not read."""
    words = np.empty((len(numbers), 2), dtype=np.int64)
    words[:, 0] = numbers
    words[:, 1] = numbers >> 63
    return pa.Array.from_buffers(kind, len(numbers), [_bits(read), pa.py_buffer(words)])


def integers(numbers: Numbers, read: Flags) -> Any:
    return pa.Array.from_buffers(pa.int64(), len(numbers), [_bits(read), pa.py_buffer(numbers)])


def _places(
    data: npt.NDArray[np.uint8], ends: npt.NDArray[Any], lengths: npt.NDArray[Any], scale: int
) -> npt.NDArray[np.int32]:
    """How many digits each text has behind its point; 0 = none within ``scale``."""
    places = np.zeros(len(ends), dtype=np.int32)
    for behind in range(scale, 0, -1):
        if (places > 0).all():
            break
        point = (data[np.maximum(ends - 1 - behind, 0)] == _POINT) & (lengths > behind + 1) & (places == 0)
        places[point] = behind
    return places


def _whole(
    data: npt.NDArray[np.uint8], points: npt.NDArray[Any], lengths: npt.NDArray[Any], read: Flags
) -> Numbers:
    """The texts without their points, as numbers; 0 where not read."""
    if len(points):
        kept = np.ones(len(data), dtype=np.bool_)
        kept[points] = False
        data = data[kept]
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [_bits(read), pa.py_buffer(offsets), pa.py_buffer(data)]
    texts = pa.Array.from_buffers(pa.string(), len(lengths), buffers)
    numbers: Numbers = np.frombuffer(texts.cast(pa.int64()).buffers()[1], dtype=np.int64)[: len(lengths)]
    return numbers


def _times(numbers: Numbers, places: npt.NDArray[np.int32], scale: int) -> Numbers:
    if not scale or (places == scale).all():
        return numbers
    factors = np.array([10 ** (scale - behind) for behind in range(scale + 1)], dtype=np.int64)
    scaled: Numbers = numbers * factors[places]
    return scaled


def _bits(flags: Flags) -> Any:
    return None if flags.all() else pa.array(flags).buffers()[1]
