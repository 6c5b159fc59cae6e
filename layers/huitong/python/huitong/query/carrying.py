"""How many records of a resource a result carries: for volumes, licences and alerts (C-19, C-22, S-33).

A row of a result is not always a row about one record: ``array_agg`` puts a whole table into one, a join
two records, ``max(name) FILTER (WHERE …)`` a further one with each use. Counted is what a row can hold,
but never more than what the query could read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from huitong.query.disclosing import FIGURES

#: Gives one value of one row.
_VALUES: Final = (
    exp.Min, exp.Max, exp.ArgMin, exp.ArgMax, exp.AnyValue, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
    exp.NthValue,
)  # fmt: skip
#: Tells of a set, or of a row's place in it.
_FIGURES: Final = (
    *FIGURES, exp.CountIf, exp.LogicalAnd, exp.LogicalOr, exp.Corr, exp.CovarPop, exp.CovarSamp, exp.Skewness,
    exp.RegrSlope, exp.RegrIntercept, exp.Grouping, exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank,
    exp.CumeDist, exp.Ntile,
)  # fmt: skip


def carried(tree: exp.Expr, tables: int, rows: int, readable: int) -> int:
    """Records of a resource in ``rows`` of a result, of ``readable`` at most; ``tables`` = how often the
    query names the resource."""
    held = _values_in_a_row(tree)
    if held is None:
        return max(rows, readable)
    return max(rows, min(rows * (max(tables, 1) + held), readable))


def _values_in_a_row(tree: exp.Expr) -> int | None:
    """Values that aggregates and windows take from further rows; None = any number of them."""
    values = 0
    for node in tree.find_all(exp.AggFunc, exp.Array, *_VALUES, *_FIGURES):
        if isinstance(node, exp.Array):
            if node.find(exp.Query) is not None:
                return None
        elif isinstance(node, _FIGURES):
            values += not _plain(node)
        elif isinstance(node, _VALUES) and not (node.expressions or node.args.get("count")):
            values += 1
        else:
            return None
    return values


def _plain(figure: exp.Expr) -> bool:
    """Of a whole column: nothing in it picks single rows."""
    return figure.find(exp.Case, exp.If, exp.Nullif) is None and not isinstance(figure.parent, exp.Filter)


def times(tree: exp.Expr, names: Sequence[str]) -> int:
    """How often a query names a table that is called so."""
    known = {name.lower() for name in names}
    return sum(node.name.lower().partition("$")[0] in known for node in tree.find_all(exp.Table))
