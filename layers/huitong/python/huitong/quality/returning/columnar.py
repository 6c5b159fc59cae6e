"""Parquet given back: the sender's columns as they are typed, and three more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huitong.intake.readers.header import Names
from huitong.intake.returned import EN_COLUMN, ROW_COLUMN, ZH_COLUMN
from huitong.quality.returning.problems import Problems


@dataclass(frozen=True, slots=True)
class Columnar:
    names: Names
    numbered: bool

    def write(self, source: Path, target: Path, problems: Problems, *, whole: bool) -> int:
        """The number of rows written; row group by row group."""
        rows, first = 0, 1
        bad = np.array(sorted(n for n, w in problems.rows.items() if w.error), dtype=np.int64)
        with pq.ParquetFile(source) as file:
            schema = self._schema(file.schema_arrow)
            with pq.ParquetWriter(target, schema, compression="zstd") as writer:
                for batch in file.iter_batches(use_threads=False):
                    numbers = np.arange(first, first + batch.num_rows)
                    first += batch.num_rows
                    chosen = np.arange(batch.num_rows) if whole else np.flatnonzero(np.isin(numbers, bad))
                    if len(chosen):
                        writer.write_batch(
                            self._told(batch.take(pa.array(chosen)), numbers[chosen], problems, schema)
                        )
                        rows += len(chosen)
        return rows

    def _schema(self, schema: pa.Schema) -> pa.Schema:
        kept = [f for f in schema if not self.names.returned(f.name) or self.names.original_row(f.name)]
        numbered = any(self.names.original_row(f.name) for f in kept)
        if self.numbered and not numbered:
            kept.append(pa.field(ROW_COLUMN, pa.int64()))
        return pa.schema([*kept, pa.field(ZH_COLUMN, pa.string()), pa.field(EN_COLUMN, pa.string())])

    def _told(self, batch: Any, numbers: Any, problems: Problems, schema: pa.Schema) -> Any:
        wrong = [problems.rows.get(int(n)) for n in numbers]
        told = {
            ROW_COLUMN: pa.array(numbers, pa.int64()),
            ZH_COLUMN: pa.array([w.zh if w else None for w in wrong], pa.string()),
            EN_COLUMN: pa.array([w.en if w else None for w in wrong], pa.string()),
        }
        own = {n: batch.column(n) for n in batch.schema.names if n not in (ZH_COLUMN, EN_COLUMN)}
        columns = {**told, **own}
        return pa.RecordBatch.from_arrays([columns[f.name] for f in schema], schema=schema)
