"""Pull by cursor."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from tests.support.push_world import ALL, CONTRACT, RESOURCE, History, World, masked, row, table

from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Position
from huitong.delivery.pull import Pull, cursor
from huitong.errors import BadRequest, NotFound
from huitong.sharing.access import Access


@pytest.fixture
def history() -> History:
    history = History()
    history.publish(table(row("1"), row("2"), row("3")))
    history.publish(table(row("1"), row("2", amount="9.99")))
    return history


@pytest.fixture
def pull(history: History) -> Pull:
    return Pull(history, history)


def test_pulled_events_are_those_pushed(tmp_path: Path) -> None:
    world = World(tmp_path)
    access = masked(ALL)
    id = world.subscribe(access)
    world.publish(row("1"), row("2"))
    world.publish(row("2", name="李四"))
    world.settle()
    pushed = [{k: v for k, v in e.items() if k != "sequence"} for e in world.stream(id).events]
    assert Pull(world.history, world.history).changes(access, CONTRACT, RESOURCE).events == pushed


def test_pages_follow_each_other_and_wait_at_the_end(history: History, pull: Pull) -> None:
    first = pull.changes(ALL, CONTRACT, RESOURCE, limit=4)
    assert (len(first.events), first.has_more) == (4, True)
    second = pull.changes(ALL, CONTRACT, RESOURCE, first.next, limit=4)
    assert (len(second.events), second.has_more) == (1, False)
    third = pull.changes(ALL, CONTRACT, RESOURCE, second.next, limit=4)
    assert (third.events, third.has_more, third.next) == ([], False, second.next)
    history.publish(table(row("7")))
    assert [e["subject"] for e in pull.changes(ALL, CONTRACT, RESOURCE, third.next).events] == ["1", "2", "7"]


def test_a_page_that_just_fits_has_no_more(pull: Pull) -> None:
    page = pull.changes(ALL, CONTRACT, RESOURCE, limit=5)
    assert (len(page.events), page.has_more) == (5, False)


def test_large_events_make_a_page_shorter_and_nothing_is_lost(history: History) -> None:
    """An answer of a function may have 6 MB."""
    pull = Pull(history, history, limits=DeliveryLimits(page_bytes=900))
    seen, after, pages = [], "", 0
    while True:
        page = pull.changes(ALL, CONTRACT, RESOURCE, after)
        assert len(page.encoded) == 1 or len(page.body) <= 902
        seen += [event["id"] for event in page.events]
        after, pages = page.next, pages + 1
        if not page.has_more:
            break
    assert seen == [e["id"] for e in Pull(history, history).changes(ALL, CONTRACT, RESOURCE).events]
    assert pages > 1


def test_an_event_larger_than_a_page_is_a_page(history: History) -> None:
    pull = Pull(history, history, limits=DeliveryLimits(page_bytes=1))
    page = pull.snapshot(ALL, CONTRACT, RESOURCE)
    assert (len(page.events), page.has_more) == (1, True)


def test_before_the_first_publication_there_is_nothing_yet() -> None:
    history = History()
    pull = Pull(history, history)
    page = pull.changes(ALL, CONTRACT, RESOURCE)
    assert (page.events, page.has_more, page.seq) == ([], False, 0)
    history.publish(table(row("1")))
    assert len(pull.changes(ALL, CONTRACT, RESOURCE, page.next).events) == 1
    with pytest.raises(NotFound):
        Pull(History(), History()).snapshot(ALL, CONTRACT, RESOURCE)


def test_a_snapshot_keeps_to_the_publication_of_its_first_page(history: History, pull: Pull) -> None:
    first = pull.snapshot(ALL, CONTRACT, RESOURCE, limit=1)
    history.publish(table(row("8")))
    second = pull.snapshot(ALL, CONTRACT, RESOURCE, first.next, limit=1)
    assert [e["subject"] for e in (*first.events, *second.events)] == ["1", "2"]
    assert (second.has_more, second.seq) == (False, 2)
    then = pull.changes(ALL, CONTRACT, RESOURCE, second.next)
    assert [(e["subject"], e["data"]["op"]) for e in then.events] == [
        ("1", "delete"),
        ("2", "delete"),
        ("8", "insert"),
    ]


def test_the_cursor_of_now_gives_what_comes_next(history: History, pull: Pull) -> None:
    now = pull.start(RESOURCE)
    assert pull.changes(ALL, CONTRACT, RESOURCE, now).events == []
    history.publish({})
    assert len(pull.changes(ALL, CONTRACT, RESOURCE, now).events) == 2


def packed(*told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


BAD = [
    "x",
    "中文",
    "=" * 9,
    "a" * 5_000,
    packed(),
    packed(1, "c", RESOURCE, 1),
    packed(2, "c", RESOURCE, 1, 0),
    packed(1, "c", RESOURCE, "1", 0),
    packed(1, "c", RESOURCE, 1, -1),
    packed(1, "c", RESOURCE, 0, 0),
    packed(1, "c", RESOURCE, 4, 0),
    packed(1, "c", RESOURCE, 10**30, 0),
    packed(1, "c", RESOURCE, True, 0),
    cursor("T-99", "c", Position(1)),
    cursor(RESOURCE, "s", Position(1)),
]


@pytest.mark.parametrize("after", BAD)
def test_a_cursor_that_is_none_is_refused(pull: Pull, after: str) -> None:
    with pytest.raises(BadRequest):
        pull.changes(ALL, CONTRACT, RESOURCE, after)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_page_has_bounds(pull: Pull, limit: int) -> None:
    with pytest.raises(BadRequest):
        pull.changes(ALL, CONTRACT, RESOURCE, limit=limit)


def test_access_to_another_resource_opens_nothing(pull: Pull) -> None:
    with pytest.raises(ValueError, match="differ"):
        pull.changes(Access("T-99", ("id",)), CONTRACT, RESOURCE)
