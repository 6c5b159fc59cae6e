"""What the footers of local Parquet files say. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow.parquet as pq

from huitong.warehouse.sql import Files

#: Columns of these names would hide DuckDB's own of a scan.
_HIDING = frozenset({"file_index", "file_row_number", "filename"})


def files_of(paths: Iterable[Path], columns: Iterable[str], ids: Mapping[str, int]) -> Files:
    """The files, with whether each of them has all of the columns (nested ones count as a whole only)."""
    found, wanted = tuple(paths), set(columns)
    alike = not wanted & _HIDING and all(wanted <= set(pq.read_schema(p).names) for p in found)
    return Files(found, ids, alike)
