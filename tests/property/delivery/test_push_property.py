"""Whatever is published, filtered, refused or lost: the receiver ends with its view, exactly once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.push_strategies import accesses, states
from tests.support.push_world import CONTRACT, RESOURCE, World, as_received, view

from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.pull import Pull
from huitong.sharing.access import Access

starts = st.sampled_from(["snapshot", "seq"])
troubles = st.sampled_from(
    ["error", "busy", "redirect", "no-receipt", "wrong-count", "wrong-sequence", "deaf", "forgetful"]
)
acts = st.one_of(
    st.tuples(st.just("publish"), states),
    st.tuples(st.just("subscribe"), st.tuples(accesses, starts)),
    st.tuples(st.just("plan"), st.integers(0, 5)),
    st.tuples(st.just("send"), st.integers(0, 3)),
    st.tuples(st.just("trouble"), troubles),
    st.tuples(st.just("wait"), st.sampled_from([1, 60, 4_000])),
    st.tuples(st.just("pause"), st.integers(0, 3)),
    st.tuples(st.just("resume"), st.integers(0, 3)),
)


def perform(world: World, ids: list[str], act: str, what: object) -> None:
    if act == "publish":
        world.history.publish(what)  # type: ignore[arg-type]
    elif act == "subscribe":
        access, start = what  # type: ignore[misc]
        ids.append(world.subscribe(access, start=start, seq=1))
    elif act == "plan":
        world.push.plan(RESOURCE, what)  # type: ignore[arg-type]
    elif act == "trouble":
        world.inbox.troubles.append(what)  # type: ignore[arg-type]
    elif act == "wait":
        world.clock.advance(seconds=what)  # type: ignore[arg-type]
    elif ids:
        id = ids[what % len(ids)]  # type: ignore[operator]
        state = world.subscription(id).state
        if act == "send":
            world.push.send(id)
        elif act == "pause" and state == "active":
            world.subscriptions.pause(id, by="officer")
        elif act == "resume" and state == "paused":
            world.subscriptions.resume(id, by="officer")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=st.lists(acts, max_size=25), last=states)
def test_the_receiver_ends_with_its_view_each_event_effective_once(
    script: list[tuple[str, object]], last: dict[str, dict[str, object]]
) -> None:
    """X-08, X-12, C-15."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), limits=DeliveryLimits(inline_events=2, link_events=4, jitter=0.0))
        ids: list[str] = []
        for act, what in script:
            perform(world, ids, act, what)
        world.history.publish(last)
        for id in ids:
            if world.subscription(id).state != "active":
                world.subscriptions.resume(id, by="officer")
        world.settle()
        for id in ids:
            subscription, stream = world.subscription(id), world.stream(id)
            assert stream.rows == as_received(view(last, subscription.access))
            events = [e["id"] for e in stream.events]
            assert len(events) == len(set(events))
            assert [r["sequence"] for r in stream.receipts] == list(range(1, subscription.next_delivery))
        totals = world.deliveries.totals(RESOURCE)
        assert totals.balanced
        assert totals.acknowledged == totals.due == sum(len(world.stream(id).events) for id in ids)


@settings(max_examples=80, deadline=None)
@given(history=st.lists(states, min_size=1, max_size=5), access=accesses, limit=st.integers(1, 7))
def test_pages_pulled_are_the_events_pushed(
    history: list[dict[str, dict[str, object]]], access: Access, limit: int
) -> None:
    """The same ids, the same content, whatever the page size."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), limits=DeliveryLimits(inline_events=2, link_events=3, jitter=0.0))
        for state in history:
            world.history.publish(state)
        id = world.subscribe(access, start="seq", seq=1)
        world.settle()
        pushed = [{k: v for k, v in e.items() if k != "sequence"} for e in world.stream(id).events]
        pull, pulled, after, more = Pull(world.history, world.history), [], "", True
        while more:
            events, after, more = pull.changes(access, CONTRACT, RESOURCE, after, limit)
            assert len(events) <= limit
            pulled += events
        assert pulled == pushed


@settings(max_examples=80, deadline=None)
@given(
    history=st.lists(states, min_size=2, max_size=6),
    at=st.integers(1, 5),
    access=accesses,
    limit=st.integers(1, 7),
)
def test_a_pulled_snapshot_continues_without_gap_or_overlap(
    history: list[dict[str, dict[str, object]]], at: int, access: Access, limit: int
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        waiting = list(history)
        for _ in range(min(at, len(waiting))):
            world.history.publish(waiting.pop(0))
        pull = Pull(world.history, world.history)
        mine: dict[str, object] = {}
        events, after, more = pull.snapshot(access, CONTRACT, RESOURCE, "", limit)
        while True:
            mine.update({e["subject"]: e["data"]["row"] for e in events})
            if waiting:  # published while the copy is under way
                world.history.publish(waiting.pop(0))
            if not more:
                break
            events, after, more = pull.snapshot(access, CONTRACT, RESOURCE, after, limit)
        for state in waiting:
            world.history.publish(state)
        more = True
        while more:
            events, after, more = pull.changes(access, CONTRACT, RESOURCE, after, limit)
            for e in events:
                if e["data"]["op"] == "delete":
                    del mine[e["subject"]]
                else:
                    assert (e["subject"] in mine) == (e["data"]["op"] == "update")
                    mine[e["subject"]] = e["data"]["row"]
        assert mine == as_received(view(history[-1], access))
