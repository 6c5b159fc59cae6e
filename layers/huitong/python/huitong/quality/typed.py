"""Text to typed values, strictly: what does not have the exact form becomes null.

=========  ==================================================================
integer    ``[+-]?digits`` that fit 64 bits; no ``.0``
decimal    ``-?digits[.digits]`` that fit precision and scale; no separators,
           no exponent, no rounding
double     decimal or with exponent; neither infinite nor NaN
boolean    1 0 true false 是 否 Y N (letters in any case)
date       ``YYYY-MM-DD``, ``YYYYMMDD``, then the declared strptime formats
timestamp  ``YYYY-MM-DDThh:mm:ss[.f]`` with ``Z`` or an offset, then the
           declared formats; one without a zone is taken as China's time
=========  ==================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Field
from huitong.quality.digits import decimals, integers, plain_numbers
from huitong.quality.semantics.base import Texts
from huitong.quality.semantics.periods import parse_dates, parse_instants

_TRUE: Final = ("1", "true", "是", "y")
_FALSE: Final = ("0", "false", "否", "n")
_ANY_DIGITS: Final = 38
_CHINA_US: Final = 8 * 3_600_000_000
_FIRST_US: Final = -30_610_224_000_000_000  # the year 1000: a format read a year of fewer digits before that


def arrow_type(field: Field) -> Any:
    """The Arrow type of a field in the current table."""
    if field.type == "decimal":
        return pa.decimal128(field.precision, field.scale)
    return {
        "string": pa.string(),
        "integer": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }[field.type]


class Converter:
    """Turns texts into typed values, with DuckDB where numpy would not be quicker."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def convert(self, texts: Mapping[Field, Texts]) -> dict[str, Any]:
        """Typed values by field name, each as long as its texts."""
        typed: dict[str, Any] = {}
        numeric: dict[int, list[tuple[Field, Texts]]] = {}
        left: dict[str, Any] = {}  # masks of the texts that are not written plainly
        for field, values in texts.items():
            if field.type == "string":
                typed[field.name] = values
            elif field.type == "boolean":
                typed[field.name] = _booleans(values)
            elif field.type in ("date", "timestamp"):
                typed[field.name] = self._days_and_times(field, values)
            else:
                plain = _plain(field, values)
                if plain is not None:
                    typed[field.name], left[field.name] = plain
                    values = values.filter(left[field.name])
                if plain is None or len(values):
                    numeric.setdefault(len(values), []).append((field, values))
        for group in numeric.values():
            for name, found in self._numbers(group).items():
                typed[name] = pc.replace_with_mask(typed[name], left[name], found) if name in left else found
        return typed

    def _numbers(self, group: Sequence[tuple[Field, Texts]]) -> dict[str, Any]:
        staged = pa.table({f"t{i}": values for i, (_, values) in enumerate(group)})
        columns = ", ".join(f"{_number_sql(field, f't{i}')} AS v{i}" for i, (field, _) in enumerate(group))
        answer = self._query(staged, columns)
        whole = [column.combine_chunks() for column in answer.columns]
        return {f.name: column.cast(arrow_type(f)) for (f, _), column in zip(group, whole, strict=True)}

    def _days_and_times(self, field: Field, values: Texts) -> Any:
        typed = parse_dates(values) if field.type == "date" else parse_instants(values)
        if not field.formats or typed.null_count == values.null_count:
            return typed
        left = pc.if_else(typed.is_null(), values, pa.scalar(None, pa.string()))
        micros = (
            self._query(pa.table({"t0": left}), f"{_declared_sql(field)} AS v0").column(0).combine_chunks()
        )
        if field.type == "timestamp":
            return pc.coalesce(typed, micros.cast(arrow_type(field)))
        return pc.coalesce(typed, micros.cast(pa.timestamp("us")).cast(pa.date32(), safe=False))

    def _query(self, staged: Any, columns: str) -> Any:
        self._connection.register("staged", staged)
        try:
            return self._connection.sql(f"SELECT {columns} FROM staged").to_arrow_table().combine_chunks()
        finally:
            self._connection.unregister("staged")


def _plain(field: Field, values: Texts) -> tuple[Any, Any] | None:
    """Numbers that are written plainly, and a mask of the texts that are left; None where all are."""
    if field.type == "double":
        return None
    scale, precision = (field.scale, field.precision) if field.type == "decimal" else (0, _ANY_DIGITS)
    found = plain_numbers(values, scale, precision)
    if found is None:
        return None
    numbers, read = found
    left = pa.array(~read)
    if values.null_count:
        left = pc.and_(left, values.is_valid())
    return (
        decimals(numbers, read, arrow_type(field)) if field.type == "decimal" else integers(numbers, read)
    ), left


def _booleans(values: Texts) -> Any:
    lowered = pc.utf8_lower(values)
    true = pc.is_in(lowered, value_set=pa.array(_TRUE))
    known = pc.or_(true, pc.is_in(lowered, value_set=pa.array(_FALSE)))
    return pc.if_else(known, true, pa.scalar(None, pa.bool_()))


def _declared_sql(field: Field) -> str:
    """Microseconds since 1970 by the first declared format that fits; null where none does."""
    zoned = [f for f in field.formats if "%z" in f and field.type == "timestamp"]
    plain = [f for f in field.formats if "%z" not in f and (field.type == "date" or "%H" in f)]
    ahead = _CHINA_US if field.type == "timestamp" else 0
    tries = [
        f"epoch_us(try_strptime(t0, [{', '.join(map(_quoted, listed))}])) - {shift}"
        for listed, shift in ((zoned, 0), (plain, ahead))
        if listed
    ]
    if not tries:
        return "CAST(NULL AS BIGINT)"
    return f"CASE WHEN {_FIRST_US} <= coalesce({', '.join(tries)}) THEN coalesce({', '.join(tries)}) END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _number_sql(field: Field, text: str) -> str:
    """A value, kept when it writes itself as it was given; only the others are matched against the form."""
    if field.type == "double":
        form = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?"
        value = f"TRY_CAST({text} AS DOUBLE)"
        return f"CASE WHEN regexp_full_match({text}, '{form}') AND isfinite({value}) THEN {value} END"
    if field.type == "integer":
        value, form = f"TRY_CAST({text} AS BIGINT)", r"[+-]?\d+"
    else:
        value = f"TRY_CAST({text} AS DECIMAL({field.precision},{field.scale}))"
        form = rf"-?\d+(\.\d{{1,{field.scale}}})?" if field.scale else r"-?\d+"
    written = f"CAST({value} AS VARCHAR) = {text}"
    return f"CASE WHEN {written} THEN {value} WHEN regexp_full_match({text}, '{form}') THEN {value} END"
