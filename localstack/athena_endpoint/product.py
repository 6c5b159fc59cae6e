"""The platform's API as one analyst uses it: nothing here sees more than that analyst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from athena_endpoint.errors import StatementFailed
from athena_endpoint.results import Column, column
from huitong.cli.client import Client, Refused
from huitong.cli.connection import Connection

ARROW: Final = "application/vnd.apache.arrow.stream"
PAGE: Final = 10_000
_COLUMNS: Final = (
    "SELECT table_name, column_name, data_type, comment FROM information_schema.columns "
    "WHERE table_schema = 'huitong' ORDER BY table_name, ordinal_position"
)
_TABLES: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'huitong' ORDER BY 1"


class KeyEnded(StatementFailed):
    """The credential or session behind the analyst's keys is none any more."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A query that ran and is on record; its rows are had by pages while the access stays."""

    id: str
    columns: tuple[Column, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A table that the analyst may know of, with (name, type, comment) of its columns."""

    name: str
    columns: tuple[tuple[str, str, str], ...]


class Product:
    """Methods raise StatementFailed with the platform's own words (KeyEnded when the token is none)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def me(self) -> dict[str, Any]:
        return dict(self._call(lambda api: api.get("me"), {}))

    def run(self, sql: str, use: Mapping[str, str]) -> Ran:
        """One SELECT: checked, run and recorded by the platform."""
        told = self._call(lambda api: api.post("queries", body={"sql": sql, "limit": 1}), use)
        columns = tuple(column(c["name"], c["type"]) for c in told["columns"])
        return Ran(told["query_id"], columns, told["total_rows"])

    def rows(self, id: str, use: Mapping[str, str], after: int = 0, limit: int = PAGE) -> pa.Table:
        """Rows from ``after`` on, at most ``limit`` and fewer when they are large."""
        query = {"format": "arrow", "after": str(after) if after else "", "limit": min(limit, PAGE)}
        answer = self._call(lambda api: api.answer("GET", "queries", id, accept=ARROW, **query), use)
        with pa.ipc.open_stream(answer.data) as stream:
            return stream.read_all()

    def pages(self, ran: Ran, use: Mapping[str, str]) -> Iterator[pa.Table]:
        """All rows. Raises StatementFailed, also when fewer come than there are."""
        after = 0
        while after < ran.rows:
            page = self.rows(ran.id, use, after)
            if not page.num_rows:
                raise StatementFailed("结果不完整", "The result is not whole", code="incomplete", ours=True)
            yield page
            after += page.num_rows

    def export(self, ran: Ran, use: Mapping[str, str], target: Path) -> None:
        """The result as the platform's own marked Parquet file: needs a grant that names exports."""
        body = {"format": "parquet", "purpose": use.get("purpose", "")}
        made = self._call(lambda api: api.post("queries", ran.id, "export", body=body), use)
        self._call(lambda api: api.download(made["url"], target, sha256=made["sha256"]), use)

    def tables(self, use: Mapping[str, str]) -> list[Shown]:
        """What the analyst may know of, with the columns and types as they are for this analyst."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for row in self._listing(_COLUMNS, use):
            found.setdefault(row[0] or "", []).append((row[1] or "", row[2] or "", row[3] or ""))
        return [Shown(name, tuple(columns)) for name, columns in found.items()]

    def names(self, use: Mapping[str, str]) -> list[str]:
        """Names of tables, with those of their changes and histories."""
        return [row[0] or "" for row in self._listing(_TABLES, use)]

    def _listing(self, sql: str, use: Mapping[str, str]) -> list[tuple[str | None, ...]]:
        from athena_endpoint.results import text_rows

        ran = self.run(sql, use)
        return [row for page in self.pages(ran, use) for row in text_rows(page)]

    def _call(self, ask: Any, use: Mapping[str, str]) -> Any:
        said = {name: use.get(name, "") for name in ("case", "duty", "purpose", "grant")}
        unit = use.get("unit") or self._connection.unit
        try:
            return ask(Client(replace(self._connection, unit=unit, **said)))
        except Refused as refused:
            raise _failed(refused.problem) from refused


def _failed(problem: Mapping[str, Any]) -> StatementFailed:
    detail = str(problem.get("detail", ""))
    before, _, behind = detail.partition(" / ")
    zh, en = str(problem.get("zh") or before), str(problem.get("en") or behind or before)
    further = [p for p in problem.get("problems", ()) if p.get("zh") != zh]
    zh += "".join(f";{p['zh']}" for p in further[:5])
    en += "".join(f"; {p['en']}" for p in further[:5])
    status, code = int(problem.get("status") or 0), str(problem.get("code", ""))
    kind = KeyEnded if status == 401 else StatementFailed
    return kind(zh, en, code=code, ours=status == 0 or status >= 500)
