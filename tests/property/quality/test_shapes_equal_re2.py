"""Patterns of a fixed width are compared byte by byte exactly as RE2 would (Q-21)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given, settings
from hypothesis import strategies as st

from huitong.quality.semantics.base import full_match
from huitong.quality.semantics.shapes import shape_of

ATOMS = st.sampled_from(
    ["C", "1", r"\d", "[0-9]", "[A-Z]", "[0-9A-Z]", "[ab9]", "-", "[0-9]{3}", r"\d{2}", "x{2}", "[A-HJ-NP-Z]",
     ".", "a?", "(b)", "[^a]", "甲", "[0-9]{2,3}", "a|b", "[9-0]", "+", "[a-]"]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.none(),
        st.text(alphabet="C1290AZabx-甲 I", max_size=8),
        st.from_regex(r"C?\d{1,4}[A-Z]?", fullmatch=True),
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ATOMS, min_size=1, max_size=4).map("".join), TEXTS, st.integers(0, 2))
@example("C[0-9]{17}", ["C" + "1" * 17, "C" + "1" * 16, "X" + "1" * 17, "C" + "1" * 16 + "甲", None], 1)
def test_a_text_fits_a_shape_where_it_matches_the_pattern(
    pattern: str, texts: list[str | None], skipped: int
) -> None:
    values = pa.array(texts, pa.string())[skipped:]
    try:
        expected = pc.match_substring_regex(values, pattern=rf"\A(?:{pattern})\z")
    except pa.ArrowInvalid:
        assert shape_of(pattern) is None
        return
    assert full_match(values, pattern).tolist() == [bool(found) for found in expected.to_pylist()]


def test_the_patterns_of_ids_and_phones_have_a_shape() -> None:
    assert all(
        shape_of(p) for p in ("C[0-9]{17}", r"154\d{8}", "[0-9A-Z]{28}", r"\d{12}[A-Z]{2}\d{5}[A-Z]\d{8}")
    )
