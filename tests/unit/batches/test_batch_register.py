"""Batches: identity, transitions, landing order, and one winner for two writers."""

from __future__ import annotations

import pytest

from huitong.audit.trace import Traces
from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import Batches, batch_id
from huitong.errors import Conflict, NotFound
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister


def a_batch(id: str = "b1", landed: str = "2026-01-05T08:00:00.000Z", **changes: object) -> Batch:
    values: dict[str, object] = {
        "id": id,
        "resource": "IN-01",
        "unit": "1144030000AA01019J",
        "mode": "full",
        "status": "received",
        "landing_key": f"1144030000AA01019J/IN-01/{id}/cases.csv",
        "received_at": landed,
        "order": f"{landed}#{id}",
    }
    return Batch(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def batches() -> Batches:
    return Batches(MemoryRegister(), ManualClock())


def test_same_unit_resource_bytes_and_edition_are_the_same_batch() -> None:
    assert batch_id("u", "r", "s", "2026") == batch_id("u", "r", "s", "2026")


def test_another_declared_edition_makes_another_batch_of_the_same_bytes() -> None:
    assert batch_id("u", "r", "s", "2026-01") != batch_id("u", "r", "s", "2026-02")


def test_parts_of_the_identity_cannot_be_shifted_into_each_other() -> None:
    assert batch_id("ab", "c", "s", "") != batch_id("a", "bc", "s", "")


def test_a_batch_comes_back_as_it_was_stored(batches: Batches) -> None:
    batch = a_batch(counts=Counts(received=3, unread=3), quality=Quality(missing=1, by_rule={"required": 1}))
    batches.create(batch, by="ingest_file")
    stored = batches.get("b1").batch
    assert stored.counts == batch.counts
    assert stored.quality == batch.quality
    assert stored.history == (("received", "2026-01-05T08:00:00.000Z", "ingest_file"),)


def test_creating_the_same_batch_twice_is_a_conflict(batches: Batches) -> None:
    batches.create(a_batch(), by="x")
    with pytest.raises(Conflict):
        batches.create(a_batch(), by="x")


def test_an_unknown_batch_is_not_found_by_name(batches: Batches) -> None:
    with pytest.raises(NotFound, match="b404"):
        batches.get("b404")


def test_a_step_that_the_states_do_not_allow_is_a_conflict(batches: Batches) -> None:
    stored = batches.create(a_batch(), by="x")
    with pytest.raises(Conflict, match="received"):
        batches.move(stored, "published", by="x")


def test_of_two_writers_who_read_the_same_batch_one_wins(batches: Batches) -> None:
    batches.create(a_batch(), by="x")
    one, two = batches.get("b1"), batches.get("b1")
    batches.move(one, "ingested", by="one")
    with pytest.raises(Conflict):
        batches.move(two, "rejected", by="two")
    assert batches.get("b1").batch.status == "ingested"


def test_a_moved_batch_can_be_moved_on_without_reading_it_again(batches: Batches) -> None:
    stored = batches.create(a_batch(), by="x")
    stored = batches.move(stored, "ingested", by="x")
    stored = batches.move(stored, "validated", by="x")
    assert batches.annotate(stored, seq=7).batch.seq == 7
    assert batches.get("b1").batch.seq == 7


def test_batches_in_flight_come_in_landing_order_whatever_the_order_of_registration(batches: Batches) -> None:
    batches.create(a_batch("b2", "2026-01-05T09:00:00.000Z"), by="x")
    batches.create(a_batch("b1", "2026-01-05T08:00:00.000Z"), by="x")
    assert [s.batch.id for s in batches.in_flight("IN-01")] == ["b1", "b2"]


def test_held_failed_and_final_batches_do_not_stand_in_the_way(batches: Batches) -> None:
    held = batches.create(a_batch("b1", "2026-01-05T08:00:00.000Z", status="validated"), by="x")
    failed = batches.create(a_batch("b2", "2026-01-05T08:10:00.000Z"), by="x")
    done = batches.create(a_batch("b3", "2026-01-05T08:20:00.000Z", status="validated"), by="x")
    batches.create(a_batch("b4", "2026-01-05T08:30:00.000Z"), by="x")
    batches.move(held, "held", by="x")
    batches.move(failed, "failed", by="x")
    batches.move(done, "published", by="x")
    assert [s.batch.id for s in batches.in_flight("IN-01")] == ["b4"]


def test_a_released_batch_is_in_flight_again_at_its_old_place(batches: Batches) -> None:
    held = batches.create(a_batch("b1", "2026-01-05T08:00:00.000Z", status="validated"), by="x")
    held = batches.move(held, "held", by="x")
    batches.create(a_batch("b2", "2026-01-05T09:00:00.000Z"), by="x")
    batches.move(held, "validated", by="officer")
    assert [s.batch.id for s in batches.in_flight("IN-01")] == ["b1", "b2"]


def test_lists_show_the_newest_landing_first_and_respect_the_period(batches: Batches) -> None:
    for day in ("05", "06", "07"):
        batches.create(a_batch(f"b{day}", f"2026-01-{day}T08:00:00.000Z"), by="x")
    listed = batches.of_resource("IN-01", low="2026-01-05", high="2026-01-06")
    assert [b.id for b in listed] == ["b06", "b05"]


@pytest.mark.parametrize(
    ("counts", "mode", "balanced"),
    [
        (Counts(received=5, unread=5), "full", True),
        (
            Counts(received=5, accepted=3, quarantined=1, duplicate=1, inserted=2, unchanged=1, deleted=9),
            "full",
            True,
        ),
        (Counts(received=5, accepted=4, quarantined=1, inserted=2, deleted=2), "increment", True),
        (Counts(received=5, accepted=4, inserted=4), "full", False),
        (Counts(received=4, accepted=4, inserted=3), "full", False),
        (Counts(received=4, accepted=4, inserted=4, deleted=1), "increment", False),
    ],
)
def test_counts_balance_only_when_every_row_is_accounted_for(
    counts: Counts, mode: str, balanced: bool
) -> None:
    assert counts.balanced(mode) is balanced  # type: ignore[arg-type]


def test_collection_comparison_and_update_are_each_on_record_in_the_write_that_makes_them_so() -> None:
    """L-34: one entry for each act, with the batch, so that a row is followed to its source."""
    register, clock = MemoryRegister(), ManualClock()
    batches, traces = Batches(register, clock), Traces(register, clock)
    stored = batches.create(a_batch(), by="intake")
    stored = batches.move(stored, "ingested", by="intake", counts=Counts(received=9, unread=9))
    counts = Counts(received=9, accepted=8, quarantined=1, withheld=8)
    stored = batches.move(stored, "validated", by="validate", counts=counts)
    published = Counts(received=9, accepted=8, quarantined=1, inserted=5, updated=2, unchanged=1)
    batches.move(stored, "published", by="compare", counts=published, seq=3)
    told = {(t.act, t.actor, t.batch, t.count) for t in traces.list(resource="IN-01")}
    assert told == {
        ("collect", "intake", "b1", 9),
        ("compare", "compare", "b1", 8),
        ("update", "compare", "b1", 7),
    }
