"""Batches that fail, stand still or do not come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huitong.batches.failure import Failures
from huitong.batches.lateness import Lateness, found, late
from huitong.batches.model import Batch, Status
from huitong.batches.register import Batches
from huitong.batches.replay import Replay
from huitong.batches.runs import Run, Runs
from huitong.batches.sweep import Sweep
from huitong.contracts.model import Contract
from huitong.correlation import of_object
from huitong.errors import Unavailable
from huitong.identity.model import OPERATOR
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.ports import timestamp

BUSY = Unavailable("忙", "busy")


@dataclass
class World:
    register: MemoryRegister = field(default_factory=MemoryRegister)
    clock: ManualClock = field(default_factory=ManualClock)
    events: MemoryEvents = field(default_factory=MemoryEvents)
    ingest: MemoryQueue = field(default_factory=MemoryQueue)
    validate: MemoryQueue = field(default_factory=MemoryQueue)
    compare: MemoryQueue = field(default_factory=MemoryQueue)

    @property
    def batches(self) -> Batches:
        return Batches(self.register, self.clock)

    @property
    def notices(self) -> Notices:
        return Notices(self.register, self.clock)

    @property
    def failures(self) -> Failures:
        return Failures(self.batches, self.events, self.compare, self.notices)

    @property
    def sweep(self) -> Sweep:
        replay = Replay(self.batches, self.ingest, self.validate, self.compare)
        return Sweep(lambda: ["IN-01"], self.register, self.batches, replay, self.failures, self.clock)

    def batch(self, id: str, status: Status = "received") -> Batch:
        at = timestamp(self.clock.now())
        made = Batch(
            id=id, resource="IN-01", unit="U", mode="full", status="received", landing_key=id,
            received_at=at, order=f"{at}#{id}",
        )  # fmt: skip
        stored = self.batches.create(made, by="test")
        path: dict[Status, list[Status]] = {
            "received": [],
            "ingested": ["ingested"],
            "validated": ["ingested", "validated"],
            "published": ["ingested", "validated", "published"],
        }
        for step in path[status]:
            stored = self.batches.move(stored, step, by="test")
        return stored.batch

    def status(self, id: str) -> str:
        return self.batches.get(id).batch.status

    def told(self) -> list[str]:
        return [kind for kind, _ in self.events.published]


@pytest.fixture
def world() -> World:
    return World()


def test_a_batch_that_fails_keeps_its_reason_and_wakes_those_behind_it(world: World) -> None:
    world.batch("b1", "ingested")
    world.failures.of_batch("b1", BUSY)
    failed = world.batches.get("b1").batch
    assert failed.status == "failed"
    assert failed.refusal is not None
    assert failed.refusal["code"] == "unavailable"
    assert world.compare.sent == [({"resource": "IN-01"}, "IN-01")]
    assert world.told() == ["BatchFailed"]


def test_noting_a_failure_again_changes_nothing(world: World) -> None:
    world.batch("b1", "ingested")
    world.failures.of_batch("b1", BUSY)
    assert world.failures.of_batch("b1", BUSY) is None
    assert world.told() == ["BatchFailed"]


@pytest.mark.parametrize("id", ["b1", "nobody"])
def test_a_batch_that_is_through_or_unknown_cannot_fail(world: World, id: str) -> None:
    world.batch("b1", "published")
    assert world.failures.of_batch(id, BUSY) is None
    assert world.status("b1") == "published"


def test_a_failed_comparison_fails_the_batch_at_the_head_only(world: World) -> None:
    world.batch("b1", "validated")
    world.clock.advance(seconds=1)
    world.batch("b2", "validated")
    world.failures.at_head_of("IN-01", BUSY)
    assert (world.status("b1"), world.status("b2")) == ("failed", "validated")


def test_a_comparison_that_waits_for_an_earlier_batch_fails_nobody(world: World) -> None:
    world.batch("b1", "ingested")
    world.clock.advance(seconds=1)
    world.batch("b2", "validated")
    assert world.failures.at_head_of("IN-01", BUSY) is None
    assert world.failures.at_head_of("IN-02", BUSY) is None


def test_a_failed_batch_can_be_replayed_and_goes_through(world: World) -> None:
    world.batch("b1", "ingested")
    world.failures.of_batch("b1", BUSY)
    Replay(world.batches, world.ingest, world.validate, world.compare).replay("b1", by="officer")
    assert world.status("b1") == "ingested"
    assert world.validate.drain() == [{"batch_id": "b1"}]


def test_the_operator_is_told_of_what_was_given_up(world: World) -> None:
    """X-13: once for a batch, in the write that fails it; and of steps and objects that no batch hangs on."""
    world.batch("b1", "ingested")
    world.failures.of_batch("b1", BUSY)
    world.failures.of_batch("b1", BUSY)
    world.failures.of_object("unit/IN-01/u1/f.csv", BUSY)
    world.failures.of_step("push_changes", {"subscription": "s1"}, BUSY)
    told = world.notices.of_unit(OPERATOR)
    assert sorted((n.kind, n.about) for n in told) == [
        ("batch.failed", "batch:b1"),
        ("step.given-up", f"object:{of_object('unit/IN-01/u1/f.csv')}"),
        ("step.given-up", "step:push_changes"),
    ]


def test_a_batch_that_moves_is_left_alone(world: World) -> None:
    world.batch("b1", "ingested")
    world.clock.advance(minutes=14)
    assert world.sweep.run().woken == ()


@pytest.mark.parametrize(
    ("status", "queue", "message"),
    [
        ("received", "ingest", {"batch_id": "b1"}),
        ("ingested", "validate", {"batch_id": "b1"}),
        ("validated", "compare", {"resource": "IN-01"}),
    ],
)
def test_a_batch_that_stands_still_is_woken_once_per_quarter_hour(
    world: World, status: Status, queue: str, message: dict[str, Any]
) -> None:
    world.batch("b1", status)
    world.clock.advance(minutes=15)
    assert world.sweep.run().woken == ("b1",)
    assert world.sweep.run().woken == ()
    assert getattr(world, queue).drain() == [message]
    world.clock.advance(minutes=15)
    assert world.sweep.run().woken == ("b1",)


def test_a_batch_that_no_wake_up_moves_fails_in_the_end(world: World) -> None:
    world.batch("b1", "ingested")
    for _ in range(3):
        world.clock.advance(minutes=15)
        assert world.sweep.run().woken == ("b1",)
    world.clock.advance(minutes=15)
    assert world.sweep.run().failed == ("b1",)
    assert world.status("b1") == "failed"


def test_wake_ups_are_counted_anew_in_each_state(world: World) -> None:
    world.batch("b1", "ingested")
    for _ in range(3):
        world.clock.advance(minutes=15)
        world.sweep.run()
    world.batches.move(world.batches.get("b1"), "validated", by="validate")
    world.clock.advance(minutes=15)
    swept = world.sweep.run()
    assert (swept.woken, swept.failed) == (("b1",), ())


def test_a_validated_batch_may_wait_for_one_that_landed_before_it(world: World) -> None:
    world.batch("b1", "ingested")
    world.clock.advance(seconds=1)
    world.batch("b2", "validated")
    world.clock.advance(minutes=20)
    assert world.sweep.run().woken == ("b1",)


DAILY = Contract(id="IN-01", version=1, title="t", fields=(), provider="U", frequency="daily")


def test_a_daily_resource_is_late_when_the_next_day_has_ended_in_china() -> None:
    """Q-46: due by the end of the period after the one in which the last delivery came."""
    last = "2026-01-05T08:00:00.000Z"  # 16:00 in Shanghai, so the next is due by the end of the 6th there
    due = datetime(2026, 1, 6, 16, tzinfo=UTC)
    assert late(DAILY, last, due - timedelta(seconds=1)) is None
    found = late(DAILY, last, due)
    assert found is not None
    assert (found.unit, found.due) == ("U", timestamp(due))


@pytest.mark.parametrize("frequency", ["", "realtime", "on demand"])
def test_what_has_no_period_is_never_late(world: World, frequency: str) -> None:
    contract = replace(DAILY, frequency=frequency)
    assert late(contract, "2020-01-01T00:00:00.000Z", world.clock.now()) is None


def test_what_never_came_is_not_late(world: World) -> None:
    assert late(DAILY, "", world.clock.now()) is None


def test_what_never_came_is_late_by_its_registration_where_that_is_asked(world: World) -> None:
    """C-09: listed and scored; restrictions do not ask (L-36)."""
    begun, now = world.clock.now(), world.clock.now() + timedelta(days=3)
    assert found([DAILY], world.batches, now) == []
    (one,) = found([DAILY], world.batches, now, registered=lambda _: timestamp(begun))
    assert (one.unit, one.last, one.due) == ("U", "", "2026-01-06T16:00:00.000Z")


@pytest.mark.parametrize("more", [{"mends": "b1"}, {"mends": "b1", "replay": True}, {"edition": "e / v2"}])
def test_rows_that_are_brought_again_clear_no_arrears(world: World, more: dict[str, Any]) -> None:
    """L-36: neither mended rows, nor a replay, nor what an officer takes in once more."""
    world.batch("b1", "published")
    first = world.batches.get("b1").batch
    world.clock.advance(days=3)
    now = timestamp(world.clock.now())
    for n in range(25):  # nor do so many of them hide the delivery before
        again = replace(first, id=f"again{n}", received_at=now, order=f"{now}#{n:02}", **more)
        world.batches.create(again, by="t")
    (one,) = found([DAILY], world.batches, world.clock.now())
    assert one.last == first.received_at


def test_a_late_unit_is_told_once_a_day_and_a_rejected_delivery_does_not_count(world: World) -> None:
    world.batch("b1", "published")
    world.clock.advance(days=3)
    rejected = world.batches.get(world.batch("b2").id)
    world.batches.move(rejected, "rejected", by="intake")
    check = Lateness(lambda: [DAILY], world.batches, world.register, world.events, world.clock)
    assert [one.resource for one in check.run()] == ["IN-01"]
    assert [one.resource for one in check.run()] == ["IN-01"]
    assert world.told() == ["UnitLate"]
    world.clock.advance(days=1)
    check.run()
    assert world.told() == ["UnitLate", "UnitLate"]
    world.batch("b3", "published")
    assert check.run() == []


def test_a_batch_that_a_workflow_compares_is_asked_about_and_not_failed_until_its_time_is_over() -> None:
    """X-12: a comparison in parts may take longer than any single function; but its end may not be told, and
    whoever is woken asks. Nothing is freed here: only the workflow knows whether a part still works."""
    world = World()
    world.batch("b1", "validated")
    until = world.clock.now() + timedelta(hours=2)
    run = Run(batch="b1", attempt=1, plan="p", given={}, until=timestamp(until), busy=True)
    Runs(world.register).claim(Runs(world.register).get("IN-01"), run)
    asked = []
    for minute in range(1, 120):
        world.clock.advance(minutes=1)
        swept = world.sweep.run()
        assert swept.failed == ()
        asked += [minute] if swept.woken else []
    assert asked == list(range(15, 120, 15)), (
        "far sooner than the execution's time, and far more than three times"
    )
    assert {str(sent) for sent in world.compare.sent} == {str(({"resource": "IN-01"}, "IN-01"))}
    assert Runs(world.register).get("IN-01").run == run
    for _ in range(4):
        world.clock.advance(minutes=16)
        swept = world.sweep.run()
    assert (swept.failed, world.status("b1")) == (("b1",), "failed")
