"""Keys that the platform gives itself: random, made on first use, sealed in the register, versioned (S-24).

The first version of a key has its plain name, further ones ``name@2``, ``name@3``; what is made under a key
names the version, so that it stays good after the next one.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Mapping
from typing import Any, Final

from huitong.errors import Conflict, Unavailable
from huitong.ports import Clock, Item, Register, Secrets, SystemClock, timestamp

_PK: Final = "PLATFORM"


class PlatformKeys:
    def __init__(self, register: Register, secrets: Secrets, clock: Clock | None = None) -> None:
        self._register = register
        self._secrets = secrets
        self._clock = clock or SystemClock()

    def get(self, name: str) -> str:
        """The key of this name (and version), the same for every function and deployment.

        Only a first version is made here. Raises Unavailable, Corrupt.
        """
        sealed = self._stored(name)
        if sealed is None and "@" in name:
            raise Unavailable("平台密钥暂不可读", "A key of the platform cannot be read for now", key=name)
        return self._secrets.unseal(str((sealed or self._made(name))["sealed"]), f"platform:{name}")

    def versions(self, name: str) -> tuple[str, ...]:
        """The names of its versions, oldest first; the last one is for what is made now."""
        found = sorted((_number(item.sk), item.sk) for item in self._items(name))
        return tuple(sk.removeprefix("KEY#") for _, sk in found) or (name,)

    def history(self, name: str) -> list[dict[str, Any]]:
        """Versions with the time and reason of each; never a key."""
        items = sorted(self._items(name), key=lambda item: _number(item.sk))
        told = ("made_at", "reason", "by")
        return [
            {"version": _number(item.sk), **{member: str(item.body.get(member, "")) for member in told}}
            for item in items
        ]

    def next_version(self, name: str) -> Item:
        """A new version, to be written by the caller. Two at once: one is refused as a Conflict."""
        self.get(name)
        named = f"{name}@{_number(self.versions(name)[-1]) + 1}"
        return self._fresh(named)

    def _items(self, name: str) -> list[Item]:
        found = self._register.query(_PK, prefix=f"KEY#{name}")
        return [item for item in found if item.sk.partition("@")[0] == f"KEY#{name}"]

    def _stored(self, name: str) -> Mapping[str, Any] | None:
        item = self._register.get(_PK, f"KEY#{name}")
        return item.body if item else None

    def _fresh(self, name: str) -> Item:
        sealed = self._secrets.seal(random_source.token_urlsafe(32), f"platform:{name}")
        return Item(_PK, f"KEY#{name}", {"sealed": sealed, "made_at": timestamp(self._clock.now())})

    def _made(self, name: str) -> Mapping[str, Any]:
        try:
            return self._register.create(self._fresh(name)).body
        except Conflict:
            found = self._stored(name)  # another function was first: its key counts
        if found is None:
            raise Unavailable("平台密钥暂不可读", "A key of the platform cannot be read for now", key=name)
        return found


def _number(name: str) -> int:
    return int(name.partition("@")[2] or 1)
