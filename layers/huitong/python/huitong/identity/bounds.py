"""How often something may be asked within a minute, counted in the register (S-02, S-36).

One entry for a kind, a source and a minute, which the store drops by itself.
Under contention the count may refuse early, never late.
"""

from __future__ import annotations

import hashlib
from typing import Final

from huitong.errors import Conflict, TooMany
from huitong.ports import Clock, Item, Register

_TRIES: Final = 4
_KEPT: Final = 300


class Bounds:
    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def allows(self, kind: str, source: str, most: int) -> bool:
        """Count one; False when ``source`` had ``most`` of the kind in this minute already."""
        now = int(self._clock.now().timestamp())
        digest = hashlib.sha256(source.encode()).hexdigest()[:32]
        key = f"BOUND#{kind}#{digest}", str(now // 60)
        for _ in range(_TRIES):
            stored = self._register.get(*key)
            count = int(stored.body["count"]) if stored else 0
            if count >= most:
                return False
            try:
                if stored is None:
                    self._register.create(Item(*key, {"count": 1}, expires=now + _KEPT))
                else:
                    self._register.replace(stored.with_body(count=count + 1))
            except Conflict:
                continue
            return True
        return False

    def take(self, kind: str, source: str, most: int) -> None:
        """Raises TooMany where :meth:`allows` says no."""
        if not self.allows(kind, source, most):
            raise TooMany("请求过于频繁,请稍后再试", "Too many requests; wait a minute", most=most)
