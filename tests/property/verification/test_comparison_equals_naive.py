"""What the join answers is what comparing one by one would answer, and never more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.query_world import World as Tables

from huitong.contracts.model import Contract, Field
from huitong.sharing.access import Access
from huitong.verification import compare
from huitong.verification.values import text_of, typed

CONTRACT = Contract(
    id="IN-93",
    version=1,
    title="核对",
    table="in_93",
    provider="91440300OWNER00001",
    fields=(
        Field("id_no", key=1, level="L4", field_id=7),
        Field("name", level="L3", mask="name", field_id=8),
        Field("code", field_id=9),
        Field("amount", type="decimal", precision=12, scale=2, field_id=10),
        Field("born", type="date", field_id=11),
        Field("count", type="integer", field_id=12),
        Field("flag", type="boolean", field_id=13),
    ),
)
ALL = Access("IN-93", tuple(f.name for f in CONTRACT.fields))
WIDE = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "ABCabc0123456789"})

values: Mapping[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["张三", "张三丰", "Ann Li", "ann li"]),
    "code": st.sampled_from(["A1", "a1", "B2", "b 2"]),
    "amount": st.sampled_from([Decimal("1.00"), Decimal("1000.50"), Decimal("0.10")]),
    "born": st.sampled_from([date(1990, 1, 2), date(1990, 2, 1)]),
    "count": st.sampled_from([0, 7, -3]),
    "flag": st.booleans(),
}
rows = st.lists(st.fixed_dictionaries({n: st.none() | s for n, s in values.items()}), min_size=0, max_size=5)


def spelled(draw: Any, name: str, value: Any) -> Any:
    """One of the spellings of a value."""
    way = draw(st.integers(0, 2))
    if name == "code":
        return (value, f" {value.upper()}\u3000", value.translate(WIDE))[way]
    if name == "amount":
        return (str(value), f"¥{value:,}", f"{value.normalize():f}元")[way]
    if name == "born":
        return (value.isoformat(), f"{value.year}年{value.month}月{value.day}日", f"{value:%Y%m%d}")[way]
    if name == "flag":
        return (value, "是" if value else "否", str(int(value)))[way]
    return (value, f" {value} ", str(value))[way]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, dict[str, Any], dict[str, Any]]]]:
    table = [{"id_no": f"k{n}", **r} for n, r in enumerate(draw(rows))]
    claims = []
    for _ in range(draw(st.integers(1, 6))):
        names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4, unique=True))
        meant = {n: draw(values[n]) for n in names}
        key = f"k{draw(st.integers(0, 5))}"
        claims.append((key, meant, {n: spelled(draw, n, v) for n, v in meant.items()}))
    return table, claims


def naive(table: list[dict[str, Any]], key: str, name: str, meant: Any) -> str:
    found = next((r for r in table if r["id_no"] == key), None)
    if found is None or found[name] is None:
        return "unknown"
    same = found[name] == meant
    if name == "code":
        same = normalize("NFKC", found[name]).casefold() == normalize("NFKC", meant).casefold()
    return "agree" if same else "differ"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_each_result_is_the_naive_one(
    case: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, claims = case
    world = Tables(tmp_path_factory.mktemp("t"), CONTRACT)
    world.publish(CONTRACT, table)
    by_name = {f.name: f for f in CONTRACT.fields}
    monkeypatch.setattr(
        compare, "relation_of", lambda _l, contract, which, refs: world.relation(contract, which, refs)
    )
    lakehouse: Any = SimpleNamespace(files=lambda _c, _w, snapshot: snapshot)
    asked = [
        ({"id_no": key}, {n: text_of(by_name[n], typed(by_name[n], v)) for n, v in claimed.items()})
        for key, _, claimed in claims
    ]
    published = world.publications.get("IN-93")
    assert published is not None
    found = compare.compared(lakehouse, CONTRACT, ALL, published.current_snapshot, asked, subjects_key="k")
    assert found == [{n: naive(table, key, n, meant[n]) for n in sorted(meant)} for key, meant, _ in claims]


def test_text_that_is_no_value_is_none(tmp_path: Path) -> None:
    by_name = {f.name: f for f in CONTRACT.fields}
    for name, wrong in (
        ("amount", "1e5"), ("amount", "一千"), ("born", "1990-02-30"), ("count", "1.5"), ("flag", "maybe"),
        ("name", "  "), ("code", ""),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="." if name == "born" else name):
            typed(by_name[name], wrong)


def test_more_decimals_than_the_field_has_are_not_rounded_into_agreement() -> None:
    amount = CONTRACT.fields[3]
    assert text_of(amount, typed(amount, "1.004")) == "1.004"
    assert text_of(amount, typed(amount, "1.000")) == "1.00"
