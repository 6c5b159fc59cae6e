"""Access turned into SQL: the only way by which rows leave the warehouse for an asker.

Used by queries, pulls, pushes and snapshots alike, so that no path shows more
than another. No heavy import: the text is DuckDB's.

Of the change log an asker sees the changes *as they are for it*: a row that
enters the row filter appears as an insertion, one that leaves it as a
deletion, and an update that touched only fields outside of the grant is not
there at all. Otherwise the log would tell about rows and fields not granted.

A WHERE alone is no barrier: the engine may evaluate an asker's expression
before it, and an error ("could not convert 'secret'") would tell of rows
outside of the filter. So with a row filter every column is null until its row
has passed: what stands above the projection cannot see anything else.

An access bound to a case is a row filter, too: rows whose case field names the
case, and rows about its persons, found by their blind indexes. The text of the
SQL then holds what is derived from the key of these: it is never logged, and
nothing that an asker may write reads the text of a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from huitong.audit.subjects import PERSONS, RECORD, blind_sql, subject_text_sql
from huitong.contracts.model import Contract, Field, Mask
from huitong.quality.masking import mask_sql
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted
from huitong.warehouse.columns import BEFORE, CHANGES, CURRENT

CURRENT_COLUMNS: Final = tuple(name for name, _ in CURRENT)
CHANGE_COLUMNS: Final = tuple(name for name, _ in CHANGES)

# Working columns of the nested SELECTs; contract fields never begin with two underscores and "huitong".
_NOW, _WAS, _VISIBLE = "__huitong_now", "__huitong_was", "__huitong_visible"
_NEW = "__huitong_new_"  # before the name of a column


def granted_fields(contract: Contract, access: Access) -> tuple[Field, ...]:
    """The fields that the access shows, in contract order."""
    names = set(access.fields)
    return tuple(f for f in contract.fields if f.name in names)


def projection_sql(
    contract: Contract,
    access: Access,
    relation_sql: str,
    *,
    system_columns: Sequence[str] = (),
    before: bool = False,
    subjects_key: str = "",
    hidden: Sequence[tuple[str, str]] = (),
) -> str:
    """A SELECT that gives what ``access`` shows of ``relation_sql`` (a SELECT over typed columns).

    Columns: ``system_columns`` in the order given, then the granted fields in
    contract order, masked ones as text. ``before=True`` says that the relation
    is the change log: then ``_op`` and ``_changed_columns`` speak of granted
    fields and rows only, and the last column is ``_before``, restricted alike.
    ``hidden`` are further columns (name, field), unmasked, after the others: for what stands between the
    projection and the asker, never for the asker; not with ``before``.
    ``subjects_key`` finds the persons of a case; without it rows are found by their case field only.
    Raises ValueError on an access of another resource, one that gives no rows, or an unknown system column.
    """
    if access.resource != contract.id or access.gives == "nothing":
        raise ValueError("the access is of another resource, or only describes it")
    known = CURRENT_COLUMNS + (RECORD, PERSONS) + (CHANGE_COLUMNS if before else ())
    if unknown := set(system_columns) - set(known):
        raise ValueError(f"no such system columns: {sorted(unknown)}")
    passes = passes_sql(contract, access, subjects_key)
    if before and passes:
        return _filtered_changes(contract, access, relation_sql, system_columns, passes)
    if before:
        return _changes(contract, access, relation_sql, system_columns)
    values = [(name, _system(contract, access, name)) for name in system_columns]
    values += [(f.name, _shown(access, f, quoted(f.name))) for f in granted_fields(contract, access)]
    values += [(name, quoted(field)) for name, field in hidden]
    if not passes:
        return f"SELECT {_columns(values)} FROM ({relation_sql}) AS r"
    inner = f"SELECT *, {passes} AS {_NOW} FROM ({relation_sql}) AS r"
    return f"SELECT {_columns(values, _NOW)} FROM ({inner}) AS f WHERE {_NOW}"


def _columns(values: Sequence[tuple[str, str]], only_when: str = "") -> str:
    guarded = values
    if only_when:
        guarded = [(name, f"CASE WHEN {only_when} THEN {value} END") for name, value in values]
    return ", ".join(f"{value} AS {quoted(name)}" for name, value in guarded) or "NULL AS _nothing"


def rows_sql(
    contract: Contract,
    access: Access,
    changes_sql: str,
    hidden: Sequence[tuple[str, str]],
    subjects_key: str = "",
) -> str:
    """``hidden`` columns (name, field), unmasked, of all rows of a change log: new ones and former."""
    old = [f"{quoted(BEFORE)}.{quoted(f.name)} AS {quoted(f.name)}" for f in contract.fields]
    old += [quoted(name) for name in CURRENT_COLUMNS]
    former = f"SELECT {', '.join(old)} FROM ({changes_sql}) AS c WHERE {quoted(BEFORE)} IS NOT NULL"
    shown = ", ".join(f"{quoted(field)} AS {quoted(name)}" for name, field in hidden)
    where = passes_sql(contract, access, subjects_key) or "TRUE"
    return " UNION ALL ".join(
        f"SELECT {shown} FROM ({rows}) AS r WHERE {where}" for rows in (changes_sql, former)
    )


def passes_sql(contract: Contract, access: Access, subjects_key: str = "") -> str:
    """Whether a row may be seen, never null, over the resource's own columns; empty = every row may."""
    parts = [f"COALESCE(({access.row_filter}), FALSE)"] if access.row_filter else []
    if access.case_no:
        parts.append(_of_case(contract, access, subjects_key))
    return f"({' AND '.join(parts)})" if len(parts) > 1 else "".join(parts)


def _of_case(contract: Contract, access: Access, subjects_key: str) -> str:
    """Rows of the case; where neither a case field nor a person leads to it, none."""
    found = []
    if contract.case_field:
        column = f"CAST({quoted(contract.case_field)} AS VARCHAR)"
        found.append(f"{_case_text(column)} = {_case_text(literal(access.case_no))}")
    if access.subjects and subjects_key:
        known = ", ".join(literal(blind) for blind in sorted(access.subjects))
        for f in contract.subject_fields:
            text = subject_text_sql(f"CAST({quoted(f.name)} AS VARCHAR)")
            found.append(f"{blind_sql(subjects_key, 'subject', text)} IN ({known})")
    return f"COALESCE(({' OR '.join(found) or 'FALSE'}), FALSE)"


def _case_text(column: str) -> str:
    """Full-width brackets and blanks make no difference in case numbers."""
    return f"TRANSLATE({column}, '（）〔〕[] ', '()()()')"


def _shown(access: Access, field: Field, column: str) -> str:
    mask: Mask = access.masks.get(field.name, "")
    return mask_sql(mask, column)


def _system(contract: Contract, access: Access, name: str, prefix: str = "") -> str:
    """A system column; the case number only to whom the field that it comes from is shown plain."""
    case = contract.case_field
    if name == "_case_no" and case and (case not in access.fields or access.masks.get(case)):
        return "CAST(NULL AS VARCHAR)"
    return quoted(prefix + name)


def _changed_columns(fields: Sequence[Field], prefix: str = "") -> str:
    names = ", ".join(literal(f.name) for f in fields) or "NULL"
    return f"LIST_FILTER({quoted(prefix + '_changed_columns')}, lambda c: c IN ({names}))"


def _before(access: Access, fields: Sequence[Field], struct: str, present: str) -> str:
    if not fields:
        return "NULL"
    shown = [f"{quoted(f.name)} := {_shown(access, f, f'{struct}.{quoted(f.name)}')}" for f in fields]
    return f"CASE WHEN {present} THEN STRUCT_PACK({', '.join(shown)}) END"


def _changes(contract: Contract, access: Access, relation_sql: str, system_columns: Sequence[str]) -> str:
    fields = granted_fields(contract, access)
    changed = _changed_columns(fields)
    values = [
        (name, changed if name == "_changed_columns" else _system(contract, access, name))
        for name in system_columns
    ]
    values += [(f.name, _shown(access, f, quoted(f.name))) for f in fields]
    values.append((BEFORE, _before(access, fields, quoted(BEFORE), f"{quoted(BEFORE)} IS NOT NULL")))
    where = ""
    if len(fields) < len(contract.fields):
        where = f" WHERE {quoted('_op')} <> 'update' OR ARRAY_LENGTH({changed}) > 0"
    return f"SELECT {_columns(values)} FROM ({relation_sql}) AS r{where}"


def _filtered_changes(
    contract: Contract, access: Access, relation_sql: str, system_columns: Sequence[str], passes: str
) -> str:
    fields = granted_fields(contract, access)
    operation = quoted(_NEW + "_op")
    left = f"({operation} = 'update' AND NOT {_NOW})"
    entered = f"({operation} = 'update' AND NOT {_WAS})"
    changed = _changed_columns(fields, _NEW)
    computed = {
        "_op": f"CASE WHEN {left} THEN 'delete' WHEN {entered} THEN 'insert' ELSE {operation} END",
        "_changed_columns": f"CASE WHEN {left} OR {entered} THEN CAST([] AS VARCHAR[]) ELSE {changed} END",
    }
    old = quoted(BEFORE)
    values = []
    for name in system_columns:
        values.append((name, computed.get(name) or _system(contract, access, name, _NEW)))
    for f in fields:
        # of a row that left the filter the last state that fitted it, never the one outside
        value = f"(CASE WHEN {left} THEN {old}.{quoted(f.name)} ELSE {quoted(_NEW + f.name)} END)"
        values.append((f.name, _shown(access, f, value)))
    values.append((BEFORE, _before(access, fields, old, _WAS)))
    visible = f"({_NOW} OR ({operation} = 'update' AND {_WAS}))"
    if len(fields) < len(contract.fields):
        visible += f" AND ({operation} <> 'update' OR {left} OR {entered} OR ARRAY_LENGTH({changed}) > 0)"
    kept = dict.fromkeys(("_op", "_changed_columns", *system_columns, *(f.name for f in fields)))
    states = _with_both_states(contract, passes, relation_sql, tuple(kept))
    both = f"SELECT *, ({visible}) AS {_VISIBLE} FROM ({states}) AS s"
    return f"SELECT {_columns(values, _VISIBLE)} FROM ({both}) AS b WHERE {_VISIBLE}"


def _with_both_states(contract: Contract, passes: str, relation_sql: str, kept: Sequence[str]) -> str:
    """Each change with whether the row filter lets its state after and before through.

    The columns ``kept`` of the state after go aside under names of their own. Those of
    the state before take the plain names, so that the filter's text is the same for both.
    """
    now = f"SELECT *, {passes} AS {_NOW} FROM ({relation_sql}) AS r"
    aside = [f"{quoted(name)} AS {quoted(_NEW + name)}" for name in kept]
    old = [f"{quoted(BEFORE)}.{quoted(f.name)} AS {quoted(f.name)}" for f in contract.fields]
    old += [quoted(name) for name in CURRENT_COLUMNS]
    packed = f"SELECT {_NOW}, {quoted(BEFORE)}, {', '.join((*aside, *old))} FROM ({now}) AS n"
    shown = ", ".join(quoted(_NEW + name) for name in kept)
    was = f"{quoted(BEFORE)} IS NOT NULL AND {passes}"
    return f"SELECT {_NOW}, {quoted(BEFORE)}, {shown}, ({was}) AS {_WAS} FROM ({packed}) AS p"
