"""Housekeeping of the tables: old history, and files of batches that will never be published."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from huitong.batches.model import Batch, Status
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import Clock, ObjectStore, timestamp
from huitong.warehouse.files import changes_table, data_prefix
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.publication import Publications

#: Batches that ended without a publication.
NEVER_PUBLISHED: Final[frozenset[Status]] = frozenset({"rejected", "superseded"})


class Maintenance:
    """Every method may be repeated, and stopped anywhere."""

    def __init__(
        self, warehouse: ObjectStore, lakehouse: Lakehouse, publications: Publications, clock: Clock
    ) -> None:
        self._warehouse = warehouse
        self._lakehouse = lakehouse
        self._publications = publications
        self._clock = clock

    def expire(self, contract: Contract, *, days: int) -> int:
        """Drop table history older than ``days``; how many snapshots went.

        What is served stays, and so does every publication that was served within
        these days: the last one before them and all since. Older ones can then no
        longer be read as of their time; their changes stay in the change log.
        """
        moment = self._clock.now() - timedelta(days=days)
        history = self._publications.list(contract.id)
        older = [p for p in history if p.published_at <= timestamp(moment)]
        kept = [*older[-1:], *history[len(older) :]]
        gone = self._lakehouse.expire(
            contract, "current", keep={p.current_snapshot for p in kept}, before=moment
        )
        return gone + self._lakehouse.expire(
            contract, "changes", keep={p.changes_snapshot for p in kept}, before=moment
        )

    def remove_files(self, contract: Contract, batch: Batch) -> int:
        """Delete the warehouse files of a batch that will never be published; how many.

        The landed object, findings and quarantine stay. Raises Conflict for any other batch.
        """
        if batch.status not in NEVER_PUBLISHED:
            raise Conflict(
                f"批次 {batch.id} 处于 {batch.status},其文件不可删除",
                f"Batch {batch.id} is {batch.status}: its files must stay",
                batch=batch.id,
                status=batch.status,
            )
        removed = 0
        for table in (contract.table, changes_table(contract.table)):
            for found in list(self._warehouse.list(f"{data_prefix(table, batch.id)}/")):
                self._warehouse.delete(found.key)
                removed += 1
        return removed
