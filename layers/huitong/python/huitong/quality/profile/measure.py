"""Profiling: one pass over blocks of texts, in memory that does not grow with their number (Q-17, Q-21).

Each block gives the counts of its distinct values by column; what is kept of them are the most frequent
values, the shapes, the smallest hashes (from which the number of distinct values follows) and an even sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Contract, Field, Mask
from huitong.quality.masking import mask_of, mask_value
from huitong.quality.profile.guessing import Meaning, meaning_of
from huitong.quality.profile.model import Column, Profile
from huitong.quality.semantics.periods import parse_dates

_HASHES: Final = 4096
_KEPT: Final = 2000  # values and shapes remembered of a column
_TOP: Final = 20
_SHAPES: Final = 12
_SAMPLE: Final = 20_000
_OF_BLOCK: Final = 2_500
_SHOWN: Final = 60
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_STEPS: Final = [i / 20 for i in range(21)]

_NUMBER: Final = r"-?\d+(\.\d+)?"
_TESTS: Final[Mapping[str, str]] = {
    "integer": "regexp_full_match(v, '-?(0|[1-9]\\d{0,17})')",
    "decimal": "regexp_full_match(v, '-?(0|[1-9]\\d*)(\\.\\d+)?')",
    "date": "regexp_full_match(v, '(1[89]|2\\d)\\d\\d-\\d\\d-\\d\\d') AND try_cast(v AS DATE) IS NOT NULL",
    "timestamp": "regexp_full_match(v, '\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)')",
    "boolean": "lower(v) IN ('是', '否', 'true', 'false', 'y', 'n')",
}


@dataclass
class _Seen:
    """What is remembered of a column."""

    rows: int = 0
    nulls: int = 0
    shortest: int = 0
    longest: int = 0
    scale: int = 0
    digits: int = 0
    minimum: str | None = None
    maximum: str | None = None
    low: float | None = None
    high: float | None = None
    fits: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    hashes: Any = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    sample: list[Any] = field(default_factory=list)


@dataclass
class Measure:
    """Takes blocks (texts by column, one length), then gives the profile.

    ``contract``: whose masks and types hold; columns that it lacks are guessed at. ``titles``: headings.
    """

    contract: Contract | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    masked: bool = True
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _rows: int = 0

    def __post_init__(self) -> None:
        self._connection = duckdb.connect(config={"memory_limit": "192MB", "threads": 1})
        self._connection.execute("SET enable_external_access = false")

    def add(self, columns: Mapping[str, Any]) -> None:
        if not columns:
            return
        rows = len(next(iter(columns.values())))
        self._rows += rows
        for name, array in columns.items():
            texts = array.cast(pa.string()) if not pa.types.is_string(array.type) else array
            self._take(self._seen.setdefault(name, _Seen()), texts)

    def close(self, today: date, of: Mapping[str, Any] | None = None) -> Profile:
        self._connection.close()
        columns = tuple(self._column(name, seen, today) for name, seen in self._seen.items())
        alone = tuple((c.name,) for c in columns if c.key)
        return Profile(self._rows, columns, alone, dict(of or {}))

    def _take(self, seen: _Seen, texts: Any) -> None:
        seen.rows += len(texts)
        seen.nulls += texts.null_count
        sample = texts.take(
            pa.array(np.linspace(0, len(texts) - 1, min(len(texts), _OF_BLOCK)).astype(np.int64))
        )
        seen.sample.append(sample.drop_null())
        counted = pc.value_counts(texts.drop_null())
        if not len(counted):
            return
        self._connection.register("c", pa.table({"v": counted.field("values"), "n": counted.field("counts")}))
        tests = ", ".join(f"coalesce(sum(n) FILTER ({test}), 0)::BIGINT" for test in _TESTS.values())
        number = f"regexp_full_match(v, '{_NUMBER}')"
        point = "strpos(v, '.')"
        answer = self._connection.execute(
            f"SELECT min(length(v)), max(length(v)), min(v), max(v), "
            f"max(CASE WHEN {number} AND {point} > 0 THEN length(v) - {point} ELSE 0 END), "
            f"max(CASE WHEN {number} THEN length(ltrim(split_part(v, '.', 1), '-')) ELSE 0 END), "
            f"min(try_cast(v AS DOUBLE)), max(try_cast(v AS DOUBLE)), {tests} FROM c"
        ).fetchone()
        assert answer is not None  # noqa: S101 (an aggregate always has one row)
        short, long, least, most, scale, digits, low, high, *fits = answer
        seen.shortest = min(seen.shortest or short, short)
        seen.longest = max(seen.longest, long)
        seen.scale, seen.digits = max(seen.scale, scale), max(seen.digits, digits)
        seen.minimum = least if seen.minimum is None else min(seen.minimum, least)
        seen.maximum = most if seen.maximum is None else max(seen.maximum, most)
        seen.low = low if seen.low is None else seen.low if low is None else min(seen.low, low)
        seen.high = high if seen.high is None else seen.high if high is None else max(seen.high, high)
        seen.fits.update(dict(zip(_TESTS, fits, strict=True)))
        self._values_and_shapes(seen)

    def _values_and_shapes(self, seen: _Seen) -> None:
        run = self._connection.execute
        top = run(f"SELECT v, n FROM c ORDER BY n DESC, v LIMIT {_KEPT // 4}").fetchall()
        shape = (
            f"left(regexp_replace(regexp_replace(translate(upper(v), '0123456789{_LETTERS}', "
            f"'{'9' * 10}{'A' * 26}'), '[一-龥]', '汉', 'g'), '\\s', ' ', 'g'), {_SHOWN})"
        )
        shapes = run(
            f"SELECT {shape} AS s, sum(n)::BIGINT AS rows FROM c GROUP BY s "
            f"ORDER BY rows DESC, s LIMIT {_KEPT // 4}"
        ).fetchall()
        seen.values = _lossy(seen.values, top)
        seen.shapes = _lossy(seen.shapes, shapes)
        smallest = f"SELECT hash(v) AS h FROM c ORDER BY h LIMIT {_HASHES}"
        hashes = self._connection.sql(smallest).to_arrow_table().column("h")
        merged = np.union1d(seen.hashes, hashes.to_numpy().astype(np.uint64))
        seen.hashes = merged[:_HASHES]
        self._connection.unregister("c")
        if sum(len(part) for part in seen.sample) > 2 * _SAMPLE:
            whole = pa.concat_arrays(seen.sample)
            seen.sample = [whole.take(pa.array(np.arange(0, len(whole), 2)))]

    def _column(self, name: str, seen: _Seen, today: date) -> Column:
        known = self.contract.field_named(name) if self.contract else None
        title = (known.title if known else "") or self.titles.get(name, "")
        given = seen.rows - seen.nulls
        sample = pa.concat_arrays(seen.sample) if seen.sample else pa.array([], pa.string())
        kind = known.type if known else _type(seen, given)
        meaning = _known(known) if known else meaning_of(name, title, sample.unique(), today)
        distinct, exact = _distinct(seen)
        mask: Mask = meaning.mask if self.masked else ""
        column = Column(
            name=name,
            title=title,
            rows=seen.rows,
            nulls=seen.nulls,
            distinct=distinct,
            exact=exact,
            shortest=seen.shortest,
            longest=seen.longest,
            type=kind,
            scale=seen.scale,
            digits=seen.digits,
            semantic=meaning.semantic,
            fitting=meaning.fitting,
            level=meaning.level,
            mask=meaning.mask,
            minimum=_end(seen.minimum, seen.low, kind, mask),
            maximum=_end(seen.maximum, seen.high, kind, mask),
            shapes=tuple(seen.shapes.most_common(_SHAPES)),
            top=_masked(seen.values, mask),
            steps=() if mask else _steps(sample, kind),
            key=given == seen.rows > 0 and _unlike(seen, distinct, exact),
        )
        return column if not mask else replace(column, shapes=_plain_shapes(column.shapes))


def _lossy(kept: Counter[str], more: Sequence[tuple[str, int]]) -> Counter[str]:
    """The most frequent of both. What is rare everywhere may be lost, what is frequent anywhere is not."""
    kept.update(dict(more))
    return Counter(dict(kept.most_common(_KEPT))) if len(kept) > 2 * _KEPT else kept


def _distinct(seen: _Seen) -> tuple[int, bool]:
    """From the smallest hashes: exact while all fit."""
    if len(seen.hashes) < _HASHES:
        return len(seen.hashes), True
    share = float(seen.hashes[-1]) / 2.0**64
    return int((_HASHES - 1) / share), False


def _unlike(seen: _Seen, distinct: int, exact: bool) -> bool:
    """Whether no value can have occurred twice, as far as the pass can tell."""
    given = seen.rows - seen.nulls
    if exact:
        return distinct == given
    return max(seen.values.values(), default=0) <= 1 and distinct > 0.93 * given


def _type(seen: _Seen, given: int) -> str:
    if not given:
        return "string"
    for kind in ("boolean", "date", "timestamp", "integer", "decimal"):
        if seen.fits[kind] == given:
            return kind if kind != "integer" or seen.digits <= 15 else "string"
    return "string"


def _known(f: Field) -> Meaning:
    return Meaning(f.semantic, 1.0 if f.semantic else 0.0, f.level or "L2", mask_of(f))


def _end(text: str | None, number: float | None, kind: str, mask: Mask) -> str | None:
    if text is None or mask:
        return None  # the smallest or largest value is that of one row
    if kind in ("integer", "decimal", "double") and number is not None:
        return f"{number:.0f}" if float(number).is_integer() else repr(number)
    return text[:_SHOWN]


def _masked(values: Counter[str], mask: Mask) -> tuple[tuple[str, int], ...]:
    """Most frequent values under their mask; those that look alike then are told as one."""
    if not mask:
        return tuple((v[:_SHOWN], n) for v, n in values.most_common(_TOP))
    shown: Counter[str] = Counter()
    for value, rows in values.most_common(_KEPT):
        shown[(mask_value(mask, value) or "")[:_SHOWN]] += rows
    return tuple(shown.most_common(_TOP))


def _plain_shapes(shapes: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Of guarded columns: signs could be part of somebody's number or name, so they show as shapes, too."""
    allowed = set("9A汉 -()")
    seen: Counter[str] = Counter()
    for shape, rows in shapes:
        seen["".join(c if c in allowed else "?" for c in shape)] += rows
    return tuple(seen.most_common(_SHAPES))


def _steps(sample: Any, kind: str) -> tuple[float, ...]:
    """Quantiles of a sample of numbers or dates."""
    if not len(sample):
        return ()
    if kind in ("integer", "decimal", "double"):
        numbers = np.array([_float(v) for v in sample.to_pylist()], dtype=np.float64)
        numbers = numbers[~np.isnan(numbers)]
    elif kind == "date":
        days = parse_dates(sample)
        numbers = days.drop_null().cast(pa.int32()).to_numpy().astype(np.float64)
    else:
        return ()
    return tuple(float(q) for q in np.quantile(numbers, _STEPS)) if len(numbers) else ()


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def measured(
    blocks: Iterable[Mapping[str, Any]],
    *,
    today: date,
    contract: Contract | None = None,
    titles: Mapping[str, str] | None = None,
    of: Mapping[str, Any] | None = None,
) -> Profile:
    """The profile of blocks of texts by column."""
    measure = Measure(contract, dict(titles or {}))
    for block in blocks:
        measure.add(block)
    return measure.close(today, of)
