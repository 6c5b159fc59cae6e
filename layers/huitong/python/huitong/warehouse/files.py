"""References to immutable Parquet files of the warehouse."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class DataFileRef:
    """A data file: where it is, how many rows, which partition values (text, in partition order)."""

    key: str  # in the warehouse bucket
    rows: int
    size: int
    partition: tuple[str | None, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        raw = json.loads(text)
        return cls(**{**raw, "partition": tuple(raw["partition"])})


def data_prefix(table: str, batch_id: str) -> str:
    """Where files of a batch are written; part of the key so that a retry overwrites, never doubles."""
    return f"{table}/data/{batch_id}"


def changes_table(table: str) -> str:
    """Name of the change log's table."""
    return f"{table}__changes"
