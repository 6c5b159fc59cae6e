"""Bearer tokens: S-01, S-06."""

from __future__ import annotations

import json

import pytest

from huitong.errors import BadRequest, NotAuthenticated, NotFound
from huitong.identity.credentials import Credentials, authenticate, bootstrap_admin
from huitong.identity.model import Principal
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister

UNIT = "1144030000AA01019J"


@pytest.fixture
def register() -> MemoryRegister:
    return MemoryRegister()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def credentials(register: MemoryRegister, clock: ManualClock) -> Credentials:
    return Credentials(register, clock)


def test_a_token_leads_back_to_unit_roles_and_units_acted_for(credentials: Credentials) -> None:
    credential, token = credentials.issue("接口", UNIT, ["source", "consumer"], acts_for=["x"], by="admin")
    assert credentials.authenticate(token) == Principal(
        credential.id, UNIT, frozenset({"source", "consumer"}), ("x",)
    )


def test_the_register_never_holds_the_secret(register: MemoryRegister, credentials: Credentials) -> None:
    credential, token = credentials.issue("n", UNIT, ["source"], by="admin")
    stored = register.get(f"CREDENTIAL#{credential.id}", "CREDENTIAL")
    assert stored is not None
    assert token.split("_", 2)[2] not in json.dumps(stored.body)
    assert "sha256" not in repr(credentials.list())


def test_two_credentials_never_share_an_id_or_secret(credentials: Credentials) -> None:
    tokens = {credentials.issue("n", UNIT, ["source"], by="admin")[1] for _ in range(50)}
    assert len({token.split("_", 2)[1] for token in tokens}) == 50
    assert len({token.split("_", 2)[2] for token in tokens}) == 50


def test_whatever_is_wrong_with_a_token_the_refusal_is_the_same(
    credentials: Credentials, clock: ManualClock
) -> None:
    credential, token = credentials.issue("n", UNIT, ["source"], by="admin")
    ended, ended_token = credentials.issue("n", UNIT, ["source"], by="admin")
    credentials.disable(ended.id)
    _, short_token = credentials.issue(
        "n", UNIT, ["source"], expires_at="2026-01-05T08:00:00.000Z", by="admin"
    )
    swapped = "_".join(("ht", ended.id, token.split("_", 2)[2]))
    wrong = ["", "x", token[:-1], token + "A", f"ht_{credential.id}_{'A' * 43}", f"ht_nobody_{'A' * 43}"]
    wrong += [ended_token, short_token, swapped, token.upper(), f" {token}", token.replace("ht_", "hx_")]
    said = set()
    for one in wrong:
        with pytest.raises(NotAuthenticated) as refused:
            credentials.authenticate(one)
        said.add(json.dumps(refused.value.as_dict(), ensure_ascii=False))
    assert len(said) == 1


def test_a_token_ends_when_its_time_is_over(credentials: Credentials, clock: ManualClock) -> None:
    _, token = credentials.issue("n", UNIT, ["source"], expires_at="2026-01-05T09:00:00.000Z", by="admin")
    clock.advance(minutes=59)
    assert credentials.authenticate(token).unit == UNIT
    clock.advance(minutes=1)
    with pytest.raises(NotAuthenticated):
        credentials.authenticate(token)


def test_a_token_without_an_end_lasts_a_year(credentials: Credentials, clock: ManualClock) -> None:
    _, token = credentials.issue("n", UNIT, ["source"], by="admin")
    clock.advance(days=364)
    assert credentials.authenticate(token).unit == UNIT
    clock.advance(days=1)
    with pytest.raises(NotAuthenticated):
        credentials.authenticate(token)


@pytest.mark.parametrize("roles", [[], ["root"], ["source", "king"]])
def test_only_known_roles_are_given(credentials: Credentials, roles: list[str]) -> None:
    with pytest.raises(BadRequest):
        credentials.issue("n", UNIT, roles, by="admin")


def test_an_end_that_is_no_moment_is_refused(credentials: Credentials) -> None:
    with pytest.raises(BadRequest):
        credentials.issue("n", UNIT, ["source"], expires_at="never", by="admin")


def test_an_end_with_an_offset_is_kept_as_utc(credentials: Credentials) -> None:
    made, _ = credentials.issue("n", UNIT, ["source"], expires_at="2026-02-01T08:00:00+08:00", by="admin")
    assert made.expires_at == "2026-02-01T00:00:00.000Z"


def test_an_unknown_credential_cannot_be_disabled(credentials: Credentials) -> None:
    with pytest.raises(NotFound):
        credentials.disable("nobody")


def test_the_list_names_every_credential_with_its_state(credentials: Credentials) -> None:
    one, _ = credentials.issue("a", UNIT, ["source"], by="admin")
    two, _ = credentials.issue("b", "", ["officer"], by="admin")
    credentials.disable(two.id)
    assert {c.id: c.disabled for c in credentials.list()} == {one.id: False, two.id: True}
    assert [c.id for c in credentials.list(UNIT)] == [one.id]


def test_the_first_administrator_may_act_for_any_unit(register: MemoryRegister, clock: ManualClock) -> None:
    who = authenticate(bootstrap_admin(register, clock), register, clock)
    assert who.has("admin")
    assert who.may_act_for(UNIT)


def test_installing_again_ends_the_former_administrator_token(
    register: MemoryRegister, clock: ManualClock
) -> None:
    """S-06: at most one such token works."""
    first, second = bootstrap_admin(register, clock), bootstrap_admin(register, clock)
    assert authenticate(second, register, clock).id == "admin"
    with pytest.raises(NotAuthenticated):
        authenticate(first, register, clock)
