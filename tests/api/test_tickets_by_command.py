"""Corrections, notices and open access from the command line, over HTTP against the real apps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, COURT, World
from tests.support.grounds import DUTY
from tests.support.terminal import invoke
from tests.support.tickets import ticket_reading

from huitong.identity.model import OPERATOR
from huitong.local.platform import Platform
from huitong.sharing.grants import Grant

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Any]


@pytest.fixture
def published(world: World, platform: Platform, tmp_path: Path) -> Callable[[str, str, str], None]:
    ticket_reading(world, platform.ports)

    def put(resource: str, unit: str, text: str) -> None:
        world.clock.advance(minutes=1)
        file = tmp_path / f"{world.clock.moment.minute}.csv"
        file.write_text(text)
        platform.deliver(file, resource, unit)
        world.following.run(resource)

    return put


@pytest.fixture
def run(published: Any, world: World, apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    with serving(Gateway(apps, lambda _key, _body: None)) as gateway:
        monkeypatch.delenv("HUITONG_PROFILE", raising=False)
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)

        def made(*arguments: str, as_: str = "officer") -> Any:
            monkeypatch.setenv("HUITONG_TOKEN", world.tokens.get(as_, ""))
            done = invoke([*arguments, "--json"])
            assert done.exit_code == 0, done.output
            return json.loads(done.stdout)

        yield made


def test_a_correction_goes_its_way_by_commands(run: Run, world: World, published: Any) -> None:
    """Q-52, L-31."""
    contract = world.contracts.get("claims")
    world.grants.put(Grant(BANK, "claims", duty=DUTY), contract, by="test")
    published("claims", COURT, "claim_no,amount\n001,100.00\n")
    asked = ("correction", "file", "claims", "--key", "claim_no=001", "--fields", "amount", "--wrong", "x")
    id = run(*asked, "--duty", DUTY, as_="bank")["id"]
    assert [c["id"] for c in run("correction", "list", as_="bank")["items"]] == [id]
    assert run("correction", "record", id, as_="court")["key"] == {"claim_no": "001"}
    assert run("correction", "step", id, "accept", as_="court")["state"] == "accepted"
    told = run("notice", "list", "--unread", as_="bank")["items"]
    assert run("notice", "ack", told[0]["id"], as_="bank")["read_at"]
    published("claims", COURT, "claim_no,amount\n001,110.00\n")
    assert run("correction", "show", id, as_="bank")["state"] == "closed"
    assert run("correction", "report", id, as_="bank")["result"] == "corrected"
    bulk = run("bulk-correction", "request", "claims", "--what", "a", "--reason", "b", as_="court")
    assert run("bulk-correction", "show", bulk["id"], as_="court")["state"] == "requested"


def test_what_is_public_is_read_without_a_token(run: Run, world: World, published: Any) -> None:
    """C-23, S-31."""
    world.contracts.put((ROOT / "schemas" / "IN-15.yaml").read_text(), by="test", provider="")
    unit = world.contracts.get("IN-15").provider
    assert unit != OPERATOR
    text = (
        "licence_no,lawyer_name,firm_name,updated_at\n14403201010000001,张三,某所,2026-01-02T08:00:00+08:00\n"
    )
    published("IN-15", unit, text)
    assert run("open", "check", "IN-15") == {"resource": "IN-15", "released": False, "problems": []}
    run("open", "release", "IN-15", "--basis", "x")
    assert [r["id"] for r in run("open", "list", as_="nobody")["items"]] == ["IN-15"]
    (row,) = run("open", "read", "IN-15", as_="nobody")["items"]
    assert row["lawyer_name"] == "张三"
    assert run("open", "expired")["items"][0]["expired"] == 0
    named = ("--number", "x", "--identity-proof", "p", "--agreement", "a")
    id = run("subject", "request", "deletion", *named)["id"]
    assert [r["id"] for r in run("subject", "list")["items"]] == [id]
    said = ("statement", "declare", "complaint", "--text", "t", "--evidence", "e", "--truth")
    made = run(*said, as_="bank")
    assert run("statement", "text", made["id"], as_="bank")["text"] == "t"
