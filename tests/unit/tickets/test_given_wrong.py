"""Who counts as having been given a wrong value."""

from __future__ import annotations

from itertools import product

import pytest

from huitong.contracts.model import Contract, Field
from huitong.local.messages import ManualClock, MemoryEvents
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notice, Notices
from huitong.tickets.telling import Given, Wrong, given_wrong

CONTRACT = Contract(
    id="R",
    version=1,
    title="",
    provider="P",
    fields=(
        Field("id", key=1, level="L4", mask="id"),
        Field("name", level="L3", mask="name"),
        Field("amount", level="L3"),
    ),
)
WRONG = Wrong(("name", "amount"), 3, "2026-01-03T", 6, "2026-01-06T")


def told(*given: Given) -> dict[str, Given]:
    return given_wrong(given, WRONG, CONTRACT, "P")


@pytest.mark.parametrize(("day", "seq"), list(product(range(1, 9), (0, *range(1, 9)))))
def test_exactly_the_time_of_the_wrong_value_counts(day: int, seq: int) -> None:
    """Q-53: by publication where the path knows it, else by the moment."""
    found = told(Given("A", f"2026-01-{day:02}T12", ("amount",), seq=seq))
    assert bool(found) == (3 <= (seq or day) < 6)


def test_other_fields_the_source_unit_and_whole_masks_do_not_count() -> None:
    at = "2026-01-04T"
    assert told(Given("A", at, ("id",)), Given("P", at, ("amount",)), Given("", at, ("amount",))) == {}
    assert told(Given("A", at, ("amount",), masked=("amount",))) == {}, "*** gives nothing of a value"
    assert told(Given("A", at, ("name",), masked=("name",)))["A"].masked == ("name",)


def test_several_receipts_of_a_unit_are_one_notice_with_all_fields_and_ways() -> None:
    at = "2026-01-04T"
    found = told(
        Given("A", at, ("name",), masked=("name",), way="sql", grant="g1"),
        Given("A", at, ("id", "name", "amount"), way="push", grant="g2", seq=4),
        Given("B", at, ("amount",), way="pull"),
    )
    assert set(found) == {"A", "B"}
    assert (found["A"].fields, found["A"].masked) == (("name", "amount"), ())
    assert (found["A"].way, found["A"].grant) == ("push sql", "g1 g2")


def test_each_notice_reaches_the_event_bus_once_without_its_text() -> None:
    register, clock, events = MemoryRegister(), ManualClock(), MemoryEvents()
    notices = Notices(register, clock)
    notices.send(Notice("A", "correction.file", "correction:1", "张三的记录", "text"))
    assert (notices.announce(events), notices.announce(events)) == (1, 0)
    ((kind, told_),) = events.published
    assert (kind, told_["to"], told_["kind"]) == ("NoticeKept", "A", "correction.file")
    assert "张三" not in str(told_)
    (kept,) = notices.of_unit("A", unread=True)
    notices.acknowledge("A", kept.id, by="x")
    assert notices.of_unit("A", unread=True) == []
