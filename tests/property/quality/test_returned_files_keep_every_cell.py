"""Whatever stands in a file: what comes back of it reads the same, cell by cell, row number by row number."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Field
from huitong.intake.layout import Layout
from huitong.intake.readers.header import Names
from huitong.intake.readers.opening import open_file
from huitong.intake.returned import ORIGINAL_ROW
from huitong.quality.returning.give_back import _written
from huitong.quality.returning.problems import Problems, Wrong

COLUMNS = ("id", "name", "note")
CONTRACT = Contract("r", 1, "", (Field("id", key=1), Field("name"), Field("note")))
BATCH = Batch("b1", "r", "u", "full", "published", "k", filename="f")
#: What offices write: digits that look like numbers, formulas, quotes, delimiters, line ends, rare characters.
CELL = st.one_of(
    st.sampled_from(
        ["001", "440300199001011234", "=1+1", "-5", "@x", '"', "a,b", "甲;乙", "1e5", "2026-01-05", "<&>"]
    ),
    st.text(st.characters(codec="gb18030", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=8),
    st.sampled_from(["a\nb", "𠮷野家", "x" * 300]),
)
ROWS = st.lists(st.tuples(st.text("0123456789", min_size=1, max_size=18), CELL, CELL), min_size=1, max_size=8)
FORMATS = ("utf-8.csv", "gb18030.csv", "utf-16.csv", "f.json", "f.ndjson", "f.xlsx", "f.parquet")


def write(rows: Sequence[Sequence[str]], path: Path) -> None:
    if path.suffix == ".csv":
        out = io.StringIO(newline="")
        csv.writer(out).writerows([COLUMNS, *rows])
        path.write_bytes(out.getvalue().encode(path.stem))
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for line in [COLUMNS, *rows]:
            book.active.append([""] * 3)
            for place, text in enumerate(line, start=1):
                cell = book.active.cell(book.active.max_row, place)
                cell.value, cell.data_type = text, "s"
        book.save(path)
    elif path.suffix == ".parquet":
        columns = list(zip(*rows, strict=True))
        pq.write_table(pa.table({n: pa.array(c) for n, c in zip(COLUMNS, columns, strict=True)}), path)
    else:
        many = [json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) for row in rows]
        path.write_text("[" + ",".join(many) + "]" if path.suffix == ".json" else "\n".join(many))


def read(path: Path, work: Path, *, mends: bool) -> tuple[list[int], list[tuple[Any, ...]], list[str]]:
    """Numbers and cells as intake sees them, and the columns that it does not know."""
    names = Names(CONTRACT, mends=mends)
    table = open_file(path, path.name, Layout(), names, work).table
    labels = [(ORIGINAL_ROW if names.original_row(h) else names.field(h)) for h in table.header]
    if ORIGINAL_ROW in table.header:  # formats without a header
        labels = list(table.header)
    wanted = [i for i, label in enumerate(labels) if label]
    numbers: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for block in table.blocks(wanted):
        found = dict(zip([labels[i] for i in wanted], (c.to_pylist() for c in block.columns), strict=True))
        lines = list(zip(*(found[c] for c in COLUMNS), strict=True))
        told = found[ORIGINAL_ROW] if mends else block.rows.to_pylist()
        kept = [i for i, line in enumerate(lines) if any(line)]  # intake drops rows without any value
        numbers += [int(told[i]) for i in kept]
        rows += [lines[i] for i in kept]
    unknown = [
        h for h, label in zip(table.header, labels, strict=True) if not label and not names.returned(h)
    ]
    return numbers, rows, unknown


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, data=st.data())
def test_what_comes_back_reads_as_what_was_sent(form: str, rows: list[tuple[str, ...]], data: Any) -> None:
    """C-13, Q-20: also when it is given back a second time."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        path = root / form
        write(rows, path)
        work = [root / f"work{n}" for n in range(5)]
        for place in work:
            place.mkdir()
        numbers, cells, _ = read(path, work[0], mends=False)
        bad = set(data.draw(st.lists(st.sampled_from(numbers), min_size=1), label="bad"))
        wrong = Wrong(
            "金额:有误,请核对;“x”",
            'amount: wrong, check "it"',
            ("name",),
            error=True,
            said=(("name", "type", "error", "误", "wrong"),),
        )
        whole = data.draw(st.booleans(), label="whole")
        names = Names(CONTRACT)
        opened = open_file(path, path.name, Layout(), names, work[1])
        problems = Problems(dict.fromkeys(bad, wrong))
        ending, count = _written(opened, names, problems, BATCH, work[1], whole=whole, numbered=True)
        wanted = [(n, c) for n, c in zip(numbers, cells, strict=True) if whole or n in bad]
        assert count == len(wanted)
        back = root / f"back.{ending}"
        back.write_bytes((work[1] / "returned").read_bytes())
        found, same, unknown = read(back, work[2], mends=True)
        assert list(zip(found, same, strict=True)) == wanted
        assert unknown == []
        # mended in part and given back again: the first numbers stay, no column is added twice
        names = Names(CONTRACT, mends=True)
        opened = open_file(back, back.name, Layout(), names, work[3])
        _, at = _numbers_here(opened.table)
        problems = Problems(dict.fromkeys(at, wrong))
        _written(opened, names, problems, BATCH, work[3], whole=False, numbered=False)
        again = root / f"again.{ending}"
        again.write_bytes((work[3] / "returned").read_bytes())
        assert read(again, work[4], mends=True) == (found, same, [])


def _numbers_here(table: Any) -> tuple[Any, list[int]]:
    places = [n for block in table.blocks(range(len(table.header))) for n in block.rows.to_pylist()]
    return table, places
