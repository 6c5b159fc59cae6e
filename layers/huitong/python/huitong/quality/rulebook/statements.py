"""The SQL of rules that look at all rows: one statement each over ``delivery`` and ``other``. Text only.

``delivery`` has the columns that the rules read, typed, ``_source_row``, ``_received_on``, and ``_place``,
a row's position in the batch; copies and deletions are not in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from huitong.contracts.model import Contract, Field
from huitong.quality.masking import mask_of, mask_sql
from huitong.quality.rulebook.binding import SetCheck
from huitong.sharing.names import literal, quoted

PLACE = "_place"
#: Values that a distribution is told apart by; the others count as one.
_CATEGORIES = 50


def reference(check: SetCheck, own: Contract) -> str:
    """Rows whose fields, all given, are in no row of the other table."""
    (other,) = check.others
    pairs = _pairs(own, check.rule.fields, other, check.rule.parameters["fields"])
    given = " AND ".join(f"d.{quoted(name)} IS NOT NULL" for name in check.rule.fields)
    equal = " AND ".join(f"{a} = {b}" for a, b in pairs)
    return (
        f"SELECT d.{PLACE} FROM {_rows('delivery', check.when)} AS d WHERE {given} "
        f"AND NOT EXISTS (SELECT 1 FROM {_rows('other', check.where)} AS o WHERE {equal})"
    )


def agreement(check: SetCheck, own: Contract) -> str:
    """Rows with another value than the other unit's for the same item, and both values, masked."""
    (other,) = check.others
    asked, (name,) = check.rule.parameters, check.rule.fields
    pairs = _pairs(own, list(asked["keys"]), other, list(asked["keys"].values()))
    ((mine, theirs),) = _pairs(own, [name], other, [asked["other_field"]])
    differ = f"{mine} <> {theirs}"
    if asked.get("tolerance") is not None:
        differ = f"abs({mine} - {theirs}) > {literal(str(asked['tolerance']))}::DECIMAL(38, 9)"
    on = " AND ".join(f"{a} = {b}" for a, b in pairs)
    keys = ", ".join(f"CAST(d.{quoted(f.name)} AS VARCHAR)" for f in own.keys)
    shown = f"{_masked(own, name, 'd')} AS own, {_masked(other, str(asked['other_field']), 'o')} AS theirs"
    return (
        f"SELECT d.{PLACE}, d._source_row AS source_row, [{keys}]::VARCHAR[] AS keys, {shown} "
        f"FROM {_rows('delivery', check.when)} AS d JOIN {_rows('other', check.where)} AS o ON {on} "
        f"WHERE {differ}"
    )


def unique_history(check: SetCheck, own: Contract, history: bool) -> str:
    """Rows whose value is, here or anywhere in the history, also of another key."""
    value = _packed("v", check.rule.fields)
    key = _packed("k", [f.name for f in own.keys])
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in check.rule.fields)
    mine = f"SELECT {PLACE}, {value} AS v, {key} AS k FROM {_rows('delivery', check.when)} AS d WHERE {given}"
    known = "SELECT v, k FROM mine"
    if history:
        past = f"SELECT {value} AS v, {key} AS k FROM other"
        known += f" UNION SELECT v, k FROM ({past}) WHERE v IN (SELECT v FROM mine)"
    return (
        f"WITH mine AS ({mine}), known AS (SELECT DISTINCT v, k FROM ({known})), "
        "shared AS (SELECT v FROM known GROUP BY v HAVING count(*) > 1) "
        f"SELECT {PLACE} FROM mine WHERE v IN (SELECT v FROM shared)"
    )


def offending(sql: str) -> str:
    """Rows that an own SQL statement names."""
    named = f"SELECT DISTINCT CAST(_source_row AS BIGINT) AS _source_row FROM ({sql}) AS u"
    return f"SELECT d.{PLACE} FROM delivery AS d WHERE d._source_row IN ({named})"


def newest(field: Field) -> str:
    """Microseconds since 1970 of the newest value, null without one."""
    column = quoted(field.name)
    value = f"CAST({column} AS TIMESTAMP)" if field.type == "date" else column
    return f"SELECT max(epoch_us({value})) FROM delivery"


def distance(field: Field) -> str:
    """Half the sum of differences between the shares of both distributions in percent, and both counts.

    Texts, truth values: the published table's most frequent values, the others together, empty ones. Numbers,
    dates, moments: ten parts of the published values with as many in each.
    """
    column = quoted(field.name)
    if field.type in ("string", "boolean"):
        text = f"CAST({column} AS VARCHAR)"
        most = (
            f"SELECT {text} AS m FROM other WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
        )
        frame = f"WITH known AS ({most} LIMIT {_CATEGORIES}), "
        listed = f"WHEN {text} IN (SELECT m FROM known) THEN 'v' || {text}"
        bucket = f"CASE WHEN {column} IS NULL THEN 'n' {listed} ELSE 'o' END"
    else:
        number = _number(field, column)
        tenths = ", ".join(f"0.{n}" for n in range(1, 10))
        frame = f"WITH cuts AS (SELECT quantile_cont({number}, [{tenths}]) AS q FROM other), "
        below = f"len(list_filter((SELECT q FROM cuts), lambda c: c < {number}))"
        bucket = f"CASE WHEN {column} IS NULL THEN 'n' ELSE {below}::VARCHAR END"
    counts = f"a AS (SELECT {bucket} AS b, count(*) AS n FROM delivery GROUP BY 1), "
    counts += f"z AS (SELECT {bucket} AS b, count(*) AS n FROM other GROUP BY 1)"
    mine, theirs = "(SELECT sum(n) FROM a)", "(SELECT sum(n) FROM z)"
    share = f"abs(coalesce(a.n, 0) / {mine}::DOUBLE - coalesce(z.n, 0) / {theirs}::DOUBLE)"
    return f"{frame}{counts} SELECT 50.0 * sum({share}), {mine}, {theirs} FROM a FULL JOIN z USING (b)"


def _number(field: Field, column: str) -> str:
    if field.type in ("date", "timestamp"):
        value = f"CAST({column} AS TIMESTAMP)" if field.type == "date" else column
        return f"CAST(epoch_us({value}) AS DOUBLE)"
    return f"CAST({column} AS DOUBLE)"


def _rows(view: str, condition: str) -> str:
    return f"(SELECT * FROM {view} WHERE coalesce(({condition}), false))" if condition else view


def _packed(prefix: str, names: Sequence[str]) -> str:
    return "struct_pack(" + ", ".join(f"{prefix}{i} := {quoted(name)}" for i, name in enumerate(names)) + ")"


def _pairs(
    own: Contract, mine: Sequence[str], other: Contract, theirs: Sequence[str]
) -> list[tuple[str, str]]:
    """Columns to be compared; as text where their types differ."""
    found = []
    for a, b in zip(mine, theirs, strict=True):
        left, right = f"d.{quoted(a)}", f"o.{quoted(b)}"
        kinds = {f.type for f in (own.field_named(a), other.field_named(b)) if f}
        if len(kinds) > 1 and not kinds <= {"integer", "decimal", "double"}:
            left, right = f"CAST({left} AS VARCHAR)", f"CAST({right} AS VARCHAR)"
        found.append((left, right))
    return found


def _masked(contract: Contract, name: str, alias: str) -> str:
    field = contract.field_named(name)
    column = f"{alias}.{quoted(name)}"
    mask = mask_of(field) if field else "all"
    return f"left(CAST({mask_sql(mask, column)} AS VARCHAR), 200)"
