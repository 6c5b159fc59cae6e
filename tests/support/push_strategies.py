"""Random tables and accesses for push tests."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.support.push_world import CONTRACT, FILTERS, RESOURCE, row, table

from huitong.sharing.access import Access

KEYS = ["1", "2", "3", "4", "5", "6"]

rows = st.builds(
    row,
    st.sampled_from(KEYS),
    city=st.sampled_from(["SZ", "GZ"]),
    name=st.sampled_from(["张三", "李四光"]),
    amount=st.sampled_from(["1.00", "20.00", None]),
)
states = st.lists(rows, max_size=6).map(lambda found: table(*found))
accesses = st.builds(
    lambda extra, hide, where: Access(
        RESOURCE,
        tuple(f.name for f in CONTRACT.fields if f.name == "id" or f.name in extra),
        {"name": "name"} if hide and "name" in extra else {},
        where,
    ),
    st.sets(st.sampled_from(["city", "name", "amount"])),
    st.booleans(),
    st.sampled_from(sorted(FILTERS)),
)
