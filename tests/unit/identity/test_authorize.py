"""The table of what each role may do, cell by cell (S-08)."""

from __future__ import annotations

import pytest

from huitong.errors import NotPermitted
from huitong.identity.authorize import RULES, acting_unit, may, permit
from huitong.identity.model import Principal, Role

OWN, OTHER = "1144030000AA01019J", "1144030000AA01027D"
ROLES: tuple[Role, ...] = ("admin", "source", "consumer", "officer", "analyst", "auditor")

#: operation → (roles that may on something of another unit, roles of the unit that may on its own)
EXPECTED: dict[str, tuple[str, str]] = {
    "unit.put": ("admin", "admin"),
    "unit.read": (" ".join(ROLES), " ".join(ROLES)),
    "credential.issue": ("admin", "admin"),
    "credential.disable": ("admin", "admin"),
    "credential.read": ("admin auditor", "admin auditor"),
    "contract.put": ("admin", "admin"),
    "contract.read": ("admin officer auditor", " ".join(ROLES)),
    "upload": ("", "admin source"),
    "upload.read": ("admin officer auditor", " ".join(ROLES)),
    "profile.put": ("", "admin source"),
    "profile.read": ("admin officer auditor", " ".join(ROLES)),
    "batch.read": ("admin officer auditor", " ".join(ROLES)),
    "batch.decide": ("admin officer", ""),
    "batch.replay": ("admin officer", "admin officer"),
    "grant.put": ("admin", "admin"),
    "grant.read": ("admin officer auditor", " ".join(ROLES)),
    "subscription.put": ("admin", "admin consumer"),
    "subscription.read": ("admin officer auditor", " ".join(ROLES)),
    "data.read": (" ".join(ROLES), " ".join(ROLES)),
    "ledger.read": ("admin officer auditor", " ".join(ROLES)),
    "trace.read": ("admin auditor", "admin auditor"),
}


def test_every_operation_is_in_the_matrix() -> None:
    assert set(EXPECTED) == set(RULES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", sorted(EXPECTED))
def test_each_cell_is_as_decided_and_everything_else_is_denied(operation: str, role: Role) -> None:
    """S-08."""
    who = Principal("p", OWN, frozenset({role}))
    foreign, own = EXPECTED[operation]
    assert may(who, operation, OTHER) == (role in foreign.split())
    assert may(who, operation, OWN) == (role in own.split())


@pytest.mark.parametrize("operation", sorted(EXPECTED))
def test_somebody_without_a_role_may_nothing_of_others(operation: str) -> None:
    assert not may(Principal("p", "", frozenset()), operation, OTHER)
    assert not may(Principal("p", "", frozenset()), operation, "")


def test_acting_for_a_unit_lets_a_source_deliver_for_it() -> None:
    who = Principal("p", OWN, frozenset({"source"}), acts_for=(OTHER,))
    assert may(who, "upload", OTHER)


def test_nobody_decides_on_a_delivery_of_the_own_unit() -> None:
    officer = Principal("p", OWN, frozenset({"officer", "admin"}))
    with pytest.raises(NotPermitted):
        permit(officer, "batch.decide", OWN)


def test_the_declared_unit_must_be_one_that_may_be_acted_for() -> None:
    who = Principal("p", OWN, frozenset({"source"}))
    assert acting_unit(who, "") == OWN
    assert acting_unit(who, OWN) == OWN
    with pytest.raises(NotPermitted):
        acting_unit(who, OTHER)
    assert acting_unit(Principal("a", "", frozenset({"admin"}), ("*",)), OTHER) == OTHER


def test_a_unit_of_no_name_is_nobodys_own() -> None:
    assert not may(Principal("p", "", frozenset({"source"}), ("*",)), "upload", "")
