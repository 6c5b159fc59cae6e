"""Quality rules over the API and by the command line (C-04, C-06, C-30)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import COURT, Call, World
from tests.support.terminal import Result, invoke

from huitong.identity.model import OPERATOR
from huitong.quality.rulebook.tables import PublishedTables
from huitong.quality.rulebook.trial import Trials
from huitong.warehouse.lakehouse import Lakehouse

Run = Callable[..., Result]
DRAFT = {"id": "large", "resource": "claims", "kind": "range", "fields": ["amount"],
         "parameters": {"maximum": "100"}, "severity": "error", "most": 0, "owner": "质量处"}  # fmt: skip


@pytest.fixture(autouse=True)
def people(world: World) -> None:
    for name, unit, role in (("desk", OPERATOR, "quality"), ("owner", COURT, "resource_admin")):
        world.tokens[name] = world.credentials.issue(name, unit, [role], by="test")[1]


@pytest.fixture
def trials(world: World, platform: Any) -> None:
    house = Lakehouse(platform.ports.catalog, "huitong", platform.ports.warehouse)
    tables = PublishedTables(house, world.publications, world.batches)
    world.trials = Trials(world.rulebook, world.batches, world.staging, tables, world.clock)


def deliver(platform: Any, folder: Path, *amounts: str) -> Any:
    lines = ["claim_no,debtor_id,amount", *(f"N{n},440304190002280012,{a}" for n, a in enumerate(amounts))]
    file = folder / f"d{len(list(folder.iterdir()))}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return platform.deliver(file, "claims", COURT)


def test_a_rule_is_created_tried_enabled_applied_and_disabled(
    world: World, call: Call, platform: Any, trials: None, tmp_path: Path
) -> None:
    """C-04: the whole life, by API."""
    (folder := tmp_path / "files").mkdir()
    before = deliver(platform, folder, "50.00", "500.00", "600.00")
    assert before.counts.quarantined == 0
    made = call("POST", "/v1/rules", as_="desk", body={**DRAFT, "reason": "金额异常"})
    assert (made.status, made.body["state"], made.body["cost"]["class"]) == (201, "draft", "light")
    both = call("GET", "/v1/rules", as_="owner", query={"resource": "claims"})
    origins = {item["finding"]: item["origin"] for item in both.body["items"]}
    assert origins["office:large"] == "office"
    assert origins["key.null"] == "contract"

    tried = call("POST", "/v1/rule-trials", as_="desk",
                 body={"resource": "claims", "rule": "large", "batch": before.id}).body  # fmt: skip
    assert (tried["rows"], tried["violations"], tried["newly_quarantined"], tried["released"]) == (3, 2, 2, 0)
    assert tried["samples"][0] == {
        "source_row": 3,
        "values": {},
    }  # a desk is told which rows, not what they hold
    assert tried["breached"] is True
    published = call("POST", "/v1/rule-trials", as_="desk",
                     body={"resource": "claims", "rule": "large", "table": True}).body  # fmt: skip
    assert (published["rows"], published["violations"]) == (3, 2)
    assert world.rulebook.get("large").version == 1  # nothing was written
    assert world.batches.get(before.id).batch == before

    seen = {"reason": "试运行通过", "seen": 1}
    assert call("POST", "/v1/rules/{id}/enable", path={"id": "large"}, as_="desk", body=seen).status == 200
    late = call("POST", "/v1/rules/{id}/enable", path={"id": "large"}, as_="desk", body=seen)
    assert (late.status, late.code) == (409, "conflict")
    after = deliver(platform, folder, "50.00", "500.00", "601.00")
    assert (after.counts.accepted, after.counts.quarantined) == (1, 2)
    assert after.rules_version != before.rules_version

    runs = call("GET", "/v1/rule-runs", as_="owner", query={"resource": "claims"}).body["items"]
    assert [r["violations"] for r in runs[0]["runs"]] == [2]
    (warning,) = call("GET", "/v1/rule-warnings", as_="owner").body["items"]
    assert (warning["recipient"], warning["state"], warning["level"]) == (COURT, "open", "attention")
    step = {"state": "closed", "remark": "已核实"}
    done = call("POST", "/v1/rule-warnings/{id}/steps", path={"id": warning["id"]}, as_="owner", body=step)
    assert (done.status, done.body["state"]) == (200, "closed")

    body = {"reason": "放宽", "parameters": {"maximum": "1000"}}
    assert call("PUT", "/v1/rules/{id}", path={"id": "large"}, as_="desk", body=body).body["version"] == 3
    rescued = call("POST", "/v1/rule-trials", as_="desk",
                   body={"resource": "claims", "draft": {"id": "large", "kind": "range", "fields": ["amount"],
                         "parameters": {"maximum": "400"}}, "batch": after.id}).body  # fmt: skip
    assert (rescued["newly_quarantined"], rescued["quarantined_now"]) == (2, 0)
    call("POST", "/v1/rules/{id}/disable", path={"id": "large"}, as_="desk", body={"reason": "不再需要"})
    listed = call("GET", "/v1/rules/{id}/versions", path={"id": "large"}, as_="owner").body["items"]
    assert [(v["version"], v["state"]) for v in listed] == [
        (1, "draft"), (2, "enabled"), (3, "enabled"), (4, "disabled")
    ]  # fmt: skip


def test_a_trial_shows_values_masked_and_leaves_evidence(world: World, call: Call, trials: None) -> None:
    rows = [{"claim_no": "N1", "debtor_id": "x"}, {"claim_no": "N2", "debtor_id": "440304190002280012"}]
    draft = {"kind": "semantic", "fields": ["debtor_id"], "parameters": {"semantic": "citizen-id"}}
    said = call(
        "POST", "/v1/rule-trials", as_="desk", body={"resource": "claims", "draft": draft, "rows": rows}
    )
    assert said.body["samples"] == [{"source_row": 1, "values": {"claim_no": "N1", "debtor_id": "***"}}]
    (trace,) = [t for t in world.traces.list(resource="claims") if t.detail.startswith("rule-trial")]
    assert (trace.unit, trace.count, trace.masked) == (OPERATOR, 1, ("claim_no", "debtor_id"))


def test_faults_of_a_rule_are_all_told_and_owners_may_read_but_not_write(call: Call) -> None:
    wrong = {**DRAFT, "fields": ["nope"], "parameters": {"maximum": "100", "codes": ["1"]}, "reason": "x"}
    said = call("POST", "/v1/rules", as_="desk", body=wrong)
    assert said.status == 400
    assert len(said.body["problems"]) == 2
    assert call("POST", "/v1/rules", as_="owner", body={**DRAFT, "reason": "x"}).status == 403
    assert call("GET", "/v1/rules", as_="bureau", query={"resource": "claims"}).status == 404
    assert call("GET", "/v1/rules", as_="bureau").body["items"] == []


@contextmanager
def shell(apps: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)

    def run(*arguments: str, as_: str = "desk", status: int = 0) -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        done = invoke(arguments)
        assert done.exit_code == status, done.output
        return done

    with serving(Gateway(apps, lambda key, body: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)
        yield run


EARLY = "SELECT _source_row FROM delivery JOIN not_here USING (claim_no)"


def test_rules_live_by_the_command_line_alone(
    apps: dict[str, Any], world: World, trials: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder := tmp_path / "rules").mkdir()
    seeds = [DRAFT, {**DRAFT, "id": "early", "kind": "sql", "parameters": {"sql": EARLY}}]
    seeds.append({**DRAFT, "id": "far", "resource": "elsewhere"})
    (folder / "claims.yaml").write_text(json.dumps({"rules": seeds}), encoding="utf-8")
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"claim_no": "1", "amount": "101"}, {"claim_no": "2", "amount": "1"}]))
    with shell(apps, world, monkeypatch) as run:
        seeded = json.loads(run("rule", "seed", str(folder), "--json").stdout)["items"]
        assert "not_here" in seeded.pop(1)["done"]  # it stops no other
        assert [s["done"] for s in seeded] == ["draft", "no such resource"]
        assert "known" in run("rule", "seed", str(folder)).stdout
        tried = json.loads(run("rule", "try", "large", "--rows", str(rows), "--json").stdout)
        assert (tried["violations"], tried["newly_quarantined"]) == (1, 1)
        assert "101" in run("rule", "try", str(folder / "claims.yaml"), "--rows", str(rows)).stdout
        run("rule", "enable", "large", "--reason", "试运行通过", "--seen", "1")
        run("rule", "enable", "large", "--reason", "again", "--seen", "1", status=1)
        (folder / "claims.yaml").write_text(json.dumps({**DRAFT, "severity": "warning"}), encoding="utf-8")
        run("rule", "put", str(folder / "claims.yaml"), "--reason", "改为警告")
        assert "office:large" in run("rule", "list", "--resource", "claims", "--json").stdout
        assert "改为警告" in run("rule", "versions", "large").stdout
        run("rule", "disable", "large", "--reason", "不再需要")
        assert "停用" not in run("rule", "show", "large").stdout
        run("rule", "runs", "--resource", "claims")
        run("rule", "summary", "--resource", "claims")
        run("warning", "list")
        run("rule", "create", str(folder / "claims.yaml"), "--reason", "x", status=1)
    assert [v.version for v in world.rulebook.versions("large")] == [1, 2, 3, 4]
