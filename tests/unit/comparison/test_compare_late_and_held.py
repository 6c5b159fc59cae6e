"""Order of landing, the guard, and decisions on held editions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.compare_world import CLAIMS, CompareWorld, counts, of
from tests.support.compare_world import claim as row

from huitong.contracts.model import Limits
from huitong.errors import Conflict, Corrupt, Fault

MANY = [row(n) for n in range(100)]


def wide_guard(world: CompareWorld) -> None:
    world.use(replace(CLAIMS, limits=Limits(max_deleted_percent=100, max_updated_percent=100)))


# --- the guard ---------------------------------------------------------------


def test_an_edition_that_deletes_too_much_is_held_and_changes_nothing(world: CompareWorld) -> None:
    """Q-33: what is served stays as it was until somebody decides."""
    world.deliver(MANY)

    batch = world.deliver(MANY[:60])

    assert batch.status == "held"
    assert counts(batch) == of(withheld=60)
    assert world.rows() == MANY
    assert world.publications.at("IN-90").seq == 1
    assert len(world.commits("current")) == 1
    assert (
        "BatchHeld",
        {"batch": batch.id, "resource": "IN-90", "unit": batch.unit},
    ) in world.events.published


def test_a_preview_says_what_would_happen_without_showing_masked_keys(tmp_path: Any) -> None:
    secret = tuple(replace(f, level="L4", mask="id") if f.key else f for f in CLAIMS.fields)
    world = CompareWorld(tmp_path, replace(CLAIMS, fields=secret))
    world.deliver(MANY)

    preview = world.deliver(MANY[:60]).preview

    assert preview is not None
    assert (preview["deleted"], preview["unchanged"], preview["current_rows"]) == (40, 60, 100)
    assert preview["reasons"] == [{"kind": "deleted", "rows": 40, "percent": "40.0", "limit": "30"}]
    assert "40" in preview["zh"]
    assert "40" in preview["en"]
    assert len(preview["sample"]["deleted"]) == 20
    assert {s["claim_no"] for s in preview["sample"]["deleted"]} == {"*****"}


def test_updates_beyond_the_limit_hold_too(world: CompareWorld) -> None:
    world.deliver(MANY)

    batch = world.deliver([{**r, "amount": None} for r in MANY])

    assert batch.status == "held"
    assert batch.preview is not None
    assert [r["kind"] for r in batch.preview["reasons"]] == ["updated"]


def test_a_few_deletions_never_hold_whatever_their_share(world: CompareWorld) -> None:
    world.deliver(MANY[:20])

    assert world.deliver([], quarantined=[]).status == "published"
    assert world.rows() == []


def test_a_released_edition_is_published(world: CompareWorld) -> None:
    world.deliver(MANY)
    held = world.deliver(MANY[:60])

    world.hold.release(held.id, by="officer")
    assert world.compare_queue.drain() == [{"resource": "IN-90"}]
    world.compare.run("IN-90")

    batch = world.batch(held.id)
    assert (batch.status, batch.released_by) == ("published", "officer")
    assert counts(batch) == of(deleted=40, unchanged=60)
    assert world.rows() == MANY[:60]


def test_a_release_that_lost_its_wake_up_can_be_repeated(world: CompareWorld) -> None:
    world.deliver(MANY)
    held = world.deliver(MANY[:60])
    world.hold.release(held.id, by="officer")
    world.compare_queue.drain()

    world.hold.release(held.id, by="officer")

    assert world.compare_queue.drain() == [{"resource": "IN-90"}]
    with pytest.raises(Conflict):
        world.hold.release(held.id, by="somebody else")


def test_a_rejected_edition_is_never_published(world: CompareWorld) -> None:
    world.deliver(MANY)
    held = world.deliver(MANY[:60])

    world.hold.reject(held.id, by="officer", reason="不完整")
    world.hold.reject(held.id, by="officer", reason="不完整")
    world.compare.run("IN-90")

    batch = world.batch(held.id)
    assert batch.status == "rejected"
    assert batch.refusal is not None
    assert "不完整" in batch.refusal["zh"]
    assert world.rows() == MANY
    with pytest.raises(Conflict):
        world.hold.release(held.id, by="officer")


def test_only_a_held_batch_can_be_decided(world: CompareWorld) -> None:
    batch = world.deliver(MANY)

    with pytest.raises(Conflict):
        world.hold.release(batch.id, by="officer")
    with pytest.raises(Conflict):
        world.hold.reject(batch.id, by="officer", reason="")


# --- landing order -----------------------------------------------------------


def test_batches_are_published_in_landing_order(world: CompareWorld) -> None:
    wide_guard(world)
    second = world.land([row(2)], order=20)
    first = world.land([row(1)], order=10)

    moved = world.compare.run("IN-90")

    assert [b.id for b in moved] == [first, second]
    assert world.rows() == [row(2)]


def test_a_batch_waits_for_those_that_landed_before_it(world: CompareWorld) -> None:
    world.land([row(1)], status="ingested")
    ready = world.land([row(2)])

    assert world.compare.run("IN-90") == []
    assert world.batch(ready).status == "validated"


def test_a_held_edition_lets_later_batches_pass(world: CompareWorld) -> None:
    world.deliver(MANY)
    held = world.deliver(MANY[:60])

    later = world.deliver([row(200)], mode="increment")

    assert (world.batch(held.id).status, later.status) == ("held", "published")
    assert len(world.rows()) == 101


def test_an_edition_released_after_a_newer_one_was_published_is_superseded(world: CompareWorld) -> None:
    """What landed later has the last word."""
    world.deliver(MANY)
    held = world.deliver(MANY[:60])
    world.deliver(MANY[:99])

    world.hold.release(held.id, by="officer")
    world.compare.run("IN-90")

    batch = world.batch(held.id)
    assert (batch.status, batch.counts.withheld) == ("superseded", 60)
    assert batch.counts.balanced("full")
    assert world.rows() == MANY[:99]


def test_an_edition_released_after_later_increments_leaves_their_keys_alone(world: CompareWorld) -> None:
    """Of a late edition everything counts but the keys that were spoken about since."""
    world.deliver(MANY)
    held = world.deliver([{**r, "amount": None} for r in MANY[:60]])
    world.deliver(
        [row(3, creditor="later"), row(70, creditor="later"), row(5)], mode="increment", deletes=[row(4)]
    )

    world.hold.release(held.id, by="officer")
    world.compare.run("IN-90")

    batch = world.batch(held.id)
    assert batch.status == "published"
    assert counts(batch) == of(updated=57, deleted=39, withheld=3)
    assert batch.counts.balanced("full")
    expected = {r["claim_no"]: {**r, "amount": None} for r in MANY[:60]}
    for later in (row(3, creditor="later"), row(70, creditor="later"), row(5)):
        expected[later["claim_no"]] = later
    del expected["C0004"]
    assert world.rows() == [expected[k] for k in sorted(expected)]


def test_a_late_increment_does_not_override_what_landed_later(world: CompareWorld) -> None:
    world.deliver([row(n) for n in range(6)], order=10)
    world.deliver([row(1, creditor="later")], mode="increment", deletes=[row(2)], order=30)

    late = world.deliver(
        [row(1, creditor="late"), row(2, creditor="late"), row(3, creditor="late")],
        mode="increment", deletes=[row(4)], order=20,
    )  # fmt: skip

    assert counts(late) == of(updated=1, deleted=1, withheld=2)
    assert late.counts.balanced("increment")
    assert world.rows() == [row(0), row(1, creditor="later"), row(3, creditor="late"), row(5)]
    assert world.publications.at("IN-90").received_high.endswith("#000030")


def test_a_late_increment_behind_a_later_edition_is_superseded(world: CompareWorld) -> None:
    world.deliver([row(1)], order=10)
    world.deliver([row(1)], order=30)

    late = world.deliver([row(9)], mode="increment", order=20)

    assert late.status == "superseded"
    assert world.rows() == [row(1)]


# --- the ledger --------------------------------------------------------------


def test_counts_that_do_not_balance_stop_the_publication_and_raise_the_alarm(world: CompareWorld) -> None:
    id = world.land([row(1)])
    stored = world.batches.get(id)
    world.batches.annotate(stored, counts=replace(stored.batch.counts, accepted=5, received=5))

    with pytest.raises(Fault):
        world.compare.run("IN-90")

    assert world.publications.get("IN-90") is None
    assert [kind for kind, _ in world.events.published] == ["LedgerImbalance"]


def test_a_key_twice_in_a_delivery_is_a_fault_not_a_publication(world: CompareWorld) -> None:
    world.land([row(1), row(1, amount=None)])

    with pytest.raises(Corrupt):
        world.compare.run("IN-90")

    assert world.publications.get("IN-90") is None
