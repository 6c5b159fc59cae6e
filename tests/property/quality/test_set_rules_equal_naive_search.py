"""Rules that look at all rows and at other tables equal a naive search, for any rows (Q-21, L-06)."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.support.validation_world import ValidationWorld

from huitong.contracts.model import Contract, Field
from huitong.quality.rulebook import statements
from huitong.quality.rulebook.binding import bind
from huitong.quality.rulebook.bound import BoundSet
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.tables import Table

OWN = Contract("T-O", 1, "t", table="t_o", fields=(Field("k", key=1), Field("a"), Field("n", type="integer")))
OTHER = Contract(
    "T-X", 1, "t", table="t_x", fields=(Field("k", key=1), Field("a"), Field("n", type="integer"))
)
RULES = (
    OfficeRule("known", "T-O", "reference", ("a",), {"resource": "T-X", "fields": ["a"], "when": "n > 0",
                                                     "where": "n is not null"}),
    OfficeRule("both", "T-O", "reference", ("a", "n"), {"resource": "T-X", "fields": ["a", "n"]}, "warning"),
    OfficeRule("agrees", "T-O", "agreement", ("n",), {"resource": "T-X", "other_field": "n", "keys": {"k": "k"},
                                                      "tolerance": "1"}, "warning"),
    OfficeRule("once", "T-O", "unique_history", ("a",), {}, "warning"),
    OfficeRule("sql", "T-O", "sql", (), {"sql": "SELECT d._source_row FROM delivery d JOIN t_x x ON x.a = d.a "
                                                "WHERE x.n IS NULL GROUP BY d._source_row HAVING count(*) > 1"}),
)  # fmt: skip
KEYS, TEXTS, NUMBERS = (
    st.sampled_from("abcdef"),
    st.sampled_from(["x", "y", "z", None]),
    st.sampled_from([None, 0, 1, 2, 5]),
)
ROWS = st.lists(st.fixed_dictionaries({"k": KEYS, "a": TEXTS, "n": NUMBERS}), max_size=9)


class Tables:
    def __init__(self, folder: Path, other: list[dict[str, Any]], history: list[dict[str, Any]]) -> None:
        self._folder = folder
        self._rows = {"T-X": other, "T-O": history}

    @contextmanager
    def open(self, contract: Contract, which: str) -> Iterator[Table | None]:
        path = self._folder / f"{contract.id}-{which}.parquet"
        kinds = {"k": pa.string(), "a": pa.string(), "n": pa.int64()}
        rows = self._rows[contract.id]
        pq.write_table(pa.table({n: pa.array([r[n] for r in rows], kind) for n, kind in kinds.items()}), path)
        yield Table(f"SELECT * FROM read_parquet('{path}')", [path], len(rows))


class Office:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def ready(self, contract: Contract) -> BoundSet:
        return BoundSet("v", tuple(bind(r, contract, {"T-X": OTHER, "t_x": OTHER}.get) for r in RULES))


def broken(row: dict[str, Any], rows: list[Any], other: list[Any], history: list[Any]) -> set[str]:
    """Which rules a row breaks, by looking at each row of each table."""
    found = set()
    if row["a"] is not None and (row["n"] or 0) > 0:
        found |= set() if any(o["a"] == row["a"] and o["n"] is not None for o in other) else {"known"}
    if row["a"] is not None and row["n"] is not None:
        found |= set() if any((o["a"], o["n"]) == (row["a"], row["n"]) for o in other) else {"both"}
    mine = [o["n"] for o in other if o["k"] == row["k"] and o["n"] is not None]
    if row["n"] is not None and any(abs(row["n"] - n) > 1 for n in mine):
        found.add("agrees")
    if row["a"] is not None and len({r["k"] for r in [*rows, *history] if r["a"] == row["a"]}) > 1:
        found.add("once")
    if row["a"] is not None and sum(o["a"] == row["a"] and o["n"] is None for o in other) > 1:
        found.add("sql")
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, ROWS, ROWS, st.integers(1, 3))
def test_each_rule_finds_the_rows_that_a_search_row_by_row_finds(
    rows: list[dict[str, Any]], other: list[dict[str, Any]], history: list[dict[str, Any]], files: int
) -> None:
    rows = list({row["k"]: row for row in rows}.values())  # the key is another rule's matter
    with tempfile.TemporaryDirectory() as folder:
        world = ValidationWorld(Path(folder), OWN)
        world.office = Office(Tables(Path(folder), other, history))
        world.stage(
            [{**row, "n": None if row["n"] is None else str(row["n"])} for row in rows], files=files, group=2
        )
        batch = world.run()
        found = {
            (row, rule.removeprefix("office:"))
            for row, _, rule in world.rules()
            if rule.startswith("office:")
        }
        told = [(f["rule"], f["source_row"]) for f in world.staged(batch.disagreements)]
    expected = {(i, rule) for i, row in enumerate(rows, 2) for rule in broken(row, rows, other, history)}
    assert found == expected
    assert {row for _, row in told} == {row for row, rule in expected if rule == "agrees"}
    bad = {row for row, rule in expected if rule in ("known", "sql")}
    assert batch.counts.quarantined == (len(bad) if len(bad) < len(rows) else len(rows))
    assert batch.counts.balanced("full")


# --- drift: the distance between two distributions ---------------------------------------------------

EPOCH = date(2024, 1, 1)


def by_tenths(theirs: list[int]) -> Callable[[int | None], str]:
    """Which tenth of the published values a value belongs to; cuts between two values are interpolated."""
    known, cuts = sorted(theirs), []
    for n in range(1, 10):
        place = Fraction(n, 10) * (len(known) - 1)
        low, high = known[int(place)], known[min(int(place) + 1, len(known) - 1)]
        cut = low + (high - low) * (place - int(place))
        # a value that lies on an interpolated cut could fall on either side of it by rounding
        assume(low == high or cut.denominator > 1 or place.denominator == 1)
        cuts.append(cut)
    return lambda value: "null" if value is None else str(sum(cut < value for cut in cuts))


def by_value(theirs: list[int]) -> Callable[[int | None], str]:
    known = set(theirs)
    return lambda value: "null" if value is None else f"v{value}" if value in known else "other"


def naive_distance(mine: list[Any], theirs: list[Any], bucket: Callable[[Any], str]) -> Fraction:
    a, b = Counter(map(bucket, mine)), Counter(map(bucket, theirs))
    apart = sum(abs(Fraction(a[k], len(mine)) - Fraction(b[k], len(theirs))) for k in a.keys() | b.keys())
    return 50 * apart


SMALL = st.lists(st.none() | st.integers(-3, 12), min_size=1, max_size=25)


@pytest.mark.parametrize("kind", ["string", "integer", "decimal", "double", "date"])
@settings(max_examples=40, deadline=None)
@given(mine=SMALL, theirs=SMALL.filter(lambda v: any(n is not None for n in v)))
def test_a_drift_is_the_half_sum_of_the_differences_of_shares(
    kind: str, mine: list[int | None], theirs: list[int | None]
) -> None:
    """Q-21: texts by value, numbers and days by tenths of what is published, empty ones apart."""
    given_ = [n for n in theirs if n is not None]
    bucket = by_value(given_) if kind == "string" else by_tenths(given_)
    types = {
        "string": "VARCHAR",
        "integer": "BIGINT",
        "decimal": "DECIMAL(18,2)",
        "double": "DOUBLE",
        "date": "DATE",
    }

    def value(n: int | None) -> Any:
        return None if n is None else EPOCH + timedelta(days=n) if kind == "date" else n

    with duckdb.connect() as connection:
        for name, rows in (("delivery", mine), ("other", theirs)):
            connection.execute(f"CREATE TABLE {name} (n {types[kind]})")
            connection.executemany(f"INSERT INTO {name} VALUES (?)", [[value(n)] for n in rows])
        field = Field("n", type=kind, precision=18, scale=2)  # type: ignore[arg-type]
        apart, rows_here, rows_there = connection.execute(statements.distance(field)).fetchall()[0]
    assert (rows_here, rows_there) == (len(mine), len(theirs))
    assert abs(apart - float(naive_distance(mine, theirs, bucket))) < 1e-9
