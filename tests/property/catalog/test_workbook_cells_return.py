"""What a workbook's cells say of an entry is what the entry says (X-17): any text, also with the separators."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from huitong.catalog.columns import COLUMNS, cell, content_of
from huitong.catalog.model import Condition, Entry, Party, Served, Service

TEXT = st.text(st.sampled_from("甲b|\\\n= -、,1"), min_size=1, max_size=6).filter(
    lambda t: t.strip() == t and t not in ("-", "")
)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


ENTRIES = st.builds(
    Entry,
    resource=st.just("IN-01"),
    contacts=some(st.builds(Party, name=TEXT, code=st.just("") | TEXT, contact=st.just("") | TEXT)),
    class_path=some(TEXT),
    demands=some(TEXT),
    service=st.none() | st.builds(Service, url=TEXT, type=TEXT),
    serves=some(st.builds(Served, code=TEXT, name=st.just("") | TEXT)),
    exceptions=st.dictionaries(TEXT, TEXT, max_size=2),
    methods=some(st.sampled_from(["query", "interface", "bulk"])),
    open=st.none() | st.booleans(),
    frequency=st.sampled_from(["", "daily", "realtime"]),
    condition=st.builds(Condition, masked=st.none() | st.booleans()),
)


@given(ENTRIES)
def test_the_cells_of_an_entry_say_the_entry(entry: Entry) -> None:
    shown = entry.as_dict()
    content, faults = content_of({c.path: cell(shown, c) for c in COLUMNS})
    assert not faults
    assert Entry("IN-01").with_content(content) == entry
