"""Keys that the platform gives itself: made at random on first use, kept sealed in the register."""

from __future__ import annotations

import secrets as random_source
from collections.abc import Mapping
from typing import Any

from huitong.errors import Conflict, Unavailable
from huitong.ports import Item, Register, Secrets


class PlatformKeys:
    def __init__(self, register: Register, secrets: Secrets) -> None:
        self._register = register
        self._secrets = secrets

    def get(self, name: str) -> str:
        """The key of this name, the same for every function and deployment. Raises Unavailable, Corrupt."""
        sealed = self._stored(name) or self._made(name)
        return self._secrets.unseal(str(sealed["sealed"]), f"platform:{name}")

    def _stored(self, name: str) -> Mapping[str, Any] | None:
        item = self._register.get("PLATFORM", f"KEY#{name}")
        return item.body if item else None

    def _made(self, name: str) -> Mapping[str, Any]:
        sealed = self._secrets.seal(random_source.token_urlsafe(32), f"platform:{name}")
        try:
            return self._register.create(Item("PLATFORM", f"KEY#{name}", {"sealed": sealed})).body
        except Conflict:
            found = self._stored(name)  # another function was first: its key counts
        if found is None:
            raise Unavailable("平台密钥暂不可读", "A key of the platform cannot be read for now", key=name)
        return found
