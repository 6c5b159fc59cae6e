"""Cleansing: what a contract names is done before the rules look, and every change can be traced and undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.support.validation_world import BATCH, ValidationWorld

from huitong.contracts.model import CodeMap, Contract, Deduplicate, Field
from huitong.quality.keys import CLEANSED, staging_key

CONTRACT = Contract(
    "T-C",
    1,
    "t",
    table="t_c",
    fields=(
        Field("no", key=1, required=True, cleanse=("trim",)),
        Field("id_no", semantic="citizen-id", level="L4", mask="id", cleanse=("half-width", "citizen-id")),
        Field("amount", type="decimal", precision=18, scale=2, cleanse=("amount", "chinese-numerals")),
        Field("day", type="date", cleanse=("chinese-date",)),
        Field("kind", codes=("1", "2"), cleanse=("trim", "code-map:kinds")),
        Field("plain"),
    ),
    code_maps=(CodeMap("kinds", (("房产", "1"), ("车辆", "2"))),),
)
ROWS = [
    {
        "no": " A1",
        "id_no": "440304800101123",
        "amount": "壹佰万元整",
        "day": "二〇二一年三月一日",
        "kind": "房产 ",
    },
    {
        "no": "A2",
        "id_no": "44030419000228008x",
        "amount": "¥1,234.50",
        "day": "2021/3/1",
        "kind": "2",
        "plain": " x",
    },
    {"no": "A3", "amount": "一百五", "day": "2021-03-02", "kind": "船"},
]


def _log(world: ValidationWorld) -> list[dict[str, Any]]:
    with world.staging.local(staging_key("T-C", BATCH, CLEANSED)) as path:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda r: (r["source_row"], r["column"], r["step"]))


def test_rules_look_at_what_cleansing_made_of_the_delivery(tmp_path: Path) -> None:
    """C-12: values in Chinese, in short and in full-width forms are published in the contract's form."""
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage(ROWS)
    batch = world.run()
    good = world.good()
    assert [r["no"] for r in good] == ["A1", "A2"]
    assert good[0]["id_no"].startswith("44030419800101123")
    assert [str(r["amount"]) for r in good] == ["1000000.00", "1234.50"]
    assert [r["day"].isoformat() for r in good] == ["2021-03-01", "2021-03-01"]
    assert [r["kind"] for r in good] == ["1", "2"]
    assert good[1]["plain"] == " x"  # a field without steps is left as it is
    assert world.rules() == [(4, "amount", "type"), (4, "kind", "codes")]
    assert batch.counts.balanced("full")


def test_every_change_is_traced_to_its_row_and_step_and_masked(tmp_path: Path) -> None:
    """C-12: batch, row, column, step, before and after, under the masks of the contract; counts by step."""
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage(ROWS)
    batch = world.run()
    log = _log(world)
    assert [(r["source_row"], r["column"], r["step"]) for r in log] == [
        (2, "amount", "chinese-numerals"),
        (2, "day", "chinese-date"),
        (2, "id_no", "citizen-id"),
        (2, "kind", "code-map:kinds"),
        (2, "kind", "trim"),
        (2, "no", "trim"),
        (3, "amount", "amount"),
        (3, "day", "chinese-date"),
        (3, "id_no", "citizen-id"),
    ]
    assert [(r["before"], r["after"]) for r in log if r["column"] == "kind"] == [
        ("房产", "1"),
        ("房产 ", "房产"),
    ]
    assert log[2]["before"] == "4403*********23"
    assert log[8]["after"] == "4403************8X"
    assert batch.cleansed == {
        "amount": 1, "chinese-date": 2, "chinese-numerals": 1, "citizen-id": 2, "code-map:kinds": 1, "trim": 2,
    }  # fmt: skip
    assert all(r["batch_id"] == BATCH for r in log)


def test_quarantine_and_findings_keep_what_was_delivered(tmp_path: Path) -> None:
    """C-12: the original stays, so that the sender finds it again and a replay begins from it."""
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage([{**ROWS[0], "no": " A9", "kind": "车辆车辆 "}])
    world.run()
    assert world.quarantine()[0]["no"] == " A9"
    assert world.quarantine()[0]["kind"] == "车辆车辆 "
    assert [f["value"] for f in world.findings() if f["rule"] == "codes"] == ["车辆车辆 "]


def test_a_step_taken_out_of_the_contract_is_undone_by_the_next_run(tmp_path: Path) -> None:
    """C-12: the staged file is untouched; without the step the same batch gives the original."""
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage(ROWS[:2])
    world.run()
    fields = tuple(replace(f, cleanse=()) if f.name == "no" else f for f in CONTRACT.fields)
    again = ValidationWorld(tmp_path / "again", replace(CONTRACT, fields=fields), staging=world.staging)
    again.stage(ROWS[:2])
    again.run()
    assert [r["no"] for r in again.good()] == [" A1", "A2"]


def test_a_key_is_compared_as_cleansed(tmp_path: Path) -> None:
    world = ValidationWorld(tmp_path, CONTRACT)
    world.stage([{"no": "A1", "kind": "1"}, {"no": " A1", "kind": "2"}, {"no": "A1 ", "kind": "1"}])
    world.run()
    conflicts = [(row, "no", "key.conflict") for row in (2, 3, 4)]
    assert world.rules() == [*conflicts, (None, "", "batch.rejected")]


def _by(keep: Any, by: str = "") -> Contract:
    return replace(CONTRACT, deduplicate=Deduplicate(keep, by))


def test_of_rows_with_one_key_the_newest_is_taken_if_the_contract_says_so(tmp_path: Path) -> None:
    """C-12: duplicates by rule, each row left out traceable as a warning; the ledger balances."""
    world = ValidationWorld(tmp_path, _by("newest", "day"))
    world.stage(
        [
            {"no": "A", "day": "2021-01-01", "kind": "1"},
            {"no": "A", "day": "2021年5月1日", "kind": "2"},
            {"no": "A", "day": None, "kind": "2"},
            {"no": "B", "day": "2021-01-01", "kind": "1"},
            {"no": "B", "day": "2021-01-01", "kind": "2"},  # nobody can tell which is newer
            {"no": "C", "day": "2021-01-01", "kind": "1"},
        ]
    )
    batch = world.run()
    assert [(r["no"], r["kind"]) for r in world.good()] == [("A", "2"), ("C", "1")]
    assert world.rules() == [
        (2, "no", "key.deduplicated"),
        (4, "no", "key.deduplicated"),
        (5, "no", "key.conflict"),
        (6, "no", "key.conflict"),
    ]
    assert (batch.counts.accepted, batch.counts.quarantined, batch.counts.duplicate) == (2, 2, 2)
    assert batch.counts.balanced("full")


def test_of_rows_with_one_key_the_first_is_taken_if_the_contract_says_so(tmp_path: Path) -> None:
    world = ValidationWorld(tmp_path, _by("first"))
    world.stage([{"no": "A", "kind": k} for k in ("1", "2", "1", "船")])
    batch = world.run()
    assert [(r["no"], r["kind"]) for r in world.good()] == [("A", "1")]
    assert [rule for _, _, rule in world.rules()] == ["key.deduplicated"] * 3
    assert batch.counts.duplicate == 3


def test_a_row_beside_a_request_to_delete_it_still_conflicts(tmp_path: Path) -> None:
    world = ValidationWorld(tmp_path, _by("first"))
    world.stage([{"no": "A", "kind": "1", "_op": "upsert"}, {"no": "A", "_op": "delete"}], mode="increment")
    world.run()
    assert {rule for _, _, rule in world.rules()} == {"key.conflict", "batch.rejected"}
