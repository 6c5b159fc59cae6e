"""Who may have what of a resource."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from huitong.contracts.model import Contract, Field
from huitong.errors import InvalidQuery, NotFound
from huitong.identity.model import Principal, Role
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.sharing.access import Access
from huitong.sharing.grants import Grant, Grants, access_for

PROVIDER, RECEIVER = "U-PROVIDER", "U-RECEIVER"
CONTRACT = Contract(
    id="IN-01",
    version=1,
    title="x",
    provider=PROVIDER,
    fields=(
        Field("a", key=1),
        Field("b", level="L1"),
        Field("c", level="L3", mask="name"),
        Field("d", level="L4", mask="id"),
        Field("e", level="L3"),
    ),
)
MASKS = {"c": "name", "d": "id", "e": "all"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture
def grants(clock: ManualClock) -> Grants:
    return Grants(MemoryRegister(), clock)


def person(unit: str = "", *roles: Role, acts_for: tuple[str, ...] = ()) -> Principal:
    return Principal("p", unit, frozenset(roles), acts_for)


def test_the_providing_unit_has_everything_plain(grants: Grants) -> None:
    assert access_for(person(PROVIDER), CONTRACT, grants) == Access("IN-01", ("a", "b", "c", "d", "e"))


def test_a_unit_without_a_grant_has_nothing(grants: Grants) -> None:
    assert access_for(person(RECEIVER, "consumer", "analyst", "source"), CONTRACT, grants) is None
    assert access_for(person(""), replace(CONTRACT, provider=""), grants) is None


def test_a_grant_gives_its_fields_in_contract_order_with_sensitive_ones_masked(grants: Grants) -> None:
    """L-23: what is marked for masking is masked unless the grant says otherwise."""
    given = Grant(RECEIVER, "IN-01", ("e", "d", "a"), unmasked=("e",), row_filter="\"a\" = 'x'")
    grants.put(given, CONTRACT, by="t")
    found = access_for(person(RECEIVER), CONTRACT, grants)
    assert found == Access("IN-01", ("a", "d", "e"), {"d": "id"}, "\"a\" = 'x'")


def test_a_grant_without_fields_gives_all_of_them_masked_by_level(grants: Grants) -> None:
    grants.put(Grant(RECEIVER, "IN-01"), CONTRACT, by="t")
    assert access_for(person(RECEIVER), CONTRACT, grants) == Access("IN-01", ("a", "b", "c", "d", "e"), MASKS)


def test_a_grant_may_mask_more_than_the_level_asks(grants: Grants) -> None:
    grants.put(Grant(RECEIVER, "IN-01", masks={"a": "all", "d": "all"}, unmasked=("d",)), CONTRACT, by="t")
    found = access_for(person(RECEIVER), CONTRACT, grants)
    assert found is not None
    assert found.masks == {**MASKS, "a": "all", "d": "all"}


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [
        ("", "", True),
        ("2026-03-01", "2026-03-01", True),
        ("2026-03-02", "", False),
        ("", "2026-02-28", False),
        ("2026-01-01", "2026-12-31", True),
    ],
)
def test_a_grant_holds_on_its_days_and_on_no_other(
    grants: Grants, starts: str, ends: str, holds: bool
) -> None:
    grants.put(Grant(RECEIVER, "IN-01", starts=starts, ends=ends), CONTRACT, by="t")
    assert (access_for(person(RECEIVER), CONTRACT, grants) is not None) is holds


def test_days_of_a_grant_are_days_in_china(grants: Grants, clock: ManualClock) -> None:
    grants.put(Grant(RECEIVER, "IN-01", starts="2026-03-02"), CONTRACT, by="t")
    clock.moment = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    assert access_for(person(RECEIVER), CONTRACT, grants) is None
    clock.moment = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert access_for(person(RECEIVER), CONTRACT, grants) is not None


def test_a_revoked_grant_gives_nothing_at_once(grants: Grants) -> None:
    grants.put(Grant(RECEIVER, "IN-01"), CONTRACT, by="t")
    grants.revoke(RECEIVER, "IN-01")
    assert access_for(person(RECEIVER), CONTRACT, grants) is None
    assert grants.get(RECEIVER, "IN-01").revoked


def test_what_is_not_shared_never_leaves_its_owner(grants: Grants) -> None:
    """Share type 3 (不予共享) holds against grants and staff."""
    closed = replace(CONTRACT, share_type="3")
    grants.put(Grant(RECEIVER, "IN-01"), closed, by="t")
    assert access_for(person(RECEIVER), closed, grants) is None
    assert access_for(person("", "admin", "officer"), closed, grants) is None
    assert access_for(person(PROVIDER), closed, grants) is not None


@pytest.mark.parametrize("role", ["admin", "officer"])
def test_staff_have_all_fields_masked_by_level(grants: Grants, role: Role) -> None:
    """S-30: sensitive data are masked by default, also for those who run the platform."""
    assert access_for(person("U-PLATFORM", role), CONTRACT, grants) == Access(
        "IN-01", ("a", "b", "c", "d", "e"), MASKS
    )


@pytest.mark.parametrize("role", ["auditor", "analyst", "source", "consumer"])
def test_other_roles_give_no_data_by_themselves(grants: Grants, role: Role) -> None:
    assert access_for(person("U-PLATFORM", role), CONTRACT, grants) is None


def test_who_acts_for_a_unit_has_what_the_unit_has_and_no_more(grants: Grants) -> None:
    admin = person("U-PLATFORM", "admin", acts_for=("*",))
    grants.put(Grant(RECEIVER, "IN-01", ("a",)), CONTRACT, by="t")
    assert access_for(admin, CONTRACT, grants, acting_unit=RECEIVER) == Access("IN-01", ("a",))
    owner = access_for(admin, CONTRACT, grants, acting_unit=PROVIDER)
    assert owner is not None
    assert not owner.masks
    assert access_for(admin, CONTRACT, grants, acting_unit="U-OTHER") is None


def test_nobody_acts_for_a_unit_that_is_not_its_own(grants: Grants) -> None:
    assert access_for(person(RECEIVER), CONTRACT, grants, acting_unit=PROVIDER) is None


def test_a_grant_is_refused_with_all_its_faults(grants: Grants) -> None:
    wrong = Grant(RECEIVER, "IN-01", ("a", "x"), unmasked=("y",), masks={"z": "id"}, starts="31.1.2026")
    with pytest.raises(InvalidQuery) as refused:
        grants.put(wrong, CONTRACT, by="t")
    assert [p.where["field"] for p in refused.value.problems] == ["x", "y", "z", "starts"]
    with pytest.raises(InvalidQuery):
        grants.put(Grant(RECEIVER, "IN-01", starts="2026-02-02", ends="2026-02-01"), CONTRACT, by="t")


def test_grants_are_found_by_unit_and_by_resource(grants: Grants) -> None:
    grants.put(Grant(RECEIVER, "IN-01", purpose="p1"), CONTRACT, by="t")
    grants.put(Grant(RECEIVER, "IN-01", purpose="p2"), CONTRACT, by="t")
    assert [g.purpose for g in grants.of_unit(RECEIVER)] == ["p2"]
    assert [g.unit for g in grants.of_resource("IN-01")] == [RECEIVER]
    with pytest.raises(NotFound):
        grants.get("U-OTHER", "IN-01")
    with pytest.raises(NotFound):
        grants.revoke("U-OTHER", "IN-01")
