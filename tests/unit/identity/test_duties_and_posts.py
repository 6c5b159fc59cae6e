"""Statutory duties are held in their time, by those who act for the unit (L-40, Q-60)."""

from __future__ import annotations

import pytest

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, NotPermitted
from huitong.identity.accounts import Accounts
from huitong.identity.attempts import Attempts
from huitong.identity.duties import Duties, Duty
from huitong.identity.model import Principal
from huitong.identity.posts import Post, Posts
from huitong.identity.roles import read
from huitong.local.identity import LocalIdentity
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister

UNIT, OTHER = "1144030000AA01019J", "1144030000AA01027D"
BY = Principal("sec", "", frozenset({"security"}))


class Office:
    def __init__(self) -> None:
        self.register, self.clock = MemoryRegister(), ManualClock()  # 2026-01-05 16:00 in China
        self.traces = Traces(self.register, self.clock)
        self.duties = Duties(self.register, self.traces, self.clock)
        self.posts = Posts(self.register, self.traces)
        attempts = Attempts(self.register, self.clock)
        self.accounts = Accounts(self.register, self.traces, LocalIdentity(self.clock), attempts, self.clock)


@pytest.fixture
def office() -> Office:
    return Office()


def somebody(unit: str = UNIT, acts_for: tuple[str, ...] = (), person: str = "") -> Principal:
    return Principal("c1", unit, frozenset({"consumer"}), acts_for, person=person)


@pytest.mark.parametrize(
    ("starts", "ends", "held"),
    [
        ("", "", True),
        ("2026-01-05", "2026-01-05", True),
        ("2026-01-06", "", False),
        ("", "2026-01-04", False),
    ],
)
def test_a_duty_is_held_from_its_first_day_to_its_last(
    office: Office, starts: str, ends: str, held: bool
) -> None:
    office.duties.put(Duty(UNIT, "d", "核查", "check", "条例第一条", starts, ends), by=BY)
    assert office.duties.held(somebody(), UNIT, "d") is held


def test_a_duty_is_held_by_those_who_act_for_its_unit_only(office: Office) -> None:
    office.duties.put(Duty(UNIT, "d", "核查", "check", "条例第一条"), by=BY)
    assert office.duties.held(somebody(OTHER, (UNIT,)), UNIT, "d")
    assert not office.duties.held(somebody(OTHER), UNIT, "d")
    assert not office.duties.held(somebody(), UNIT, "unknown")
    assert not office.duties.held(somebody(), "", "d")
    assert not office.duties.held(somebody(), UNIT, "")


def test_a_duty_can_be_bound_to_a_post(office: Office) -> None:
    office.posts.put(Post(UNIT, "judge", "法官", "judge", roles=("case_officer",)), by=BY)
    office.duties.put(Duty(UNIT, "d", "审理", "trial", "条例", posts=("judge",)), by=BY)
    roles = read([{"role": "case_officer"}])
    judge, _ = office.accounts.create("judge.li", "李", UNIT, roles, post="judge", by=BY)
    clerk, _ = office.accounts.create("clerk.wu", "吴", UNIT, roles, by=BY)
    assert office.duties.held(somebody(person=judge.id), UNIT, "d")
    assert not office.duties.held(somebody(person=clerk.id), UNIT, "d")
    assert not office.duties.held(somebody(), UNIT, "d")


def test_a_duty_without_a_law_is_refused(office: Office) -> None:
    with pytest.raises(BadRequest):
        office.duties.put(Duty(UNIT, "d", "核查", "check", "  "), by=BY)


def test_a_post_is_not_bound_to_roles_that_must_stay_apart(office: Office) -> None:
    """S-07."""
    with pytest.raises(NotPermitted):
        office.posts.put(Post(UNIT, "x", "x", "x", roles=("admin", "auditor")), by=BY)
