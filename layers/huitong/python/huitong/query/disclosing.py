"""Whose rows a query disclosed, as a relation of its tables (Q-04, S-11).

Of a query over one table the rows that its WHERE lets through, exactly. Of
joins, sub-queries and several states the rows of each table that it could
read: more than it gave, never less. A figure of a whole table is about nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from huitong.query.dialect import to_duckdb
from huitong.query.parse import CheckedQuery, TableUse

#: Figures that tell of a set and of no member.
FIGURES: Final = (
    exp.Count, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
    exp.ApproxDistinct,
)  # fmt: skip
_CLAUSES: Final = ("with_", "joins", "group", "having", "windows", "offset", "limit")
_VARYING: Final = (exp.Rand, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp)


@dataclass(frozen=True, slots=True)
class Disclosing:
    """``exact``: the relation holds the rows that were given, and no other."""

    tree: exp.Expr
    exact: bool

    @property
    def relation_sql(self) -> str:
        return to_duckdb(self.tree)


def disclosing(
    query: CheckedQuery, use: TableUse, view: str, hidden: Sequence[tuple[str, str]]
) -> Disclosing | None:
    """The rows of a table that the query disclosed; None = of nobody.

    ``view`` shows the table as the asker sees it, with ``hidden`` columns
    beside: (name, field), the keys and persons of the contract, unmasked.
    """
    if not hidden:
        return None
    simple = _simple(query.tree)
    columns = [_column(alias, field) for alias, field in hidden]
    every = exp.select(*columns).from_(exp.Table(this=exp.to_identifier(view, quoted=True)))
    if simple is None or use.part != "current":
        return Disclosing(every, exact=False)
    where = simple.args.get("where")
    if where is None and _figures_only(simple):
        return None
    if where is None:
        return Disclosing(every, exact=True)
    tree = query.over({use: view})
    tree.set("expressions", columns)
    for clause in ("order", "distinct", "group", "having", "limit", "offset"):
        tree.set(clause, None)
    return Disclosing(tree, exact=not any(simple.args.get(c) for c in _CLAUSES))


def _simple(tree: exp.Expression) -> exp.Select | None:
    """A SELECT over one table and nothing else: then its WHERE says which rows it read."""
    if not isinstance(tree, exp.Select) or tree.args.get("with_") or tree.args.get("joins"):
        return None
    found = tree.args.get("from_")
    if found is None or not isinstance(found.this, exp.Table) or found.this.args.get("joins"):
        return None
    if len(list(tree.find_all(exp.Query, exp.Table))) != 2 or next(tree.find_all(*_VARYING), None):
        return None
    return tree


def _figures_only(select: exp.Select) -> bool:
    if select.args.get("group") or select.args.get("having"):
        return False
    inner = [e.unalias() for e in select.expressions]
    return all(isinstance(e, FIGURES) for e in inner) and not any(
        e.find(exp.Window, exp.Case, exp.If, exp.Filter) for e in inner
    )


def _column(alias: str, field: str) -> exp.Alias:
    column = exp.Column(this=exp.to_identifier(alias, quoted=True))
    return exp.Alias(this=column, alias=exp.to_identifier(field, quoted=True))
