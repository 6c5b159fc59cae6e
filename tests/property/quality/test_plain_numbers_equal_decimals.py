"""Numbers read by their bytes are those that Python's decimals give, and no others are read (Q-21)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitong.contracts.model import Field
from huitong.quality.typed import Converter
from huitong.quality.validate import connect

FIELDS = [
    Field("v", type="integer"),
    Field("v", type="decimal", precision=18, scale=2),
    Field("v", type="decimal", precision=4, scale=0),
    Field("v", type="decimal", precision=3, scale=3),
    Field("v", type="decimal", precision=38, scale=6),
]
TEXTS = st.one_of(
    st.none(),
    st.text("0123456789.-+ ,e甲９", max_size=6),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,7})?", fullmatch=True),
    st.integers(-(2**64), 2**64).map(str),
)


@pytest.fixture(scope="module")
def converter() -> Iterator[Converter]:
    with connect() as connection:
        yield Converter(connection)


def naive(field: Field, text: str | None) -> Any:
    scale = field.scale if field.type == "decimal" else 0
    sign = "[+-]?" if field.type == "integer" else "-?"
    behind = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
    if text is None or not re.fullmatch(rf"{sign}[0-9]+{behind}", text):
        return None
    if field.type == "integer":
        return int(text) if -(2**63) <= int(text) < 2**63 else None
    return Decimal(text) if abs(Decimal(text)) < Decimal(10) ** (field.precision - scale) else None


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f"{f.type}-{f.precision}-{f.scale}")
@given(st.lists(TEXTS, max_size=12), st.integers(0, 2))
def test_a_column_of_numbers_is_read_as_python_reads_it(
    converter: Converter, field: Field, texts: list[str | None], cut: int
) -> None:
    """Also where the array is a part of another one."""
    array = pa.array([*["1.5", "x"][:cut], *texts, "7"], pa.string()).slice(cut, len(texts))
    assert converter.convert({field: array})["v"].to_pylist() == [naive(field, text) for text in texts]
