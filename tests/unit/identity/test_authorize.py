"""The table of what each role may do, cell by cell (S-08)."""

from __future__ import annotations

from pathlib import Path

import pytest

from huitong.errors import NotPermitted
from huitong.identity import matrix
from huitong.identity.authorize import RULES, acting_unit, may, permit
from huitong.identity.model import Principal, Role

OWN, OTHER = "1144030000AA01019J", "1144030000AA01027D"
DECIDED = Path(__file__).resolve().parents[3] / "docs" / "roles.md"
APART: tuple[Role, ...] = ("admin", "security", "auditor")


def decided() -> dict[str, tuple[str, str]]:
    """Rule → (roles on another unit's thing, roles on the own unit's), as the document has them."""
    rows = [line.strip("| ").split(" | ") for line in DECIDED.read_text(encoding="utf-8").splitlines()]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3 and row[0] in RULES}


def test_the_document_of_roles_is_what_is_decided() -> None:
    """S-08, X-15: run ``python -m huitong.identity.matrix > docs/roles.md`` after a rule changed, and look."""
    assert DECIDED.read_text(encoding="utf-8") == matrix.text()


@pytest.mark.parametrize("role", matrix.ROLES)
def test_each_cell_is_as_decided_and_everything_else_is_denied(role: Role) -> None:
    """S-08."""
    table = decided()
    assert set(table) == set(RULES)
    who = Principal("p", OWN, frozenset({role}))
    for operation, (foreign, own) in table.items():
        for unit, cell in ((OTHER, foreign), (OWN, own)):
            granted = cell.startswith("all") or role in cell.split() or "(and" in cell
            assert may(who, operation, unit) == granted, (operation, unit, role)


@pytest.mark.parametrize("operation", sorted(RULES))
def test_somebody_whose_roles_are_over_may_nothing_but_sign_out(operation: str) -> None:
    """S-10: also not as somebody of the unit."""
    nobody = Principal("p", OWN, frozenset())
    assert (may(nobody, operation, OWN) or may(nobody, operation, OTHER)) == (operation == "session.own")


def test_none_of_the_three_administrators_has_the_rights_of_another() -> None:
    """S-07: giving rights, and reading the evidence, are in different hands, and neither runs the system."""
    may_of = {role: {rule for rule in RULES if matrix.allowed(rule, role, own=False)} for role in APART}
    giving = {
        "account.put",
        "credential.issue",
        "credential.disable",
        "session.others",
        "post.put",
        "duty.put",
    }
    assert giving <= may_of["security"]
    assert not giving & may_of["admin"]
    assert not giving & may_of["auditor"]
    assert "trace.read" in may_of["auditor"]
    assert "trace.read" not in may_of["security"] | may_of["admin"]


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
