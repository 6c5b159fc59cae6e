"""The files that validation leaves, and a step that is repeated, early or cannot be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.support.validated_claims import CLAIMS, row
from tests.support.validation_world import BATCH, ValidationWorld

from huitong.contracts.model import Contract, Field, RowRule
from huitong.errors import Corrupt, InvalidContract, LimitExceeded, NotFound
from huitong.quality import good as good_rows


@pytest.fixture
def world(tmp_path: Path) -> ValidationWorld:
    return ValidationWorld(tmp_path, CLAIMS)


def test_each_partition_has_its_own_files(tmp_path: Path) -> None:
    contract = Contract(
        "T-04",
        1,
        "t",
        table="t_04",
        fields=(
            Field("k", key=1),
            Field("d", type="date", partition=2),
            Field("p", partition=1),
        ),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [
            {"k": "1", "p": "a", "d": "2021-03-01"},
            {"k": "2", "p": "b", "d": "2021-03-01"},
            {"k": "3", "p": "a", "d": "20210301"},
            {"k": "4", "p": None, "d": None},
        ],
        group=2,
    )
    world.run()
    partitions = {ref.partition: [r["k"] for r in world.table(ref.key).to_pylist()] for ref in world.refs()}
    assert partitions == {("a", "2021-03-01"): ["1", "3"], ("b", "2021-03-01"): ["2"], (None, None): ["4"]}
    assert sorted(ref.key.rsplit("-", 1)[0] for ref in world.refs()) == [
        f"t_04/data/{BATCH}/part-{n:04}" for n in range(3)
    ]


def test_too_many_partitions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(good_rows, "MAX_PARTITIONS", 2)
    contract = Contract("T-04", 1, "t", table="t_04", fields=(Field("k", key=1, partition=1),))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"k": str(n)} for n in range(3)])
    with pytest.raises(LimitExceeded):
        world.run()
    assert world.batch.status == "ingested"


def test_many_files_and_row_groups_give_the_same_as_one(tmp_path: Path) -> None:
    rows = [row(n % 90, kind="9" if n % 7 == 0 else "01", amount=str(n % 5)) for n in range(100)]
    results = []
    for number, (files, group) in enumerate(((1, 1000), (1, 7), (4, 9))):
        world = ValidationWorld(tmp_path / str(number), CLAIMS)
        world.stage(rows, files=files, group=group)
        batch = world.run()
        results.append((world.good(), sorted(world.rules()), batch.counts, batch.quality))
    assert results[0] == results[1] == results[2]


def test_files_carry_iceberg_ids_plain_types_and_statistics_of_the_key(world: ValidationWorld) -> None:
    world.stage([row(1)])
    world.run()
    (ref,) = world.refs()
    with world.warehouse.local(ref.key) as path:
        schema = pq.read_schema(path)
        metadata = pq.read_metadata(path)
    ids = [int(schema.field(i).metadata[b"PARQUET:field_id"]) for i in range(len(schema))]
    assert ids == list(range(1, 17))
    assert not any(str(f.type).startswith("dictionary") for f in schema)
    assert b"ARROW:schema" not in (metadata.metadata or {})
    assert (ref.rows, ref.size, ref.partition) == (1, world.warehouse.head(ref.key).size, ())
    keys: dict[str, Any] = {
        metadata.row_group(0).column(i).path_in_schema: metadata.row_group(0).column(i) for i in range(16)
    }
    assert keys["claim_no"].statistics.min == "Z1"
    assert keys["amount"].physical_type == "INT64"


def test_a_repeated_wake_up_changes_nothing_and_wakes_the_comparison_again(world: ValidationWorld) -> None:
    world.stage([row(1)])
    first = world.run()
    item = world.register.get(f"BATCH#{BATCH}", "BATCH")
    assert world.run() == first
    assert world.register.get(f"BATCH#{BATCH}", "BATCH").version == item.version
    assert world.compare_queue.sent == [({"resource": "T-01"}, "T-01")] * 2


def test_a_batch_that_is_not_ingested_yet_is_left_alone(world: ValidationWorld) -> None:
    world.stage([row(1)])
    stored = world.batches.get(BATCH)
    world.batches.move(stored, "failed", by="test")
    assert world.run().status == "failed"
    assert world.compare_queue.sent == []


def test_an_unknown_batch_is_an_error(world: ValidationWorld) -> None:
    with pytest.raises(NotFound):
        world.run()


def test_rows_lost_between_register_and_staging_are_a_fault(world: ValidationWorld) -> None:
    """Nothing that arrived is lost unseen: the counts must agree before anything is written."""
    world.stage([row(1), row(2)])
    key = world.batch.staging[0]
    with world.staging.local(key) as path:
        table = pq.read_table(path).slice(0, 1)
    pq.write_table(table, world.root / "short.parquet")
    world.staging.put_file(key, world.root / "short.parquet")
    with pytest.raises(Corrupt):
        world.run()
    assert world.batch.status == "ingested"


@pytest.mark.parametrize(
    "contract",
    [
        replace(CLAIMS, rules=(RowRule("r", '"no_such" > 1', ("amount",)),)),
        replace(CLAIMS, fields=(*CLAIMS.fields[1:], Field("claim_no", key=1, pattern="(?=x)"))),
        replace(CLAIMS, fields=(*CLAIMS.fields[:1], Field("amount", type="integer", minimum="x"))),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_the_contracts_fault_not_the_rows(
    tmp_path: Path, contract: Contract
) -> None:
    world = ValidationWorld(tmp_path, contract)
    world.stage([row(1)])
    with pytest.raises(InvalidContract):
        world.run()
    assert world.batch.status == "ingested"
