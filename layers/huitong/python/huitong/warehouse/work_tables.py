"""Short-lived Iceberg tables over files that already lie in the warehouse, for engines that read tables only.

Nothing is copied: a work table is an entry in the catalogue and a snapshot that names files. They belong to
their batch, so a work table is dropped, never purged. Its name is derived from what it holds: a repeated
step finds it, and what another step left behind is dropped by the next one of the same resource.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from huitong.contracts.model import Contract
from huitong.errors import Conflict, Fault, Unavailable
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.sql import current_ids

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

PREFIX: Final = "work_"
#: Columns of a table of keys beside the keys: what is said of the key, and where in the source.
KEY_COLUMNS: Final = (("_said", "string"), ("_source_row", "integer"))


@dataclass(frozen=True, slots=True)
class WorkTable:
    name: str
    snapshot: int


class WorkTables:
    """``catalog`` is called once, when first needed; ``files`` is the warehouse bucket."""

    def __init__(self, catalog: Callable[[], Catalog], namespace: str, files: ObjectStore) -> None:
        self._open_catalog = catalog
        self._catalog: Catalog | None = None
        self._namespace = namespace
        self._store = files

    def of_rows(self, contract: Contract, refs: Sequence[DataFileRef]) -> WorkTable:
        """A table of these files of good rows. Raises Fault when their columns' ids would not be its own."""
        from huitong.warehouse.schema import field_ids, iceberg_schema

        schema = iceberg_schema(contract, "current")
        numbered = field_ids(schema)
        if any(numbered.get(name) != id for name, id in current_ids(contract).items()):
            zh, en = (
                "列编号不连续,不能建临时表",
                "Column ids have gaps: there can be no work table of this contract",
            )
            raise Fault(zh, en, resource=contract.id)
        return self._made(contract, "d", schema, refs)

    def of_keys(self, contract: Contract, refs: Sequence[DataFileRef]) -> WorkTable:
        """A table of files with key columns and :data:`KEY_COLUMNS`, numbered from 1 in this order."""
        return self._made(contract, "k", keys_schema(contract), refs)

    def drop_others(self, contract: Contract, keep: Sequence[WorkTable]) -> int:
        """Drop the work tables of a resource but these; how many went."""
        from pyiceberg.exceptions import NoSuchTableError

        catalog, prefix, gone = self._get_catalog(), f"{PREFIX}{contract.table}_", 0
        kept = {table.name for table in keep}
        for *_, name in catalog.list_tables(self._namespace):
            if name.startswith(prefix) and name not in kept and len(name) == len(prefix) + 22:
                with suppress(NoSuchTableError):
                    catalog.drop_table((self._namespace, name))
                for found in list(self._store.list(f"{PREFIX}tables/{name}/")):
                    self._store.delete(found.key)
                gone += 1
        return gone

    def _made(self, contract: Contract, kind: str, schema: Schema, refs: Sequence[DataFileRef]) -> WorkTable:
        from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError

        from huitong.warehouse import tables

        told = "\n".join(sorted(r.key for r in refs))
        name = f"{PREFIX}{contract.table}_{kind}_{hashlib.sha256(told.encode()).hexdigest()[:20]}"
        catalog = self._get_catalog()
        try:
            table = catalog.load_table((self._namespace, name))
        except NoSuchTableError:
            properties = {"format-version": "2", "commit.retry.num-retries": "0"}
            location = self._store.uri(f"{PREFIX}tables/{name}")
            try:
                table = catalog.create_table(
                    (self._namespace, name), schema, location=location, properties=properties
                )
            except TableAlreadyExistsError:
                table = catalog.load_table((self._namespace, name))
        if tables.head(table.metadata):
            return WorkTable(name, tables.head(table.metadata))
        with _translated(name):
            return WorkTable(name, self._filled(table, refs))

    def _filled(self, table: Table, refs: Sequence[DataFileRef]) -> int:
        from huitong.warehouse import tables
        from huitong.warehouse.data_files import data_file

        plain = [replace(ref, partition=()) for ref in refs]
        added = []
        for ref in plain:
            uri = self._store.uri(ref.key)
            added.append(data_file(table.metadata, ref, uri, table.io.new_input(uri).open()))
        return tables.replace_files(table, added, (), {})

    def _get_catalog(self) -> Catalog:
        if self._catalog is None:
            self._catalog = self._open_catalog()
        return self._catalog


@contextmanager
def _translated(name: str) -> Iterator[None]:
    from pyiceberg.exceptions import CommitFailedException

    try:
        yield
    except CommitFailedException as error:
        zh, en = f"临时表 {name} 同时被他人写入", f"Work table {name} was filled by somebody else"
        raise Conflict(zh, en, table=name) from error
    except OSError as error:
        zh, en = f"表 {name} 的存储暂不可用", f"The storage of table {name} is not available"
        raise Unavailable(zh, en, table=name) from error


def keys_schema(contract: Contract) -> Schema:
    """Key columns of a contract, then :data:`KEY_COLUMNS`."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import LongType, NestedField, StringType

    from huitong.warehouse.schema import iceberg_type

    kinds = [(f.name, iceberg_type(f)) for f in contract.keys]
    kinds += [(name, StringType() if kind == "string" else LongType()) for name, kind in KEY_COLUMNS]
    return Schema(
        *(
            NestedField(field_id=n, name=name, field_type=kind, required=False)
            for n, (name, kind) in enumerate(kinds, start=1)
        )
    )
