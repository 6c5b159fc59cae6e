"""Large sets behind links, and where a subscription starts: a snapshot, now, or a publication."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.push_world import RESOURCE, World, row, settled

from huitong.delivery.limits import DeliveryLimits


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> World:
    """Four events go inline, ten at most into one file."""
    return World(tmp_path, limits=DeliveryLimits(inline_events=4, link_events=10, jitter=0.0))


def test_a_large_set_goes_as_files_behind_links_in_order(small: World) -> None:
    """X-06: the file carries its digest, the receiver checks it."""
    id = small.subscribe()
    small.publish(*(row(f"{n:02}") for n in range(23)))
    settled(small, id)
    made = [d.delivery for d in small.deliveries.of_subscription(id)]
    assert [(d.form, d.first, d.last, d.count) for d in made] == [
        ("link", 1, 10, 10),
        ("link", 11, 20, 10),
        ("inline", 21, 23, 3),
    ]
    event = json.loads(small.wire.requests[0][1])[0]
    assert event["type"] == "cn.huitong.changes.available"
    packed = small.fetch(event["data"]["url"])
    assert len(gzip.decompress(packed).splitlines()) == event["data"]["count"] == 10
    assert small.wire.requests[0][0]["huitong-count"] == "10"


def test_many_bytes_go_behind_a_link_even_when_they_are_few_events(tmp_path: Path) -> None:
    world = World(tmp_path, limits=DeliveryLimits(inline_bytes=2_000))
    id = world.subscribe()
    world.publish(row("1", name="名" * 700))
    settled(world, id)
    assert world.deliveries.get(id, 1).delivery.form == "link"


def test_a_corrupted_file_gets_no_receipt(small: World) -> None:
    """X-06: a checksum failure rejects the package."""
    id = small.subscribe()
    small.publish(*(row(f"{n:02}") for n in range(9)))
    small.push.plan(RESOURCE, 1)
    kept = small.deliveries.get(id, 1).delivery
    small.exports.put(kept.object, b"x" * kept.size)
    assert small.push.send(id) == 5.0
    assert small.stream(id).events == []
    assert small.deliveries.get(id, 1).delivery.reason == "http-400"


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("rows", [3, 9])
def test_content_that_was_lost_is_made_again(small: World, rows: int, cut: bool) -> None:
    id = small.subscribe()
    small.publish(*(row(f"{n:02}") for n in range(rows)))
    small.push.plan(RESOURCE, 1)
    before = small.deliveries.get(id, 1).delivery
    if cut:
        small.exports.put(before.object, small.exports.read(before.object)[:-1])
    else:
        small.exports.delete(before.object)
    assert small.push.send(id) is None
    assert small.inbox.posts == 0
    settled(small, id)
    assert small.deliveries.get(id, 1).delivery.sha256 == before.sha256


# --- starting points ---------------------------------------------------------


def _steps(world: World) -> Iterator[str]:
    """The steps of a new subscriber's life; a publication fits between any two."""
    yield "before it exists"
    id = world.subscribe(start="snapshot")
    yield "created"
    world.push.plan(RESOURCE)
    yield "planned"
    world.push.send(id)
    yield "sent"
    world.push.plan(RESOURCE)
    yield "planned again"
    world.push.send(id)
    yield id


@pytest.mark.parametrize("interrupted", range(5))
@pytest.mark.parametrize("rows", [2, 7, 25])
def test_a_snapshot_is_continued_without_gap_or_overlap(small: World, interrupted: int, rows: int) -> None:
    """A publication happens between any two steps; nothing is missed, nothing comes twice."""
    small.publish(*(row(f"{n:02}") for n in range(rows)))
    id = ""
    for number, step in enumerate(_steps(small)):
        id = step
        if number == interrupted:
            small.publish(*(row(f"{n:02}", amount="2.00") for n in range(1, rows + 2)))
            small.push.plan(RESOURCE)
    settled(small, id)
    ids = [e["id"] for e in small.stream(id).events]
    assert len(ids) == len(set(ids))


def test_a_publication_between_every_two_steps_leaves_no_gap(small: World) -> None:
    small.publish(row("00"))
    id = ""
    for number, step in enumerate(_steps(small)):
        id = step
        small.publish(*(row(f"{n:02}", amount=f"{number}.00") for n in range(number, number + 6)))
    settled(small, id)
    kinds = [d.delivery.kind for d in small.deliveries.of_subscription(id)]
    assert kinds == sorted(kinds, reverse=True)  # the snapshot first
    assert kinds[0] == "snapshot"


def test_starting_now_leaves_out_what_was_published_before(world: World) -> None:
    world.publish(row("1"))
    id = world.subscribe()
    world.publish(row("1"), row("2"))
    world.settle()
    assert list(world.stream(id).rows) == ["2"]


def test_starting_at_a_publication_gives_all_from_it_on(world: World) -> None:
    world.publish(row("1"))
    world.publish(row("1"), row("2"))
    world.publish(row("1"), row("2"), row("3"))
    id = world.subscribe(start="seq", seq=2)
    world.settle()
    assert list(world.stream(id).rows) == ["2", "3"]
