"""Editions and their difference, search and who sees what, views, the duty to update."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.catalog_world import CIVIL, COURT, EDITOR, REVIEWER, CatalogWorld, person

from huitong.catalog.area import whole
from huitong.catalog.documents import summary
from huitong.catalog.search import Filters, Index
from huitong.catalog.views import View, filters_of, grouped
from huitong.errors import BadRequest, Conflict, NotPermitted
from huitong.identity.model import OPERATOR, Principal

STRANGER = Principal("stranger", CIVIL, frozenset({"analyst"}))


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    return (
        CatalogWorld(tmp_path)
        .with_contracts("IN-01", "IN-07", "IN-15", "OUT-05")
        .published(["IN-01", "IN-15"])
    )


def found(world: CatalogWorld, query: str = "", who: Principal = STRANGER, **filters: Any) -> list[str]:
    area = world.catalog
    hits = area.search.find(query, Filters(**filters), lambda d: whole(who, who.unit, d))
    return [str(d["resource"]) for _, d in hits]


def test_editions_are_numbered_by_year_and_earlier_ones_stay_as_they_were(world: CatalogWorld) -> None:
    """Q-44."""
    editions = world.catalog.editions
    first = editions.publish(REVIEWER)
    with pytest.raises(BadRequest):
        editions.publish(REVIEWER)  # nothing changed
    world.catalog.entries.take("IN-01", "revise", EDITOR, {"reason": "改名"})
    world.catalog.entries.edit("IN-01", {"title": "新名称"}, EDITOR)
    world.forward("IN-01")
    world.draft("IN-07")
    world.forward("IN-07")
    second = editions.publish(REVIEWER)
    assert (first.id, second.id, second.previous) == ("2026.1", "2026.2", "2026.1")
    world.clock.advance(days=365)
    world.catalog.entries.take("IN-15", "withdraw", REVIEWER, {"reason": "停止"})
    assert editions.publish(REVIEWER).id == "2027.1"
    assert [d["title"] for d in editions.documents("2026.1") if d["resource"] == "IN-01"] == [
        "个人破产案件立案与程序信息"
    ]
    change = editions.difference("2026.1", "2026.2")
    assert (list(change.added), list(change.removed)) == (["IN-07"], [])
    paths = {c.path[0]: (c.before, c.after) for c in change.changed["IN-01"]}
    assert paths["title"] == ("个人破产案件立案与程序信息", "新名称")
    assert set(paths) == {"title", "edition"}
    assert list(editions.difference("2026.2", "2027.1").removed) == ["IN-15"]


def test_a_changed_field_definition_shows_item_by_item(world: CatalogWorld) -> None:
    """Q-18, L-10: items come from the contract; the entry that is behind is told of."""
    editions = world.catalog.editions
    editions.publish(REVIEWER)
    contract = world.contracts.get("IN-15")
    text = (
        world.contracts.document(contract)
        .replace("maxLength: 50", "maxLength: 60")
        .replace("businessName: 执业状态", "businessName: 执业状态(新)")
    )
    world.contracts.put(text, by="test")
    entry = world.catalog.entry("IN-15")
    assert entry is not None
    late = world.catalog.entries.findings(entry)
    assert [(f.rule, f.severity) for f in late if f.rule == "L-10"] == [("L-10", "warning")]
    assert editions.difference("2026.1", "current") == editions.difference("2026.1", "2026.1")
    world.catalog.entries.take("IN-15", "revise", EDITOR, {"reason": "随数据模型"})
    elements = world.catalog.entries.elements
    state = elements.get("state" if "state" in elements.all() else "IN-15.state")
    from dataclasses import replace

    elements.put(replace(state, synonyms=("执业状态(新)",)), by="test")
    world.forward("IN-15")
    paths = {c.path for c in editions.difference("2026.1", "current").changed["IN-15"]}
    assert ("items", "state", "title") in paths


def test_an_edition_needs_the_consent_of_the_unit_that_provides_now(world: CatalogWorld) -> None:
    """Q-43: consent of a former provider is none."""
    item = world.register.get("CATALOG", "IN-01")
    assert item is not None
    other = {**item.body["consents"], "source": {**item.body["consents"]["source"], "unit": CIVIL}}
    world.register.replace(item.with_body(consents=other))
    with pytest.raises(BadRequest) as refused:
        world.catalog.editions.publish(REVIEWER)
    assert [(p.rule, p.where["unit"]) for p in refused.value.problems] == [("Q-43", COURT)]


def test_of_two_editions_at_once_one_wins(world: CatalogWorld) -> None:
    latest = world.catalog.editions.latest
    world.catalog.editions.latest = lambda: None  # type: ignore[method-assign]
    world.another().editions.publish(REVIEWER)
    with pytest.raises(Conflict):
        world.catalog.editions.publish(REVIEWER)
    assert len(world.catalog.editions.all()) == 1
    assert latest() is not None


def test_search_finds_names_items_units_and_codes_in_any_width_and_case(world: CatalogWorld) -> None:
    """X-16, C-03, C-31."""
    assert found(world, "立案") == ["IN-01"]
    assert found(world, "承办法官") == ["IN-01"]  # an item
    assert found(world, "judge_NAME") == ["IN-01"]
    assert found(world, "中级人民法院 程序") == ["IN-01"]
    assert found(world, "ＩＮ－１５") == ["IN-15"]  # full width
    assert found(world, "34440311") == ["IN-15"]
    assert found(world, "律") == ["IN-15"]  # a single character
    assert found(world, "没有这个词") == []
    assert found(world, unit=COURT) == ["IN-01"]
    assert found(world, share_type="1", kind="3", method="interface", open=True) == ["IN-15"]
    shown = world.catalog.shown("IN-15")
    assert shown is not None
    told = summary(shown)
    assert (told["provider_name"], told["frequency_zh"]) == ("深圳市律师协会", "每月")
    assert "交换接口" in told["how_zh"]


def test_a_stranger_sees_that_a_withheld_resource_exists_and_nothing_of_its_items(
    world: CatalogWorld,
) -> None:
    """C-31, L-02."""
    world.draft("OUT-05")
    world.forward("OUT-05")
    assert found(world, "破产欺诈举报人信息") == ["OUT-05"]
    assert found(world, "informant_phone") == []
    desk = Principal("d", OPERATOR, frozenset({"officer"}))
    assert found(world, "informant_phone", desk) == ["OUT-05"]
    hit = world.catalog.search.find("举报人", Filters(), lambda d: whole(STRANGER, CIVIL, d))[0][1]
    assert "items" not in hit
    assert hit["legal_basis"]


def test_another_process_finds_what_was_published_and_loses_what_was_withdrawn(world: CatalogWorld) -> None:
    other = world.another()
    everybody = lambda _d: True  # noqa: E731
    assert len(other.search.find("", Filters(), everybody)) == 2
    world.draft("IN-07")
    world.forward("IN-07")
    assert [d["resource"] for _, d in other.search.find("不动产", Filters(), everybody)] == ["IN-07"]
    world.catalog.entries.take("IN-15", "withdraw", REVIEWER, {"reason": "停止"})
    assert {d["resource"] for _, d in other.search.find("", Filters(), everybody)} == {"IN-01", "IN-07"}


def test_ten_thousand_entries_answer_in_tens_of_milliseconds(world: CatalogWorld) -> None:
    shown = dict(world.catalog.shown("IN-01") or {})
    index = Index()
    for number in range(10_000):
        index.put(
            {**shown, "resource": f"R-{number}", "code": f"34440301/{number}", "title": f"资源{number}号登记"}
        )
    best = min(_timed(index, "资源7777号 法官") for _ in range(5))
    assert best < 0.1
    assert [d["resource"] for _, d in index.find("资源7777号", Filters(), lambda _: True)] == ["R-7777"]


def _timed(index: Index, query: str) -> float:
    start = time.perf_counter()
    index.find(query, Filters(), lambda _: True)
    return time.perf_counter() - start


def test_views_show_the_same_entries_grouped_and_filtered(world: CatalogWorld) -> None:
    """X-18: four fixed views; others are added, changed and removed."""
    views, documents = world.catalog.views, world.catalog.editions.documents("current")
    groups = {v.id: [g["title"] for g in grouped(v, documents)] for v in views.all()}
    assert groups["department"] == ["深圳市中级人民法院", "深圳市律师协会"]
    assert groups["theme"] == ["公共服务", "信用体系"]
    assert "管理人名册公开" in groups["demand"]
    mine = View("court", "法院资源", "of the court", "frequency", {"unit": COURT})
    views.put(mine, REVIEWER)
    views.put(View("court", "法院", "court", "share_type", {"unit": COURT}), REVIEWER)
    assert views.get("court").zh == "法院"
    assert filters_of(views.get("court")).unit == COURT
    with pytest.raises(Conflict):
        views.put(View("open", "x", "x", "provider"), REVIEWER)
    views.remove("court", REVIEWER)
    assert "court" not in [v.id for v in views.all()]


def test_a_change_of_law_starts_fifteen_working_days_with_reminder_and_breach(world: CatalogWorld) -> None:
    """L-09; the days are those of the calendar of 2025/2026."""
    duties = world.catalog.duties
    with pytest.raises(NotPermitted):
        duties.register(COURT, "law", "条例修订", person("x", COURT, "editor"))
    duty = duties.register(COURT, "law", "条例修订", EDITOR, resources=["IN-01"])
    due = world.calendar.working_days().after(world.clock.now().date(), 15).day
    assert duty.clocks["update"].due == due.isoformat()
    clerk = person("clerk", COURT, "editor")
    with pytest.raises(BadRequest) as early:
        duties.take(duty.id, "complete", clerk, {"entries": ["IN-01"]})
    assert [p.rule for p in early.value.problems] == ["L-09"]
    assert duties.tick() == []
    world.clock.advance(days=(due - world.clock.now().date()).days - 2)
    assert [r.kind for _, r in duties.tick()] == ["warned"]
    world.clock.advance(days=4)
    assert [r.kind for _, r in duties.tick()] == ["breached"]
    world.catalog.entries.take("IN-01", "revise", EDITOR, {"reason": "条例修订", "duty": duty.id})
    world.forward("IN-01")
    done = duties.take(duty.id, "complete", clerk, {"entries": ["IN-01"]})
    assert done.state == "done"
    assert done.clocks["update"].breached  # late, and it stays on record
    kinds = [n.kind for n in world.notices.of_unit(COURT)]
    assert {"catalogue_duty.registered", "catalogue_duty.warned", "catalogue_duty.breached"} <= set(kinds)
