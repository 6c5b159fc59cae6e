"""Two at once on an account, a sign-in or a lock: one wins (S-01, S-02, S-07)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import pytest

from huitong.audit.trace import Traces
from huitong.errors import Conflict, HuitongError, NotAuthenticated, NotPermitted, TooMany
from huitong.identity import totp
from huitong.identity.accounts import Accounts
from huitong.identity.attempts import Attempts
from huitong.identity.bounds import Bounds
from huitong.identity.credentials import Credentials
from huitong.identity.model import Principal
from huitong.identity.provider import Challenge
from huitong.identity.roles import read
from huitong.identity.sessions import Sessions
from huitong.identity.sign_in import SignIn, Step
from huitong.local.identity import LocalIdentity
from huitong.local.messages import ManualClock, PlainSecrets
from huitong.local.register import MemoryRegister
from huitong.ports import Item

BY = Principal("sec", "", frozenset({"security"}))
PASSWORD = "Quite-long-1-pass"


@dataclass
class Counting(LocalIdentity):
    """Counts the passwords that were really tried."""

    tried: list[str] = field(default_factory=list)

    def begin(self, login: str, password: str) -> Challenge:
        self.tried.append(password)
        return super().begin(login, password)


class Desk:
    def __init__(self) -> None:
        self.register, self.clock = MemoryRegister(), ManualClock()
        self.traces = Traces(self.register, self.clock)
        self.provider = Counting(self.clock)
        self.attempts = Attempts(self.register, self.clock)
        self.accounts = Accounts(self.register, self.traces, self.provider, self.attempts, self.clock)
        self.sessions = Sessions(self.register, self.traces, self.clock)
        self.credentials = Credentials(self.register, self.clock, self.traces, PlainSecrets())
        self.sign_in = SignIn(
            self.register,
            self.provider,
            self.sessions,
            self.attempts,
            PlainSecrets(),
            self.traces,
            self.clock,
        )

    def person(self, role: str = "officer") -> tuple[str, str]:
        """Account id and TOTP secret of somebody who signed in once."""
        account, temporary = self.accounts.create("wang.li", "王丽", "", read([{"role": role}]), by=BY)
        step = self.sign_in.answer(self.sign_in.begin("wang.li", temporary).sign_in, PASSWORD)
        self.sign_in.answer(step.sign_in, totp.code(step.secret, self.clock.now()))
        self.clock.advance(seconds=90)
        return account.id, step.secret


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_hundred_guesses_at_once_get_five_tries(desk: Desk) -> None:
    """S-02: an attempt is counted before it is made."""
    desk.person()
    desk.provider.tried.clear()
    start = Barrier(16)

    def guess(number: int) -> str:
        if number < 16:
            start.wait()
        try:
            desk.sign_in.begin("wang.li", f"guess {number}")
        except (NotAuthenticated, TooMany) as error:
            return error.code
        return "let in"

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(guess, range(100)))
    assert "let in" not in said
    assert len(desk.provider.tried) <= 5
    assert desk.attempts.state("wang.li")[1]


def test_names_that_nobody_has_are_locked_alike(desk: Desk) -> None:
    for _ in range(8):
        with pytest.raises(NotAuthenticated):
            desk.sign_in.begin("nobody", "x")
    assert len(desk.provider.tried) == 5


def test_failures_are_forgotten_after_half_an_hour_without_one(desk: Desk) -> None:
    for _ in range(4):
        assert desk.attempts.reserve("x")
    desk.clock.advance(minutes=30)
    assert desk.attempts.reserve("x")
    assert desk.attempts.state("x") == (1, "")


def test_of_two_answers_to_one_step_at_most_one_gets_a_session(desk: Desk) -> None:
    id, secret = desk.person()
    step = desk.sign_in.begin("wang.li", PASSWORD)
    code = totp.code(secret, desk.clock.now())

    def answer(_: int) -> Step | None:
        try:
            return desk.sign_in.answer(step.sign_in, code)
        except HuitongError:
            return None

    before = len(desk.sessions.of(id))
    with ThreadPoolExecutor(8) as pool:
        done = [s for s in pool.map(answer, range(8)) if s is not None]
    assert len(done) == 1
    assert len(desk.sessions.of(id)) == before + 1


def test_an_account_disabled_during_the_last_step_gets_no_session(desk: Desk) -> None:
    id, secret = desk.person()
    step = desk.sign_in.begin("wang.li", PASSWORD)
    stored = desk.register.get(f"ACCOUNT#{id}", "ACCOUNT")
    assert stored is not None
    stale = desk.accounts.get(id)
    desk.accounts.disable(id, "x", by=BY)
    with pytest.raises(NotAuthenticated):
        desk.sign_in.answer(step.sign_in, totp.code(secret, desk.clock.now()))
    with pytest.raises(Conflict):
        desk.sessions.open_person(stale, source="", replaces=[stored])
    assert desk.sessions.of(id) == []


def test_roles_that_must_stay_apart_do_not_meet_by_two_ways_at_once(desk: Desk) -> None:
    """S-07: an account and a credential of its owner are decided on one entry."""
    id, _ = desk.person()
    entry = desk.accounts.with_credential(id, "c1", ["auditor"], by=BY)  # decided, not yet written
    desk.accounts.set_roles(id, read([{"role": "security"}]), by=BY)
    with pytest.raises(Conflict):
        desk.register.write(creates=[Item("CREDENTIAL#c1", "CREDENTIAL", {})], replaces=[entry])
    with pytest.raises(NotPermitted):
        desk.credentials.issue("x", "", ["auditor"], by=BY, owner=id, accounts=desk.accounts)


def test_a_login_taken_at_the_same_time_is_one_persons(desk: Desk) -> None:
    def create(_: int) -> bool:
        try:
            desk.accounts.create("zhao.qi", "赵", "", read([{"role": "officer"}]), by=BY)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1


def test_a_bound_never_lets_more_through_than_it_says(desk: Desk) -> None:
    bounds = Bounds(desk.register, desk.clock)
    with ThreadPoolExecutor(8) as pool:
        allowed = sum(pool.map(lambda _: bounds.allows("x", "10.0.0.1", 7), range(60)))
    assert 0 < allowed <= 7
    assert bounds.allows("x", "10.0.0.2", 7)
    desk.clock.advance(minutes=1)
    assert bounds.allows("x", "10.0.0.1", 7)


def test_the_moment_of_last_use_is_written_once_a_minute(desk: Desk) -> None:
    id, secret = desk.person()
    step = desk.sign_in.begin("wang.li", PASSWORD)
    done = desk.sign_in.answer(step.sign_in, totp.code(secret, desk.clock.now()))
    assert done.session is not None
    key = f"SESSION#{done.session.id}", "SESSION"

    def version() -> int:
        item = desk.register.get(*key)
        assert item is not None
        return item.version

    for _ in range(5):
        desk.sessions.authenticate(done.token)
    assert version() == 1
    desk.clock.advance(seconds=61)
    for _ in range(5):
        desk.sessions.authenticate(done.token)
    assert version() == 2
    assert desk.sessions.authenticate(done.token).person == id


def test_neither_passwords_nor_secrets_stand_in_the_register(desk: Desk) -> None:
    """S-05: what is left of a sign-in is sealed or a digest."""
    _, secret = desk.person()
    step = desk.sign_in.begin("wang.li", PASSWORD)
    done = desk.sign_in.answer(step.sign_in, totp.code(secret, desk.clock.now()))
    kept = repr(desk.register._items)
    for value in (PASSWORD, secret, done.token.split("_", 2)[2], step.sign_in):
        assert value not in kept
