"""Row filters: boolean expressions over a resource's columns, checked by parsing (S-17)."""

from __future__ import annotations

from sqlglot import exp

from huitong.contracts.model import Contract
from huitong.errors import Problem
from huitong.query.dialect import invalid, macros_in, rewritten, to_duckdb
from huitong.query.parse import check_condition, folded, refuse
from huitong.sharing.access import Access
from huitong.sharing.projection import CURRENT_COLUMNS


def canonical_filter(expression: str, contract: Contract, access: Access | None = None) -> str:
    """A filter in Athena's SQL as canonical DuckDB text; empty stays empty.

    A filter that an *asker* sets (a subscription) must be checked with its
    ``access``: then only fields that it sees plain may be named, since otherwise the
    rows that come would tell what the others hold. Without an access (a
    grant's own filter) every column of the current table may be. A cast that
    fails gives null, so that no row makes the filter itself fail. Raises
    InvalidQuery with every fault.
    """
    if not expression.strip():
        return ""
    tree = check_condition(expression)
    problems = []
    names = _columns(contract, access)
    for column in tree.find_all(exp.Column):
        known = names.get(column.name.lower())
        if known is not None and not column.table:
            column.this.set("this", known)
        elif not _is_parameter(column):
            zh, en = f"不能按 {column.sql()} 筛选", f"Rows cannot be filtered by {column.sql()}"
            problems.append(Problem("filter.column", zh, en, {"field": column.name}))
    refuse(problems, "筛选条件有误", "The row filter is not valid")
    text = to_duckdb(rewritten(tree, _trying))
    if macros_in(text):
        zh, en = "筛选条件中不能用该函数", "A function of this filter cannot be used in filters"
        raise invalid("filter.function", zh, en)
    return text


def _is_parameter(column: exp.Column) -> bool:
    """Whether a lambda *around* the column gives it its value; elsewhere the name is the table's."""
    if column.table:
        return False
    around = column.find_ancestor(exp.Lambda)
    while around is not None:
        if folded(column.name) in {folded(p.name) for p in around.expressions}:
            return True
        around = around.find_ancestor(exp.Lambda)
    return False


def _columns(contract: Contract, access: Access | None) -> dict[str, str]:
    names = [f.name for f in contract.fields]
    if access is not None:
        names = [n for n in names if n in access.fields and not access.masks.get(n)]
    else:
        names += CURRENT_COLUMNS
    return {name.lower(): name for name in names}


def _trying(node: exp.Expr) -> exp.Expr:
    if type(node) is exp.Cast:
        return exp.TryCast(this=node.this, to=node.args["to"])
    return node
