"""Rows in quarantine come back mended, or because a rule changed: once, and never over what is newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from flow_world import AMOUNT, KEY, Flow, contract, csv_text

from huitong.batches.held import StoredHolding
from huitong.batches.model import Batch
from huitong.intake.returned import EN_COLUMN, ROW_COLUMN, ZH_COLUMN
from huitong.warehouse.maintenance import Maintenance

STRICT = contract(KEY, f"{AMOUNT}, required: true")
FIRST = "item,amount\n001,1.00\n002,zwei\n003,3.00\n004,vier\n005,\n"


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "platform", STRICT)


def held(flow: Flow, batch: Batch) -> dict[str, int]:
    found = flow.batches.holdings.find(flow.now(batch))
    assert isinstance(found, StoredHolding)
    return found.holding.figures()


def mended(*rows: tuple[Any, str, str]) -> str:
    """A returned file as its unit hands it in again: row numbers, problems and all."""
    return csv_text(
        [{"item": i, "amount": a, ROW_COLUMN: n, ZH_COLUMN: "坏", EN_COLUMN: "bad"} for n, i, a in rows]
    )


def rules(flow: Flow, batch: Batch) -> dict[int, list[str]]:
    """Ids of findings by row."""
    key = flow.now(batch).findings
    found: dict[int, list[str]] = {}
    if key:
        with flow.ports.staging.local(key) as path:
            for row in pq.read_table(path).to_pylist():
                found.setdefault(row["source_row"], []).append(row["rule"])
    return found


def test_mended_rows_are_published_into_the_first_delivery_and_both_balance(flow: Flow) -> None:
    """C-13, X-12: the first line shows what became of its rows, the second is a delivery like any other."""
    first = flow.published(FIRST)
    assert held(flow, first) == {"open": 3, "mended": 0, "replayed": 0, "expired": 0}
    second = flow.published(
        mended((3, "002", "2.00"), (5, "004", "immer noch"), (6, "005", "5.00")), mends=first.id
    )
    assert (second.mends, second.mode, second.status) == (first.id, "increment", "published")
    assert flow.told(second) == (2, 0, 0, 0)
    assert rules(flow, second) == {3: ["type"]}, "no column is unknown, and what is still bad is told again"
    assert held(flow, first) == {"open": 1, "mended": 2, "replayed": 0, "expired": 0}
    assert {k: str(v) for k, v in flow.values("amount").items()} == {
        "001": "1.00", "002": "2.00", "003": "3.00", "005": "5.00"
    }  # fmt: skip
    flow.check()


def test_a_row_is_mended_once_and_only_rows_that_are_held_are_taken(flow: Flow) -> None:
    """C-13: what was accepted, or mended already, cannot be changed this way."""
    first = flow.published(FIRST)
    flow.published(mended((3, "002", "2.00")), mends=first.id)
    again = flow.published(mended((3, "002", "2.22"), (2, "001", "9.99"), (5, "004", "4.00")), mends=first.id)
    assert rules(flow, again) == {2: ["mend.not-held"], 3: ["mend.not-held"]}
    assert again.counts.accepted == 1
    assert {k: str(v) for k, v in flow.values("amount").items()} == {
        "001": "1.00", "002": "2.00", "003": "3.00", "004": "4.00"
    }  # fmt: skip
    assert held(flow, first) == {"open": 1, "mended": 2, "replayed": 0, "expired": 0}
    flow.check()


def test_rows_without_a_number_are_known_by_their_key(flow: Flow) -> None:
    """C-13: a unit may hand in rows of its own system instead of the returned file."""
    first = flow.published("item,amount\n001,1.00\n002,x\n002,y\n003,z\n")
    second = flow.published("item,amount\n002,2.00\n009,9.00\n", mends=first.id)
    assert rules(flow, second) == {3: ["mend.not-held"]}
    assert held(flow, first) == {"open": 1, "mended": 2, "replayed": 0, "expired": 0}
    assert sorted(flow.values("amount")) == ["001", "002"]
    flow.check()


def test_a_row_that_could_not_be_read_is_known_by_the_key_that_stood_in_it(flow: Flow) -> None:
    """C-13: a shifted row has never been staged; its unit hands in the row again without its number."""
    first = flow.published("item,amount\n001,1.00\n002,2.00,3,4\n003,drei\n")
    assert rules(flow, first)[3] == ["row.ragged"]
    assert held(flow, first)["open"] == 2
    flow.published("item,amount\n002,2.00\n003,3.00\n", mends=first.id)
    assert held(flow, first) == {"open": 0, "mended": 2, "replayed": 0, "expired": 0}
    assert sorted(flow.values("amount")) == ["001", "002", "003"]
    flow.check()


def test_what_was_delivered_since_has_the_last_word_and_the_mended_row_is_told(flow: Flow) -> None:
    """C-13: a mended row never overrides a newer version of its key."""
    first = flow.published(FIRST)
    flow.published("item,amount\n002,2.22\n", mode="increment")
    second = flow.published(mended((3, "002", "2.00"), (5, "004", "4.00")), mends=first.id)
    assert second.counts.withheld == 1
    assert rules(flow, second) == {2: ["mend.superseded"]}
    assert str(flow.values("amount")["002"]) == "2.22"
    assert held(flow, first)["mended"] == 2
    flow.published("item,amount\n001,1.00\n", edition="2")
    third = flow.published(mended((6, "005", "5.00")), mends=first.id)
    assert third.status == "superseded"
    assert rules(flow, third) == {2: ["mend.superseded"]}
    flow.check()


def test_a_delivery_that_comes_late_still_wins_over_rows_mended_before_it_was_published(flow: Flow) -> None:
    """C-13: mended rows stand where their first delivery landed, not where they landed themselves."""
    first = flow.published(FIRST)
    late = flow.staged("item,amount\n002,2.22\n", mode="increment")
    mend = flow.staged(mended((3, "002", "2.00")), mends=first.id)
    flow.validate(mend.id)
    flow.compare()
    assert flow.now(mend).status == "published", "it stands before the one that waits"
    flow.validate(late.id)
    flow.compare()
    assert str(flow.values("amount")["002"]) == "2.22"
    assert flow.now(late).counts.updated == 1
    flow.check()


def test_a_rejected_delivery_can_be_mended_row_by_row(tmp_path: Path) -> None:
    """C-13: nothing of it was published, so all of its rows but repeated ones are held."""
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, custom={"maxQuarantinedPercent": "20"}))
    first = flow.published("item,amount\n001,1.00\n002,zwei\n003,3.00\n003,3.00\n")
    assert first.status == "rejected"
    assert held(flow, first)["open"] == 3
    second = flow.published(mended((2, "001", "1.00"), (3, "002", "2.00"), (4, "003", "x")), mends=first.id)
    assert (second.status, second.counts.accepted) == ("published", 2)
    assert held(flow, first) == {"open": 1, "mended": 2, "replayed": 0, "expired": 0}
    flow.check()


def test_rows_that_an_officer_turned_away_are_open_again(tmp_path: Path) -> None:
    """X-12: a delivery of mended rows that is rejected has taken nothing."""
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, custom={"maxUpdatedPercent": "0", "guardFloor": "0"}))
    flow.published("item,amount\n001,1.00\n002,2.00\n")
    first = flow.published("item,amount\n001,eins\n", mode="increment")
    rest = flow.published("item,amount\n001,eins\n003,3.00\n", mode="increment")
    del first
    second = flow.published(mended((2, "001", "1.11")), mends=rest.id)
    assert second.status == "held"
    assert held(flow, rest)["open"] == 0
    flow.hold.reject(second.id, by="officer", reason="no")
    assert held(flow, rest)["open"] == 1
    third = flow.published(mended((2, "001", "1.22")), mends=rest.id)
    assert third.status == "held"
    flow.hold.release(third.id, by="officer")
    flow.compare()
    assert str(flow.values("amount")["001"]) == "1.22"
    flow.check()


def test_of_two_deliveries_at_once_one_takes_a_row(flow: Flow) -> None:
    """C-13: whoever is second looks at what is held again."""
    first = flow.published(FIRST)
    one = flow.staged(mended((3, "002", "2.00"), (5, "004", "4.00")), mends=first.id)
    two = flow.staged(mended((3, "002", "2.22"), (6, "005", "5.00")), mends=first.id)
    flow.validate(one.id)
    flow.validate(two.id)
    flow.compare()
    assert rules(flow, two) == {2: ["mend.not-held"]}
    assert held(flow, first) == {"open": 0, "mended": 3, "replayed": 0, "expired": 0}
    flow.check()


def test_what_cannot_be_mended_is_refused_with_the_reason(flow: Flow) -> None:
    """Q-20: an unknown batch, and one that is still on its way."""
    for named in ("b0", flow.staged(FIRST).id):
        batch = flow.staged(mended((3, "002", "2.00")), mends=named)
        assert batch.status == "rejected"
        assert batch.refusal is not None
        assert batch.refusal["problems"][0]["rule"] in ("mend.batch-unknown", "mend.not-open")


def test_rows_of_a_superseded_delivery_are_mended_after_housekeeping_took_its_files(flow: Flow) -> None:
    """C-13, X-12: whatever nobody is served any more is deleted; a mend that comes then ends, and is told."""
    key = flow.put(FIRST)
    later = flow.published("item,amount\n001,1.00\n", edition="2")
    first = flow.ingest(key)
    assert first is not None
    flow.validate(first.id)
    flow.compare()
    assert (flow.now(first).status, flow.now(later).status) == ("superseded", "published")
    clock, served = flow.ports.clock, flow.publications
    keeper = Maintenance(flow.ports.warehouse, flow.lakehouse, served, clock)
    assert keeper.remove_files(flow.contracts.get(flow.resource), flow.now(first)) > 0
    mend = flow.published(mended((3, "002", "2.00")), mends=first.id)
    assert mend.status == "superseded"
    assert rules(flow, mend) == {2: ["mend.superseded"]}
    assert held(flow, first) == {"open": 2, "mended": 1, "replayed": 0, "expired": 0}
