"""A unit is restricted for arrears exactly while it has some (L-36)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitong.audit.trace import Traces
from huitong.batches.lateness import Late
from huitong.errors import NotPermitted
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.ports import timestamp
from huitong.supervision.restrictions import Policy, Restrictions

UNITS = ("A", "B")
#: In each round: which resources of which unit are late, whether the clock runs, who is asked for.
ROUNDS = st.lists(
    st.tuples(st.sets(st.sampled_from(["A1", "A2", "B1"])), st.booleans(), st.integers(0, 3)), max_size=12
)


@dataclass
class Town:
    policy: Policy
    late: set[str] = field(default_factory=set)
    since: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock, register = ManualClock(), MemoryRegister()
        self.kept = Restrictions(register, Traces(register, self.clock), self.clock, self.found)
        self.kept.set_policy(self.policy, by="x")

    def found(self, unit: str) -> list[Late]:
        return [Late(r, r[0], "", self.since[r]) for r in sorted(self.late) if unit in ("", r[0])]

    def restricted(self, unit: str) -> bool:
        problems = self.kept.problems(unit)
        assert all(any(r in p.zh for r in self.late) for p in problems), "a restriction shows its reason"
        if problems:
            with pytest.raises(NotPermitted):
                self.kept.check(unit)
        return bool(problems)

    def overdue(self, unit: str) -> bool:
        latest = timestamp(self.clock.now() - timedelta(days=self.policy.grace_days))
        return any(r[0] == unit and self.since[r] <= latest for r in self.late)


@given(ROUNDS, st.integers(0, 2))
def test_restricted_exactly_while_in_arrears(rounds: list[tuple[set[str], bool, int]], grace: int) -> None:
    town = Town(Policy(True, grace))
    for late, runs, days in rounds:
        town.clock.advance(days=days, seconds=1)
        now = timestamp(town.clock.now())
        town.since = {r: town.since.get(r, now) if r in town.late else now for r in late}
        town.late = late
        was = {unit: town.restricted(unit) for unit in UNITS}
        for unit in UNITS:  # without the clock, cleared arrears never restrict
            assert not was[unit] or town.overdue(unit)
        if runs:
            town.kept.tick()
            assert {u: town.restricted(u) for u in UNITS} == {u: town.overdue(u) for u in UNITS}
            listed = {r.unit for r in town.kept.all() if r.state == "in_force"}
            assert listed == {u for u in UNITS if town.overdue(u)}


@given(ROUNDS)
def test_by_decision_arrears_only_propose(rounds: list[tuple[set[str], bool, int]]) -> None:
    town = Town(Policy(automatic=False))
    for late, _, days in rounds:
        town.clock.advance(days=days, seconds=1)
        now = timestamp(town.clock.now())
        town.since, town.late = dict.fromkeys(late, now), late
        town.kept.tick()
        assert not any(town.restricted(u) for u in UNITS)
        assert {r.unit for r in town.kept.all() if r.state == "proposed"} == {r[0] for r in late}
