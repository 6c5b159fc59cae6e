"""Rights that were taken away, tried by another way (S-06, S-10, S-33)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.api_world import BANK, COURT, Call, World
from tests.support.grounds import DUTY
from tests.support.standing import settled

from huitong.errors import NotAuthenticated
from huitong.identity.credentials import bootstrap_admin
from huitong.identity.model import Principal
from huitong.identity.roles import RoleGrant
from huitong.sharing.grants import Grant

SECURITY = Principal("security", "", frozenset({"security"}))


def given(world: World, name: str, unit: str, role: Any) -> str:
    """An account and a credential that its owner answers for; the account's id."""
    account, _ = world.accounts.create(f"{name}.san", name, unit, (RoleGrant(role),), by=SECURITY)
    _, token = world.credentials.issue(
        name, unit, [role], by=SECURITY, owner=account.id, accounts=world.accounts
    )
    world.tokens[name] = token
    return account.id


@pytest.mark.usefixtures("platform")
def test_a_suspended_person_has_nothing_by_a_credential_either(world: World, call: Call) -> None:
    """S-33: evidence names the person, so rules suspend the person, by whatever credential it asks."""
    world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")
    person = given(world, "owner", BANK, "consumer")
    query = {"sql": "SELECT claim_no FROM claims"}
    settled(world, (BANK,), "claims", ("push", "pull", "read", "comparison"))

    def ways() -> set[int]:
        way = {"as_": "owner", "duty": DUTY, "path": {"code": "claims"}}
        return {
            call("POST", "/v1/queries", as_="owner", duty=DUTY, body=query).status,
            call("GET", "/v1/resources/{code}/changes", **way).status,
        }

    assert ways() == {200}
    world.area("suspensions").suspend(person, "unusual", by="supervision")
    assert ways() == {403}
    world.area("suspensions").lift(person, "explained", by="security")
    assert ways() == {200}


def test_a_suspended_person_sees_no_values_of_findings_and_tickets(
    world: World, call: Call, court_things: dict[str, str]
) -> None:
    """Every way on which values of rows come asks."""
    person = given(world, "judge", COURT, "source")
    paths = {
        "/v1/batches/{id}/findings": {"id": court_things["batches"]},
        "/v1/requests/{id}/persons": {"id": "q1"},
        "/v1/corrections/{id}/record": {"id": "c1"},
    }
    assert call("GET", "/v1/batches/{id}/findings", as_="judge", path={"id": "b1"}).status == 200
    world.area("suspensions").suspend(person, "unusual", by="supervision")
    for path, names in paths.items():
        said = call("GET", path, as_="judge", path=names)
        assert (said.status, "suspended" in said.body["en"]) == (403, True), (path, said.body)


def test_a_token_made_with_a_replaced_secret_ends_with_it(world: World) -> None:
    """S-06: each installation ends the first administrator's secret, and what was made with it."""
    first = world.credentials.authenticate(bootstrap_admin(world.register, world.clock))
    _, token = world.sessions.open_system(first, minutes=60, source="")
    assert world.sessions.authenticate(token).id == "admin"
    world.clock.advance(seconds=1)
    bootstrap_admin(world.register, world.clock)
    with pytest.raises(NotAuthenticated):
        world.sessions.authenticate(token)
