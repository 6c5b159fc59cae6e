"""The numbers of the rows that quarantine holds of a delivery, as they stand in its file. Heavy."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.batches.held import Holding
from huitong.batches.model import Batch
from huitong.ports import ObjectStore

Rows = npt.NDArray[np.int64]
NONE: Final = np.empty(0, dtype=np.int64)
#: Rows that count as duplicates: another row of their key is taken.
_REPEATED: Final = ("key.duplicate", "key.deduplicated")


def open_rows(staging: ObjectStore, first: Batch, holding: Holding) -> Rows:
    """Rows of the first delivery that nobody has taken and that have not expired, ascending."""
    if holding.expired_at:
        return NONE
    held = held_rows(staging, first, whole=holding.whole)
    taken = [taken_rows(staging, take.key) for take in holding.takes]
    return np.setdiff1d(held, np.concatenate(taken)) if taken else held


def held_rows(staging: ObjectStore, first: Batch, *, whole: bool) -> Rows:
    """All rows that were quarantined: the bad ones; of a rejected delivery every row that is not repeated."""
    bad = _column(staging, first.quarantine, "_source_row") if first.quarantine else NONE
    if not whole:
        return np.unique(bad)
    staged = [_column(staging, key, "_source_row") for key in first.staging]
    return np.setdiff1d(np.concatenate([bad, *staged]), _repeated(staging, first))


def taken_rows(staging: ObjectStore, key: str) -> Rows:
    return _column(staging, key, "row")


def keep_rows(staging: ObjectStore, key: str, rows: Rows) -> None:
    """Put the numbers of the rows that a delivery takes where its ``Take`` names them."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"row": pa.array(rows, pa.int64())}), sink, compression="zstd")
    staging.put(key, sink.getvalue().to_pybytes(), content_type="application/vnd.apache.parquet")


def _repeated(staging: ObjectStore, first: Batch) -> Rows:
    if not first.findings:
        return NONE
    with staging.local(first.findings) as path:
        found = pq.read_table(path, columns=["source_row", "rule"])
    rows: Rows = (
        found.filter(pc.is_in(found.column("rule"), pa.array(_REPEATED))).column("source_row").to_numpy()
    )
    return rows


def _column(staging: ObjectStore, key: str, name: str) -> Rows:
    with staging.local(key) as path:
        column: Any = pq.read_table(path, columns=[name]).column(name)
    rows: Rows = column.to_numpy().astype(np.int64)
    return rows
