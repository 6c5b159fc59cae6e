"""Athena as far as the product uses it, on DuckDB: each text is judged first, then transpiled back and run.

What it proves: that the text for Athena is one Athena takes (see athena_conformance), and that it means what
the text for DuckDB means. What it cannot prove: that Trino computes each function as DuckDB does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import duckdb
import sqlglot
from sqlglot import exp
from tests.support.athena_conformance import faults

from huitong.athena.runs import Progress
from huitong.local.objects import DiskObjects
from huitong.query.dialect import macros_in, to_duckdb
from huitong.warehouse.sql import Files, select_of
from huitong.warehouse.tables import live_files

#: By name and snapshot: a SELECT over local files, with the address of each row's file as ``"$path"``.
Relations = Callable[[str, int], str]
_TYPES = {
    "BIGINT": "bigint", "INTEGER": "integer", "VARCHAR": "varchar", "DOUBLE": "double", "BOOLEAN": "boolean",
    "DATE": "date", "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "HUGEINT": "bigint", "FLOAT": "float", "BLOB": "varbinary", "SMALLINT": "smallint", "TINYINT": "tinyint",
}  # fmt: skip


class LocalAthena:
    """``root`` is where buckets lie as folders. A run is done when it is started."""

    def __init__(self, relations: Relations, root: Path, *, judged: bool = True) -> None:
        self._judged = judged  # off where texts differ in numbers only and are many
        self._relations = relations
        self.root = root
        self.texts: list[str] = []
        self.tokens: dict[str, str] = {}
        self.stopped: list[str] = []
        self.forgotten: list[str] = []
        self.executed = 0
        self.errors: list[str] = []
        self._results: dict[str, tuple[list[tuple[str, str]], list[list[str | None]]]] = {}
        self._failed: dict[str, Progress] = {}
        self._written: dict[str, list[str]] = {}

    def start(self, sql: str, token: str) -> str:
        if token in self.tokens:
            return self.tokens[token]
        wrong = faults(sql) if self._judged else []
        assert not wrong, (wrong, sql)
        id = self.tokens[token] = f"run-{len(self.tokens)}"
        self.texts.append(sql)
        self.executed += 1
        try:
            self._results[id] = self._run(sql, id)
        except duckdb.Error as error:
            self.errors.append(str(error))
            self._failed[id] = Progress("failed", f"GENERIC_USER_ERROR: {error}", "user")
        return id

    def progress(self, id: str) -> Progress:
        return self._failed.get(id, Progress("succeeded"))

    def stop(self, id: str) -> None:
        self.stopped.append(id)

    def columns(self, id: str) -> list[tuple[str, str]]:
        return self._results[id][0]

    def rows(self, id: str) -> Iterator[list[str | None]]:
        yield from self._results[id][1]

    def files(self, id: str) -> list[str]:
        return self._written[id]

    def forget(self, id: str) -> None:
        self.forgotten.append(id)

    def folder(self, uri: str) -> Path:
        parts = urlparse(uri)
        return self.root / parts.netloc / parts.path.strip("/")

    def _run(self, sql: str, id: str) -> tuple[list[tuple[str, str]], list[list[str | None]]]:
        target = None
        if sql.startswith("UNLOAD"):
            inner, to = re.findall(r"UNLOAD \((.*)\) TO '([^']+)' WITH", sql, re.DOTALL)[0]
            target, sql = self.folder(to), inner
            if target.is_dir() and any(target.iterdir()):
                raise duckdb.InvalidInputException("HIVE_PATH_ALREADY_EXISTS")
        with duckdb.connect(config={"integer_division": True}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            text = self._transpiled(sql, connection)
            for statement in macros_in(text):
                connection.execute(statement)
            if target is not None:
                target.mkdir(parents=True, exist_ok=True)
                path = target / f"{id}_part"
                connection.execute(f"COPY ({text}) TO '{path}' (FORMAT parquet)")
                self._written[id] = [f"{to}{path.name}"]
                return [], []
            found = connection.sql(text)
            columns = [(n, _type(str(t))) for n, t in zip(found.columns, found.types, strict=True)]
            cells = [[_text(v) for v in column.to_pylist()] for column in found.to_arrow_table().columns]
            return columns, [list(row) for row in zip(*cells, strict=True)]

    def _transpiled(self, sql: str, connection: duckdb.DuckDBPyConnection) -> str:
        tree = sqlglot.parse_one(sql, read="athena")
        for n, table in enumerate(list(tree.find_all(exp.Table))):
            version = table.args.get("version")
            if not table.db or version is None:
                continue
            rows = self._relations(table.name, int(version.expression.name))
            connection.execute(f"CREATE VIEW t{n} AS {rows}")
            alias = table.args.get("alias")
            table.replace(exp.Table(this=exp.to_identifier(f"t{n}", quoted=True), alias=alias))
        return to_duckdb(tree)


def _type(kind: str) -> str:
    if kind.startswith("TIMESTAMP_"):  # of another precision
        return "timestamp"
    return kind.lower() if kind.startswith("DECIMAL") else _TYPES.get(kind, "varchar")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        shown = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        text = shown.isoformat(sep=" ", timespec="microseconds")
        return f"{text} UTC" if value.tzinfo else text
    if isinstance(value, (date, Decimal, int, float)):
        return str(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    return str(value)


def same_rows(left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]]) -> bool:
    """Whether two answers hold the same rows, in any order."""
    return sorted(map(repr, left)) == sorted(map(repr, right))


class AthenaStaging(DiskObjects):
    """A bucket whose addresses are those of S3; its objects lie where :class:`LocalAthena` writes."""

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root / name)
        self._name = name

    def uri(self, key: str) -> str:
        return f"s3://{self._name}/{key}"

    def key_of(self, uri: str) -> str:
        return uri.removeprefix(f"s3://{self._name}/")


def snapshot_relation(catalog: Callable[[], Any], namespace: str) -> Relations:
    """Iceberg tables of a catalogue as Athena reads them: columns by id, files of the snapshot only."""

    def relation(name: str, snapshot: int) -> str:
        table = catalog().load_table(f"{namespace}.{name}")
        paths = [Path(urlparse(uri).path) for uri in live_files(table, snapshot)]
        columns = {f.name: (f.field_id, str(f.field_type)) for f in table.schema().fields}
        plain = {
            n: (id, _DUCKDB[k.split("(")[0]].format(k)) for n, (id, k) in columns.items() if "<" not in k
        }
        ids = {n: id for n, (id, _) in plain.items()}
        typed = {n: kind for n, (_, kind) in plain.items()}
        path = "'file://' || filename AS \"$path\"" if paths else "'' AS \"$path\""
        return select_of(Files(tuple(paths), ids), typed, more=path)

    return relation


_DUCKDB = {
    "string": "VARCHAR", "long": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamptz": "TIMESTAMP WITH TIME ZONE", "decimal": "{}",
}  # fmt: skip
