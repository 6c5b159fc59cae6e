"""What rules read beside the delivery: published tables, and how large deliveries usually are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from huitong.contracts.model import Contract
from huitong.warehouse.lakehouse import Which

if TYPE_CHECKING:
    from huitong.batches.model import Batch
    from huitong.batches.register import Batches
    from huitong.warehouse.lakehouse import Lakehouse
    from huitong.warehouse.publication import Publications


@dataclass(frozen=True, slots=True)
class Table:
    """A published table: a DuckDB SELECT over local files, typed as its contract says."""

    sql: str
    paths: Sequence[Path]
    rows: int


class Tables(Protocol):
    def open(self, contract: Contract, which: Which) -> AbstractContextManager[Table | None]:
        """The table as served now, while the context lasts; None before the first publication."""
        ...

    def usual(self, batch: Batch, editions: int) -> list[int]:
        """Rows received of the newest published batches before this one, of the same mode."""
        ...


class PublishedTables:
    """Of the warehouse, as the register says that they are served."""

    def __init__(self, lakehouse: Lakehouse, publications: Publications, batches: Batches) -> None:
        self._lakehouse = lakehouse
        self._publications = publications
        self._batches = batches

    @contextmanager
    def open(self, contract: Contract, which: Which) -> Iterator[Table | None]:
        from huitong.warehouse.reading import relation_of

        found = self._publications.get(contract.id)
        if found is None:
            yield None
            return
        snapshot = found.current_snapshot if which == "current" else found.changes_snapshot
        refs = self._lakehouse.files(contract, which, snapshot)
        with relation_of(self._lakehouse, contract, which, refs) as (sql, paths):
            yield Table(sql, paths, found.rows)

    def usual(self, batch: Batch, editions: int) -> list[int]:
        before = self._batches.of_resource(batch.resource, high=batch.order, limit=5 * editions + 1)
        of_kind = (b for b in before if b.id != batch.id and b.status == "published" and b.mode == batch.mode)
        return [b.counts.received for b in of_kind][:editions]
