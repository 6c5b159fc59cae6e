"""People sign in with two factors; rights end when they are withdrawn (S-01 to S-03, S-06, S-07, S-10, C-18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.api_world import BANK, COURT, Call, Said, World

from huitong.identity import totp

PASSWORD = "Quite-long-1-pass"
Person = Callable[..., dict[str, Any]]


def attempt(call: Call, login: str, password: str) -> Said:
    return call("POST", "/v1/sign-in", body={"login": login, "password": password})


def reply(call: Call, step: Said, text: str) -> Said:
    return call("POST", "/v1/sign-in/answer", body={"sign_in": step.body["sign_in"], "reply": text})


@pytest.fixture
def person(world: World, call: Call) -> Person:
    """An account that has signed in once: ``{id, login, secret}``; its token under the login's name."""

    def made(login: str = "wang.li", roles: tuple[str, ...] = ("officer",), **more: Any) -> dict[str, Any]:
        body = {"login": login, "name": "王丽", "roles": [{"role": r} for r in roles], **more}
        account = call("POST", "/v1/accounts", as_="admin", body=body)
        assert account.status == 201, account.body
        first = attempt(call, login, account.body["password"])
        second = reply(call, first, PASSWORD)
        secret = second.body["secret"]
        done = reply(call, second, totp.code(secret, world.clock.now()))
        assert done.body["next"] == "done", done.body
        world.tokens[login] = done.body["token"]
        world.clock.advance(seconds=90)
        return {"id": account.body["id"], "login": login, "secret": secret}

    return made


def sign_in(world: World, call: Call, who: dict[str, Any]) -> Said:
    step = attempt(call, who["login"], PASSWORD)
    return reply(call, step, totp.code(who["secret"], world.clock.now()))


def test_a_first_sign_in_sets_a_password_and_an_authenticator_and_gives_a_session(
    person: Person, call: Call
) -> None:
    """S-01, S-03, S-06: the one-time password serves once."""
    who = person()
    me = call("GET", "/v1/me", as_="wang.li")
    assert (me.status, me.body["id"], me.body["roles"]) == (200, who["id"], ["officer"])


def test_a_right_password_alone_gives_no_session(person: Person, call: Call) -> None:
    """S-03."""
    person()
    step = attempt(call, "wang.li", PASSWORD)
    assert (step.status, step.body["next"]) == (200, "code")
    assert set(step.body) == {"next", "sign_in"}
    wrong = reply(call, step, "000000")
    assert (wrong.status, wrong.code) == (401, "not-authenticated")
    assert reply(call, step, "000000").status == 401


def test_a_code_serves_once(person: Person, call: Call, world: World) -> None:
    who = person()
    step, other = attempt(call, "wang.li", PASSWORD), attempt(call, "wang.li", PASSWORD)
    code = totp.code(who["secret"], world.clock.now())
    assert reply(call, step, code).status == 200
    assert reply(call, other, code).status == 401


def test_whatever_is_wrong_the_answer_is_the_same(person: Person, call: Call) -> None:
    """Whether a login exists, is locked or is disabled does not show."""
    who = person()
    other = person("zhao.qi")
    call("POST", "/v1/accounts/{id}/disable", as_="admin", path={"id": other["id"]}, body={"reason": "离职"})
    said = [attempt(call, "nobody", PASSWORD), attempt(call, "zhao.qi", PASSWORD)]
    said += [attempt(call, who["login"], "wrong") for _ in range(6)]
    assert {s.status for s in said} == {401}
    assert len({s.body["detail"] for s in said}) == 1


def test_five_failures_lock_the_account_for_half_an_hour_and_are_on_record(
    person: Person, call: Call, world: World
) -> None:
    """S-02."""
    who = person()
    for _ in range(5):
        assert attempt(call, "wang.li", "wrong").status == 401
    world.clock.advance(minutes=1)
    assert attempt(call, "wang.li", PASSWORD).status == 401
    shown = call("GET", "/v1/accounts/{id}", as_="admin", path={"id": who["id"]}).body
    assert (shown["failed"], bool(shown["locked_until"])) == (5, True)
    told = [t.detail for t in world.traces.list(unit="", limit=50) if t.actor == who["id"]]
    assert f"lock:{who['id']}" in told
    world.clock.advance(minutes=30)
    assert sign_in(world, call, who).body["next"] == "done"


def test_the_security_administrator_unlocks(person: Person, call: Call, world: World) -> None:
    who = person()
    for _ in range(5):
        attempt(call, "wang.li", "wrong")
    assert call("POST", "/v1/accounts/{id}/unlock", as_="admin", path={"id": who["id"]}).status == 200
    assert sign_in(world, call, who).body["next"] == "done"


def test_an_expired_password_allows_nothing_but_its_change(person: Person, call: Call, world: World) -> None:
    """S-01."""
    who = person()
    world.clock.advance(days=91)
    step = sign_in(world, call, who)
    assert (step.status, step.body["next"]) == (200, "new_password")
    assert "token" not in step.body
    assert reply(call, step, PASSWORD).status == 400
    assert reply(call, step, "short").status == 400
    done = reply(call, step, "Another-long-2-pass")
    assert done.body["next"] == "done"
    assert attempt(call, "wang.li", PASSWORD).status == 401


def test_a_session_ends_when_idle_and_that_is_on_record(person: Person, call: Call, world: World) -> None:
    """S-02."""
    who = person()
    for _ in range(3):
        world.clock.advance(minutes=13)
        assert call("GET", "/v1/me", as_="wang.li").status == 200
    world.clock.advance(minutes=15)
    assert call("GET", "/v1/me", as_="wang.li").status == 401
    assert world.sessions.sweep() == 1
    assert world.sessions.sweep() == 0
    told = [t.detail for t in world.traces.list(unit="", limit=50) if t.actor == who["id"]]
    assert any(detail.startswith("idle:") for detail in told)


def test_no_session_lasts_longer_than_eight_hours(person: Person, call: Call, world: World) -> None:
    person()
    for _ in range(47):
        world.clock.advance(minutes=10)
        assert call("GET", "/v1/me", as_="wang.li").status == 200
    world.clock.advance(minutes=10)
    assert call("GET", "/v1/me", as_="wang.li").status == 401


@pytest.mark.parametrize("change", ["disable", "roles", "reset"])
def test_what_is_withdrawn_ends_running_sessions_at_once(
    change: str, person: Person, call: Call, world: World
) -> None:
    """S-10."""
    who = person()
    path = {"id": who["id"]}
    assert call("GET", "/v1/batches", as_="wang.li").status == 200
    if change == "roles":
        body = {"roles": [{"role": "quality"}]}
        assert call("PUT", "/v1/accounts/{id}/roles", as_="admin", path=path, body=body).status == 200
    elif change == "disable":
        call("POST", "/v1/accounts/{id}/disable", as_="admin", path=path, body={"reason": "离职"})
    else:
        call("POST", "/v1/accounts/{id}/reset", as_="admin", path=path)
    assert call("GET", "/v1/batches", as_="wang.li").status == 401
    assert world.sessions.of(who["id"]) == []


def test_a_role_given_for_a_period_is_in_force_in_it_only(person: Person, call: Call, world: World) -> None:
    """S-10: 2026-01-05 16:00 in China when it begins."""
    who = person()
    roles = [{"role": "officer", "from": "2026-01-06", "to": "2026-01-06"}, {"role": "quality"}]
    call("PUT", "/v1/accounts/{id}/roles", as_="admin", path={"id": who["id"]}, body={"roles": roles})

    def now() -> list[str]:
        world.tokens["wang.li"] = sign_in(world, call, who).body["token"]
        found: list[str] = call("GET", "/v1/me", as_="wang.li").body["roles"]
        return found

    assert now() == ["quality"]
    world.clock.advance(hours=9)
    assert now() == ["officer", "quality"]
    world.clock.advance(hours=23)
    assert now() == ["quality"]


def test_somebody_whose_last_role_is_over_is_refused_everything(
    person: Person, call: Call, world: World
) -> None:
    """S-10: reading what belongs to the own unit, too."""
    who = person(unit=COURT, roles=("resource_admin",))
    roles = [{"role": "resource_admin", "to": "2026-01-05"}]
    call("PUT", "/v1/accounts/{id}/roles", as_="admin", path={"id": who["id"]}, body={"roles": roles})
    world.tokens["wang.li"] = sign_in(world, call, who).body["token"]
    assert call("GET", "/v1/batches", as_="wang.li").status == 200
    world.clock.advance(hours=7, minutes=50)
    world.tokens["wang.li"] = sign_in(world, call, who).body["token"]
    world.clock.advance(minutes=10)
    assert call("GET", "/v1/batches", as_="wang.li").status == 403
    assert call("POST", "/v1/sign-out", as_="wang.li").status == 200


def test_sign_out_ends_the_session(person: Person, call: Call) -> None:
    person()
    assert call("POST", "/v1/sign-out", as_="wang.li").status == 200
    assert call("GET", "/v1/me", as_="wang.li").status == 401


def test_nobody_ends_or_sees_sessions_of_others(person: Person, call: Call, world: World) -> None:
    one, two = person(), person("zhao.qi")
    (session,) = world.sessions.of(one["id"])
    assert call("DELETE", "/v1/sessions/{id}", as_="zhao.qi", path={"id": session.id}).status == 404
    assert call("GET", "/v1/sessions", as_="zhao.qi", query={"holder": one["id"]}).status == 403
    assert [s["holder"] for s in call("GET", "/v1/sessions", as_="zhao.qi").body["items"]] == [two["id"]]
    assert call("DELETE", "/v1/sessions/{id}", as_="admin", path={"id": session.id}).status == 200
    assert call("GET", "/v1/me", as_="wang.li").status == 401


@pytest.mark.parametrize("pair", [("admin", "security"), ("security", "auditor"), ("admin", "auditor")])
def test_one_person_never_holds_two_of_the_three_administrations(
    pair: tuple[str, str], person: Person, call: Call
) -> None:
    """S-07: on one account, or on an account and a credential of its owner, now or later."""
    one, two = pair
    body = {"login": "zhao.qi", "name": "赵", "roles": [{"role": one}, {"role": two, "from": "2027-01-01"}]}
    assert call("POST", "/v1/accounts", as_="admin", body=body).status == 403
    who = person(roles=(one,))
    asked = {"name": "脚本", "roles": [two], "owner": who["id"]}
    assert call("POST", "/v1/credentials", as_="admin", body=asked).status == 403
    fine = {"name": "脚本", "roles": ["officer", one], "owner": who["id"]}
    assert call("POST", "/v1/credentials", as_="admin", body=fine).status == 201
    roles = {"roles": [{"role": two}]}
    path = {"id": who["id"]}
    assert call("PUT", "/v1/accounts/{id}/roles", as_="admin", path=path, body=roles).status == 403


def test_nobody_changes_their_own_rights(person: Person, call: Call) -> None:
    """S-07, S-08: nor gives away duties that must stay apart without naming a person."""
    who = person(roles=("security",))
    path = {"id": who["id"]}
    body = {"roles": [{"role": "officer"}]}
    assert call("PUT", "/v1/accounts/{id}/roles", as_="wang.li", path=path, body=body).status == 403
    assert call("POST", "/v1/accounts/{id}/reset", as_="wang.li", path=path).status == 403
    for asked in (
        {"name": "x", "roles": ["auditor"]},
        {"name": "x", "roles": ["officer"], "acts_for": ["*"]},
        {"name": "x", "roles": ["security"], "owner": who["id"]},
    ):
        assert call("POST", "/v1/credentials", as_="wang.li", body=asked).status == 403, asked
    assert (
        call("POST", "/v1/credentials", as_="wang.li", body={"name": "x", "roles": ["source"]}).status == 201
    )


def test_a_login_is_one_persons(person: Person, call: Call) -> None:
    """S-01."""
    person()
    body = {"login": "wang.li", "name": "另一人", "roles": [{"role": "officer"}]}
    assert call("POST", "/v1/accounts", as_="admin", body=body).status == 409


def test_each_change_of_rights_is_on_record_with_who_made_it(
    person: Person, call: Call, world: World
) -> None:
    who = person()
    call(
        "PUT",
        "/v1/accounts/{id}/roles",
        as_="admin",
        path={"id": who["id"]},
        body={"roles": [{"role": "quality"}]},
    )
    admin = call("GET", "/v1/me", as_="admin").body["id"]
    told = [(t.detail, t.fields) for t in world.traces.list(unit="", limit=50) if t.act == "rights"]
    assert (f"account:{who['id']}:roles", ("quality",)) in told
    assert {
        t.actor for t in world.traces.list(unit="", limit=50) if who["id"] in t.detail and t.act == "rights"
    } == {admin}


def test_unused_accounts_and_credentials_are_disabled_and_listed_with_their_last_use(
    person: Person, call: Call, world: World
) -> None:
    """S-06."""
    from huitong.identity.model import OPERATOR
    from huitong.identity.unused import Unused

    used, unused = person(), person("zhao.qi")
    world.clock.advance(days=60)
    sign_in(world, call, used)
    call("GET", "/v1/me", as_="court")
    call("GET", "/v1/me", as_="admin")
    world.clock.advance(days=31)
    sweep = Unused(world.accounts, world.credentials, world.notices)
    assert sweep.run() == 1 + 4  # zhao.qi, and the credentials of officer, auditor, bureau and bank
    assert sweep.run() == 0
    states = {
        a["id"]: (a["state"], bool(a["last_used"]))
        for a in call("GET", "/v1/accounts", as_="admin").body["items"]
    }
    assert states == {used["id"]: ("active", True), unused["id"]: ("disabled", True)}
    assert len(world.notices.of_unit(OPERATOR)) == 1
    path = {"id": unused["id"]}
    assert call("POST", "/v1/accounts/{id}/enable", as_="admin", path=path).body["state"] == "active"
    assert sweep.run() == 0


def test_sign_ins_from_one_source_are_bounded(call: Call) -> None:
    said = [attempt(call, f"name{n}", "x") for n in range(21)]
    assert [s.status for s in said] == [401] * 20 + [429]
    assert said[-1].headers["Retry-After"] == "60"
    assert call("GET", "/v1/health").status == 200


def test_refusals_leave_evidence_that_cannot_be_flooded(call: Call, world: World) -> None:
    for _ in range(30):
        call("GET", "/v1/me", headers={"Authorization": "Bearer ht_x_y"})
    assert len([t for t in world.traces.list(unit="", limit=100) if t.act == "login"]) == 20
    world.clock.advance(minutes=1)
    call("POST", "/v1/units", as_="bank", body={"code": COURT, "name": "x"})
    (refused,) = [t for t in world.traces.list(unit=BANK, limit=100) if t.act == "refuse"]
    assert "put_unit" in refused.detail


def test_whoever_delivered_does_not_release(call: Call, world: World, court_things: dict[str, str]) -> None:
    """S-08: four eyes, by the person and not by the credential."""
    from dataclasses import replace

    officer = call("GET", "/v1/me", as_="officer").body["id"]
    upload, _ = world.uploads.open(COURT, "claims", "a.csv", by=officer)
    stored = world.batches.get("b1")
    key = f"{COURT}/claims/{upload}/a.csv"
    stored = world.batches.create(replace(stored.batch, id="b2", landing_key=key), by="test")
    for status in ("ingested", "validated", "held"):
        stored = world.batches.move(stored, status, by="test")  # type: ignore[arg-type]
    assert call("POST", "/v1/batches/{id}/release", as_="officer", path={"id": "b2"}).status == 403
    assert call("POST", "/v1/batches/{id}/release", as_="admin", path={"id": "b2"}).status == 200


def test_a_refusal_names_who_was_refused(person: Person, call: Call, world: World) -> None:
    """Also when it is about the unit that somebody wants to act for."""
    who = person()
    assert call("GET", "/v1/batches", as_="wang.li", unit=COURT).status == 403
    refused = [t for t in world.traces.list(unit="", limit=50) if t.act == "refuse"]
    assert [t.actor for t in refused] == [who["id"]]
