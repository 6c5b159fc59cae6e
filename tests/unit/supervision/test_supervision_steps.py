"""Rectification, complaints, planned changes, new projects (L-46 to L-48)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.standing import DIGEST, person
from tests.support.standing_world import BANK, BUREAU, COURT, StandingWorld

from huitong.errors import BadRequest, Conflict, NotPermitted
from huitong.identity.model import OPERATOR
from huitong.procedures.model import Record
from huitong.sharing.grants import Grant

DESK = person(OPERATOR)


@pytest.fixture
def world(tmp_path: Path) -> StandingWorld:
    return StandingWorld(tmp_path)


def take(world: StandingWorld, record: Record, step: str, unit: str, **given: Any) -> Record:
    return world.supervision.take(record.procedure, record.id, step, person(unit), given)


class TestRectification:
    """L-46: with a time limit; the answer is tracked; overdue ones are listed."""

    def issue(self, world: StandingWorld, limit: str = "2026-01-09") -> Record:
        body = {"unit": COURT, "grounds": "数据质量", "limit": limit}
        return world.supervision.open("rectifications", DESK, body)

    def test_it_is_answered_returned_with_a_new_limit_and_accepted(self, world: StandingWorld) -> None:
        made = self.issue(world)
        assert made.clocks["answer"].due == "2026-01-09"
        made = take(world, made, "answer", COURT, text="已整改")
        made = take(world, made, "return", OPERATOR, reason="不完整", limit="2026-01-16")
        assert (made.state, made.clocks["answer"].due) == ("returned", "2026-01-16")
        made = take(world, made, "answer", COURT, text="全部整改")
        assert take(world, made, "accept", OPERATOR).state == "accepted"

    def test_overdue_ones_are_listed_and_both_sides_told_once(self, world: StandingWorld) -> None:
        made, later = self.issue(world), self.issue(world, "2026-03-01")
        assert world.supervision.overdue() == []
        world.clock.advance(days=5)
        world.supervision.tick()
        world.supervision.tick()
        assert [r.id for r in world.supervision.overdue()] == [made.id]
        told = [n.kind for n in world.notices.of_unit(COURT) if n.about.endswith(made.id)]
        assert told.count("rectification.breached") == 1
        take(world, made, "answer", COURT, text="迟复")
        assert world.supervision.overdue() == []
        assert world.supervision.desks["rectification"].get(made.id).clocks["answer"].breached
        assert later.state == "issued"

    def test_only_the_desk_issues_and_only_the_unit_answers(self, world: StandingWorld) -> None:
        body = {"unit": COURT, "grounds": "x", "limit": "2026-01-09"}
        with pytest.raises(NotPermitted):
            world.supervision.open("rectifications", person(BANK), body)
        with pytest.raises(NotPermitted):
            take(world, self.issue(world), "answer", BANK, text="x")
        with pytest.raises(BadRequest):
            self.issue(world, "2026-01-04")  # a limit in the past


def test_a_complaint_is_registered_and_answered_in_writing(world: StandingWorld) -> None:
    """L-46: of one unit about another."""
    made = world.supervision.open(
        "complaints", person(BANK), {"respondent": COURT, "matter": "接口长期不可用"}
    )
    assert [n.kind for n in world.notices.of_unit(COURT)] == ["complaint.file"]
    with pytest.raises(Conflict):
        take(world, made, "answer", COURT, text="x")
    made = take(world, made, "register", OPERATOR)
    with pytest.raises(BadRequest):
        take(world, made, "answer", COURT)  # in writing: a text
    made = take(world, made, "answer", COURT, text="已修复")
    made = take(world, made, "conclude", OPERATOR, decision="已解决")
    assert made.state == "concluded"
    assert "complaint.conclude" in [n.kind for n in world.notices.of_unit(BANK)]
    with pytest.raises(BadRequest):
        world.supervision.open("complaints", person(BANK), {"respondent": BANK, "matter": "x"})


class TestPlannedChanges:
    """L-48: filed and confirmed before it takes place; affected partners are told."""

    BODY: ClassVar = {
        "kind": "upgrade", "resources": ["claims"], "starts": "2026-01-08", "ends": "2026-01-09",
        "impact": "暂停推送",
    }  # fmt: skip

    def file(self, world: StandingWorld) -> Record:
        return world.supervision.open("change-notices", person(COURT), self.BODY)

    def test_partners_with_a_grant_are_told_when_it_is_confirmed_and_when_it_is_done(
        self, world: StandingWorld
    ) -> None:
        world.grants.put(Grant(BANK, "claims"), world.contracts.get("claims"), by="x")
        made = self.file(world)
        assert world.notices.of_unit(BANK) == []
        made = take(world, made, "confirm", OPERATOR)
        (told,) = world.notices.of_unit(BANK)
        assert (told.kind, told.due, told.must_acknowledge) == ("change_notice.confirm", "2026-01-08", True)
        assert world.notices.of_unit(BUREAU) == []
        with pytest.raises(BadRequest):
            take(world, made, "begin", COURT)  # not before the day that was filed
        world.clock.advance(days=3)
        take(world, made, "begin", COURT)
        take(world, made, "complete", COURT)
        assert {n.kind for n in world.notices.of_unit(BANK)} == {
            "change_notice.confirm",
            "change_notice.complete",
        }

    def test_what_nobody_confirmed_cannot_begin_and_lapses(self, world: StandingWorld) -> None:
        made = self.file(world)
        with pytest.raises(Conflict):
            take(world, made, "begin", COURT)
        world.clock.advance(days=4)
        world.supervision.tick()
        assert world.supervision.desks["change_notice"].get(made.id).state == "lapsed"

    def test_a_unit_files_for_its_own_resources_and_not_for_days_that_passed(
        self, world: StandingWorld
    ) -> None:
        with pytest.raises(BadRequest):
            world.supervision.open("change-notices", person(BUREAU), self.BODY)
        with pytest.raises(BadRequest):
            world.supervision.open("change-notices", person(COURT), {**self.BODY, "starts": "2026-01-01"})


def test_a_project_is_accepted_only_after_its_catalogue_was_prepared_and_its_check_passed(
    world: StandingWorld,
) -> None:
    """L-47: two dates, prepared before approval and passed before acceptance."""
    body = {"project": "新系统", "prepared_on": "2026-01-03", "document": "d", "digest": DIGEST}
    made = world.supervision.open("compliance-checks", person(COURT), body)
    with pytest.raises(Conflict):
        take(world, made, "accept", OPERATOR, accepted_on="2026-01-05")
    with pytest.raises(BadRequest):
        take(world, made, "approve", OPERATOR, approved_on="2026-01-02", approval="文号")
    made = take(world, made, "approve", OPERATOR, approved_on="2026-01-03", approval="文号")
    made = take(world, made, "fail", OPERATOR, checked_on="2026-01-04", findings="目录不全")
    with pytest.raises(Conflict):
        take(world, made, "accept", OPERATOR, accepted_on="2026-01-05")
    made = take(world, made, "pass", OPERATOR, checked_on="2026-01-05", findings="齐全")
    with pytest.raises(BadRequest):
        take(world, made, "accept", OPERATOR, accepted_on="2026-01-04")
    done = take(world, made, "accept", OPERATOR, accepted_on="2026-01-05")
    assert (done.content["prepared_on"], done.content["checked_on"]) == ("2026-01-03", "2026-01-05")
