"""The clock's sweeps of the areas: each in its job, none in another's way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from huitong.errors import BadRequest, NotPermitted
from huitong.schedule import Schedule
from huitong.wiring.areas import BUILDERS, SWEEPS


@dataclass
class Done:
    n: int = 0


@dataclass
class Own:
    """The clock's own work: nothing to do."""

    def run(self) -> Any:
        return Done()


class OwnHour(Own):
    def run(self) -> Any:
        return []

    def check_all(self) -> list[Any]:
        return []


@dataclass
class Area:
    refuses: bool = False
    done: list[str] = field(default_factory=list)

    def tick(self) -> int:
        if self.refuses:
            raise NotPermitted("不可", "not now")
        self.done.append("tick")
        return len(self.done)


def schedule(**areas: Area) -> Schedule:
    sweeps = {"minute": tuple((name, "tick") for name in areas)}
    return Schedule(Own(), Own(), OwnHour(), OwnHour(), area=areas.__getitem__, sweeps=sweeps)  # type: ignore[arg-type]


def test_a_job_runs_its_sweeps_and_no_others() -> None:
    areas = {"one": Area(), "two": Area()}
    clock = schedule(**areas)
    assert clock.run("hour") == {"late": [], "imbalances": 0}
    done = clock.run("minute")
    assert (done["one.tick"], done["two.tick"]) == (1, 1)
    with pytest.raises(BadRequest):
        clock.run("year")


def test_a_sweep_that_fails_is_told_of_after_all_have_run() -> None:
    areas = {"bad": Area(refuses=True), "good": Area()}
    with pytest.raises(NotPermitted):
        schedule(**areas).run("minute")
    assert areas["good"].done == ["tick"]


def test_every_sweep_names_an_area_that_can_be_built() -> None:
    assert {name for sweeps in SWEEPS.values() for name, _ in sweeps} <= set(BUILDERS)
    assert {"minute", "hour"} >= set(SWEEPS)
