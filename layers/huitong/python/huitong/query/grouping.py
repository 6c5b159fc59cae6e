"""Statistics about persons without rows about persons (S-34).

Where an access gives groups only, a query must be one SELECT of figures over
one table, and each figure must rest on enough different persons: the query is
rewritten so that smaller groups are not there and figures of fewer are null.
What it may not hold is refused, with the reason; docs/query.md tells what this
does not protect from.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from huitong.contracts.model import Contract
from huitong.errors import Problem
from huitong.query.dialect import invalid
from huitong.query.functions import words
from huitong.query.parse import CheckedQuery, folded, refuse
from huitong.query.readable import Readable

#: Different persons on whom a figure must rest, unless configured otherwise.
SMALLEST_GROUP: Final = 5

#: Syntax of such a query; what it could find a single person with (casts that fail, divisions by zero,
#: structs, lists, other aggregates) is not among it.
_ALLOWED: Final = words(
    """
    Select From Table TableAlias Identifier Column Alias Literal Boolean Null Star Distinct Paren Where Group
    Order Ordered Limit Offset Fetch And Or Not EQ NEQ GT GTE LT LTE Is In Between Like Escape Add Sub Mul Neg
    DPipe Case If Coalesce Nullif TryCast DataType DataTypeParam Var Upper Lower Trim Substring Length
    Year Quarter Month Day Extract DateTrunc TimestampTrunc Round Floor Ceil Abs
    Count Sum Avg Stddev StddevPop StddevSamp Variance VariancePop
    """
)

_FIGURES: Final = (
    exp.Count, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grouped:
    """A query that gives groups only, over tables that carry the person of each row in a hidden column."""

    query: CheckedQuery
    tables: tuple[Readable, ...]


def grouped(query: CheckedQuery, tables: Sequence[Readable], smallest: int) -> Grouped | None:
    """The query bound to groups of at least ``smallest`` persons; None when no table needs it.

    Raises InvalidQuery with everything that statistics may not hold.
    """
    bound = [t for t in tables if t.access is not None and t.access.gives == "groups" and not t.fixed]
    if not bound:
        return None
    tree = query.tree.copy()
    refuse(list(_faults(tree, bound, len(tables))), "只授权统计", "Only statistics are granted")
    table, contract = bound[0], bound[0].contract
    if not isinstance(tree, exp.Select) or contract is None:
        raise invalid("statistics.shape", "只能统计一张表", "Statistics are of one table")
    person = f"__huitong_{random_source.token_hex(12)}"  # nobody can name it
    enough = _enough(person, smallest)
    for figure in list(tree.find_all(*_FIGURES)):
        column = _column_of(figure)
        if column is not None:
            shown = exp.Case(ifs=[exp.If(this=_enough(person, smallest, column), true=figure.copy())])
            figure.replace(exp.paren(shown))
    _never_failing(tree)
    tree.set("having", exp.Having(this=enough))
    fields = tuple((person if n == 0 else f"{person}_{n}", f) for n, f in enumerate(_persons(contract)))
    marked = tuple(replace(t, hidden=fields) if t is table else t for t in tables)
    return Grouped(replace(query, tree=tree), marked)


def _never_failing(tree: exp.Select) -> None:
    """What is computed of single rows gives null where it fails: a number that overflows, or a text that is
    no number, under a condition that one person alone meets would tell by the error that it is met."""
    where = tree.args.get("where")
    if where is not None:
        where.set("this", exp.Try(this=where.this.copy()))
    group, order = tree.args.get("group"), tree.args.get("order")
    of_rows = [shown.unalias() for shown in tree.expressions]
    of_rows += group.expressions if group is not None else []
    of_rows += [ordered.this for ordered in (order.expressions if order is not None else ())]
    for node in of_rows:
        bare = isinstance(node, exp.Column | exp.Literal)  # an alias or a place must stay what it is
        if not bare and next(node.find_all(*_FIGURES), None) is None:
            node.replace(exp.Try(this=node.copy()))


def _persons(contract: Contract) -> list[str]:
    """The field that tells persons apart; where a contract names none, its key."""
    return [f.name for f in (contract.subject_fields or contract.keys)[:1]]


def _enough(person: str, smallest: int, column: exp.Expr | None = None) -> exp.Expr:
    who = exp.Column(this=exp.to_identifier(person, quoted=True))
    counted: exp.Expr = exp.Count(this=exp.Distinct(expressions=[who]))
    if column is not None:
        known = exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null()))
        counted = exp.Filter(this=counted, expression=exp.Where(this=known))
    return exp.GTE(this=counted, expression=exp.Literal.number(smallest))


def _column_of(figure: exp.Expr) -> exp.Column | None:
    """The column that a figure is made of; None = count(*)."""
    inner = figure.this
    if isinstance(inner, exp.Distinct):
        inner = inner.expressions[0] if len(inner.expressions) == 1 else None
    return inner if isinstance(inner, exp.Column) else None


def _faults(tree: exp.Expr, bound: Sequence[Readable], tables: int) -> Iterator[Problem]:
    if not isinstance(tree, exp.Select) or tables != 1 or len(bound) != 1 or tree.args.get("with_"):
        yield _fault("shape", "只能是一张表的一条 SELECT", "one SELECT over one table")
        return
    if len(list(tree.find_all(exp.Query, exp.Table))) != 2 or tree.args.get("joins"):
        yield _fault("shape", "不能有子查询或连接", "no sub-queries, no joins")
        return
    if bound[0].use.as_of is not None:
        yield _fault("as-of", "不能查历史状态", "no earlier states: two of them differ by single persons")
    if tree.args.get("having"):
        yield _fault("having", "不能用 HAVING", "no HAVING")
    group = tree.args.get("group")
    if group is not None and any(v for k, v in group.args.items() if k != "expressions"):
        yield _fault("rollup", "不能用 ROLLUP、CUBE 等", "no ROLLUP, CUBE or GROUPING SETS")
    yield from _faulty_figures(tree)
    yield from _faulty_places(tree, bound[0])


def _faulty_figures(tree: exp.Select) -> Iterator[Problem]:
    figures = list(tree.find_all(*_FIGURES))
    if not figures:
        yield _fault("figure", "须有汇总函数", "at least one figure: count, sum, avg, stddev, variance")
    for name in sorted({type(node).__name__ for node in tree.walk()} - _ALLOWED):
        yield _fault("syntax", f"不能用 {name}", f"no {name}: it can tell of single persons")
    for like in tree.find_all(exp.Like, exp.Escape):
        if not isinstance(like.expression, exp.Literal):  # a pattern may fail, and nothing catches that
            yield _fault("pattern", "LIKE 的模式须是常数", "the pattern of a LIKE is a constant")
    for figure in figures:
        counts = isinstance(figure, exp.Count) and isinstance(figure.this, exp.Star)
        if not counts and _column_of(figure) is None:
            yield _fault("figure", "汇总的须是一列", "a figure is of one column, not of an expression")
        if figure.find_ancestor(exp.Where, exp.Order, exp.Group):
            yield _fault("figure", "汇总函数只能在结果列中", "figures stand among the results only")
    keys = {_text(e) for e in (tree.args.get("group") or exp.Group()).expressions}
    for place, shown in enumerate(tree.expressions, start=1):
        inner = shown.unalias()
        if isinstance(inner, exp.Star) or (
            isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
        ):
            yield _fault("star", "不能用 *", "no SELECT *")
        elif next(inner.find_all(*_FIGURES), None) is None and not (
            {_text(inner), str(place), _text_of_alias(shown)} & keys
        ):
            yield _fault("figure", "结果列须是汇总或分组项", "each result is a figure or a group's own value")


def _faulty_places(tree: exp.Select, table: Readable) -> Iterator[Problem]:
    """Columns that lead to one person may be counted, not looked for or grouped by; and a name must be a
    column's, since the name of the table is the whole row."""
    contract, access = table.contract, table.access
    if contract is None or access is None:
        return
    shown = {folded(name) for name in access.fields}
    leading = {folded(f.name) for f in (*contract.keys, *contract.subject_fields)}
    leading |= {folded(f.name) for f in contract.fields if f.level == "L4"}
    results = {folded(e.alias) for e in tree.expressions if e.alias}
    tables = {folded(t.alias_or_name) for t in tree.find_all(exp.Table)} | {"r"}
    if results & (tables | leading) or any(a.args.get("columns") for a in tree.find_all(exp.TableAlias)):
        yield _fault("name", "别名与表或列同名", "an alias is the name of the table or of another column")
    for column in tree.find_all(exp.Column):
        name = folded(column.name)
        ordered = column.find_ancestor(exp.Order, exp.Group) is not None
        if isinstance(column.this, exp.Star) or (name in results and ordered and not column.table):
            continue
        counted = column.find_ancestor(exp.Count) is not None
        if name not in shown or (name in leading and not counted):
            zh, en = f"不能按 {column.name} 查找或分组", f"{column.name} is no column to look for or group by"
            yield _fault("column", zh, en)


def _text(node: exp.Expr) -> str:
    return folded(str(node.sql("athena")))


def _text_of_alias(node: exp.Expr) -> str:
    return folded(node.alias) if node.alias else ""


def _fault(rule: str, zh: str, en: str) -> Problem:
    return Problem(f"statistics.{rule}", f"统计查询:{zh}", f"Statistics: {en}")
