"""Tables that grow with their contract, commits that happen once, reading as of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.support.compare_world import CLAIMS, CompareWorld, claim, counts, grown, of

from huitong.contracts.model import Contract, Field
from huitong.errors import Corrupt, Fault, NotFound, Unavailable
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.local_files import LocalFiles
from huitong.warehouse.reading import relation


@pytest.fixture
def world(tmp_path: Path) -> CompareWorld:
    return CompareWorld(tmp_path)


def table(world: CompareWorld, name: str = "in_90") -> Any:
    return world.catalog().load_table(f"test.{name}")


def test_column_ids_of_the_current_table_are_those_of_the_contract(world: CompareWorld) -> None:
    world.lakehouse.ensure(CLAIMS)

    fields = table(world).schema().fields
    assert [f.field_id for f in fields] == list(range(1, 12))
    assert [f.name for f in fields][6:] == [f.name for f in CLAIMS.fields]


def test_columns_stand_by_id_whatever_their_order_in_the_contract(world: CompareWorld) -> None:
    shuffled = replace(CLAIMS, fields=CLAIMS.fields[::-1])

    world.lakehouse.ensure(shuffled)

    assert table(world).schema().find_field("claim_no").field_id == 7


def test_a_table_that_is_not_the_contracts_is_a_fault(world: CompareWorld) -> None:
    world.lakehouse.ensure(CLAIMS)
    other = replace(
        CLAIMS, version=2, fields=tuple(replace(f, field_id=18 - f.field_id) for f in CLAIMS.fields)
    )

    with pytest.raises(Fault):
        world.lakehouse.ensure(other)
    with pytest.raises(Fault):
        world.lakehouse.ensure(
            replace(CLAIMS, version=2, fields=(replace(CLAIMS.fields[0], partition=1), *CLAIMS.fields[1:]))
        )
    with pytest.raises(Fault):
        world.lakehouse.ensure(replace(CLAIMS, table="", version=3))


def test_a_contract_that_grows_adds_the_column_everywhere_and_old_rows_have_null(world: CompareWorld) -> None:
    """Old editions stay readable with the new contract, and by their own counts."""
    world.deliver([claim(1), claim(2)])
    world.use(grown(CLAIMS, Field("phone", level="L3", mask="phone"), Field("points", type="integer")))

    batch = world.deliver([claim(1, phone="138"), claim(2)], mode="increment")

    assert counts(batch) == of(updated=1, unchanged=1)
    assert [(r["claim_no"], r["phone"], r["points"]) for r in world.rows()] == [
        ("C0001", "138", None), ("C0002", None, None),
    ]  # fmt: skip
    assert [r["phone"] for r in world.rows(seq=1)] == [None, None]
    *_, change = world.read("changes")
    assert (change["_changed_columns"], change["_before"]["phone"], change["phone"]) == (
        ["phone"],
        None,
        "138",
    )
    assert change["_before"]["points"] is None
    assert [f.field_id for f in table(world).schema().fields] == list(range(1, 14))


def test_a_batch_of_an_older_version_is_compared_with_nulls_for_what_it_lacks(world: CompareWorld) -> None:
    newer = grown(CLAIMS, Field("phone"))
    world.use(newer)
    world.deliver([claim(1, phone="138"), claim(2)])

    batch = world.deliver([claim(1), claim(2)], contract=CLAIMS)

    assert counts(batch) == of(updated=1, unchanged=1)
    assert [r["phone"] for r in world.rows()] == [None, None]


def test_a_column_that_no_delivery_has_brought_yet_is_null_in_the_change_log(world: CompareWorld) -> None:
    """Q-01: a contract's new version is read before the tables have its columns; and when they have them."""
    world.deliver([claim(1), claim(2)])
    world.deliver([claim(1, creditor="x"), claim(2)])
    reader = CompareWorld(world.root, grown(CLAIMS, Field("phone")), register=world.register)
    before = reader.read("changes")
    assert [(c["_op"], c["phone"]) for c in before] == [("insert", None), ("insert", None), ("update", None)]
    assert before[2]["_before"] == {**claim(1), "phone": None}
    assert [r["phone"] for r in reader.read()] == [None, None]

    world.use(grown(CLAIMS, Field("phone")))
    world.deliver([claim(1, creditor="x", phone="138"), claim(2)])
    assert [c["phone"] for c in reader.read("changes")] == [None, None, None, "138"]


def test_every_type_comes_back_as_it_went_in(tmp_path: Path) -> None:
    contract = Contract(
        id="IN-95",
        version=1,
        title="类型",
        table="in_95",
        fields=(
            Field("k", key=1, type="integer", field_id=7),
            Field("small", type="decimal", precision=9, scale=2, field_id=8),
            Field("large", type="decimal", precision=38, scale=10, field_id=9),
            Field("ratio", type="double", field_id=10),
            Field("yes", type="boolean", field_id=11),
            Field("moment", type="timestamp", field_id=12),
        ),
    )
    world = CompareWorld(tmp_path, contract)
    rows = [
        {"k": -(2**63), "small": Decimal("-0.01"), "large": Decimal("1234567890123456789012345678.0123456789"),
         "ratio": 0.1, "yes": False, "moment": datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)},
        {"k": 2**63 - 1, "small": None, "large": None, "ratio": float("inf"), "yes": None, "moment": None},
    ]  # fmt: skip
    world.deliver(rows)
    assert world.rows() == rows
    assert [c["_before"] for c in world.read("changes")] == [None, None]

    world.deliver([{**rows[0], "yes": True}])

    assert [c["_before"] for c in world.read("changes")][2:] == rows
    assert table(world, "in_95__changes").scan().to_arrow().num_rows == 4


def test_other_iceberg_readers_see_the_same_rows(world: CompareWorld) -> None:
    """Statistics, field ids and partitions in the manifests are right: PyIceberg itself prunes by them."""
    world.deliver([claim(n) for n in range(10)])
    world.deliver([claim(3, creditor="x")], mode="increment", deletes=[claim(4)])

    found = table(world).scan(row_filter="claim_no >= 'C0003' and claim_no <= 'C0005'").to_arrow()

    assert sorted(found["claim_no"].to_pylist()) == ["C0003", "C0005"]
    assert table(world).scan(row_filter="claim_no = 'D'").to_arrow().num_rows == 0
    changes = table(world, "in_90__changes").scan(row_filter="_op = 'delete'").to_arrow().to_pylist()
    assert [c["_before"]["claim_no"] for c in changes] == ["C0004"]


def test_values_of_masked_items_stay_out_of_the_manifests(world: CompareWorld) -> None:
    """S-30: bounds are copies of values; masked items have none."""
    world.deliver([claim(1)])

    file = next(iter(table(world).scan().plan_files())).file

    assert 7 in file.lower_bounds
    assert 8 not in file.lower_bounds
    assert b"\xe5\xbc\xa0" not in b"".join(file.lower_bounds.values())


def test_a_snapshot_is_read_as_it_was_by_batch_number_or_time(world: CompareWorld) -> None:
    first = world.deliver([claim(1)])
    between = world.publications.at("IN-90").published_at
    world.clock.advance(minutes=5)
    second = world.deliver([claim(1), claim(2)])

    publications = world.publications
    assert publications.at("IN-90").batch_id == second.id
    assert publications.at("IN-90", batch_id=first.id).seq == 1
    assert publications.at("IN-90", moment=between).seq == 1
    assert publications.at("IN-90", moment="2027").seq == 2
    assert [p.seq for p in publications.list("IN-90", after=1)] == [2]
    assert len(world.rows(seq=1)) == 1
    for absent in ({"seq": 3}, {"batch_id": "b"}, {"moment": "2020"}):
        with pytest.raises(NotFound):
            publications.at("IN-90", **absent)
    with pytest.raises(NotFound):
        publications.at("IN-00")


def test_an_empty_snapshot_has_the_right_columns(world: CompareWorld) -> None:
    import duckdb

    for which in ("current", "changes"):
        with relation(world.warehouse, world.lakehouse, CLAIMS, which, 0) as (sql, paths):
            assert paths == []
            empty = duckdb.sql(sql)
            assert empty.fetchall() == []
            assert str(empty.types[empty.columns.index("amount")]) == "DECIMAL(12,2)"


def test_finding_a_commit_by_its_batch(world: CompareWorld) -> None:
    first = world.deliver([claim(1)])
    world.deliver([claim(2)])

    found = world.lakehouse.find_commit(CLAIMS, "current", first.id)

    assert found == world.publications.at("IN-90", seq=1).current_snapshot
    assert world.lakehouse.find_commit(CLAIMS, "changes", "b-unknown") is None


def test_a_file_that_is_not_what_its_reference_says_is_not_committed(world: CompareWorld) -> None:
    world.lakehouse.ensure(CLAIMS)
    world.deliver([claim(1)])
    base = world.publications.at("IN-90").current_snapshot
    key = "in_90/data/x/part-0000.parquet"
    rows = world.lakehouse.files(CLAIMS, "current", base)[0]
    with world.warehouse.local(rows.key) as path:
        world.warehouse.put_file(key, path)
    lying = DataFileRef(key, rows.rows + 1, rows.size)

    with world.warehouse.local(key) as path, pytest.raises(Corrupt):
        world.lakehouse.commit(
            CLAIMS, "current", add=[lying], remove=[], local={key: path}, batch_id="bx", seq=2, base=base
        )

    assert len(world.commits("current")) == 1


def test_a_snapshot_that_is_gone_is_a_fault(world: CompareWorld) -> None:
    world.deliver([claim(1)])

    with pytest.raises(Fault):
        world.lakehouse.files(CLAIMS, "current", 12345)


def test_storage_that_fails_is_unavailable(world: CompareWorld) -> None:
    def failing() -> Any:
        raise OSError("connection reset")

    with pytest.raises(Unavailable):
        Lakehouse(failing, "test", world.warehouse).ensure(CLAIMS)


def test_many_commits_leave_few_manifests(world: CompareWorld) -> None:
    for n in range(12):
        world.deliver([claim(n), claim(n + 1, amount=None)], mode="increment")

    current = table(world)
    assert len(current.current_snapshot().manifests(current.io)) <= 4


def test_local_files_are_fetched_once_and_dropped_when_too_many(tmp_path: Path) -> None:
    fetched: list[str] = []
    closed: list[str] = []

    class Store:
        def local(self, key: str) -> Any:
            from contextlib import contextmanager

            @contextmanager
            def opened() -> Any:
                fetched.append(key)
                yield tmp_path / key
                closed.append(key)

            return opened()

    files = LocalFiles(Store(), kept_bytes=10)  # type: ignore[arg-type]
    a, b = DataFileRef("a", 1, 6), DataFileRef("b", 1, 6)
    with files.open([a]) as paths:
        assert paths == [tmp_path / "a"]
    with files.open([a]):
        pass
    assert (fetched, closed) == (["a"], [])
    with files.open([a, b]):
        assert closed == [], "a file in use stays, whatever its size"
    assert len(closed) == 1


def test_files_carry_the_tables_column_ids(world: CompareWorld) -> None:
    """Engines find columns by id: also the nested ones of the change log."""
    world.deliver([claim(1)])
    world.deliver([claim(1, amount=None)])
    log = table(world, "in_90__changes")
    ids = {
        name: log.schema().find_field(name).field_id
        for name in ("_seq", "_changed_columns.element", "_before.amount")
    }
    key = world.lakehouse.files(CLAIMS, "changes", world.publications.at("IN-90").changes_snapshot)[1].key

    with world.warehouse.local(key) as path:
        schema = pq.read_schema(path)

    def id_of(field: Any) -> int:
        return int(field.metadata[b"PARQUET:field_id"])

    assert id_of(schema.field("_seq")) == ids["_seq"]
    assert id_of(schema.field("_changed_columns").type.value_field) == ids["_changed_columns.element"]
    assert id_of(schema.field("_before").type.field("amount")) == ids["_before.amount"]
