"""How far one edition is from the one before it: a few plain comparisons of two profiles (Q-22). Pure.

The population stability index (PSI) is Σ (b − a) · ln(b / a) over the shares of rows in each class: values
of a column of few values, or twentieths of the former edition for numbers and dates. Below 0.1 little has
changed, from 0.1 to 0.25 some, above that much.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Final

from huitong.quality.profile.model import Column, Profile

SOME: Final = 0.1
MUCH: Final = 0.25
_FEW_VALUES: Final = 20
_NULLS: Final = 0.05
_LEAST: Final = 0.0005
_FEWEST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Drift:
    column: str
    kind: str  # rows, distribution, nulls, new-values, gone, added
    before: float | str
    after: float | str
    strong: bool
    zh: str
    en: str


def drift(before: Profile, after: Profile) -> list[Drift]:
    """What changed notably; empty where nothing did."""
    found = _rows(before.rows, after.rows)
    known = {c.name: c for c in before.columns}
    for column in after.columns:
        earlier = known.pop(column.name, None)
        if earlier is None:
            found.append(_told(column, "added", "", column.type, False, "是新的列", "is a new column"))
        elif min(before.rows, after.rows) >= _FEWEST_ROWS:
            found += [*_nulls(earlier, column), *_values(earlier, column), *_distribution(earlier, column)]
    found += [_told(c, "gone", c.type, "", True, "列没有了", "is gone") for c in known.values()]
    return found


def _rows(before: int, after: int) -> list[Drift]:
    if not before or 0.5 <= after / before <= 2:
        return []
    zh, en = f"行数由 {before} 变为 {after}", f"{after} rows instead of {before}"
    return [Drift("", "rows", before, after, strong=True, zh=zh, en=en)]


def _nulls(before: Column, after: Column) -> list[Drift]:
    low, high = before.null_share, after.null_share
    if abs(high - low) < _NULLS:
        return []
    words = f"空值由 {low:.1%} 变为 {high:.1%}", f"is empty in {high:.1%} of rows instead of {low:.1%}"
    return [_told(after, "nulls", round(low, 4), round(high, 4), abs(high - low) > 0.2, *words)]


def _values(before: Column, after: Column) -> list[Drift]:
    """New codes of a column that had few of them."""
    if not _is_coded(before) or before.guarded or after.guarded:
        return []
    known = {value for value, _ in before.top}
    new = [value for value, _ in after.top if value not in known]
    if not new or len(after.top) > 2 * _FEW_VALUES:
        return []
    shown = "、".join(new[:5])
    return [_told(after, "new-values", "", shown, False, f"出现新值:{shown}", f"has new values: {shown}")]


def _distribution(before: Column, after: Column) -> list[Drift]:
    index = psi_of(before, after)
    if index is None or index < SOME:
        return []
    words = f"分布变化(PSI {index:.2f})", f"is distributed otherwise (PSI {index:.2f})"
    return [_told(after, "distribution", 0.0, round(index, 4), index >= MUCH, *words)]


def psi_of(before: Column, after: Column) -> float | None:
    """The index of two columns; None where they cannot be compared."""
    if before.steps and after.steps and len(before.steps) == len(after.steps):
        return psi(*_twentieths(before.steps, after.steps))
    if _is_coded(before) and _is_coded(after) and not before.guarded:
        values = sorted({v for v, _ in (*before.top, *after.top)})
        first, second = dict(before.top), dict(after.top)
        rows = before.rows - before.nulls, after.rows - after.nulls
        if not all(rows):
            return None
        return psi([first.get(v, 0) / rows[0] for v in values], [second.get(v, 0) / rows[1] for v in values])
    return None


def psi(before: Sequence[float], after: Sequence[float]) -> float:
    """Of two lists of shares; empty classes count as a very small share."""
    pairs = [(max(a, _LEAST), max(b, _LEAST)) for a, b in zip(before, after, strict=True)]
    return sum((b - a) * log(b / a) for a, b in pairs)


def _is_coded(column: Column) -> bool:
    return column.exact and 0 < column.distinct <= _FEW_VALUES and not column.steps


def _twentieths(before: Sequence[float], after: Sequence[float]) -> tuple[list[float], list[float]]:
    """Shares of rows up to each step of the former edition, and beyond the last; equal steps are one."""
    edges = sorted(set(before))
    return _shares(before, edges), _shares(after, edges)


def _shares(steps: Sequence[float], edges: Sequence[float]) -> list[float]:
    up_to = [_up_to(steps, e) for e in edges]
    return [high - low for low, high in pairwise([0.0, *up_to, 1.0])]


def _up_to(steps: Sequence[float], value: float) -> float:
    """Share of rows that do not exceed a value, by interpolation between the steps."""
    at = bisect_right(steps, value)
    if at == 0 or at == len(steps):
        return float(at > 0)
    low, high = steps[at - 1], steps[at]
    return (at - 1 + (value - low) / (high - low)) / (len(steps) - 1)


def _told(
    column: Column, kind: str, before: float | str, after: float | str, strong: bool, zh: str, en: str
) -> Drift:
    shown = column.title or column.name
    return Drift(column.name, kind, before, after, strong, f"{shown}:{zh}", f"{column.name} {en}")
