"""Whose data an act discloses: found on the data themselves, before masks, a column at a time.

Light to import; what reads rows brings Arrow and DuckDB. The rows given here
must hold the contract's key fields and subject fields *as they are*: what the
asker sees of them may be masked or missing, who received it is still on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from huitong.audit.subjects import (
    INLINE,
    Pair,
    Subjects,
    blind,
    blind_sql,
    inline,
    pairs_of,
    persons_sql,
    record_text,
    record_text_sql,
)
from huitong.contracts.model import Contract
from huitong.ports import Clock, ObjectStore, timestamp
from huitong.sharing.names import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FOLDER: Final = "subjects/"
_ROWS: Final = 100_000


class Disclosures:
    """``key`` fetches the platform's key of blind indexes when it is first needed."""

    def __init__(self, key: Callable[[], str], evidence: ObjectStore, clock: Clock) -> None:
        self._get_key = key
        self._evidence = evidence
        self._clock = clock

    @cached_property
    def key(self) -> str:
        return self._get_key()

    def subject(self, number: str) -> str:
        """The blind index of a person's identity number."""
        return blind(self.key, "subject", number)

    def record(self, contract: Contract, row: Mapping[str, Any]) -> str:
        """The blind index of a row by its typed key values."""
        return blind(self.key, "record", record_text(contract, row))

    def pairs_sql(self, contract: Contract, relation_sql: str) -> str:
        """``SELECT DISTINCT subject, record`` of a relation. The text holds what is derived from the key."""
        record = blind_sql(self.key, "record", record_text_sql(contract))
        return (
            f"SELECT DISTINCT coalesce(unnest({self.subjects_sql(contract)}), '') AS subject, "
            f"{record} AS record FROM ({relation_sql}) AS disclosed"
        )

    def subjects_sql(self, contract: Contract, alias: str = "") -> str:
        """A list of VARCHAR: the persons of a row, at least one element (null = nobody)."""
        prefix = f"{alias}." if alias else ""
        found = persons_sql(self.key, [prefix + quoted(f.name) for f in contract.subject_fields])
        return f"CASE WHEN len({found}) = 0 THEN [NULL]::VARCHAR[] ELSE {found} END"

    def record_sql(self, contract: Contract, alias: str = "") -> str:
        return blind_sql(self.key, "record", record_text_sql(contract, alias))

    def of_sql(
        self, connection: duckdb.DuckDBPyConnection, relation_sql: str, contract: Contract
    ) -> Subjects:
        """Of the rows of a relation on an open connection; it may be closed to files and network.

        Raises faults of the evidence bucket: then nothing may be given out.
        """
        reader = connection.sql(self.pairs_sql(contract, relation_sql)).to_arrow_reader(_ROWS)
        return self._kept(iter(reader))

    def of_file(self, path: Path) -> Subjects:
        """Of a Parquet file with the answer of :meth:`pairs_sql`, made elsewhere."""
        import pyarrow.parquet as pq

        return self._kept(pq.ParquetFile(path).iter_batches(_ROWS))

    def of_batches(self, contract: Contract, batches: Iterable[pa.RecordBatch]) -> Subjects:
        """Of Arrow batches with the key and subject columns."""
        import duckdb
        import pyarrow as pa

        made = iter(batches)
        first = next(made, None)
        if first is None:
            return Subjects()
        given = pa.RecordBatchReader.from_batches(first.schema, _chained(first, made))
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("given", given)
            return self.of_sql(connection, "SELECT * FROM given", contract)

    def of_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]]) -> Subjects:
        """Of single rows, typed as the table has them."""
        return self.of_pairs(pair for row in rows for pair in self._pairs(contract, row))

    def of_pairs(self, pairs: Iterable[Pair]) -> Subjects:
        """Of pairs of blind indexes."""
        found = sorted(set(pairs))
        if len(found) <= INLINE:
            return inline(found)
        import pyarrow as pa

        columns = [pa.array(column, pa.string()) for column in zip(*found, strict=True)]
        return self._kept(iter([pa.RecordBatch.from_arrays(columns, names=["subject", "record"])]))

    def _pairs(self, contract: Contract, row: Mapping[str, Any]) -> Iterator[Pair]:
        record = self.record(contract, row)
        numbers = [row.get(f.name) for f in contract.subject_fields]
        yield from pairs_of(record, [self.subject(str(n)) for n in numbers if n is not None])

    def _kept(self, batches: Iterator[pa.RecordBatch]) -> Subjects:
        """Few in place; many as one object of the evidence bucket, before the record that names it."""
        held: list[Pair] = []
        for batch in batches:
            if len(held) + batch.num_rows > INLINE:
                return self._written(held, batch, batches)
            held += zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
        return inline(held)

    def _written(self, held: list[Pair], batch: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Subjects:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([("subject", pa.string()), ("record", pa.string())])
        count = 0
        with TemporaryDirectory(prefix="huitong-subjects-") as folder:
            path = Path(folder) / "pairs.parquet"
            with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
                before = [pa.array(c, pa.string()) for c in zip(*held, strict=True)] if held else None
                early = [pa.RecordBatch.from_arrays(before, schema=schema)] if before else []
                for one in (*early, batch):
                    writer.write_batch(one.cast(schema))
                    count += one.num_rows
                for one in rest:
                    writer.write_batch(one.cast(schema))
                    count += one.num_rows
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            key = f"{FOLDER}{timestamp(self._clock.now())[:10]}/{uuid4().hex}.parquet"
            self._evidence.put_file(key, path)
        return Subjects(object=key, sha256=digest, count=count)


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
