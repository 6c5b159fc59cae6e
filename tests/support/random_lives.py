"""Random lives of a resource: deliveries, and what they make of a table by a comparison in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.support.compare_world import CompareWorld, counts, of

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Field, Limits

CONTRACT = Contract(
    id="IN-94",
    version=1,
    title="性质",
    table="in_94",
    limits=Limits(max_deleted_percent=100, max_updated_percent=100),
    fields=(
        Field("id", key=1, field_id=7),
        Field("part", type="integer", key=2, field_id=8),
        Field("name", field_id=9),
        Field("amount", type="decimal", precision=9, scale=2, field_id=10),
    ),
)
Key = tuple[str, int]
Table = dict[Key, tuple[Any, ...]]

KEYS = st.tuples(st.sampled_from(["", "a", "A", "ä", "a ", "汇", "NULL"]), st.integers(-1, 1))
VALUES = st.tuples(
    st.sampled_from([None, "", "x", "通"]), st.sampled_from([None, Decimal("0.00"), Decimal("-1.50")])
)
ROWS = st.dictionaries(KEYS, VALUES, max_size=12)


@dataclass
class Edition:
    rows: Table
    quarantined: set[Key]


@dataclass
class Increment:
    rows: Table
    deletes: set[Key]


DELIVERIES = st.one_of(
    st.builds(Edition, ROWS, st.sets(KEYS, max_size=3)),
    st.builds(Increment, ROWS, st.sets(KEYS, max_size=4)),
)


def expected(table: Table, delivery: Edition | Increment) -> tuple[Table, dict[str, int]]:
    """The table after the delivery, and what the delivery did to it: in plain Python."""
    given = delivery.rows
    inserted = len(given.keys() - table.keys())
    updated = sum(table[k] != given[k] for k in given.keys() & table.keys())
    if isinstance(delivery, Edition):
        kept = {k: v for k, v in table.items() if k in delivery.quarantined and k not in given}
        deleted = len(table.keys() - given.keys() - kept.keys())
        did = of(inserted, updated, deleted, len(given) - inserted - updated, retained=len(kept))
        return {**kept, **given}, did
    gone = delivery.deletes - given.keys()
    deleted = len(gone & table.keys())
    stated = len(given) + len(gone)
    after = {k: v for k, v in table.items() if k not in gone} | given
    return after, of(inserted, updated, deleted, stated - inserted - updated - deleted)


def row(key: Key, value: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("id", "part", "name", "amount"), (*key, *value), strict=True))


def key_of(change: dict[str, Any]) -> Key:
    return change["id"], change["part"]


def value_of(change: dict[str, Any]) -> tuple[Any, ...]:
    return change["name"], change["amount"]


def applied(table: Table, changes: list[dict[str, Any]]) -> Table:
    """The change log played on a table, as a receiver does; each change must fit what is there."""
    after = dict(table)
    for change in changes:
        key, before = key_of(change), change["_before"]
        assert (after.get(key) is None) == (change["_op"] == "insert")
        assert before is None or (key_of(before), value_of(before)) == (key, after[key])
        if change["_op"] == "delete":
            assert value_of(change) == after.pop(key)
            continue
        if change["_op"] == "update":
            differing = [n for n in ("name", "amount") if change[n] != before[n]]
            assert change["_changed_columns"] == differing != []
        after[key] = value_of(change)
    return after


def delivered(world: CompareWorld, delivery: Edition | Increment, cut: int = 1) -> Batch:
    """The batch of a delivery, compared."""
    rows = [row(k, v) for k, v in delivery.rows.items()]
    if isinstance(delivery, Edition):
        quarantined = [row(k, (None, None)) for k in delivery.quarantined]
        return world.deliver(rows, quarantined=quarantined, cut=cut)
    gone = [row(k, (None, None)) for k in delivery.deletes - delivery.rows.keys()]
    return world.deliver(rows, mode="increment", deletes=gone, cut=cut)


def check_served(
    world: CompareWorld, batch: Batch, table: Table, delivery: Edition | Increment, seq: int
) -> tuple[Table, list[int]]:
    """Counts, change log and rows after a delivery are the naive ones. The table then, and the ordinals of
    the delivery's changes."""
    after, did = expected(table, delivery)
    assert counts(batch) == did
    assert batch.counts.balanced(batch.mode)
    changes = [c for c in world.read("changes") if c["_seq"] == seq]
    assert applied(table, changes) == after
    shown = world.read()
    assert len(shown) == len(after)
    assert {key_of(r): value_of(r) for r in shown} == after
    return after, [c["_ordinal"] for c in changes]


def check_life(world: CompareWorld, deliveries: list[Edition | Increment]) -> None:
    """Compare one delivery after the other, each as a naive comparison does."""
    table: Table = {}
    for seq, delivery in enumerate(deliveries, start=1):
        batch = delivered(world, delivery)
        table, ordinals = check_served(world, batch, table, delivery, seq)
        assert ordinals == list(range(1, len(ordinals) + 1))
