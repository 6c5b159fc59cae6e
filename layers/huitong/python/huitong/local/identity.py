"""Passwords and second factors of people in memory, with the rules of the user pool. For tests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from huitong.errors import BadRequest, NotAuthenticated
from huitong.identity import totp
from huitong.identity.provider import Challenge
from huitong.ports import Clock

_SHORTEST = 12


@dataclass
class _User:
    salt: bytes
    digest: bytes
    temporary: bool = True
    secret: str = ""
    enrolled: bool = False
    enabled: bool = True


@dataclass
class LocalIdentity:
    """Passwords as scrypt digests (S-05)."""

    clock: Clock
    users: dict[str, _User] = field(default_factory=dict)
    pending: dict[str, tuple[str, str]] = field(default_factory=dict)  # state → (login, kind)

    def put_user(self, login: str, temporary: str) -> None:
        _check(temporary)
        self.users[login] = _User(*_kept(temporary))

    def set_enabled(self, login: str, enabled: bool) -> None:
        if login in self.users:
            self.users[login].enabled = enabled

    def begin(self, login: str, password: str) -> Challenge:
        user = self.users.get(login)
        salt, digest = (user.salt, user.digest) if user else (b"0" * 16, b"")
        right = hmac.compare_digest(_scrypt(password, salt), digest)
        if user is None or not right or not user.enabled:
            raise _refused()
        return self._next(login, user)

    def answer(self, login: str, challenge: Challenge, reply: str) -> Challenge | None:
        user = self.users.get(login)
        if user is None or self.pending.get(challenge.state) != (login, challenge.kind):
            raise _refused()
        if challenge.kind == "new_password":
            _check(reply)
            self.set_password(login, reply)
            del self.pending[challenge.state]
            return self._next(login, user)
        del self.pending[challenge.state]
        if not totp.matching_step(user.secret, reply, self.clock.now()):
            raise _refused()
        user.enrolled = True
        return None

    def set_password(self, login: str, password: str) -> None:
        _check(password)
        user = self.users[login]
        user.salt, user.digest = _kept(password)
        user.temporary = False

    def _next(self, login: str, user: _User) -> Challenge:
        state = secrets.token_urlsafe(24)
        if user.temporary:
            made = Challenge("new_password", state)
        elif not user.enrolled:
            user.secret = totp.new_secret()
            made = Challenge("setup", state, user.secret)
        else:
            made = Challenge("code", state)
        self.pending[state] = (login, made.kind)
        return made


def _check(password: str) -> None:
    kinds = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
    if len(password) < _SHORTEST or not all(any(kind(c) for c in password) for kind in kinds):
        raise BadRequest("密码不符合复杂度要求", "The password does not meet the policy")


def _kept(password: str) -> tuple[bytes, bytes]:
    salt = secrets.token_bytes(16)
    return salt, _scrypt(password, salt)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)


def _refused() -> NotAuthenticated:
    return NotAuthenticated("登录信息有误", "Login, password or code is wrong")
