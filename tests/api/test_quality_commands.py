"""Findings are worked on, and scores read, from a terminal alone (C-05, C-08, C-09, C-16)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import COURT, World
from tests.support.terminal import Result, invoke

from huitong.batches.model import Batch, Counts, Quality
from huitong.ports import timestamp

Run = Callable[..., Result]


@pytest.fixture
def run(apps: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A command as somebody; another exit status than expected fails the test."""
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)

    def run(*arguments: str, as_: str = "court", status: int = 0) -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        done = invoke(arguments)
        assert done.exit_code == status, done.output
        return done

    def fetched(_client: Any, url: str, target: Path, *, sha256: str) -> None:
        del sha256
        target.write_bytes(world.staging.read(world.staging.key_of(url.partition("?")[0])))

    monkeypatch.setattr("huitong.cli.client.Client.download", fetched)
    with serving(Gateway(apps, lambda key, body: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)
        yield run


@pytest.fixture
def month(world: World) -> str:
    """Of a delivery of ten rows with four findings, whose issues are open."""
    now = timestamp(world.clock.now())
    made = Batch(
        "b1", "claims", COURT, "full", "ingested", "k", filename="债权.xlsx", received_at=now, order=now
    )
    checks = {"error|missing|claim_no|key.null": 3, "error|format|amount|type": 1}
    world.batches.move(
        world.batches.create(made, by="t"), "validated", by="validate", decision="accepted in part",
        counts=Counts(received=10, accepted=6, quarantined=4, withheld=6),
        quality=Quality(by_rule={"key.null": 3, "type": 1}, checks=checks),
    )  # fmt: skip
    world.quality_issues.tick()
    return now[:7]


def test_a_clerk_and_an_officer_work_off_an_issue(run: Run, month: str, world: World) -> None:
    """C-05: listed, assigned, reported, returned, reported again, confirmed; each may do only its own part."""
    del month
    assert "key.null" in run("issue", "list").stdout
    assert run("issue", "list", as_="bureau").stdout.count("qi") == 0
    id = json.loads(run("issue", "list", "--json").stdout)["items"][0]["id"]
    run("issue", "step", id, "assign", "--set", "officer=me")
    assert id in run("issue", "list", "--mine").stdout
    run("issue", "step", id, "report", "--set", "remark=已补正")
    run("issue", "step", id, "confirm", status=1)
    soon = (world.clock.now() + timedelta(days=3)).date().isoformat()
    back = ("--set", "reason=仍有一行", "--set", f"limit={soon}")
    run("issue", "step", id, "return", *back, as_="officer")
    run("issue", "step", id, "report", "--set", "remark=已全部补正")
    done = run("issue", "step", id, "confirm", "--json", as_="officer")
    assert json.loads(done.stdout)["state"] == "closed"
    assert "days" in run("issue", "policy", "--json", as_="officer").stdout


def test_scores_rank_and_report_are_read_by_their_unit(run: Run, month: str, tmp_path: Path) -> None:
    """C-08, C-09, C-16: by period; a report is saved whether or not its address is asked for as JSON."""
    scored = json.loads(run("score", "show", "--month", month, "--json").stdout)
    assert [one["unit"] for one in scored["units"]] == [COURT]
    assert COURT in run("score", "show", "--month", month).stdout
    assert json.loads(run("ranking", "--month", month, "--json").stdout)["items"][0]["unit"] == COURT
    assert "received" in run("statistics", "--month", month, "--json").stdout
    assert json.loads(run("overdue", "--json").stdout)["items"] == []
    file = tmp_path / "r.xlsx"
    told = run("report", "quality", COURT, month, "--format", "xlsx", "--out", str(file), "--json")
    assert json.loads(told.stdout)["file"] == str(file)
    assert file.read_bytes().startswith(b"PK")
    run("report", "quality", COURT, month, as_="bureau", status=1)


def test_conflicts_and_alerts_are_listed_empty_without_any(run: Run, month: str) -> None:
    assert json.loads(run("conflict", "list", "--json").stdout)["items"] == []
    kept = ("id=low", "metric=quality", "kind=below", "value=90")
    run("score", "alert", *(word for setting in kept for word in ("--set", setting)), as_="officer")
    told = json.loads(run("score", "alerts", "--month", month, "--json", as_="officer").stdout)
    assert "low" in {rule["id"] for rule in told["rules"]}
    assert told["items"] == []
