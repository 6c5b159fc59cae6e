"""A mask as SQL gives what the mask of a single value gives, for any text."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.contracts.model import Mask
from huitong.quality.masking import mask_sql, mask_value

TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30),
    st.text("省市区县州盟小社园广东深圳福田自治区特别行政地 1A", max_size=24),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize("mask", ["name", "id", "phone", "address", "account", "plate", "all"])
@given(values=st.lists(st.one_of(st.none(), TEXT), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_mask_as_sql_equals_the_mask_of_each_value(
    connection: duckdb.DuckDBPyConnection, mask: Mask, values: list[str | None]
) -> None:
    rows = connection.execute(
        f"SELECT {mask_sql(mask, 'v')} FROM (SELECT unnest(?::VARCHAR[]) AS v)", [values]
    ).fetchall()
    assert [row[0] for row in rows] == [mask_value(mask, value) for value in values]


@pytest.mark.parametrize("mask", ["name", "id", "phone", "account", "plate"])
@given(value=TEXT)
@settings(max_examples=60, deadline=None)
def test_a_mask_keeps_the_length_and_shows_at_most_what_its_rule_keeps(mask: Mask, value: str) -> None:
    kept = {"name": 1, "id": 6, "phone": 7, "account": 4, "plate": 3}[mask]
    masked = mask_value(mask, value)
    assert masked is not None
    assert len(masked) == len(value)
    shown = sum(m == v and m != "*" for m, v in zip(masked, value, strict=True))
    assert shown <= kept
    assert len(value) > kept or set(masked) <= {"*"}
