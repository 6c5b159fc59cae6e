"""Whatever is given and withdrawn in whatever order, the three administrations stay apart (S-07, S-10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, NotPermitted
from huitong.identity.accounts import Accounts
from huitong.identity.attempts import Attempts
from huitong.identity.credentials import Credentials
from huitong.identity.model import Principal
from huitong.identity.roles import APART, ROLES, RoleGrant, in_force, read
from huitong.local.identity import LocalIdentity
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.ports import timestamp

BY = Principal("sec", "", frozenset({"security"}))
DAYS = st.sampled_from(["", "2026-01-04", "2026-01-05", "2026-01-06", "2026-02-01"])
NAMES = st.sampled_from([*sorted(APART), "officer", "quality"])
GRANTS = st.lists(st.fixed_dictionaries({"role": NAMES}, optional={"from": DAYS, "to": DAYS}), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("roles"), GRANTS),
        st.tuples(st.just("credential"), st.lists(NAMES, min_size=1, max_size=2)),
        st.tuples(st.just("days"), st.integers(1, 40)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_order_of_changes_brings_two_of_the_three_into_one_hand(steps: list[tuple[str, object]]) -> None:
    register, clock = MemoryRegister(), ManualClock()
    traces = Traces(register, clock)
    accounts = Accounts(register, traces, LocalIdentity(clock), Attempts(register, clock), clock)
    credentials = Credentials(register, clock, traces)
    account, _ = accounts.create("wang.li", "王丽", "", read([{"role": "officer"}]), by=BY)
    for kind, given_ in steps:
        try:
            if kind == "roles":
                accounts.set_roles(account.id, read(given_), by=BY)  # type: ignore[arg-type]
            elif kind == "credential":
                credentials.issue("x", "", given_, by=BY, owner=account.id, accounts=accounts)  # type: ignore[arg-type]
            else:
                clock.advance(days=given_)  # type: ignore[arg-type]
        except (NotPermitted, BadRequest):
            pass
        for ahead in (0, 1, 40):
            at = timestamp(clock.now() + timedelta(days=ahead))
            held = set(accounts.get(account.id).roles_at(at))
            for credential in credentials.list():
                held.update(credential.roles)
            assert len(held & APART) <= 1


@given(
    st.sampled_from(sorted(ROLES)),
    st.dates(datetime(2026, 1, 1).date(), datetime(2026, 12, 1).date()),
    st.integers(0, 60),
    st.integers(-100, 24 * 70 * 60),
)
def test_a_period_of_days_is_chinese_days_with_the_last_included(
    role: str, first: object, length: int, minutes: int
) -> None:
    last = first + timedelta(days=length)  # type: ignore[operator]
    grants = read([{"role": role, "from": str(first), "to": str(last)}])
    begin = datetime.fromisoformat(f"{first}T00:00:00+08:00")
    at = begin + timedelta(minutes=minutes)
    inside = first <= at.date() <= last  # type: ignore[operator]
    assert (in_force(grants, timestamp(at.astimezone(UTC))) == {role}) == inside
    assert RoleGrant.from_dict(grants[0].as_dict()) == grants[0]
