"""Parquet files of ours as Iceberg's DataFile entries. Needs PyIceberg and pyarrow.

``Table.add_files`` refuses files that carry field ids and reads each file again
from storage; ours carry them on purpose and are at hand.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyiceberg.expressions.literals import StringLiteral
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.typedef import Record
from pyiceberg.types import BooleanType, IcebergType
from pyiceberg.utils.datetime import days_to_date, micros_to_timestamptz

from huitong.contracts.model import Field
from huitong.errors import Corrupt
from huitong.warehouse.files import DataFileRef

# It warns for each text column of each file: but for keys they are left without statistics on purpose.
logging.getLogger("pyiceberg.io.pyarrow").setLevel(logging.ERROR)


def data_file(metadata: TableMetadata, ref: DataFileRef, uri: str, path: Path | Any) -> DataFile:
    """The entry of one file; ``path`` is a local copy of it, or of its footer alone, or an open file.

    Raises Corrupt when the file is not what its reference says.
    """
    footer = pq.read_metadata(path)
    if footer.num_rows != ref.rows:
        raise Corrupt(
            f"文件 {ref.key} 有 {footer.num_rows} 行,登记为 {ref.rows} 行",
            f"File {ref.key} has {footer.num_rows} rows and is registered with {ref.rows}",
            key=ref.key,
        )
    schema = metadata.schema()
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=footer,
        stats_columns=compute_statistics_plan(schema, metadata.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=uri,
        file_format=FileFormat.PARQUET,
        partition=_partition(metadata, ref),
        file_size_in_bytes=ref.size,
        sort_order_id=None,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
    file.spec_id = metadata.default_spec_id
    return file


def reference(partitions: Sequence[Field], key: str, file: DataFile) -> DataFileRef:
    """The inverse: what the platform notes of an entry. Partition values as text, null as None."""
    values = [_as_text(field.type, file.partition[place]) for place, field in enumerate(partitions)]
    return DataFileRef(key, int(file.record_count), int(file.file_size_in_bytes), tuple(values))


def _partition(metadata: TableMetadata, ref: DataFileRef) -> Record:
    fields = metadata.spec().fields
    if len(fields) != len(ref.partition):
        raise Corrupt(
            f"文件 {ref.key} 的分区值数目不符",
            f"File {ref.key} has {len(ref.partition)} partition values, the table has {len(fields)}",
            key=ref.key,
        )
    kinds = [metadata.schema().find_type(f.source_id) for f in fields]
    return Record(*(_value(kind, text) for kind, text in zip(kinds, ref.partition, strict=True)))


def _value(kind: IcebergType, text: str | None) -> Any:
    if text is None:
        return None
    if isinstance(kind, BooleanType):
        return text == "true"
    return StringLiteral(text).to(kind).value


def _as_text(kind: str, value: Any) -> str | None:
    if value is None:
        return None
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "date" and isinstance(value, int):
        return days_to_date(value).isoformat()
    if kind == "timestamp" and isinstance(value, int):
        return micros_to_timestamptz(value).isoformat()
    return str(value)
