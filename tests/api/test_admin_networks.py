"""Who administers the platform is heard from the networks of the office alone (S-18)."""

from __future__ import annotations

import pytest
from tests.support.api_world import COURT, Call, World

from huitong.audit.chain import SHARDS, partition
from huitong.errors import NotPermitted
from huitong.identity.model import Principal
from huitong.identity.networks import AdminNetworks

HERE = "10.0.0.9"  # where requests of these tests come from


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_an_administrative_role_from_elsewhere_is_refused_for_everything_and_on_record(
    world: World, call: Call, who: str
) -> None:
    world.admin_networks = AdminNetworks(("192.0.2.0/24", "2001:db8::/32"))
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/units"), ("GET", "/v1/contracts")):
        told = call(method, path, as_=who)
        assert (told.status, told.body["code"]) == (403, "not-permitted"), path
    records = [i.body["record"] for s in range(SHARDS) for i in world.register.query(partition(s))]
    assert {(r["act"], r["source"]) for r in records if r.get("result") == "not-permitted"} == {
        ("refuse", HERE)
    }
    world.admin_networks = AdminNetworks(("192.0.2.0/24", "10.0.0.0/8"))
    assert call("GET", "/v1/me", as_=who).status == 200


def test_units_and_their_systems_come_from_wherever_they_are(world: World, call: Call) -> None:
    world.admin_networks = AdminNetworks(("192.0.2.0/24",))
    assert call("GET", "/v1/me", as_="court").body["unit"] == COURT
    assert call("GET", "/v1/me", as_="officer").status == 200


@pytest.mark.parametrize("source", ["", "not an address", "192.0.3.1", "::ffff:192.0.3.1", "2001:db9::1"])
def test_an_address_outside_or_none_is_not_admitted(source: str) -> None:
    admin = Principal("a", "", frozenset({"security"}))
    with pytest.raises(NotPermitted):
        AdminNetworks.read("192.0.2.0/24,2001:db8::/32").admit(admin, source)


@pytest.mark.parametrize("source", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])
def test_an_address_inside_is_admitted_in_each_of_its_forms(source: str) -> None:
    AdminNetworks.read("192.0.2.0/24, 2001:db8::/32").admit(
        Principal("a", "", frozenset({"admin", "source"})), source
    )


def test_without_networks_everybody_is_admitted_and_a_wrong_one_is_no_network() -> None:
    AdminNetworks.read("").admit(Principal("a", "", frozenset({"admin"})), "203.0.113.1")
    with pytest.raises(ValueError, match="host bits"):
        AdminNetworks.read("10.0.0.9/8")
