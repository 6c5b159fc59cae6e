"""Iceberg schemas of a resource's two tables. Needs PyIceberg."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Final

from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, index_by_name
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from huitong.contracts.model import Contract, Field
from huitong.warehouse.columns import BEFORE, CHANGES, CURRENT
from huitong.warehouse.lakehouse import Which
from huitong.warehouse.sql import by_field_id

_TYPES: Final[Mapping[str, IcebergType]] = {
    "string": StringType(),
    "integer": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamp": TimestamptzType(),
}


def iceberg_type(field: Field) -> IcebergType:
    if field.type == "decimal":
        return DecimalType(field.precision or 38, field.scale)
    return _TYPES[field.type]


def iceberg_schema(contract: Contract, which: Which) -> Schema:
    """The schema to create a table with; PyIceberg numbers the columns anew, in this order.

    Raises Fault when the contract was never registered.
    """
    fields = by_field_id(contract)
    numbers = count(1)

    def column(name: str, kind: IcebergType) -> NestedField:
        return NestedField(field_id=next(numbers), name=name, field_type=kind, required=False)

    def system(name: str, kind: str) -> NestedField:
        if kind == "list<string>":
            return column(name, ListType(next(numbers), StringType(), element_required=False))
        return column(name, _TYPES[kind])

    named = CURRENT if which == "current" else (*CHANGES, *CURRENT)
    columns = [system(name, kind) for name, kind in named]
    columns += [column(f.name, iceberg_type(f)) for f in fields]
    if which == "changes":
        columns.append(column(BEFORE, StructType(*(column(f.name, iceberg_type(f)) for f in fields))))
    return Schema(*columns)


def partition_spec(contract: Contract, which: Which, schema: Schema) -> PartitionSpec:
    """The current table is partitioned as the contract says; the change log is not."""
    if which == "changes":
        return PartitionSpec()
    return PartitionSpec(
        *(
            PartitionField(
                source_id=schema.find_field(f.name).field_id,
                field_id=PARTITION_FIELD_ID_START + place,
                transform=IdentityTransform(),
                name=f.name,
            )
            for place, f in enumerate(contract.partitions)
        )
    )


def field_ids(schema: Schema) -> dict[str, int]:
    """All column ids of a table by dotted path, e.g. ``_before.name`` or ``_changed_columns.element``."""
    return dict(index_by_name(schema))


def properties(contract: Contract, which: Which) -> dict[str, str]:
    """Table properties. Commits are not retried by PyIceberg: what was compared with must still be there.

    Values of masked items stay out of the bounds in the manifests (S-30).
    """
    found = {
        "format-version": "2",
        "commit.retry.num-retries": "0",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "20",
        "write.parquet.compression-codec": "zstd",
    }
    for field in contract.fields:
        if field.masked:
            found[f"write.metadata.metrics.column.{field.name}"] = "counts"
            if which == "changes":
                found[f"write.metadata.metrics.column.{BEFORE}.{field.name}"] = "counts"
    return found
