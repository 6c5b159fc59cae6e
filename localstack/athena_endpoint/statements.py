"""What a text asks for: a SELECT, an UNLOAD, something shown, a prepared statement; all else is refused.

Only the frame of a statement is read here. What a SELECT may contain is checked by the platform.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from athena_endpoint.errors import StatementFailed
from athena_endpoint.purposes import leading_comments

# The parser warns with the text that it was given, and the endpoint's log holds no texts of queries (S-16).
logging.getLogger("sqlglot").disabled = True

Kind = Literal["select", "unload", "databases", "tables", "columns", "describe", "views", "execute",
               "prepare", "deallocate"]  # fmt: skip
#: kind → (StatementType, SubstatementType) as Athena reports them.
REPORTED: Final[dict[Kind, tuple[str, str]]] = {
    "select": ("DML", "SELECT"), "unload": ("DML", "UNLOAD"), "databases": ("UTILITY", "SHOW_DATABASES"),
    "tables": ("UTILITY", "SHOW_TABLES"), "columns": ("UTILITY", "SHOW_COLUMNS"),
    "describe": ("UTILITY", "DESCRIBE_TABLE"), "views": ("UTILITY", "SHOW_VIEWS"),
    "execute": ("DML", "EXECUTE"), "prepare": ("DDL", "PREPARE"), "deallocate": ("DDL", "DEALLOCATE_PREPARE"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """``sql`` is the SELECT of a select or unload, the statement of a prepare; ``name`` of what is shown or
    prepared; ``to`` and ``form`` of an unload; ``values`` of an execute."""

    kind: Kind
    sql: str = ""
    name: str = ""
    to: str = ""
    form: str = ""
    pattern: str = ""
    values: tuple[str, ...] = ()


_NAME: Final = r"(?:[`\"]?(?P<db>[\w$-]+)[`\"]?\s*\.\s*)?[`\"]?(?P<name>[\w$-]+)[`\"]?"
_LIKE: Final = r"(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_SHOWN: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.DOTALL))  # type: ignore[misc]
    for kind, pattern in (
        ("databases", rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}"),
        ("tables", rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+[`\"]?(?P<db>[\w$-]+)[`\"]?)?{_LIKE}"),
        ("views", rf"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+[`\"]?(?P<db>[\w$-]+)[`\"]?)?{_LIKE}"),
        ("columns", rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_NAME}(?:\s+(?:IN|FROM)\s+[`\"]?[\w$-]+[`\"]?)?"),
        ("describe", rf"(?:DESCRIBE|DESC)\s+(?:(?:FORMATTED|EXTENDED)\s+)?{_NAME}"),
    )
)
_PREPARE: Final = re.compile(r"PREPARE\s+[`\"]?(\w+)[`\"]?\s+FROM\s+(.+)", re.IGNORECASE | re.DOTALL)
_EXECUTE: Final = re.compile(r"EXECUTE\s+[`\"]?(\w+)[`\"]?(?:\s+USING\s+(.+))?", re.IGNORECASE | re.DOTALL)
_DEALLOCATE: Final = re.compile(r"DEALLOCATE\s+PREPARE\s+[`\"]?(\w+)[`\"]?", re.IGNORECASE)
_OPTION: Final = re.compile(r"\s*(\w+)\s*=\s*(?:'([^']*)'|(\d+))\s*")
_LITERALS: Final = (exp.Literal, exp.Boolean, exp.Null)
_PLAIN: Final = (*_LITERALS, exp.Neg, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Date, exp.Timestamp)


def read(sql: str) -> Statement:
    """Raises StatementFailed for what analysts do not do here, with what to do instead."""
    text = leading_comments(sql)[1].rstrip().removesuffix(";").rstrip()
    word = (re.match(r"[A-Za-z]+", text) or [""])[0].upper()
    if word in ("SELECT", "WITH", "VALUES", "TABLE") or text.startswith("("):
        return Statement("select", sql=text)
    if word == "UNLOAD":
        return _unload(text)
    for kind, pattern in _SHOWN:
        found = pattern.fullmatch(text)
        if found is not None:
            given = found.groupdict()
            database = given.get("db") or ""
            if database.lower() not in ("", "huitong", "information_schema", "default"):
                raise StatementFailed(
                    f"没有数据库 {database}", f"Database {database} does not exist", code="database"
                )
            return Statement(kind, name=given.get("name") or "", pattern=given.get("pattern") or "")
    for kind, pattern in (("prepare", _PREPARE), ("execute", _EXECUTE), ("deallocate", _DEALLOCATE)):
        found = pattern.fullmatch(text)
        if found is not None:
            return _prepared(kind, found)
    raise _refused(word, text)


def with_values(sql: str, values: Sequence[str]) -> str:
    """The text with each ``?`` replaced by a literal, in their order. Raises StatementFailed."""
    places = [token for token in _tokens(sql) if token.token_type == TokenType.PLACEHOLDER]
    if len(places) != len(values):
        zh, en = (
            f"语句有 {len(places)} 个参数,给出 {len(values)} 个",
            f"The statement takes {len(places)} parameters, {len(values)} are given",
        )
        raise StatementFailed(zh, en, code="parameters")
    made, after = [], 0
    for token, value in zip(places, values, strict=True):
        made += [sql[after : token.start], _literal(value)]
        after = token.end + 1
    return "".join([*made, sql[after:]])


def _literal(value: str) -> str:
    try:
        tree: Any = sqlglot.parse_one(value, read="trino")
    except SqlglotError:
        tree = None
    plain = tree is not None and all(isinstance(node, _PLAIN) for node in tree.walk())
    if not plain or any(token.comments for token in _tokens(value)):
        raise StatementFailed(
            "参数须为一个常量;文字须加单引号",
            "A parameter is one literal; texts are in single quotes",
            code="parameters",
        )
    return value.strip()


def _prepared(kind: Any, found: re.Match[str]) -> Statement:
    if kind == "prepare":
        return Statement("prepare", sql=found[2], name=found[1])
    if kind == "deallocate":
        return Statement("deallocate", name=found[1])
    return Statement("execute", name=found[1], values=tuple(_listed(found[2] or "")))


def _listed(text: str) -> list[str]:
    """Expressions apart by commas."""
    found, after, depth = [], 0, 0
    for token in _tokens(text):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.COMMA and not depth:
            found.append(text[after : token.start])
            after = token.end + 1
    return [*found, text[after:]] if text.strip() else []


def _unload(text: str) -> Statement:
    tokens = _tokens(text)
    depth, close = 0, None
    for place, token in enumerate(tokens[1:], start=1):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if not depth:
            close = place
            break
    after = tokens[close + 1 : close + 3] if close else []
    if (
        not close
        or len(after) != 2
        or after[0].text.upper() != "TO"
        or after[1].token_type != TokenType.STRING
    ):
        raise StatementFailed(
            "UNLOAD 须写作 UNLOAD (SELECT …) TO 's3://…' WITH (format = 'PARQUET')",
            "Write UNLOAD (SELECT …) TO 's3://…' WITH (format = 'PARQUET')",
            code="syntax",
        )
    inner = text[tokens[1].end + 1 : tokens[close].start]
    options = _options(text[after[1].end + 1 :])
    form = options.pop("format", "").upper()
    if form != "PARQUET" or set(options) - {"compression", "compression_level"}:
        raise StatementFailed(
            "UNLOAD 只支持 format = 'PARQUET',不分区",
            "UNLOAD gives PARQUET only, without partitions",
            code="unload",
        )
    return Statement("unload", sql=inner, to=after[1].text, form=form)


def _options(text: str) -> dict[str, str]:
    """``WITH (name = 'value', …)``; an option of another shape comes with an empty value."""
    found = re.fullmatch(r"\s*WITH\s*\((.*)\)\s*", text, re.IGNORECASE | re.DOTALL)
    made: dict[str, str] = {}
    for part in found[1].split(",") if found else ():
        option = _OPTION.fullmatch(part)
        made[option[1].lower() if option else part.strip().lower()] = (
            (option[2] or option[3]) if option else ""
        )
    return made


def _tokens(text: str) -> list[Token]:
    try:
        return list(sqlglot.tokenize(text, read="trino"))
    except SqlglotError as error:
        raise StatementFailed("语法错误", "Syntax error", code="syntax") from error


def _refused(word: str, text: str) -> StatementFailed:
    if re.match(r"CREATE\s+(?:EXTERNAL\s+)?TABLE\b.*\bAS\b", text, re.IGNORECASE | re.DOTALL):
        return StatementFailed(
            "分析人员不能建表(CTAS):请直接查询(awswrangler 用 ctas_approach=False)",
            "Analysts make no tables (CTAS): ask by a SELECT (awswrangler: ctas_approach=False)",
            code="read-only",
        )
    return StatementFailed(
        f"此处只读,不支持 {word or text[:20]}",
        f"{word or text[:20]} is not for analysts: only reading is",
        code="read-only",
    )
