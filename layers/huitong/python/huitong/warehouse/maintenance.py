"""Housekeeping of the tables: old history, and files of batches that will never be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from huitong.batches.model import Batch, Status
from huitong.batches.register import Batches
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


class Housekeeping:
    """The daily round over all resources."""

    def __init__(
        self,
        maintenance: Maintenance,
        contracts: Callable[[], Iterable[Contract]],
        batches: Batches,
        clock: Clock,
        *,
        history_days: int,
    ) -> None:
        self._maintenance = maintenance
        self._contracts = contracts
        self._batches = batches
        self._clock = clock
        self._days = history_days

    def run(self) -> dict[str, int]:
        """How many snapshots and files went. A resource that is being published is left to tomorrow."""
        snapshots = files = busy = 0
        for contract in self._contracts():
            try:
                snapshots += self._maintenance.expire(contract, days=self._days)
            except Conflict:
                busy += 1
            files += sum(self._maintenance.remove_files(contract, batch) for batch in self._ended(contract))
        return {"snapshots": snapshots, "files": files, "busy": busy}

    def _ended(self, contract: Contract) -> list[Batch]:
        """Batches that ended unpublished: a day old, so that nobody still reads them, and not yet a week."""
        now = self._clock.now()
        low, high = timestamp(now - timedelta(days=8)), timestamp(now - timedelta(days=1))
        found = self._batches.of_resource(contract.id, low=low, high=high)
        return [batch for batch in found if batch.status in NEVER_PUBLISHED]
