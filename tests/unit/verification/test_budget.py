"""The budget of comparisons counts what is asked at once, too."""

from __future__ import annotations

from typing import Any

import pytest

from huitong.errors import Conflict, LimitExceeded
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.verification.budget import Budget, Guessing, Rules, Use

RULES = Rules(subject_day=5, asker_day=12, claims=2)


def uses(*subjects: str, claim: str = "c") -> list[Use]:
    return [Use(s, {"f": claim}) for s in subjects]


def test_of_two_at_once_both_are_counted() -> None:
    """The slower one counts anew from what the quicker one wrote."""
    register, clock = MemoryRegister(), ManualClock()
    budget = Budget(register, clock, RULES)
    write, late = register.write, []

    def slow(*args: Any, **more: Any) -> None:
        if not late:
            late.append(True)
            Budget(register, clock, RULES).spend("U", "p", "R", uses("s", "s"))
        write(*args, **more)

    register.write = slow  # type: ignore[method-assign]
    budget.spend("U", "p", "R", uses("s", "s"))
    assert {i.sk: i.body["count"] for i in register.query(f"VERIFY#{budget.day()}#U")} == {
        "ASKER#p": 4,
        "R#s": 4,
    }
    with pytest.raises(LimitExceeded):
        budget.spend("U", "p", "R", uses("s", "s"))
    budget.spend("U", "p", "R", uses("s"))


def test_who_is_always_too_late_is_told_so() -> None:
    register = MemoryRegister()

    def never(*_: Any, **__: Any) -> None:
        raise Conflict("忙", "busy")

    register.write = never  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        Budget(register, ManualClock(), RULES).spend("U", "p", "R", uses("s"))


def test_what_is_refused_uses_nothing() -> None:
    register = MemoryRegister()
    budget = Budget(register, ManualClock(), RULES)
    with pytest.raises(Guessing) as guessing:
        budget.spend("U", "p", "R", [Use("s", {"f": c}) for c in "abc"] + uses("t"))
    assert guessing.value.subjects == ("s",)
    assert register.query(f"VERIFY#{budget.day()}#U") == []


def test_a_day_of_one_asker_ends_over_all_resources_and_a_new_day_begins() -> None:
    clock = ManualClock()
    budget = Budget(MemoryRegister(), clock, RULES)
    for n, resource in enumerate(("R", "S", "T")):
        budget.spend("U", "p", resource, uses(*(f"s{n}{k}" for k in range(4))))
    with pytest.raises(LimitExceeded):
        budget.spend("U", "p", "V", uses("x"))
    budget.spend("U", "another", "V", uses("x"))
    clock.moment = clock.moment.replace(day=clock.moment.day + 1)
    budget.spend("U", "p", "V", uses("x"))


def test_counters_leave_by_themselves_and_hold_no_claims() -> None:
    register, clock = MemoryRegister(), ManualClock()
    Budget(register, clock, RULES).spend("U", "p", "R", uses("s", claim="0123456789abcdef"))
    for item in register.query(f"VERIFY#{Budget(register, clock).day()}#U"):
        assert clock.moment.timestamp() < item.expires <= clock.moment.timestamp() + 2 * 86_400
