"""Queries run in a process of their own: time and memory hold whatever they compute (S-34)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.support.query_world import PEOPLE, World, owner, person

from huitong.errors import Fault, InvalidQuery, LimitExceeded
from huitong.query import apart, engine
from huitong.query.limits import Limits
from huitong.query.parse import check

#: Two vectors of long texts with very many matches: DuckDB looks for an interrupt between vectors only. In the
#: process itself this took 36 s with a limit of one.
ENDLESS = (
    "SELECT sum(cardinality(regexp_extract_all(rpad(cast(n AS varchar), 10000, 'ab'), '(a|b|ab)'))) "
    "FROM UNNEST(sequence(1, 4000)) AS t(n)"
)


def _run(sql: str, tmp_path: Path, limits: Limits) -> engine.Outcome:
    return engine.run(check(sql), [], limits, tmp_path / "result.arrow", carry_out=apart.carried_out_apart)


def test_what_no_interrupt_reaches_is_ended_at_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm ends the child in the middle of an expression; what it had on disk goes with the result."""
    _run("SELECT 1", tmp_path, Limits())  # the helper is there
    began = time.monotonic()
    with pytest.raises(LimitExceeded) as ended:
        _run(ENDLESS, tmp_path, Limits(seconds=1.0, memory_mb=2_000))
    assert ended.value.where["limit"] == "seconds"
    assert time.monotonic() - began < 1.0 + apart.GRACE + 3.0
    assert _run("SELECT 2 AS x", tmp_path, Limits()).rows == 1  # the next one is not touched by it


def test_answers_errors_and_rows_are_those_of_this_process(tmp_path: Path) -> None:
    for sql in (
        "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL",
        "SELECT count(*) AS n FROM (VALUES 1, 2) AS t(x)",
    ):
        there = _run(sql, tmp_path, Limits())
        mine = engine.run(check(sql), [], Limits(), tmp_path / "mine.arrow")
        assert (there.columns, there.rows, there.chunks) == (mine.columns, mine.rows, mine.chunks)
        assert (tmp_path / "result.arrow").read_bytes() == (tmp_path / "mine.arrow").read_bytes()
    for sql in (
        "SELECT nobody",
        "SELECT cast('张三' AS bigint)",
        "SELECT * FROM UNNEST(sequence(1, 9)) AS t(n)",
    ):
        told = []
        for carry_out in (None, apart.carried_out_apart):
            with pytest.raises((InvalidQuery, LimitExceeded)) as error:
                engine.run(check(sql), [], Limits(rows=5), tmp_path / "result.arrow", carry_out=carry_out)
            told.append((type(error.value), error.value.as_dict()))
        assert told[0] == told[1]
        assert "张三" not in str(told)


def test_the_memory_of_a_query_is_bounded_apart_from_ours(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded) as ended:
        _run(
            "SELECT array_agg(rpad('', 10000, 'x')) FROM UNNEST(sequence(1, 400000)) AS t(n)",
            tmp_path,
            Limits(memory_mb=64, temp_mb=1),
        )
    assert ended.value.where["limit"] == "memory_mb"


def test_a_helper_that_was_killed_is_started_again(tmp_path: Path) -> None:
    _run("SELECT 1", tmp_path, Limits())
    helper = apart._kept[0]
    os.killpg(helper.pid, signal.SIGKILL)
    helper.wait()
    assert _run("SELECT 1 AS x", tmp_path, Limits()).rows == 1
    assert apart._kept[0].pid != helper.pid


def test_a_child_that_leaves_no_answer_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for status, raised in (
        (1, Fault),
        (0, Fault),
        (-signal.SIGKILL, LimitExceeded),
        (-signal.SIGALRM, LimitExceeded),
    ):
        monkeypatch.setattr(apart, "_asked", lambda _, status=status: status)
        with pytest.raises(raised):
            _run("SELECT 1", tmp_path / "none", Limits())


def test_queries_of_users_run_apart_and_reach_nothing_but_their_tables(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(PEOPLE, [person(n) for n in range(3)])
    here = os.getpid()
    assert len(world.ask(owner(), "SELECT * FROM in_91")) == 3
    assert apart._kept[0].pid != here
    assert not list(tmp_path.glob("**/spill-*"))


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT x FROM UNNEST(sequence(1, 100)) AS t(x)"])
def test_a_task_holds_texts_and_paths_only(text: str, tmp_path: Path) -> None:
    task = engine.prepared(check(text), [], Limits(), tmp_path / "r.arrow")
    assert (task.statements, task.paths, task.pairs) == ((), (), ())
