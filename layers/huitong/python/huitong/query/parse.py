"""What a query is: one SELECT in Athena's dialect, of allowed parts only (issue 2.8, S-17, S-34).

The text is parsed, never matched by patterns, and what runs later is generated
from the tree that was checked here, never the text that was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from huitong.errors import InvalidQuery, Problem
from huitong.ports import timestamp
from huitong.query.dialect import invalid
from huitong.query.functions import FUNCTIONS, LONGEST_PAD, NAMED, STRUCTURE, TYPES

MAX_BYTES: Final = 65_536
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 200
#: Planning is not interrupted by the time limit, so what makes it long is bounded.
MAX_SELECTS: Final = 200
MAX_TABLES: Final = 60
NAMESPACE: Final = "huitong"

#: Names of units, sides and positions: printed as they are, so they must be words (extract("day from …")).
_WORDS: Final = re.compile(r"[A-Za-z]\w{0,40}(?: [A-Za-z]{1,20})?", re.ASCII)
_NUMBER: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]*", re.ASCII)
_PRINTED_QUOTED: Final = (exp.Identifier, exp.JSONPathKey)
#: DuckDB finds its own catalogue, and files by their name, where no table is of that name.
_TAKEN_NAMES: Final = re.compile(r"(?:duckdb|pg|sqlite|pragma)_.*|.*[./\\:*?].*", re.DOTALL)

_VARYING: Final = (exp.Rand, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp)

_NOT_IN_FILTERS: Final = (
    exp.Query, exp.Table, exp.Window, exp.AggFunc, exp.Star, exp.Unnest, exp.GenerateSeries,
)  # fmt: skip

Part = Literal["current", "changes", "findings", "quarantine", "cleansed", "history", "marks", "listing"]
_PARTS: Final = ("changes", "findings", "quarantine", "cleansed", "history", "marks")

#: Arguments that these nodes may have; any other (hints, samples, pivots, locks …) is refused.
_SET = frozenset(("with_", "this", "expression", "distinct", "order", "limit", "offset"))
_ARGUMENTS: Final[Mapping[type, frozenset[str]]] = {
    exp.Select: frozenset(
        (
            "with_",
            "expressions",
            "distinct",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "order",
            "limit",
            "offset",
            "windows",
            "kind",
        )
    ),
    exp.Table: frozenset(("this", "db", "catalog", "alias", "version", "joins")),
    exp.Subquery: frozenset(("this", "alias", "with_", "joins", "order", "limit", "offset")),
    exp.Join: frozenset(("this", "on", "side", "kind", "using", "method")),
    exp.Union: _SET,
    exp.Except: _SET,
    exp.Intersect: _SET,
    exp.Star: frozenset(),
    exp.With: frozenset({"expressions"}),
    exp.Values: frozenset(("expressions", "alias", "order", "limit", "offset")),
    exp.Unnest: frozenset(("expressions", "alias", "offset")),
    exp.Distinct: frozenset({"expressions"}),
}


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state to read: by ``time`` (ports.timestamp), or ``version``: batch id, seq or snapshot id."""

    kind: Literal["time", "version"]
    value: str


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table as a query names it: ``name`` in lower case without the part, e.g. ("in_01", "changes")."""

    name: str
    part: Part = "current"
    as_of: AsOf | None = None


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that passed. ``tables`` are those that it reads, each once; CTEs are not among them."""

    tree: exp.Expression
    tables: tuple[TableUse, ...]

    def view_names(self) -> dict[TableUse, str]:
        """A name for each table's view that nothing in the query has."""
        taken = {node.name.lower() for node in self.tree.find_all(exp.Identifier)}
        prefix = "huitong"
        while any(name.startswith(f"{prefix}_") for name in taken):
            prefix += "x"
        return {use: f"{prefix}_{n}" for n, use in enumerate(self.tables)}

    def over(self, names: Mapping[TableUse, str]) -> exp.Expression:
        """A copy of the tree in which each table is the one that ``names`` gives for it."""
        tree = self.tree.copy()
        for node in list(tree.find_all(exp.Table)):
            if _is_cte(node):
                continue
            use = _use(node)
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
            joins = node.args.get("joins")
            node.replace(exp.Table(this=exp.to_identifier(names[use], quoted=True), alias=alias, joins=joins))
        return tree


def check(sql: str, dialect: str = "athena") -> CheckedQuery:
    """Parse and check a query. Raises InvalidQuery, with what is wrong in both languages."""
    if len(sql.encode(errors="surrogatepass")) > MAX_BYTES or "\x00" in sql:
        raise invalid(
            "query.length", f"查询超过 {MAX_BYTES} 字节或含空字符", f"The query exceeds {MAX_BYTES} bytes"
        )
    tree = _parsed(sql, dialect)
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
        raise _not_a_select()
    refuse(list(_problems(tree)), "查询含不允许的内容", "The query has parts that are not allowed")
    uses = [_use(node) for node in tree.find_all(exp.Table) if not _is_cte(node)]
    return CheckedQuery(tree, tuple(dict.fromkeys(uses)))


def check_condition(sql: str, *, dialect: str = "athena") -> exp.Expression:
    """A boolean expression of allowed parts, without sub-queries or tables. Raises InvalidQuery."""
    if len(sql.encode(errors="surrogatepass")) > MAX_BYTES or not sql.strip():
        raise invalid("filter.length", "条件为空或过长", "The condition is empty or too long")
    tree = _parsed(f"SELECT 1 WHERE {sql}", dialect)
    where = tree.args.get("where") if isinstance(tree, exp.Select) else None
    parts = {name for name, value in tree.args.items() if value} - {"expressions", "where"}
    # a filter runs for every row of every publication, with nobody to stop it: no series, no loop in a loop
    forbidden = (*_NOT_IN_FILTERS, *_VARYING)
    nested = any(inner.find_ancestor(exp.Lambda) for inner in tree.find_all(exp.Lambda))
    if where is None or parts or nested or next(where.find_all(*forbidden), None) is not None:
        zh = "条件须是一个布尔表达式,不含子查询、汇总、窗口函数、序列或嵌套的 lambda"
        raise invalid(
            "filter.shape",
            zh,
            "The condition must be one boolean expression without sub-queries, aggregates, series or loops",
        )
    refuse(list(_problems(where.this)), "条件含不允许的内容", "The condition has parts that are not allowed")
    condition: exp.Expression = where.this
    return condition


def refuse(problems: list[Problem], zh: str, en: str) -> None:
    """Raise InvalidQuery when there are problems; a single one speaks for itself."""
    if len(problems) == 1:
        zh, en = problems[0].zh, problems[0].en
    if problems:
        raise InvalidQuery(zh, en, problems=problems)


def _parsed(sql: str, dialect: str) -> exp.Expression:
    try:
        found = [tree for tree in sqlglot.parse(sql, read=dialect) if tree is not None]
    except SqlglotError as error:
        first = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0][:300]
        raise invalid("query.syntax", f"语法错误:{first}", f"Syntax error: {first}") from error
    except RecursionError as error:
        raise invalid("query.depth", "查询嵌套过深", "The query is nested too deeply") from error
    if len(found) != 1:
        raise invalid("query.one", "须恰好一条语句", "There must be exactly one statement")
    tree = found[0]
    if not isinstance(tree, exp.Expression):
        raise _not_a_select()
    return tree


def _not_a_select() -> InvalidQuery:
    return invalid("query.select", "只允许一条 SELECT 查询", "Only a single SELECT is allowed")


def _problems(tree: exp.Expression) -> Iterator[Problem]:
    seen: set[str] = set()
    selects = tables = 0
    for count, (node, depth) in enumerate(_walk(tree), start=1):
        selects += isinstance(node, exp.Select)
        tables += isinstance(node, exp.Table)
        if count > MAX_NODES or depth > MAX_DEPTH or selects > MAX_SELECTS or tables > MAX_TABLES:
            yield Problem("query.size", "查询过于复杂", "The query is too complex")
            return
        for problem in _problems_of(node):
            if problem.en not in seen:
                seen.add(problem.en)
                yield problem


def _walk(tree: exp.Expression) -> Iterator[tuple[exp.Expression, int]]:
    stack = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        # chains of AND, OR, + … count as one level
        stack += [(c, depth + (type(c) is not type(node))) for c in node.iter_expressions()]


def _problems_of(node: exp.Expression) -> Iterator[Problem]:
    name = type(node).__name__
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in NAMED or not isinstance(node.this, str):
            yield _function(node.name)
    elif isinstance(node, exp.Func) and name not in STRUCTURE:
        if name not in FUNCTIONS:
            yield _function(node.sql_name().lower())
    elif name not in STRUCTURE:
        yield Problem("query.syntax", f"不允许的语法 {name}", f"Syntax not allowed: {name}", {"syntax": name})
    allowed = _ARGUMENTS.get(type(node))
    if allowed is not None:
        extra = sorted(k for k, v in node.args.items() if v not in (None, False, [], "") and k not in allowed)
        if extra:
            found = f"{name} {', '.join(e.strip('_') for e in extra)}"
            yield Problem("query.syntax", f"不允许的语法 {found}", f"Syntax not allowed: {found}")
    if not _printable(node):
        yield Problem("query.syntax", f"不允许的文字 {name}", f"Not a word or number: {name}")
    special = _SPECIAL.get(type(node))
    if special:
        yield from special(node)


def _printable(node: exp.Expression) -> bool:
    """Whether the node's own texts stay what they are when the tree is printed again."""
    if isinstance(node, _PRINTED_QUOTED) or (isinstance(node, exp.Literal) and node.is_string):
        return True
    shape = {exp.Literal: _NUMBER, exp.HexString: _HEX}.get(type(node), _WORDS)
    texts = [value for value in node.args.values() if isinstance(value, str) and value]
    return all(shape.fullmatch(text) for text in texts)


def _function(name: str) -> Problem:
    return Problem(
        "query.function", f"不允许的函数 {name}", f"Function not allowed: {name}", {"function": name}
    )


def _problems_of_table(node: exp.Table) -> Iterator[Problem]:
    if not isinstance(node.this, exp.Identifier):
        yield Problem("query.table-function", "不允许表函数", "Table functions are not allowed")
        return
    try:
        _use(node)
    except InvalidQuery as error:
        yield from error.problems


def _problems_of_cte(node: exp.CTE) -> Iterator[Problem]:
    if _TAKEN_NAMES.fullmatch(node.alias.lower()):
        yield Problem("query.with", "WITH 的名称不可用", "This name cannot be used in WITH")


def _problems_of_type(node: exp.DataType) -> Iterator[Problem]:
    kind = getattr(node.this, "name", str(node.this))
    if kind not in TYPES:
        yield Problem("query.type", f"不允许的类型 {kind}", f"Type not allowed: {kind}")


def _problems_of_pad(node: exp.Pad) -> Iterator[Problem]:
    size = node.expression
    if (
        not isinstance(size, exp.Literal)
        or size.is_string
        or not str(size.this).isdigit()
        or int(size.this) > LONGEST_PAD
    ):
        zh, en = (
            f"填充长度须为不超过 {LONGEST_PAD} 的常数",
            f"The length of a pad must be a number up to {LONGEST_PAD}",
        )
        yield Problem("query.pad", zh, en)


def _problems_of_kind(node: exp.Select) -> Iterator[Problem]:
    if node.args.get("kind"):
        yield Problem("query.syntax", "不允许 SELECT AS", "SELECT AS is not allowed")


_SPECIAL: Final[Mapping[type, Callable[[Any], Iterator[Problem]]]] = {
    exp.Table: _problems_of_table,
    exp.CTE: _problems_of_cte,
    exp.DataType: _problems_of_type,
    exp.Pad: _problems_of_pad,
    exp.Select: _problems_of_kind,
}


def _is_cte(table: exp.Table) -> bool:
    """Whether a WITH around the table defines its name.

    Where this errs, the query fails: the names that exist are those of our views alone.
    """
    if table.args.get("db") or table.args.get("version"):
        return False
    name = folded(table.name)
    inside: exp.Expr = table
    parent: exp.Expr | None = table.parent
    while parent is not None:
        found = parent.args.get("with_")
        if isinstance(found, exp.With):
            names = [folded(cte.alias) for cte in found.expressions]
            if inside is found:  # within a CTE: only those before it exist
                names = names[: _position(found, table)]
            if name in names:
                return True
        inside, parent = parent, parent.parent
    return False


def folded(name: str) -> str:
    """As DuckDB compares names: only A to Z are folded (the Kelvin sign, lower() = "k", is another name)."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def _position(found: exp.With, table: exp.Table) -> int:
    node: exp.Expr = table
    while node.parent is not found and node.parent is not None:
        node = node.parent
    return next(i for i, cte in enumerate(found.expressions) if cte is node)


def _use(table: exp.Table) -> TableUse:
    database = table.db.lower()
    name = table.name.lower()
    if database == "information_schema" and name in ("tables", "columns"):
        return TableUse(name, "listing")
    foreign = bool(table.catalog) and table.catalog.lower() != "awsdatacatalog"
    if foreign or database not in ("", NAMESPACE):
        zh, en = f"没有数据库 {table.db}", f"There is no database {table.db}"
        raise invalid("query.database", zh, en)
    base, _, suffix = name.partition("$")
    part: Part = "current"
    if suffix:
        if suffix not in _PARTS:
            raise invalid("query.part", f"没有表 {table.name}", f"There is no table {table.name}")
        part = next(p for p in _PARTS if p == suffix)
    version = table.args.get("version")
    as_of = _as_of(version) if version is not None else None
    if as_of and part not in ("current", "changes"):
        zh, en = "该表没有历史状态", "This table has no states in time"
        raise invalid("query.as-of", zh, en)
    return TableUse(base, part, as_of)


def _as_of(version: exp.Version) -> AsOf:
    if str(version.args.get("kind", "")).upper() != "AS OF":
        raise _not_an_as_of()
    value = version.expression
    if str(version.this).upper() == "VERSION" and isinstance(value, exp.Literal):
        return AsOf("version", str(value.this))
    if isinstance(value, exp.Cast) and isinstance(value.this, exp.Literal) and value.this.is_string:
        return AsOf("time", timestamp(_moment(str(value.this.this))))
    raise _not_an_as_of()


def _moment(text: str) -> datetime:
    """A timestamp literal with an optional zone or offset; without one it is UTC, as in Athena."""
    found = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?\s*(.*)", text.strip()
    )
    if not found:
        raise _not_an_as_of()
    day, time, zone = found.groups()
    try:
        if re.fullmatch(r"[+-]\d\d:\d\d|Z", zone or "Z"):
            return datetime.fromisoformat(f"{day}T{time or '00:00'}{zone or 'Z'}").astimezone(UTC)
        local = datetime.fromisoformat(f"{day}T{time or '00:00'}")
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise _not_an_as_of() from error


def _not_an_as_of() -> InvalidQuery:
    zh = "请写 FOR TIMESTAMP AS OF TIMESTAMP '…' 或 FOR VERSION AS OF '批次号' / 序号"
    en = "Write FOR TIMESTAMP AS OF TIMESTAMP '…' or FOR VERSION AS OF 'batch id' / number"
    return invalid("query.as-of", zh, en)
