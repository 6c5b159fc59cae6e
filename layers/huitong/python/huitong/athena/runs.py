"""Runs on Athena: started once, waited for within a time, stopped beyond it, and their errors as ours (C-38).

Light and pure, but for :func:`finished`, which polls.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from huitong.errors import Fault, HuitongError, InvalidQuery, LimitExceeded, Problem, Unavailable

State = Literal["running", "succeeded", "failed", "cancelled"]
#: Whose fault a failed run is, as Athena says: its own, the query's, or something else's.
Category = Literal["", "system", "user", "other"]

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0

#: Beginnings of reasons that speak of the query, for answers that name no category. Texts of functions that
#: convert or divide come with a code of this kind, too.
_OF_QUERY: Final = (
    "SYNTAX_ERROR", "TYPE_MISMATCH", "COLUMN_NOT_FOUND", "TABLE_NOT_FOUND", "FUNCTION_NOT_FOUND",
    "INVALID_CAST_ARGUMENT", "INVALID_FUNCTION_ARGUMENT", "DIVISION_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE",
    "SUBQUERY_MULTIPLE_ROWS", "AMBIGUOUS_NAME", "MISMATCHED_COLUMN_ALIASES", "NOT_SUPPORTED",
    "EXPRESSION_NOT_AGGREGATE", "INVALID_LITERAL", "MISSING_COLUMN_NAME", "DUPLICATE_COLUMN_NAME",
)  # fmt: skip
_RESOURCES: Final = ("exhausted resources", "EXCEEDED_LOCAL_MEMORY_LIMIT", "EXCEEDED_GLOBAL_MEMORY_LIMIT")
_TIME: Final = ("Query timeout", "EXCEEDED_TIME_LIMIT")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. ``reason`` may hold a value of a row and is never told."""

    state: State
    reason: str = ""
    category: Category = ""
    retryable: bool = False
    scanned_bytes: int = 0


class AthenaRuns(Protocol):
    """Athena; the adapter is :mod:`huitong.aws.athena`."""

    def start(self, sql: str, token: str) -> str:
        """The id of a run. The same text with the same token (32 to 128 characters) is the same run."""
        ...

    def progress(self, id: str) -> Progress: ...

    def stop(self, id: str) -> None: ...

    def columns(self, id: str) -> list[tuple[str, str]]:
        """Names and Athena's types."""
        ...

    def rows(self, id: str) -> Iterator[list[str | None]]:
        """Rows as text, without the heading."""
        ...

    def files(self, id: str) -> list[str]:
        """Addresses of the files that an UNLOAD wrote, as Athena noted them."""
        ...

    def forget(self, id: str) -> None:
        """Delete the file in which Athena left the rows, where it is ours to delete."""
        ...


def token(*parts: str) -> str:
    """What makes a start idempotent: the same parts, the same run (Athena keeps it for its history)."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def finished(
    runs: AthenaRuns,
    id: str,
    deadline: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
    stop: bool = True,
) -> Progress:
    """Wait until a run has succeeded. One that is not done at the deadline (of ``clock``) is stopped, or
    with ``stop`` off left to itself: whoever asks again with its token finds it (Unavailable until then).

    Raises LimitExceeded (time, memory, bytes read), InvalidQuery (the query's own fault), Unavailable (try
    again) and Fault. None of them tells a value of a row.
    """
    wait = _FIRST_PAUSE
    while (progress := runs.progress(id)).state == "running":
        left = deadline - clock()
        if left <= 0 and not stop:
            raise Unavailable(f"Athena 仍在执行 {id}", f"Athena is still at work: {id}", run=id)
        if left <= 0:
            runs.stop(id)
            raise _too_slow()
        pause(min(wait, left))
        wait = min(wait * 1.6, _LONGEST_PAUSE)
    error = trouble(progress)
    if error is not None:
        raise error
    return progress


def trouble(progress: Progress) -> HuitongError | None:
    """Our error for a run that ended otherwise than well; None when it succeeded.

    What the asker can change is a refusal, what heals by itself is Unavailable, the rest a fault.
    """
    if progress.state == "succeeded":
        return None
    reason = progress.reason
    if "ytes scanned limit" in reason:
        zh = "查询读取的数据超过上限,请限定条件或只查所需字段"
        return LimitExceeded(
            zh, "The query reads too much: name conditions or fewer columns", limit="scanned_bytes"
        )
    if any(text in reason for text in _TIME):
        return _too_slow()
    if any(text in reason for text in _RESOURCES):
        return LimitExceeded("查询所需内存过多", "The query needs too much memory", limit="memory_mb")
    if progress.state == "cancelled":
        return Unavailable("查询被取消", "The query was cancelled")
    code = _code(reason)
    if progress.category == "user" or (not progress.category and code.startswith(_OF_QUERY)):
        zh, en = f"Athena 拒绝执行({code})", f"Athena refused the query ({code})"
        return InvalidQuery(zh, en, problems=[Problem("query.athena", zh, en)])
    if progress.retryable or progress.category in ("system", ""):
        return Unavailable(f"Athena 执行失败({code})", f"Athena failed ({code})", what="athena", reason=code)
    return Fault(f"Athena 执行失败({code})", f"Athena failed ({code})", what="athena", reason=code)


def _code(reason: str) -> str:
    """The code before the colon of a reason; texts without one may hold anything."""
    head = reason.partition(":")[0].strip()
    known = head.replace("_", "").isalnum() and head.isascii() and head == head.upper() and len(head) <= 60
    return head if known else "UNKNOWN"


def _too_slow() -> LimitExceeded:
    return LimitExceeded(
        "查询在 Athena 上超过时限,已停止",
        "The query took too long on Athena and was stopped",
        limit="seconds",
    )
