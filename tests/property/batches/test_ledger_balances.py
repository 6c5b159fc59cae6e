"""Random histories balance; any single number that is changed afterwards is found."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.batches.ledger import Ledger
from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.delivery.accounts import Deliveries, item_of, totals_of
from huitong.delivery.model import Delivery
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.warehouse.publication import Publication, Publications

NUMBER = st.integers(0, 9)
STEP = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["full", "full", "increment", "duplicate", "rejected", "held", "ingested"]),
        "quarantined": NUMBER,
        "duplicate": NUMBER,
        "inserted": NUMBER,
        "updated": NUMBER,
        "deleted": NUMBER,
        "rest": NUMBER,
    }
)
DELIVERY = st.tuples(NUMBER, st.sampled_from(["pending", "acknowledged", "failed"]))


class History:
    def __init__(self) -> None:
        self.register = MemoryRegister()
        self.batches = Batches(self.register, ManualClock())
        self.publications = Publications(self.register)
        self.ledger = Ledger(self.batches, Deliveries(self.register), self.publications, lambda: ["R"])
        self.rows = self.seq = 0
        self.total = Counts()

    def add(self, n: int, step: dict[str, int]) -> None:
        kind = str(step["kind"])
        aside = step["quarantined"] + step["duplicate"]
        if kind in ("full", "increment"):
            counts = self._published(kind, step)
        elif kind == "duplicate":
            counts = Counts(received=step["rest"], duplicate=step["rest"])
        elif kind == "ingested":
            counts = Counts(received=step["rest"], unread=step["rest"])
        else:
            counts = Counts(
                received=aside + step["rest"], accepted=step["rest"], quarantined=step["quarantined"],
                duplicate=step["duplicate"], withheld=step["rest"],
            )  # fmt: skip
        status = "published" if kind in ("full", "increment") else kind
        mode = "increment" if kind == "increment" else "full"
        seq = self.seq if status == "published" else 0
        batch = Batch(f"b{n}", "R", "U", mode, status, "k", counts=counts, seq=seq, order=f"{n:06}")  # type: ignore[arg-type]
        self.batches.create(batch, by="t")
        if seq:
            order = f"{n:06}"
            made = Publication(
                "R",
                seq,
                batch.id,
                seq,
                seq,
                order,
                self.rows,
                order,
                order,
                mode=batch.mode,
                counts=asdict(counts),
            )
            entry = self.publications.entry(made)
            self.register.write(entry.creates, entry.replaces)
        self.total = self.total.plus(counts)

    def _published(self, kind: str, step: dict[str, int]) -> Counts:
        self.seq += 1
        gone = min(step["deleted"], self.rows)
        changed = min(step["updated"], self.rows - gone)
        left = self.rows - gone - changed
        kept = min(step["rest"], left) if kind == "full" else 0
        same = left - kept if kind == "full" else min(step["rest"], left)
        rows = step["inserted"] + changed + same + (gone if kind == "increment" else 0)
        self.rows += step["inserted"] - gone
        return Counts(
            received=rows + step["quarantined"] + step["duplicate"], accepted=rows, quarantined=step["quarantined"],
            duplicate=step["duplicate"], inserted=step["inserted"], updated=changed, deleted=gone, unchanged=same,
            retained=kept,
        )  # fmt: skip


def _history(steps: list[dict[str, int]]) -> History:
    made = History()
    for n, step in enumerate(steps):
        made.add(n, step)
    return made


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, max_size=8), sent=st.lists(DELIVERY, max_size=6))
def test_every_history_balances_and_its_sums_are_the_sums(
    steps: list[dict[str, int]], sent: list[tuple[int, str]]
) -> None:
    """X-12: batches, publications and deliveries tell the same."""
    history = _history(steps)
    deliveries = [
        Delivery("s", n, "R", "V", "changes", "inline", 1, 1, c, c, "o", "h", 1, "2026-01-01", state=state)  # type: ignore[arg-type]
        for n, (c, state) in enumerate(sent, start=1)
    ]
    for delivery in deliveries:
        history.register.create(item_of(delivery))
    report = history.ledger.report()
    assert history.ledger.check_all() == []
    assert report.balanced
    assert report.counts == history.total
    assert report.due == sum(c for c, _ in sent)
    assert report.due == report.acknowledged + report.failed + report.pending
    assert totals_of(deliveries).balanced


@settings(max_examples=80, deadline=None)
@given(
    steps=st.lists(STEP, min_size=1, max_size=6),
    which=st.integers(0, 5),
    name=st.sampled_from([f.name for f in fields(Counts)]),
    change=st.integers(-5, 5).filter(bool),
    published=st.booleans(),
)
def test_any_single_number_that_was_changed_is_found(
    steps: list[dict[str, int]], which: int, name: str, change: int, published: bool
) -> None:
    history = _history(steps)
    entries = history.publications.list("R")
    if published and entries:
        seq = entries[which % len(entries)].seq
        item = history.register.get("RESOURCE#R", f"PUBLISHED#{seq:010}")
        assert item is not None
        counts = {**item.body["counts"], name: item.body["counts"][name] + change}
        history.register.replace(item.with_body(counts=counts))
    else:
        stored = history.batches.get(f"b{which % len(steps)}")
        value = getattr(stored.batch.counts, name) + change
        history.batches.annotate(stored, counts=replace(stored.batch.counts, **{name: value}))
    assert history.ledger.check_all() != []
    assert not history.ledger.report().balanced
