"""Rows wrongly held are rescued by a corrected rule, once; rows that nobody mends expire, with notice."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_world import AMOUNT, KEY, UNIT, Flow, contract, csv_text
from test_mended_rows import held, mended, rules

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.batches.quarantine import Quarantine
from huitong.errors import Conflict
from huitong.notices.notices import Notices
from huitong.ports import timestamp
from huitong.procedures.calendar import Calendar
from huitong.quality.replaying import ReplayPreview
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.checking import Office
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.tables import PublishedTables

CHANGE = Change("officer", UNIT, "a test")

NARROW = contract(KEY, AMOUNT, "name: kind, logicalType: string, logicalTypeOptions: {pattern: '[ab]'}")
WIDE = contract(KEY, AMOUNT, "name: kind, logicalType: string, logicalTypeOptions: {pattern: '[abc]'}")
CASES = contract(KEY, id="cases")
ROWS = "item,amount,kind\n001,1.00,a\n002,2.00,c\n003,drei,c\n004,4.00,d\n"


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "platform", NARROW)


def quarantine(flow: Flow) -> Quarantine:
    p = flow.ports
    return Quarantine(
        register=p.register,
        batches=flow.batches,
        contracts=flow.contracts.all,
        rules=flow.rulebook.standing,
        profile_version=lambda _: 0,
        staging=p.staging,
        ingest_queue=flow.ingest_queue,
        calendar=Calendar(p.register),
        traces=Traces(p.register, p.clock),
        clock=p.clock,
    )


def replayed(flow: Flow, id: str) -> str:
    """Ask for a replay and take it through; the id of its batch."""
    batch = quarantine(flow).replay(
        flow.batches.get(id).batch, flow.contracts.get(flow.resource), by="officer"
    )
    flow.work_off()
    return batch.id


def preview(flow: Flow) -> ReplayPreview:
    tables = PublishedTables(flow.lakehouse, flow.publications, flow.batches)
    office = Office(flow.rulebook.of, flow.rulebook.known, tables)
    return ReplayPreview(flow.batches, flow.ports.staging, lambda: office, flow.ports.clock)


def published_cases(flow: Flow, cases: str, *keys: str) -> None:
    own, flow.resource = flow.resource, cases
    flow.published("item\n" + "".join(f"{key}\n" for key in keys))
    flow.resource = own


def landed(flow: Flow, text: str, **said: str) -> Batch:
    """Published, having landed by the clock of the test."""
    key = flow.put(text, **said)
    batch = flow.ingest(key, timestamp(flow.ports.clock.now()))
    assert batch is not None
    flow.validate(batch.id)
    flow.compare()
    return flow.now(batch)


def test_a_corrected_rule_rescues_what_it_held_and_a_second_replay_is_the_same_batch(flow: Flow) -> None:
    """C-07: preview first, then those rows go through the ordinary flow, once."""
    first = flow.published(ROWS)
    assert held(flow, first)["open"] == 3
    now = flow.contracts.put(WIDE, by="test", provider=UNIT)
    told = preview(flow).run(flow.now(first), now)
    assert (told["open"], told["would_pass"], told["still_bad"]) == (3, 1, 2)
    assert {r["rule"]: (r["before"], r["now"]) for r in told["by_rule"]} == {
        "pattern": (3, 1),
        "type": (1, 1),
    }
    id = replayed(flow, first.id)
    batch = flow.batches.get(id).batch
    assert (batch.status, batch.replay, batch.counts.accepted, batch.counts.quarantined) == (
        "published",
        True,
        1,
        2,
    )
    assert held(flow, first) == {"open": 2, "mended": 0, "replayed": 1, "expired": 0}
    assert sorted(flow.values("kind").items()) == [("001", "a"), ("002", "c")]
    assert replayed(flow, first.id) == id
    assert held(flow, first)["replayed"] == 1
    flow.published(mended((4, "003", "3.00")), mends=first.id)
    assert held(flow, first)["open"] == 1
    flow.check()


def test_a_replay_never_overrides_what_was_delivered_since(flow: Flow) -> None:
    """C-13: also rescued rows stand where their first delivery landed."""
    first = flow.published(ROWS)
    flow.published("item,amount,kind\n002,2.22,b\n", mode="increment")
    flow.contracts.put(WIDE, by="test", provider=UNIT)
    id = replayed(flow, first.id)
    assert flow.batches.get(id).batch.counts.withheld == 1
    assert rules(flow, flow.batches.get(id).batch)[3] == ["mend.superseded"]
    assert str(flow.values("amount")["002"]) == "2.22"
    flow.check()


def test_a_rejected_edition_is_replayed_as_the_edition_that_it_was(tmp_path: Path) -> None:
    """C-07: a wrong rule turned a whole delivery away; corrected, it is published whole, deletions too."""
    limited = {"maxQuarantinedPercent": "10"}
    fields = (KEY, AMOUNT, "name: kind, logicalType: string, logicalTypeOptions: {pattern: '[ab]'}")
    flow = Flow(tmp_path / "p", contract(*fields, custom=limited))
    flow.published("item,amount,kind\n000,0.00,a\n001,1.00,a\n")
    second = flow.published("item,amount,kind\n001,1.00,a\n002,2.00,c\n002,2.00,c\n", edition="2")
    assert second.status == "rejected"
    wide = (KEY, AMOUNT, "name: kind, logicalType: string, logicalTypeOptions: {pattern: '[abc]'}")
    flow.contracts.put(contract(*wide, custom=limited), by="test", provider=UNIT)
    id = replayed(flow, second.id)
    assert flow.batches.get(id).batch.mode == "full"
    assert sorted(flow.values("kind")) == ["001", "002"]
    assert held(flow, second) == {"open": 0, "mended": 0, "replayed": 2, "expired": 0}
    flow.check()


def test_nothing_expires_before_a_decision_and_a_notice(tmp_path: Path) -> None:
    """X-12: an edition that waits for an officer keeps its rows; afterwards the unit has its ten days."""
    limited = {"maxDeletedPercent": "10", "guardFloor": "0"}
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, custom=limited))
    landed(flow, "item,amount\n001,1.00\n002,2.00\n003,3.00\n")
    waiting = landed(flow, "item,amount\n001,1.00\n009,x\n")
    assert waiting.status == "held"
    desk = quarantine(flow)
    flow.ports.clock.advance(seconds=200 * 86_400)  # type: ignore[attr-defined]
    assert desk.tick() == {"noticed": [], "expired": []}
    flow.hold.release(waiting.id, by="officer")
    flow.compare()
    assert flow.now(waiting).status == "published"
    assert desk.tick() == {"noticed": [waiting.id], "expired": []}
    flow.ports.clock.advance(seconds=10 * 86_400)  # type: ignore[attr-defined]
    assert desk.tick() == {"noticed": [], "expired": []}
    flow.ports.clock.advance(seconds=10 * 86_400)  # type: ignore[attr-defined]
    assert desk.tick() == {"noticed": [], "expired": [waiting.id]}


def test_of_a_rejected_delivery_that_expired_nothing_is_left_but_its_file(tmp_path: Path) -> None:
    """X-12: every row of it was held, so what was staged goes as well."""
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, custom={"maxQuarantinedPercent": "10"}))
    first = landed(flow, "item,amount\n001,1.00\n002,x\n")
    assert (first.status, held(flow, first)["open"]) == ("rejected", 2)
    desk = quarantine(flow)
    for days in (175, 20):
        flow.ports.clock.advance(seconds=days * 86_400)  # type: ignore[attr-defined]
        desk.tick()
    assert held(flow, first)["expired"] == 2
    staged = flow.now(first).staging
    desk.let_go(first.id)
    assert [flow.ports.staging.read(key) for key in staged] == [b""]
    assert flow.now(first).staging == ()
    assert flow.ports.landing.head(first.landing_key) is not None


def test_rows_held_for_a_case_that_came_later_are_rescued_by_the_same_rules(flow: Flow) -> None:
    """C-07: a claim came before its case. Nothing changed but what is published: that is another replay."""
    cases = flow.contracts.put(CASES, by="test", provider=UNIT)
    rule = OfficeRule("known", flow.resource, "reference", ("item",),
                      {"resource": "cases", "fields": ["item"]})  # fmt: skip
    flow.rulebook.create(rule, CHANGE)
    flow.rulebook.move("known", "enabled", CHANGE)
    published_cases(flow, cases.id, "001")
    first = flow.published("item,amount,kind\n001,1.00,a\n002,2.00,b\n003,drei,b\n")
    assert held(flow, first)["open"] == 2
    early = replayed(flow, first.id)
    assert replayed(flow, first.id) == early
    assert held(flow, first)["open"] == 2
    published_cases(flow, cases.id, "001", "002", "003")
    told = preview(flow).run(flow.now(first), flow.contracts.get(flow.resource))
    assert (told["would_pass"], told["still_bad"]) == (1, 1)
    assert {r["rule"]: (r["before"], r["now"]) for r in told["by_rule"]} == {
        "office:known": (2, 0), "type": (1, 1),
    }  # fmt: skip
    late = replayed(flow, first.id)
    assert late != early
    assert held(flow, first) == {"open": 1, "mended": 0, "replayed": 1, "expired": 0}
    assert sorted(flow.values("kind")) == ["001", "002"]
    assert replayed(flow, first.id) == late
    flow.check()


def test_a_preview_of_many_rows_says_that_it_is_a_sample(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-07: and looks at what rows are in company with others as far as it has them."""
    monkeypatch.setattr("huitong.quality.replaying.MOST", 2)
    first = flow.published("item,amount,kind\n000,1,a\n001,1,c\n001,2,c\n002,2,c\n")
    flow.contracts.put(WIDE, by="test", provider=UNIT)
    told = preview(flow).run(flow.now(first), flow.contracts.get(flow.resource))
    assert (told["open"], told["looked_at"], told["sampled"]) == (3, 2, True)
    assert ("共 3 行" in told["zh"], "2 of 3" in told["en"]) == (True, True)
    monkeypatch.setattr("huitong.quality.replaying.MOST", 10)
    told = preview(flow).run(flow.now(first), flow.contracts.get(flow.resource))
    assert (told["would_pass"], told["still_bad"], told["sampled"]) == (1, 2, False)


def test_nothing_open_is_nothing_to_replay(flow: Flow) -> None:
    """C-07"""
    first = flow.published(csv_text([{"item": "001", "amount": "1.00", "kind": "a"}]))
    with pytest.raises(Conflict):
        replayed(flow, first.id)


def test_rows_that_nobody_mends_expire_after_notice_and_the_ledger_knows(flow: Flow) -> None:
    """X-12: ten working days before, the unit is told once; then rows are counted as expired and are gone."""
    first = landed(flow, ROWS)
    desk = quarantine(flow)
    assert desk.tick() == {"noticed": [], "expired": []}
    flow.ports.clock.advance(seconds=170 * 86_400)  # type: ignore[attr-defined]
    assert desk.tick() == {"noticed": [first.id], "expired": []}
    assert desk.tick() == {"noticed": [], "expired": []}
    (notice,) = Notices(flow.ports.register, flow.ports.clock).of_unit(UNIT)
    assert (notice.kind, notice.about) == ("quarantine.expiring", f"batch:{first.id}")
    flow.ports.clock.advance(seconds=15 * 86_400)  # type: ignore[attr-defined]
    assert desk.tick() == {"noticed": [], "expired": [first.id]}
    assert held(flow, first) == {"open": 0, "mended": 0, "replayed": 0, "expired": 3}
    key = flow.now(first).quarantine
    assert flow.ingest_queue.drain() == [{"let_go": first.id}]
    assert desk.let_go(first.id)["let_go"] == 1
    assert flow.ports.staging.read(key) == b""
    assert flow.now(first).quarantine == ""
    assert desk.let_go(first.id)["let_go"] == 0
    late = landed(flow, csv_text([{"item": "002", "amount": "2.00", "kind": "a"}]), mends=first.id)
    assert (late.status, late.decision) == ("rejected", "rejected")
    flow.check()


def test_what_is_held_is_grouped_by_rule_unit_and_age(flow: Flow) -> None:
    """C-07, Q-22: from the figures of batches alone."""
    first = landed(flow, ROWS)
    flow.ports.clock.advance(seconds=40 * 86_400)  # type: ignore[attr-defined]
    landed(flow, "item,amount,kind\n009,neun,a\n", mode="increment")
    landed(flow, "item,amount,kind\n008,8.00,a\n009,neun,a\n", mode="increment")
    landed(flow, mended((3, "002", "2.00")), mends=first.id)
    desk = quarantine(flow)
    lines = {line.group: (line.batches, line.rows, line.open, line.mended) for line in desk.grouped("rule")}
    assert lines["pattern"] == (1, 3, 2, 1)
    assert lines["type"][:2] == (3, 3)
    assert [(a.group, a.rows, a.open) for a in desk.grouped("age")] == [("<7d", 2, 2), ("<90d", 3, 2)]
    assert [(u.group, u.rows) for u in desk.grouped("unit", flow.resource)] == [(UNIT, 5)]
