"""A full edition never deletes on a guess: bad rows whose key is missing or wrong may be those that it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_world import AMOUNT, Flow, contract

from huitong.batches.model import Batch
from huitong.errors import Corrupt
from huitong.quality.keys import quarantined_keys_key

KEY = (
    "name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1, "
    "logicalTypeOptions: {pattern: '[0-9]{3}'}"
)
STRICT = contract(KEY, f"{AMOUNT}, required: true")
SERVED = "item,amount\n001,1.00\n002,2.00\n003,3.00\n"
#: Row 3 is 002 with a slip of the pen.
SLIPPED = "item,amount\n001,1.00\n0O2,2.50\n003,3.00\n"


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    flow = Flow(tmp_path / "platform", STRICT)
    flow.published(SERVED)
    return flow


def amounts(flow: Flow) -> dict[str, str]:
    return {key: str(value) for key, value in flow.values("amount").items()}


def reasons(batch: Batch) -> list[object]:
    assert batch.preview is not None
    return list(batch.preview["reasons"])


@pytest.mark.parametrize(
    ("edition", "because"),
    [
        (SLIPPED, "the key breaks a rule"),
        ("item,amount\n001,1.00\n,2.50\n003,3.00\n", "the key is missing"),
        ("item,amount\n001,1.00\n001,2.50\n003,3.00\n", "two rows say that they are the same one"),
        ('item,amount\n001,1.00\n003,3.00\n002;2.50;"\n', "the row cannot be read"),
    ],
)
def test_an_edition_with_a_row_that_may_be_the_one_it_lacks_waits(
    flow: Flow, edition: str, because: str
) -> None:
    """Q-33: what is served stays until the row is mended or an officer decides."""
    batch = flow.published(edition)

    assert (batch.status, batch.keyless > 0) == ("held", True), because
    kinds = [r["kind"] for r in reasons(batch)]  # type: ignore[index]
    assert kinds == ["keyless"], because
    assert batch.preview is not None
    assert batch.preview["sample"] == {"deleted": [{"item": "002"}]}
    assert amounts(flow) == {"001": "1.00", "002": "2.00", "003": "3.00"}
    flow.check()


def test_what_is_told_of_the_row_meanwhile_has_the_last_word_on_its_key(flow: Flow) -> None:
    """Q-33: the release deletes nothing that landed later."""
    batch = flow.published(SLIPPED)
    flow.published("item,amount,_op\n002,2.50,upsert\n", mode="increment")

    flow.hold.release(batch.id, by="officer")
    flow.compare()

    ended = flow.now(batch)
    assert (ended.status, ended.counts.deleted) == ("published", 0)
    assert amounts(flow) == {"001": "1.00", "002": "2.50", "003": "3.00"}
    flow.check()


def test_a_corrected_edition_takes_the_place_of_the_one_that_waits(flow: Flow) -> None:
    batch = flow.published(SLIPPED)
    flow.published(SLIPPED.replace("0O2", "002"))

    flow.hold.release(batch.id, by="officer")
    flow.compare()

    assert flow.now(batch).status == "superseded"
    assert amounts(flow) == {"001": "1.00", "002": "2.50", "003": "3.00"}
    flow.check()


def test_an_officer_may_say_that_the_row_is_really_gone(flow: Flow) -> None:
    batch = flow.published(SLIPPED)

    flow.hold.release(batch.id, by="officer")
    flow.compare()

    assert (flow.now(batch).status, flow.now(batch).counts.deleted) == ("published", 1)
    assert amounts(flow) == {"001": "1.00", "003": "3.00"}


@pytest.mark.parametrize(
    "edition",
    [
        "item,amount\n001,1.00\n002,2.00\n003,3.00\n0O4,4.00\n",  # nothing is lacking
        "item,amount\n001,1.00\n003,drei\n",  # the bad row says which one it is
        "item,amount\n001,1.00\n003,3.00\n合计,\n",  # a total is no record
    ],
)
def test_where_no_deletion_can_be_a_mistake_nothing_waits(flow: Flow, edition: str) -> None:
    assert flow.published(edition).status == "published"
    flow.check()


def test_a_contract_may_allow_so_many_rows_without_a_key(tmp_path: Path) -> None:
    flow = Flow(tmp_path / "platform", contract(KEY, AMOUNT, custom={"maxKeylessRows": 1}))
    flow.published(SERVED)

    one = flow.published("item,amount\n001,1.00\n0O2,2.50\n003,3.00\n")
    two = flow.published("item,amount\n001,1.00\n0O2,2.50\n0O3,3.00\n")

    assert (one.status, one.counts.deleted) == ("published", 1)
    assert (two.status, two.keyless) == ("held", 2)


def test_an_increment_says_itself_what_it_deletes(flow: Flow) -> None:
    batch = flow.published("item,amount,_op\n003,,delete\n0O2,2.50,upsert\n", mode="increment")

    assert (batch.status, batch.counts.deleted) == ("published", 1)


def test_without_the_keys_of_the_bad_rows_nothing_is_compared(flow: Flow) -> None:
    """The served versions of those rows would be deleted: a fault, not a difference."""
    batch = flow.checked("item,amount\n001,1.00\n002,zwei\n003,3.00\n")
    assert (batch.held_keys, batch.keyless) == (1, 0)
    flow.ports.staging.delete(quarantined_keys_key(batch.quarantine))

    with pytest.raises(Corrupt, match="gone"):
        flow.compare()

    assert amounts(flow) == {"001": "1.00", "002": "2.00", "003": "3.00"}
