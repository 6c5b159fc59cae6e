"""What a rule will cost, told when it is saved (C-04): estimated from its shape and table sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from huitong.quality.rulebook.binding import Bound

CostClass = Literal["light", "set", "other-table", "slow"]
#: Rows of other tables above which each batch waits noticeably (seconds on one function).
SLOW_ROWS: Final = 5_000_000
_SLOW_NODES: Final = ("Window", "RegexpLike", "RegexpExtract", "RegexpReplace", "Levenshtein", "Distinct")


def cost_of(bound: Bound, rows: Callable[[str], int]) -> dict[str, Any]:
    """``rows`` gives the published rows of a resource. JSON-ready: class, zh, en, and the tables read."""
    rule, check = bound.rule, bound.check
    if check is None:
        regex = rule.kind in ("pattern", "semantic")
        zh = "与契约规则同一遍执行" + (",每个不同取值匹配一次" if regex else "")
        en = "runs in the pass of the contract's rules" + (", once for each distinct value" if regex else "")
        return _cost("light", zh, en)
    tables = {other.id: rows(other.id) for other in check.others}
    if rule.kind in ("unique_history", "drift"):
        tables[rule.resource] = rows(rule.resource)
    total = sum(tables.values())
    reasons = _slow_reasons(bound, total)
    if reasons:
        zh = "可能较慢:" + ";".join(z for z, _ in reasons) + "。每批都要执行,请考虑缩小范围或改用其他类型"
        en = (
            "May be slow: "
            + "; ".join(e for _, e in reasons)
            + ". It runs for every batch: narrow it, or use another kind"
        )
        return _cost("slow", zh, en, tables)
    if tables:
        named = "、".join(f"{name}({n} 行)" for name, n in tables.items())
        shown = ", ".join(f"{name} ({n} rows)" for name, n in tables.items())
        return _cost(
            "other-table",
            f"每批读取已发布的表:{named}",
            f"reads published tables for every batch: {shown}",
            tables,
        )
    return _cost("set", "每批对全部行另行执行一遍", "one more pass over all rows of each batch")


def _slow_reasons(bound: Bound, total: int) -> list[tuple[str, str]]:
    found = []
    if total > SLOW_ROWS:
        found.append((f"读取其他表共 {total} 行", f"reads {total} rows of other tables"))
    query = bound.check.query if bound.check else None
    if query is not None:
        from sqlglot import exp

        for join in query.tree.find_all(exp.Join):
            if not join.args.get("using") and not _has_equality(join):
                found.append(("联接没有等值条件", "a join without an equality"))
        if any(map(_row_by_row, _scopes(query.tree))):
            found.append(("关联子查询没有等值条件", "a correlated sub-query without an equality"))
        names = sorted({type(n).__name__ for n in query.tree.walk()} & set(_SLOW_NODES))
        if names:
            found.append((f"用到 {', '.join(names)}", f"uses {', '.join(names)}"))
        if next(query.tree.find_all(exp.Subquery, exp.Exists), None) is not None and len(query.tables) > 2:
            found.append(("子查询读取多张表", "sub-queries over several tables"))
    return found


def _scopes(tree: Any) -> Any:
    from sqlglot.optimizer.scope import traverse_scope

    return traverse_scope(tree)


def _row_by_row(scope: Any) -> bool:
    """Whether a sub-query looks at the row outside of it by nothing that is equal: each with each."""
    from sqlglot import exp

    outside = {id(column) for column in scope.external_columns if column.table}
    sides = (side for eq in scope.expression.find_all(exp.EQ) for side in (eq.this, eq.expression))
    if not outside or isinstance(scope.expression.find_ancestor(exp.In, exp.Select), exp.In):
        return False
    return not any(id(side) in outside for side in sides)


def _has_equality(join: Any) -> bool:
    from sqlglot import exp

    on = join.args.get("on")
    if on is None:  # a comma join: its condition stands in WHERE, if anywhere
        where = join.parent.args.get("where") if join.parent is not None else None
        return where is not None and next(where.find_all(exp.EQ), None) is not None
    return next(on.find_all(exp.EQ), None) is not None


def _cost(kind: CostClass, zh: str, en: str, tables: dict[str, int] | None = None) -> dict[str, Any]:
    return {"class": kind, "zh": zh, "en": en, "tables": tables or {}}
