"""A profile made block by block equals one counted value by value, and drift tells what changed (Q-17, Q-22)."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.contracts.model import Contract, Field
from huitong.quality.masking import mask_value
from huitong.quality.profile.drift import drift, psi, psi_of
from huitong.quality.profile.measure import measured
from huitong.quality.profile.model import FEWEST, Profile

TODAY = date(2026, 1, 5)
CONTRACT = Contract(
    "T",
    1,
    "t",
    fields=(
        Field("k", key=1),
        Field("n", type="integer"),
        Field("d", type="date"),
        Field("name", level="L3", mask="name"),
    ),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "k": st.sampled_from(["A1", "A2", "b-3", "", "甲乙", "x y"]).map(lambda v: v or None),
            "n": st.integers(-5, 5).map(str) | st.none(),
            "d": st.dates(date(2020, 1, 1), date(2020, 2, 1)).map(str) | st.none(),
            "name": st.sampled_from(["张三", "张四", "李五六"]) | st.none(),
        }
    ),
    min_size=1,
    max_size=30,
)


def profile_of(rows: list[dict[str, Any]], size: int = 7) -> Profile:
    parts = [rows[i : i + size] for i in range(0, len(rows), size)]
    blocks = ({n: pa.array([r[n] for r in part], pa.string()) for n in rows[0]} for part in parts)
    return measured(blocks, today=TODAY, contract=CONTRACT)


def shape(value: str) -> str:
    value = re.sub("[A-Za-z]", "A", re.sub("[0-9]", "9", value))
    return re.sub("[一-龥]", "汉", value)


@given(ROWS, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_a_profile_equals_a_count_value_by_value(rows: list[dict[str, Any]], size: int) -> None:
    """Q-17: rows, nulls, distinct values, lengths, shapes, most frequent values, masked; in any blocks."""
    made = profile_of(rows, size)
    assert made.rows == len(rows)
    for f in CONTRACT.fields:
        column = made.column(f.name)
        assert column is not None
        given_ = [r[f.name] for r in rows if r[f.name] is not None]
        counts = Counter(given_)
        assert (column.rows, column.nulls) == (len(rows), len(rows) - len(given_))
        assert (column.distinct, column.exact) == (len(counts), True)
        assert column.longest == max((len(v) for v in given_), default=0)
        assert dict(column.shapes) == dict(Counter(shape(v) for v in given_))
        masked = Counter({mask_value(f.mask, v): 0 for v in counts})
        masked.update(Counter(mask_value(f.mask, v) for v in given_))
        assert dict(column.top) == dict(masked)
        assert column.key == (len(counts) == len(rows))
        if f.mask:
            assert (column.minimum, column.maximum, column.steps) == (None, None, ())
        elif f.type == "integer" and given_:
            assert (column.minimum, column.maximum) == tuple(str(e(map(int, given_))) for e in (min, max))


@given(ROWS)
@settings(max_examples=30, deadline=None)
def test_staff_see_no_group_of_fewer_than_five_rows(rows: list[dict[str, Any]]) -> None:
    shown = profile_of(rows).for_staff()
    for column in shown.columns:
        assert all(n >= FEWEST for _, n in (*column.top, *column.shapes))
        assert column.nulls == 0 or column.nulls >= FEWEST


@given(ROWS)
@settings(max_examples=20, deadline=None)
def test_a_kept_profile_is_read_back_as_it_was_and_does_not_drift_from_itself(
    rows: list[dict[str, Any]],
) -> None:
    made = profile_of(rows)
    assert Profile.from_dict(made.as_dict()) == made
    assert drift(made, made) == []


def test_drift_names_the_column_and_what_happened_to_it() -> None:
    """Q-22: distribution by PSI, share of empty values, new codes, columns and rows that came or went."""
    before = [{"k": str(i % 4), "n": str(i % 50), "d": "2020-01-01", "name": "张三"} for i in range(400)]
    after = [
        {"k": str(i % 4) if i % 8 else "9", "n": str(i % 50 + 30), "d": None if i % 3 else "2020-01-01",
         "name": "李四"}
        for i in range(400)
    ]  # fmt: skip
    found = {(d.column, d.kind) for d in drift(profile_of(before, 100), profile_of(after, 100))}
    assert found == {("n", "distribution"), ("k", "new-values"), ("d", "nulls"), ("k", "distribution")}
    fewer = drift(profile_of(before, 100), profile_of(before[:20], 100))
    assert ("", "rows") in {(d.column, d.kind) for d in fewer}
    assert all(d.zh and d.en for d in fewer)


def test_the_index_is_the_published_formula() -> None:
    """Worked by hand: shares 0.5/0.5 → 0.7/0.3 give 0.2·ln(1.4) + (−0.2)·ln(0.6) = 0.1695."""
    assert psi([0.5, 0.5], [0.7, 0.3]) == pytest.approx(0.16946, abs=1e-4)
    assert psi([0.25] * 4, [0.25] * 4) == 0
    same = profile_of([{"k": "a", "n": str(i), "d": None, "name": None} for i in range(200)], 50).column("n")
    later = [{"k": "a", "n": str(i * 2), "d": None, "name": None} for i in range(200)]
    other = profile_of(later, 50).column("n")
    assert same is not None
    assert other is not None
    assert (psi_of(same, same) or 0) < 0.01
    assert (psi_of(same, other) or 0) > 0.25


def test_columns_that_nobody_described_are_masked_by_what_they_hold() -> None:
    """Q-17: identity numbers, telephones and names are told apart and masked before there is a contract."""
    day = date(1900, 3, 1)
    people = [f"440304{day + timedelta(days=i):%Y%m%d}001" for i in range(60)]
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    ids = [p + "10X98765432"[sum(int(c) * w for c, w in zip(p, weights, strict=True)) % 11] for p in people]
    block = {
        "a": pa.array(ids),
        "b": pa.array([f"139{i:08}" for i in range(60)]),
        "c": pa.array([f"张{chr(0x4E00 + i)}" for i in range(60)]),
        "d": pa.array([f"见 139{i:08}" for i in range(60)]),
        "e": pa.array([str(i) for i in range(60)]),
    }
    made = measured([block], today=TODAY)
    masks = {c.name: (c.semantic, c.level, c.mask) for c in made.columns}
    assert masks == {
        "a": ("citizen-id", "L4", "id"),
        "b": ("mobile", "L3", "phone"),
        "c": ("", "L3", "name"),
        "d": ("", "L3", "all"),
        "e": ("", "L2", ""),
    }
    shown = str(made.as_dict())
    assert not any(secret in shown for secret in (*ids, "13900000007", "张丁"))
