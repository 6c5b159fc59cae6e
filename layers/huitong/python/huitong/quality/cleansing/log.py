"""What cleansing changed, row by row and step by step: ``cleansed.parquet`` beside the findings (C-12)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from huitong.quality.check import Block
from huitong.quality.files import ParquetFiles
from huitong.quality.findings import Report
from huitong.quality.good import constant
from huitong.quality.keys import CLEANSED, staging_key

CLEANSED_TYPES: Final = {
    "batch_id": pa.string(),
    "source_row": pa.int64(),
    "column": pa.string(),
    "step": pa.string(),
    "before": pa.string(),
    "after": pa.string(),
}


@dataclass
class CleansingLog:
    """Writes the changes of one batch, masked by the contract as findings are. ``counts`` by step."""

    report: Report
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        batch = self.report.batch
        key = staging_key(batch.resource, batch.id, CLEANSED)
        self._file = ParquetFiles(
            self.report.store, self.report.folder, lambda: key, CLEANSED_TYPES, file_rows=0, addressed=False
        )

    def add(self, block: Block) -> None:
        for change in block.changes:
            rows = len(change.rows)
            self.counts[change.step] += rows
            self._file.add(
                {
                    "batch_id": constant(self.report.batch.id, rows),
                    "source_row": block.source_rows.take(pa.array(change.rows)),
                    "column": constant(change.column, rows),
                    "step": constant(change.step, rows),
                    "before": self.report.masked(change.column, change.before),
                    "after": self.report.masked(change.column, change.after),
                }
            )

    def close(self) -> str:
        """Put the file. Returns its key; empty where nothing was changed."""
        files = self._file.close()
        return files[0].key if files else ""

    def abandon(self) -> None:
        self._file.abandon()
