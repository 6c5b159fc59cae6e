"""``huitong`` for people and their rights, over HTTP against the real app (S-01, S-03, S-06, S-36, Q-60)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import COURT, World
from tests.support.terminal import Result, invoke

from huitong.identity.totp import code

Run = Callable[..., Result]
PASSWORD = "Quite-long-1-pass"


@pytest.fixture
def gateway(apps: dict[str, Any], world: World) -> Iterator[Gateway]:
    world.clock.moment = datetime.now(UTC)  # the command line has the real time
    with serving(Gateway(apps, lambda _key, _body: None)) as gateway:
        yield gateway


@pytest.fixture
def run(gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("HUITONG_PROFILE", "HUITONG_PASSWORD", "HUITONG_TOTP_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUITONG_API_URL", gateway.url)

    def made(*arguments: str, as_: str = "admin", profile: Path | None = None, stdin: str = "") -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens.get(as_, as_))
        if profile:
            monkeypatch.delenv("HUITONG_TOKEN")
            arguments = ("--profile-file", str(profile), *arguments)
        return invoke(arguments, stdin=stdin)

    return made


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_account_is_made_signs_in_at_a_prompt_and_is_disabled(
    run: Run, world: World, tmp_path: Path
) -> None:
    account = told(run("account", "create", "wang.li", "王丽", "--role", "officer:2026-01-01", "--json"))
    step = world.sign_in.begin("wang.li", account["password"])
    step = world.sign_in.answer(step.sign_in, PASSWORD)
    world.sign_in.answer(step.sign_in, code(step.secret, world.clock.now()))
    world.clock.advance(seconds=30)
    profile = tmp_path / "mine.json"
    typed = f"{PASSWORD}\n{code(step.secret, world.clock.now())}\n"
    done = run("sign-in", "wang.li", "--save", str(profile), stdin=typed)
    assert done.exit_code == 0, done.output
    assert profile.stat().st_mode & 0o077 == 0
    assert PASSWORD not in profile.read_text()
    me = told(run("whoami", "--json", profile=profile))
    assert (me["id"], me["roles"]) == (account["id"], ["officer"])
    sessions = told(run("session", "list", "--json", profile=profile))["items"]
    assert {s["holder"] for s in sessions} == {account["id"]}
    listed = told(run("account", "list", "--json"))["items"]
    assert [bool(a["last_used"]) for a in listed] == [True]
    told(run("account", "disable", account["id"], "--reason", "离职", "--json"))
    assert run("whoami", profile=profile).exit_code == 1
    shown = told(run("account", "show", account["id"], "--json"))
    assert (shown["state"], shown["reason"]) == ("disabled", "离职")


def test_a_profile_with_a_key_signs_each_request(
    run: Run, world: World, tmp_path: Path, gateway: Gateway
) -> None:
    """S-36."""
    id = next(c.id for c in world.credentials.list(COURT))
    made = told(run("credential", "key", id, "--json"))
    for algorithm in ("HUITONG-HMAC-SM3", "HUITONG-HMAC-SHA256"):
        profile = tmp_path / f"{algorithm}.json"
        signing = {"api_url": gateway.url, "credential": id, "key": made["key"], "algorithm": algorithm}
        profile.write_text(json.dumps({**signing, "unit": COURT}))
        assert told(run("whoami", "--json", profile=profile))["unit"] == COURT
        assert told(run("batch", "list", "--from", "2026-01-01", "--json", profile=profile)) == {"items": []}
        gateway.failing = 1  # tried again, with a nonce of its own
        assert told(run("whoami", "--json", profile=profile))["id"] == id
    profile.write_text(json.dumps({**signing, "key": "other"}))
    assert run("whoami", profile=profile).exit_code == 1


def test_a_credential_is_changed_for_a_short_token(run: Run, world: World) -> None:
    world.tokens["short"] = told(run("token", "--minutes", "15", "--json", as_="court"))["token"]
    assert told(run("whoami", "--json", as_="short"))["unit"] == COURT
    told(run("sign-out", "--json", as_="short"))
    assert run("whoami", as_="short").exit_code == 1


def test_posts_bind_roles_and_duties_name_their_law(run: Run, world: World) -> None:
    """Q-60, L-40."""
    told(
        run("post", "put", COURT, "judge", "承办法官", "judge", "--role", "case_officer", "--duty", "审理", "--skill",
            "破产法", "--staff", "3", "--json")
    )  # fmt: skip
    wrong = run(
        "account", "create", "li.si", "李四", "--role", "applicant", "--unit", COURT, "--post", "judge"
    )
    assert wrong.exit_code == 1
    made = told(
        run("account", "create", "li.si", "李四", "--role", "case_officer", "--unit", COURT, "--post", "judge", "--json")
    )  # fmt: skip
    assert made["post"] == "judge"
    assert run("post", "delete", COURT, "judge").exit_code == 1
    assert told(run("post", "list", COURT, "--json"))["items"][0]["staff"] == 3
    told(
        run(
            "duty",
            "put",
            COURT,
            "trial",
            "审理",
            "trial",
            "--basis",
            "条例第六条",
            "--to",
            "2099-12-31",
            "--json",
        )
    )
    assert [d["code"] for d in told(run("duty", "list", COURT, "--json"))["items"]] == ["trial"]
    assert told(run("duty", "delete", COURT, "trial", "--json"))["basis"] == "条例第六条"
