"""Cells, columns and files of results, as Athena writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

#: What Athena's clients know, with the precision that it reports. All else is shown as text.
_PRECISIONS: Final = {
    "boolean": 0, "tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "float": 17, "double": 17,
    "date": 0, "time": 3, "timestamp": 3, "timestamp with time zone": 3,
    "varchar": 2147483647, "varbinary": 1073741824, "json": 0, "array": 0, "map": 0, "row": 0,
}  # fmt: skip
_OTHER_NAMES: Final = {
    "real": "float", "int": "integer", "string": "varchar", "struct": "row", "utinyint": "smallint",
    "usmallint": "integer", "uinteger": "bigint",
}  # fmt: skip
_HIVE: Final = {
    "varchar": "string",
    "integer": "int",
    "varbinary": "binary",
    "timestamp with time zone": "timestamp",
}
_CASED: Final = ("varchar", "json", "array", "map", "row")


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is the bare name of the type (``decimal``, ``timestamp with time zone``, ``array`` …)."""

    name: str
    type: str = "varchar"
    precision: int = 0
    scale: int = 0

    def info(self) -> dict[str, Any]:
        """As ``ColumnInfo`` of the API."""
        return {
            "CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": self.name, "Label": self.name,
            "Type": self.type, "Precision": self.precision, "Scale": self.scale, "Nullable": "UNKNOWN",
            "CaseSensitive": self.type in _CASED,
        }  # fmt: skip


def column(name: str, kind: str) -> Column:
    """A column by its type as the query service names it, e.g. ``decimal(12,2)``."""
    text = kind.strip().lower()
    bare = re.sub(r"\s*\(.*\)", "", text).strip() if not text.endswith("[]") else "array"
    if bare == "decimal":
        numbers = [int(n) for n in re.findall(r"\d+", text)]
        return Column(name, "decimal", *(numbers or [38, 0])[:2])
    bare = _OTHER_NAMES.get(bare, re.sub(r"_(?:s|ms|us|ns)$", "", bare))
    bare = bare if bare in _PRECISIONS else "varchar"
    return Column(name, bare, _PRECISIONS[bare])


def hive_type(kind: str) -> str:
    """The same type as table metadata names it (``string``, ``int``, ``timestamp`` …)."""
    made = column("", kind)
    if made.type == "decimal":
        return f"decimal({made.precision},{made.scale})"
    return _HIVE.get(made.type, made.type)


# --- cells -----------------------------------------------------------------


def text_rows(table: pa.Table) -> Iterator[tuple[str | None, ...]]:
    """Rows as Athena prints them; null is None."""
    for batch in table.to_batches(max_chunksize=10_000):
        columns = []
        for values in batch.columns:
            show = _shown(values.type)
            columns.append([None if v is None else show(v) for v in values.to_pylist()])
        yield from zip(*columns, strict=True)


def _shown(kind: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_float32(kind):
        return lambda v: _java_number(v, float32=True)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        item = _inside(kind.value_type)
        return lambda v: f"[{', '.join(item(x) for x in v)}]"
    if pa.types.is_struct(kind):
        members = [(field.name, _inside(field.type)) for field in kind]
        return lambda v: f"{{{', '.join(f'{n}={show(v[n])}' for n, show in members)}}}"
    if pa.types.is_map(kind):
        key, item = _inside(kind.key_type), _inside(kind.item_type)
        return lambda v: f"{{{', '.join(f'{key(k)}={item(x)}' for k, x in v)}}}"
    return cell_text


def _inside(kind: pa.DataType) -> Callable[[Any], str]:
    show = _shown(kind)
    return lambda v: "null" if v is None else show(v)


def cell_text(value: Any) -> str:
    """A value that is not null. Microseconds are all shown: none is lost."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _java_number(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
        return f"{cell_text(value.astimezone(UTC).replace(tzinfo=None))} UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M:%S.%f")
    if isinstance(value, (bytes, bytearray)):
        return value.hex(" ")
    return str(value)


def _java_number(value: float, *, float32: bool = False) -> str:
    """A double as Java prints it: 1.0, 1.0E7, NaN, Infinity."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if float32:
        import numpy

        value = float(str(numpy.float32(value)))
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return text if "e" not in text else format(Decimal(text), "f")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits))
    power = len(figures) - 1 + int(exponent)
    return f"{'-' if sign else ''}{figures[0]}.{figures[1:] or '0'}E{power}"


# --- files -----------------------------------------------------------------


def csv_lines(rows: Iterable[Sequence[str | None]]) -> Iterator[bytes]:
    """Every value in quotes, null as nothing, lines ended by LF: so null and empty text differ."""
    for row in rows:
        cells = ["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row]
        yield (",".join(cells) + "\n").encode()


def txt_lines(rows: Iterable[Sequence[str | None]]) -> Iterator[bytes]:
    """What SHOW and DESCRIBE give: a line a row, columns apart by tabs, no heading."""
    for row in rows:
        yield ("\t".join(cell or "" for cell in row) + "\n").encode()


def metadata_file(columns: Sequence[Column]) -> bytes:
    """The columns in the binary form (protocol buffers) that lies beside a result of Athena."""
    made = b""
    for one in columns:
        inner = _bytes(1, b"hive") + _bytes(4, one.name.encode()) + _bytes(5, one.name.encode())
        inner += _bytes(6, one.type.encode()) + _number(7, one.precision) + _number(8, one.scale)
        made += _bytes(4, inner + _number(9, 3) + _number(10, int(one.type in _CASED)))
    return made


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
