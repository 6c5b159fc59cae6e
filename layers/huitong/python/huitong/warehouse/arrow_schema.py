"""Arrow schemas of the files of the warehouse. Needs pyarrow, not PyIceberg.

Columns stand in the order of their field ids, so that files of all versions
of a contract begin alike. ``PARQUET:field_id`` on every column is what makes
the files readable to Iceberg engines without a name mapping.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from huitong.contracts.model import Contract, Field
from huitong.warehouse.columns import BEFORE, CHANGES, CURRENT
from huitong.warehouse.sql import by_field_id

_ID = b"PARQUET:field_id"
_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_type(field: Field) -> pa.DataType:
    """The type of a contract field in the current table."""
    if field.type == "decimal":
        return pa.decimal128(field.precision or 38, field.scale)
    return _TYPES[field.type]


def arrow_schema(contract: Contract) -> pa.Schema:
    """Schema of the current table's files: the six system columns, then the fields, with field ids.

    Raises Fault when the contract's fields have no ids.
    """
    system = [
        pa.field(name, _TYPES[kind], metadata={_ID: str(position).encode()})
        for position, (name, kind) in enumerate(CURRENT, start=1)
    ]
    own = [
        pa.field(f.name, arrow_type(f), metadata={_ID: str(f.field_id).encode()})
        for f in by_field_id(contract)
    ]
    return pa.schema(system + own)


def changes_arrow_schema(contract: Contract, ids: Mapping[str, int]) -> pa.Schema:
    """Schema of the change log's files. ``ids`` are the table's own, by dotted path.

    The ids of the change log depend on when each column was added, so they come
    from the table (:func:`huitong.warehouse.schema.field_ids`), not from the contract.
    """

    def named(name: str, kind: pa.DataType, path: str) -> pa.Field:
        return pa.field(name, kind, metadata={_ID: str(ids[path]).encode()})

    def of(name: str, kind: str) -> pa.Field:
        if kind == "list<string>":
            return named(name, pa.list_(named("element", pa.string(), f"{name}.element")), name)
        return named(name, _TYPES[kind], name)

    fields = by_field_id(contract)
    before = pa.struct([named(f.name, arrow_type(f), f"{BEFORE}.{f.name}") for f in fields])
    return pa.schema(
        [of(name, kind) for name, kind in (*CHANGES, *CURRENT)]
        + [named(f.name, arrow_type(f), f.name) for f in fields]
        + [named(BEFORE, before, BEFORE)]
    )
