"""Change rows from the warehouse: published snapshots, one asker's projection, in order.

Reads only the change log's files that came with the publications asked for. The
filter's text was checked when it was set; the connection is closed to files and
network all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pyarrow as pa

from huitong.audit.subjects import PERSONS, RECORD, blind_sql, persons_sql, record_text_sql
from huitong.contracts.model import Contract
from huitong.delivery.changes import BEFORE, BLIND, CHANGE_SYSTEM, MARKED, SNAPSHOT_SYSTEM
from huitong.delivery.model import Position
from huitong.errors import Fault, InvalidQuery, Unavailable
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted
from huitong.sharing.projection import projection_sql
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.lakehouse import Lakehouse, Which
from huitong.warehouse.publication import Publications
from huitong.warehouse.reading import relation_of

_BATCH_ROWS: Final = 20_000
_OF_TABLE: Final = tuple(name for name in SNAPSHOT_SYSTEM if name not in ("_seq", "_ordinal"))


class WarehouseChanges:
    """:class:`huitong.delivery.changes.ChangeSource` over the published Iceberg tables.

    ``blind_key``: a secret of the platform. With it, rows whose key the asker may
    not see carry a keyed digest of the key, the same in every event of the row,
    so that the asker can follow the row without knowing whose it is.
    ``subjects_key``: that of the blind indexes by which the rows of a case are found.
    ``marks`` gives the records of a resource that are under verification, as blind indexes.
    """

    def __init__(
        self,
        lakehouse: Lakehouse,
        publications: Publications,
        *,
        blind_key: str = "",
        subjects_key: str = "",
        marks: Callable[[str], frozenset[str]] | None = None,
        memory_mb: int = 1_024,
        threads: int = 2,
    ) -> None:
        self._lakehouse = lakehouse
        self._publications = publications
        self._blind_key = blind_key
        self._subjects_key = subjects_key
        self._marks = marks
        self._memory_mb = memory_mb
        self._threads = threads

    def changes(
        self, contract: Contract, access: Access, after: Position, upto: int, *, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Raises NotFound for an unknown publication, Unavailable, InvalidQuery for a filter gone stale."""
        refs = self._files_between(contract, after.seq, upto)
        wanted = (
            f"({quoted('_seq')} > {after.seq} OR ({quoted('_seq')} = {after.seq} "
            f"AND {quoted('_ordinal')} > {after.ordinal})) AND {quoted('_seq')} <= {upto}"
        )
        with self._opened(contract, "changes", refs) as (connection, table):
            relation = self._disclosing(contract, f"SELECT * FROM ({table}) AS c WHERE {wanted}", before=True)
            shown = projection_sql(
                contract,
                access,
                relation,
                system_columns=(*CHANGE_SYSTEM, *self._disclosed),
                before=True,
                subjects_key=self._subjects_key,
            )
            shown = self._with_blind(contract, access, shown, relation, ("_seq", "_ordinal"))
            sql = f"{shown} ORDER BY {quoted('_seq')}, {quoted('_ordinal')}"
            yield from _stream(connection, sql, limit)

    def snapshot(
        self, contract: Contract, access: Access, seq: int, *, after: int = 0, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Rows in the order of batch and source row, fixed for a snapshot. Raises like :meth:`changes`."""
        publication = self._publications.at(contract.id, seq=seq)
        refs = self._lakehouse.files(contract, "current", publication.current_snapshot)
        with self._opened(contract, "current", refs) as (connection, table):
            relation = self._disclosing(contract, table)
            shown = projection_sql(
                contract,
                access,
                relation,
                system_columns=(*_OF_TABLE, *self._disclosed),
                subjects_key=self._subjects_key,
            )
            shown = self._with_blind(contract, access, shown, relation, ("_batch_id", "_source_row"))
            order = ", ".join(
                quoted(n) for n in ("_batch_id", "_source_row", *_visible_keys(contract, access))
            )
            ordinal = after
            for batch in _stream(connection, f"{shown} ORDER BY {order}", limit, skip=after):
                yield _numbered(batch, seq, ordinal)
                ordinal += batch.num_rows

    def _files_between(self, contract: Contract, first: int, upto: int) -> list[DataFileRef]:
        """Files of the change log that publications ``first`` to ``upto`` added."""
        newest = self._publications.at(contract.id, seq=upto)
        refs = self._lakehouse.files(contract, "changes", newest.changes_snapshot)
        if first <= 1:
            return refs
        earlier = self._publications.at(contract.id, seq=first - 1)
        try:
            known = self._lakehouse.files(contract, "changes", earlier.changes_snapshot)
        except Unavailable:
            raise
        except Fault:  # that snapshot has expired: the rows themselves tell
            return refs
        before = {ref.key for ref in known}
        return [ref for ref in refs if ref.key not in before]

    @contextmanager
    def _opened(
        self, contract: Contract, which: Which, refs: Sequence[DataFileRef]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
        """A connection that sees these files and nothing else, and a SELECT over them."""
        with ExitStack() as stack:
            table, paths = stack.enter_context(relation_of(self._lakehouse, contract, which, refs))
            spill = stack.enter_context(TemporaryDirectory(prefix="huitong-changes-"))
            stack.enter_context(_our_errors(contract.id))
            connection = stack.enter_context(duckdb.connect(":memory:", config=self._config(spill)))
            connection.execute("SET TimeZone = 'UTC'")
            _lock(connection, paths)
            yield connection, table

    def _config(self, spill: str) -> dict[str, str | bool | int | float | list[str]]:
        return {
            "memory_limit": f"{self._memory_mb}MiB",
            "threads": self._threads,
            "temp_directory": spill,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "integer_division": True,  # filters mean the same here as in queries
        }

    @property
    def _disclosed(self) -> tuple[str, ...]:
        return (RECORD, PERSONS) if self._subjects_key else ()

    def _disclosing(self, contract: Contract, relation: str, *, before: bool = False) -> str:
        """The relation with whose rows they are, as blind indexes, whatever is shown of them (S-16).

        A change tells of the persons that the row named before, too.
        """
        if not self._subjects_key:
            return relation
        record = blind_sql(self._subjects_key, "record", record_text_sql(contract))
        columns = [quoted(f.name) for f in contract.subject_fields]
        columns += [f"{quoted(BEFORE)}.{column}" for column in columns] if before else []
        persons = persons_sql(self._subjects_key, columns)
        return (
            f"SELECT *, {record} AS {quoted(RECORD)}, {persons} AS {quoted(PERSONS)} FROM ({relation}) AS d"
        )

    def _with_blind(
        self, contract: Contract, access: Access, shown: str, relation: str, by: tuple[str, str]
    ) -> str:
        """The projection as it is, or with the columns that stand for a key not shown and for a mark."""
        shown = self._with_marks(contract, shown)
        if not self._blind_key or len(_visible_keys(contract, access)) == len(contract.keys):
            return f"SELECT * FROM ({shown}) AS p"
        secret = hashlib.sha256(f"{self._blind_key}\x1f{contract.id}".encode()).hexdigest()
        key = " || chr(31) || ".join(f"CAST({quoted(f.name)} AS VARCHAR)" for f in contract.keys)
        digest = f"'~' || LEFT(SHA256({literal(secret)} || chr(31) || {key}), 32)"
        names = ", ".join(quoted(name) for name in by)
        keys = f"SELECT {names}, {digest} AS {quoted(BLIND)} FROM ({relation}) AS k"
        return f"SELECT p.*, b.{quoted(BLIND)} FROM ({shown}) AS p JOIN ({keys}) AS b USING ({names})"

    def _with_marks(self, contract: Contract, shown: str) -> str:
        """With a column that says which records are under verification, when any is (L-32)."""
        marks = self._marks(contract.id) if self._marks and self._subjects_key else frozenset()
        if not marks:
            return shown
        known = ", ".join(literal(mark) for mark in sorted(marks))
        marked = f"COALESCE({quoted(RECORD)} IN ({known}), FALSE)"
        return f"SELECT *, {marked} AS {quoted(MARKED)} FROM ({shown}) AS m"


def _visible_keys(contract: Contract, access: Access) -> list[str]:
    return [f.name for f in contract.keys if f.name in access.fields and not access.masks.get(f.name)]


def _stream(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int, *, skip: int = 0
) -> Iterator[pa.RecordBatch]:
    window = (f" LIMIT {limit}" if limit else "") + (f" OFFSET {skip}" if skip else "")
    yield from connection.sql(sql + window).to_arrow_reader(_BATCH_ROWS)


def _numbered(batch: pa.RecordBatch, seq: int, before: int) -> pa.RecordBatch:
    ordinals = pa.array(range(before + 1, before + 1 + batch.num_rows), pa.int64())
    seqs = pa.repeat(pa.scalar(seq, pa.int64()), batch.num_rows)
    names = ["_seq", "_ordinal", *batch.schema.names]
    return pa.RecordBatch.from_arrays([seqs, ordinals, *batch.columns], names=names)


def _lock(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    allowed = ", ".join(literal(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def _our_errors(resource: str) -> Iterator[None]:
    """DuckDB's errors as ours; their texts can hold values, so they stay here."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException) as error:
        raise Unavailable(
            f"资源 {resource} 的变更暂时无法读取",
            f"Changes of {resource} cannot be read now",
            resource=resource,
            why=type(error).__name__,
        ) from None
    except duckdb.Error as error:
        raise _unfit(resource, type(error).__name__) from None
    except OSError as error:  # as which Arrow's reader hands DuckDB's errors on, between two batches
        kind = str(error).partition(":")[0]
        if error.errno or any(word in kind.lower() for word in ("memory", "io error", "interrupt")):
            raise Unavailable(
                f"资源 {resource} 的变更暂时无法读取",
                f"Changes of {resource} cannot be read now",
                resource=resource,
                why=type(error).__name__,
            ) from None
        raise _unfit(resource, "OSError") from None


def _unfit(resource: str, why: str) -> InvalidQuery:
    return InvalidQuery(
        f"资源 {resource} 的订阅条件不再适用",
        f"The row filter no longer fits resource {resource}",
        resource=resource,
        why=why,
    )
