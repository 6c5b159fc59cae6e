"""The annual report: counted month by month, drafted, reviewed by another person, submitted (L-45)."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.support.standing import DIGEST, agreed, person
from tests.support.standing_world import BANK, COURT, StandingWorld

from huitong.audit.trace import Trace
from huitong.batches.model import Batch, Counts
from huitong.errors import BadRequest, NotPermitted
from huitong.identity.model import OPERATOR
from huitong.sharing.grants import Grant
from huitong.supervision.figures import span
from huitong.supervision.rendering import page, workbook


@pytest.fixture
def world(tmp_path: Path) -> StandingWorld:
    made = StandingWorld(tmp_path)
    made.clock.moment = datetime(2026, 1, 2, 1, tzinfo=UTC)
    made.grants.put(Grant(BANK, "claims"), made.contracts.get("claims"), by="x")
    for number, (at, rows) in enumerate(
        [
            ("2025-12-31T15:59:00.000Z", 10),
            ("2025-12-31T16:01:00.000Z", 1000),
            ("2025-03-05T00:00:00.000Z", 30),
        ]
    ):
        counts = Counts(received=rows, accepted=rows - 5, quarantined=5, inserted=rows - 5)
        made.batches.create(
            Batch(
                f"b{number}",
                "claims",
                COURT,
                "full",
                "received",
                "k",
                received_at=at,
                order=at,
                counts=counts,
            ),
            by="x",
        )
    return made


def value(report: dict[str, Any], key: str) -> Any:
    return next(line["value"] for line in report["summary"] if line["key"] == key)


def test_a_month_is_that_of_china() -> None:
    assert span(2025, 12) == ("2025-11-30T16:00:00.000Z", "2025-12-31T15:59:59.999Z")


def test_what_was_not_counted_is_shown_as_such_and_never_as_nought(world: StandingWorld) -> None:
    report = world.annual.of(2025)
    assert report["missing"] == [f"2025-{month:02}" for month in range(1, 13)]
    assert value(report, "rows") is value(report, "acts.query") is value(report, "alerts") is None
    assert value(report, "grants") == 1
    text = page(report)
    assert "未统计" in text


def test_the_months_add_up_and_a_second_count_changes_nothing(world: StandingWorld) -> None:
    for _ in range(2):
        for month in range(1, 13):
            world.figures.gather(2025, month)
    report = world.annual.of(2025)
    assert report["missing"] == []
    assert (value(report, "batches"), value(report, "rows"), value(report, "quarantined")) == (2, 40, 10)
    assert value(report, "quality") == 75.0
    court = next(u for u in report["units"] if u["unit"] == COURT)
    assert (court["resources"], court["batches"], court["rows"]) == (1, 2, 40)


def test_a_partly_counted_year_says_so_at_its_figures(world: StandingWorld) -> None:
    world.figures.gather(2025, 12)
    report = world.annual.of(2025)
    rows = next(line for line in report["summary"] if line["key"] == "rows")
    assert (rows["value"], bool(rows["note"])) == (10, True)
    assert len(report["missing"]) == 11


def test_procedures_are_counted_by_state_with_breaches_and_days(world: StandingWorld) -> None:
    body = {"unit": COURT, "grounds": "x", "limit": "2026-01-05"}
    made = world.supervision.open("rectifications", person(OPERATOR), body)
    agreed(world, COURT, BANK, "security", [], starts="2026-01-01")
    world.traces.write(Trace("query", "x", BANK, resource="claims", count=3))
    world.clock.advance(days=7)
    for step, unit, given in (("answer", COURT, {"text": "x"}), ("accept", OPERATOR, {})):
        world.supervision.take("rectification", made.id, step, person(unit), given)
    world.figures.gather(2026, 1)
    report = world.annual.of(2026)
    assert value(report, "rectification.all") == value(report, "rectification.breaches") == 1
    assert value(report, "rectification.days") > 0
    assert value(report, "agreement.all") == 1
    assert value(report, "acts.query") == 1
    with pytest.raises(BadRequest):
        world.figures.gather(2026, 2)


def test_the_clock_counts_this_month_and_the_one_before_once_a_day(world: StandingWorld) -> None:
    assert world.figures.tick() == {"months": 2}
    assert world.figures.tick() == {"months": 0}
    assert "2025-12" not in world.annual.of(2025)["missing"]


def test_the_workbook_opens_with_a_summary_first_and_what_people_need(world: StandingWorld) -> None:
    world.figures.gather(2025, 12)
    report = world.annual.of(2025)
    report["units"][0]["name"] = "=1+1"  # a name that a spreadsheet would calculate
    book = openpyxl.load_workbook(BytesIO(workbook(report, "总体良好")))
    assert book.sheetnames == ["汇总", "单位", "资源", "办理"]
    sheet = book["汇总"]
    assert sheet["A1"].value == "2025 年度公共数据共享报告 · 汇总"
    assert [c.value for c in sheet[2]] == ["指标", "Figure", "数值", "说明"]
    figures = {row[0].value: row[2].value for row in sheet.iter_rows(min_row=3) if len(row) > 2}
    assert figures["报送行数"] == 10
    assert figures["安全告警"] == 0
    told = [row[1].value for row in sheet.iter_rows() if row[0].value == "评估"]
    assert told == ["总体良好"]
    assert all(s.freeze_panes == "A3" for s in book)
    assert all(10 < sheet.column_dimensions[c].width <= 60 for c in "AB")
    cells = [c for row in book["单位"].iter_rows() for c in row]
    assert not [c for c in cells if c.data_type == "f"]


def test_the_page_holds_every_table_and_escapes_what_people_wrote(world: StandingWorld) -> None:
    world.figures.gather(2025, 12)
    text = page(world.annual.of(2025), "<script>alert(1)</script>")
    assert "<script>" not in text
    assert text.count("<table>") == text.count("</table>") == 4
    for word in ("2025 年度公共数据共享报告", "市中级人民法院", "报送行数", "@page{size:A4"):
        assert word in text


class TestSubmission:
    def test_it_is_announced_in_january_with_its_last_day(self, world: StandingWorld) -> None:
        world.supervision.tick()
        world.supervision.tick()
        made = world.supervision.desks["annual_report"].get("2025")
        assert (made.state, made.clocks["submit"].due) == ("due", "2026-01-31")
        world.clock.moment = datetime(2026, 2, 1, 1, tzinfo=UTC)
        world.supervision.tick()
        told = [n.kind for n in world.notices.of_unit(OPERATOR)]
        assert "annual_report.breached" in told

    def test_nothing_is_announced_later_in_the_year(self, world: StandingWorld) -> None:
        world.clock.moment = datetime(2026, 6, 1, tzinfo=UTC)
        world.supervision.tick()
        assert world.supervision.desks["annual_report"].find("2025") is None

    def test_another_person_reviews_before_it_is_submitted(self, world: StandingWorld) -> None:
        world.supervision.open("annual-reports", person(OPERATOR), {"year": 2025})
        one, two = person(OPERATOR, "one"), person(OPERATOR, "two")

        def take(step: str, who: Any, **given: Any) -> str:
            return str(world.supervision.take("annual_report", "2025", step, who, given).state)

        assert take("draft", one, assessment="总体良好") == "drafted"
        with pytest.raises(NotPermitted):
            take("review", one)
        assert take("review", two) == "reviewed"
        sent = {"document": "documents/r", "digest": DIGEST, "submitted_on": "2026-01-02"}
        assert take("submit", one, **sent) == "submitted"

    def test_a_year_that_goes_on_has_no_report(self, world: StandingWorld) -> None:
        with pytest.raises(BadRequest):
            world.supervision.open("annual-reports", person(OPERATOR), {"year": 2026})
