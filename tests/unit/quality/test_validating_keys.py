"""Keys of a batch: duplicates, conflicts, deletions, and those of rows in quarantine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.validated_claims import CLAIMS, row
from tests.support.validation_world import ValidationWorld

from huitong.contracts.model import Contract, Field


@pytest.fixture
def world(tmp_path: Path) -> ValidationWorld:
    return ValidationWorld(tmp_path, CLAIMS)


def test_the_first_of_equal_rows_is_kept_and_the_others_are_named_as_duplicates(
    world: ValidationWorld,
) -> None:
    world.stage([row(1), row(2), row(1), row(1)])
    batch = world.run()
    assert [r["_source_row"] for r in world.good()] == [2, 3]
    assert world.rules() == [(4, "claim_no", "key.duplicate"), (5, "claim_no", "key.duplicate")]
    assert (batch.decision, batch.counts.duplicate) == ("accepted", 2)


def test_rows_with_the_same_key_and_other_content_are_all_quarantined(world: ValidationWorld) -> None:
    """Q-21, conflicting content: nobody guesses which of them is right."""
    world.stage([row(1), row(2), row(1, kind="02"), row(1)])
    world.run()
    assert [r["claim_no"] for r in world.good()] == ["Z2"]
    assert [(r["_source_row"], r["_rules"]) for r in world.quarantine()] == [
        (2, ["key.conflict"]),
        (4, ["key.conflict"]),
        (5, ["key.conflict"]),
    ]


def test_keys_are_compared_by_value_not_by_spelling(tmp_path: Path) -> None:
    contract = Contract(
        "T-02",
        1,
        "t",
        table="t_02",
        fields=(
            Field("case_no", key=1, semantic="case-number"),
            Field("n", key=2, type="integer"),
            Field("d", key=3, type="date"),
        ),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [
            {"case_no": "(2021)粤03破230号(个1)", "n": "1", "d": "2021-03-01"},
            {"case_no": "（2021）粤03破 230号（个1）", "n": "01", "d": "20210301"},
            {"case_no": "（2021）粤03破231号（个1）", "n": "1", "d": "20210301"},
        ]
    )
    assert world.run().counts.duplicate == 1
    assert [r["case_no"] for r in world.good()] == ["(2021)粤03破230号(个1)", "(2021)粤03破231号(个1)"]


def test_a_bad_key_in_two_spellings_is_two_keys(tmp_path: Path) -> None:
    contract = Contract("T-02", 1, "t", table="t_02", fields=(Field("n", key=1, type="integer"), Field("v")))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"n": "x", "v": "1"}, {"n": "y", "v": "1"}, {"n": "1", "v": "1"}])
    world.run()
    assert world.rules() == [(2, "n", "type"), (3, "n", "type")]


def test_rows_without_a_whole_key_are_no_duplicates_of_each_other(world: ValidationWorld) -> None:
    world.stage([row(1), row(2, claim_no=None), row(2, claim_no=None)])
    batch = world.run()
    assert (batch.counts.quarantined, batch.counts.duplicate) == (2, 0)


def test_without_a_key_only_equal_rows_are_duplicates(tmp_path: Path) -> None:
    contract = Contract("T-03", 1, "t", table="t_03", fields=(Field("a"), Field("b")))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"a": "1", "b": None}, {"a": "1", "b": None}, {"a": "1", "b": "2"}])
    assert world.run().counts.duplicate == 1
    assert world.rules() == [(3, "", "key.duplicate")]


def test_values_of_a_unique_column_stand_once(tmp_path: Path) -> None:
    contract = replace(CLAIMS, fields=tuple(replace(f, unique=f.name == "id_no") for f in CLAIMS.fields))
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [row(1), row(2), row(2), row(3, id_no=None), row(4, id_no=None), row(5, id_no="440305190106150024")]
    )
    world.run()
    assert world.rules() == [(2, "id_no", "unique"), (3, "id_no", "unique"), (4, "claim_no", "key.duplicate")]
    assert [r["claim_no"] for r in world.good()] == ["Z3", "Z4", "Z5"]


def test_rows_that_ask_for_a_deletion_need_a_key_only(world: ValidationWorld) -> None:
    world.stage(
        [
            row(1, _op="upsert"),
            row(2, _op="delete", person_name=None, kind="9", amount="x"),
            {"claim_no": "Z3", "_op": "delete"},
            {"claim_no": None, "_op": "delete"},
            row(2, _op="delete"),
            row(5, _op=None),
        ],
        mode="increment",
    )
    batch = world.run()
    assert [r["claim_no"] for r in world.good()] == ["Z1", "Z5"]
    assert world.good(deletes=True) == [
        {"_source_row": 3, "claim_no": "Z2"},
        {"_source_row": 4, "claim_no": "Z3"},
    ]
    assert world.rules() == [(5, "claim_no", "key.null"), (6, "claim_no", "key.duplicate")]
    assert (batch.counts.accepted, batch.counts.quarantined, batch.counts.duplicate) == (4, 1, 1)


def test_a_key_both_delivered_and_deleted_in_one_batch_is_a_conflict(world: ValidationWorld) -> None:
    world.stage([row(1, _op="delete"), row(1, _op="upsert"), row(2, _op="upsert")], mode="increment")
    world.run()
    assert world.rules() == [(2, "claim_no", "key.conflict"), (3, "claim_no", "key.conflict")]


def test_keys_of_quarantined_rows_are_left_typed_for_the_comparison(tmp_path: Path) -> None:
    contract = Contract(
        "T-02",
        1,
        "t",
        table="t_02",
        fields=(Field("n", key=1, type="integer"), Field("v", type="integer")),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"n": "01", "v": "x"}, {"n": "y", "v": "x"}, {"n": None, "v": "x"}, {"n": "2", "v": "1"}])
    world.run()
    assert world.quarantined_keys() == [{"n": 1}]
