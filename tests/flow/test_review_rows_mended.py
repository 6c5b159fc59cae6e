"""Rows brought again: nobody's late or second worker loses what another one has taken (C-13, X-08)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flow_world import AMOUNT, KEY, UNIT, Flow, contract
from test_mended_rows import FIRST, STRICT, held, mended, rules
from test_quarantine_replayed import quarantine

from huitong.batches.held_rows import open_rows
from huitong.intake.returned import ROW_COLUMN
from huitong.ports import Item, timestamp
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.model import OfficeRule


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "platform", STRICT)


class Interrupted:
    """A register at whose first look at something of a kind another worker does all of its work."""

    def __init__(self, inner: Any, prefix: str, meanwhile: Callable[[], object]) -> None:
        self._inner = inner
        self._prefix = prefix
        self._meanwhile: Callable[[], object] | None = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get(self, pk: str, sk: str) -> Item | None:
        if pk.startswith(self._prefix) and self._meanwhile is not None:
            run, self._meanwhile = self._meanwhile, None
            run()
        found: Item | None = self._inner.get(pk, sk)
        return found


def beside(flow: Flow, prefix: str, meanwhile: Callable[[], object]) -> Flow:
    """A second worker on the same ports, slower than the first one."""
    slow = Interrupted(flow.ports.register, prefix, meanwhile)
    return Flow(None, "", ports=replace(flow.ports, register=slow))


def test_a_second_worker_on_a_mend_that_was_taken_meanwhile_leaves_its_rows_alone(flow: Flow) -> None:
    """X-08, C-13: to the second worker all rows look taken; it must not undo what the first one did."""
    first = flow.published(FIRST)
    mend = flow.staged(mended((3, "002", "2.00"), (5, "004", "4.00")), mends=first.id)

    def fast() -> None:
        flow.validate(mend.id)
        flow.compare()

    beside(flow, "HELD#", fast).validate(mend.id)
    flow.compare()
    assert flow.now(mend).status == "published"
    assert sorted(flow.values("amount")) == ["001", "002", "003", "004"]
    assert rules(flow, mend) == {}
    flow.check()


def test_a_second_worker_leaves_quarantine_as_the_first_one_decided(flow: Flow) -> None:
    """X-08, X-12: what is held of a delivery is what its decision says, whoever wrote last."""
    first = flow.published(FIRST)
    mend = flow.staged(mended((3, "002", "2.00"), (5, "004", "immer noch")), mends=first.id)
    beside(flow, "HELD#", lambda: flow.validate(mend.id)).validate(mend.id)
    flow.compare()
    assert rules(flow, mend) == {3: ["type"]}
    assert sorted(flow.values("amount")) == ["001", "002", "003"]
    flow.check()


def test_a_second_worker_under_stricter_rules_does_not_delete_what_was_published(flow: Flow) -> None:
    """X-08, C-06: a rule enabled between two attempts; the register decided by the first."""
    batch = flow.staged("item,amount\n001,1.00\n002,2.00\n")

    def fast() -> None:
        flow.validate(batch.id)
        flow.compare()
        by = Change("officer", UNIT, "a test")
        rule = OfficeRule(
            "low", flow.resource, "range", ("amount",), {"minimum": "1.50"}, severity="warning", most=0,
            on_breach="reject",
        )  # fmt: skip
        flow.rulebook.create(rule, by)
        flow.rulebook.move("low", "enabled", by)

    beside(flow, "CONTRACT#", fast).validate(batch.id)
    assert flow.now(batch).status == "published"
    assert sorted(flow.values("amount")) == ["001", "002"]
    flow.check()


def test_rows_without_a_number_are_known_by_their_cleansed_key(tmp_path: Path) -> None:
    """C-12, C-13: the key that is held is cleansed as that of the mended row is."""
    key = f"{KEY}, customProperties: [{{property: cleanse, value: [trim]}}]"
    flow = Flow(tmp_path / "p", contract(key, f"{AMOUNT}, required: true"))
    first = flow.published("item,amount\n001,1.00\n 002 ,x\n")
    second = flow.published("item,amount\n002,2.00\n", mends=first.id)
    assert rules(flow, second) == {}
    assert held(flow, first)["open"] == 0
    assert sorted(flow.values("amount")) == ["001", "002"]
    flow.check()


def test_of_a_rejected_delivery_rows_left_out_by_the_rule_on_duplicates_are_not_held(tmp_path: Path) -> None:
    """X-12: the rows that are held are as many as the ledger says."""
    custom = {"maxQuarantinedPercent": "20", "deduplicate": "first"}
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, custom=custom))
    first = flow.published("item,amount\n001,1.00\n001,1.50\n002,zwei\n")
    assert first.status == "rejected"
    stored = flow.batches.holdings.find(first)
    assert stored is not None
    assert len(open_rows(flow.ports.staging, first, stored.holding)) == stored.holding.rows
    flow.published(mended((2, "001", "1.00"), (3, "001", "1.50"), (4, "002", "2.00")), mends=first.id)
    assert held(flow, first)["open"] == 0
    flow.check()


def test_a_replayed_edition_does_not_delete_what_was_mended_of_it_meanwhile(tmp_path: Path) -> None:
    """C-07, C-13: rows mended between the reading and the check of a replay stay, under their mended key."""
    limited = {"maxQuarantinedPercent": "60"}
    kind = "name: kind, logicalType: string, logicalTypeOptions: {pattern: '[ab]'}"
    flow = Flow(tmp_path / "p", contract(KEY, AMOUNT, kind, custom=limited))
    flow.published("item,amount,kind\n000,0.00,a\n")
    first = flow.published("item,amount,kind\n001,1.00,c\n0O2,2.00,c\n003,3.00,c\n", edition="2")
    assert first.status == "rejected"
    wide = kind.replace("[ab]", "[abc]")
    flow.contracts.put(contract(KEY, AMOUNT, wide, custom=limited), by="test", provider=UNIT)
    fixed = f"item,amount,kind,{ROW_COLUMN}\n002,2.00,c,3\n"
    key = flow.put(fixed, mends=first.id)
    mend = flow.ingest(key, timestamp(flow.ports.clock.now()))
    assert mend is not None
    asked = replay_asked(flow, first.id)
    flow.validate(mend.id)
    flow.compare()
    flow.validate(asked)
    flow.compare()
    assert "002" in flow.values("amount"), "what was mended is served"
    assert held(flow, first)["open"] == 0
    flow.check()


def replay_asked(flow: Flow, id: str) -> str:
    """A replay that is read, and not checked yet."""
    batch = quarantine(flow).replay(
        flow.batches.get(id).batch, flow.contracts.get(flow.resource), by="officer"
    )
    for message in flow.ingest_queue.drain():
        flow.receive.resume(message["batch_id"])
    return batch.id


def test_a_mended_row_cannot_take_the_key_of_a_row_that_was_accepted(flow: Flow) -> None:
    """C-13: an accepted row of the delivery is not changed by giving its key to one that is held."""
    first = flow.published(FIRST)
    second = flow.published(mended((3, "001", "9.99"), (5, "004", "4.00")), mends=first.id)
    assert str(flow.values("amount")["001"]) == "1.00"
    assert held(flow, first)["mended"] == 1
    assert 2 in rules(flow, second)
    flow.check()
