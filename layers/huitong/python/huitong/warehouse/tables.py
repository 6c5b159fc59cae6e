"""What the lakehouse does to one Iceberg table. Needs PyIceberg.

Raises PyIceberg's errors; :mod:`huitong.warehouse.lakehouse` translates them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestEntryStatus, ManifestFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Operation, Snapshot, ancestors_of
from pyiceberg.table.update.snapshot import _OverwriteFiles

from huitong.contracts.model import Contract
from huitong.errors import Fault
from huitong.warehouse.columns import BEFORE
from huitong.warehouse.lakehouse import Which
from huitong.warehouse.schema import field_ids, iceberg_schema, iceberg_type, partition_spec, properties
from huitong.warehouse.sql import by_field_id, current_ids

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

#: Keys in a snapshot's summary.
BATCH: Final = "huitong.batch-id"
SEQ: Final = "huitong.seq"
BASE: Final = "huitong.base-snapshot"

#: When files are taken out, or with more manifests than this, those of fewer files than that become one.
MANY_MANIFESTS: Final = 20
SMALL_MANIFEST: Final = 1000


def create(catalog: Catalog, namespace: str, name: str, contract: Contract, which: Which, uri: str) -> Table:
    """The table, made when it is not there yet. A repeat or a race ends with the same table."""
    try:
        return catalog.load_table((namespace, name))
    except NoSuchTableError:
        pass
    if not catalog.namespace_exists(namespace):  # on AWS the template makes it; functions may not
        with suppress(NamespaceAlreadyExistsError):
            catalog.create_namespace(namespace)
    schema = iceberg_schema(contract, which)
    spec = partition_spec(contract, which, schema)
    try:
        return catalog.create_table(
            (namespace, name),
            schema,
            location=uri,
            partition_spec=spec,
            properties=properties(contract, which),
        )
    except TableAlreadyExistsError:
        return catalog.load_table((namespace, name))


def grow(table: Table, contract: Contract, which: Which) -> None:
    """Add the columns that the contract has and the table lacks, in the order of their field ids."""
    known = field_ids(table.schema())
    missing = [f for f in by_field_id(contract) if f.name not in known]
    inside = [f for f in by_field_id(contract) if which == "changes" and f"{BEFORE}.{f.name}" not in known]
    if not missing and not inside:
        return
    with table.transaction() as transaction:
        with transaction.update_schema() as update:
            for field in missing:
                update.add_column(field.name, iceberg_type(field))
            for field in inside:
                update.add_column((BEFORE, field.name), iceberg_type(field))
        transaction.set_properties(properties(contract, which))


def verify(table: Table, contract: Contract) -> None:
    """The current table has exactly the contract's column ids and partitions. Raises Fault."""
    known = field_ids(table.schema())
    wrong = {n: known.get(n) for n, number in current_ids(contract).items() if known.get(n) != number}
    if wrong:
        raise Fault(
            f"表 {contract.table} 的列编号与契约不符:{wrong}",
            f"Column ids of table {contract.table} are not the contract's: {wrong}",
            resource=contract.id,
        )
    partitions = [f.name for f in table.spec().fields]
    if partitions != [f.name for f in contract.partitions]:
        raise Fault(
            f"表 {contract.table} 的分区 {partitions} 与契约不符",
            f"Partitions {partitions} of table {contract.table} are not the contract's",
            resource=contract.id,
        )


def live_files(table: Table, snapshot_id: int) -> dict[str, DataFile]:
    """Data files of a snapshot by address. Raises Fault when the snapshot is gone."""
    snapshot = table.metadata.snapshot_by_id(snapshot_id)
    if snapshot is None:
        raise _no_snapshot(table, snapshot_id)
    entries = (e for m in snapshot.manifests(table.io) for e in m.fetch_manifest_entry(table.io))
    return {e.data_file.file_path: e.data_file for e in entries}


def commits(metadata: TableMetadata) -> Iterable[tuple[str, Snapshot]]:
    """(batch id, snapshot) of the table's present line, newest first."""
    for snapshot in ancestors_of(metadata.current_snapshot(), metadata):
        yield str(_summary(snapshot).get(BATCH, "")), snapshot


def committed(metadata: TableMetadata, batch_id: str, base: int) -> int | None:
    """The head, if it is this batch's commit on top of ``base``."""
    snapshot = metadata.current_snapshot()
    if snapshot is None:
        return None
    summary = _summary(snapshot)
    ours = summary.get(BATCH) == batch_id and summary.get(BASE) == str(base)
    return snapshot.snapshot_id if ours else None


def head(metadata: TableMetadata) -> int:
    """The id of the table's present snapshot, 0 = none."""
    snapshot = metadata.current_snapshot()
    return snapshot.snapshot_id if snapshot else 0


def set_back(table: Table, base: int) -> None:
    """Make ``base`` the table's head again when something unpublished lies above it.

    That is what a batch leaves that committed, was not published, and was then
    overtaken. Its snapshot stays until it expires; its rows are served nowhere.
    """
    if head(table.metadata) == base:
        return
    if base == 0:
        table.manage_snapshots().remove_branch(MAIN_BRANCH).commit()
    elif table.metadata.snapshot_by_id(base) is None:
        raise _no_snapshot(table, base)
    else:
        table.manage_snapshots().set_current_snapshot(snapshot_id=base).commit()


def replace_files(
    table: Table, add: Iterable[DataFile], remove: Iterable[DataFile], summary: Mapping[str, str]
) -> int:
    """One snapshot that takes files out and puts files in; its id.

    Raises ValidationException when a file to take out is not there.
    """
    removed = list(remove)
    transaction = _Transaction(table)
    producer = _Replace(
        operation=Operation.OVERWRITE if removed else Operation.APPEND,
        transaction=transaction,
        io=table.io,
        snapshot_properties=dict(summary),
    )
    for file in removed:
        producer.delete_data_file(file)
    for file in add:
        producer.append_data_file(file)
    producer.commit()
    transaction.commit_transaction()
    return producer.snapshot_id


class _Transaction(Transaction):
    """PyIceberg copies the whole metadata, all snapshots of it, whenever somebody looks at it."""

    @property
    def table_metadata(self) -> TableMetadata:
        return self._table.metadata if not self._updates else super().table_metadata


class _Replace(_OverwriteFiles):
    """PyIceberg's overwrite, reading each manifest once and keeping them few.

    PyIceberg 0.12 reads all of them twice, and carries on those that list deleted
    files only and those of a few files for ever: each small batch would make every
    later commit slower.
    """

    def _existing_manifests(self) -> list[ManifestFile]:
        return self._planned[0]

    def _deleted_entries(self) -> list[ManifestEntry]:
        return self._planned[1]

    @cached_property
    def _planned(self) -> tuple[list[ManifestFile], list[ManifestEntry]]:
        metadata = self._transaction.table_metadata
        snapshot = metadata.snapshot_by_name(MAIN_BRANCH)
        manifests = snapshot.manifests(self._io) if snapshot else []
        live = [m for m in manifests if m.has_added_files() or m.has_existing_files()]
        if not self._deleted_data_files and len(live) <= MANY_MANIFESTS:
            return live, []
        kept: list[ManifestFile] = []
        staying: list[ManifestEntry] = []
        gone: list[ManifestEntry] = []
        for manifest in live:
            entries = manifest.fetch_manifest_entry(self._io)
            out = [e for e in entries if e.data_file in self._deleted_data_files]
            if not out and len(entries) >= SMALL_MANIFEST:
                kept.append(manifest)
                continue
            gone += [_entry(e, ManifestEntryStatus.DELETED, self._snapshot_id) for e in out]
            staying += [
                _entry(e, ManifestEntryStatus.EXISTING, e.snapshot_id)
                for e in entries
                if e.data_file not in self._deleted_data_files
            ]
        self._validate_required_deletes(gone)
        if staying:
            with self.new_manifest_writer(self.spec(metadata.default_spec_id)) as writer:
                for entry in staying:
                    writer.add_entry(entry)
            kept.append(writer.to_manifest_file())
        return kept, gone


def _entry(entry: ManifestEntry, status: ManifestEntryStatus, snapshot_id: int | None) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=status,
        snapshot_id=snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=entry.data_file,
    )


def _summary(snapshot: Snapshot) -> Mapping[str, Any]:
    return snapshot.summary.additional_properties if snapshot.summary else {}


def _no_snapshot(table: Table, snapshot_id: int) -> Fault:
    name = table.name()[-1]
    return Fault(
        f"表 {name} 没有快照 {snapshot_id}", f"Table {name} has no snapshot {snapshot_id}", table=name
    )
