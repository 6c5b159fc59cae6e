"""Which rows of a batch share their key (Q-21, conflicting content).

A first pass hashes the keys of all rows (8 bytes a row); only rows whose hash
occurs twice are looked at again, exactly. Rows without a whole key are left out:
they are ``key.null``. Without a key in the contract the whole row is the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Contract
from huitong.quality.check import Block, Checker, Rows
from huitong.quality.semantics.base import Mask, as_mask
from huitong.quality.staged import Staged, take

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Positions of rows in the whole batch, ascending: further copies of a row, and rows in conflict."""

    rows: int  # of the batch
    duplicates: Rows
    conflicts: Rows


def find_repeated(
    staged: Staged, contract: Contract, checker: Checker, connection: duckdb.DuckDBPyConnection
) -> Repeated:
    """Read the key columns once, and candidates a second time if there are any."""
    key_names = [f.name for f in contract.keys or contract.fields]
    hashes = [_hash(block, contract, checker, connection) for block in staged.blocks(key_names)]
    rows = sum(len(h) for h, _ in hashes)
    none = np.empty(0, dtype=np.int64)
    if not rows:
        return Repeated(0, none, none)
    suspects = _repeated_values(np.concatenate([h if whole is None else h[whole] for h, whole in hashes]))
    if not len(suspects):
        return Repeated(rows, none, none)
    candidates = (
        np.flatnonzero(_is_in(h, suspects) if whole is None else _is_in(h, suspects) & whole)
        for h, whole in hashes
    )
    _load(staged, contract, checker, connection, candidates)
    return Repeated(rows, *_resolve(contract, connection))


def _keys(block: Block, contract: Contract, checker: Checker) -> list[Any]:
    """Key values as text: the typed value where it is one, so that 1 and 01 are the same integer."""
    fields = contract.keys or contract.fields
    published = checker.published(block, fields)
    keys = []
    for field in fields:
        typed = published[field.name]
        if field.type != "string" and field.name in block.columns:
            raw = block.columns[field.name]
            raw = raw.cast(pa.string()) if pa.types.is_dictionary(raw.type) else raw
            typed = pc.coalesce(typed.cast(pa.string()), raw)
        keys.append(typed if field.type == "string" else typed.cast(pa.string()))
    return keys


def _hash(
    block: Block, contract: Contract, checker: Checker, connection: duckdb.DuckDBPyConnection
) -> tuple[Hashes, Mask | None]:
    keys = _keys(block, contract, checker)
    whole: Mask | None = None
    for key in keys if contract.keys else ():
        if key.null_count:
            valid = as_mask(key.is_valid())
            whole = valid if whole is None else whole & valid
    relation = pa.table({f"k{i}": key for i, key in enumerate(keys)})
    connection.register("staged", relation)
    try:
        answer = connection.sql(f"SELECT hash({', '.join(relation.column_names)}) AS h FROM staged")
        hashes: Hashes = answer.to_arrow_table().column("h").to_numpy()
    finally:
        connection.unregister("staged")
    return hashes, whole


def _repeated_values(hashes: Hashes) -> Hashes:
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _is_in(hashes: Hashes, suspects: Hashes) -> Mask:
    places = np.minimum(np.searchsorted(suspects, hashes), len(suspects) - 1)
    found: Mask = suspects[places] == hashes
    return found


def _load(
    staged: Staged,
    contract: Contract,
    checker: Checker,
    connection: duckdb.DuckDBPyConnection,
    candidates: Iterator[Rows],
) -> None:
    """Keys and contents of the candidates, in a table that may spill to disk."""
    names = [f.name for f in contract.fields]
    key_count = len(contract.keys or contract.fields)
    columns = [f"k{i} VARCHAR" for i in range(key_count)] + [f"c{i} VARCHAR" for i in range(len(names))]
    connection.execute(f"CREATE TABLE candidates (place BIGINT, {', '.join(columns)}, op BOOLEAN)")
    start = 0
    for block, rows in zip(staged.blocks(names), candidates, strict=True):
        if len(rows):
            connection.register("staged", _candidates(take(block, rows), rows + start, contract, checker))
            connection.execute("INSERT INTO candidates SELECT * FROM staged")
            connection.unregister("staged")
        start += len(block)


def _candidates(block: Block, rows: Rows, contract: Contract, checker: Checker) -> Any:
    texts = checker.published(block, [f for f in contract.fields if f.type == "string"])
    deletes = np.zeros(len(rows), dtype=np.bool_) if block.deletes is None else block.deletes
    gone = pa.array(deletes)
    nothing = pa.scalar(None, pa.string())
    relation = {"place": pa.array(rows)}
    relation |= {f"k{i}": key.cast(pa.string()) for i, key in enumerate(_keys(block, contract, checker))}
    for i, field in enumerate(contract.fields):
        column = texts.get(field.name, block.columns.get(field.name))
        if column is None:
            column = pa.nulls(len(rows), pa.string())
        # what else stands in a row that asks for a deletion, and how a key is written, makes no difference
        content = pc.if_else(gone, nothing, column.cast(pa.string()))
        relation[f"c{i}"] = pa.nulls(len(rows), pa.string()) if field.key else content
    relation["op"] = gone
    return pa.table(relation)


def _resolve(contract: Contract, connection: duckdb.DuckDBPyConnection) -> tuple[Rows, Rows]:
    keys = [f"k{i}" for i in range(len(contract.keys or contract.fields))]
    content = ", ".join([*(f"c{i}" for i in range(len(contract.fields))), "op"])
    same_key = " AND ".join(f"c.{k} IS NOT DISTINCT FROM g.{k}" for k in keys)
    found = connection.sql(
        f"WITH g AS (SELECT {', '.join(keys)}, min(place) AS first, "
        f"min(row({content})) = max(row({content})) AS same "
        f"FROM candidates GROUP BY {', '.join(keys)} HAVING count(*) > 1) "
        f"SELECT c.place, g.same FROM candidates c JOIN g ON {same_key} "
        "WHERE NOT g.same OR c.place <> g.first ORDER BY c.place"
    ).to_arrow_table()
    connection.execute("DROP TABLE candidates")
    rows = found.column("place").to_numpy()
    same = found.column("same").to_numpy()
    return rows[same], rows[~same]
