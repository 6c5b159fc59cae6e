"""Editions, increments and deletions: what each row becomes, judged value by value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flow_world import AMOUNT, ITEMS, KEY, Flow, contract, csv_text

NOTE = "name: note, logicalType: string"
NOTES = contract(KEY, NOTE)


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path)


def test_an_increment_with_an_operation_column_inserts_updates_and_deletes(flow: Flow) -> None:
    """Q-20: each row of an increment says what it is; a key that is not there cannot be deleted."""
    flow.published("item,amount\n1,1\n2,2\n3,3\n")
    batch = flow.published(
        "item,amount,_op\n1,1.00,upsert\n2,5,U\n3,,删除\n4,4,\n9,,delete\n", mode="increment"
    )
    assert batch.status == "published"
    assert flow.told(batch) == (1, 1, 1, 2)
    assert flow.values("amount") == {"1": Decimal(1), "2": Decimal(5), "4": Decimal(4)}
    flow.check()


def test_a_list_of_deletions_needs_keys_only_and_deletes_once(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,2\n3,3\n")
    batch = flow.published("item\n2\n2\n8\n", mode="deletion")
    assert (batch.counts.received, batch.counts.duplicate) == (3, 1)
    assert flow.told(batch) == (0, 0, 1, 1)
    assert sorted(flow.values("amount")) == ["1", "3"]
    flow.check()


def test_the_same_rows_first_as_increment_then_as_deletions_are_two_deliveries(flow: Flow) -> None:
    """The list that was added is taken out again: the same bytes, another meaning."""
    flow.published("item,amount\n1,1\n")
    listed = "item,amount\n2,2\n3,3\n"
    flow.published(listed, mode="increment")
    batch = flow.published(listed, mode="deletion")
    assert batch.status == "published"
    assert flow.told(batch) == (0, 0, 2, 0)
    again = flow.published(listed, mode="deletion")
    assert (again.status, again.duplicate_of) == ("duplicate", batch.id)
    flow.check()


def test_a_key_twice_in_an_increment_is_published_by_neither_row(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,2\n")
    batch = flow.published(
        "item,amount,_op\n1,7,upsert\n1,8,upsert\n2,2,upsert\n2,,delete\n5,5,upsert\n", mode="increment"
    )
    assert (batch.counts.quarantined, batch.counts.accepted) == (4, 1)
    assert flow.told(batch) == (1, 0, 0, 0)
    assert flow.values("amount") == {"1": 1, "2": 2, "5": 5}
    flow.check()


def test_identical_values_in_an_increment_are_no_change_and_leave_no_trace(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,2\n")
    batch = flow.published("item,amount\n2,2.0\n1,1.00\n", mode="increment")
    assert flow.told(batch) == (0, 0, 0, 2)
    assert len(flow.changes()) == 2
    flow.check()


def test_from_a_value_to_none_and_back_are_updates(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,\n")
    second = flow.published("item,amount\n1,\n2,2\n")
    third = flow.published("item,amount\n1,1\n2,\n", edition="back")
    assert flow.told(second) == flow.told(third) == (0, 2, 0, 0)
    assert flow.values("amount") == {"1": 1, "2": None}
    flow.check()


def test_the_same_rows_under_another_edition_are_unchanged(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,2\n")
    batch = flow.published("item,amount\n1,1\n2,2\n", edition="again")
    assert flow.told(batch) == (0, 0, 0, 2)
    flow.check()


def test_equal_values_in_other_spellings_are_unchanged(tmp_path: Path) -> None:
    """Q-33: 1.0 is 1.00, one instant has many offsets, brackets of a case number may be full-width."""
    flow = Flow(
        tmp_path,
        contract(
            KEY, AMOUNT,
            "name: seen, logicalType: timestamp",
            "name: born, logicalType: date",
            "name: much, logicalType: number, physicalType: double",
            "name: many, logicalType: integer",
            "name: yes, logicalType: boolean",
            "name: caseno, logicalType: string, semanticType: case-number",
        ),
    )  # fmt: skip
    columns = "item,amount,seen,born,much,many,yes,caseno\n"
    first = flow.published(
        f"{columns}1,1.0,2026-01-01T08:00:00+08:00,2026-01-01,1.5,7,true,(2021)粤03破123号\n"
    )
    assert (first.status, first.counts.accepted) == ("published", 1), first
    second = flow.published(
        f"{columns}1,1.00,2026-01-01T00:00:00.000Z,20260101,15e-1,+07,是,（2021）粤03破123号\n"
    )
    assert [c["_changed_columns"] for c in flow.changes()] == [[]]
    assert flow.told(second) == (0, 0, 0, 1)
    (row,) = flow.rows()
    assert row["seen"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert row["born"] == date(2026, 1, 1)
    flow.check()


HOSTILE = [
    "a|b", "a", "b", "b|c", "a ", " a", "A", "é", "e\u0301", "a\nb", "a\r\nb", 'a"b', "a'b", "a,b", "a\\b", "a;--",
    "\u200ba", "a\u3000", "😀", "𠮷", "%", "NULL", "null", "nan", "0", "00", "0.0", "-0", "1e3", "x" * 20_000, "\\N",
    "\t", "a\tb", "\x1f", "a\x1fb", "\x7f", "\u2028", "#k0", "$1", "'; DROP TABLE changed; --",
]  # fmt: skip


#: Traces of tools and characters nobody sees: in a key they are told of and kept apart from what is served.
TOLD = {"\u200ba", "\x1f", "a\x1fb", "\x7f", "\u2028", "NULL", "null", "nan", "\\N"}


def test_keys_that_look_alike_stay_apart(tmp_path: Path) -> None:
    """No join by a separator, no trimming, no folding, no normal form: a key is its text."""
    flow = Flow(
        tmp_path,
        contract(
            KEY, "name: part, logicalType: string, primaryKey: true, primaryKeyPosition: 2", NOTE,
        ),
    )  # fmt: skip
    pairs = [
        ("a|b", "c"),
        ("a", "b|c"),
        ("a", "|b"),
        ("a|", "b"),
        *((k, "c") for k in HOSTILE[1:] if k not in TOLD),
    ]
    rows = [{"item": a, "part": b, "note": f"n{i}"} for i, (a, b) in enumerate(pairs)]
    first = flow.published(csv_text(rows))
    assert (first.status, flow.told(first)) == ("published", (len(pairs), 0, 0, 0)), first.refusal
    assert flow.values("note") == {(r["item"], r["part"]): r["note"] for r in rows}
    changed = [{**r, "note": r["note"] + "x"} if i % 2 else r for i, r in enumerate(rows[3:], 3)]
    second = flow.published(csv_text(changed))
    updated = sum(1 for i in range(3, len(pairs)) if i % 2)
    assert flow.told(second) == (0, updated, 3, len(pairs) - 3 - updated)
    gone = flow.published(csv_text(changed[:5], ["item", "part", "note"]), mode="deletion")
    assert flow.told(gone) == (0, 0, 5, 0)
    assert flow.values("note") == {(r["item"], r["part"]): r["note"] for r in changed[5:]}
    flow.check()


def test_values_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Identifier columns are text from the first byte to the last; nothing is trimmed or normalised."""
    flow = Flow(tmp_path, NOTES)
    rows = [
        {"item": str(i), "note": value} for i, value in enumerate([*HOSTILE, "001", "1.10", "+86", "1E5"])
    ]
    flow.published(csv_text(rows))
    assert flow.values("note") == {r["item"]: r["note"] for r in rows}
    shifted = [{"item": r["item"], "note": rows[i - 1]["note"]} for i, r in enumerate(rows)]
    second = flow.published(csv_text(shifted))
    assert second.status == "held"  # all rows at once
    flow.hold.release(second.id, by="officer")
    flow.compare()
    assert flow.told(second) == (0, len(rows), 0, 0)
    assert flow.values("note") == {r["item"]: r["note"] for r in shifted}
    flow.check()


PARTS = {
    "string": ('name: part, logicalType: string', ["a/b", "北京", "", "x=y", " "]),
    "date": ("name: part, logicalType: date", ["2026-01-01", "2026-02-01", "", "1969-12-31", "2026-01-02"]),
    "integer": ("name: part, logicalType: integer", ["1", "-2", "", "0", "9223372036854775807"]),
    "boolean": ("name: part, logicalType: boolean", ["true", "false", "", "true", "false"]),
    "decimal": ('name: part, logicalType: number, physicalType: "decimal(8,2)"', ["1.00", "-2.5", "", "0", "3.33"]),
    "timestamp": (
        "name: part, logicalType: timestamp",
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "", "1969-12-31T00:00:00Z", "2026-01-01T09:00:00+08:00"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PARTS)
def test_an_update_may_move_a_row_to_another_partition(tmp_path: Path, kind: str) -> None:
    """Each row lies in the partition of its value before and after, however it got there."""
    definition, values = PARTS[kind]
    flow = Flow(tmp_path, contract(KEY, f"{definition}, partitioned: true, partitionKeyPosition: 1", NOTE))
    rows = [{"item": str(i), "part": values[i % 5], "note": str(i)} for i in range(20)]
    first = flow.published(csv_text(rows))
    assert (first.status, flow.told(first)) == ("published", (20, 0, 0, 0)), (first.status, first.refusal)
    before = flow.rows()
    moved = [{**r, "part": values[(i + 1) % 5]} if i < 5 else r for i, r in enumerate(rows)]
    second = flow.published(csv_text(moved[:5]), mode="increment")
    different = sum(flow.rows()[i] != before[i] for i in range(20))
    assert flow.told(second) == (0, different, 0, 5 - different)
    third = flow.published(csv_text([*moved[1:], {"item": "x", "part": values[0], "note": "x"}]))
    assert flow.told(third) == (1, 0, 1, 19)
    assert flow.values("note") == {**{str(i): str(i) for i in range(1, 20)}, "x": "x"}
    flow.check()
    gone = flow.published("item\n3\n4\nx\n", mode="deletion")
    assert flow.told(gone) == (0, 0, 3, 0)
    flow.check()


def test_a_column_that_a_contract_adds_is_empty_in_old_rows_and_its_filling_is_an_update(
    tmp_path: Path,
) -> None:
    flow = Flow(tmp_path)
    flow.published("item,amount\n1,1\n2,2\n3,3\n")
    flow.contracts.put(ITEMS.replace("version: 1.0.0", "version: 1.1.0") + f"      - {{{NOTE}}}\n", by="test")
    increment = flow.published("item,amount,note\n3,3,\n4,4,y\n", mode="increment")
    assert flow.told(increment) == (1, 0, 0, 1)
    batch = flow.published("item,amount,note\n1,1,\n2,2,x\n3,3.00,\n4,4,y\n")
    assert flow.told(batch) == (0, 1, 0, 3)
    assert flow.changes()[-1]["_changed_columns"] == ["note"]
    assert flow.values("note") == {"1": None, "2": "x", "3": None, "4": "y"}
    flow.check()


def test_a_batch_checked_under_the_contract_before_is_published_under_the_next(tmp_path: Path) -> None:
    flow = Flow(tmp_path)
    flow.published("item,amount\n1,1\n2,2\n")
    waiting = flow.checked("item,amount\n1,1\n2,5\n3,3\n")
    flow.contracts.put(ITEMS.replace("version: 1.0.0", "version: 1.1.0") + f"      - {{{NOTE}}}\n", by="test")
    flow.compare()
    assert flow.told(waiting) == (1, 1, 0, 1)
    assert flow.values("note") == {"1": None, "2": None, "3": None}
    flow.check()


def test_a_row_in_quarantine_keeps_what_is_served_of_its_key(flow: Flow) -> None:
    """C-13: a broken row is no deletion. One whose key cannot be read may be any: a person has to say so."""
    flow.published("item,amount\n1,1\n2,2\n3,3\n")
    waiting = flow.published("item,amount\n1,x\n,2\n3,3\n7,y\n")
    assert (waiting.status, flow.values("amount")) == ("held", {"1": 1, "2": 2, "3": 3})
    flow.hold.release(waiting.id, by="officer")
    flow.compare()
    batch = flow.now(waiting)
    assert (batch.counts.quarantined, batch.counts.accepted, batch.counts.retained) == (3, 1, 1)
    assert flow.told(batch) == (0, 0, 1, 1)
    assert flow.values("amount") == {"1": 1, "3": 3}
    flow.check()


def test_a_row_with_a_nul_in_it_keeps_what_is_served_of_its_key(tmp_path: Path) -> None:
    flow = Flow(tmp_path, NOTES)
    flow.published("item,note\n1,a\n2,b\n3,c\n")
    batch = flow.published("item,note\n1,a\n2,b\0b\n3,d\n")
    assert (batch.counts.quarantined, batch.counts.retained) == (1, 1)
    assert flow.told(batch) == (0, 1, 0, 1)
    assert flow.values("note") == {"1": "a", "2": "b", "3": "d"}
    flow.check()


def test_a_ragged_row_keeps_what_is_served_of_its_key(tmp_path: Path) -> None:
    flow = Flow(tmp_path, NOTES)
    flow.published("item,note\n1,a\n2,b\n3,c\n")
    batch = flow.published("item,note\n1,a\n2,b,b\n3,d\n")
    assert (batch.counts.quarantined, batch.counts.retained) == (1, 1)
    assert flow.told(batch) == (0, 1, 0, 1)
    flow.check()


def test_an_object_that_is_no_row_keeps_what_is_served_of_its_key(tmp_path: Path) -> None:
    flow = Flow(tmp_path, NOTES)
    flow.published("item,note\n1,a\n2,b\n3,c\n")
    batch = flow.published(
        '{"item":"1","note":"a"}\n{"item":"2","note":{"x":1}}\n{"item":"3","note":"d"}\n', name="f.ndjson"
    )
    assert (batch.counts.quarantined, batch.counts.retained) == (1, 1)
    assert flow.told(batch) == (0, 1, 0, 1)
    flow.check()


def test_an_edition_of_broken_rows_only_is_rejected_and_changes_nothing(flow: Flow) -> None:
    flow.published("item,amount\n1,1\n2,2\n")
    before = flow.rows()
    batch = flow.published("item,amount\n1,x\n2,y\n2,y\n")
    assert (batch.status, batch.decision) == ("rejected", "rejected")
    assert flow.rows() == before
    assert flow.compare() == []
    flow.check()


STATISTICS = contract(
    "name: kind, logicalType: string",
    "name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1",
    "name: amount, logicalType: number, required: true",
    "name: note, logicalType: string",
)


def test_a_record_that_reads_like_a_total_keeps_what_is_served_of_its_key(tmp_path: Path) -> None:
    """C-12: what is no record by its looks, but has a key, deletes nothing; a row of totals has none."""
    flow = Flow(tmp_path, STATISTICS)
    flow.published("kind,item,amount,note\n甲,1,1,\n合计,2,2,\n甲,3,3,\n")
    assert sorted(flow.values("kind").items()) == [("1", "甲"), ("2", "合计"), ("3", "甲")]
    batch = flow.published("kind,item,amount,note\n甲,1,5,\n合计,2,,\n合计,,8,\n说明:,3,,\n")
    assert (batch.counts.quarantined, batch.counts.retained) == (3, 2)
    assert flow.told(batch) == (0, 1, 0, 0)
    assert flow.values("amount") == {"1": Decimal(5), "2": Decimal(2), "3": Decimal(3)}
    flow.check()


def test_copies_of_a_row_count_once_and_rows_that_differ_only_in_content_are_quarantined(flow: Flow) -> None:
    batch = flow.published("item,amount\n1,1\n1,1\n1,1\n2,2\n2,3\n3,3\n")
    c = batch.counts
    assert (c.received, c.duplicate, c.quarantined, c.accepted) == (6, 2, 2, 2)
    assert flow.values("amount") == {"1": 1, "3": 3}
    flow.check()


def test_rows_that_are_only_alike_when_joined_are_no_copies_of_each_other(tmp_path: Path) -> None:
    """What differs is not dropped as a copy, wherever a separator stands in the content."""
    flow = Flow(tmp_path, contract(KEY, "name: a, logicalType: string", "name: b, logicalType: string"))
    pairs = [(("x\x1fy", "z"), ("x", "y\x1fz")), (("x\x1f", ""), ("x", "\x1f")), (("x|y", "z"), ("x", "y|z"))]
    rows = [{"item": str(i), "a": a, "b": b} for i, pair in enumerate(pairs) for a, b in pair]
    batch = flow.published(csv_text([*rows, {"item": "9", "a": "x", "b": "y"}]))
    assert (batch.counts.duplicate, batch.counts.quarantined, batch.counts.accepted) == (0, 6, 1)
    flow.check()


def test_a_row_of_which_no_field_is_known_is_received_and_quarantined(tmp_path: Path) -> None:
    """A row is not nothing because its only content stands in a column that nobody knows."""
    flow = Flow(tmp_path, NOTES)
    batch = flow.published('{"item":"1","note":"a"}\n{"ITEM_NO":"2","remark":"b"}\n', name="f.ndjson")
    assert (batch.counts.received, batch.counts.quarantined) == (2, 1)
    flow.check()
