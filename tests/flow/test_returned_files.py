"""The file comes back with what is wrong beside each row, is mended by a person, and lands."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from flow_world import AMOUNT, KEY, UNIT, Flow, contract
from test_quarantine_replayed import landed, quarantine
from tests.support.returned_world import WRITERS, give_back_of, in_office, mend, taken

from huitong.errors import NotFound
from huitong.intake.returned import PROBLEMS_COLUMN, ROW_COLUMN

DOCUMENT = contract(KEY, f"{AMOUNT}, required: true", "name: noted, logicalType: date")
ROWS = (
    ("000000000000000001", "1.00", "2026-01-01"),
    ("440300199001011234", "zwei, drei", "2026-01-02"),
    ("000000000000000003", "3.00", "2026-02-30"),
    ("004", None, "2026-01-04"),
    ("=1+1", "5.0", "2026-01-05"),
    ("006", "6.00", ""),
)
MENDED = {
    ("440300199001011234", "amount"): "2.00",
    ("000000000000000003", "noted"): "2026-02-28",
    ("004", "amount"): "0.10",
}


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "platform", DOCUMENT)


def shown(flow: Flow) -> dict[str, tuple[str, str]]:
    return {r["item"]: (str(r["amount"]), str(r["noted"])) for r in flow.rows()}


@pytest.mark.parametrize("name", WRITERS)
def test_the_file_comes_back_is_mended_and_lands_with_every_other_value_as_it_was(
    flow: Flow, tmp_path: Path, name: str
) -> None:
    """C-13, Q-20: in each format; ids, leading zeros and dates are exactly those that were sent."""
    path = tmp_path / name
    rows = (
        ROWS if name != "f.xlsx" else (*ROWS[:4], ("=1+1".replace("=", "'="), "5.0", "2026-01-05"), ROWS[5])
    )
    WRITERS[name](
        rows if "gbk" not in name else [(i, (a or "").replace(",", ";") or None, n) for i, a, n in rows], path
    )
    first = flow.published_file(path)
    assert (first.status, first.counts.quarantined) == ("published", 3)
    returned = give_back_of(flow).make(first, whole=False)
    assert returned.rows == 3
    copy = taken(flow, returned, tmp_path)
    again = flow.published_file(copy, mends=first.id)
    assert (again.counts.quarantined, again.counts.accepted) == (3, 0), "unmended, the same is wrong with it"
    assert again.quality.by_rule == {
        k: v for k, v in first.quality.by_rule.items() if not k.startswith("column.")
    }
    mend(copy, MENDED)
    second = flow.published_file(copy, mends=first.id)
    assert (second.status, second.counts.accepted, second.counts.quarantined) == ("published", 3, 0)
    found = shown(flow)
    assert found["440300199001011234"] == ("2.00", "2026-01-02")
    assert found["000000000000000003"] == ("3.00", "2026-02-28")
    assert found["004"] == ("0.10", "2026-01-04")
    assert len(found) == 6
    holding = flow.batches.holdings.find(first)
    assert holding is not None
    assert holding.holding.figures() == {"open": 0, "mended": 3, "replayed": 0, "expired": 0}
    flow.check()


def test_a_returned_workbook_keeps_everything_else_and_shows_what_is_wrong(
    flow: Flow, tmp_path: Path
) -> None:
    """C-07, C-13: other sheets, titles, widths, formats; coloured cells, a column, a summary sheet."""
    path = tmp_path / "f.xlsx"
    WRITERS["f.xlsx"](ROWS[:4], path)
    first = flow.published_file(path)
    copy = taken(flow, give_back_of(flow).make(first, whole=False), tmp_path)
    before, after = openpyxl.load_workbook(path), openpyxl.load_workbook(copy)
    assert after.sheetnames == [*before.sheetnames, "问题汇总 Problems"]
    assert after["其他"]["B3"].value == "=1+1"
    sheet, old = after["明细"], before["明细"]
    assert sheet.merged_cells.ranges == old.merged_cells.ranges
    assert sheet.column_dimensions["A"].width == 33
    assert [c.value for c in sheet[1]][:1] == ["2026 年汇总表"]
    assert [c.value for c in sheet[2]] == ["item", "amount", "noted", "说明", ROW_COLUMN, PROBLEMS_COLUMN]
    assert sheet.row_dimensions[3].hidden
    assert sheet["A3"].value is None, "a good row is left out"
    assert [c.value for c in sheet[4]][:5] == ["440300199001011234", "zwei, drei", "2026-01-02", "备注4", 4]
    assert "amount" in sheet["F4"].value
    assert sheet["B4"].fill.fgColor.rgb == "FFFFC7CE"
    assert sheet["B4"].font.bold, "the cell is coloured and otherwise as it was"
    assert sheet["A4"].fill.fill_type is None
    assert sheet["A4"].number_format == "@"
    assert sheet["D4"].fill.fgColor.rgb == "FF00FF00"
    assert sheet["B6"].fill.fgColor.rgb == "FFFFC7CE", "an empty cell that must not be is coloured as well"
    summary = [[c.value for c in line] for line in after["问题汇总 Problems"].iter_rows()]
    assert ["type", "amount", "错误 error", 1] in [line[:4] for line in summary]
    whole = taken(flow, give_back_of(flow).make(first, whole=True), tmp_path)
    sheet = openpyxl.load_workbook(whole)["明细"]
    assert [sheet.cell(n, 1).value for n in range(3, 7)] == [row[0] for row in ROWS[:4]]
    assert [sheet.cell(n, 5).value for n in range(3, 7)] == [3, 4, 5, 6]
    assert zipfile.ZipFile(whole).testzip() is None


def test_libreoffice_opens_what_comes_back_and_sees_the_same_values(flow: Flow, tmp_path: Path) -> None:
    """C-13: texts are texts: no id becomes a number, nothing becomes a formula."""
    path = tmp_path / "f.xlsx"
    WRITERS["f.xlsx"]((*ROWS[:4], ("006", "-x", "2026-01-01")), path)
    first = flow.published_file(path)
    copy = taken(flow, give_back_of(flow).make(first, whole=True), tmp_path)
    lines = in_office(copy, tmp_path)
    assert lines[1][:6] == ["item", "amount", "noted", "说明", ROW_COLUMN, PROBLEMS_COLUMN]
    assert [line[:4] for line in lines[2:7]] == [
        [*(cell or "" for cell in row), f"备注{n}"]
        for n, row in enumerate((*ROWS[:4], ("006", "-x", "2026-01-01")), start=3)
    ]
    assert [line[4] for line in lines[2:7]] == ["3", "4", "5", "6", "7"]


def test_a_formula_that_was_never_calculated_comes_back_as_it_was_typed(flow: Flow, tmp_path: Path) -> None:
    """C-13: among rows that are left out a formula gives way to its value; one without a value stays."""
    path = tmp_path / "f.xlsx"
    WRITERS["f.xlsx"]((ROWS[0], ("002", "=1+1", "2026-01-02")), path)
    first = flow.published_file(path)
    assert first.quality.by_rule == {"cell.formula": 1}
    copy = taken(flow, give_back_of(flow).make(first, whole=False), tmp_path)
    assert openpyxl.load_workbook(copy)["明细"]["B4"].value == "=1+1"
    again = flow.published_file(copy, mends=first.id)
    assert {"cell.formula": 1}.items() <= again.quality.by_rule.items()


@pytest.mark.parametrize("name", ["f.xlsx", "utf8.csv"])
def test_a_note_that_comes_back_is_still_told_as_a_note(flow: Flow, tmp_path: Path, name: str) -> None:
    """C-13: the row number beside it makes no record of it, about which the unit would be asked for values."""
    path = tmp_path / name
    if name == "f.xlsx":
        book = openpyxl.Workbook()
        for line in (("item", "amount", "noted"), ROWS[0], ("备注：数据截至1月", None, None)):
            book.worksheets[0].append(line)
        book.save(path)
    else:
        WRITERS[name]([ROWS[0], ("备注：数据截至1月", None, "")], path)
    first = flow.published_file(path)
    assert first.quality.by_rule == {"row.note": 1}
    copy = taken(flow, give_back_of(flow).make(first, whole=False), tmp_path)
    again = flow.published_file(copy, mends=first.id)
    assert "row.note" in again.quality.by_rule
    assert "required" not in again.quality.by_rule


def test_a_file_that_was_mended_in_part_comes_back_again_with_the_first_numbers(
    flow: Flow, tmp_path: Path
) -> None:
    """C-13: what is still wrong is told in the same columns, under the row numbers of the first file."""
    for name in ("f.xlsx", "utf8.csv", "f.ndjson", "f.parquet"):
        path = tmp_path / name
        WRITERS[name]([(f"{name}{i}", a, n) for i, a, n in ROWS if not i.startswith("=")], path)
        first = flow.published_file(path, mode="increment")
        copy = taken(flow, give_back_of(flow).make(first, whole=False), tmp_path)
        mend(copy, {(f"{name}004", "amount"): "0.10"})
        second = flow.published_file(copy, mends=first.id)
        assert (second.counts.accepted, second.counts.quarantined) == (1, 2), name
        again = taken(flow, give_back_of(flow).make(second, whole=False), tmp_path)
        mend(again, {(f"{name}{i}", c): v for (i, c), v in MENDED.items()})
        third = flow.published_file(again, mends=second.id)
        assert third.mends == first.id
        assert (third.counts.accepted, third.counts.quarantined) == (2, 0), name
    flow.check()


def test_a_file_is_made_once_and_its_use_is_on_record(flow: Flow, tmp_path: Path) -> None:
    """C-13, L-34: the second asking gives the same object; each address is told after its record."""
    path = tmp_path / "utf8.csv"
    WRITERS["utf8.csv"](ROWS, path)
    first = flow.published_file(path)
    desk = give_back_of(flow)
    made = desk.make(first, whole=False)
    assert desk.make(first, whole=False) == made
    assert desk.find(first, whole=True) is None
    before = len(flow.ports.register._items)  # type: ignore[attr-defined]
    url = desk.link(made, first, by="clerk", unit=UNIT, request="r1", source="")
    assert made.key in url
    assert len(flow.ports.register._items) == before + 1  # type: ignore[attr-defined]


def test_a_file_that_is_not_kept_any_more_is_made_anew(flow: Flow, tmp_path: Path) -> None:
    """C-13: after 90 days the bucket has dropped it, and its rows can still be mended."""
    path = tmp_path / "f.xlsx"
    WRITERS["f.xlsx"](ROWS[:4], path)
    first = flow.published_file(path)
    desk = give_back_of(flow)
    made = desk.make(first, whole=False)
    flow.ports.staging.delete(made.key)
    assert desk.find(first, whole=False) is None, "an address of nothing is told to nobody"
    again = desk.make(first, whole=False)
    assert desk.find(first, whole=False) == again
    copy = taken(flow, again, tmp_path)
    mend(copy, MENDED)
    assert flow.published_file(copy, mends=first.id).counts.accepted == 3


def test_rows_that_have_expired_are_not_given_back_again(flow: Flow) -> None:
    """X-12: their file was written over, and no other is made of what is still in the landed one."""
    first = landed(flow, "item,amount,noted\n001,1.00,\n002,zwei,\n")
    desk, keeper = give_back_of(flow), quarantine(flow)
    made = desk.make(first, whole=False)
    for days in (175, 20):
        flow.ports.clock.advance(seconds=days * 86_400)  # type: ignore[attr-defined]
        keeper.tick()
    keeper.let_go(first.id)
    assert flow.ports.staging.read(made.key) == b""
    first = flow.now(first)
    assert desk.find(first, whole=False) is None
    with pytest.raises(NotFound):
        desk.make(first, whole=False)
