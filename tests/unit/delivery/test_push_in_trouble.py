"""Deliveries in trouble: no receipt, suspensions, senders at once, withdrawn grants, lost wake-ups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.support.push_world import ALL, RESOURCE, SHENZHEN, World, as_received, row, settled, table, view

from huitong.audit.trace import Traces
from huitong.delivery.limits import DeliveryLimits
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notices

REASONS = {
    "error": "http-500",
    "busy": "http-503",
    "redirect": "redirect",
    "no-receipt": "receipt-missing",
    "wrong-count": "receipt-mismatch",
    "wrong-sequence": "receipt-mismatch",
    "huge": "receipt-missing",
    "deaf": "no-answer",
    "forgetful": "no-answer",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(("trouble", "reason"), REASONS.items())
def test_without_the_right_receipt_it_is_sent_again_after_a_pause(
    world: World, trouble: str, reason: str
) -> None:
    """C-15, X-08."""
    id = world.subscribe()
    world.publish(row("1"))
    world.publish(row("2"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = [trouble]  # type: ignore[list-item]
    wait = world.push.send(id)
    assert wait == (90.0 if trouble == "busy" else 5.0)
    failed = world.deliveries.get(id, 1).delivery
    assert (failed.state, failed.attempts, failed.reason) == ("pending", 1, reason)
    assert world.deliveries.totals(RESOURCE).acknowledged == 0
    assert world.push.send(id) == wait  # too early: nothing is sent, and nothing overtakes it
    assert world.inbox.posts == 1
    world.clock.advance(seconds=wait)
    assert world.push.send(id) is None
    assert world.wire.requests[0][0]["webhook-id"] == world.wire.requests[1][0]["webhook-id"]
    assert world.wire.requests[0][1] == world.wire.requests[1][1]
    settled(world, id)
    assert [r["sequence"] for r in world.stream(id).receipts] == [1, 2]


def test_pauses_grow_and_the_end_of_patience_suspends_and_tells(world: World) -> None:
    id = world.subscribe()
    world.publish(row("1"))
    world.publish(row("2"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["error"] * world.limits.attempts
    waits = []
    while (wait := world.push.send(id)) is not None:
        waits.append(wait)
        world.clock.advance(seconds=wait)
    assert waits == sorted(waits)
    assert waits[:5] == [5, 30, 120, 600, 3600]
    assert len(waits) == world.limits.attempts - 1
    assert world.subscription(id).state == "suspended"
    assert world.subscription(id).reason == "http-500"
    (told,) = world.dead_letters.drain()
    assert (told["subscription"], told["sequence"], told["reason"]) == (id, 1, "http-500")
    assert told["attempts"] == world.limits.attempts
    assert [kind for kind, _ in world.events.published] == ["DeliveryFailed"]
    notices = Notices(world.register, world.clock).about(f"subscription:{id}")
    assert {(n.to, n.kind) for n in notices} == {
        (OPERATOR, "delivery.failed"), (world.subscription(id).unit, "delivery.failed"),
    }  # fmt: skip
    totals = world.deliveries.totals(RESOURCE)
    assert (totals.due, totals.failed, totals.pending) == (3, 1, 2)
    assert totals.balanced


def test_a_suspended_subscription_goes_on_in_order_once_resumed(world: World) -> None:
    """X-08."""
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["gone"]
    assert world.push.send(id) is None
    assert world.inbox.posts == 1
    world.publish(row("1"), row("2"))
    world.settle()
    assert world.inbox.posts == 1
    world.subscriptions.resume(id, by="officer")
    settled(world, id)
    assert [r["sequence"] for r in world.stream(id).receipts] == [1, 2]
    assert world.deliveries.get(id, 1).delivery.attempts == 1


def test_gone_suspends_at_once(world: World) -> None:
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["gone"]
    assert world.push.send(id) is None
    assert (world.subscription(id).state, world.subscription(id).reason) == ("suspended", "gone")
    assert len(world.dead_letters.sent) == 1


def test_a_receipt_lost_on_the_way_makes_no_double_effect(world: World) -> None:
    id = world.subscribe()
    world.publish(row("1"))
    world.inbox.troubles = ["forgetful"]
    settled(world, id)
    assert world.stream(id).repeats == 1
    assert len(world.stream(id).events) == 1


def test_of_two_senders_at_once_only_one_posts(world: World) -> None:
    id = world.subscribe()
    world.publish(row("1"))
    world.publish(row("2"))
    world.push.plan(RESOURCE)
    answers: list[float | None] = []
    world.wire.before_answer = lambda: answers.append(world.push.send(id))
    assert world.push.send(id) is None
    assert answers == [75.0, 75.0]
    assert world.inbox.posts == 2
    assert world.stream(id).repeats == 0


def test_a_sender_slower_than_its_lease_does_no_harm(world: World) -> None:
    """Another one took over, delivered and recorded: its record stands."""
    id = world.subscribe()
    world.publish(row("1"))
    world.publish(row("2"))
    world.push.plan(RESOURCE)

    def overtaken() -> None:
        world.wire.before_answer = None
        world.clock.advance(seconds=100)
        assert world.push.send(id) is None

    world.wire.before_answer = overtaken
    world.push.send(id)
    settled(world, id)
    assert world.deliveries.get(id, 1).delivery.attempts == 1
    assert world.stream(id).repeats == 1


def test_slow_receivers_do_not_use_up_the_functions_time(world: World) -> None:
    id = world.subscribe()
    for n in range(5):
        world.publish(row(f"{n}"))
    world.push.plan(RESOURCE)
    world.wire.before_answer = lambda: world.clock.advance(seconds=90)
    assert world.push.send(id) == 0.0
    assert world.inbox.posts == 3
    settled(world, id)


def test_each_sharing_is_logged_once_however_often_it_is_tried(world: World) -> None:
    """L-34."""
    world.subscribe()
    world.publish(row("1"))
    world.inbox.troubles = ["error", "forgetful"]
    world.settle()
    assert len(Traces(world.register, world.clock).list(resource=RESOURCE)) == 1


def test_a_paused_subscription_gets_nothing_and_then_everything(world: World) -> None:
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.subscriptions.pause(id, by="officer")
    assert world.push.send(id) is None
    world.publish(row("1"), row("2"))
    world.settle()
    assert world.inbox.posts == 0
    world.subscriptions.resume(id, by="officer")
    settled(world, id)


def test_a_withdrawn_grant_stops_what_is_planned_and_what_is_due(world: World) -> None:
    """S-10."""
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.entitlement = lambda subscription, contract: None
    assert world.push.send(id) is None
    assert world.inbox.posts == 0
    assert (world.subscription(id).state, world.subscription(id).reason) == ("suspended", "grant-ended")
    other = world.subscribe()
    world.publish(row("2"))
    world.push.plan(RESOURCE)
    assert world.subscription(other).state == "suspended"
    assert world.deliveries.of_subscription(other) == []


def test_one_subscriber_in_trouble_does_not_stop_another(world: World) -> None:
    broken, well = world.subscribe(), world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["error"]
    world.push.send(broken)
    world.push.send(well)
    assert world.stream(well).rows == as_received(view(table(row("1")), ALL))
    assert world.stream(broken).rows == {}


def test_the_sweep_makes_up_for_lost_wake_ups(world: World) -> None:
    id = world.subscribe(start="snapshot")
    world.publish(row("1"))
    world.queue.drain()
    assert world.sweep.run() == 1
    world.handle()
    world.queue.drain()
    assert world.sweep.run() == 1
    world.handle()
    assert list(world.stream(id).rows) == ["1"]
    assert world.sweep.run() == 0


def test_the_sweep_sees_to_it_that_a_failure_is_told(world: World) -> None:
    """The sender died after it recorded the failure and before it told anybody, and its wake-up was lost."""
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["gone"]
    dead_letters, world.dead_letters = world.dead_letters, None  # telling fails like a bug would
    with pytest.raises(AttributeError):
        world.push.send(id)
    world.dead_letters = dead_letters
    world.queue.drain()
    assert world.sweep.run() == 1
    world.handle()
    assert len(world.dead_letters.sent) == 1
    assert world.sweep.run() == 0


def test_a_stored_message_that_was_changed_is_made_again_not_sent(world: World) -> None:
    """S-21: the body that goes out is the one whose digest was recorded."""
    id = world.subscribe()
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    kept = world.deliveries.get(id, 1).delivery
    world.exports.put(kept.object, world.exports.read(kept.object).replace(b"1.00", b"9.00"))
    world.push.send(id)
    assert world.inbox.posts == 0
    settled(world, id)


def test_a_planner_overtaken_by_another_does_not_turn_time_back(world: World) -> None:
    """It found nothing for the subscriber in publication 1; meanwhile the other planned publication 2."""
    id = world.subscribe(ALL, row_filter=SHENZHEN)
    world.publish(row("1", city="GZ"))
    real = world.history.changes

    def overtaken(*args: Any, **kwargs: Any) -> Iterator[Any]:
        world.history.changes = real  # type: ignore[method-assign]
        yield from real(*args, **kwargs)
        world.publish(row("2"))
        world.push.plan(RESOURCE, 2)

    world.history.changes = overtaken  # type: ignore[method-assign, assignment]
    world.push.plan(RESOURCE, 1)
    assert world.subscription(id).planned_seq == 2
    settled(world, id)
    assert [e["id"] for e in world.stream(id).events] == [f"{RESOURCE}:2:2"]


def test_pauses_keep_their_proportion_to_the_first() -> None:
    """A stack that is told to try again soon tries pushes again soon, too."""
    limits = DeliveryLimits(jitter=0)
    soon = limits.starting_after(1)
    assert [soon.pause_after(n, Random(1)) for n in (1, 2, 3)] == [1, 6, 24]
    assert soon.attempts == limits.attempts
    assert limits.starting_after(5) == limits
