"""A checked query in DuckDB's words, where the two differ."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from huitong.errors import InvalidQuery, Problem
from huitong.query.functions import JODA, MACROS

# The parser warns with the text it was given ("'EXPLAIN … 张三' contains unsupported syntax"), and the log
# of a function takes every warning: no text of a query may stand there (S-16). Who asked is told the error.
logging.getLogger("sqlglot").disabled = True

_INTERVALS: Final = {
    "MILLISECOND": "to_milliseconds",
    "SECOND": "to_seconds",
    "MINUTE": "to_minutes",
    "HOUR": "to_hours",
    "DAY": "to_days",
    "WEEK": "to_weeks",
    "MONTH": "to_months",
    "QUARTER": "to_quarters",
    "YEAR": "to_years",
}


def to_duckdb(tree: exp.Expr) -> str:
    """The text for DuckDB; every identifier quoted. Raises InvalidQuery when something has no counterpart."""
    try:
        changed = rewritten(tree.copy(), _rewritten)
        return str(changed.sql("duckdb", identify=True, comments=False, unsupported_level=ErrorLevel.RAISE))
    except UnsupportedError as error:
        raise invalid("query.unsupported", f"不支持:{error}", f"Not supported: {error}") from error


def rewritten(tree: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """The tree with its nodes changed, children first (sqlglot's transform skips those of a changed node)."""
    for node in reversed(list(tree.walk(bfs=True))):
        new = change(node)
        if new is not node:
            if node is tree:
                return new
            node.replace(new)
    return tree


def macros_in(duckdb_sql: str) -> list[str]:
    """CREATE statements of the macros that the text uses."""
    used = set(re.findall(r"\b([a-z_0-9]+)\(", duckdb_sql.lower()))
    return [f"CREATE MACRO {name}{body}" for name, body in MACROS.items() if name in used]


def strftime_of(joda: str) -> str:
    """A Joda date pattern as strftime's. Raises InvalidQuery on a letter without counterpart."""
    out = []
    for quoted_part, plain in re.findall(r"'((?:[^']|'')*)'|([^']+)", joda):
        if quoted_part or not plain:
            out.append((quoted_part or "'").replace("''", "'").replace("%", "%%"))
            continue
        for char, run in groupby(plain):
            letters = "".join(run)
            if not (char.isascii() and char.isalpha()):
                out.append(letters.replace("%", "%%"))
            elif letters in JODA:
                out.append(JODA[letters])
            else:
                zh, en = (
                    f"不支持的日期格式字母 {letters}",
                    f"Date pattern letters {letters} are not supported",
                )
                raise invalid("query.date-pattern", zh, en)
    return "".join(out)


def invalid(rule: str, zh: str, en: str, **where: Any) -> InvalidQuery:
    """The refusal of a query, with one problem."""
    return InvalidQuery(zh, en, problems=[Problem(rule, zh, en, where)])


def _rewritten(node: Any) -> Any:
    change = _REWRITES.get(type(node))
    return change(node) if change else node


def _call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _truncated(node: exp.Expression) -> exp.Expression:
    unit = exp.Literal.string(_unit(node).lower())
    return _call("athena_date_trunc", unit, node.this)


def _date_added(node: exp.Expression) -> exp.Expression:
    return _call("athena_add", node.this, _span(_unit(node), node.expression))


def _span(unit: str, count: exp.Expression) -> exp.Expression:
    if unit not in _INTERVALS:
        raise invalid("query.unit", f"不支持的时间单位 {unit}", f"Time unit {unit} is not supported")
    kind = "INT" if unit in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR") else "BIGINT"
    return _call(_INTERVALS[unit], exp.cast(count, kind))


def _unit(node: exp.Expression) -> str:
    unit = node.args.get("unit")
    return str(unit.name if unit is not None else "DAY").upper()


def _interval_sum(node: exp.Expression) -> exp.Expression:
    """date ± interval stays a date, as in Athena."""
    other, interval = node.this, node.expression
    if (
        isinstance(other, exp.Interval)
        and isinstance(node, exp.Add)
        and not isinstance(interval, exp.Interval)
    ):
        other, interval = interval, other
    if not isinstance(interval, exp.Interval) or not isinstance(interval.this, exp.Expression):
        return node
    span = _span(_unit(interval), interval.this)
    return _call("athena_add", other, exp.Neg(this=span) if isinstance(node, exp.Sub) else span)


def _parsed_datetime(node: exp.Expression) -> exp.Expression:
    return _call("strptime", node.this, exp.Literal.string(strftime_of(_text(node.args.get("format")))))


def _text(node: Any) -> str:
    if not isinstance(node, exp.Literal) or not node.is_string:
        zh, en = "日期格式须为文字常量", "A date pattern must be a literal"
        raise invalid("query.date-pattern", zh, en)
    return str(node.this)


def _named(node: exp.Anonymous) -> exp.Expression:
    change = _NAMED.get(node.name.lower())
    return change(node) if change else node


def _formatted_datetime(node: exp.Anonymous) -> exp.Expression:
    value, pattern = _two(node)
    return _call("strftime", value, exp.Literal.string(strftime_of(_text(pattern))))


def _matching(node: exp.Anonymous) -> exp.Expression:
    items, test = _two(node)
    found = _call("len", exp.ArrayFilter(this=items, expression=test))
    name = node.name.lower()
    if name == "all_match":
        return exp.EQ(this=found, expression=_call("len", items.copy()))
    return (exp.GT if name == "any_match" else exp.EQ)(this=found, expression=exp.Literal.number(0))


def _two(node: exp.Anonymous) -> tuple[exp.Expression, exp.Expression]:
    if len(node.expressions) != 2:
        zh, en = f"{node.name} 须有两个参数", f"{node.name} takes two arguments"
        raise invalid("query.arguments", zh, en)
    return node.expressions[0], node.expressions[1]


_NAMED: Final[Mapping[str, Callable[[exp.Anonymous], exp.Expression]]] = {
    "format_datetime": _formatted_datetime,
    "any_match": _matching,
    "all_match": _matching,
    "none_match": _matching,
}
_REWRITES: Final[Mapping[type, Callable[[Any], exp.Expression]]] = {
    exp.DateTrunc: _truncated,
    exp.TimestampTrunc: _truncated,
    exp.DateAdd: _date_added,
    exp.Add: _interval_sum,
    exp.Sub: _interval_sum,
    exp.ParseDatetime: _parsed_datetime,
    exp.Levenshtein: lambda node: _call("athena_levenshtein", node.this, node.expression),
    exp.Normalize: lambda node: _call("nfc_normalize", node.this),
    exp.Anonymous: _named,
}
