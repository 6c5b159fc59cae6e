"""How runs on Athena end, as errors of ours: what the asker can change, what heals by itself, what is a fault."""

from __future__ import annotations

import pytest

from huitong.athena.runs import Progress, finished, token, trouble
from huitong.athena.text import MAX_BYTES, fitting, unload
from huitong.errors import Fault, HuitongError, InvalidQuery, LimitExceeded, Unavailable


@pytest.mark.parametrize(
    ("progress", "expected", "code"),
    [
        (Progress("succeeded"), None, ""),
        (Progress("failed", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"), InvalidQuery, "COLUMN_NOT_FOUND"),
        (Progress("failed", "INVALID_CAST_ARGUMENT: Cannot cast '张三' to INT", "user"), InvalidQuery, "INVALID_CAST_ARGUMENT"),
        (Progress("failed", "GENERIC_INTERNAL_ERROR: something about 张三", "system"), Unavailable, "GENERIC_INTERNAL_ERROR"),
        (Progress("failed", "ICEBERG_BAD_DATA: 张三", "other"), Fault, "ICEBERG_BAD_DATA"),
        (Progress("failed", "HIVE_METASTORE_ERROR: x", "other", retryable=True), Unavailable, "HIVE_METASTORE_ERROR"),
        (Progress("failed", "张三 is no code"), Unavailable, "UNKNOWN"),
        (Progress("failed", "Query exhausted resources at this scale factor", "user"), LimitExceeded, "memory"),
        (Progress("failed", "Query timeout"), LimitExceeded, "too long"),
        (Progress("cancelled", "Bytes scanned limit was exceeded"), LimitExceeded, "reads too much"),
        (Progress("cancelled"), Unavailable, "cancelled"),
    ],
)  # fmt: skip
def test_each_end_is_one_error_and_none_tells_a_value(
    progress: Progress, expected: type[HuitongError] | None, code: str
) -> None:
    error = trouble(progress)
    assert type(error) is (expected or type(None))
    if error is not None:
        assert code in error.en
        assert "张三" not in str(error.as_dict())


class Runs:
    def __init__(self, *states: Progress) -> None:
        self.states, self.stopped = list(states), 0

    def progress(self, id: str) -> Progress:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def stop(self, id: str) -> None:
        self.stopped += 1


def test_waiting_pauses_longer_each_time_and_never_beyond_the_deadline() -> None:
    now, pauses = [0.0], []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    runs = Runs(Progress("running"))
    with pytest.raises(LimitExceeded):
        finished(runs, "r", 12.0, clock=lambda: now[0], pause=pause)  # type: ignore[arg-type]
    assert runs.stopped == 1
    assert sum(pauses) == pytest.approx(12.0)
    assert pauses[0] < pauses[1] <= max(pauses) == 2.0
    done = Runs(Progress("running"), Progress("running"), Progress("succeeded", scanned_bytes=7))
    assert finished(done, "r", 99.0, clock=lambda: now[0], pause=pause).scanned_bytes == 7  # type: ignore[arg-type]
    assert done.stopped == 0


def test_a_token_is_of_its_parts_and_as_long_as_athena_wants() -> None:
    assert token("a", "b") == token("a", "b") != token("ab", "") != token("a", "c")
    assert 32 <= len(token("a")) <= 128


def test_a_text_beyond_athenas_limit_is_refused_before_it_is_sent() -> None:
    """262,144 bytes, not characters."""
    assert fitting("x" * MAX_BYTES)
    with pytest.raises(InvalidQuery):
        fitting("汇" * (MAX_BYTES // 3 + 1))
    with pytest.raises(InvalidQuery):
        unload("x" * MAX_BYTES, "s3://b/p/")


def test_unload_is_in_athenas_form_and_other_engines_words_are_told() -> None:
    pytest.importorskip("trino_query_parser")
    from tests.support.athena_conformance import faults

    assert faults(unload('SELECT 1 AS "order"', "s3://bucket/out/")) == []
    assert faults("SELECT order FROM t")
    assert faults("SELECT hash(1), epoch_us(now()), CAST(1 AS HUGEINT)")
    assert faults("SELECT 1 FROM `t`")
    assert faults("SELECT list_filter(ARRAY[1], lambda x: x > 0)")
