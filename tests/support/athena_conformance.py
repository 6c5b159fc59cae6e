"""Judges of texts for Athena: a list of what its engine has, Trino's own grammar, and sqlglot.

The list is infra/athena/engine3.json. The grammar is that of Trino 422 (the package trino-query-parser), so
what it takes was not decided by the library that wrote the text. Athena's own statements (UNLOAD, OPTIMIZE,
VACUUM, Hive's DDL) are no part of it: their form is checked here, and what they hold by the grammar. And
Trino's that Athena has not (CALL, GRANT, ALTER TABLE … EXECUTE) are refused before the grammar takes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlglot
from sqlglot.errors import SqlglotError

LIST: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "infra" / "athena" / "engine3.json").read_text()
)
FUNCTIONS: Final = frozenset(name for names in LIST["functions"].values() for name in names)
TYPES: Final = frozenset(LIST["types"]["dml"])
_DDL_TYPES: Final = frozenset(LIST["types"]["ddl"])

_UNLOAD: Final = re.compile(
    r"UNLOAD \((?P<select>.*)\) TO 's3://[a-z0-9.-]+/[^']*/' WITH \((?P<properties>.*)\)", re.DOTALL
)
_PROPERTY: Final = re.compile(
    r"(?P<name>\w+) = (?P<value>'(?:[^']|'')*'|\d+|ARRAY\['\w+'(?:, '\w+')*\])(?:, |$)"
)
_TABLE: Final = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+)){0,2}'
_OPTIMIZE: Final = re.compile(
    rf"OPTIMIZE (?P<table>{_TABLE}) REWRITE DATA USING BIN_PACK(?: WHERE (?P<where>.+))?"
)
_VACUUM: Final = re.compile(rf"VACUUM {_TABLE}")
_NAME: Final = r"`(?:[^`]|``)+`"
_EXTERNAL: Final = re.compile(
    rf"CREATE EXTERNAL TABLE IF NOT EXISTS {_NAME}\.{_NAME} \((?P<columns>.*)\) "
    r"STORED AS PARQUET LOCATION 's3://[a-z0-9.-]+/[^']*/'",
    re.DOTALL,
)
_DROP: Final = re.compile(rf"DROP TABLE IF EXISTS {_NAME}\.{_NAME}")
_COLUMN: Final = re.compile(rf"{_NAME} (?P<type>[a-z]+)(?:\(\d+(?:,\d+)?\))?")


def faults(sql: str) -> list[str]:
    """Everything for which Athena would not take a text; empty = none is known."""
    return list(_faults(sql))


def _faults(sql: str) -> Iterator[str]:
    if len(sql.encode()) > LIST["limits"]["query_bytes"]:
        yield f"{len(sql.encode())} bytes"
    for start, judge in _JUDGES.items():
        if sql.startswith(start):
            yield from judge(sql)
            return
    yield f"no statement of Athena's that is known here: {sql[:20]}"


def _of_external(sql: str) -> Iterator[str]:
    found = _EXTERNAL.fullmatch(sql)
    if found is None:
        yield "not in the form of CREATE EXTERNAL TABLE"
        return
    for column in re.split(r", (?=`)", found["columns"]):
        kind = _COLUMN.fullmatch(column)
        if kind is None or kind["type"] not in _DDL_TYPES:
            yield f"column {column}"


def _of_optimize(sql: str) -> Iterator[str]:
    found = _OPTIMIZE.fullmatch(sql)
    if found is None:
        yield "not in the form of OPTIMIZE"
    elif found["where"]:
        yield from grammar_faults(f"SELECT 1 FROM {found['table']} WHERE {found['where']}")


def _in_form(form: re.Pattern[str]) -> Callable[[str], list[str]]:
    return lambda sql: [] if form.fullmatch(sql) else [f"not in the form of {sql.split()[0]}"]


def _of_unload(sql: str) -> Iterator[str]:
    found, known = _UNLOAD.fullmatch(sql), LIST["unload"]
    if found is None:
        yield "not in the form of UNLOAD"
        return
    told = {p["name"]: p["value"].strip("'") for p in _PROPERTY.finditer(found["properties"])}
    if _PROPERTY.sub("", found["properties"]):
        yield f"properties {found['properties']}"
    yield from (f"property {name}" for name in told if name not in known["properties"])
    if told.get("format") not in known["formats"]:
        yield f"format {told.get('format')}"
    elif told["format"] == "PARQUET" and told.get("compression", "GZIP") not in known["parquet_compressions"]:
        yield f"compression {told['compression']}"
    yield from _of_query(found["select"])


def _of_query(sql: str) -> Iterator[str]:
    for dialect in ("athena", "trino"):
        try:
            sqlglot.parse_one(sql, read=dialect)
        except SqlglotError as error:
            yield f"sqlglot ({dialect}): {error}"
    if "`" in re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "", sql):
        yield "backticks outside of DDL"
    for part in _parts(sql):
        yield from grammar_faults(part)


#: First words → who judges the rest. On Iceberg, Athena's DML is Trino's.
_JUDGES: Final[dict[str | tuple[str, ...], Callable[[str], Iterable[str]]]] = {
    ("SELECT", "WITH", "VALUES", "(", *LIST["iceberg"]["write"]): _of_query,
    "UNLOAD": _of_unload,
    "CREATE EXTERNAL": _of_external,
    "DROP": _in_form(_DROP),
    "OPTIMIZE": _of_optimize,
    "VACUUM": _in_form(_VACUUM),
}


def _parts(sql: str) -> Iterator[str]:
    """The text, and apart from it each long text of its WITH, which many queries have in common."""
    try:
        tree = sqlglot.parse_one(sql, read="athena")
    except SqlglotError:
        yield sql
        return
    found = tree.args.get("with_")
    for cte in found.expressions if found is not None else ():
        body = str(cte.this.sql("athena", identify=True, comments=False))
        if len(body) > 500 and sql.count(f"({body})") == 1:
            yield body
            sql = sql.replace(f"({body})", "(SELECT 1)")
    yield sql


@cache
def grammar_faults(sql: str) -> tuple[str, ...]:
    """What Trino's grammar refuses, and functions and types that the list has not."""
    return tuple(_grammar_faults(sql))


def _grammar_faults(sql: str) -> Iterator[str]:
    from antlr4 import CommonTokenStream, InputStream, ParseTreeWalker
    from antlr4.atn.PredictionMode import PredictionMode
    from trino_query_parser.error import TrinoErrorListener, TrinoSyntaxError
    from trino_query_parser.SqlBaseLexer import SqlBaseLexer
    from trino_query_parser.SqlBaseListener import SqlBaseListener
    from trino_query_parser.SqlBaseParser import SqlBaseParser

    class Names(SqlBaseListener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.functions: set[str] = set()
            self.types: set[str] = set()

        def enterFunctionCall(self, ctx: Any) -> None:
            self.functions.add(ctx.qualifiedName().getText())

        def enterGenericType(self, ctx: Any) -> None:
            self.types.add(ctx.identifier().getText())

    stream = InputStream(sql)
    stream.data = [ord(chr(code).upper()) if code < 128 else code for code in stream.data]
    lexer = SqlBaseLexer(stream)
    parser = SqlBaseParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(TrinoErrorListener())
    parser._interp.predictionMode = PredictionMode.SLL
    try:
        tree = parser.singleStatement()
    except TrinoSyntaxError as error:
        yield f"grammar: {str(error)[:200]}"
        return
    names = Names()
    ParseTreeWalker().walk(names, tree)
    yield from sorted(f"function {n}" for n in names.functions if n.strip('"').lower() not in FUNCTIONS)
    yield from sorted(f"type {n}" for n in names.types if n.strip('"').lower() not in TYPES)
