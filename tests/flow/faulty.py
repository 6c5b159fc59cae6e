"""Ports that die: before or after the k-th effect, whichever port makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from huitong.local.platform import Ports


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the product may catch it."""


EFFECTS = frozenset(
    {"put", "put_file", "delete", "create", "replace", "write", "send", "publish", "commit_table"}
)


class Fuse:
    """Counts effects over all ports and kills at one of them: before it is done, or just after."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after
        self.blown = ""

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                self.blown = f"before {name}"
                raise Killed(self.blown)
            result = effect(*args, **kwargs)
            if self.left == 0:
                self.blown = f"after {name}"
                raise Killed(self.blown)
            return result

        return burning


class Fused:
    """Any port, with its effects on a fuse."""

    def __init__(self, port: Any, name: str, fuse: Fuse) -> None:
        self._port, self._name, self._fuse = port, name, fuse

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        return self._fuse.around(f"{self._name}.{attribute}", value) if attribute in EFFECTS else value


def fused(ports: Ports, fuse: Fuse) -> Ports:
    """The same ports; the catalogue's commits are effects like the others."""

    def catalog() -> Any:
        made = ports.catalog()
        made.commit_table = fuse.around("catalog.commit_table", made.commit_table)
        return made

    wrapped = {
        f.name: Fused(getattr(ports, f.name), f.name, fuse)
        for f in fields(Ports)
        if f.name not in ("catalog", "clock")
    }
    return replace(ports, catalog=catalog, **wrapped)
