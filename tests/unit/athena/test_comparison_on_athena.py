"""The comparison as Athena computes it: the same publication as in a function, committed once (C-38, Q-33)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trino_query_parser")

from tests.support.athena_compare import AthenaCompareWorld
from tests.support.athena_conformance import faults
from tests.support.compare_world import CLAIMS, CompareWorld, claim, counts, grown, of

from huitong.athena.runs import Progress
from huitong.comparison.athena_text import Tables, comparison_sql
from huitong.contracts.model import Contract, Field, Limits
from huitong.errors import Corrupt, Fault, Unavailable

OPEN = replace(CLAIMS, limits=Limits(max_deleted_percent=100, max_updated_percent=100))
#: Every type, two keys of which one is a moment, names that are words of SQL, a partition.
EVERY = Contract(
    id="IN-93",
    version=1,
    title="各类型",
    table="in_93",
    limits=Limits(max_deleted_percent=100, max_updated_percent=100),
    fields=(
        Field("order", key=1, field_id=7),
        Field("at", type="timestamp", key=2, field_id=8),
        Field("区", partition=1, field_id=9),
        Field("select", type="integer", field_id=10),
        Field("amount", type="decimal", precision=14, scale=3, field_id=11),
        Field("rate", type="double", field_id=12),
        Field("open", type="boolean", field_id=13),
        Field("born", type="date", field_id=14),
        Field("seen", type="timestamp", field_id=15),
    ),
)


def every(n: int, **changes: Any) -> dict[str, Any]:
    row = {
        "order": f"k{n % 3}",
        "at": datetime(2026, 1, 1, 8, n % 60, 0, n, tzinfo=UTC),
        "区": ("福田", "南山", None)[n % 3],
        "select": n or None,
        "amount": Decimal(f"{n}.125"),
        "rate": n / 7,
        "open": (True, False, None)[n % 3],
        "born": date(1990, 1, 1 + n % 28),
        "seen": datetime(2026, 1, 1, 8, 0, 0, 123456, tzinfo=UTC) if n % 2 else None,
    }
    return {**row, **changes}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[CompareWorld, AthenaCompareWorld]:
    return CompareWorld(tmp_path / "here", OPEN), AthenaCompareWorld(tmp_path / "there", OPEN)


def same(here: CompareWorld, there: CompareWorld, *, order: str = "") -> None:
    """Both tables hold the same, row by row, and both logs, each publication numbered from 1."""
    assert [counts(b) for b in here.batches.of_resource(here.contract.id)] == [
        counts(b) for b in there.batches.of_resource(there.contract.id)
    ]
    assert _rows(here.read(order=order)) == _rows(there.read(order=order))
    ours, theirs = here.read("changes"), there.read("changes")
    assert [(c["_seq"], c["_ordinal"]) for c in theirs] == [(c["_seq"], c["_ordinal"]) for c in ours]
    assert _rows(ours) == _rows(theirs)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("_ordinal", "_changed_at")}


def _rows(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(_plain(r)) for r in rows)


def test_editions_give_the_same_tables_log_and_counts(pair: tuple[CompareWorld, AthenaCompareWorld]) -> None:
    here, there = pair
    for world in pair:
        world.deliver([claim(n) for n in range(10)])
        ended = world.deliver(
            [claim(0), claim(2, creditor="李"), claim(3, amount=None), *(claim(n) for n in range(5, 12))],
            quarantined=[{"claim_no": "C0001"}],
        )
        assert counts(ended) == of(inserted=2, updated=2, deleted=1, unchanged=6, retained=1)
        world.deliver([claim(n) for n in range(3)])
    same(here, there)
    assert there.runs.executed == 2  # the first edition needs no comparison
    assert all(text.startswith("UNLOAD (WITH d AS (") for text in there.runs.texts)
    assert there.work_tables() == []
    assert [o.key for o in there.staging.list("athena/")] == []


def test_increments_deletions_and_late_deliveries_give_the_same(
    pair: tuple[CompareWorld, AthenaCompareWorld],
) -> None:
    """An edition that landed before published increments says nothing about their keys."""
    here, there = pair
    for world in pair:
        world.deliver([claim(n) for n in range(8)])
        late = world.land([claim(n, creditor="late") for n in range(6)], status="received")
        world.deliver([claim(1, creditor="甲"), claim(9)], mode="increment", deletes=[claim(2), claim(77)])
        stored = world.batches.get(late)
        assert stored.batch.status == "received"
    same(here, there)
    assert [o.key for o in there.warehouse.list("in_90/") if "keys-" in o.key] == []


def test_a_late_edition_and_a_late_increment_spare_what_later_ones_said(
    pair: tuple[CompareWorld, AthenaCompareWorld],
) -> None:
    here, there = pair
    for world in pair:
        world.deliver([claim(n) for n in range(8)], order=10)
        world.deliver([claim(1, creditor="甲"), claim(9)], mode="increment", deletes=[claim(2)], order=100)
        ended = world.deliver([claim(n, creditor="乙") for n in range(1, 5)], order=50)
        assert ended.status == "published"
        assert counts(ended)["withheld"] == 2
        world.deliver(
            [claim(9, creditor="丙"), claim(3)], mode="increment", deletes=[claim(1), claim(4)], order=60
        )
    same(here, there)


def test_every_type_compares_exactly_and_words_of_sql_are_names(tmp_path: Path) -> None:
    """Moments to the microsecond, decimals, floats, nulls, partitions: no false change, none overlooked."""
    here, there = CompareWorld(tmp_path / "here", EVERY), AthenaCompareWorld(tmp_path / "there", EVERY)
    for world in (here, there):
        world.deliver([every(n) for n in range(12)])
        unchanged = world.deliver([every(n) for n in range(12)])
        assert counts(unchanged) == of(unchanged=12)
        changed = world.deliver(
            [
                every(0, seen=datetime(2026, 1, 1, 8, 0, 0, 123457, tzinfo=UTC)),
                every(1, seen=datetime(2026, 1, 1, 8, 0, 0, 123457, tzinfo=UTC)),
                every(2, rate=0.1 + 0.2),
                every(3, open=None),
                every(4, born=None),
                every(5, **{"区": "宝安"}),
                *(every(n) for n in range(6, 11)),
            ],
        )
        assert counts(changed) == of(updated=6, deleted=1, unchanged=5)
        world.deliver([every(3, amount=None)], mode="increment", deletes=[every(7)])
    same(here, there, order='"order", "at"')


def test_a_grown_contract_compares_old_rows_with_new_columns(
    pair: tuple[CompareWorld, AthenaCompareWorld],
) -> None:
    here, there = pair
    for world in pair:
        world.deliver([claim(n) for n in range(4)])
        world.use(grown(OPEN, Field("note")))
        ended = world.deliver(
            [claim(0, note=None), claim(1, note="新"), claim(2, note=None), claim(3, note=None)]
        )
        assert counts(ended) == of(updated=1, unchanged=3)
    same(here, there)


def test_a_held_batch_is_compared_again_after_its_release_and_finds_its_answer(tmp_path: Path) -> None:
    world = AthenaCompareWorld(tmp_path)  # with limits
    world.deliver([claim(n) for n in range(60)])
    held = world.deliver([claim(0)])
    assert held.status == "held"
    assert held.preview is not None
    assert world.runs.executed == 1
    world.hold.release(held.id, by="officer")
    world.compare.run(world.contract.id)
    assert world.batch(held.id).status == "published"
    assert world.runs.executed == 1  # the answer of the first comparison still stands
    assert len(world.rows()) == 1


def test_a_killed_step_finds_its_run_and_commits_once(tmp_path: Path) -> None:
    """Killed after Athena was done: the repeat starts nothing anew, and the log has every change once."""
    world = AthenaCompareWorld(tmp_path, OPEN)
    world.deliver([claim(n) for n in range(5)])
    id = world.land([claim(n, creditor="甲") for n in range(5)])
    commit, world.lakehouse.commit = world.lakehouse.commit, _killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.compare.run(world.contract.id)
    world.lakehouse.commit = commit  # type: ignore[method-assign]
    assert world.runs.executed == 1
    world.connect()
    world.compare.run(world.contract.id)
    assert world.batch(id).status == "published"
    assert world.runs.executed == 1
    assert len([c for c in world.read("changes") if c["_seq"] == 2]) == 5
    assert world.work_tables() == []


def test_an_answer_that_is_gone_is_computed_again(tmp_path: Path) -> None:
    """Files that a life cycle deleted are never taken for an empty answer."""
    world = AthenaCompareWorld(tmp_path)
    world.deliver([claim(n) for n in range(60)])
    held = world.deliver([claim(0)])
    for found in list(world.staging.list("athena/")):
        world.staging.delete(found.key)
    world.hold.release(held.id, by="officer")
    world.compare.run(world.contract.id)
    assert world.runs.executed == 2
    assert counts(world.batch(held.id)) == of(deleted=59, unchanged=1)


def test_a_failed_run_is_followed_by_another_and_a_running_one_is_waited_for(tmp_path: Path) -> None:
    world = AthenaCompareWorld(tmp_path, OPEN)
    world.deliver([claim(n) for n in range(3)])
    id = world.land([claim(0)])
    told = [Progress("failed", "HIVE_METASTORE_ERROR: x", "system", True), Progress("succeeded")]
    plain, world.runs.progress = world.runs.progress, lambda _: told.pop(0)
    world.compare.run(world.contract.id)
    assert world.runs.executed == 2
    assert world.batch(id).status == "published"

    world.runs.progress = lambda _: Progress("running")
    slow = world.land([claim(1)])
    world.on_athena = replace(world.on_athena, seconds=0.0)
    world.compare._athena = world.on_athena
    with pytest.raises(Unavailable):
        world.compare.run(world.contract.id)
    assert world.runs.stopped == []  # it goes on, and the next try finds it
    world.runs.progress = plain
    executed = world.runs.executed
    world.compare.run(world.contract.id)
    assert world.batch(slow).status == "published"
    assert world.runs.executed == executed


def test_what_athena_refuses_leaves_everything_as_it_was(tmp_path: Path) -> None:
    world = AthenaCompareWorld(tmp_path, OPEN)
    world.deliver([claim(n) for n in range(3)])
    id = world.land([claim(0)])
    world.runs.progress = lambda _: Progress("failed", "COLUMN_NOT_FOUND: x", "user")
    with pytest.raises(Fault):
        world.compare.run(world.contract.id)
    assert world.batch(id).status == "validated"
    assert len(world.rows()) == 3
    assert world.commits("changes") == world.commits("current")


def test_rows_that_athena_did_not_read_are_noticed(tmp_path: Path) -> None:
    """A wrong number of rows on either side is a fault, never a publication with deletions."""
    world = AthenaCompareWorld(tmp_path, OPEN)
    world.deliver([claim(n) for n in range(5)])
    world.land([claim(n) for n in range(5)])
    relations = world.runs._relations
    world.runs._relations = lambda name, snapshot: (
        relations(name, snapshot) + (" WHERE claim_no <> 'C0003'" if name.startswith("work_") else "")
    )
    with pytest.raises(Corrupt, match="read other rows"):
        world.compare.run(world.contract.id)
    assert len(world.rows()) == 5


def test_work_tables_left_by_others_are_dropped_and_their_files_stay(tmp_path: Path) -> None:
    world = AthenaCompareWorld(tmp_path, OPEN)
    world.deliver([claim(n) for n in range(3)])
    left = world.land([claim(0)])
    refs = world.on_athena.work.of_rows(OPEN, world.compare._sources(_job(world, left)).delivered)
    assert world.work_tables() == [refs.name]
    world.deliver([claim(0), claim(1)])
    assert world.work_tables() == []
    assert len(world.rows()) == 2


@pytest.mark.parametrize("mode", ["full", "increment"])
@pytest.mark.parametrize("contract", [CLAIMS, EVERY], ids=["claims", "every type"])
@pytest.mark.parametrize("keys", ["", '"db"."work_k" FOR VERSION AS OF 3'])
def test_the_statement_is_one_that_athena_takes(contract: Contract, mode: Any, keys: str) -> None:
    given = Tables('"db"."work_d" FOR VERSION AS OF 2', f'"db"."{contract.table}" FOR VERSION AS OF 1', keys)
    text = comparison_sql(contract, mode, given)
    assert faults(text) == []
    assert len(text.encode()) < 20_000


def _job(world: CompareWorld, id: str) -> Any:
    from huitong.comparison.publishing import Job

    return Job(world.batches.get(id), OPEN, world.publications.get(OPEN.id))


def _killed(*_: Any, **__: Any) -> int:
    raise KeyboardInterrupt
