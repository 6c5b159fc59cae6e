"""Findings become issues: opened once, checked again, closed, escalated (C-05)."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.standing import standing_areas

from huitong.audit.trace import Traces
from huitong.batches.held import Holding
from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import DECIDED, Batches
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, Conflict, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.identity.units import Units
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.ports import Item, timestamp
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.sharing.grants import Grants
from huitong.supervision.quality.issues import QualityIssues
from huitong.supervision.quality.policy import IssuePolicy

COURT = "1144030000AA01019J"
QUALITY = Actor(Principal("q-court", COURT, frozenset({"quality"})), COURT)
DESK = Actor(Principal("o", OPERATOR, frozenset({"officer"})), OPERATOR)
CHECKS = {"error|missing|amount|required": 3, "error|format|born|type": 1, "warning|constraint|a,b|rule:r": 2}


@pytest.fixture
def world(tmp_path: Any) -> Any:
    register, clock = MemoryRegister(), ManualClock()
    w = SimpleNamespace(register=register, clock=clock, traces=Traces(register, clock))
    w.calendar, w.units = Calendar(register), Units(register)
    w.staging = DiskObjects(tmp_path)
    w.contracts = Contracts(register, w.staging, clock)
    w.grants, w.batches, w.subscriptions = Grants(register, clock), Batches(register, clock), None
    standing_areas(w)
    w.issues = QualityIssues(
        register, w.traces, w.calendar, clock, w.batches, supervision=lambda: w.supervision
    )
    w.notices = Notices(register, clock)
    w.units.put(COURT, "市中级人民法院")
    return w


def delivered(world: Any, id: str, checks: dict[str, int], **more: Any) -> Batch:
    """A batch that validation has decided on."""
    world.clock.advance(minutes=1)
    by_rule: dict[str, int] = {}
    for key, n in checks.items():
        rule = key.split("|", 3)[3]
        by_rule[rule] = by_rule.get(rule, 0) + n
    now = timestamp(world.clock.now())
    batch = Batch(id, "claims", COURT, "full", "ingested", "k", received_at=now, order=now)
    stored = world.batches.create(replace(batch, **more), by="t")
    bad = sum(n for key, n in checks.items() if key.startswith("error"))
    counts = Counts(received=10, accepted=10 - bad, quarantined=bad, withheld=10 - bad)
    quality = Quality(by_rule=by_rule, checks=checks)
    held = [] if more.get("mends") else [
        Item("HELD#claims", id, Holding(id, "claims", COURT, now, bad).as_dict())
    ]  # fmt: skip
    return world.batches.move(
        stored, "validated", by="validate", counts=counts, quality=quality, decision="accepted in part",
        creates=held,
    ).batch  # fmt: skip


def test_each_rule_of_a_delivery_becomes_one_issue_however_often_it_is_followed(world: Any) -> None:
    """C-05: three rules (a warning beyond 5 %), three issues, one notice; repeated events change nothing."""
    batch = delivered(world, "b1", CHECKS)
    assert world.issues.tick()["followed"] == 1
    assert world.register.query(DECIDED) == []
    for _ in range(2):
        world.issues.follow(batch)
    found = world.issues.list(COURT)
    assert sorted((r.content["rule"], r.content["column"], r.content["found"]) for r in found) == [
        ("required", "amount", 3), ("rule:r", "a,b", 2), ("type", "born", 1),
    ]  # fmt: skip
    told = [n for n in world.notices.of_unit(COURT) if n.kind == "quality_issue.open"]
    assert len(told) == 1
    assert told[0].due == found[0].clocks["mend"].due


def test_warnings_within_the_threshold_are_no_issue(world: Any) -> None:
    """C-05."""
    world.issues.set_policy(IssuePolicy(warning_percent=20), by="t", unit=OPERATOR)
    world.issues.follow(delivered(world, "b1", CHECKS))
    assert {r.content["rule"] for r in world.issues.list(COURT)} == {"required", "type"}


def test_a_delivery_that_mends_closes_what_it_mended_and_keeps_what_is_left(world: Any) -> None:
    """C-05: the check is made of the mended delivery's own result, and noted once."""
    world.issues.follow(delivered(world, "b1", CHECKS))
    mended = delivered(world, "b2", {"error|missing|amount|required": 1}, mends="b1", mode="increment")
    world.issues.follow(mended)
    world.issues.follow(mended)
    by_rule = {r.content["rule"]: r for r in world.issues.list(COURT)}
    assert by_rule["required"].content["remaining"] == 1
    assert [t.step for t in by_rule["required"].history] == ["open", "recheck"]
    item = world.register.get("HELD#claims", "b1")
    world.register.replace(item.with_body(takes=[
        {"batch": "b2", "kind": "mended", "rows": 4, "also": 0, "key": "k"}]))  # fmt: skip
    world.issues.follow(delivered(world, "b3", {}, mends="b1", mode="increment"))
    assert {r.state for r in world.issues.list(COURT)} == {"closed"}
    assert world.register.query("ISSUES-OF#claims") == []


def test_the_next_full_edition_checks_the_issues_of_the_ones_before(world: Any) -> None:
    """C-05: a rule that a later whole edition keeps is mended; one that it breaks is not."""
    world.issues.follow(delivered(world, "b1", CHECKS))
    world.issues.follow(delivered(world, "b2", {"error|format|born|type": 4}))
    of_first = {r.content["rule"]: r for r in world.issues.list(COURT, batch="b1")}
    assert (of_first["required"].state, of_first["type"].content["remaining"]) == ("closed", 4)
    assert [r.content["rule"] for r in world.issues.list(COURT, batch="b2")] == ["type"]


def test_an_overdue_issue_is_escalated_and_leads_to_one_rectification_notice(world: Any) -> None:
    """C-05: five working days over a weekend, a reminder, the breach, and the operator's notice once."""
    world.issues.follow(delivered(world, "b1", CHECKS))
    due = world.issues.list(COURT)[0].clocks["mend"].due
    world.clock.advance(days=30)
    done = world.issues.tick()
    assert done["rectifications"] == 1
    assert world.issues.tick()["rectifications"] == 0
    assert {r.state for r in world.issues.list(COURT)} == {"escalated"}
    assert len(world.issues.list(late=True)) == 3
    (notice,) = world.supervision.desks["rectification"].of_unit(COURT)
    assert notice.content["batch"] == "b1"
    assert notice.clocks["answer"].due > due


def test_a_time_limit_follows_the_resource_before_the_unit(world: Any) -> None:
    """C-05: deadlines are counted in working days by policy."""
    world.issues.set_policy(
        IssuePolicy(by_unit={COURT: 3}, by_resource={"claims": 10}), by="t", unit=OPERATOR
    )
    world.issues.follow(delivered(world, "b1", CHECKS))
    clock = world.issues.list(COURT)[0].clocks["mend"]
    assert clock.days == 10
    with pytest.raises(BadRequest):
        IssuePolicy.of({"by_unit": {COURT: 0}})


def test_a_dispute_stops_the_clock_until_the_operator_decides(world: Any) -> None:
    """C-05: the rule can be wrong; only the operator says so, and of two decisions at once one wins."""
    world.issues.follow(delivered(world, "b1", CHECKS))
    first, second = (r.id for r in world.issues.list(COURT)[:2])
    issues = world.issues
    issues.take(first, "assign", QUALITY, {"officer": "li.si"})
    assert [r.id for r in issues.list(COURT, officer="li.si")] == [first]
    disputed = issues.take(first, "dispute", QUALITY, {"reason": "该字段可空"})
    world.clock.advance(days=30)
    issues.tick()
    assert issues.desk.get(first).state == "disputed"
    with pytest.raises(NotPermitted):
        issues.take(first, "uphold", QUALITY, {"reason": "x"})
    issues.take(first, "uphold", DESK, {"reason": "规则过严"}, seen=disputed.version + 1)
    with pytest.raises(Conflict):
        issues.take(first, "reject", DESK, {"reason": "x"}, seen=disputed.version + 1)
    assert issues.desk.get(first).state == "void"
    assert issues.desk.get(second).state == "escalated"


def test_a_file_that_cannot_be_read_is_an_issue_too(world: Any) -> None:
    """C-05."""
    batch = Batch("b9", "claims", COURT, "full", "received", "k", received_at="2026-01-05T00:00:00.000Z")
    stored = world.batches.create(batch, by="t")
    world.batches.move(stored, "rejected", by="intake", decision="rejected", refusal={"code": "x"})
    world.issues.tick()
    assert [r.content["rule"] for r in world.issues.list(COURT)] == ["delivery.refused"]


def test_what_waits_is_listed_however_much_has_ended(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-05, C-09: the oldest open issue is the one that must not fall off a list."""
    monkeypatch.setattr("huitong.supervision.quality.issues._ENDED_MOST", 1)
    world.issues.follow(delivered(world, "b1", CHECKS))
    oldest = {r.id for r in world.issues.list(COURT)}
    world.issues.follow(delivered(world, "b2", CHECKS, mode="increment"))
    for record in world.issues.list(COURT, batch="b2"):
        world.issues.take(record.id, "close", DESK, {"reason": "x"})
    assert {r.id for r in world.issues.waiting(COURT)} == oldest
    for unit in (COURT, ""):
        found = world.issues.list(unit)
        assert oldest <= {r.id for r in found}
        assert len(found) == 4
        assert {r.content["batch"] for r in world.issues.list(unit, state="closed")} == {"b2"}
    issue = min(oldest)
    world.issues.take(issue, "assign", QUALITY, {"officer": "li.si"})
    assert [r.id for r in world.issues.list(officer="li.si")] == [issue]
