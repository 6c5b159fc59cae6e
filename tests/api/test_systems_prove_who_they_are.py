"""Short-lived tokens and signed requests of systems (S-36, S-10)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.api_world import COURT, Call, Said, World

from huitong.errors import NotAuthenticated
from huitong.identity.gateway import Gateway
from huitong.identity.signed import ALGORITHMS, Signable, SignedRequests, sign
from huitong.local.messages import PlainSecrets

PATH = "/v1/uploads"
BODY = json.dumps({"resource": "claims", "filename": "a.csv"})


@pytest.fixture
def key(world: World, call: Call) -> tuple[str, str]:
    """Credential and signing key of the court's system."""
    id = next(c.id for c in world.credentials.list(COURT))
    made = call("POST", "/v1/credentials/{id}/key", as_="admin", path={"id": id})
    assert made.status == 201
    assert "sealed" not in made.body
    return id, made.body["key"]


def signable(**changed: Any) -> Signable:
    made = {"method": "POST", "path": PATH, "body": BODY.encode(), "headers": (("Huitong-Unit", COURT),)}
    return Signable(**{**made, **changed})


def send(call: Call, header: str, *, body: str = BODY, unit: str = COURT, **more: Any) -> Said:
    return call("POST", PATH, headers={"Authorization": header}, unit=unit, body=body, **more)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_signed_request_is_its_credentials(
    algorithm: str, key: tuple[str, str], call: Call, world: World
) -> None:
    header = sign(algorithm, key[1], key[0], signable(), world.clock.now())
    said = send(call, header)
    assert said.status == 201, said.body
    assert world.uploads.get(said.body["upload_id"]).by == key[0]


def test_a_nonce_serves_once(key: tuple[str, str], call: Call, world: World) -> None:
    header = sign("HUITONG-HMAC-SM3", key[1], key[0], signable(), world.clock.now())
    assert [send(call, header).status, send(call, header).status] == [201, 401]


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_stamp_is_good_for_five_minutes(
    minutes: int, key: tuple[str, str], call: Call, world: World
) -> None:
    at = world.clock.now() + timedelta(minutes=minutes)
    assert send(call, sign("HUITONG-HMAC-SM3", key[1], key[0], signable(), at)).status == 401
    near = world.clock.now() + timedelta(minutes=4 if minutes > 0 else -4)
    assert send(call, sign("HUITONG-HMAC-SM3", key[1], key[0], signable(), near)).status == 201


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/v1/units"},
        {"query": (("limit", "1"),)},
        {"headers": ()},
        {"headers": (("Huitong-Unit", COURT), ("Huitong-Purpose", "x"))},
        {"body": b"{}"},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_signature_covers_everything(
    changed: dict[str, Any], key: tuple[str, str], call: Call, world: World
) -> None:
    header = sign("HUITONG-HMAC-SHA256", key[1], key[0], signable(**changed), world.clock.now())
    assert send(call, header).status == 401


def test_queries_are_covered_whatever_their_order(key: tuple[str, str], call: Call, world: World) -> None:
    request = Signable("GET", "/v1/batches", (("limit", "5"), ("from", "2026-01-01")), (), b"")
    header = sign("HUITONG-HMAC-SM3", key[1], key[0], request, world.clock.now())
    query = {"from": "2026-01-01", "limit": "5"}
    assert call("GET", "/v1/batches", headers={"Authorization": header}, query=query).status == 200


def test_a_new_key_or_an_end_of_the_credential_counts_at_once(
    key: tuple[str, str], call: Call, world: World
) -> None:
    """S-10."""

    def status(secret: str) -> int:
        return send(call, sign("HUITONG-HMAC-SM3", secret, key[0], signable(), world.clock.now())).status

    assert status(key[1]) == 201
    path = {"id": key[0]}
    newer = call("POST", "/v1/credentials/{id}/key", as_="admin", path=path).body["key"]
    assert (status(key[1]), status(newer)) == (401, 201)
    call("DELETE", "/v1/credentials/{id}", as_="admin", path=path)
    assert status(newer) == 401


def test_only_configured_algorithms_are_accepted(key: tuple[str, str], world: World) -> None:
    only = SignedRequests(world.register, PlainSecrets(), world.clock, accepted=["HUITONG-HMAC-SM3"])
    header = sign("HUITONG-HMAC-SHA256", key[1], key[0], signable(), world.clock.now())
    with pytest.raises(NotAuthenticated):
        only.authenticate(header, signable())


def test_the_key_is_nowhere_in_the_register_in_the_plain(
    key: tuple[str, str], call: Call, world: World
) -> None:
    item = world.register.get(f"CREDENTIAL#{key[0]}", "CREDENTIAL")
    assert item is not None
    assert item.body["sealed"] == PlainSecrets().seal(key[1], f"credential:{key[0]}")
    assert "sealed" not in json.dumps(call("GET", "/v1/credentials", as_="admin").body)


def test_a_credential_is_changed_for_a_token_of_some_minutes(call: Call, world: World) -> None:
    """S-36: the long-lived secret is sent once in a while only."""
    _, id, secret = world.tokens["court"].split("_", 2)
    said = call("POST", "/v1/token", body={"id": id, "secret": secret, "minutes": 20})
    world.tokens["short"] = said.body["token"]
    assert call("GET", "/v1/me", as_="short").body["unit"] == COURT
    world.clock.advance(minutes=19)
    assert call("GET", "/v1/me", as_="short").status == 200
    world.clock.advance(minutes=1)
    assert call("GET", "/v1/me", as_="short").status == 401
    assert call("POST", "/v1/token", body={"id": id, "secret": "A" * 43}).status == 401
    for minutes in (14, 61):
        body = {"id": id, "secret": secret, "minutes": minutes}
        assert call("POST", "/v1/token", body=body).status == 400


def test_a_token_ends_with_its_credential(call: Call, world: World) -> None:
    """S-10."""
    _, id, secret = world.tokens["court"].split("_", 2)
    world.tokens["short"] = call("POST", "/v1/token", body={"id": id, "secret": secret}).body["token"]
    call("DELETE", "/v1/credentials/{id}", as_="admin", path={"id": id})
    assert call("GET", "/v1/me", as_="short").status == 401


def test_the_gateway_sees_what_it_can_and_changes_nothing(
    key: tuple[str, str], call: Call, world: World
) -> None:
    gateway = Gateway(world.credentials, world.sessions, world.signed)
    _, id, secret = world.tokens["court"].split("_", 2)
    token = call("POST", "/v1/token", body={"id": id, "secret": secret}).body["token"]
    header = sign("HUITONG-HMAC-SM3", key[1], key[0], signable(), world.clock.now())
    before = dict(world.register._items)
    for good in (f"Bearer {world.tokens['court']}", f"Bearer {token}", header, header):
        assert gateway.look(good).unit == COURT
    late = sign("HUITONG-HMAC-SM3", key[1], key[0], signable(), world.clock.now() - timedelta(minutes=6))
    unknown = sign("HUITONG-HMAC-SM3", key[1], "nobody", signable(), world.clock.now())
    for bad in ("", "Bearer", f"Bearer {token}x", "Basic x", late, unknown, header.replace("SM3", "MD5")):
        with pytest.raises(NotAuthenticated):
            gateway.look(bad)
    assert world.register._items == before
