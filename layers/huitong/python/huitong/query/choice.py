"""Where a query runs: in this function on DuckDB, or on Athena. One pure decision, with its reason (C-38).

Configured is ``QUERY_ENGINE``: ``duckdb`` or ``athena`` always, ``auto`` by size. A contract may say more
of its resource: ``engine`` (never on the other one), ``athenaAboveRows`` (its own size). What only DuckDB
can read stays here, whatever is configured: its own limits of time and memory hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from huitong.errors import InvalidQuery
from huitong.query.engine import Outcome
from huitong.query.limits import Limits
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable

EngineName = Literal["duckdb", "athena"]
Setting = Literal["duckdb", "athena", "auto"]
Reason = Literal["configured", "contract", "size", "small", "only-here"]

#: Rows of all tables of a query above which it goes to Athena, where neither contract nor setting says.
ABOVE_ROWS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """``about``: the resource that decided, or why Athena cannot (in English; never a value)."""

    engine: EngineName
    reason: Reason
    about: str = ""

    @property
    def told(self) -> str:
        return f"{self.reason}:{self.about}" if self.about else self.reason


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


def choose_by_rows(
    setting: Setting, resource: str, engine: str, above: int, rows: int, default_above: int = ABOVE_ROWS
) -> Choice:
    """Decide for one resource of ``rows`` rows, as its contract says (``engine``, ``above``)."""
    if engine in ("duckdb", "athena") and setting != "duckdb":
        return Choice("athena" if engine == "athena" else "duckdb", "contract", resource)
    if setting != "auto":
        return Choice(setting, "configured")
    if rows > (above or default_above):
        return Choice("athena", "size", resource)
    return Choice("duckdb", "small")


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
