"""The text of a query for Athena: a WITH of what the asker may see, then the query over it.

There is one text of a query, in Athena's dialect, and one of each projection. On DuckDB the first is
transpiled; on Athena the second. tests/athena runs both texts of the same queries and compares; a list of
what Athena's engine has (infra/athena/engine3.json) and Trino's own grammar judge what is made here.
Snapshots are named, so both engines read the published state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from huitong.athena.text import fitting
from huitong.contracts.model import Contract
from huitong.errors import InvalidQuery
from huitong.query.dialect import invalid, rewritten, to_duckdb
from huitong.query.disclosing import disclosing
from huitong.query.parse import CheckedQuery
from huitong.query.readable import Readable, athena_type, marks_sql, traced
from huitong.sharing.access import Access
from huitong.sharing.projection import CHANGE_COLUMNS, CURRENT_COLUMNS, projection_sql, rows_sql
from huitong.warehouse.files import changes_table

_BASE: Final = "huitong_base"
#: Masks that show a part of the value: of a moment or a float both engines print other texts.
_PRINTED_ALIKE: Final = frozenset({"string", "integer", "decimal", "date", "boolean"})


@dataclass(frozen=True, slots=True)
class Relation:
    """Keys and persons of what a query disclosed of a resource (or could have, where not ``exact``)."""

    contract: Contract
    exact: bool
    sql: str


def athena_sql(query: CheckedQuery, tables: Sequence[Readable], namespace: str) -> str:
    """The whole text for Athena.

    Raises InvalidQuery for a table that only DuckDB can read, and for a text beyond Athena's limit.
    """
    names = query.view_names()
    views = [_cte(names[table.use], _view(table, namespace, table.hidden)) for table in tables]
    return _text(query.over(names), views)


def disclosed_sql(query: CheckedQuery, tables: Sequence[Readable], namespace: str) -> list[Relation]:
    """For each resource once, over all its tables and states in the query. Raises like :func:`athena_sql`."""
    if any(table.hidden for table in tables):  # statistics are about nobody
        return []
    names = query.view_names()
    found: dict[str, tuple[Contract, list[exp.Expr], list[exp.CTE], bool]] = {}
    for table in tables:
        contract = table.contract
        if contract is None or table.fixed or table.use.part not in ("current", "changes"):
            continue
        hidden = traced(contract)
        view = names[table.use]
        relation = disclosing(query, table.use, view, hidden)
        if relation is None:
            continue
        cte = _cte(view, _rows(table, namespace, hidden))
        _, trees, ctes, exact = found.get(contract.id, (contract, [], [], True))
        found[contract.id] = (contract, [*trees, relation.tree], [*ctes, cte], exact and relation.exact)
    return [
        Relation(contract, exact, _text(_distinct(trees), ctes))
        for contract, trees, ctes, exact in found.values()
    ]


def unreadable(table: Readable) -> InvalidQuery | None:
    """Why a table cannot be read on Athena as it is on DuckDB; None when it can."""
    use, contract, access = table.use, table.contract, table.access
    if table.fixed:
        return None
    if contract is None or access is None or use.part not in ("current", "changes", "marks"):
        zh, en = f"Athena 上不能查询 {use.name}${use.part}", f"{use.name}${use.part} cannot be read on Athena"
        return invalid("query.athena", zh, en)
    if table.publication is None:
        zh, en = f"{use.name} 尚未发布", f"{use.name} has not been published yet"
        return invalid("query.athena", zh, en)
    if access.case_no and access.subjects and contract.subject_fields:
        zh = "Athena 上不能按案件人员查询:密钥不出平台"
        return invalid("query.athena", zh, "Persons of a case are not found on Athena: the key stays here")
    for field in contract.fields:
        mask = access.masks.get(field.name, "")
        if mask not in ("", "all") and field.type not in _PRINTED_ALIKE and field.name in access.fields:
            zh = f"Athena 上不能脱敏 {field.name}:该类型的文本形式不同"
            en = f"{field.name} cannot be masked on Athena: it prints values of this type otherwise"
            return invalid("query.athena", zh, en)
    if access.row_filter and not _same_both_ways(access.row_filter):
        zh, en = "行筛选条件在 Athena 上没有相同的写法", "The row filter has no equal on Athena"
        return invalid("query.athena", zh, en)
    return None


def _text(tree: exp.Expression, views: Sequence[exp.CTE]) -> str:
    found = tree.args.get("with_")
    own = list(found.expressions) if isinstance(found, exp.With) else []
    if views:
        tree.set("with_", exp.With(expressions=[*views, *own]))
    return fitting(str(tree.sql("athena", identify=True, comments=False)))


def _cte(name: str, tree: exp.Expr) -> exp.CTE:
    return exp.CTE(this=tree, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _distinct(trees: Sequence[exp.Expr]) -> exp.Expression:
    """All of them together, each row once."""
    whole: exp.Expr = trees[0]
    for tree in trees[1:]:
        whole = exp.Union(this=whole, expression=tree, distinct=False)
    every = exp.select(exp.Star()).from_(exp.Subquery(this=whole, alias=exp.to_identifier("d", quoted=True)))
    return every.distinct()


def _view(table: Readable, namespace: str, hidden: Sequence[tuple[str, str]]) -> exp.Expr:
    """What the asker sees of a table."""
    if table.fixed:
        return sqlglot.parse_one(table.fixed, read="duckdb")
    contract, access = _readable(table)
    if table.use.part == "marks":
        places = ("_batch_id", "_source_row")
        mine = projection_sql(contract, access, f"SELECT * FROM {_BASE}", system_columns=places)
        return _over(table, contract, access, namespace, marks_sql(table.marks, mine, places))
    changes = table.use.part == "changes"
    text = projection_sql(
        contract,
        access,
        f"SELECT * FROM {_BASE}",
        system_columns=(*CHANGE_COLUMNS, *CURRENT_COLUMNS) if changes else CURRENT_COLUMNS,
        before=changes,
        hidden=hidden,
    )
    return _over(table, contract, access, namespace, text)


def _rows(table: Readable, namespace: str, hidden: Sequence[tuple[str, str]]) -> exp.Expr:
    """The same with keys and persons beside; of the change log these alone, of new and former rows."""
    if table.use.part == "current":
        return _view(table, namespace, hidden)
    contract, access = _readable(table)
    text = rows_sql(contract, access, f"SELECT * FROM {_BASE}", hidden)
    return _over(table, contract, access, namespace, text)


def _readable(table: Readable) -> tuple[Contract, Access]:
    refusal = unreadable(table)
    if refusal is not None or table.contract is None or table.access is None:
        raise refusal or invalid("query.table", "没有该表", "There is no such table")
    return table.contract, table.access


def _over(table: Readable, contract: Contract, access: Access, namespace: str, text: str) -> exp.Expr:
    """A projection's text as Athena has it, over the published snapshot."""
    published = table.publication
    changes = table.use.part == "changes"
    snapshot = (
        0 if published is None else published.changes_snapshot if changes else published.current_snapshot
    )
    name = changes_table(contract.table) if changes else contract.table
    types = {f.name: athena_type(f, access) for f in contract.fields}
    base = partial(_iceberg, namespace, name, snapshot)

    def for_athena(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table) and node.name == _BASE:
            return base()
        if isinstance(node, exp.Repeat):  # Athena's repeat makes an array
            size = exp.cast(node.args["times"], "INT")
            return exp.Anonymous(this="rpad", expressions=[exp.Literal.string(""), size, node.this])
        if isinstance(node, exp.Struct):
            return _row(node, types)
        return node

    return rewritten(sqlglot.parse_one(text, read="duckdb"), for_athena)


def _iceberg(namespace: str, name: str, snapshot: int) -> exp.Table:
    version = exp.Version(this="VERSION", kind="AS OF", expression=exp.Literal.number(snapshot))
    return exp.Table(
        this=exp.to_identifier(name, quoted=True),
        db=exp.to_identifier(namespace, quoted=True),
        version=version,
    )


def _row(node: exp.Struct, types: dict[str, str]) -> exp.Expr:
    """A struct with names as Athena has it: a cast of a ROW."""
    values = [pair.expression for pair in node.expressions]
    names = [pair.this.name for pair in node.expressions]
    members = [
        exp.ColumnDef(
            this=exp.to_identifier(name, quoted=True),
            kind=exp.DataType.build(types[name], dialect="athena"),
        )
        for name in names
    ]
    kind = exp.DataType(this=exp.DataType.Type.STRUCT, expressions=members, nested=True)
    return exp.Cast(this=exp.Anonymous(this="ROW", expressions=values), to=kind)


def _same_both_ways(condition: str) -> bool:
    """Whether a filter's text, made for DuckDB, means the same after it went to Athena and came back."""
    try:
        tree = sqlglot.parse_one(condition, read="duckdb")
        there = tree.sql("athena", identify=True)
        back = to_duckdb(sqlglot.parse_one(there, read="athena"))
        return bool(sqlglot.parse_one(back, read="duckdb") == tree)
    except (SqlglotError, InvalidQuery):
        return False
