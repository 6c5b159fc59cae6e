"""A push function that dies before or after any single effect loses nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.push_world import ALL, RESOURCE, SHENZHEN, World, as_received, row, view

from huitong.delivery.limits import DeliveryLimits

EFFECTS = frozenset({"put", "put_file", "delete", "create", "replace", "write", "send", "publish", "post"})
PORTS = ("register", "exports", "queue", "dead_letters", "events", "wire")


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the product may catch it."""


class Fuse:
    """Dies at the n-th effect: before it is done, or just after. Dead processes do nothing more."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after
        self.blown = False

    def burn(self, effect: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.blown:
            raise Killed
        self.left -= 1
        if self.left:
            return effect(*args, **kwargs)
        self.blown = True
        if self.after:
            effect(*args, **kwargs)
        raise Killed


class Fused:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if name not in EFFECTS:
            return value
        return lambda *args, **kwargs: self._fuse.burn(value, *args, **kwargs)


def with_fuse(world: World, fuse: Fuse, act: Callable[[], object]) -> bool:
    """Act on fused ports; True when the process died."""
    whole = {name: getattr(world, name) for name in PORTS}
    for name, port in whole.items():
        setattr(world, name, Fused(port, fuse))
    try:
        act()
    except Killed:
        return True
    finally:
        for name, port in whole.items():
            setattr(world, name, port)
    return False


def prepared(folder: Path) -> tuple[World, list[str]]:
    world = World(folder, limits=DeliveryLimits(inline_events=3, link_events=4, jitter=0.0))
    world.publish(*(row(f"{n}") for n in range(6)))
    ids = [world.subscribe(start="snapshot"), world.subscribe(ALL, row_filter=SHENZHEN, start="seq", seq=1)]
    world.publish(*(row(f"{n}", city="GZ" if n % 2 else "SZ") for n in range(1, 8)))
    return world, ids


def run(world: World, ids: list[str]) -> None:
    world.push.plan(RESOURCE, 2)
    for id in ids:
        world.push.send(id)


def _lives() -> int:
    """How many effects a whole run has."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        world, ids = prepared(Path(folder))
        fuse = Fuse(10_000, after=False)
        assert not with_fuse(world, fuse, lambda: run(world, ids))
        return 10_000 - fuse.left


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_effect_it_ends_the_same(tmp_path: Path, after: bool) -> None:
    """X-08: dying at effect k and going on later gives each receiver its view, once and in order."""
    effects = _lives()
    assert effects > 25
    for k in range(1, effects + 1):
        world, ids = prepared(tmp_path / str(k))
        assert with_fuse(world, Fuse(k, after=after), lambda w=world, i=ids: run(w, i)), k
        world.clock.advance(minutes=2)  # the dead sender's lease runs out
        world.settle()
        for id in ids:
            stream, subscription = world.stream(id), world.subscription(id)
            assert stream.rows == as_received(view(world.history.states[-1], subscription.access)), k
            events = [e["id"] for e in stream.events]
            assert len(events) == len(set(events)), k
            assert [r["sequence"] for r in stream.receipts] == list(range(1, subscription.next_delivery)), k
        totals = world.deliveries.totals(RESOURCE)
        assert totals.balanced, k
        assert totals.acknowledged == sum(len(world.stream(id).events) for id in ids), k
        assert totals.pending == totals.failed == 0, k
        assert world.dead_letters.sent == [], k


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_while_giving_up_it_is_told_all_the_same(tmp_path: Path, after: bool) -> None:
    """The failed delivery reaches the dead-letter queue whatever effect it dies at; twice at most."""
    for k in range(1, 20):
        world = World(tmp_path / str(k), limits=DeliveryLimits(pauses=(), jitter=0.0))
        id = world.subscribe()
        world.publish(row("1"))
        world.push.plan(RESOURCE)
        world.inbox.troubles = ["error", "error"]
        died = with_fuse(world, Fuse(k, after=after), lambda w=world, i=id: w.push.send(i))
        world.clock.advance(minutes=2)
        world.settle()
        assert world.subscription(id).state == "suspended"
        assert 1 <= len(world.dead_letters.sent) <= 2
        assert world.deliveries.get(id, 1).delivery.reported
        assert world.deliveries.totals(RESOURCE).failed == 1
        if not died:
            assert k > 5
            return
    raise AssertionError("it never ran to its end")
