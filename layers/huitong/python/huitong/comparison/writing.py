"""The files that a comparison writes: change log and rewritten pieces of the current table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.contracts.model import Contract
from huitong.warehouse.columns import CURRENT

#: Rows of a row group: what is in memory at once.
ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a change log file has in common."""

    seq: int
    resource: str
    unit: str
    batch_id: str
    received_at: datetime
    changed_at: datetime


def write_changes(
    rows: Any, schema: pa.Schema, contract: Contract, stamp: Stamp, path: Path, first: int = 0
) -> int:
    """Write the Arrow stream of :meth:`Difference.change_rows` as a change log file; the number of rows.

    Ordinals begin after ``first``.
    """
    fields = [f.name for f in sorted(contract.fields, key=lambda f: f.field_id)]
    written = 0
    with _writer(path, schema, contract) as writer:
        for batch in rows:
            count = batch.num_rows
            values = {name: batch.column(name) for name in batch.schema.names}
            values |= {
                "_seq": _same(stamp.seq, count, pa.int64()),
                "_ordinal": pa.array(range(first + written + 1, first + written + count + 1), pa.int64()),
                "_changed_columns": _changed_columns(values["#mask"], fields),
                "_changed_at": _same(stamp.changed_at, count, pa.timestamp("us", tz="UTC")),
                "_resource": _same(stamp.resource, count, pa.string()),
                "_unit": _same(stamp.unit, count, pa.string()),
                "_batch_id": _same(stamp.batch_id, count, pa.string()),
                "_received_at": _same(stamp.received_at, count, pa.timestamp("us", tz="UTC")),
            }
            writer.write_batch(_batch(values, schema))
            written += count
    return written


def write_rows(rows: Any, schema: pa.Schema, contract: Contract, path: Path) -> int:
    """Write an Arrow stream of current rows; the number of rows."""
    written = 0
    with _writer(path, schema, contract) as writer:
        for batch in rows:
            writer.write_batch(_batch({n: batch.column(n) for n in batch.schema.names}, schema))
            written += batch.num_rows
    return written


def _writer(path: Path, schema: pa.Schema, contract: Contract) -> pq.ParquetWriter:
    repeated = {name for name, _ in CURRENT} - {"_source_row"}
    repeated |= {"_seq", "_op", "_changed_at", "_changed_columns.list.element"}
    repeated |= {f.name for f in contract.fields if f.codes or f.partition or f.type == "boolean"}
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=sorted(repeated),
        store_schema=False,
    )


def _batch(values: Mapping[str, pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    columns = [values[f.name] for f in schema]
    cast = [c if c.type == f.type else c.cast(f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(cast, schema=schema)


def _same(value: Any, count: int, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), count)


def _changed_columns(masks: pa.Array, fields: Sequence[str]) -> pa.Array:
    """Bit masks (text of a number) as lists of column names. Few distinct ones occur: each is spelt once."""
    coded = pc.dictionary_encode(masks)
    spelt = [
        [f for i, f in enumerate(fields) if int(mask, 0) >> i & 1] for mask in coded.dictionary.to_pylist()
    ]
    return pa.array(spelt, pa.list_(pa.string())).take(coded.indices)
