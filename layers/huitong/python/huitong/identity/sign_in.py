"""Sign-in of people: password, then one-time code, then a session of ours (S-01 to S-03, C-18).

Between the steps only an opaque token leaves; the provider's own state stays
sealed in the register for a few minutes and serves once. Whatever is wrong, the
answer is the same, so that it tells nothing about logins.

Register keys: ``SIGNIN#{digest of the token}`` / ``SIGNIN``.
"""

from __future__ import annotations

import hashlib
import json
import secrets as random_source
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, NotAuthenticated
from huitong.identity.accounts import Account
from huitong.identity.attempts import Attempts
from huitong.identity.provider import Challenge, IdentityProvider
from huitong.identity.sessions import Session, Sessions
from huitong.identity.totp import address
from huitong.ports import Clock, Item, Register, Secrets, timestamp

PASSWORD_DAYS: Final = 90
_PENDING: Final = timedelta(minutes=5)
_EXPIRED: Final = "expired"  # our own challenge: a new password in place of an old one


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next: ``code``, ``new_password``, ``setup`` (with a secret to enrol), or ``done``."""

    next: str
    sign_in: str = ""
    secret: str = ""
    address: str = ""
    token: str = ""
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    register: Register
    provider: IdentityProvider
    sessions: Sessions
    attempts: Attempts
    secrets: Secrets
    traces: Traces
    clock: Clock
    password_days: int = PASSWORD_DAYS

    def begin(self, login: str, password: str, *, source: str = "") -> Step:
        """The first factor. Raises NotAuthenticated, TooMany; never gives a session (S-03)."""
        account = self._account(login)
        self._reserve(login)
        try:
            challenge = self.provider.begin(login, password)
        except NotAuthenticated:
            self._failed(account, source)
            raise _refused() from None
        if account is None or account.state != "active":
            raise _refused()
        self.attempts.give_back(login)
        return self._pending(login, challenge, chosen=False)

    def answer(self, sign_in: str, reply: str, *, source: str = "") -> Step:
        """The next factor or a new password.

        Raises NotAuthenticated, BadRequest for a password that the policy refuses (the same token serves
        again), Conflict when two answered at once.
        """
        item = self.register.get(*_key(sign_in))
        if item is None or str(item.body["until"]) <= timestamp(self.clock.now()):
            raise _refused()
        body, login = item.body, str(item.body["login"])
        account = self._account(login)
        self._reserve(login)
        self.register.delete(item)  # serves once; of two at once, one gets the conflict
        challenge = self._unsealed(sign_in, str(body["sealed"]))
        try:
            following = self._put(login, challenge, reply)
        except NotAuthenticated:
            self._failed(account, source)
            raise _refused() from None
        except BadRequest:
            self.attempts.give_back(login)
            self.register.create(replace(item, version=0))
            raise
        if account is None or account.state != "active":
            raise _refused()
        chosen = bool(body["chosen"]) or challenge.kind == "new_password"
        if following is not None:
            self.attempts.give_back(login)
            return self._pending(login, following, chosen=chosen)
        if challenge.kind != "new_password" and not self.attempts.first_use(login, reply):
            self._failed(account, source)
            raise _refused()
        if self._expired(account) and not chosen:
            self.attempts.give_back(login)
            return self._pending(login, Challenge("new_password", _EXPIRED), chosen=False)
        return self._done(login, chosen, source)

    def _put(self, login: str, challenge: Challenge, reply: str) -> Challenge | None:
        if challenge.state != _EXPIRED:
            return self.provider.answer(login, challenge, reply)
        if self._is_current(login, reply):
            raise BadRequest("新密码不得与原密码相同", "The new password must differ from the old one")
        self.provider.set_password(login, reply)
        return None

    def _is_current(self, login: str, password: str) -> bool:
        try:
            self.provider.begin(login, password)
        except NotAuthenticated:
            return False
        return True

    def _done(self, login: str, chosen: bool, source: str) -> Step:
        stored = self.register.get(f"LOGIN#{login}", "LOGIN")
        item = self.register.get(f"ACCOUNT#{stored.body['account']}", "ACCOUNT") if stored else None
        if item is None or item.body["state"] != "active":
            raise _refused()
        now = timestamp(self.clock.now())
        used = item.with_body(last_used=now, **({"password_set": now} if chosen else {}))
        account = Account.from_dict(used.body)
        session, token = self.sessions.open_person(account, source=source, replaces=[used])
        self.attempts.clear(login)
        return Step("done", token=token, session=session)

    def _pending(self, login: str, challenge: Challenge, *, chosen: bool) -> Step:
        token = random_source.token_urlsafe(32)
        until = self.clock.now() + _PENDING
        plain = json.dumps([challenge.kind, challenge.state])
        body = {
            "login": login,
            "chosen": chosen,
            "until": timestamp(until),
            "sealed": self.secrets.seal(plain, f"sign-in:{_digest(token)}"),
        }
        self.register.create(Item(*_key(token), body, expires=int(until.timestamp()) + 60))
        shown = address(challenge.secret, login) if challenge.secret else ""
        return Step(challenge.kind, token, challenge.secret, shown)

    def _unsealed(self, token: str, sealed: str) -> Challenge:
        kind, state = json.loads(self.secrets.unseal(sealed, f"sign-in:{_digest(token)}"))
        return Challenge(kind, state)

    def _account(self, login: str) -> Account | None:
        stored = self.register.get(f"LOGIN#{login}", "LOGIN")
        item = self.register.get(f"ACCOUNT#{stored.body['account']}", "ACCOUNT") if stored else None
        return Account.from_dict(item.body) if item else None

    def _expired(self, account: Account) -> bool:
        """An expired password allows nothing but a change (S-01)."""
        since = account.password_set
        return not since or since <= timestamp(self.clock.now() - timedelta(days=self.password_days))

    def _reserve(self, login: str) -> None:
        if not self.attempts.reserve(login):
            raise _refused()  # locked already, and on record since; the refusal itself is kept by the caller

    def _failed(self, account: Account | None, source: str) -> None:
        """A record of who was tried, where it is somebody; nothing of what was typed. At most as many as
        attempts are allowed in the time of a lock."""
        if account is None:
            return
        what = "lock" if self.attempts.state(account.login)[1] else "failed"
        trace = Trace(
            act="login",
            actor=account.id,
            unit=account.unit,
            detail=f"{what}:{account.id}",
            result="not-authenticated",
            source=source,
        )
        self.traces.write(trace)


def _key(token: str) -> tuple[str, str]:
    return f"SIGNIN#{_digest(token)}", "SIGNIN"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "登录未成功:账号、密码或验证码有误,或账号已锁定或停用",
        "Sign-in failed: login, password or code is wrong, or the account is locked or disabled",
    )
