"""Whatever a table holds, it is read back cell by cell."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.contracts.model import Contract, Field
from huitong.intake.layout import Layout
from huitong.intake.readers.header import Names
from huitong.intake.readers.opening import open_table

CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from(',;|\t"\n\r 张'),
    max_size=12,
)
WIDTHS = st.integers(1, 4)
TABLES = WIDTHS.flatmap(lambda w: st.lists(st.lists(CELLS, min_size=w, max_size=w), min_size=1, max_size=12))


def names(width: int) -> tuple[list[str], Names]:
    header = [f"column_{i}" for i in range(width)]
    return header, Names(Contract("X", 1, "", tuple(Field(name) for name in header)))


def read(data: bytes, known: Names, layout: Layout) -> list[list[str | None]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_bytes(data)
        table = open_table(path, "data", layout, known, Path(folder))
        found: list[list[str | None]] = []
        for block in table.blocks(range(len(table.header))):
            assert not block.findings
            found += [list(cells) for cells in zip(*(c.to_pylist() for c in block.columns), strict=True)]
        return found


def expected(rows: list[list[str]]) -> list[list[str | None]]:
    return [[cell or None for cell in row] for row in rows]


@settings(max_examples=150, deadline=None)
@given(
    TABLES,
    st.sampled_from(",\t;|"),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.booleans(),
)
def test_any_table_written_as_csv_reads_back_byte_for_byte(
    rows: list[list[str]], delimiter: str, encoding: str, declared: bool
) -> None:
    header, known = names(len(rows[0]))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    # GB18030 without Chinese can be UTF-8 by chance: the declared form is exact, the found one is tried on the others.
    if encoding == "gb18030":
        declared = True
    layout = Layout(
        format="csv", encoding=encoding.removesuffix("-sig") if declared else "", delimiter=delimiter
    )
    assert read(text.getvalue().encode(encoding), known, layout) == expected(rows)


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_any_table_with_minimal_quotes_reads_back_too(rows: list[list[str]]) -> None:
    header, known = names(len(rows[0]))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    assert read(text.getvalue().encode(), known, Layout(format="csv")) == expected(rows)


NUMBERS = st.builds(
    "{}{}{}".format,
    st.integers(-(10**30), 10**30) | st.just("-0"),
    st.just("") | st.integers(0, 10**20).map(".{:03}".format),
    st.sampled_from(["", "e5", "E-07", "e+300"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELLS, NUMBERS), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_texts_and_numbers_of_json_read_back_as_they_were_written(
    rows: list[tuple[str, str]], array: bool, ascii_only: bool
) -> None:
    _, known = names(2)
    lines = [f'{{"column_0":{json.dumps(t, ensure_ascii=ascii_only)},"column_1":{n}}}' for t, n in rows]
    document = f"[{','.join(lines)}]" if array else "\n".join(lines)
    assert read(document.encode(), known, Layout()) == [[t or None, n] for t, n in rows]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"column_0,column_1\n", b'[{"column_0":', b"PK\x03\x04", b"PAR1"]),
)
def test_no_content_at_all_brings_a_reader_down(data: bytes, start: bytes) -> None:
    """Only UnreadableFile, or rows: never another exception."""
    from huitong.errors import UnreadableFile

    _, known = names(2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_bytes(start + data)
        try:
            table: Any = open_table(path, "data.csv", Layout(), known, Path(folder))
            for block in table.blocks(range(len(table.header))):
                assert len(block.rows) == len(block.columns[0]) if block.columns else True
        except UnreadableFile:
            return
