"""An entry from draft to publication: who must agree, what keeps it back, what it brings with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.catalog_world import (
    CIVIL,
    COURT,
    DEPARTMENT,
    EDITOR,
    OTHER_EDITOR,
    REVIEWED,
    REVIEWER,
    CatalogWorld,
    approver,
    person,
)

from huitong.catalog.elements import Element
from huitong.errors import BadRequest, Conflict, NotPermitted, Problem
from huitong.identity.model import DATA_DEPARTMENT


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    return CatalogWorld(tmp_path).with_contracts("IN-01", "IN-03", "IN-04", "OUT-05")


def rules(error: pytest.ExceptionInfo[Any]) -> set[str]:
    return {p.rule for p in error.value.problems}


def test_a_published_entry_names_its_reviewer_and_every_consent(world: CatalogWorld) -> None:
    """L-08, Q-02, Q-43."""
    world.draft("IN-01")
    world.forward("IN-01")
    found = world.catalog.entries.published("IN-01")
    assert found.reviewed_by == "reviewer"
    consents = {name: c.unit for name, c in (found.consents or {}).items()}
    assert consents == {"source": COURT, "department": DATA_DEPARTMENT}
    assert (found.consents or {})["source"].document == "协议-1"
    assert (found.entry.edition, found.entry.issued) == (1, "2026-01-05")
    assert len(world.catalog.entries.document(found.entry)["items"]) == 15


def test_an_editor_does_not_review_the_own_entry(world: CatalogWorld) -> None:
    """L-08: review by another person, item by item."""
    both = person("both", EDITOR.unit, "editor", "reviewer")
    world.catalog.entries.open("IN-01", {}, both)
    world.catalog.entries.take("IN-01", "submit", both)
    with pytest.raises(NotPermitted):
        world.catalog.entries.take("IN-01", "review", both, dict(REVIEWED))
    with pytest.raises(BadRequest) as half:
        world.catalog.entries.take("IN-01", "review", REVIEWER, {**REVIEWED, "accuracy": False})
    assert rules(half) == {"L-08"}
    assert world.catalog.entries.take("IN-01", "review", REVIEWER, dict(REVIEWED)).state == "reviewed"


def test_only_the_source_unit_and_the_data_department_give_their_consent(world: CatalogWorld) -> None:
    """Q-43."""
    world.draft("IN-01")
    world.forward("IN-01", to="reviewed")
    take = world.catalog.entries.take
    for nobody in (approver(CIVIL), DEPARTMENT, person("clerk", COURT, "applicant")):
        with pytest.raises(NotPermitted):
            take("IN-01", "agree", nobody)
    take("IN-01", "agree", approver(COURT))
    with pytest.raises(NotPermitted):
        take("IN-01", "consent", approver(COURT))
    with pytest.raises(Conflict):
        take("IN-01", "publish", REVIEWER)  # not consented to yet


def test_publication_tells_every_mandatory_element_that_is_empty_and_every_missing_gate(
    world: CatalogWorld,
) -> None:
    """Q-19, Q-02, L-07."""
    world.barred["IN-04"] = NotPermitted(
        "缺", "lacks", problems=[Problem("Q-02", "没有协议", "no agreement")]
    )
    world.draft("IN-04", abstract=None, disclosure=None, categories=[], condition={"to": "破产署"})
    with pytest.raises(BadRequest) as refused:
        world.forward("IN-04")
    assert rules(refused) >= {"GB3-3", "GB3-6", "Q-42", "L-03", "Q-02"}
    assert world.catalog.entry("IN-04") is None
    assert world.catalog.entries.get("IN-04").state == "consented"


def test_a_field_without_a_registered_data_element_keeps_the_entry_back(tmp_path: Path) -> None:
    """L-52."""
    world = CatalogWorld(tmp_path).with_contracts("IN-01")
    elements = world.catalog.entries.elements
    elements.put(Element(**{**elements.get("judge_name").as_dict(), "retired": True}), by="test")
    world.draft("IN-01")
    with pytest.raises(BadRequest) as refused:
        world.forward("IN-01")
    assert [(p.rule, p.where["field"]) for p in refused.value.problems] == [("L-52", "judge_name")]


def test_a_second_source_of_an_item_is_refused_or_a_recorded_exception(world: CatalogWorld) -> None:
    """L-04: one number, one source."""
    world.draft("IN-04")
    world.forward("IN-04")
    taken = {"court_name": "match_result"}  # IN-03 claims an element of which IN-04 is the source
    world.draft("IN-03", elements=taken)
    with pytest.raises(BadRequest) as refused:
        world.forward("IN-03")
    assert rules(refused) == {"L-04"}
    assert "IN-04" in refused.value.problems[0].en


def test_a_recorded_exception_or_a_reference_lets_a_second_source_stand(world: CatalogWorld) -> None:
    """L-04: the first stays the authoritative source."""
    world.draft("IN-04")
    world.forward("IN-04")
    world.draft(
        "IN-03", elements={"court_name": "match_result"}, exceptions={"court_name": "历史数据,市办会议纪要"}
    )
    world.forward("IN-03")
    assert world.catalog.entries.sources.all()["match_result"] == "IN-04"
    assert world.catalog.entries.sources.all()["exec_case_no"] == "IN-03"


def test_what_is_not_shared_needs_its_basis_and_the_supervising_units_word(world: CatalogWorld) -> None:
    """L-02, Q-03."""
    world.draft("OUT-05", legal_basis=None)
    world.forward("OUT-05", to="consented")
    with pytest.raises(BadRequest) as refused:
        world.catalog.entries.take("OUT-05", "publish", REVIEWER)
    assert rules(refused) == {"L-02"}
    assert len(refused.value.problems) == 2  # neither cited nor confirmed
    with pytest.raises(NotPermitted):
        world.catalog.entries.take("OUT-05", "confirm", REVIEWER, {"basis": "x"})
    supervisor = person("super", DATA_DEPARTMENT, "resource_admin")
    world.catalog.entries.take("OUT-05", "reject_basis", supervisor, {"reason": "未注明条款"})
    world.catalog.entries.edit("OUT-05", {"legal_basis": "个人信息保护法"}, EDITOR)
    assert world.forward("OUT-05").state == "published"
    consents = world.catalog.entries.published("OUT-05").consents or {}
    assert consents["supervisor"].by == "super"


def test_a_code_is_never_used_again(world: CatalogWorld) -> None:
    """G17-3."""
    world.draft("IN-01")
    world.catalog.entries.edit("IN-01", {"code": "34440301/00077"}, EDITOR)
    for code in ("34440301/00001", "34440301/00077"):
        with pytest.raises(Conflict):
            world.draft("IN-03", code=code)


def test_a_change_of_class_gives_a_new_code_and_keeps_the_old_one(world: CatalogWorld) -> None:
    world.draft("IN-01")
    world.forward("IN-01")
    world.catalog.entries.take("IN-01", "revise", EDITOR, {"reason": "重新归类"})
    with pytest.raises(BadRequest):
        world.catalog.entries.edit("IN-01", {"code": "34440301/00099"}, EDITOR)  # the same class
    edited = world.catalog.entries.edit("IN-01", {"code": "2080010A/1"}, EDITOR)
    assert edited.content["entry"]["related"] == ["34440301/00001"] or edited.content["entry"]["related"] == (
        "34440301/00001",
    )


def test_a_published_change_goes_the_same_way_and_tells_those_who_use_the_resource(
    world: CatalogWorld,
) -> None:
    """L-10, Q-54: a re-evaluation is a new edition; until it is published the old one stands."""
    users = {f"9144{n:014}" for n in range(45)}
    world.users["IN-01"] = {*users, COURT}
    world.draft("IN-01")
    world.forward("IN-01")
    entries = world.catalog.entries
    entries.tell()
    entries.take("IN-01", "reevaluate", OTHER_EDITOR, {"departs": "volume", "reason": "调用量超出计划"})
    entries.edit(
        "IN-01",
        {
            "condition": {
                "to": "破产署",
                "part": "全部",
                "masked": True,
                "comparison_only": False,
                "use": "办案",
            }
        },
        EDITOR,
    )
    shown = world.catalog.entry("IN-01")
    assert shown is not None
    assert shown.edition == 1
    assert shown.condition.masked is False
    world.forward("IN-01")
    entries.tell()
    entries.tell()
    for unit in users:
        told = [n for n in world.notices.of_unit(unit) if n.kind == "entry.changed"]
        assert len(told) == 2  # each publication once, also beyond what fits into one transaction
        assert "condition" in told[0].en or "condition" in told[1].en
    assert not [n for n in world.notices.of_unit(COURT) if n.kind == "entry.changed"]
    again = entries.shelf.at("IN-01", 1)
    assert again is not None
    assert again.entry.condition.masked is False  # earlier publications stay readable
    assert [t.detail for t in world.traces.list(resource="IN-01") if "reevaluate" in t.detail]


def test_of_two_at_once_on_one_entry_one_wins(world: CatalogWorld) -> None:
    record = world.draft("IN-01")
    mine, theirs = world.catalog.entries, world.another().entries
    mine.edit("IN-01", {"title": "甲"}, EDITOR, seen=record.version)
    with pytest.raises(Conflict):
        theirs.edit("IN-01", {"title": "乙"}, OTHER_EDITOR, seen=record.version)
    assert world.catalog.entries.get("IN-01").content["entry"]["title"] == "甲"
    with pytest.raises(Conflict):
        world.draft("IN-01")


def test_two_resources_published_at_once_do_not_both_become_the_source(world: CatalogWorld) -> None:
    """L-04 under concurrency: the second write sees the first, or is refused."""
    world.draft("IN-04")
    world.draft("IN-03", elements={"court_name": "match_result"})
    world.forward("IN-03", to="consented")
    world.forward("IN-04", to="consented")
    write, once = world.register.write, []

    def interleaved(creates: Any = (), replaces: Any = (), deletes: Any = ()) -> None:
        if not once and any(i.pk == "CATALOG" for i in creates):
            once.append(1)
            world.another().entries.take("IN-04", "publish", REVIEWER)
        write(creates, replaces, deletes)

    world.register.write = interleaved  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.catalog.entries.take("IN-03", "publish", REVIEWER)
    assert world.catalog.entries.sources.all()["match_result"] == "IN-04"
    assert world.catalog.entry("IN-03") is None


def test_a_withdrawn_entry_frees_its_items_and_keeps_its_code(world: CatalogWorld) -> None:
    """X-17."""
    world.draft("IN-04")
    world.forward("IN-04")
    world.catalog.entries.take("IN-04", "withdraw", REVIEWER, {"reason": "停止提供"})
    assert world.catalog.entry("IN-04") is None
    assert "IN-04" not in world.catalog.entries.sources.all().values()
    world.catalog.entries.take("IN-04", "revise", EDITOR, {"reason": "恢复"})
    with pytest.raises(Conflict):
        world.catalog.entries.take("IN-04", "discard", EDITOR)
    assert world.catalog.entries.take("IN-04", "drop", EDITOR).state == "withdrawn"


def test_a_filing_with_the_upper_level_platform_is_recorded(world: CatalogWorld) -> None:
    """L-12."""
    world.draft("IN-01")
    world.forward("IN-01")
    given = {"platform": "省政务数据共享平台", "filing_no": "粤-2026-1", "filing_date": "2026-01-05"}
    filed = world.catalog.entries.take("IN-01", "file", REVIEWER, given)
    assert filed.state == "published"
    assert [f["filing_no"] for f in filed.content["filings"]] == ["粤-2026-1"]


def test_the_conformance_test_lists_each_failed_rule_of_a_draft(world: CatalogWorld) -> None:
    """L-13, L-51, L-11, Q-39, Q-40, Q-45, Q-46."""
    record = world.catalog.entries.open(
        "IN-01", {"frequency": "hourly", "coverage": "village", "basic_items": ["x"]}, EDITOR
    )
    from huitong.catalog.model import Entry

    entry = Entry.from_dict(record.content["entry"])
    found = {f.rule for f in world.catalog.entries.findings(entry)}
    assert found >= {"Q-46", "Q-45", "L-11", "GB3-3", "L-03", "Q-42"}
    nobody = entry.stamped(provider="91440300708461136T")
    assert {"Q-39", "Q-40"} <= {f.rule for f in world.catalog.entries.findings(nobody)}
    basic = entry.stamped(
        code="101001/1", class_path=("基础信息资源",), basic_items=("case_no",), share_type="2"
    )
    assert (basic.share_type_of("case_no"), basic.share_type_of("judge_name")) == ("1", "2")
