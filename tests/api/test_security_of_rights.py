"""What a second person stands behind, what ends with an account, and of what a stranger is told nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, World

from huitong.identity.model import Principal
from huitong.identity.roles import RoleGrant

GRANT = {"basis": "深破管函〔2026〕1号", "unmasked": ["debtor_id"]}
AT = {"unit": BANK, "code": "claims"}
PATH = "/v1/grants/{unit}/{code}"


@pytest.fixture
def second(world: World) -> None:
    world.tokens["second"] = world.credentials.issue("second", "", ["admin"], by="test", acts_for=["*"])[1]


@pytest.mark.usefixtures("second")
def test_seconding_stands_behind_what_was_looked_at_and_nothing_else(call: Call, world: World) -> None:
    """S-30: the digest that was looked at; a grant given anew needs a second person anew; evidence names it."""
    looked = call("PUT", PATH, as_="admin", path=AT, body={**GRANT, "fields": ["debtor_id"]}).body["digest"]
    now = call("PUT", PATH, as_="admin", path=AT, body=GRANT).body["digest"]
    assert looked != now
    stale = call("POST", f"{PATH}/second", as_="second", path=AT, query={"seen": looked})
    assert (stale.status, stale.code) == (409, "conflict")
    done = call("POST", f"{PATH}/second", as_="second", path=AT, query={"seen": now})
    assert (done.status, done.body["digest"], bool(done.body["seconded_by"])) == (200, now, True)
    kept = [t.detail for t in world.traces.list(resource="claims") if t.detail.startswith("grant:second:")]
    assert kept == [f"grant:second:{now}:{GRANT['basis']}"]
    assert call("PUT", PATH, as_="admin", path=AT, body=GRANT).body["seconded_by"] == ""
    assert not world.grants.get(BANK, "claims").seconded
    world.grants.revoke(BANK, "claims")
    assert call("POST", f"{PATH}/second", as_="second", path=AT).code == "conflict", "it has ended"


def test_credentials_end_with_the_account_of_who_answers_for_them(call: Call, world: World) -> None:
    """S-10: at once, with the same write; a system's go on, and one that a person acts with does not."""
    security = Principal("s", "", frozenset({"security"}))
    roles = [RoleGrant("approver"), RoleGrant("source")]
    account, _ = world.accounts.create("wang.li", "王丽", COURT, roles, by=security)
    for name, held in (("desk", ["approver"]), ("both", ["source", "quality"]), ("system", ["source"])):
        _, world.tokens[name] = world.credentials.issue(
            name, COURT, held, by=security, owner=account.id, accounts=world.accounts
        )
    body = {"id": world.tokens["both"].split("_")[1], "secret": world.tokens["both"].split("_", 2)[2]}
    world.tokens["short"] = call("POST", "/v1/token", body=body).body["token"]
    every = ("desk", "both", "system", "short")
    assert [call("GET", "/v1/me", as_=who).status for who in every] == [200] * 4
    assert call(
        "POST", "/v1/accounts/{id}/disable", as_="admin", path={"id": account.id}, body={"reason": "离职"}
    ).status == 200  # fmt: skip
    assert [call("GET", "/v1/me", as_=who).status for who in every] == [401, 401, 200, 401]
    ended = [t.detail for t in world.traces.list() if t.detail.endswith(":disable")]
    assert len([d for d in ended if d.startswith("credential:")]) == 2


def test_a_stranger_is_not_told_that_a_withheld_resource_exists(call: Call, world: World) -> None:
    """C-31: of a resource that is not shared, and not in the catalogue, wherever one can name a resource."""
    document = world.contracts.document(world.contracts.get("claims")).replace("id: claims", "id: withheld")
    document = document.replace("claims_table", "withheld_table").replace("name: claims", "name: withheld")
    document += '\ncustomProperties: [{property: shareType, value: "3"}]\n'
    world.contracts.put(document, by="test", provider=COURT)
    assert world.contracts.get("withheld").share_type == "3"
    for name, role in (("asker", "applicant"), ("case", "case_officer"), ("source", "source")):
        world.tokens[name] = world.credentials.issue(name, BUREAU, [role], by="test")[1]
    asked = {"fields": ["amount"], "purpose": "核查"}
    ways: tuple[tuple[str, str, str, Any], ...] = (
        ("asker", "POST", "/v1/applications", lambda r: {"body": {"resource": r, **asked}}),
        ("asker", "GET", "/v1/applications", lambda r: {"query": {"resource": r}}),
        ("case", "POST", "/v1/requests", lambda r: {"body": {"resource": r, "duty": "债权核查", **asked}}),
        ("asker", "GET", "/v1/gates", lambda r: {"query": {"resource": r}}),
        ("asker", "GET", "/v1/sharings/{unit}/{code}/controls", lambda r: {"path": {"unit": BUREAU, "code": r}}),
        ("asker", "GET", PATH, lambda r: {"path": {"unit": BUREAU, "code": r}}),
        ("asker", "GET", "/v1/resources/{code}", lambda r: {"path": {"code": r}}),
        ("source", "GET", "/v1/profiles/{unit}/{code}/{name}",
         lambda r: {"path": {"unit": BUREAU, "code": r, "name": "default"}}),
        ("bank", "POST", "/v1/subscriptions",
         lambda r: {"body": {"resource": r, "endpoint": "https://receiver.example/in"}}),
    )  # fmt: skip
    for who, method, path, more in ways:
        hidden = call(method, path, as_=who, **more("withheld"))
        absent = call(method, path, as_=who, **more("no-such-one"))
        assert hidden.status == absent.status == 404, (path, hidden.body, absent.body)
        told = json.dumps(hidden.body, ensure_ascii=False).replace("withheld", "no-such-one")
        assert told == json.dumps(absent.body, ensure_ascii=False), path
