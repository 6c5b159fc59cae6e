"""The Iceberg tables of the resources: creation, growth, and commits that happen exactly once.

Each resource has two tables, its current rows and its change log. The register's
publication pointer is the truth about them (:mod:`huitong.warehouse.publication`);
a commit states which snapshot it starts from, and whatever lies on top of that one
without having been published is set aside first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from huitong.contracts.model import Contract
from huitong.errors import Conflict, Unavailable, UnknownCommitState
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef, changes_table
from huitong.warehouse.local_files import LocalFiles
from huitong.warehouse.sql import current_ids

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

Which = Literal["current", "changes"]
_BOTH: tuple[Which, Which] = ("current", "changes")
_LISTS_KEPT = 64


class Lakehouse:
    """``catalog`` is called once, when a table is first needed; ``files`` is the warehouse bucket.

    Methods raise Unavailable when the catalogue or the storage failed and a retry may help.
    """

    def __init__(self, catalog: Callable[[], Catalog], namespace: str, files: ObjectStore) -> None:
        self._open_catalog = catalog
        self._catalog: Catalog | None = None
        self._namespace = namespace
        self._store = files
        self._ensured: dict[str, Contract] = {}
        self._ids: dict[tuple[str, ...], Mapping[str, int]] = {}
        self._tables: dict[str, Table] = {}
        self._lists: dict[tuple[str, int], Mapping[str, DataFile]] = {}  # by address
        self.local = LocalFiles(files)

    def ensure(self, contract: Contract) -> None:
        """Both tables exist and have every column of the contract. Repeats change nothing.

        Raises Fault when the current table's column ids or partitions are not the
        contract's, Conflict when somebody else changed a table meanwhile.
        """
        if self._ensured.get(contract.table) == contract:
            return
        from huitong.warehouse import tables

        for which in _BOTH:
            name = _name(contract, which)
            with self._translated(name):
                catalog = self._get_catalog()
                uri = self._store.uri(name)
                table = tables.create(catalog, self._namespace, name, contract, which, uri)
                tables.grow(table, contract, which)
                self._tables[name] = table
                if which == "current":
                    tables.verify(table, contract)
        self._ensured[contract.table] = contract

    def field_ids(self, contract: Contract, which: Which) -> Mapping[str, int]:
        """Column ids of a table by dotted path; without those that the table does not have yet."""
        if which == "current":
            return current_ids(contract)
        name = _name(contract, which)
        columns = (name, *(f.name for f in contract.fields))
        known = self._ids.get(columns)
        if known is None:
            from huitong.warehouse.schema import field_ids

            with self._translated(name):
                known = field_ids(self._load(name).schema())
            if known.keys() >= set(columns[1:]):  # else somebody may add them at any moment
                self._ids[columns] = known
        return known

    def files(self, contract: Contract, which: Which, snapshot_id: int) -> list[DataFileRef]:
        """Data files of a snapshot, by key; 0 stands for an empty table. Raises Fault when it is gone."""
        if snapshot_id == 0:
            return []
        from huitong.warehouse.data_files import reference

        name = _name(contract, which)
        with self._translated(name):
            live = self._live(name, snapshot_id)
        partitions = contract.partitions if which == "current" else ()
        found = [reference(partitions, self._store.key_of(uri), file) for uri, file in live.items()]
        return sorted(found, key=lambda r: r.key)

    def find_commit(self, contract: Contract, which: Which, batch_id: str) -> int | None:
        """The snapshot that a batch committed on the table's present line, if any."""
        from huitong.warehouse import tables

        name = _name(contract, which)
        with self._translated(name):
            line = tables.commits(self._load(name).metadata)
            return next((s.snapshot_id for batch, s in line if batch == batch_id), None)

    def committed(self, contract: Contract, which: Which, batch_id: str, *, base: int) -> int | None:
        """The snapshot that a batch already committed on top of ``base`` and that is the table's head."""
        from huitong.warehouse import tables

        name = _name(contract, which)
        with self._translated(name):
            return tables.committed(self._load(name).metadata, batch_id, base)

    def commit(
        self,
        contract: Contract,
        which: Which,
        *,
        add: Sequence[DataFileRef],
        remove: Sequence[DataFileRef],
        local: Mapping[str, Path],
        batch_id: str,
        seq: int,
        base: int,
        served: Callable[[], int] | None = None,
    ) -> int:
        """Exactly one snapshot of this batch on top of ``base`` (0 = empty table); its id.

        ``local`` has local copies of added files, by key; the footers of others are read from storage.
        A repeat finds the commit and returns it. What lies above ``base`` and is another batch's was
        never published: it is set aside, unless ``served``, which is asked then, names
        another snapshot by now. Raises Conflict when somebody else commits
        at the same time, UnknownCommitState when the answer was lost and the table
        does not show the commit (yet): then try again.
        """
        from huitong.warehouse import tables

        name = _name(contract, which)

        def attempt(table: Table) -> int:
            with self._translated(name):
                return self._attempt(name, table, add, remove, local, batch_id, seq, base, served)

        try:
            known = self._tables.get(name)
            if known is not None and tables.head(known.metadata) == base:
                with suppress(Conflict):  # another process was here, perhaps for this very batch: look again
                    return attempt(known)
            return attempt(self._load(name))
        except UnknownCommitState:
            done = self.committed(contract, which, batch_id, base=base)
            if done is None:
                raise
            return done

    def expire(self, contract: Contract, which: Which, *, keep: Collection[int], before: datetime) -> int:
        """Drop snapshots made before a moment from the table's history, but none of ``keep``; how many.

        Only metadata goes: data files of dropped snapshots stay in storage.
        """
        name = _name(contract, which)
        with self._translated(name):
            table = self._load(name)
            limit = before.timestamp() * 1000
            wanted = {*keep, table.metadata.current_snapshot_id}
            old = [s.snapshot_id for s in table.snapshots() if s.timestamp_ms < limit]
            gone = [id for id in old if id not in wanted]
            if gone:
                table.maintenance.expire_snapshots().by_ids(gone).commit()
        return len(gone)

    def _attempt(
        self,
        name: str,
        table: Table,
        add: Sequence[DataFileRef],
        remove: Sequence[DataFileRef],
        local: Mapping[str, Path],
        batch_id: str,
        seq: int,
        base: int,
        served: Callable[[], int] | None,
    ) -> int:
        from huitong.warehouse import tables
        from huitong.warehouse.data_files import data_file

        done = tables.committed(table.metadata, batch_id, base)
        if done is not None:
            return done
        del self._tables[name]  # until it is known to be as the catalogue has it
        if served is not None and tables.head(table.metadata) != base and served() != base:
            raise _changed_meanwhile(name)
        tables.set_back(table, base)
        added = [
            data_file(table.metadata, r, uri, local.get(r.key) or table.io.new_input(uri).open())
            for r in add
            for uri in (self._store.uri(r.key),)
        ]
        live = dict(self._live(name, base)) if base else {}
        removed = [live.pop(self._store.uri(r.key)) for r in remove]
        summary = {tables.BATCH: batch_id, tables.SEQ: str(seq), tables.BASE: str(base)}
        done = tables.replace_files(table, added, removed, summary)
        self._tables[name] = table
        self._remember(name, done, live | {f.file_path: f for f in added})
        return done

    def _get_catalog(self) -> Catalog:
        if self._catalog is None:
            self._catalog = self._open_catalog()
        return self._catalog

    def _load(self, name: str) -> Table:
        """The table as the catalogue has it now."""
        with self._translated(name):
            table = self._tables[name] = self._get_catalog().load_table((self._namespace, name))
            return table

    def _live(self, name: str, snapshot_id: int) -> Mapping[str, DataFile]:
        """Data files of a snapshot by address. Snapshots never change, so they are remembered."""
        found = self._lists.get((name, snapshot_id))
        if found is None:
            from huitong.warehouse import tables

            table = self._tables.get(name)
            if table is None or table.metadata.snapshot_by_id(snapshot_id) is None:
                table = self._load(name)
            found = tables.live_files(table, snapshot_id)
            self._remember(name, snapshot_id, found)
        return found

    def _remember(self, name: str, snapshot_id: int, files: Mapping[str, DataFile]) -> None:
        while len(self._lists) >= _LISTS_KEPT:
            del self._lists[next(iter(self._lists))]
        self._lists[name, snapshot_id] = files

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        from pyiceberg.exceptions import (
            CommitFailedException,
            CommitStateUnknownException,
            ValidationException,
        )

        try:
            yield
        except (CommitFailedException, ValidationException) as error:
            raise _changed_meanwhile(name) from error
        except CommitStateUnknownException as error:
            raise UnknownCommitState(
                f"表 {name} 的提交结果未知", f"The outcome of a commit to {name} is unknown", table=name
            ) from error
        except OSError as error:
            raise Unavailable(
                f"表 {name} 的存储暂不可用", f"The storage of table {name} is not available", table=name
            ) from error


def _changed_meanwhile(name: str) -> Conflict:
    return Conflict(
        f"表 {name} 同时被他人更改",
        f"Table {name} was changed by somebody else at the same time",
        table=name,
    )


def _name(contract: Contract, which: Which) -> str:
    return contract.table if which == "current" else changes_table(contract.table)
