"""Deliveries in order, with receipts: what a subscriber gets of each publication."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.push_world import ALL, RESOURCE, SHENZHEN, UNIT, World, masked, row, settled

from huitong.audit.trace import Traces
from huitong.sharing.access import Access


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_changes_arrive_in_order_and_count_only_with_their_receipt(world: World) -> None:
    """C-15, X-08."""
    id = world.subscribe()
    world.publish(row("1"), row("2"))
    world.publish(row("2", amount="5.50"), row("3"))
    settled(world, id)
    assert [e["type"].rsplit(".", 1)[1] for e in world.stream(id).events] == [
        "inserted",
        "inserted",
        "deleted",
        "updated",
        "inserted",
    ]
    assert [e["id"] for e in world.stream(id).events] == [
        f"{RESOURCE}:{p}" for p in ("1:1", "1:2", "2:1", "2:2", "2:3")
    ]
    assert [(r["sequence"], r["count"]) for r in world.stream(id).receipts] == [(1, 2), (2, 3)]
    assert world.deliveries.totals(RESOURCE).acknowledged == 5


def test_a_delivery_names_batch_unit_and_row_of_its_source(world: World) -> None:
    """L-34, Q-01: a received record can be traced to the batch and the row it came from."""
    id = world.subscribe()
    world.publish(row("1"))
    settled(world, id)
    event = world.stream(id).events[0]
    assert (event["batchid"], event["unit"], event["data"]["source_row"]) == ("b1", "11440300MB2C000001", 2)
    kept = world.deliveries.get(id, 1).delivery
    assert (kept.resource, kept.seq, kept.first, kept.last) == (RESOURCE, 1, 1, 1)
    assert kept.batch == "b1"
    (noted,) = Traces(world.register, world.clock).list(resource=RESOURCE)
    assert (noted.act, noted.unit, noted.batch, noted.seq, noted.count) == ("share", UNIT, "b1", 1, 1)
    assert (noted.detail, noted.fields) == (f"{id}.1", ALL.fields)
    assert kept.receipt == {"sequence": 1, "count": 1, "receipt": f"{id}.1"}


@pytest.mark.parametrize("seqs", [[1, 2, 3], [3, 2, 1], [2, 2, 1, 3, 1, 3]])
def test_repeated_and_reordered_wake_ups_change_nothing(world: World, seqs: list[int]) -> None:
    """X-08."""
    id = world.subscribe()
    world.publish(row("1"))
    world.publish(row("1"), row("2"))
    world.publish(row("2"))
    world.queue.drain()
    for seq in seqs:
        world.push.plan(RESOURCE, seq)
        world.push.send(id)
        world.push.send(id)
    assert [r["sequence"] for r in world.stream(id).receipts] == [1, 2, 3]
    assert world.inbox.posts == 3
    settled(world, id)


def test_a_publication_without_events_for_a_subscriber_makes_no_delivery(world: World) -> None:
    id = world.subscribe(ALL, row_filter=SHENZHEN)
    world.publish(row("1", city="GZ"))
    world.push.plan(RESOURCE, 1)
    assert world.subscription(id).planned_seq == 1
    assert world.deliveries.of_subscription(id) == []


def test_a_row_that_leaves_the_filter_is_deleted_for_its_subscriber(world: World) -> None:
    id = world.subscribe(ALL, row_filter=SHENZHEN)
    world.publish(row("1"), row("2", city="GZ"))
    world.publish(row("1", city="GZ"), row("2"))
    settled(world, id)
    assert [(e["subject"], e["data"]["op"]) for e in world.stream(id).events] == [
        ("1", "insert"),
        ("1", "delete"),
        ("2", "insert"),
    ]
    assert world.stream(id).events[1]["data"]["row"]["city"] == "SZ"  # never the state outside of the filter


def test_a_change_of_fields_not_granted_sends_nothing(world: World) -> None:
    id = world.subscribe(Access(RESOURCE, ("id", "city")))
    world.publish(row("1", amount="1.00"))
    world.publish(row("1", amount="2.00"))
    settled(world, id)
    assert [e["data"]["row"] for e in world.stream(id).events] == [{"id": "1", "city": "SZ"}]


def test_masked_fields_leave_masked_in_row_and_before(world: World) -> None:
    id = world.subscribe(masked(ALL))
    world.publish(row("1", name="张三丰"))
    world.publish(row("1", name="张无忌", amount="3.00"))
    settled(world, id)
    assert b"\xe4\xb8\x89\xe4\xb8\xb0" not in b"".join(body for _, body in world.wire.requests)
    update = world.stream(id).events[1]["data"]
    assert (update["row"]["name"], update["before"]["name"]) == ("张**", "张**")
    assert update["changed_columns"] == ["name", "amount"]
