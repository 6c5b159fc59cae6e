"""Query executions: waiting, running, ended; a few at once for each analyst, kept for an hour.

In memory only: the text of a query may hold personal values (S-16). The evidence is the platform's.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from athena_endpoint.errors import ApiError, StatementFailed, invalid
from athena_endpoint.keys import Analyst
from athena_endpoint.product import Ran
from athena_endpoint.results import Column
from athena_endpoint.statements import REPORTED, Statement
from athena_endpoint.workgroups import WorkGroup

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
ENDED: Final = ("SUCCEEDED", "FAILED", "CANCELLED")
#: Bounds for each analyst, and for all (S-34).
RUNNING_EACH: Final = 3
WAITING_EACH: Final = 20
RUNNING_ALL: Final = 8
KEPT_SECONDS: Final = 3600
KEPT_EACH: Final = 1000


@dataclass
class Execution:
    """``use`` is what it is for, once known; ``rows`` are those of SHOW and DESCRIBE: others the platform
    has."""

    id: str
    analyst: Analyst
    query: str
    group: WorkGroup
    asked: Mapping[str, Any]
    submitted: float
    managed: bool = False
    state: State = "QUEUED"
    reason: str = ""
    ours: bool = False
    began: float = 0.0
    ended: float = 0.0
    statement: Statement | None = None
    use: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    ran: Ran | None = None
    location: str = ""
    manifest: str = ""
    size: int = 0

    def cancelled(self) -> bool:
        return self.state == "CANCELLED"

    @property
    def kind(self) -> tuple[str, str]:
        return REPORTED[self.statement.kind] if self.statement else ("DML", "SELECT")


class Executions:
    """``work`` does one execution in a thread and raises StatementFailed when it cannot."""

    def __init__(self, work: Callable[[Execution], None], now: Callable[[], float]) -> None:
        self._work = work
        self._now = now
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(RUNNING_ALL, thread_name_prefix="query")
        self._known: dict[str, Execution] = {}
        self._waiting: dict[str, list[Execution]] = {}
        self._busy: dict[str, int] = {}
        self._tokens: dict[tuple[str, str], tuple[str, str]] = {}

    def start(
        self, analyst: Analyst, group: WorkGroup, asked: Mapping[str, Any], *, managed: bool = False
    ) -> str:
        """The id of a new execution, or of the one that the same request token began.

        Raises ApiError when too many wait, or a token comes with another request.
        """
        token, same = asked.get("ClientRequestToken", ""), repr(sorted(asked.items()))
        with self._lock:
            self._forget()
            former = self._tokens.get((analyst.principal, token)) if token else None
            if former is not None and former[0] in self._known:
                if former[1] != same:
                    raise invalid(
                        "同一 ClientRequestToken 的请求不同",
                        "Idempotent parameters do not match",
                        "IDEMPOTENT_MISMATCH",
                    )
                return former[0]
            waiting = self._waiting.setdefault(analyst.principal, [])
            own = sum(one.analyst.principal == analyst.principal for one in self._known.values())
            if len(waiting) >= WAITING_EACH or own >= KEPT_EACH:
                raise ApiError(
                    "TooManyRequestsException",
                    "排队的查询过多,请稍后 / Too many queries wait: try again later",
                    Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED",
                )
            query, now = asked["QueryString"], self._now()
            made = Execution(str(uuid.uuid4()), analyst, query, group, asked, now, managed=managed)
            self._known[made.id] = made
            if token:
                self._tokens[analyst.principal, token] = (made.id, same)
            waiting.append(made)
            self._next(analyst.principal)
            return made.id

    def get(self, analyst: Analyst, id: str) -> Execution:
        """Raises ApiError, the same for one that is another's and one that is not there."""
        found = self._known.get(id)
        if found is None or found.analyst.principal != analyst.principal:
            raise invalid(f"没有查询 {id}", f"QueryExecution {id} was not found", "QUERY_EXECUTION_NOT_FOUND")
        return found

    def of(self, analyst: Analyst, group: str) -> list[Execution]:
        """The newest first."""
        own = [e for e in self._known.copy().values() if e.analyst.principal == analyst.principal]
        return [e for e in reversed(own) if e.group.name == group]

    def stop(self, analyst: Analyst, id: str) -> None:
        """At once for the asker; a query that the platform runs already ends there within its own limit."""
        found = self.get(analyst, id)
        with self._lock:
            if found.state not in ENDED:
                self._end(found, "CANCELLED", "用户取消 / Query was cancelled by the user")
            waiting = self._waiting.get(analyst.principal, [])
            if found in waiting:
                waiting.remove(found)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self, principal: str) -> None:
        waiting = self._waiting.get(principal, [])
        while waiting and self._busy.get(principal, 0) < RUNNING_EACH:
            self._busy[principal] = self._busy.get(principal, 0) + 1
            self._pool.submit(self._run, waiting.pop(0))

    def _run(self, execution: Execution) -> None:
        try:
            with self._lock:
                if execution.cancelled():
                    return
                execution.state, execution.began = "RUNNING", self._now()
            self._work(execution)
            with self._lock:
                if execution.state == "RUNNING":
                    self._end(execution, "SUCCEEDED")
        except StatementFailed as failed:
            self._failed(execution, failed.reason, ours=failed.ours)
        except ApiError as refused:  # a prepared statement that is not there
            self._failed(execution, refused.message, ours=False)
        except BaseException as fault:
            name = type(fault).__name__
            self._failed(execution, f"端点出错 / The endpoint failed ({name})", ours=True)
            raise
        finally:
            with self._lock:
                self._busy[execution.analyst.principal] -= 1
                self._next(execution.analyst.principal)

    def _failed(self, execution: Execution, reason: str, *, ours: bool) -> None:
        with self._lock:
            if execution.state not in ENDED:
                execution.ours = ours
                self._end(execution, "FAILED", reason)

    def _end(self, execution: Execution, state: State, reason: str = "") -> None:
        execution.state, execution.reason, execution.ended = state, reason, self._now()

    def _forget(self) -> None:
        before = self._now() - KEPT_SECONDS
        old = [one.id for one in self._known.values() if one.state in ENDED and one.ended < before]
        for id in old:
            del self._known[id]
        self._tokens = {k: v for k, v in self._tokens.items() if v[0] in self._known}
