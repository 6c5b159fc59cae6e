"""Bulk import from a workbook: errors come back in it, nothing is half applied (X-17)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from tests.support.catalog_world import CIVIL, EDITOR, CatalogWorld, person, seed

from huitong.catalog import workbook
from huitong.catalog.columns import COLUMNS
from huitong.errors import HuitongError

HEADS = {c.path: c.heading for c in COLUMNS}


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    return CatalogWorld(tmp_path).with_contracts("IN-01", "IN-03", "IN-04")


def book(*rows: dict[str, Any]) -> bytes:
    made = load_workbook(io.BytesIO(workbook.template()))
    sheet = made[workbook.SHEET]
    places = {one.value: one.column for one in sheet[1]}
    for number, row in enumerate(rows, 2):
        for path, value in row.items():
            sheet.cell(number, places[HEADS[path]]).value = value
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_good_rows_become_drafts_and_wrong_ones_come_back_marked(world: CatalogWorld) -> None:
    data = book(
        {
            "resource": "IN-01",
            "title": "立案信息",
            "share_type": "2 有条件共享",
            "keywords": "立案、受理|法律词典",
        },
        {"resource": "IN-03", "share_type": "9", "code": "bad"},
        {"resource": "NO-1", "title": "无"},
        {"resource": "IN-04", "title": "=1+1"},
    )
    report = world.catalog.imports.run(data, EDITOR)
    assert [o.result for o in report.outcomes] == ["created", "refused", "refused", "refused"]
    entry = world.catalog.entries.get("IN-01").content["entry"]
    assert (entry["title"], entry["frequency"]) == ("立案信息", "realtime")  # the rest from the contract
    assert entry["keywords"][0]["thesaurus"] == "法律词典"
    assert world.catalog.entries.desk.find("IN-04") is None

    told = load_workbook(io.BytesIO(report.workbook()))
    sheet = told[workbook.SHEET]
    places = {one.value: one.column for one in sheet[1]}
    errors = [sheet.cell(n, places["错误 Errors"]).value or "" for n in range(2, 6)]
    assert errors[0] == ""
    assert "G17-3" in errors[1]
    assert "Q-18" in errors[2]
    assert "workbook.formula" in errors[3]
    red = {
        path for path, head in HEADS.items() if sheet.cell(3, places[head]).fill.fgColor.rgb == workbook._RED
    }
    assert red == {"share_type", "code"}
    assert sheet.cell(5, places[HEADS["title"]]).data_type == "s"  # given back as a text
    summary = [[c.value for c in row] for row in told["汇总 Summary"].iter_rows(max_col=2)]
    assert ["created", "1"] in summary
    assert ["refused", "3"] in summary


def test_with_the_option_all_one_wrong_row_keeps_every_row_out(world: CatalogWorld) -> None:
    data = book({"resource": "IN-01"}, {"resource": "IN-03", "frequency": "每世纪"})
    report = world.catalog.imports.run(data, EDITOR, option="all")
    assert not report.applied
    assert [o.result for o in report.outcomes] == ["waiting", "refused"]
    assert world.catalog.entries.desk.find("IN-01") is None
    report = world.catalog.imports.run(
        book({"resource": "IN-01"}, {"resource": "IN-03"}), EDITOR, option="all"
    )
    assert report.counts()["created"] == 2


def test_an_export_imported_again_changes_nothing(world: CatalogWorld) -> None:
    """The round trip, and the repeat of an import."""
    for id in ("IN-01", "IN-03"):
        world.draft(id, exceptions={"a|b": "多行\n理由"}, online=["https://x.example/a|b"])
    entries = world.catalog.entries
    before = {id: entries.get(id) for id in ("IN-01", "IN-03")}
    shown = [{**before[id].content["entry"], "items": {}} for id in before]
    report = world.catalog.imports.run(workbook.export(shown), EDITOR)
    assert report.counts() == {"created": 0, "edited": 0, "unchanged": 2, "refused": 0, "waiting": 0}
    assert {id: entries.get(id) for id in before} == before


def test_a_row_for_another_unit_or_a_published_entry_is_refused(world: CatalogWorld) -> None:
    world.draft("IN-01")
    world.forward("IN-01")
    report = world.catalog.imports.run(book({"resource": "IN-01", "title": "新"}), EDITOR)
    assert [p.rule for p in report.outcomes[0].problems] == ["entry.state"]
    foreign = person("foreign", CIVIL, "editor")
    report = world.catalog.imports.run(book({"resource": "IN-03"}, {"resource": "IN-04"}), foreign)
    assert [o.result for o in report.outcomes] == ["refused", "created"]


def test_rows_that_name_the_same_thing_twice_are_told(world: CatalogWorld) -> None:
    report = world.catalog.imports.run(book({"resource": "IN-01"}, {"resource": "IN-01"}), EDITOR)
    assert [o.result for o in report.outcomes] == ["created", "refused"]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/worksheets/sheet1.xml", b" " * (workbook.MOST_UNPACKED + 1))
    return out.getvalue()


def entities() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook.template())) as old, zipfile.ZipFile(out, "w") as made:
        for part in old.namelist():
            text = old.read(part)
            if part == "xl/workbook.xml":
                text = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]>' + text
            made.writestr(part, text)
    return out.getvalue()


def many() -> bytes:
    made = Workbook()
    sheet = made.active
    sheet.title = workbook.SHEET
    sheet.append([HEADS["resource"]])
    for number in range(workbook.MOST_ROWS + 1):
        sheet.append([f"R-{number}"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04no", b"a,b\n1,2", bomb(), entities(), many()])
def test_what_is_no_workbook_or_too_much_of_one_is_refused(data: bytes, world: CatalogWorld) -> None:
    with pytest.raises(HuitongError) as refused:
        world.catalog.imports.run(data, EDITOR)
    assert refused.value.status in (413, 422)


def test_the_seed_covers_the_twenty_resources() -> None:
    assert len(seed()["entries"]) == 20
