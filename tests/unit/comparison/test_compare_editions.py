"""Editions and increments from validated to published (Q-33)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.compare_world import CLAIMS, UNIT, CompareWorld, claim, counts, of

from huitong.contracts.model import Contract, Field, Limits


def test_a_first_edition_is_all_insertions(world: CompareWorld) -> None:
    batch = world.deliver([claim(1), claim(2)])

    assert (batch.status, batch.seq) == ("published", 1)
    assert counts(batch) == of(inserted=2)
    assert world.rows() == [claim(1), claim(2)]
    assert [c["_op"] for c in world.read("changes")] == ["insert", "insert"]


def test_an_edition_inserts_updates_deletes_and_leaves(world: CompareWorld) -> None:
    """Q-33: added, changed and deleted records are listed, with the changed columns and both versions."""
    world.deliver([claim(1), claim(2), claim(3)])

    batch = world.deliver([claim(4), claim(2, amount=Decimal("9.00"), filed=None), claim(1)])

    assert counts(batch) == of(inserted=1, updated=1, deleted=1, unchanged=1)
    assert world.rows() == [claim(1), claim(2, amount=Decimal("9.00"), filed=None), claim(4)]
    inserted, updated, deleted = [c for c in world.read("changes") if c["_seq"] == 2]
    assert (inserted["_op"], inserted["claim_no"], inserted["_before"]) == ("insert", "C0004", None)
    assert (updated["_op"], updated["_changed_columns"]) == ("update", ["amount", "filed"])
    assert (updated["amount"], updated["_before"]) == (Decimal("9.00"), claim(2))
    assert (deleted["_op"], deleted["_before"]) == ("delete", claim(3))
    assert {k: deleted[k] for k in claim(3)} == claim(3)
    assert [c["_ordinal"] for c in (inserted, updated, deleted)] == [1, 2, 3]


def test_every_row_says_where_it_came_from(world: CompareWorld) -> None:
    """Q-01, L-34: resource, unit, batch, source row, time and case on each row and each change."""
    first = world.deliver([claim(1), claim(2)])
    second = world.deliver([claim(1)])

    (row,) = world.read()
    assert (row["_resource"], row["_unit"], row["_batch_id"]) == ("IN-90", UNIT, second.id)
    assert (row["_source_row"], row["_case_no"]) == (2, "(2026)粤03破1号")
    *_, deletion = world.read("changes")
    assert (deletion["_batch_id"], deletion["_source_row"], deletion["_case_no"]) == (
        second.id, None, "(2026)粤03破1号",
    )  # fmt: skip
    assert world.read(seq=1)[1]["_batch_id"] == first.id


def test_very_large_editions_give_the_same_result(
    world: CompareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above a number of rows the join is done on keys and positions alone."""
    monkeypatch.setattr("huitong.comparison.diff.MANY_ROWS", 0)

    test_an_edition_inserts_updates_deletes_and_leaves(world)
    test_an_increment_touches_only_what_it_names(CompareWorld(world.root / "other"))


def test_the_same_edition_again_changes_no_row_and_is_published(world: CompareWorld) -> None:
    world.deliver([claim(1), claim(2)])

    batch = world.deliver([claim(1), claim(2)])

    assert (batch.status, batch.seq, counts(batch)) == ("published", 2, of(unchanged=2))
    assert len(world.read("changes")) == 2
    assert len(world.commits("current")) == len(world.commits("changes")) == 2


def test_a_row_in_quarantine_keeps_its_served_version(world: CompareWorld) -> None:
    world.deliver([claim(1), claim(2), claim(3)])

    batch = world.deliver([claim(1)], quarantined=[claim(2), claim(9)])

    assert counts(batch) == of(deleted=1, unchanged=1, retained=1)
    assert world.rows() == [claim(1), claim(2)]
    again = world.deliver([claim(1), claim(2)])
    assert counts(again) == of(unchanged=2)


def test_null_and_empty_text_differ_and_null_equals_null(world: CompareWorld) -> None:
    world.deliver([claim(1, creditor=None), claim(2, creditor=None)])

    batch = world.deliver([claim(1, creditor=""), claim(2, creditor=None)])

    assert counts(batch) == of(updated=1, unchanged=1)


def test_an_increment_touches_only_what_it_names(world: CompareWorld) -> None:
    world.deliver([claim(n) for n in range(1, 6)])

    batch = world.deliver(
        [claim(2, creditor="李"), claim(3), claim(7)], mode="increment", deletes=[claim(5), claim(99)]
    )

    assert counts(batch) == of(inserted=1, updated=1, deleted=1, unchanged=2)
    assert world.rows() == [claim(1), claim(2, creditor="李"), claim(3), claim(4), claim(7)]
    changes = [c for c in world.read("changes") if c["_seq"] == 2]
    assert [(c["_op"], c["claim_no"], c["_source_row"]) for c in changes] == [
        ("update", "C0002", 2), ("insert", "C0007", 4), ("delete", "C0005", 5),
    ]  # fmt: skip
    unchanged = next(r for r in world.read() if r["claim_no"] == "C0003")
    assert unchanged["_batch_id"] != batch.id, "an unchanged row stays where it was"


def test_a_list_of_deletions_deletes(world: CompareWorld) -> None:
    world.deliver([claim(1), claim(2)])

    batch = world.deliver(mode="deletion", deletes=[claim(1)])

    assert counts(batch) == of(deleted=1)
    assert world.rows() == [claim(2)]


def test_a_table_can_become_empty_and_fill_again(world: CompareWorld) -> None:
    world.deliver([claim(1)])
    world.deliver(mode="deletion", deletes=[claim(1)])
    assert world.rows() == []

    world.deliver([claim(2)], mode="increment")

    assert world.rows() == [claim(2)]
    assert world.rows(seq=2) == []


def test_an_increment_before_any_edition_starts_the_table(world: CompareWorld) -> None:
    batch = world.deliver([claim(1)], mode="increment", deletes=[claim(2)])

    assert counts(batch) == of(inserted=1, unchanged=1)
    assert world.rows() == [claim(1)]


def test_many_small_increments_do_not_leave_many_small_files(world: CompareWorld) -> None:
    world.deliver([claim(0)])
    for n in range(1, 26):
        world.deliver([claim(n)], mode="increment")

    served = world.publications.at("IN-90").current_snapshot
    assert len(world.lakehouse.files(world.contract, "current", served)) <= 20
    assert world.rows() == [claim(n) for n in range(26)]


def test_keys_of_several_columns_are_told_apart(tmp_path: Any) -> None:
    """("ab", "c") is not ("a", "bc")."""
    contract = replace(
        CLAIMS, fields=tuple(replace(f, key=2) if f.name == "creditor" else f for f in CLAIMS.fields)
    )
    world = CompareWorld(tmp_path, contract)
    ab_c, a_bc = claim(1, claim_no="ab", creditor="c"), claim(2, claim_no="a", creditor="bc")
    world.deliver([ab_c, a_bc])

    batch = world.deliver([ab_c, {**a_bc, "amount": None}])

    assert counts(batch) == of(updated=1, unchanged=1)


def test_columns_named_like_our_own_do_not_disturb(tmp_path: Any) -> None:
    named = ("content", "pos", "file_row_number", "file_index", "seq", "n", "select")
    more = tuple(Field(name, field_id=12 + i) for i, name in enumerate(named))
    world = CompareWorld(tmp_path, replace(CLAIMS, fields=(*CLAIMS.fields, *more)))
    row = claim(1) | {name: f"v {name}" for name in named}
    world.deliver([row])

    batch = world.deliver([{**row, "file_row_number": "w"}])

    assert counts(batch) == of(updated=1)
    assert world.rows() == [{**row, "file_row_number": "w"}]


def test_a_partitioned_table_stays_split_by_its_partitions(tmp_path: Any) -> None:
    contract = replace(
        CLAIMS, fields=tuple(replace(f, partition=1) if f.name == "filed" else f for f in CLAIMS.fields)
    )
    world = CompareWorld(tmp_path, contract)
    moved = claim(3, filed=date(2026, 1, 2))
    world.deliver([claim(1), claim(2), claim(3), claim(4, filed=None)])

    world.deliver([moved, claim(4, filed=None, creditor="x")], mode="increment", deletes=[claim(2)])
    world.deliver([claim(1), moved], quarantined=[claim(4)])

    assert world.rows() == [claim(1), moved, claim(4, filed=None, creditor="x")]
    served = world.publications.at("IN-90").current_snapshot
    files = world.lakehouse.files(contract, "current", served)
    assert sorted((f.partition, f.rows) for f in files if f.partition != (None,)) == [(("2026-01-02",), 2)]
    table = world.catalog().load_table("test.in_90")
    assert {f.file.partition[0] for f in table.scan(snapshot_id=served).plan_files()} == {20455, None}


@pytest.mark.parametrize("width", [119, 120, 150, 300])
def test_a_wide_table_names_the_columns_that_changed(tmp_path: Path, width: int) -> None:
    """More fields than the bits of any integer."""
    fields = tuple(Field(f"f{n}", key=int(n == 0), field_id=7 + n) for n in range(width))
    world = CompareWorld(tmp_path, Contract("IN-92", 1, "宽表", fields, table="in_92"))
    row = {f.name: "1" for f in fields}
    world.deliver([row])
    last = f"f{width - 1}"
    world.deliver([{**row, "f1": "2", last: "2"}])
    changed = [c["_changed_columns"] for c in world.read("changes") if c["_op"] == "update"]
    assert changed == [["f1", last]]


#: What the statements of the comparison call their tables and columns.
WORDS = (
    "p",
    "n",
    "o",
    "c",
    "w",
    "s",
    "d",
    "place",
    "changed",
    "kept",
    "retained",
    "file_index",
    "rows",
    "old_rows",
)


@pytest.mark.parametrize("fan_out_rows", [0, 1], ids=["one function", "in parts"])
def test_no_name_of_a_column_hides_a_row(tmp_path: Path, fan_out_rows: int) -> None:
    """Q-33: a contract may call its columns what our statements call theirs, and leave them empty."""
    names = ("id", *WORDS)
    fields = tuple(Field(name, key=int(name == "id"), field_id=7 + n) for n, name in enumerate(names))
    world = CompareWorld(
        tmp_path, Contract("IN-93", 1, "字", fields, table="in_93"), fan_out_rows=fan_out_rows
    )
    empty = dict.fromkeys(WORDS)
    world.deliver([{"id": "1", **empty}, {"id": "2", **empty}, {"id": "3", **empty}])
    batch = world.deliver([{"id": "2", **empty, "d": "2"}, {"id": "3", **empty}, {"id": "4", **empty}])
    assert counts(batch) == of(inserted=1, updated=1, deleted=1, unchanged=1)
    found = [(c["_op"], c["id"], c["_changed_columns"]) for c in world.read("changes") if c["_seq"] == 2]
    assert sorted(found) == [("delete", "1", []), ("insert", "4", []), ("update", "2", ["d"])]
    last = world.deliver([{"id": "3", **empty, "p": "3"}], mode="increment", deletes=[{"id": "4"}])
    assert counts(last) == of(updated=1, deleted=1)
    assert [(r["id"], r["p"], r["d"]) for r in world.rows()] == [("2", None, "2"), ("3", "3", None)]


@pytest.mark.parametrize("fan_out_rows", [0, 1], ids=["one function", "in parts"])
def test_moments_may_be_keys_and_stand_in_previews(tmp_path: Path, fan_out_rows: int) -> None:
    """Q-33: DuckDB hands out moments only with a library that functions do not have; previews do without."""
    fields = (
        Field("at", type="timestamp", key=1, field_id=7),
        Field("day", type="date", key=2, field_id=8),
        Field("value", field_id=9),
    )
    contract = Contract("IN-95", 1, "时刻", fields, limits=Limits(guard_floor=0), table="in_95")
    world = CompareWorld(tmp_path, contract, fan_out_rows=fan_out_rows)
    rows = [
        {"at": datetime(2026, 1, n, tzinfo=UTC), "day": date(2026, 1, n), "value": "1"} for n in (1, 2, 3)
    ]
    world.deliver(rows)
    held = world.deliver(rows[:1])
    assert (held.status, held.preview["sample"]["deleted"] if held.preview else None) == (
        "held",
        [{"at": f"2026-01-0{n} 00:00:00+00:00", "day": f"2026-01-0{n}"} for n in (2, 3)],
    )
