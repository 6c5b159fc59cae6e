"""Cells of a result as JSON, CSV and Arrow."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from huitong.contracts.numbers import decimal_text

#: Integers beyond it lose digits in JavaScript and are given as text.
SAFE_INTEGER: Final = 2**53

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def json_value(value: Any) -> Any:
    """A cell as JSON: decimals as exact text, integers beyond 2^53 as text, dates and times as ISO 8601.

    Instants end with Z; NaN and infinities are text; bytes are hexadecimal.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        if value and all(isinstance(pair, tuple) for pair in value):  # a map
            return {str(json_value(k)): json_value(v) for k, v in value}
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {k: json_value(v) for k, v in value.items()}
    return text_value(value)


def text_value(value: Any) -> str:
    """A cell that is not null as text, the same in JSON and CSV."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, (list, dict)):
        return json.dumps(json_value(value), ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _moment(value: datetime) -> str:
    text = value.isoformat()
    return text.replace("+00:00", "Z") if value.tzinfo is not None else text


def json_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as objects by column name."""
    names = table.column_names
    columns = [_converted(column, json_value) for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def csv_text(table: pa.Table, *, header: bool = True, safe: bool = False) -> str:
    """RFC 4180, UTF-8: null is empty, the empty text is ``""``.

    ``safe`` puts an apostrophe before texts that a spreadsheet would take for a
    formula (S-17). It changes the bytes, so it is for files that people open,
    never for those that programs read.
    """
    out = io.StringIO()
    if header:
        out.write(",".join(_csv_cell(n, safe) for n in table.column_names) + "\r\n")
    columns = []
    for column in table.columns:
        guarded = safe and not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type))
        guarded = guarded and not pa.types.is_decimal(column.type)
        columns.append([_csv_cell(v, guarded) for v in column.to_pylist()])
    for row in zip(*columns, strict=True):
        out.write(",".join(row) + "\r\n")
    return out.getvalue()


def arrow_bytes(table: pa.Table) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _converted(column: pa.ChunkedArray, change: Callable[[Any], Any]) -> Sequence[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return values
    if pa.types.is_map(column.type):  # an empty one is no list
        return [None if v is None else (change(v) or {}) for v in values]
    return [change(v) for v in values]


def _csv_cell(value: Any, safe: bool) -> str:
    if value is None:
        return ""
    text = text_value(value)
    if safe and text.startswith(_FORMULA):
        text = f"'{text}"
    if text == "" or text != text.strip() or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
