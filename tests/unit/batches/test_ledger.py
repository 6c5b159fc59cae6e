"""The ledger adds up, and says what does not."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from huitong.batches.ledger import Exchange, Ledger
from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.delivery.accounts import Deliveries, item_of
from huitong.delivery.model import Delivery
from huitong.errors import NotFound
from huitong.local.messages import ManualClock, MemoryEvents
from huitong.local.register import MemoryRegister
from huitong.warehouse.publication import Publication, Publications

UNIT, RECEIVER = "U1", "U2"


class Books:
    """A register with batches, publications and deliveries, and the ledger over it."""

    def __init__(self) -> None:
        self.register = MemoryRegister()
        self.clock = ManualClock()
        self.events = MemoryEvents()
        self.batches = Batches(self.register, self.clock)
        self.publications = Publications(self.register)
        self.ledger = Ledger(
            self.batches, Deliveries(self.register), self.publications, lambda: ["R1", "R2"], self.events
        )

    def publish(self, id: str, counts: Counts, *, resource: str = "R1", rows: int, unit: str = UNIT) -> Batch:
        now = self.publications.get(resource)
        seq = now.seq + 1 if now else 1
        at = f"2026-01-{seq:02}T00:00:00.000Z"
        batch = self.batch(id, "published", counts, resource=resource, unit=unit, seq=seq, at=at)
        made = Publication(resource, seq, id, seq, seq, at, rows, at, at, counts=asdict(counts))
        entry = self.publications.entry(made)
        self.register.write(entry.creates, entry.replaces)
        return batch

    def batch(
        self, id: str, status: Any, counts: Counts, *, resource: str = "R1", unit: str = UNIT, seq: int = 0,
        at: str = "2026-01-09T00:00:00.000Z", mode: Any = "full",
    ) -> Batch:  # fmt: skip
        made = Batch(
            id, resource, unit, mode, status, "k", counts=counts, seq=seq, received_at=at, order=at + "#" + id
        )
        return self.batches.create(made, by="t").batch

    def deliver(self, n: int, count: int, state: Any, *, seq: int = 1, resource: str = "R1") -> None:
        sent = Delivery(
            "s1", n, resource, RECEIVER, "changes", "inline", seq, 1, count, count, "o", "h", 1,
            "2026-02-01T00:00:00.000Z", state=state,
        )  # fmt: skip
        self.register.create(item_of(sent))


@pytest.fixture
def books() -> Books:
    """Two editions of R1, one quarantine, a duplicate, a rejected and a held batch; deliveries in every state."""
    made = Books()
    made.publish("b1", Counts(received=10, accepted=9, quarantined=1, inserted=9), rows=9)
    made.publish(
        "b2",
        Counts(
            received=9,
            accepted=7,
            quarantined=1,
            duplicate=1,
            inserted=1,
            updated=2,
            deleted=3,
            unchanged=4,
            retained=0,
        ),
        rows=7,
    )
    made.batch("b3", "duplicate", Counts(received=9, duplicate=9))
    made.batch("b4", "rejected", Counts(received=5, quarantined=5))
    made.batch("b5", "held", Counts(received=2, accepted=2, withheld=2))
    made.batch("b6", "ingested", Counts(received=4, unread=4), resource="R2", unit="U3")
    made.deliver(1, 9, "acknowledged")
    made.deliver(2, 4, "pending", seq=2)
    made.deliver(3, 2, "failed", seq=2)
    return made


def test_the_ledger_of_everything_adds_up(books: Books) -> None:
    """X-12: received = accepted + quarantined + duplicate; due = acknowledged + failed + pending."""
    report = books.ledger.report().as_dict()
    assert report["balanced"] is True
    assert report["broken"] == []
    expected = {
        "batches": 6, "received": 39, "accepted": 18, "quarantined": 7, "duplicate": 10, "unread": 4,
        "inserted": 10, "updated": 2, "deleted": 3, "unchanged": 4, "withheld": 2,
        "due": 15, "acknowledged": 9, "failed": 2, "pending": 4,
    }  # fmt: skip
    assert {name: report[name] for name in expected} == expected
    assert report["by_status"] == {"duplicate": 1, "held": 1, "ingested": 1, "published": 2, "rejected": 1}


def test_the_ledger_of_a_batch_has_the_deliveries_of_its_publication(books: Books) -> None:
    report = books.ledger.report(batch="b2")
    assert (report.counts.received, report.due, report.failed, report.pending) == (9, 6, 2, 4)
    assert report.balanced
    assert books.ledger.report(batch="b5").due == 0
    with pytest.raises(NotFound):
        books.ledger.report(batch="nope")


def test_the_ledger_goes_by_resource_unit_and_period(books: Books) -> None:
    assert books.ledger.report(resource="R2").counts.received == 4
    assert books.ledger.report(unit="U3").counts.unread == 4
    assert books.ledger.report(unit=RECEIVER).due == 15
    assert books.ledger.report(unit=UNIT).due == 0
    assert books.ledger.report(resource="R1", low="2026-01-02", high="2026-01-08").counts.received == 9
    assert books.ledger.report(resource="R1", unit="U3").batches == 0


@pytest.mark.parametrize("name", list(asdict(Counts())))
@pytest.mark.parametrize("id", ["b1", "b2", "b3", "b4", "b5", "b6"])
def test_any_tampered_count_of_a_batch_is_found_and_named(books: Books, name: str, id: str) -> None:
    stored = books.batches.get(id)
    counts = replace(stored.batch.counts, **{name: getattr(stored.batch.counts, name) + 1})
    books.batches.annotate(stored, counts=counts)
    found = books.ledger.check_all()
    assert {imbalance.batch for imbalance in found} == {id}
    assert not books.ledger.report(batch=id).balanced
    assert not books.ledger.report().balanced
    assert [kind for kind, _ in books.events.published] == ["LedgerImbalance"] * len(found)
    assert all(detail["zh"] and detail["en"] for _, detail in books.events.published)


@pytest.mark.parametrize("name", ["rows", "seq", "inserted", "updated", "deleted", "unchanged", "retained"])
def test_any_tampered_number_of_a_publication_is_found(books: Books, name: str) -> None:
    item = books.register.get("RESOURCE#R1", "PUBLISHED#0000000002")
    assert item is not None
    body = dict(item.body)
    if name in ("rows", "seq"):
        body[name] += 1
    else:
        body["counts"] = {**body["counts"], name: body["counts"][name] + 1}
    books.register.replace(replace(item, body=body))
    assert books.ledger.check_all(["R1"])
    assert not books.ledger.report(resource="R1").balanced


def test_a_published_batch_without_its_publication_is_found(books: Books) -> None:
    item = books.register.get("RESOURCE#R1", "PUBLISHED#0000000001")
    assert item is not None
    books.register.delete(item)
    assert any("publications of the batch" in i.equation for i in books.ledger.check_all())


def test_a_balanced_ledger_raises_no_alert(books: Books) -> None:
    assert books.ledger.check_all() == []
    assert books.events.published == []


def test_a_list_that_lags_behind_is_no_imbalance(books: Books) -> None:
    """Indexes are eventually consistent: the batch itself is read before an alert is raised."""

    class Lagging(Batches):
        def of_resource(self, resource: str, **given: Any) -> list[Batch]:
            return [replace(b, counts=Counts(received=1)) for b in super().of_resource(resource, **given)]

    lagging = replace(books.ledger, batches=Lagging(books.register, books.clock))
    assert lagging.check_all() == []


def test_deliveries_that_do_not_add_up_are_found(books: Books) -> None:
    class Forgetful(Deliveries):
        def totals(self, *scope: Any, **more: Any) -> Any:
            return replace(super().totals(*scope, **more), pending=0)

    found = replace(books.ledger, deliveries=Forgetful(books.register)).check_all(["R1"])
    assert [(i.equation, i.left, i.right) for i in found] == [
        ("due = acknowledged + failed + pending", 15, 11)
    ]


def test_statistics_tell_what_each_unit_provided_and_obtained(books: Books) -> None:
    """C-16: by unit, resource and month."""
    assert books.ledger.statistics() == [
        Exchange("U1", "R1", "2026-01", batches=5, rows_provided=18),
        Exchange("U2", "R1", "2026-02", deliveries=1, events_obtained=9),
        Exchange("U3", "R2", "2026-01", batches=1),
    ]
    assert books.ledger.statistics(resource="R2") == [Exchange("U3", "R2", "2026-01", batches=1)]
    assert books.ledger.statistics(low="2026-02-01") == [
        Exchange("U2", "R1", "2026-02", deliveries=1, events_obtained=9)
    ]


def test_rows_that_later_ones_overtook_stay_withheld_in_a_published_batch() -> None:
    books = Books()
    books.publish("b1", Counts(received=3, accepted=3, inserted=3), rows=3)
    late = Counts(received=2, accepted=2, inserted=1, withheld=1)
    books.batch("b2", "published", late, seq=2, at="2026-01-01T00:00:00.000Z")
    made = Publication(
        "R1", 2, "b2", 2, 2, "x", 4, order="2026-01-01", received_high="2026-01-02", counts=asdict(late)
    )
    entry = books.publications.entry(made)
    books.register.write(entry.creates, entry.replaces)
    assert books.ledger.check_all() == []
