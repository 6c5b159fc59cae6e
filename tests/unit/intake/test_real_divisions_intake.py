"""Real code tables, edition by edition: every cell staged is the cell of the file."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from huitong.contracts.model import Field

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "divisions"


@pytest.mark.skipif(not DATA.is_dir(), reason="the division tables are not beside the repository")
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("file", ["areas-2016.csv", "areas-2020-06-30.csv", "streets-2018-10-31.csv"])
def test_every_cell_of_a_division_table_is_staged_as_it_is(intake: Any, file: str, encoding: str) -> None:
    text = (DATA / file).read_bytes().decode("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    fields = tuple(Field(name, key=int(name == "code")) for name in rows[0])
    intake.contracts.known["IN-90"] = replace(intake.contracts.known["IN-90"], fields=fields)

    batch = intake.land(text.encode(encoding), file)

    assert batch.counts.received == len(rows)
    staged = intake.rows(batch)
    assert [row.pop("_source_row") for row in staged] == list(range(2, len(rows) + 2))
    assert staged == rows
