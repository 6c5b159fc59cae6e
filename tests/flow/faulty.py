"""Ports that die, or fail: before or after the k-th effect, or now and then, whichever port makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from random import Random
from typing import Any, Protocol

from huitong.errors import Conflict, HuitongError, Unavailable, UnknownCommitState
from huitong.local.platform import Ports


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the product may catch it."""


EFFECTS = frozenset(
    {"put", "put_file", "delete", "create", "replace", "write", "send", "publish", "commit_table", "start"}
)

READS = frozenset({"get", "query", "query_index", "head", "read", "open", "local", "load_table", "state"})


def throttled(what: str) -> HuitongError:
    return Unavailable(f"{what}:被限流", f"{what}: throttled")


def answer_lost(what: str) -> HuitongError:
    """What adapters make of an answer that never came, though the service did its part."""
    if "commit_table" in what:
        return UnknownCommitState(f"{what}:结果未知", f"{what}: outcome unknown")
    if "register" in what:  # the SDK asked again by itself, and its own write was in the way
        return Conflict(f"{what}:已被更改", f"{what}: was changed")
    return Unavailable(f"{what}:没有应答", f"{what}: no answer")


class Trouble(Protocol):
    reads: bool

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]: ...


class Fuse:
    """Counts effects over all ports and fails at one of them: before it is done, or just after.

    ``error`` makes what is raised there; left out, the process dies.
    """

    reads = False

    def __init__(self, at: int, *, after: bool, error: Callable[[str], BaseException] = Killed) -> None:
        self.left = at
        self.after = after
        self.error = error
        self.blown = ""

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                self.blown = f"before {name}"
                raise self.error(self.blown)
            result = effect(*args, **kwargs)
            if self.left == 0:
                self.blown = f"after {name}"
                raise self.error(self.blown)
            return result

        return burning


class Meddling:
    """Fails nothing, but lets somebody else act right before the k-th effect."""

    reads = False

    def __init__(self, at: int, meddle: Callable[[], Any]) -> None:
        self.left = at
        self._meddle = meddle

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def interrupted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self._meddle()
            return effect(*args, **kwargs)

        return interrupted


class BadWeather:
    """Any call, reads too, fails now and then: throttled, or done and its answer lost."""

    reads = True

    def __init__(self, seed: int, share: float) -> None:
        self._random = Random(seed)
        self._share = share
        self.failures = 0

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **kwargs: Any) -> Any:
            if self._random.random() < self._share:
                self.failures += 1
                raise throttled(name)
            result = effect(*args, **kwargs)
            if name.rpartition(".")[2] in EFFECTS and self._random.random() < self._share:
                self.failures += 1
                raise answer_lost(name)
            return result

        return failing


class Fused:
    """Any port, with its effects on a fuse."""

    def __init__(self, port: Any, name: str, fuse: Trouble) -> None:
        self._port, self._name, self._fuse = port, name, fuse

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        caught = attribute in EFFECTS or (self._fuse.reads and attribute in READS)
        return self._fuse.around(f"{self._name}.{attribute}", value) if caught else value


def fused(ports: Ports, fuse: Trouble) -> Ports:
    """The same ports; the catalogue's commits are effects like the others."""

    def catalog() -> Any:
        made = ports.catalog()
        made.commit_table = fuse.around("catalog.commit_table", made.commit_table)
        if fuse.reads:
            made.load_table = fuse.around("catalog.load_table", made.load_table)
        return made

    wrapped = {
        f.name: Fused(getattr(ports, f.name), f.name, fuse)
        for f in fields(Ports)
        if f.name not in ("catalog", "clock")
    }
    return replace(ports, catalog=catalog, **wrapped)
