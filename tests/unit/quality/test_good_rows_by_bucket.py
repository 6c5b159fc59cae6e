"""Good rows of a large delivery are put into files by key bucket, as its comparison will want them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.validation_world import ValidationWorld

from huitong.contracts.model import Contract, Field, Limits
from huitong.quality import good
from huitong.warehouse.buckets import WHOLE, Bucket, bucket_of

ROWS = [
    {"day": f"2026-01-{1 + n % 28:02}", "no": str(n), "area": f"A{n % 3}", "name": f"N{n}"} for n in range(60)
]


def contract(rows: int, *, partitioned: bool = False) -> Contract:
    return Contract(
        id="IN-93",
        version=1,
        title="分桶",
        table="in_93",
        limits=Limits(fan_out_rows=rows),
        fields=(
            Field("day", type="date", key=1, field_id=7),
            Field("no", type="integer", key=2, field_id=8),
            Field("area", partition=1 if partitioned else 0, field_id=9),
            Field("name", field_id=10),
        ),
    )


def validated(root: Path, known: Contract, rows: list[dict[str, str]]) -> ValidationWorld:
    world = ValidationWorld(root, known)
    world.stage(rows)
    assert world.run().status == "validated"
    return world


def buckets(world: ValidationWorld) -> list[Bucket]:
    return [bucket_of(ref.key) for ref in world.refs()]


def test_every_row_is_in_a_file_of_its_bucket_and_in_the_order_of_the_delivery(tmp_path: Path) -> None:
    """The bucket of a key never changes: it is computed here by another program."""
    import hashlib

    world = validated(tmp_path, contract(60), ROWS)
    assert sorted(b.number for b in buckets(world)) == [0, 1, 2, 3]
    assert len(world.good()) == 60
    for ref in world.refs():
        rows = world.table(ref.key).to_pylist()
        assert [r["_source_row"] for r in rows] == sorted(r["_source_row"] for r in rows)
        for row in rows:
            digest = hashlib.md5(f"{row['day']}\x1f{row['no']}".encode(), usedforsecurity=False).digest()
            assert int.from_bytes(digest[8:], "little") % 4 == bucket_of(ref.key).number


@pytest.mark.parametrize(("limit", "files"), [(61, 1), (60, 4), (20, 16)])
def test_a_delivery_is_cut_from_the_size_on_at_which_its_comparison_is(
    tmp_path: Path, limit: int, files: int
) -> None:
    world = validated(tmp_path, contract(limit), ROWS)
    assert len(world.refs()) == files
    assert {b.of for b in buckets(world)} == {files}


def test_partitions_are_cut_too_but_into_few_files_when_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = contract(60, partitioned=True)
    world = validated(tmp_path / "a", known, ROWS)
    assert len(world.refs()) == 3 * 4
    assert {(ref.partition, bucket_of(ref.key).number) for ref in world.refs()} == {
        ((f"A{n}",), b) for n in range(3) for b in range(4)
    }
    monkeypatch.setattr(good, "_MOST_FILES", 7)
    assert {b.of for b in buckets(validated(tmp_path / "b", known, ROWS))} == {2}
    monkeypatch.setattr(good, "_MOST_FILES", 2)
    assert set(buckets(validated(tmp_path / "c", known, ROWS))) == {WHOLE}


@pytest.mark.parametrize(
    "key", ["t/data/b1/part-0001-ab.parquet", "t/data/b1/rows-77.parquet", "b1of2/x.parquet"]
)
def test_a_file_that_says_nothing_may_have_any_row(key: str) -> None:
    assert bucket_of(key) == WHOLE


def test_there_is_no_bucket_of_three() -> None:
    wrong: list[Any] = [(0, 3), (4, 4), (-1, 2), (0, 0)]
    for number, of in wrong:
        with pytest.raises(Exception, match="no bucket"):
            Bucket(number, of)
