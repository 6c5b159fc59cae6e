"""Queries on Athena: started, waited for, fetched, and whose data they gave (C-38).

The text is :mod:`huitong.query.athena_text`'s. Whose data a result holds is found by a second query over the
same views, of keys and persons as they are; they become blind indexes in this process, since their key
must not stand in a text that Athena keeps (S-16). Nothing is answered before that evidence is there.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from huitong.athena.runs import AthenaRuns, finished, token
from huitong.athena.values import batches_of, schema_of
from huitong.audit.subjects import Subjects
from huitong.contracts.model import Contract
from huitong.errors import HuitongError, LimitExceeded
from huitong.query.athena_text import athena_sql, disclosed_sql
from huitong.query.engine import Disclosed, Outcome, unique_names
from huitong.query.limits import Limits
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable

#: Keys and persons of more rows than this are not fetched for evidence: the query is refused instead.
MOST_DISCLOSED: Final = 1_000_000


class DisclosingRows(Protocol):
    """:class:`huitong.audit.disclosed.Disclosures`, as far as Athena's queries need it."""

    def of_batches(self, contract: Contract, batches: Iterable[pa.RecordBatch]) -> Subjects: ...


@dataclass(frozen=True, slots=True)
class _Evidence:
    contract: Contract
    exact: bool
    run: str


class AthenaEngine:
    """``namespace``: the Glue database of the tables; ``request`` gives the id of what is being worked on."""

    name = "athena"

    def __init__(
        self,
        runs: AthenaRuns,
        namespace: str,
        disclosures: DisclosingRows | None = None,
        *,
        request: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._runs = runs
        self._namespace = namespace
        self._disclosures = disclosures
        self._request = request
        self._clock = clock
        self._pause = pause

    def run(self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path) -> Outcome:
        """Start, wait, fetch; a query that is over its time is stopped, with what was started beside it.

        Raises LimitExceeded, InvalidQuery (what Athena refuses, or a table that
        cannot be read there), Unavailable, and Fault.
        """
        deadline = self._clock() + limits.seconds
        sql = athena_sql(query, tables, self._namespace)
        relations = disclosed_sql(query, tables, self._namespace) if self._disclosures is not None else []
        request = self._request() or uuid.uuid4().hex
        started: dict[str, bool] = {}  # runs whose results lie in Athena's place: whether they have ended
        try:
            id = self._start(sql, request, started)
            evidence = [
                _Evidence(r.contract, r.exact, self._start(r.sql, request, started)) for r in relations
            ]
            self._finish(id, deadline, started)
            outcome = self._written(id, limits, deadline, target, started)
            disclosed = tuple(self._disclosed(evidence, deadline, started))
        finally:
            self._cleared(started)
        return replace(outcome, disclosed=disclosed)

    def _start(self, sql: str, request: str, started: dict[str, bool]) -> str:
        id = self._runs.start(sql, token(request, sql))
        started[id] = False
        return id

    def _finish(self, id: str, deadline: float, started: dict[str, bool]) -> None:
        finished(self._runs, id, deadline, clock=self._clock, pause=self._pause)
        started[id] = True

    def _fetched(self, id: str, started: dict[str, bool]) -> None:
        self._runs.forget(id)
        del started[id]

    def _cleared(self, started: dict[str, bool]) -> None:
        """After a failure, too, no rows and no numbers of persons stay behind.

        What cannot be removed now goes with the bucket's own rule, and hides no error that was there before.
        """
        for id, ended in started.items():
            with suppress(HuitongError):
                if not ended:
                    self._runs.stop(id)
            with suppress(HuitongError):
                self._runs.forget(id)

    def _written(
        self, id: str, limits: Limits, deadline: float, target: Path, started: dict[str, bool]
    ) -> Outcome:
        columns = self._runs.columns(id)
        names = unique_names([name for name, _ in columns])
        kinds = [kind for _, kind in columns]
        schema = schema_of(names, kinds)
        rows, chunks = 0, []
        with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            bounded = self._bounded(self._runs.rows(id), limits.rows, deadline)
            for batch in batches_of(bounded, schema):
                writer.write_batch(batch)
                rows += batch.num_rows
                chunks.append(batch.num_rows)
                if file.tell() > limits.result_bytes:
                    raise _too_large("result_bytes")
        self._fetched(id, started)
        named = tuple(zip(names, kinds, strict=True))
        return Outcome(named, rows, target.stat().st_size, tuple(chunks), engine_id=id)

    def _bounded(self, rows: Iterator[list[str | None]], most: int, deadline: float) -> Iterator[list[Any]]:
        for number, row in enumerate(rows):
            if number >= most:
                raise _too_large("rows")
            if number % 1_000 == 0 and self._clock() > deadline:
                raise LimitExceeded(
                    "取回结果超过时限,请加条件或 LIMIT",
                    "Fetching the result took too long: add a condition or a LIMIT",
                    limit="seconds",
                )
            yield row

    def _disclosed(
        self, evidence: Sequence[_Evidence], deadline: float, started: dict[str, bool]
    ) -> Iterator[Disclosed]:
        known = self._disclosures
        if known is None:
            return
        for one in evidence:
            self._finish(one.run, deadline, started)
            columns = self._runs.columns(one.run)
            schema = schema_of([name for name, _ in columns], [kind for _, kind in columns])
            rows = self._bounded(self._runs.rows(one.run), MOST_DISCLOSED, deadline)
            subjects = known.of_batches(one.contract, batches_of(rows, schema))
            self._fetched(one.run, started)
            yield Disclosed(one.contract.id, subjects, one.exact)


def _too_large(limit: str) -> LimitExceeded:
    zh, en = "结果过大,请加条件或 LIMIT", "The result is too large: add a condition or a LIMIT"
    return LimitExceeded(zh, en, limit=limit)
