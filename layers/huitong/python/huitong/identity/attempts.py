"""Failed sign-ins of a login name, known or not, and its lock (S-02).

An attempt is counted before it is made and given back when it succeeds, so a
hundred at once get no more tries than one after the other. Names that nobody
has are counted and locked alike: the answer tells nothing about them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from huitong.errors import Conflict, TooMany
from huitong.ports import Clock, Item, Register, timestamp

_TRIES: Final = 6
_KEPT: Final = 86_400
_CODE_KEPT: Final = 300


@dataclass(frozen=True, slots=True)
class Attempts:
    register: Register
    clock: Clock
    most: int = 5
    lock: timedelta = timedelta(minutes=30)

    def state(self, login: str) -> tuple[int, str]:
        """Failures that count, and until when the name is locked (empty: it is not)."""
        body = self._body(self.register.get(*_key(login)))
        return int(body["failed"]), str(body["locked_until"])

    def reserve(self, login: str) -> bool:
        """Count an attempt; False when the name is locked. Raises TooMany under contention."""

        def counted(body: dict[str, Any]) -> dict[str, Any] | None:
            if body["locked_until"]:
                return None
            failed = int(body["failed"]) + 1
            until = timestamp(self.clock.now() + self.lock) if failed >= self.most else ""
            return {**body, "failed": failed, "locked_until": until, "at": timestamp(self.clock.now())}

        return self._change(login, counted)

    def give_back(self, login: str) -> None:
        """The attempt was right so far."""

        def fewer(body: dict[str, Any]) -> dict[str, Any] | None:
            failed = max(0, int(body["failed"]) - 1)
            return {
                **body,
                "failed": failed,
                "locked_until": "" if failed < self.most else body["locked_until"],
            }

        self._change(login, fewer)

    def clear(self, login: str) -> None:
        """Unlock, or forget failures after a success."""
        self._change(login, lambda body: {**body, "failed": 0, "locked_until": ""})

    def first_use(self, login: str, code: str) -> bool:
        """Whether a one-time code, already found right, was not used before."""
        digest = hashlib.sha256(f"{login}|{code}".encode()).hexdigest()
        now = int(self.clock.now().timestamp())
        fresh = Item(f"CODE#{digest}", "CODE", {"at": now}, expires=now + _CODE_KEPT)
        stored = self.register.get(fresh.pk, fresh.sk)
        if stored is not None and now - int(stored.body["at"]) < _CODE_KEPT:
            return False
        try:
            if stored is None:
                self.register.create(fresh)
            else:  # long ago, and by chance the same digits
                self.register.replace(replace(fresh, version=stored.version))
        except Conflict:
            return False
        return True

    def _body(self, stored: Item | None) -> dict[str, Any]:
        now = self.clock.now()
        fresh: Mapping[str, Any] = {"failed": 0, "locked_until": "", "at": ""}
        body = {**fresh, **(stored.body if stored else {})}
        if body["locked_until"] and body["locked_until"] <= timestamp(now):
            return dict(fresh)
        if not body["locked_until"] and body["at"] and body["at"] <= timestamp(now - self.lock):
            return dict(fresh)
        return body

    def _change(self, login: str, change: Any) -> bool:
        for _ in range(_TRIES):
            stored = self.register.get(*_key(login))
            body = change(self._body(stored))
            if body is None:
                return False
            expires = int(self.clock.now().timestamp()) + _KEPT
            try:
                if stored is None:
                    self.register.create(Item(*_key(login), body, expires=expires))
                else:
                    self.register.replace(Item(*_key(login), body, stored.version, expires=expires))
            except Conflict:
                continue
            return True
        raise TooMany("登录请求过于频繁,请稍后再试", "Too many sign-ins at once; wait a minute")


def _key(login: str) -> tuple[str, str]:
    return f"ATTEMPTS#{hashlib.sha256(login.encode()).hexdigest()[:32]}", "ATTEMPTS"
