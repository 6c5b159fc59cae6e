"""Where change rows come from, as this package sees it.

The rows are what *one* asker may see: granted fields, masks applied, changes
turned into what they are for its row filter (a row that leaves the filter is a
deletion). All paths to a receiver (push, pull, snapshot) go through this seam.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, Protocol

from huitong.contracts.model import Contract
from huitong.delivery.model import Position
from huitong.sharing.access import Access
from huitong.warehouse.columns import BEFORE

if TYPE_CHECKING:
    import pyarrow as pa

#: System columns of a change row; the granted fields and ``_before`` follow, then BLIND if there is one.
CHANGE_SYSTEM: Final = (
    "_seq",
    "_ordinal",
    "_op",
    "_changed_columns",
    "_changed_at",
    "_batch_id",
    "_unit",
    "_source_row",
    "_case_no",
)
#: System columns of a snapshot row; ``_ordinal`` counts the rows that the asker sees, from 1.
SNAPSHOT_SYSTEM: Final = (
    "_seq",
    "_ordinal",
    "_received_at",
    "_batch_id",
    "_unit",
    "_source_row",
    "_case_no",
)
#: Optional column: stands for the key towards an asker that may not see it.
BLIND: Final = "_blind"
#: Optional column: whether the row's record is under verification (L-32).
MARKED: Final = "_marked"

__all__ = ["BEFORE", "BLIND", "CHANGE_SYSTEM", "MARKED", "SNAPSHOT_SYSTEM", "ChangeSource"]


class ChangeSource(Protocol):
    """Close the generators (``contextlib.closing``): they hold files and memory."""

    def changes(
        self, contract: Contract, access: Access, after: Position, upto: int, *, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Changes after a position and of publications up to ``upto``, in order. 0 = no limit."""
        ...

    def snapshot(
        self, contract: Contract, access: Access, seq: int, *, after: int = 0, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Rows of the table as of a publication, in a fixed order, after row number ``after``."""
        ...
