"""Validation dies before or after each single effect, and is called again: the end is as if it had not died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.support.validation_world import ValidationWorld

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Field, Limits
from huitong.errors import Conflict
from huitong.local.messages import MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister

CONTRACT = Contract(
    "T-05",
    1,
    "t",
    table="t_05",
    fields=(Field("k", key=1), Field("n", type="integer"), Field("p", partition=1)),
)
ROWS = [{"k": "1", "n": "1", "p": "a"}, {"k": "2", "n": "x", "p": "a"}, {"k": "3", "n": "3", "p": "b"}]
STRICT = replace(CONTRACT, limits=Limits(max_quarantined_percent=10))
EFFECTS = ("put", "put_file", "delete", "create", "replace", "write", "send", "publish")


class Killed(BaseException):
    """The process is gone; nothing may catch it."""


class Mortal:
    """A port whose effects count down to the end of the process, before or after the last one."""

    def __init__(self, port: Any, countdown: dict[str, int], after: bool) -> None:
        self._port, self._countdown, self._after = port, countdown, after

    def __getattr__(self, name: str) -> Any:
        effect = getattr(self._port, name)
        return self._mortal(effect) if name in EFFECTS else effect

    def _mortal(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            self._countdown["left"] -= 1
            if self._countdown["left"] == 0 and not self._after:
                raise Killed
            done = effect(*args, **kwargs)
            if self._countdown["left"] == 0:
                raise Killed
            return done

        return act


def outcome(world: ValidationWorld) -> tuple[Any, ...]:
    batch = world.batch
    return (
        replace(batch, history=tuple((status, "", by) for status, _, by in batch.history)),
        world.good(),
        world.findings(),
        world.quarantine(),
        world.quarantined_keys(),
        sorted(o.key for o in world.warehouse.list("")),
        sorted(o.key for o in world.staging.list("")),
    )


@pytest.mark.parametrize("contract", [CONTRACT, STRICT], ids=["accepted", "rejected"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_validation_killed_at_any_effect_ends_the_same_when_called_again(
    tmp_path: Path, contract: Contract, after: bool
) -> None:
    """C-13: nothing lost, nothing doubled; the wake-up is sent at least once, a rejection told at least once."""
    calm = ValidationWorld(tmp_path / "calm", contract)
    calm.stage(ROWS)
    calm.run()
    expected = outcome(calm)
    killed = 0
    for effect in count(1):
        world = ValidationWorld(tmp_path / f"{effect}", contract)
        world.stage(ROWS)
        register, queue, events = world.register, world.compare_queue, world.events
        staging, warehouse = world.staging, world.warehouse
        countdown = {"left": effect}
        for name in ("register", "compare_queue", "events", "staging", "warehouse"):
            setattr(world, name, Mortal(getattr(world, name), countdown, after))
        try:
            world.run()
        except Killed:
            killed += 1
        finally:
            world.register, world.compare_queue, world.events = register, queue, events
            world.staging, world.warehouse = staging, warehouse
        if countdown["left"] > 0:
            break
        world.run()
        assert outcome(world) == expected
        assert world.compare_queue.sent[-1] == ({"resource": "T-05"}, "T-05")
        assert bool(world.events.published) is (contract is STRICT)
    assert killed == effect - 1 >= 6


def test_a_worker_that_loses_the_race_takes_the_winners_outcome(tmp_path: Path) -> None:
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage(ROWS)
    won: list[Batch] = []

    class Overtaken(Mortal):
        """Another worker finishes just before this one writes the register."""

        def __init__(self, port: MemoryRegister) -> None:
            super().__init__(port, {"left": -1}, False)

        def write(self, *args: Any, **kwargs: Any) -> None:
            if not won:
                won.append(ValidationWorld(tmp_path, CONTRACT, register=self._port).run())
            self._port.write(*args, **kwargs)

    plain = world.register
    world.register = Overtaken(plain)
    late = world.run()
    assert [late] == won
    assert plain.get("BATCH#b1", "BATCH").body["status"] == "validated"


def test_a_conflict_that_decides_nothing_is_raised(tmp_path: Path) -> None:
    class Contested(MemoryRegister):
        def write(self, creates: Any = (), replaces: Any = (), deletes: Any = ()) -> None:
            if replaces:
                raise Conflict("冲突", "conflict")
            super().write(creates, replaces, deletes)

    world = ValidationWorld(tmp_path, CONTRACT, register=Contested())
    world.stage(ROWS)
    with pytest.raises(Conflict):
        world.run()
    assert world.compare_queue.sent == []


def test_nothing_stays_behind_on_the_local_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    world = ValidationWorld(tmp_path / "world", CONTRACT)
    world.stage(ROWS)
    world.warehouse = Mortal(DiskObjects(tmp_path / "w"), {"left": 1}, False)
    with pytest.raises(Killed):
        world.run()
    world.warehouse, world.compare_queue, world.events = (
        DiskObjects(tmp_path / "w"),
        MemoryQueue(),
        MemoryEvents(),
    )
    world.run()
    assert list(scratch.iterdir()) == []
