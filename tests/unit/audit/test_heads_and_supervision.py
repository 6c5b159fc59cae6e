"""Signed heads, continuous verification, unusual use, drift of the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.evidence import evidence_areas

from huitong.audit.chain import SHARDS, Entry, partition
from huitong.audit.clock_drift import ClockDrift
from huitong.audit.heads import FOLDER, Heads
from huitong.audit.signatures import fits
from huitong.audit.trace import Trace
from huitong.audit.unusual import Rule, Unusual
from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR
from huitong.local.messages import ManualClock, MemoryEvents
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.supervision.annual import unusual_uses

ACT = Trace("query", "c1", "U1", resource="IN-01", count=10, path="sql")


class World:
    def __init__(self, root: Path) -> None:
        self.register, self.clock = MemoryRegister(), ManualClock()
        self.landing = DiskObjects(root / "landing")
        evidence_areas(self, root / "evidence")

    traces: Any
    evidence_heads: Heads
    alerts: MemoryEvents

    def files(self) -> list[Any]:
        return [json.loads(self.evidence_store.read(f.key)) for f in self.evidence_store.list(FOLDER)]  # type: ignore[attr-defined]

    def told(self) -> list[str]:
        return [kind for kind, _ in self.alerts.published]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def newest(world: World) -> Entry:
    return next(Entry.from_dict(i.body) for s in range(SHARDS) for i in world.register.query(partition(s)))


def test_heads_name_the_head_before_and_are_signed(world: World) -> None:
    """S-13: stored outside of the database, at intervals."""
    for _ in range(3):
        world.traces.write(ACT)
        assert world.evidence_heads.run()["signed"] == 1
        world.clock.advance(minutes=1)
    assert world.evidence_heads.run()["signed"] == 0  # nothing new
    first, second, third = world.files()
    assert first["previous"] == ""
    assert (second["previous_key"], third["previous_key"]) == tuple(
        f"{FOLDER}{f['at'][:10]}/{f['at']}.json" for f in (first, second)
    )
    head = world.evidence_heads.newest()
    assert head is not None
    assert fits(head.message(), head.signature)
    assert sum(p.n for p in head.places) == 3


def test_a_head_whose_job_was_killed_before_storing_it_is_stored_by_the_next(world: World) -> None:
    world.traces.write(ACT)
    world.evidence_heads.run()
    for file in list(world.evidence_store.list(FOLDER)):  # type: ignore[attr-defined]
        world.evidence_store.delete(file.key)  # type: ignore[attr-defined]
    world.clock.advance(minutes=1)
    world.traces.write(ACT)
    world.evidence_heads.run()
    before, after = world.files()
    assert after["previous_key"].endswith(f"{before['at']}.json")


@pytest.mark.parametrize("how", ["changed", "cut"])
def test_what_does_not_fit_is_told_within_a_minute_and_never_signed(world: World, how: str) -> None:
    """S-13."""
    world.traces.write(ACT)
    if how == "cut":
        world.evidence_heads.run()
    entry = newest(world)
    key = (partition(entry.shard), f"{entry.n:012}")
    if how == "cut":
        del world.register._items[key]
    else:
        item = world.register._items[key]
        world.register._items[key] = item.with_body(record={**entry.record, "count": 1})
    world.clock.advance(minutes=1)
    done = world.evidence_heads.run()
    assert done["findings"] == 1
    assert world.alerts.published[-1][1]["kind"] == ("truncated" if how == "cut" else "changed")
    head = world.evidence_heads.newest()
    assert head is None or sum(p.n for p in head.places) == (1 if how == "cut" else 0)


def supervised(world: World, *rules: Rule) -> Unusual:
    unusual = Unusual(
        world.register, world.suspensions, Calendar(world.register), world.clock, world.alerts, rules
    )  # type: ignore[attr-defined]
    world.evidence_heads._observers = [unusual]
    return unusual


def test_volume_above_a_limit_alerts_then_suspends_and_security_is_told(world: World) -> None:
    """S-33: each once, however often the job runs; a lifted one is suspended again at the double."""
    supervised(world, Rule("volume", "rows", "量", alert=20, suspend=50))
    seen = []
    for _ in range(11):
        world.traces.write(ACT)
        world.clock.advance(minutes=1)
        world.evidence_heads.run()
        world.evidence_heads.run()
        try:
            world.suspensions.check("c1")  # type: ignore[attr-defined]
        except NotPermitted:
            world.suspensions.lift("c1", "asked", by="security")  # type: ignore[attr-defined]
            seen.append(world.alerts.published[-1][1]["reached"])
    assert [d["reached"] for k, d in world.alerts.published if k == "UnusualUse"] == [20]
    assert seen == [50, 100]
    kinds = [n.kind for n in Notices(world.register, world.clock).of_unit(OPERATOR)]
    assert kinds == ["evidence.unusual"] * 3
    notices = Notices(world.register, world.clock)
    year = world.clock.now().year
    assert [unusual_uses(notices)(y) for y in (year - 1, year)] == [0, 3], "the annual report counts them"


def test_repeated_look_ups_of_one_subject_are_seen_and_many_subjects_are_not(world: World) -> None:
    """S-33."""
    supervised(world, Rule("look-ups", "look-ups of one subject", "反复", alert=3, suspend=4))
    for n in range(4):
        world.traces.write(ACT, world.disclosures.of_pairs([(f"{n:032}", "r")]))  # type: ignore[attr-defined]
    world.evidence_heads.run()
    assert world.told() == []
    for _ in range(3):
        world.traces.write(ACT, world.disclosures.of_pairs([("a" * 32, "r")]))  # type: ignore[attr-defined]
    world.clock.advance(minutes=1)
    world.evidence_heads.run()
    assert world.told() == ["UnusualUse"]


@pytest.mark.parametrize(
    ("moment", "outside"),
    [
        (datetime(2026, 1, 5, 0, 0, tzinfo=UTC), False),  # Monday 8:00 in China
        (datetime(2026, 1, 4, 22, 59, tzinfo=UTC), True),  # Monday 6:59
        (datetime(2026, 1, 5, 12, 0, tzinfo=UTC), True),  # Monday 20:00
        (datetime(2026, 1, 10, 2, 0, tzinfo=UTC), True),  # Saturday 10:00
        (datetime(2026, 1, 1, 2, 0, tzinfo=UTC), True),  # New Year
    ],
)
def test_use_outside_of_working_hours_is_told(world: World, moment: datetime, outside: bool) -> None:
    """S-33."""
    supervised(world, Rule("hours", "uses outside of hours", "时间", alert=1))
    world.clock.moment = moment
    world.traces.write(ACT)
    world.evidence_heads.run()
    assert world.told() == (["UnusualUse"] if outside else [])


class There:
    """A service whose clock is ahead; answers carry whole seconds."""

    def __init__(self, clock: ManualClock, ahead: float) -> None:
        self.clock, self.ahead = clock, ahead

    def now(self) -> datetime:
        return (self.clock.now() + timedelta(seconds=self.ahead)).replace(microsecond=0)


@pytest.mark.parametrize(("ahead", "told"), [(0.0, 0), (0.9, 0), (2.1, 1), (-1.5, 0), (-3.1, 1)])
def test_a_clock_that_drifts_more_than_a_second_is_told(ahead: float, told: int) -> None:
    """S-39: and whole seconds of the answer never make a false alarm."""
    clock, events = ManualClock(), MemoryEvents()
    clock.advance(milliseconds=500)
    ClockDrift(clock, There(clock, ahead), events).run()
    assert len(events.published) == told
