"""A comparison in parts: late batches, partitions, the guard, files that lie about their bucket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.compare_world import CLAIMS, CompareWorld, claim, counts, of

from huitong.batches.runs import Runs
from huitong.contracts.model import Limits
from huitong.errors import Corrupt
from huitong.warehouse.buckets import WHOLE, bucket_of
from huitong.warehouse.files import DataFileRef

FREE = replace(CLAIMS, limits=Limits(max_deleted_percent=100, max_updated_percent=100))


@pytest.fixture(params=[0, 1], ids=["one function", "in parts"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> CompareWorld:
    """The same has to come of it both ways."""
    return CompareWorld(tmp_path, FREE, fan_out_rows=request.param)


def keys(world: CompareWorld) -> list[str]:
    return [row["claim_no"] for row in world.rows()]


def test_a_late_increment_leaves_alone_the_keys_that_later_ones_stated(either: CompareWorld) -> None:
    """C-13: what landed later has the last word, whoever compares."""
    either.deliver([claim(n) for n in range(8)], order=10)
    either.deliver([claim(1, creditor="later"), claim(9)], mode="increment", deletes=[claim(2)], order=30)
    late = either.deliver(
        [claim(1, creditor="late"), claim(2, creditor="late"), claim(3, creditor="late"), claim(11)],
        mode="increment", deletes=[claim(9), claim(4)], order=20,
    )  # fmt: skip
    assert counts(late) == of(inserted=1, updated=1, deleted=1, withheld=3)
    shown = {row["claim_no"]: row["creditor"] for row in either.rows()}
    assert shown["C0001"] == "later"
    assert shown["C0003"] == "late"
    assert keys(either) == ["C0000", "C0001", "C0003", "C0005", "C0006", "C0007", "C0009", "C0011"]


def test_a_late_edition_does_not_delete_what_later_increments_stated(either: CompareWorld) -> None:
    either.deliver([claim(n) for n in range(6)], order=10)
    either.deliver([claim(1, creditor="later"), claim(9)], mode="increment", order=30)
    late = either.deliver([claim(1), claim(2), claim(7)], quarantined=[claim(3)], order=20)
    assert counts(late) == of(inserted=1, deleted=3, unchanged=1, withheld=1, retained=1)
    assert keys(either) == ["C0001", "C0002", "C0003", "C0007", "C0009"]


@pytest.mark.parametrize("cut", [1, 2, 16])
def test_partitions_keep_their_rows_apart_and_rows_may_move(either: CompareWorld, cut: int) -> None:
    fields = tuple(replace(f, partition=int(f.name == "creditor")) for f in FREE.fields)
    either.use(replace(FREE, id="IN-92", table="in_92", fields=fields))

    def rows(moved: int) -> list[dict[str, Any]]:
        return [claim(n, creditor=f"甲{(n + (n < moved)) % 3}") for n in range(12)]

    either.deliver(rows(0), cut=cut)
    second = either.deliver(rows(5), cut=cut)
    assert counts(second) == of(updated=5, unchanged=7)
    third = either.deliver([claim(3, creditor="甲9")], mode="increment", deletes=[claim(4)])
    assert counts(third) == of(updated=1, deleted=1)
    wanted = [r if r["claim_no"] != "C0003" else claim(3, creditor="甲9") for r in rows(5)]
    assert either.rows() == [r for r in wanted if r["claim_no"] != "C0004"]
    served = either.lakehouse.files(
        either.contract, "current", either.publications.at("IN-92").current_snapshot
    )
    for ref in served:
        with either.warehouse.local(ref.key) as path:
            import pyarrow.parquet as pq

            assert {(v,) for v in pq.read_table(path)["creditor"].to_pylist()} == {ref.partition}
    either.check_files()


def test_the_guard_holds_and_a_released_batch_is_compared_again(tmp_path: Path) -> None:
    """C-12: the preview adds up over all parts; the resource is free meanwhile."""
    world = CompareWorld(tmp_path, replace(CLAIMS, limits=Limits(guard_floor=2)), fan_out_rows=25)
    world.deliver([claim(n) for n in range(40)])
    held = world.deliver([claim(n) for n in range(20, 45)])
    assert held.status == "held"
    assert held.preview is not None
    assert (held.preview["deleted"], held.preview["inserted"]) == (20, 5)
    assert len(held.preview["sample"]["deleted"]) == 20
    after = world.deliver([claim(40)], mode="increment")
    assert after.status == "published"
    world.hold.release(held.id, by="officer")
    world.compare.run("IN-90")
    world.workflows.work_off(world.machine)
    released = world.batch(held.id)
    assert (released.status, released.history[-1][2]) == ("published", "officer")
    assert len(world.rows()) == 25


def test_an_edition_does_not_delete_on_a_guess(either: CompareWorld) -> None:
    """Q-33: bad rows without a good key may be those that it lacks."""
    either.deliver([claim(n) for n in range(6)])

    batch = either.deliver([claim(n) for n in range(4)], keyless=1)

    assert batch.status == "held"
    assert batch.preview is not None
    assert batch.preview["reasons"] == [{"kind": "keyless", "rows": 1, "deleted": 2}]
    assert len(batch.preview["sample"]["deleted"]) == 2
    assert len(either.rows()) == 6


@pytest.mark.parametrize("limit", [1, 6], ids=["read by several workers", "read by one"])
def test_a_file_with_rows_of_other_buckets_than_its_name_says_stops_the_comparison(
    tmp_path: Path, limit: int
) -> None:
    """Nothing rests on a name: a key in two buckets would be served twice, one in none be lost."""
    world = CompareWorld(tmp_path, FREE, fan_out_rows=limit)
    world.deliver([claim(n) for n in range(8)], cut=4)
    id = world.land([claim(n) for n in range(8)], cut=4)
    stored = world.batches.get(id)
    first, second, *more = (DataFileRef.from_json(text) for text in stored.batch.good)
    swapped = world.root / "swapped.parquet"
    swapped.write_bytes(world.warehouse.read(second.key))
    world.warehouse.put_file(first.key, swapped)
    lying = replace(first, rows=second.rows, size=second.size)
    world.batches.annotate(stored, good=tuple(r.to_json() for r in (lying, second, *more)))
    world.compare.run("IN-90")
    with pytest.raises(Corrupt, match="other buckets"):
        world.workflows.work_off(world.machine)
    assert world.publications.at("IN-90").seq == 1


def test_the_first_comparison_in_parts_cuts_the_table_and_the_next_takes_files_over(tmp_path: Path) -> None:
    world = CompareWorld(tmp_path, FREE)
    world.deliver([claim(n) for n in range(16)])
    assert {bucket_of(f.key) for f in current(world)} == {WHOLE}
    world.fan_out_rows = 4
    world.connect()
    world.deliver([claim(16)], mode="increment", deletes=[claim(n) for n in range(4)])
    assert {bucket_of(f.key).of for f in current(world)} == {8}
    third = world.land([claim(n) for n in range(4, 18)], cut=8)
    world.compare.run("IN-90")
    world.workflows.work_off(world.machine)
    delivered = {DataFileRef.from_json(text).key for text in world.batch(third).good}
    assert {f.key for f in current(world)} == delivered
    world.check_files()


def test_an_execution_whose_batch_was_published_without_it_leaves_the_resource_free(tmp_path: Path) -> None:
    """X-12: say, by one function after a change of settings. Else those behind it waited for its longest time."""
    world = CompareWorld(tmp_path, FREE, fan_out_rows=1)
    id = world.land([claim(n) for n in range(8)])
    world.compare.run("IN-90")
    assert Runs(world.register).get("IN-90").run.busy
    assert [b.status for b in world.comparing().run("IN-90")] == ["published"]
    world.workflows.work_off(world.machine)
    assert world.batch(id).status == "published"
    assert world.publications.at("IN-90").seq == 1
    assert not Runs(world.register).get("IN-90").run.busy


def current(world: CompareWorld) -> list[DataFileRef]:
    snapshot = world.publications.at("IN-90").current_snapshot
    return world.lakehouse.files(world.contract, "current", snapshot)
