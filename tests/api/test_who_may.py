"""Every operation × no token, a wrong token, a foreign unit (S-08, S-36)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conftest import BANK, BUREAU, COURT, Call, World
from huitong.web.operations import OPERATIONS, Operation

CLOSED = [o for o in OPERATIONS if not o.public]
PATH = {"code": "claims", "id": "x1", "unit": COURT, "name": "default", "version": "1"}
BODIES: dict[str, dict[str, Any]] = {
    "ContractBody": {"document": "x"},
    "UploadBody": {"resource": "claims", "filename": "a.csv", "unit": COURT},
    "ProfileBody": {},
    "RecordsBody": {"rows": [{"claim_no": "1"}], "unit": COURT},
    "ReasonBody": {"reason": "no"},
    "UnitBody": {"code": COURT, "name": "x"},
    "CredentialBody": {"name": "x", "roles": ["admin"]},
    "GrantBody": {},
    "SubscriptionBody": {"resource": "claims", "endpoint": "https://receiver.example/in", "unit": BANK},
    "AccountBody": {"login": "wang.li", "name": "王丽", "roles": [{"role": "officer"}]},
    "RolesBody": {"roles": [{"role": "officer"}]},
    "PostBody": {"zh": "岗位", "en": "post"},
    "DutyBody": {"zh": "职责", "en": "duty", "basis": "条例第一条"},
    "QueryBody": {"sql": "SELECT 1"},
}


def asked(operation: Operation) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.path)
    path = {name: PATH[name] for name in names}
    return {"path": path or None, "body": BODIES[operation.body] if operation.body else None}


@pytest.mark.parametrize("operation", CLOSED, ids=lambda o: o.id)
def test_nothing_is_answered_without_a_token(operation: Operation, call: Call) -> None:
    said = call(operation.method, operation.path, **asked(operation))
    assert (said.status, said.code) == (401, "not-authenticated")
    assert said.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", CLOSED, ids=lambda o: o.id)
@pytest.mark.parametrize(
    "header", ["Bearer ht_admin_wrong", "Basic YTpi", "Bearer", f"Bearer ht_x_{'A' * 43}"]
)
def test_nothing_is_answered_to_a_wrong_token(operation: Operation, header: str, call: Call) -> None:
    said = call(operation.method, operation.path, headers={"Authorization": header}, **asked(operation))
    assert (said.status, said.code) == (401, "not-authenticated")


@pytest.mark.parametrize("operation", CLOSED, ids=lambda o: o.id)
def test_nobody_acts_for_a_unit_that_is_not_its_own(operation: Operation, call: Call) -> None:
    said = call(operation.method, operation.path, as_="bureau", unit=COURT, **asked(operation))
    assert (said.status, said.code) == (403, "not-permitted")


#: What a source unit that owns nothing here is told, operation by operation.
REFUSED_TO_A_FOREIGN_UNIT = {
    "create_account": 403, "list_accounts": 403, "get_account": 403, "put_roles": 403,
    "disable_account": 403, "enable_account": 403, "unlock_account": 403, "reset_account": 403,
    "issue_signing_key": 403, "list_posts": 403, "put_post": 403, "delete_post": 403, "list_duties": 403,
    "put_duty": 403, "delete_duty": 403, "end_session": 404,
    "put_contract": 403, "get_contract": 404, "get_contract_version": 404, "get_resource": 404,
    "open_upload": 404, "get_upload": 403, "put_records": 404, "put_profile": 403, "get_profile": 403,
    "get_batch": 403, "release_batch": 403, "reject_batch": 403, "replay_batch": 403, "put_unit": 403,
    "issue_credential": 403, "list_credentials": 403, "disable_credential": 403, "put_grant": 403,
    "get_grant": 403, "revoke_grant": 403, "subscribe": 403, "get_subscription": 403,
    "cancel_subscription": 403, "pause_subscription": 403, "resume_subscription": 403,
    "replay_subscription": 403, "list_deliveries": 403, "list_traces": 403, "get_changes": 404,
    "get_snapshot": 404, "get_findings": 403,
}  # fmt: skip
OPEN_TO_ALL = {
    "sign_out", "list_sessions",  # of the asker's own
    "get_me", "list_contracts", "list_resources", "list_units", "get_unit", "list_profiles", "list_batches",
    "list_grants", "list_subscriptions", "get_ledger", "run_query", "get_query",
}  # fmt: skip


def test_the_matrix_covers_every_operation() -> None:
    assert set(REFUSED_TO_A_FOREIGN_UNIT) | OPEN_TO_ALL == {o.id for o in CLOSED}


@pytest.mark.parametrize(("name", "status"), sorted(REFUSED_TO_A_FOREIGN_UNIT.items()))
def test_a_foreign_unit_is_refused(name: str, status: int, call: Call, court_things: dict[str, str]) -> None:
    """L-34: a unit writes only its own resources and reads only what it may."""
    operation = next(o for o in OPERATIONS if o.id == name)
    more = asked(operation)
    if more["path"] and "id" in more["path"]:
        more["path"]["id"] = court_things.get(operation.path.split("/")[2], "x1")
    said = call(operation.method, operation.path, as_="bureau", **more)
    assert said.status == status, said.body


def test_a_foreign_unit_finds_nothing_in_lists(call: Call, court_things: dict[str, str]) -> None:
    for path in ("/v1/contracts", "/v1/resources", "/v1/batches", "/v1/grants", "/v1/subscriptions"):
        assert call("GET", path, as_="bureau").body["items"] == [], path


@pytest.mark.parametrize(
    "path", ["/v1/batches", "/v1/grants", "/v1/subscriptions", "/v1/profiles", "/v1/ledger"]
)
def test_a_list_of_another_unit_is_refused(path: str, call: Call) -> None:
    assert call("GET", path, as_="bureau", query={"unit": COURT}).status == 403


def test_an_officer_sees_but_does_not_change_registers(call: Call, court_things: dict[str, str]) -> None:
    assert call("GET", "/v1/contracts/{code}", as_="officer", path={"code": "claims"}).status == 200
    assert call("GET", "/v1/batches", as_="officer").body["items"]
    for path, body in (
        ("/v1/contracts", "ContractBody"),
        ("/v1/units", "UnitBody"),
        ("/v1/credentials", "CredentialBody"),
    ):
        assert call("POST", path, as_="officer", body=BODIES[body]).status == 403


def test_a_disabled_credential_ends_at_once(call: Call, world: World) -> None:
    """S-10 in small: no cache between the register and the answer."""
    assert call("GET", "/v1/me", as_="court").status == 200
    id = next(c.id for c in world.credentials.list(COURT))
    assert call("DELETE", "/v1/credentials/{id}", as_="admin", path={"id": id}).body["disabled"] is True
    assert call("GET", "/v1/me", as_="court").status == 401


def test_an_administrator_acting_for_a_unit_is_told_so(call: Call) -> None:
    said = call("GET", "/v1/me", as_="admin", unit=BUREAU)
    assert said.body["acting_unit"] == BUREAU
    assert said.body["roles"] == ["admin"]
