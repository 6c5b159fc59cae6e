"""``huitong application|dispute|breach|calendar`` over HTTP against the real app."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, COURT, World
from tests.support.grounds import DUTY
from tests.support.terminal import Result, invoke

from huitong.identity.model import OPERATOR

Run = Callable[..., Result]


@pytest.fixture
def run(apps: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    people = {
        "asker": (BANK, "applicant"), "chief": (BANK, "approver"), "owner": (COURT, "approver"),
        "keeper": (COURT, "resource_admin"), "desk": (OPERATOR, "officer"),
    }  # fmt: skip
    for name, (unit, role) in people.items():
        world.tokens[name] = world.credentials.issue(name, unit, [role], by="test")[1]
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)

    def made(as_: str, *arguments: str, status: int = 0) -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        done = invoke(arguments)
        assert done.exit_code == status, done.output
        return done

    with serving(Gateway(apps, lambda key, body: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)
        yield made


def test_an_application_lives_by_the_command_line_alone(run: Run, world: World, tmp_path: Path) -> None:
    """X-19, L-24 to L-26: filed, reviewed, decided, provided, printed, extended, ended."""
    filed = run(
        "asker", "application", "file", "claims", "--fields", "claim_no,amount", "--purpose", "核对", "--matter",
        "债权核查", "--users", "bank", "--methods", "pull", "--to", "2026-06-30", "--reason", "办案", "--duty", DUTY,
        "--json",
    )  # fmt: skip
    id = json.loads(filed.stdout)["id"]
    run("asker", "application", "step", id, "submit")
    run("asker", "application", "step", id, "send", status=1)
    run("chief", "application", "step", id, "send")
    shown = run("owner", "application", "show", id)
    assert "decide" in shown.stdout
    assert "2026-01-19" in shown.stdout
    given = tmp_path / "decision.json"
    given.write_text(
        json.dumps({"approved": ["claim_no"], "refused": {"amount": "超出所需"}}), encoding="utf-8"
    )
    run("owner", "application", "step", id, "decide", "--given", f"@{given}")
    run("keeper", "application", "step", id, "provide")
    grant = world.grants.find(BANK, "claims", id)
    assert grant is not None
    assert grant.fields == ("claim_no",)
    page = tmp_path / "实施单.html"
    run("asker", "application", "sheet", id, "--out", str(page))
    assert "SS-20260105" in page.read_text("utf-8")
    amended = run("asker", "application", "amend", id, "--reason", "延期", "--to", "2026-12-31", "--json")
    assert json.loads(amended.stdout)["content"]["amends"] == id
    assert id in run("asker", "application", "list", "--state", "active").stdout
    run("chief", "application", "step", id, "give_up", "--given", '{"reason": "结束"}')
    assert world.grants.get(BANK, "claims", id).revoked
    assert json.loads(run("desk", "dispute", "list", "--json").stdout) == {"items": []}
    assert json.loads(run("desk", "breach", "list", "--from", "2026-01-01", "--json").stdout) == {"items": []}


def test_the_calendar_is_kept_by_the_command_line(run: Run, tmp_path: Path) -> None:
    """standards.md 2.10"""
    file = tmp_path / "2027.csv"
    file.write_text("day,kind\n2027-01-01,holiday\n2027-01-09,make-up\n", encoding="utf-8")
    run("desk", "calendar", "put", "2027", str(file), "--source", "通知")
    shown = json.loads(run("asker", "calendar", "show", "2027", "--json").stdout)
    assert (shown["holidays"], shown["make_up"], shown["source"]) == (["2027-01-01"], ["2027-01-09"], "通知")
    file.write_text("day,kind\n2027-01-01,free\n", encoding="utf-8")
    run("desk", "calendar", "put", "2027", str(file), status=1)
    run("asker", "calendar", "show", "2029", status=1)


def test_a_wish_for_data_elsewhere_is_filed(run: Run) -> None:
    """L-28"""
    members = {
        "fields": ["婚姻状况"], "purpose": "核对", "matter": "债权核查", "users": ["bank"], "methods": ["request"],
        "ends": "2026-06-30", "reason": "办案",
    }  # fmt: skip
    made = run(
        "asker",
        "application",
        "elsewhere",
        "广州市民政局",
        "婚姻登记",
        "--set",
        json.dumps(members),
        "--json",
    )
    assert json.loads(made.stdout)["content"]["elsewhere"]["unit"] == "广州市民政局"
