"""Where a profile's blocks come from: a file that nobody described yet, a batch, a published table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pyarrow as pa

from huitong.contracts.model import Contract, Field
from huitong.intake.cells import Cells
from huitong.intake.columns import Plan
from huitong.intake.layout import Layout
from huitong.intake.readers.header import Names
from huitong.intake.readers.opening import open_table
from huitong.intake.readers.table import Table
from huitong.intake.strays import Strays
from huitong.intake.structure import Structural
from huitong.quality.profile.headings import AnyNames, names_of

_LOOKED_RECORDS: Final = 1_000
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class FileSource:
    """An opened file without a contract. ``names``: its columns' names to be; ``titles``: their headings."""

    table: Table
    wanted: tuple[int, ...]
    names: tuple[str, ...]
    titles: Mapping[str, str]

    def blocks(self) -> Iterator[Columns]:
        """Texts by column; empty rows, totals and notes left out as intake would."""
        for batch, _ in self.rows():
            yield {name: batch.column(name) for name in self.names}

    def rows(self) -> Iterator[tuple[Any, Sequence[Structural]]]:
        plan = Plan(self.wanted, self.names, None, False, (), ())
        bare = Contract("draft", 0, "", tuple(Field(n) for n in self.names))
        header = tuple(self.table.header[p] for p in self.wanted)
        strays = Strays(header, frozenset(range(len(header)))) if self.table.header_row else None
        cells = Cells(plan, bare, None, strays)
        for block in self.table.blocks(self.wanted):
            rows = cells.of_block(block)
            if rows.batch.num_rows or rows.findings:
                yield rows.batch, rows.findings


def open_file(path: Path, filename: str, layout: Layout, work: Path) -> FileSource:
    """Raises UnreadableFile."""
    labels = _keys_of_records(path)
    names = cast(Names, AnyNames(labels))
    table = open_table(path, filename, layout, names, work)
    header = list(labels) if labels else [str(cell) for cell in table.header]
    wanted = tuple(i for i, cell in enumerate(header) if cell.strip())
    chosen = names_of([header[i] for i in wanted])
    titles = {n: header[i].strip() for n, i in zip(chosen, wanted, strict=True)}
    return FileSource(table, wanted, tuple(chosen), titles)


def _keys_of_records(path: Path) -> tuple[str, ...]:
    """Of JSON, which has no header: the names that the first records use."""
    with path.open("rb") as stream:
        head = stream.read(4 * 1024 * 1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] not in (b"[", b"{"):
        return ()
    text = head.decode("utf-8", "ignore").lstrip("[")
    decoder, found, at = json.JSONDecoder(), dict[str, None](), 0
    for _ in range(_LOOKED_RECORDS):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            record, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            break
        if isinstance(record, dict):
            found.update(dict.fromkeys(record))
    return tuple(found)


def table_blocks(relation_sql: str, contract: Contract, names: Sequence[str]) -> Iterator[Columns]:
    """Rows of a published table as texts, block by block."""
    import duckdb

    listed = ", ".join(_as_text(f) for f in contract.fields if f.name in names)
    with duckdb.connect(config={"memory_limit": "256MB", "threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        reader = connection.sql(f"SELECT {listed} FROM ({relation_sql})").to_arrow_reader(65_536)
        for batch in reader:
            yield {name: batch.column(name).cast(pa.string()) for name in batch.schema.names}


def _as_text(f: Field) -> str:
    name = '"' + f.name.replace('"', '""') + '"'
    if f.type == "timestamp":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ') AS {name}"
    return f"CAST({name} AS VARCHAR) AS {name}"
