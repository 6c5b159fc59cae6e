"""What intake already found in the file, merged with the findings of the rules (Q-20).

See :mod:`huitong.intake.structure` for the table: warnings are kept as they are;
each finding that carries ``raw`` is a row that could not be staged and goes to
quarantine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.contracts.model import Field
from huitong.intake.structure import NO_RECORDS, structure_key
from huitong.ports import ObjectStore
from huitong.quality.check import Block, Rows
from huitong.quality.findings import FINDING_TYPES, Report
from huitong.quality.semantics.base import as_mask


@dataclass(frozen=True, slots=True)
class Structure:
    """Structural findings of a batch; ``table`` None = none."""

    table: Any = None

    @property
    def rows(self) -> int:
        """Rows that could not be staged."""
        return 0 if self.table is None else len(self.table) - int(self.table.column("raw").null_count)

    def errors_by(self, column: str) -> Counter[str]:
        """Number of errors by criterion or by rule."""
        if self.table is None:
            return Counter()
        errors = self.table.filter(pc.equal(self.table.column("severity"), "error"))
        return Counter(errors.column(column).to_pylist())


def read_structure(store: ObjectStore, resource: str, batch_id: str) -> Structure:
    """The structural findings of a batch."""
    key = structure_key(resource, batch_id)
    if store.head(key) is None:
        return Structure()
    with store.local(key) as path:
        return Structure(pq.read_table(path).combine_chunks())


def keys_of(structure: Structure, keys: Sequence[Field]) -> tuple[Block, Rows] | None:
    """The keys of rows that could not be staged, as far as they could be read, as a block of texts.

    Beside it the rows of that block that are records, as far as one can tell.
    """
    if structure.table is None or "key" not in structure.table.column_names:
        return None
    read = structure.table.filter(structure.table.column("key").is_valid())
    found = [json.loads(k) for k in read.column("key").to_pylist()]
    if not found:
        return None
    texts = {f.name: pa.array([k[i] for k in found], pa.string()) for i, f in enumerate(keys)}
    records = np.flatnonzero(as_mask(_is_record(read).combine_chunks()))
    return Block(texts, pa.array(range(len(found)), pa.int64()), None), records


def keyless_rows(structure: Structure) -> int:
    """Rows that could not be staged, are records as far as one can tell, and whose key could not be read."""
    table = structure.table
    if table is None:
        return 0
    lost = table.filter(table.column("raw").is_valid())
    records = _is_record(lost)
    if "key" in table.column_names:
        records = pc.and_(records, lost.column("key").is_null())
    return int(pc.sum(records).as_py() or 0)


def report_structure(structure: Structure, report: Report) -> None:
    """Add structural findings to the report, and unreadable rows to the quarantine."""
    table = structure.table
    if table is None:
        return
    columns = {name: table.column(name).combine_chunks().cast(kind) for name, kind in FINDING_TYPES.items()}
    report.add_findings({**columns, "value": _masked(columns["column"], columns["value"], report)})
    lost = table.filter(table.column("raw").is_valid())
    if not len(lost):
        return
    lost = lost.sort_by("source_row")
    source_rows = lost.column("source_row").combine_chunks().cast(pa.int64())
    rules = _rules_of(table, source_rows)
    report.quarantine_raw(source_rows, rules, lost.column("raw").combine_chunks().cast(pa.string()))


def _is_record(rows: Any) -> Any:
    return pc.invert(pc.is_in(rows.column("rule"), value_set=pa.array(NO_RECORDS)))


def _masked(columns: Any, values: Any, report: Report) -> Any:
    shown = values
    for name in pc.unique(columns).to_pylist():
        of_name = pc.equal(columns, name)
        shown = pc.if_else(pc.fill_null(of_name, False), report.masked(name or "", values), shown)
    return shown


def _rules_of(table: Any, source_rows: Any) -> Any:
    """For each lost row the ids of its errors."""
    errors = table.filter(pc.equal(table.column("severity"), "error")).sort_by("source_row")
    places = pc.index_in(errors.column("source_row"), value_set=source_rows)
    of_rows = as_mask(places.is_valid().combine_chunks())
    lengths = np.bincount(places.to_numpy()[of_rows].astype(np.int64), minlength=len(source_rows))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    rules = errors.column("rule").combine_chunks().filter(pa.array(of_rows)).cast(pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets), rules)
