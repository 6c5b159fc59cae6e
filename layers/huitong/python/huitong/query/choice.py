"""Where a query runs (C-38): :mod:`huitong.athena.choice` for all of its tables together.

What only DuckDB can read stays here, whatever is configured: its own limits of time and memory hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from huitong.athena.choice import ABOVE_ROWS, Choice, Setting, choose_by_rows
from huitong.errors import InvalidQuery
from huitong.query.engine import Outcome
from huitong.query.limits import Limits
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable


def choose(
    setting: Setting,
    tables: Sequence[Readable],
    unreadable: Callable[[Readable], InvalidQuery | None],
    above_rows: int = ABOVE_ROWS,
) -> Choice:
    """Decide for a query over ``tables``; ``unreadable`` says why Athena cannot read one."""
    wanted = _wanted(setting, tables, above_rows)
    if wanted.engine == "duckdb":
        return wanted
    for table in tables:
        refusal = unreadable(table)
        if refusal is not None:
            return Choice("duckdb", "only-here", refusal.en)
    return wanted


def _wanted(setting: Setting, tables: Sequence[Readable], above_rows: int) -> Choice:
    if setting == "duckdb":
        return Choice("duckdb", "configured")
    known = [t for t in tables if t.contract is not None and not t.fixed]
    choices = [
        choose_by_rows(
            setting,
            t.contract.id,
            t.contract.engine,
            t.contract.athena_above_rows,
            t.publication.rows if t.publication else 0,
            above_rows,
        )
        for t in known
        if t.contract is not None
    ]
    kept_here = next((c for c in choices if c.engine == "duckdb" and c.reason == "contract"), None)
    if kept_here is not None:
        return kept_here
    sent = next((c for c in choices if c.engine == "athena"), None)
    if sent is not None:
        return sent
    rows = sum(t.publication.rows for t in known if t.publication)
    if setting == "auto" and rows > above_rows:
        return Choice("athena", "size", "+".join(sorted({t.contract.id for t in known if t.contract})))
    # a query that reads no table of rows has nothing that Athena is for
    return Choice("duckdb", "small")


class _Engine(Protocol):
    name: str

    def run(
        self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path
    ) -> Outcome: ...


class EitherEngine:
    """Runs each query where :func:`choose` says."""

    def __init__(
        self, setting: Setting, here: _Engine, athena: _Engine, *, above_rows: int = ABOVE_ROWS
    ) -> None:
        self.name: str = setting
        self._setting = setting
        self._here = here
        self._athena = athena
        self._above_rows = above_rows

    def run(self, query: CheckedQuery, tables: Sequence[Readable], limits: Limits, target: Path) -> Outcome:
        """Raises what the engines raise."""
        from huitong.query.athena_text import unreadable

        choice = choose(self._setting, tables, unreadable, self._above_rows)
        if choice.engine == "athena":
            choice = self._readable_back(choice, query, tables)
        engine = self._athena if choice.engine == "athena" else self._here
        outcome = engine.run(query, tables, limits, target)
        return replace(outcome, engine=choice.engine, reason=choice.told)

    def _readable_back(self, choice: Choice, query: CheckedQuery, tables: Sequence[Readable]) -> Choice:
        """Lists and rows come from Athena as text that cannot be told apart: such results are made here."""
        from huitong.query.binding import nested_columns

        nested = nested_columns(query, tables)
        if nested:
            return Choice("duckdb", "only-here", f"lists or rows in the result: {', '.join(nested[:5])}")
        return choice
