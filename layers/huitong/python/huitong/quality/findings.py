"""Findings and quarantine of a batch as tables (C-13): every violation, and bad rows as delivered.

Values in findings are masked by the contract; rows in quarantine are not: only
the platform's own bucket holds them, and SQL shows them through a projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.ports import ObjectStore
from huitong.quality.check import Block, Rows
from huitong.quality.compile import Plan
from huitong.quality.files import ParquetFiles
from huitong.quality.good import constant
from huitong.quality.keys import FINDINGS, QUARANTINE, QUARANTINED_KEYS, quarantined_keys_key, staging_key
from huitong.quality.masking import mask_of, mask_sql
from huitong.quality.semantics.base import as_mask
from huitong.quality.typed import arrow_type

#: Characters of an offending value that a finding shows.
SHOWN: Final = 200

FINDING_TYPES: Final = {
    "batch_id": pa.string(),
    "resource": pa.string(),
    "unit": pa.string(),
    "source_row": pa.int64(),
    "column": pa.string(),
    "rule": pa.string(),
    "criterion": pa.string(),
    "severity": pa.string(),
    "value": pa.string(),
    "zh": pa.string(),
    "en": pa.string(),
}
_SAID: Final = {
    "column": "column",
    "rule": "id",
    "criterion": "criterion",
    "severity": "severity",
    "zh": "zh",
    "en": "en",
}


def quarantine_types(contract: Contract) -> dict[str, Any]:
    """Columns of a quarantine file: system columns, every field as text, raw text of unreadable rows."""
    return {
        "_batch_id": pa.string(),
        "_unit": pa.string(),
        "_resource": pa.string(),
        "_source_row": pa.int64(),
        "_received_at": pa.timestamp("us", "UTC"),
        "_rules": pa.list_(pa.field("element", pa.string())),
        **{f.name: pa.string() for f in contract.fields},
        "_raw": pa.string(),
    }


def mask_array(connection: duckdb.DuckDBPyConnection, mask: str, texts: Any) -> Any:
    """Masked texts."""
    connection.register("staged", pa.table({"t": texts}))
    try:
        answer = connection.sql(f"SELECT {mask_sql(mask, 't')} AS t FROM staged")  # type: ignore[arg-type]
        return answer.to_arrow_table().column("t").combine_chunks().cast(pa.string())
    finally:
        connection.unregister("staged")


@dataclass
class Report:
    """Writes findings, quarantine and quarantined keys of one batch; counts nothing."""

    batch: Batch
    plan: Plan
    store: ObjectStore
    folder: Path
    connection: duckdb.DuckDBPyConnection
    held_keys: int = 0  # keys of rows in quarantine so far
    _said: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        contract = self.plan.contract
        self._received = datetime.fromisoformat(self.batch.received_at)
        for name, attribute in _SAID.items():
            words = [getattr(rule, attribute) for rule in self.plan.rules]
            distinct, codes = np.unique(np.array(words, dtype=object), return_inverse=True)
            self._said[name] = (pa.array(distinct.tolist(), pa.string()), codes.astype(np.int32))
        self._findings = self._files(FINDINGS, FINDING_TYPES)
        self._quarantine = self._files(QUARANTINE, quarantine_types(contract))
        self._keys = self._files(QUARANTINED_KEYS, {f.name: arrow_type(f) for f in contract.keys})

    def add(self, block: Block, hits: Mapping[int, Rows]) -> None:
        """All violations of a block, in the order of its rows."""
        if not hits:
            return
        numbers = np.repeat(np.fromiter(hits, dtype=np.int64), [len(r) for r in hits.values()])
        rows = np.concatenate(list(hits.values()))
        order = np.lexsort((numbers, rows))
        values = pa.concat_arrays([self._value(number, block, r) for number, r in hits.items()])
        chosen = pa.array(order)
        said = {
            name: pa.DictionaryArray.from_arrays(pa.array(codes[numbers[order]]), words)
            for name, (words, codes) in self._said.items()
        }
        self._findings.add(
            {
                **self._origin(len(rows)),
                "source_row": block.source_rows.take(pa.array(rows[order])),
                "value": values.take(chosen),
                **said,
            }
        )

    def add_findings(self, found: Mapping[str, Any]) -> None:
        """Findings made elsewhere (on the structure of the file, on the batch), masked like the others."""
        self._findings.add(found)

    def add_rejection(self, reason: Mapping[str, Any]) -> None:
        """The finding that the batch as a whole was rejected."""
        said = {"source_row": None, "column": "", "rule": "batch.rejected", "criterion": "constraint"}
        said |= {"severity": "error", "value": None, "zh": reason["zh"], "en": reason["en"]}
        batch = {"batch_id": self.batch.id, "resource": self.batch.resource, "unit": self.batch.unit}
        self._findings.add({n: pa.array([v], FINDING_TYPES[n]) for n, v in {**batch, **said}.items()})

    def quarantine(
        self, block: Block, bad: Rows, hits: Mapping[int, Rows], published: Mapping[str, Any]
    ) -> None:
        """Bad rows as they were delivered, with the ids of all rules that they break."""
        if not len(bad):
            return
        chosen = pa.array(bad)
        texts = {}
        for f in self.plan.contract.fields:
            column = block.as_delivered(f.name)
            texts[f.name] = pa.nulls(len(bad), pa.string()) if column is None else column.take(chosen)
        self._add_quarantined(
            block.source_rows.take(chosen), self._rules(bad, hits), texts, pa.nulls(len(bad), pa.string())
        )
        self.add_keys({f.name: published[f.name].take(chosen) for f in self.plan.contract.keys})

    def quarantine_raw(self, source_rows: Any, rules: Any, raw: Any) -> None:
        """Rows that no column could be read from."""
        nothing = pa.nulls(len(raw), pa.string())
        texts = {f.name: nothing for f in self.plan.contract.fields}
        self._add_quarantined(source_rows, rules, texts, raw)

    def close(self) -> tuple[str, str]:
        """Put the files. Returns the keys of findings and quarantine; empty where there are none."""
        findings = self._findings.close()
        quarantine = self._quarantine.close()
        if quarantine:
            self._keys.close(quarantined_keys_key(quarantine[0].key))
        return findings[0].key if findings else "", quarantine[0].key if quarantine else ""

    def abandon(self) -> None:
        for files in (self._findings, self._quarantine, self._keys):
            files.abandon()

    def _files(self, name: str, types: Mapping[str, Any]) -> ParquetFiles:
        key = staging_key(self.batch.resource, self.batch.id, name)
        return ParquetFiles(self.store, self.folder, lambda: key, types, file_rows=0)

    def _origin(self, rows: int) -> dict[str, Any]:
        return {
            "batch_id": constant(self.batch.id, rows),
            "resource": constant(self.batch.resource, rows),
            "unit": constant(self.batch.unit, rows),
        }

    def _value(self, number: int, block: Block, rows: Rows) -> Any:
        """What stood in the rule's column or columns, masked and cut."""
        chosen = pa.array(rows)
        shown = []
        for name in self.plan.rules[number].column.split(","):
            column = block.as_delivered(name)
            texts = (
                pa.nulls(len(rows), pa.string()) if column is None else column.take(chosen).cast(pa.string())
            )
            shown.append(self.masked(name, texts))
        if len(shown) == 1:
            return shown[0]
        return pc.binary_join_element_wise(*shown, "|", null_handling="replace", null_replacement="")

    def masked(self, column: str, texts: Any) -> Any:
        """Texts as findings may show them."""
        known = self.plan.contract.field_named(column)
        mask = mask_of(known) if known else ""
        texts = mask_array(self.connection, mask, texts) if mask else texts
        return pc.utf8_slice_codeunits(texts, 0, SHOWN)

    def _rules(self, bad: Rows, hits: Mapping[int, Rows]) -> Any:
        numbers = np.repeat(np.fromiter(hits, dtype=np.int64), [len(r) for r in hits.values()])
        rows = np.concatenate(list(hits.values()))
        kept = np.isin(rows, bad)
        numbers, rows = numbers[kept], rows[kept]
        order = np.lexsort((numbers, rows))
        counts = np.bincount(np.searchsorted(bad, rows), minlength=len(bad))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        words, codes = self._said["rule"]
        ids = words.take(pa.array(codes[numbers[order]]))
        return pa.ListArray.from_arrays(pa.array(offsets), ids)

    def _add_quarantined(self, source_rows: Any, rules: Any, texts: Mapping[str, Any], raw: Any) -> None:
        rows = len(source_rows)
        self._quarantine.add(
            {
                "_batch_id": constant(self.batch.id, rows),
                "_unit": constant(self.batch.unit, rows),
                "_resource": constant(self.batch.resource, rows),
                "_source_row": source_rows,
                "_received_at": pa.repeat(pa.scalar(self._received, pa.timestamp("us", "UTC")), rows),
                "_rules": rules,
                **texts,
                "_raw": raw,
            }
        )

    def add_keys(self, published: Mapping[str, Any]) -> None:
        """Keys of rows in quarantine, typed: what is served of them stays. Those with a null are left out."""
        keys = {f.name: published[f.name] for f in self.plan.contract.keys}
        if not keys:
            return
        whole = np.ones(len(next(iter(keys.values()))), dtype=np.bool_)
        for column in keys.values():
            whole &= as_mask(column.is_valid())
        kept = np.flatnonzero(whole)
        self._keys.add({name: column.take(pa.array(kept)) for name, column in keys.items()})
        self.held_keys += len(kept)
