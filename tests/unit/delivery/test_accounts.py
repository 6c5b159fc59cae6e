"""The ledger's side of deliveries: events due, acknowledged, failed, pending."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.push_world import ALL, RESOURCE, SHENZHEN, UNIT, World, row

from huitong.delivery.accounts import DeliveryTotals


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One delivery of two events acknowledged, one of one pending; a day later one of one failed."""
    world = World(tmp_path)
    well, broken = world.subscribe(), world.subscribe(ALL, row_filter=SHENZHEN)
    world.publish(row("1", city="GZ"), row("2", city="GZ"))
    world.push.plan(RESOURCE)
    world.push.send(well)
    world.clock.advance(days=1)
    world.publish(row("1", city="GZ"), row("2", city="GZ"), row("3"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["gone"]
    world.push.send(broken)
    return world


def test_events_are_counted_not_messages(world: World) -> None:
    """X-12, C-16: due = acknowledged + failed + pending."""
    assert world.deliveries.totals(RESOURCE) == DeliveryTotals(due=4, acknowledged=2, failed=1, pending=1)
    assert world.deliveries.totals(RESOURCE).balanced


@pytest.mark.parametrize(
    ("question", "due"),
    [
        ({}, 4),
        ({"unit": UNIT}, 4),
        ({"unit": UNIT, "resource": RESOURCE}, 4),
        ({"unit": UNIT, "resource": "T-99"}, 0),
        ({"unit": "other"}, 0),
        ({"resource": "T-99"}, 0),
        ({"resource": RESOURCE, "high": "2026-01-05"}, 2),
        ({"resource": RESOURCE, "low": "2026-01-06"}, 2),
        ({"unit": UNIT, "low": "2026-01-07"}, 0),
        ({"resource": RESOURCE, "seq": 1}, 2),
        ({"resource": RESOURCE, "seq": 2}, 2),
        ({"seq": 3}, 0),
    ],
)
def test_accounts_can_be_asked_by_resource_unit_period_and_publication(
    world: World, question: dict[str, str], due: int
) -> None:
    """C-16."""
    totals = world.deliveries.totals(**question)  # type: ignore[arg-type]
    assert totals.due == due
    assert totals.balanced


def test_totals_that_do_not_add_up_are_seen() -> None:
    """X-12: any difference is noticed."""
    assert not DeliveryTotals(due=2, acknowledged=1).balanced


def test_a_delivery_is_shown_with_its_fate_and_without_our_keys(world: World) -> None:
    (failed,) = [d for d in world.deliveries.of_resource(RESOURCE) if d.state == "failed"]
    shown = failed.summary()
    assert (shown["status"], shown["reason"], shown["attempts"]) == ("failed", "gone", 1)
    assert shown["id"] == f"{failed.subscription}.1"
    assert "object" not in shown
