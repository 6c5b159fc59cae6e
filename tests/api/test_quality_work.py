"""Issues, scores, ranking, the overdue list, statistics and the monthly report over HTTP (C-05 to C-16)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from conftest import BUREAU, COURT, Call, World
from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import DECIDED
from huitong.ports import timestamp

CHECKS = {"error|missing|claim_no|key.null": 3, "error|format|amount|type": 1}


@pytest.fixture
def batch(world: World) -> Batch:
    """A delivery of ten rows with four findings."""
    now = timestamp(world.clock.now())
    made = Batch(
        "b1", "claims", COURT, "full", "ingested", "k", filename="债权.xlsx", received_at=now, order=now
    )
    by_rule = {key.rpartition("|")[2]: n for key, n in CHECKS.items()}
    counts = Counts(received=10, accepted=6, quarantined=4, withheld=6)
    return world.batches.move(
        world.batches.create(made, by="t"), "validated", by="validate", counts=counts,
        quality=Quality(by_rule=by_rule, checks=CHECKS), decision="accepted in part",
    ).batch  # fmt: skip


def test_an_officer_works_through_a_list_of_issues(call: Call, world: World, batch: Batch) -> None:
    """C-05: the clock opens them; the unit assigns and disputes; only the operator decides; each unit its own."""
    assert world.register.query(DECIDED)
    world.quality_issues.tick()
    listed = call("GET", "/v1/quality-issues", as_="court").body
    assert (len(listed["items"]), listed["counts"]["open"]) == (2, 2)
    assert call("GET", "/v1/quality-issues", as_="bureau").body["items"] == []
    id = listed["items"][0]["id"]
    step = "/v1/quality-issues/{id}/steps"
    body = {"step": "assign", "given": {"officer": "court"}}
    assert call("POST", step, as_="bureau", path={"id": id}, body=body).status == 404
    done = call("POST", step, as_="court", path={"id": id}, body=body)
    assert (done.status, done.body["state"]) == (200, "assigned")
    mine = call("GET", "/v1/quality-issues", as_="court", query={"officer": "court"}).body
    assert [i["id"] for i in mine["items"]] == [id]
    said = {"step": "dispute", "given": {"reason": "可空"}}
    assert call("POST", step, as_="court", path={"id": id}, body=said).body["state"] == "disputed"
    upheld = {"step": "uphold", "given": {"reason": "是"}}
    assert call("POST", step, as_="court", path={"id": id}, body=upheld).status == 403
    assert call("POST", step, as_="officer", path={"id": id}, body=upheld).body["state"] == "void"


def test_scores_and_statistics_are_kept_once_a_day_and_go_the_ordinary_way(
    world: World, batch: Batch, platform: Any, call: Call
) -> None:
    """C-08, C-16: the rows land as deliveries of the operator's and are published as tables."""
    world.score_keeping.tick()
    assert world.score_keeping.tick() == {"months": []}
    month = world.clock.now().isoformat()[:7]
    kept = world.score_keeping.kept(month)
    assert kept["RESOURCE#claims"]["received"] == 10
    assert kept[f"UNIT#{COURT}"]["quality"] is not None
    landed = [o.key for o in world.landing.list("1144030000AA01123N/")]
    assert sorted(key.split("/")[1] for key in landed) == ["exchange_statistics", "quality_scores"]
    for key in landed:
        made = platform.ingest(key)
        platform.validate(made.id)
        platform.compare(made.resource)
        published = world.batches.get(made.id).batch
        assert (published.status, published.counts.quarantined) == ("published", 0)
    said = call("GET", "/v1/exchange-statistics", as_="court", query={"month": month})
    assert {(i["direction"], i["received"]) for i in said.body["items"]} == {("provided", 10)}


def test_scores_ranking_and_alerts_are_read_by_those_they_concern(
    call: Call, world: World, batch: Batch
) -> None:
    """C-08 to C-10: a unit reads its own scores; the ranking is everybody's; the policy is the operator's."""
    own = call("GET", "/v1/scores", as_="court").body
    assert [r["resource"] for r in own["resources"]] == ["claims"]
    assert call("GET", "/v1/scores", as_="bureau", query={"unit": COURT}).status == 403
    assert call("GET", "/v1/ranking", as_="bank").body["items"][0]["unit"] == COURT
    rule = {"id": "strict", "metric": "conformity", "kind": "below", "value": 100}
    assert call("PUT", "/v1/score-alerts", as_="court", body=rule).status == 403
    assert call("PUT", "/v1/score-alerts", as_="officer", body=rule).status == 200
    world.score_keeping.tick()
    month = world.clock.now().isoformat()[:7]
    told = call("GET", "/v1/score-alerts", as_="court", query={"month": month}).body["items"]
    assert f"strict~{COURT}" in {a["id"] for a in told}
    assert call("GET", "/v1/score-alerts", as_="bureau", query={"month": month}).body["items"] == []
    act = {"month": month, "id": f"strict~{COURT}", "remark": "已联系"}
    assert call("POST", "/v1/score-alerts", as_="officer", body=act).body["state"] == "handled"


def test_an_overdue_issue_stands_in_the_supervision_list(call: Call, world: World, batch: Batch) -> None:
    """C-09: what is overdue, for how many working days; nobody reads another unit's list."""
    world.quality_issues.tick()
    world.clock.advance(days=30)
    items = call("GET", "/v1/overdue", as_="officer").body["items"]
    assert {(i["kind"], i["unit"], i["resource"]) for i in items} == {("quality_issue", COURT, "claims")}
    assert min(i["days"] for i in items) > 10
    assert call("GET", "/v1/overdue", as_="bureau", query={"unit": COURT}).status == 403


def test_the_monthly_report_opens_as_workbook_and_as_pdf_and_tells_the_same(
    call: Call, world: World, batch: Batch, tmp_path: Path
) -> None:
    """C-08, C-09: title, scores, deliveries, issues; Chinese text in both; page numbers; nobody else's."""
    from openpyxl import load_workbook

    world.quality_issues.tick()
    month = world.clock.now().isoformat()[:7]
    path = {"unit": COURT, "month": month}
    route = "/v1/reports/quality/{unit}/{month}"
    told = call("GET", route, as_="court", path=path).body
    tables = {t["name"]: t["rows"] for t in told["tables"]}
    assert tables["deliveries"][0][1:6] == ["claims", "债权.xlsx", 10, 6, 4]
    assert len(tables["issues"]) == 2
    assert call("GET", route, as_="bureau", path=path).status == 403
    made = call("GET", route, as_="court", path=path, query={"format": "xlsx"}).body
    book = load_workbook(BytesIO(world.staging.read(made["document"])))
    assert "数据质量月报" in book.worksheets[0]["A1"].value
    assert "债权.xlsx" in {c.value for row in book["报送情况"] for c in row}
    made = call("GET", route, as_="court", path=path, query={"format": "pdf"}).body
    data = world.staging.read(made["document"])
    assert data.startswith(b"%PDF-")
    if shutil.which("pdftotext") is None or not Path("/usr/share/poppler/cMap/Adobe-GB1").exists():
        pytest.skip("no pdftotext with poppler-data on this machine")
    file = tmp_path / "r.pdf"
    file.write_bytes(data)
    text = subprocess.run(["pdftotext", str(file), "-"], capture_output=True, text=True, check=True).stdout
    for wanted in ("数据质量月报", "市中级人民法院", "债权.xlsx", "未关闭的质量问题", "第1/2页"):
        assert wanted in "".join(text.split())


def test_a_delivery_of_an_early_morning_stands_under_its_day_in_china(call: Call, world: World) -> None:
    """C-08: 01:30 of 6 January there is still 5 January by UTC."""
    at = "2026-01-05T17:30:00.000Z"
    made = Batch("b7", "claims", COURT, "full", "ingested", "k", filename="f.csv", received_at=at, order=at)
    stored = world.batches.create(made, by="t")
    world.batches.move(stored, "validated", by="validate", counts=Counts(received=1, accepted=1, withheld=1))
    path = {"unit": COURT, "month": "2026-01"}
    told = call("GET", "/v1/reports/quality/{unit}/{month}", as_="court", path=path).body
    (rows,) = [t["rows"] for t in told["tables"] if t["name"] == "deliveries"]
    assert [row[0] for row in rows] == ["2026-01-06"]


def test_the_report_says_how_many_open_issues_it_does_not_list(
    call: Call, world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huitong.supervision.quality.report._ISSUES", 1)
    world.quality_issues.tick()
    path = {"unit": COURT, "month": world.clock.now().isoformat()[:7]}
    told = call("GET", "/v1/reports/quality/{unit}/{month}", as_="court", path=path).body
    (rows,) = [t["rows"] for t in told["tables"] if t["name"] == "issues"]
    assert [len(rows), rows[1][1:3]] == [2, ["另有 1 项", "1 more"]]


def test_a_time_limit_is_set_by_the_operator(call: Call) -> None:
    """C-05, C-10."""
    body = {"days": 3, "by_unit": {BUREAU: 8}}
    assert call("PUT", "/v1/quality-policy", as_="court", body=body).status == 403
    assert call("PUT", "/v1/quality-policy", as_="officer", body=body).body["by_unit"] == {BUREAU: 8}
    assert call("GET", "/v1/quality-policy", as_="court").body["days"] == 3


def test_a_replayed_decision_is_followed_by_the_clock_once(world: World, batch: Batch) -> None:
    """C-05: the entry that a decision leaves is gone after the first look."""
    world.quality_issues.tick()
    before = [replace(r, version=0) for r in world.quality_issues.list(COURT)]
    world.quality_issues.tick()
    assert [replace(r, version=0) for r in world.quality_issues.list(COURT)] == before
