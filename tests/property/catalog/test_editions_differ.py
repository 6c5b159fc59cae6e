"""Random edits: the difference between two editions, applied to the first, is the second (Q-44)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from huitong.catalog.difference import applied, difference
from huitong.catalog.model import Condition, Entry, Keywords, Party

NAMES = st.sampled_from(["IN-01", "IN-02", "IN-03", "OUT-01"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "甲", "乙", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, st.dictionaries(st.sampled_from("abcde"), VALUES, max_size=5), max_size=4)


def strictly(value: Any) -> Any:
    """``1`` and ``True`` apart."""
    if isinstance(value, dict):
        return {k: strictly(v) for k, v in value.items()}
    return [strictly(v) for v in value] if isinstance(value, list) else (type(value).__name__, value)


@given(DOCUMENTS, DOCUMENTS)
def test_the_difference_applied_to_one_edition_gives_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    change = difference(before, after)
    assert strictly(applied(before, change)) == strictly(after)
    assert bool(change) == (strictly(before) != strictly(after))


ENTRIES = st.builds(
    Entry,
    resource=st.just("IN-01"),
    title=st.text(max_size=5),
    open=st.none() | st.booleans(),
    contacts=st.lists(st.builds(Party, st.text(max_size=3), role=st.text(max_size=3)), max_size=2).map(tuple),
    keywords=st.lists(st.builds(Keywords, st.lists(st.text(max_size=3)).map(tuple)), max_size=2).map(tuple),
    condition=st.builds(Condition, to=st.text(max_size=3), masked=st.none() | st.booleans()),
    methods=st.lists(st.sampled_from(["query", "bulk"])).map(tuple),
    exceptions=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


@given(ENTRIES)
def test_an_entry_is_read_back_as_it_was_written(entry: Entry) -> None:
    assert Entry.from_dict(entry.as_dict()) == entry


@given(ENTRIES, ENTRIES)
def test_content_of_another_entry_replaces_each_member(one: Entry, other: Entry) -> None:
    blank = {name: None for name in one.as_dict() if name != "resource"}
    new = {**blank, **{k: v for k, v in other.as_dict().items() if k != "resource"}}
    assert one.with_content(new) == other
