"""The comparison of a delivery with the current table as one statement for Athena (C-38).

Each row of its answer is one key of which something is to be done, wide for changes, narrow for the others:

========== ==========================================================================
_op        what it is
========== ==========================================================================
insert     a delivered row of a new key
update     a delivered row and the current one; some field differs
delete     a current row that the edition lacks, or whose key the increment deletes
kept       a current row that the edition lacks and a later batch has spoken about
retained   the same, because the delivery's row of this key is in quarantine
skip       a delivered row whose key a later batch has spoken about
overtaken  a key to delete, likewise
counted    one row always: how many rows Athena read of both sides
========== ==========================================================================

Columns: the keys as ``k0`` …, ``n_path`` and ``o_path`` (the files), ``n_row`` (row in the source), the
case numbers, and ``n0`` …, ``o0`` …: the other fields, delivered and current. Moments are text: files that
Athena writes have no zones. Names are quoted; those of ours begin with ``#`` where they meet a contract's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huitong.athena.text import names, quoted
from huitong.contracts.model import Contract, Field, Mode
from huitong.warehouse.sql import by_field_id


@dataclass(frozen=True, slots=True)
class Tables:
    """Table expressions: ``current`` empty = nothing is published; ``keys`` empty = none are given."""

    delivered: str
    current: str = ""
    keys: str = ""


def others(contract: Contract) -> tuple[Field, ...]:
    """The fields beside the key, in table order: ``n0`` is the first of them."""
    return tuple(f for f in by_field_id(contract) if not f.key)


def comparison_sql(contract: Contract, mode: Mode, tables: Tables) -> str:
    """The whole SELECT."""
    full = mode == "full"
    keys = [f.name for f in contract.keys]
    found = [
        f"d AS (SELECT {_columns(contract, '_source_row')} FROM {tables.delivered})",
        f"c AS (SELECT {_columns(contract)} FROM {tables.current or _nothing(tables.delivered)})",
        *_said(contract, tables.keys),
        f"n AS (SELECT d.* FROM d LEFT JOIN s ON {_on('d', 's', keys)} WHERE s.{quoted('#in')} IS NULL)",
        f"j AS ({_joined(contract)})",
    ]
    spared = "q" if full else "x"
    verdict = "CASE WHEN j.o_path IS NULL THEN 'insert' WHEN j.n_path IS NOT NULL THEN 'update' " + (
        f"WHEN s.{quoted('#in')} THEN 'kept' WHEN q.{quoted('#in')} THEN 'retained' ELSE 'delete' END"
        if full
        else f"WHEN s.{quoted('#in')} IS NULL AND x.{quoted('#in')} THEN 'delete' END"
    )
    row = "j.n_row" if full else f"coalesce(j.n_row, x.{quoted('_source_row')})"
    shown = _shown(contract, "j.")
    on_j = " AND ".join(f"j.k{i} = {{0}}.{quoted(k)}" for i, k in enumerate(keys))
    judged = (
        f"SELECT {verdict} AS {quoted('_op')}, {row} AS n_row, {', '.join(shown)} FROM j "
        f"LEFT JOIN s ON {on_j.format('s')} LEFT JOIN {spared} ON {on_j.format(spared)}"
    )
    parts = [f"SELECT * FROM ({judged}) AS r WHERE {quoted('_op')} IS NOT NULL", _skipped(contract, full)]
    parts.append(_counted(contract))
    return f"WITH {', '.join(found)} {' UNION ALL '.join(parts)}"


def out_columns(contract: Contract) -> list[str]:
    """The columns of the answer, in order."""
    plain = [f"k{i}" for i in range(len(contract.keys))]
    sides = [f"{side}{i}" for side in "no" for i in range(len(others(contract)))]
    return ["_op", "n_row", *plain, "n_path", "o_path", "n_case", "o_case", *sides]


def _columns(contract: Contract, *more: str) -> str:
    wanted = ["_case_no", *more, *(f.name for f in by_field_id(contract))]
    return f"{names(wanted)}, {quoted('$path')} AS {quoted('#path')}"


def _nothing(delivered: str) -> str:
    """A current side without rows, of the same columns."""
    return f"{delivered} WHERE FALSE"


def _said(contract: Contract, keys: str) -> list[str]:
    """What is said of keys: ``s`` stated by later batches, ``q`` in quarantine, ``x`` to delete."""
    listed = names(f.name for f in contract.keys)
    if not keys:
        nulls = ", ".join(f"d.{quoted(f.name)}" for f in contract.keys)
        empty = f"SELECT {nulls}, TRUE AS {quoted('#in')}, d.{quoted('_source_row')} FROM d WHERE FALSE"
        return [f"{name} AS ({empty})" for name in "sqx"]
    return [
        f"{name} AS (SELECT {listed}, TRUE AS {quoted('#in')}, max({quoted('_source_row')}) AS "
        f"{quoted('_source_row')} FROM {keys} WHERE {quoted('_said')} = '{said}' GROUP BY {listed})"
        for name, said in (("s", "stated"), ("q", "quarantined"), ("x", "delete"))
    ]


def _joined(contract: Contract) -> str:
    """Keys of which the two sides differ, with both rows."""
    keys = [f.name for f in contract.keys]
    columns = [f"coalesce(n.{quoted(k)}, c.{quoted(k)}) AS k{i}" for i, k in enumerate(keys)]
    columns += [
        f"n.{quoted('#path')} AS n_path", f"c.{quoted('#path')} AS o_path",
        f"n.{quoted('_source_row')} AS n_row", f"n.{quoted('_case_no')} AS n_case",
        f"c.{quoted('_case_no')} AS o_case",
    ]  # fmt: skip
    fields = others(contract)
    columns += [f"n.{quoted(f.name)} AS n{i}" for i, f in enumerate(fields)]
    columns += [f"c.{quoted(f.name)} AS o{i}" for i, f in enumerate(fields)]
    differ = [f"n.{quoted('#path')} IS NULL", f"c.{quoted('#path')} IS NULL"]
    differ += [f"n.{quoted(f.name)} IS DISTINCT FROM c.{quoted(f.name)}" for f in fields]
    return (
        f"SELECT {', '.join(columns)} FROM n FULL JOIN c ON {_on('n', 'c', keys)} WHERE {' OR '.join(differ)}"
    )


def _shown(contract: Contract, prefix: str) -> list[str]:
    """The columns after ``_op`` and ``n_row``; moments as text."""
    kinds = {f"k{i}": f for i, f in enumerate(contract.keys)}
    kinds |= {f"{side}{i}": f for side in "no" for i, f in enumerate(others(contract))}
    return [
        f"CAST({prefix}{name} AS VARCHAR) AS {name}"
        if name in kinds and kinds[name].type == "timestamp"
        else f"{prefix}{name} AS {name}"
        for name in out_columns(contract)[2:]
    ]


def _skipped(contract: Contract, full: bool) -> str:
    """Delivered rows, and keys to delete, that come too late."""
    keys = [f.name for f in contract.keys]
    told = {f"k{i}": _key_text(f, "d") for i, f in enumerate(contract.keys)}
    told |= {"n_path": f"d.{quoted('#path')}", "n_row": f"d.{quoted('_source_row')}"}
    late = f"SELECT {_narrow(contract, 'skip', told)} FROM d JOIN s ON {_on('d', 's', keys)}"
    if full:
        return late
    told = {f"k{i}": _key_text(f, "x") for i, f in enumerate(contract.keys)}
    told |= {"n_row": f"x.{quoted('_source_row')}"}
    overtaken = _narrow(contract, "overtaken", told)
    return f"{late} UNION ALL SELECT {overtaken} FROM x JOIN s ON {_on('x', 's', keys)}"


def _counted(contract: Contract) -> str:
    told = {"n_row": "(SELECT count(*) FROM d)", "n_path": "CAST((SELECT count(*) FROM c) AS VARCHAR)"}
    return f"SELECT {_narrow(contract, 'counted', told)}"


def _narrow(contract: Contract, op: str, told: dict[str, str]) -> str:
    """A row with these columns, null for the others; the types are those of the UNION's first part."""
    shown = {"_op": f"'{op}'"} | told
    return ", ".join(f"{shown.get(name, 'NULL')} AS {quoted(name)}" for name in out_columns(contract))


def _key_text(field: Field, alias: str) -> str:
    column = f"{alias}.{quoted(field.name)}"
    return f"CAST({column} AS VARCHAR)" if field.type == "timestamp" else column


def _on(left: str, right: str, keys: Sequence[str]) -> str:
    return " AND ".join(f"{left}.{quoted(k)} = {right}.{quoted(k)}" for k in keys)
