"""Where work runs: in this function on DuckDB, or on Athena. Pure; the reason is part of the answer (C-38).

Configured is ``QUERY_ENGINE``: ``duckdb`` or ``athena`` always, ``auto`` by size. A contract may say more
of its resource: ``engine`` (never on the other one), ``athenaAboveRows`` (its own size).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

EngineName = Literal["duckdb", "athena"]
Setting = Literal["duckdb", "athena", "auto"]
Reason = Literal["configured", "contract", "size", "small", "only-here"]

#: Rows above which work goes to Athena, where neither contract nor setting says.
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
