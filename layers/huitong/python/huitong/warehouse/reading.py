"""Reading a table as of a snapshot: its files on this machine, and the SQL over them.

DuckDB gets local files only; it needs no network access of its own, and what it
may open can be limited to the paths given here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huitong.contracts.model import Contract
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.lakehouse import Lakehouse, Which
from huitong.warehouse.sql import Files, changes_columns, current_columns, select_of


@contextmanager
def relation(
    warehouse: ObjectStore,  # noqa: ARG001 (the lakehouse holds the same bucket, with its warm files)
    lakehouse: Lakehouse,
    contract: Contract,
    table: Which,
    snapshot_id: int,
) -> Iterator[tuple[str, list[Path]]]:
    """A DuckDB SELECT over a table's snapshot, and the files that it reads, while the context lasts.

    All columns of this version of the contract, explicitly, in table order; rows
    older than a column have null there. Snapshot 0 is the empty table. Raises
    Fault when the snapshot has expired, Unavailable when storage failed.
    """
    with relation_of(lakehouse, contract, table, lakehouse.files(contract, table, snapshot_id)) as opened:
        yield opened


@contextmanager
def relation_of(
    lakehouse: Lakehouse, contract: Contract, table: Which, refs: Sequence[DataFileRef]
) -> Iterator[tuple[str, list[Path]]]:
    """As :func:`relation`, of some of a snapshot's files only."""
    columns = current_columns(contract) if table == "current" else changes_columns(contract)
    if not refs:
        yield select_of(Files((), {}), columns), []
        return
    from huitong.warehouse.footers import files_of

    with lakehouse.local.open(refs) as paths:
        yield select_of(files_of(paths, columns, lakehouse.field_ids(contract, table)), columns), paths
