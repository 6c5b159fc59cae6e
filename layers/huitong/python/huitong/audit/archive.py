"""The archive: evidence as sorted Parquet in the evidence bucket, where it is searched. Light to import.

An hourly job copies what came since (the table keeps everything). Two kinds of
files: *records*, by time; *pairs* (subject, record, id, at), by subject, which
answer who received a person's data. Small files are merged into larger ones, so
that a search opens few; the former ones stay, being locked.

Which files count stands in one register entry, replaced on condition: two jobs
at once, or one killed anywhere, leave files that nothing names, and no record
twice or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from huitong.audit.chain import SHARDS, Entry, Tail, canonical
from huitong.audit.heads import entries_after
from huitong.audit.trace import Trace
from huitong.errors import Conflict, Corrupt, Fault
from huitong.ports import Clock, Item, ObjectStore, Register, timestamp
from huitong.sharing.names import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FOLDER: Final = "archive/"
PK, SK = "EVIDENCE", "ARCHIVE"
_MOST: Final = 50_000  # entries of a chain in one run
_MERGE: Final = 24  # files of one level become one of the next
_ORDER: Final = {"records": '"at", id', "pairs": 'subject, "at"'}
Which = Literal["records", "pairs"]


@dataclass(frozen=True, slots=True)
class File:
    key: str
    rows: int
    low: str  # first and last moment in it
    high: str
    sha256: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """``upto``: how far each chain is archived."""

    records: tuple[File, ...] = ()
    pairs: tuple[File, ...] = ()
    upto: tuple[int, ...] = (0,) * SHARDS

    def files(self, which: Which) -> tuple[File, ...]:
        return self.records if which == "records" else self.pairs

    def as_dict(self) -> dict[str, Any]:
        return {"records": [asdict(f) for f in self.records], "pairs": [asdict(f) for f in self.pairs],
                "upto": list(self.upto)}  # fmt: skip

    @classmethod
    def read(cls, register: Register) -> tuple[Manifest, Item | None]:
        item = register.get(PK, SK)
        if item is None:
            return cls(), None
        body = item.body
        records, pairs = (tuple(File(**f) for f in body[which]) for which in ("records", "pairs"))
        return cls(records, pairs, tuple(body["upto"])), item


class Archive:
    def __init__(self, register: Register, evidence: ObjectStore, clock: Clock) -> None:
        self._register = register
        self._evidence = evidence
        self._clock = clock

    def run(self) -> dict[str, int]:
        """Copy what came since the last run, then merge. Raises faults; Corrupt for a changed list."""
        before, item = Manifest.read(self._register)
        entries, upto = self._fresh(before)
        after = before
        if entries:
            after = self._merged(self._added(before, entries, upto))
            self._claim(after, item)
        return {"archived": len(entries), "files": len(after.records) + len(after.pairs)}

    def _fresh(self, before: Manifest) -> tuple[list[Entry], tuple[int, ...]]:
        found, upto = [], []
        for shard in range(SHARDS):
            read = list(entries_after(self._register, Tail(shard, before.upto[shard]), _MOST))
            found += [Entry.from_dict(raw) for _, raw in read]
            upto.append(read[-1][0] if read else before.upto[shard])
        return found, tuple(upto)

    def _added(self, before: Manifest, entries: Sequence[Entry], upto: tuple[int, ...]) -> Manifest:
        with closed() as connection, ExitStack() as stack:
            connection.register("fresh", table_of(entries))
            records = self._written(connection, "records", "SELECT * FROM fresh", 0)
            connection.register("inline_pairs", inline_pairs(entries))
            sources = ["SELECT * FROM inline_pairs"]
            for trace in (Trace.from_dict(e.record) for e in entries):
                if trace.subject_object:
                    path = stack.enter_context(self._subjects(trace))
                    sources.append(pairs_of_object(path, trace))
            pairs = self._written(connection, "pairs", " UNION ALL ".join(sources), 0)
        return Manifest((*before.records, *records), (*before.pairs, *pairs), upto)

    @contextmanager
    def _subjects(self, trace: Trace) -> Iterator[Path]:
        with self._evidence.local(trace.subject_object) as path:
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != trace.subject_digest:
                    raise Corrupt(
                        f"留痕 {trace.id} 的对象清单被更改",
                        f"The list of subjects of record {trace.id} was changed",
                        id=trace.id,
                    )
            yield path

    def _merged(self, manifest: Manifest) -> Manifest:
        return replace(
            manifest,
            records=self._levelled("records", manifest.records),
            pairs=self._levelled("pairs", manifest.pairs),
        )

    def _levelled(self, which: Which, files: tuple[File, ...]) -> tuple[File, ...]:
        for level in range(3):
            small = [f for f in files if f.level == level]
            if len(small) >= _MERGE:
                files = (*(f for f in files if f.level != level), *self._merge(which, small, level + 1))
        return files

    def _merge(self, which: Which, small: Sequence[File], level: int) -> list[File]:
        with closed() as connection, ExitStack() as stack:
            paths = [stack.enter_context(self._evidence.local(f.key)) for f in small]
            return self._written(connection, which, f"SELECT * FROM {parquet(paths)}", level)

    def _written(
        self, connection: duckdb.DuckDBPyConnection, which: Which, select: str, level: int
    ) -> list[File]:
        with TemporaryDirectory(prefix="huitong-archive-") as folder:
            path = Path(folder) / f"{which}.parquet"
            connection.execute(
                f"COPY (SELECT * FROM ({select}) ORDER BY {_ORDER[which]}) TO {literal(str(path))} "
                "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 32768)"
            ).fetchall()
            told: Any = connection.sql(f'SELECT count(*), min("at"), max("at") FROM {parquet([path])}')
            ((rows, low, high),) = told.fetchall()
            if not rows:
                return []
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            now = timestamp(self._clock.now())
            key = f"{FOLDER}{now[:4]}/{now[5:7]}/{which}-{level}-{now}-{uuid4().hex[:8]}.parquet"
            self._evidence.put_file(key, path)
        return [File(key, rows, low, high, digest, level)]

    def _claim(self, manifest: Manifest, item: Item | None) -> None:
        body = manifest.as_dict()
        try:
            if item is None:
                self._register.create(Item(PK, SK, body))
            else:
                self._register.replace(replace(item, body=body))
        except Conflict as error:
            raise Fault("留痕归档同时有两个作业", "Two jobs archive evidence at once") from error


@contextmanager
def closed() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that loads nothing from outside."""
    import duckdb

    with TemporaryDirectory(prefix="huitong-evidence-") as spill:
        config = {"memory_limit": "1GiB", "threads": 2, "temp_directory": spill,
                  "autoinstall_known_extensions": False, "autoload_known_extensions": False}  # fmt: skip
        with duckdb.connect(":memory:", config=config) as connection:  # type: ignore[arg-type]
            yield connection


def parquet(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(p)) for p in paths)}])"


def schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    texts = pa.list_(text)
    kinds = {"fields": texts, "masked": texts, "seq": number, "count": number, "subject_count": number}
    named = [(name, kinds.get(name, text)) for name in Trace.__slots__ if name != "subjects"]
    return pa.schema([*named, ("shard", pa.int32()), ("n", number), ("entry", text)])


def table_of(entries: Sequence[Entry]) -> pa.Table:
    """``entry`` is the whole entry as JSON: what is archived can be verified from the archive."""
    import pyarrow as pa

    rows = []
    for entry in entries:
        told = asdict(Trace.from_dict(entry.record))
        rows.append(
            {**told, "shard": entry.shard, "n": entry.n, "entry": canonical(entry.as_dict()).decode()}
        )
    return pa.Table.from_pylist(rows, schema=schema())


def inline_pairs(entries: Sequence[Entry]) -> pa.Table:
    import pyarrow as pa

    rows = [
        {"subject": subject, "record": record, "id": e.id, "at": e.at}
        for e in entries
        for subject, record in e.record.get("subjects", ())
    ]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([(n, pa.string()) for n in ("subject", "record", "id", "at")])
    )


def pairs_of_object(path: Path, trace: Trace) -> str:
    columns = f'{literal(trace.id)} AS id, {literal(trace.at)} AS "at"'
    return f"SELECT subject, record, {columns} FROM {parquet([path])}"


def as_trace(row: Mapping[str, Any]) -> Trace:
    """A row of the archive as the record it was."""
    return Trace.from_dict({name: value for name, value in row.items() if value is not None})
