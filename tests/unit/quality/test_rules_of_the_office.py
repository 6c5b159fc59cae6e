"""Rules of the office on real deliveries: every kind, thresholds, failures (Q-21, C-04, C-06, C-07, C-30, L-06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.rules_world import BY, OTHER, UNIT, RulesWorld

from huitong.errors import BadRequest, Conflict
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notices
from huitong.quality.rulebook.model import OfficeRule

CASE = {"case_no": "C1", "debtor": "张三", "stage": "20", "total": "10.00"}


def claim(no: int, **more: Any) -> dict[str, Any]:
    return {"claim_no": f"N{no}", "case_no": "C1", "amount": "1.00", "kind": "01", **more}


@pytest.fixture
def world(tmp_path: Path) -> RulesWorld:
    return RulesWorld(tmp_path)


@pytest.mark.parametrize(
    ("kind", "field", "parameters", "bad"),
    [
        ("missing", "debtor", {}, ""),
        ("format", "receipt", {"type": "date", "formats": ["yyyy/MM/dd"]}, "2021-02-30"),
        ("format", "receipt", {"max_length": 4}, "12345"),
        ("range", "amount", {"maximum": 100, "exclusive_maximum": True}, "100.00"),
        ("set", "kind", {"codes": ["01", "02"]}, "03"),
        ("pattern", "receipt", {"pattern": "R[0-9]+"}, "x1"),
        ("semantic", "receipt", {"semantic": "mobile"}, "12"),
    ],
)
def test_a_rule_on_one_column_quarantines_the_rows_that_break_it(
    world: RulesWorld, kind: str, field: str, parameters: dict[str, Any], bad: str
) -> None:
    """Q-21, C-07"""
    good = {"debtor": "张三", "receipt": {"pattern": "R12", "semantic": "13800138000"}.get(kind, "")}
    world.rule("r", kind, [field], parameters=parameters)
    batch = world.deliver([claim(1, **good), claim(2, **{**good, field: bad}), claim(3, **good)])
    assert world.found(batch) == [(3, "office:r")]
    assert (batch.counts.accepted, batch.counts.quarantined) == (2, 1)
    assert batch.rules_version == world.book.of(world.platform.contracts.get("claims")).version


def test_a_warning_keeps_the_row_and_an_expression_reads_several_columns(world: RulesWorld) -> None:
    asked = {"expression": "kind <> '02' or amount > 5"}
    world.rule("large", "expression", parameters=asked, severity="warning")
    batch = world.deliver([claim(1), claim(2, kind="02"), claim(3, kind="02", amount="6.00")])
    assert world.found(batch) == [(3, "office:large")]
    assert batch.counts.quarantined == 0
    assert batch.quality.by_rule == {"office:large": 1}


def test_a_reference_finds_rows_without_their_case_and_respects_its_conditions(world: RulesWorld) -> None:
    """Q-21: a claim without its case."""
    asked = {"resource": "cases", "fields": ["case_no"], "when": "kind = '01'", "where": "stage <> '99'"}
    world.rule("case-known", "reference", ["case_no"], parameters=asked)
    rows = [claim(1), claim(2, case_no="C9"), claim(3, case_no="C9", kind="02"), claim(4, case_no=""),
            claim(5, case_no="C2")]  # fmt: skip
    early = world.deliver(rows)
    assert world.found(early) == []  # nothing to compare with must not put every row into quarantine
    told = world.monitor.of_batch(early.id)
    assert told is not None
    assert (told["runs"][0]["state"], told["runs"][0]["why"]) == ("skipped", "cases is not published yet")
    world.cases(CASE, {**CASE, "case_no": "C2", "stage": "99"})
    batch = world.deliver([*rows, claim(6)])
    assert world.found(batch) == [(3, "office:case-known"), (6, "office:case-known")]
    assert batch.counts.quarantined == 2


def test_values_of_two_units_that_differ_are_told_masked_and_the_row_goes_on(world: RulesWorld) -> None:
    """L-06: 多元校核"""
    world.cases(CASE, {**CASE, "case_no": "C2", "debtor": "李四"})
    asked = {"resource": "cases", "other_field": "debtor", "keys": {"case_no": "case_no"}}
    world.rule("debtor-agrees", "agreement", ["debtor"], parameters=asked, severity="warning")
    batch = world.deliver([claim(1, debtor="张三"), claim(2, debtor="王五"), claim(3, debtor="李四", case_no="C2"),
                           claim(4)])  # fmt: skip
    assert world.found(batch) == [(3, "office:debtor-agrees")]
    assert batch.counts.accepted == 4
    (apart,) = world.disagreements(batch)
    assert (apart["rule"], apart["other"], apart["source_row"]) == ("office:debtor-agrees", "cases", 3)
    assert (apart["keys"], apart["own"], apart["theirs"]) == (["N2"], "王*", "张*")


def test_a_value_used_by_another_key_ever_before_is_found(world: RulesWorld) -> None:
    """Q-21: uniqueness across history, also of rows that are not served any more."""
    world.rule("receipt-once", "unique_history", ["receipt"])
    assert world.found(world.deliver([claim(1, receipt="R1"), claim(2, receipt="R2")])) == []
    assert world.found(world.deliver([claim(3, receipt="R3"), claim(2, receipt="R2", amount="3.00")])) == []
    batch = world.deliver([claim(4, receipt="R1"), claim(2, receipt="R2"), claim(5), claim(6)])
    assert world.found(batch) == [(2, "office:receipt-once")]
    twice = world.deliver([claim(7, receipt="R7"), claim(8, receipt="R7"), claim(2, receipt="R2")])
    assert world.found(twice) == [(2, "office:receipt-once"), (3, "office:receipt-once")]


def test_own_sql_names_the_offending_rows_over_the_delivery_and_published_tables(world: RulesWorld) -> None:
    world.cases(CASE)
    sql = (
        "SELECT d._source_row FROM delivery d JOIN (SELECT case_no, sum(amount) AS claimed FROM delivery "
        "GROUP BY case_no) s ON s.case_no = d.case_no JOIN cases c ON c.case_no = d.case_no "
        "WHERE s.claimed > c.total AND d.amount > 4"
    )
    world.rule("not-above-total", "sql", parameters={"sql": sql})
    batch = world.deliver(
        [claim(1, amount="4.00"), claim(2, amount="6.00"), claim(3, amount="0.50"), claim(4)]
    )
    assert world.found(batch) == [(3, "office:not-above-total")]


def test_a_delivery_much_smaller_than_usual_waits_for_a_decision_and_warns(world: RulesWorld) -> None:
    """C-06, C-30: breach → event, notice, warning with level, recipient and state; hold until released."""
    world.rule("usual", "volume", parameters={"editions": 3, "percent": 50, "direction": "less"},
               severity="warning", on_breach="hold", level="serious", zh="行数异常", en="unusual")  # fmt: skip
    for edition in range(2):
        world.deliver([claim(n, amount=f"{edition}.00") for n in range(10)])
    batch = world.deliver([claim(n, amount="7.00") for n in range(4)])
    assert (batch.status, batch.hold_for) == ("held", ("office:usual",))
    assert batch.preview is not None
    assert batch.preview["reasons"] == [{"kind": "rule", "rule": "office:usual"}]
    assert world.found(batch) == [(None, "office:usual")]
    (warning,) = world.monitor.warnings(recipient=UNIT, state="open")
    assert (warning.level, warning.batch, warning.violations) == ("serious", batch.id, 1)
    assert [d["rule"] for kind, d in world.events.published if kind == "RuleBreached"] == ["usual"]
    register = world.platform.ports.register
    assert register.query(f"NOTICE#{UNIT}")[0].body["must_acknowledge"]
    taken = world.monitor.handle(warning.id, "taken", "asked the unit", by="o", unit=UNIT)
    assert taken.state == "taken"
    world.monitor.handle(warning.id, "closed", "a holiday", by="o", unit=UNIT)
    with pytest.raises(Conflict):
        world.monitor.handle(warning.id, "taken", "again", by="o", unit=UNIT)


def test_a_breach_may_reject_the_delivery(world: RulesWorld) -> None:
    world.rule("kinds", "set", ["kind"], parameters={"codes": ["01"]}, severity="warning", most_percent=50.0,
               on_breach="reject")  # fmt: skip
    half = world.deliver([claim(1), claim(2, kind="x")])
    assert half.status == "published"
    most = world.deliver([claim(1), claim(2, kind="x"), claim(3, kind="y")])
    assert most.status == "rejected"
    assert most.refusal is not None
    assert "office:kinds" in most.refusal["en"]
    assert most.counts.balanced("full")
    told = world.monitor.of_batch(most.id)
    assert told is not None
    assert [(r["violations"], r["rows"], r["breached"]) for r in told["runs"]] == [(2, 3, True)]


def test_data_that_are_old_or_distributed_otherwise_are_told(world: RulesWorld) -> None:
    old = (date.today() - timedelta(days=40)).isoformat()
    world.rule("fresh", "freshness", ["filed"], parameters={"days": 30}, severity="warning")
    world.rule("kinds", "drift", ["kind"], parameters={"percent": 20, "minimum_rows": 10}, severity="warning")
    world.rule("amounts", "drift", ["amount"], parameters={"percent": 20, "minimum_rows": 10},
               severity="warning")  # fmt: skip
    today = date.today().isoformat()
    world.deliver([claim(n, filed=today, kind=f"0{n % 2}", amount=f"{n}.00") for n in range(20)])
    batch = world.deliver([claim(n, filed=old, kind="01", amount=f"{n}.00") for n in range(20)])
    told = {f["rule"]: f["value"] for f in world.findings(batch)}
    assert told == {"office:fresh": old, "office:kinds": "50.0"}
    large = world.deliver([claim(n, filed=today, kind="01", amount="100.00") for n in range(20)])
    assert {f["rule"]: f["value"] for f in world.findings(large)} == {"office:amounts": "90.0"}


def test_a_rule_that_fails_is_told_and_loses_nothing(world: RulesWorld) -> None:
    """A rule that cannot be carried out never loses a delivery."""
    world.rule(
        "divides", "sql", parameters={"sql": "SELECT _source_row FROM delivery WHERE CAST(kind AS INT) > 0"}
    )
    world.rule("kinds", "set", ["kind"], parameters={"codes": ["secret"]}, severity="warning")
    batch = world.deliver([claim(1, kind="secret")])
    assert (batch.status, world.found(batch)) == ("published", [(None, "office.error")])
    (told,) = world.findings(batch)
    assert (told["severity"], told["value"]) == ("warning", "office:divides")
    assert "secret" not in told["zh"] + told["en"]  # the engine's words hold values of rows
    (summary, _) = world.monitor.summary(["claims"])
    assert (summary["rule"], summary["failed"], summary["runs"]) == ("divides", 1, 1)


def test_runs_are_summed_by_rule_over_deliveries_and_periods(world: RulesWorld) -> None:
    """C-06: across batches and resources, of one rule, of a period; durations of rules with a pass of their own."""
    world.rule("kinds", "set", ["kind"], parameters={"codes": ["01"]})
    world.rule("once", "unique_history", ["receipt"])
    for rows in ([claim(1, kind="x")], [claim(2, kind="01"), claim(3, kind="y")]):
        batch = world.deliver(rows)
    day = batch.received_at[:10]
    summed = {told["rule"]: told for told in world.monitor.summary(["claims", "cases"])}
    kinds, once = summed["kinds"], summed["once"]
    assert (kinds["runs"], kinds["rows"], kinds["violations"], kinds["mean_ms"]) == (2, 3, 2, -1)
    assert (once["resource"], once["runs"], once["slowest_batch"] != "") == ("claims", 2, True)
    assert 0 <= once["mean_ms"] <= once["slowest_ms"]
    (only,) = world.monitor.summary(["claims"], rule="kinds", since=day, until=day)
    assert only == kinds
    assert world.monitor.summary(["claims"], until="2020-01-01") == []
    (newest,) = world.monitor.summary(["claims"], rule="kinds", limit=1)
    assert newest["runs"] == 1


def test_more_breaches_than_are_warned_of_one_by_one_are_told_together(
    world: RulesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-30: a limit on warnings hides none of them."""
    monkeypatch.setattr("huitong.quality.rulebook.monitor.MOST_WARNINGS", 2)
    for number, level in enumerate(("info", "serious", "info", "attention")):
        world.rule(f"r{number}", "set", ["kind"], parameters={"codes": ["01"]}, most=0, level=level)
    batch = world.deliver([claim(1, kind="x"), claim(2, kind="01")])
    assert sorted(w.rule for w in world.monitor.warnings()) == ["r1", "r3"]
    ports = world.platform.ports
    (told,) = Notices(ports.register, ports.clock).about(f"batch:{batch.id}")
    assert (told.to, "r0, r2" in told.zh, "r0, r2" in told.en) == (OPERATOR, True, True)


def test_a_rule_that_no_longer_fits_its_contract_is_told(world: RulesWorld) -> None:
    made = world.rule("kinds", "set", ["kind"], parameters={"codes": ["01"]})
    register = world.platform.ports.register
    item = register.get("RULES-OF#claims", "kinds")
    assert item is not None
    register.replace(item.with_body(fields=["gone"]))
    batch = world.deliver([claim(1, kind="x")])
    assert made.version == 2
    assert (batch.status, world.found(batch)) == ("published", [(None, "office.error")])


def test_copies_and_deletions_are_not_asked_again(world: RulesWorld) -> None:
    world.cases(CASE)
    world.rule(
        "case-known", "reference", ["case_no"], parameters={"resource": "cases", "fields": ["case_no"]}
    )
    batch = world.deliver([claim(1, case_no="C9"), claim(1, case_no="C9"), claim(2)])
    assert sorted(world.found(batch)) == [(2, "office:case-known"), (3, "key.duplicate")]


def test_each_change_is_a_version_with_its_evidence_and_only_one_of_two_wins(world: RulesWorld) -> None:
    """C-04: created, versioned, enabled, disabled."""
    rule = OfficeRule("kinds", "claims", "set", ("kind",), {"codes": ["01"]}, owner="质量处")
    made = world.book.create(rule, BY)
    assert (made.version, made.state, made.cost["class"]) == (1, "draft", "light")
    contract = world.platform.contracts.get("claims")
    nothing = world.book.of(contract).version
    world.book.move("kinds", "enabled", replace(BY, seen=1))
    first = world.book.of(contract).version
    with pytest.raises(Conflict):
        world.book.put("kinds", {"severity": "warning"}, replace(BY, seen=1))
    world.book.put("kinds", {"zh": "其他说明"}, BY)
    assert world.book.of(contract).version == first  # words decide nothing
    world.book.put("kinds", {"severity": "warning"}, BY)
    assert world.book.of(contract).version not in (first, nothing)
    world.book.move("kinds", "disabled", BY)
    assert world.book.of(contract).version == nothing
    assert [v.state for v in world.book.versions("kinds")] == [
        "draft",
        "enabled",
        "enabled",
        "enabled",
        "disabled",
    ]
    traces = [t.detail for t in world.book._traces.list(resource="claims") if t.detail.startswith("rule:")]
    assert len(traces) == 5
    with pytest.raises(Conflict):
        world.book.create(rule, BY)


@pytest.mark.parametrize(
    ("kind", "fields", "more"),
    [
        ("set", ["nope"], {"parameters": {"codes": ["1"]}}),
        ("set", ["kind"], {"parameters": {"codes": []}}),
        ("set", ["kind"], {"parameters": {"codes": ["1"], "sql": "x"}}),
        ("range", ["kind"], {"parameters": {"minimum": 1}}),
        ("pattern", ["kind"], {"parameters": {"pattern": "(?=x)"}}),
        ("expression", [], {"parameters": {"expression": "read_text('x') = ''"}}),
        ("reference", ["case_no"], {"parameters": {"resource": "none", "fields": ["case_no"]}}),
        ("agreement", ["debtor"], {"parameters": {"resource": "cases", "other_field": "debtor",
                                                 "keys": {"case_no": "case_no"}}}),
        ("sql", [], {"parameters": {"sql": "SELECT _source_row FROM read_csv('x')"}}),
        ("sql", [], {"parameters": {"sql": "DELETE FROM delivery"}}),
        ("sql", [], {"parameters": {"sql": "SELECT _source_row FROM delivery, delivery$quarantine"}}),
        ("sql", [], {"parameters": {"sql": "SELECT claim_no FROM delivery"}}),
        ("sql", [], {"parameters": {"sql": "SELECT _source_row FROM delivery WHERE rand() > 0.5"}}),
        ("volume", [], {"parameters": {"editions": 3, "percent": 10}}),
    ],
)  # fmt: skip
def test_a_rule_that_could_not_be_carried_out_is_not_saved(
    world: RulesWorld, kind: str, fields: list[str], more: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest):
        world.rule("r", kind, fields, **more)


def test_a_slow_rule_says_so_when_it_is_saved(world: RulesWorld) -> None:
    """C-04: cost by shape and by the tables that it reads."""
    world.cases(CASE)
    costs = {}
    for id, kind, fields, parameters in (
        ("a", "set", ["kind"], {"codes": ["1"]}),
        ("b", "unique_history", ["receipt"], {}),
        ("c", "reference", ["case_no"], {"resource": "cases", "fields": ["case_no"]}),
        ("d", "sql", [], {"sql": "SELECT d._source_row FROM delivery d, cases c WHERE d.amount > c.total"}),
        ("e", "volume", [], {"editions": 2, "percent": 10}),
    ):
        more = {"severity": "warning"} if kind == "volume" else {}
        costs[id] = world.rule(id, kind, fields, parameters=parameters, **more).cost
    assert {id: c["class"] for id, c in costs.items()} == {
        "a": "light", "b": "other-table", "c": "other-table", "d": "slow", "e": "set"
    }  # fmt: skip
    assert costs["c"]["tables"] == {"cases": 1}
    assert "等值" in costs["d"]["zh"]


@pytest.mark.parametrize(
    ("where", "slow"),
    [
        ("EXISTS (SELECT 1 FROM cases c WHERE c.total < d.amount)", True),
        ("d.amount > (SELECT max(c.total) FROM cases c WHERE c.stage < d.kind)", True),
        ("NOT EXISTS (SELECT 1 FROM cases c WHERE d.case_no = c.case_no AND c.total < d.amount)", False),
        ("d.amount > (SELECT max(total) FROM cases)", False),
        ("d.case_no NOT IN (SELECT case_no FROM cases)", False),
        ("d.case_no IN (SELECT c.case_no FROM cases c WHERE c.total < d.amount)", False),
    ],
)
def test_a_rule_that_looks_at_each_row_with_each_is_told_as_slow(
    world: RulesWorld, where: str, slow: bool
) -> None:
    """C-04: also where the comparison stands in a sub-query."""
    world.cases(CASE)
    made = world.rule("r", "sql", parameters={"sql": f"SELECT d._source_row FROM delivery d WHERE {where}"})
    assert (made.cost["class"] == "slow") is slow


def test_the_other_units_rows_are_read_as_of_what_is_published(world: RulesWorld) -> None:
    assert world.cases(CASE).unit == OTHER
    world.rule(
        "case-known", "reference", ["case_no"], parameters={"resource": "cases", "fields": ["case_no"]}
    )
    assert world.found(world.deliver([claim(1), claim(2, case_no="C2")])) == [(3, "office:case-known")]
    world.cases(CASE, {**CASE, "case_no": "C2"})
    assert world.found(world.deliver([claim(1), claim(2, case_no="C2"), claim(3)])) == []
