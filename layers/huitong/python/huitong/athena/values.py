"""Rows of Athena's answers, which are text, as typed Arrow batches. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

_ROWS: Final = 20_000
_SIMPLE: Final[dict[str, pa.DataType]] = {
    "tinyint": pa.int64(),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "int": pa.int64(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "float": pa.float64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "varbinary": pa.binary(),
}


def schema_of(names: Sequence[str], kinds: Sequence[str]) -> pa.Schema:
    """Of columns with Athena's types. What has no plain counterpart (arrays, rows, maps) stays text."""
    return pa.schema([pa.field(n, arrow_type(k)) for n, k in zip(names, kinds, strict=True)])


def batches_of(rows: Iterable[list[str | None]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    left = iter(rows)
    while block := list(islice(left, _ROWS)):
        columns = [
            pa.array([value_of(row[n], field.type) for row in block], type=field.type)
            for n, field in enumerate(schema)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def arrow_type(kind: str) -> pa.DataType:
    base, _, rest = kind.lower().partition("(")
    if base == "decimal":
        precision, _, scale = rest.rstrip(")").partition(",")
        return pa.decimal128(int(precision or 38), int(scale or 0))
    zoned = base == "timestamp" and "zone" in rest
    return _SIMPLE.get("timestamp with time zone" if zoned else base.strip(), pa.string())


def value_of(text: str | None, kind: pa.DataType) -> Any:
    """A cell as a value of its column's type."""
    if text is None or pa.types.is_string(kind):
        return text
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_floating(kind):
        return float(text)
    if pa.types.is_boolean(kind):
        return text == "true"
    if pa.types.is_decimal(kind):
        return Decimal(text)
    if pa.types.is_binary(kind):
        return bytes.fromhex(text)
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    if kind.tz is None:
        return datetime.fromisoformat(text)
    moment, _, zone = text.rpartition(" ")
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
