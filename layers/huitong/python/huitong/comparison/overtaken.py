"""Findings on rows that were brought again too late: something newer of their key is served (C-13)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from huitong.batches.model import Batch
from huitong.ports import ObjectStore
from huitong.quality.findings import FINDING_TYPES
from huitong.quality.keys import staging_key

RULE: Final = "mend.superseded"
_ZH: Final = "原批次之后已有更新的数据发布,补正的行未生效。无需处理;如以本行为准,请作为新数据报送。"
_EN: Final = (
    "Newer data of this key were published after the first delivery, so this row has no effect. "
    "Nothing needs doing; if this row is right, deliver it as new data."
)
_FILE: Final = "findings-compared.parquet"


def all_rows(paths: Sequence[Path]) -> list[int]:
    """Source rows of all files of a delivery."""
    found = (pq.read_table(path, columns=["_source_row"]).column(0).to_pylist() for path in paths)
    return sorted(row for rows in found for row in rows)


def with_overtaken(staging: ObjectStore, batch: Batch, rows: Sequence[int]) -> str:
    """Put the batch's findings with one more for each row; their key. A repetition writes the same object."""
    same: dict[str, str | None] = {
        "batch_id": batch.id,
        "resource": batch.resource,
        "unit": batch.unit,
        "column": "",
        "value": None,
    }
    same |= {"rule": RULE, "criterion": "conflicting", "severity": "warning", "zh": _ZH, "en": _EN}
    columns = {name: pa.repeat(pa.scalar(text, pa.string()), len(rows)) for name, text in same.items()}
    columns["source_row"] = pa.array(rows, pa.int64())
    schema = pa.schema(list(FINDING_TYPES.items()))
    found = pa.table([columns[name] for name in schema.names], schema=schema)
    if batch.findings:
        with staging.local(batch.findings) as path:
            before = pq.read_table(path)
        found = pa.concat_tables([before.select(schema.names).cast(schema), found]).sort_by("source_row")
    key = staging_key(batch.resource, batch.id, _FILE)
    sink = pa.BufferOutputStream()
    pq.write_table(found, sink, compression="zstd", store_schema=False)
    staging.put(key, sink.getvalue().to_pybytes(), content_type="application/vnd.apache.parquet")
    return key
