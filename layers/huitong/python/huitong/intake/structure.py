"""Findings on the structure of a file, made while it is read (Q-20).

They are kept in the staging bucket at ``{resource}/{batch_id}/structure.parquet``
for :mod:`huitong.quality` to merge with its own. Columns: those of findings
(batch_id, resource, unit, source_row, column, rule, criterion, severity, value,
zh, en), and ``raw``.

- ``source_row`` null: on the file as a whole. Never an error of a row.
- ``severity`` "warning" with a ``source_row``: that row is staged.
- ``severity`` "error" with a ``source_row``: that row could not be staged. It is
  in no staging file, but in ``counts.received``, and belongs in quarantine.
  Exactly one finding of such a row (its first) carries ``raw``: the row as it
  stands in the file, or as a JSON object where the format is not text. So the
  number of non-null ``raw`` is the number of rows that are not staged.
- ``key`` beside ``raw``: the texts of the row's key, as a JSON list, where they could
  be read: what is served of that key is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FILE: Final = "structure.parquet"

#: A row that has content, but none in a field of the contract.
UNKNOWN_FIELDS: Final = "row.unknown-fields"
#: Rows around the table, no rows of it.
HEADER: Final = "row.header"
TOTAL: Final = "row.total"
NOTE: Final = "row.note"
NO_RECORDS: Final = (HEADER, TOTAL, NOTE)


@dataclass(frozen=True, slots=True)
class Structural:
    """One finding on structure. ``column`` is the contract's field where known, else the file's header.

    ``cells``, beside ``raw``, are those that could be read, by column.
    """

    rule: str
    zh: str
    en: str
    source_row: int | None = None
    column: str = ""
    value: str | None = None
    raw: str | None = None
    severity: Literal["error", "warning"] = "warning"
    criterion: Literal["structure", "format"] = "structure"
    cells: tuple[tuple[str, str | None], ...] = ()


def structure_key(resource: str, batch_id: str) -> str:
    return f"{resource}/{batch_id}/{FILE}"
