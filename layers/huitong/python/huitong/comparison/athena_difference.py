"""What Athena found, as :class:`huitong.comparison.diff.Difference` has it: counts first, rows on demand.

The answer of :mod:`huitong.comparison.athena_text` lies in local files. Files of the table are opened only
when some of their rows have to be written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from huitong.comparison.athena_text import others, out_columns
from huitong.comparison.engine import fetched
from huitong.comparison.inputs import Op, Outcome
from huitong.comparison.placement import NewFile, Placement, pieces_of, place
from huitong.comparison.sources import Sources
from huitong.contracts.model import Contract, Field
from huitong.errors import Corrupt
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.footers import files_of
from huitong.warehouse.local_files import LocalFiles
from huitong.warehouse.sql import (
    by_field_id,
    current_columns,
    current_ids,
    parquet_select,
    quoted,
    sql_type,
    text,
)

_CHANGES: Final = "('insert', 'update', 'delete')"
_STAY: Final = "('kept', 'retained')"
_GONE: Final = "('update', 'delete')"
_FRESH: Final = "('insert', 'update')"


class AthenaDifference:
    """``answer`` are the local files of Athena's answer; ``store`` is the warehouse bucket.

    Raises Corrupt when Athena did not read exactly the rows that it should have, or a key stands twice.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        sources: Sources,
        answer: Sequence[Path],
        store: ObjectStore,
        local: LocalFiles,
    ) -> None:
        self._db = connection
        self._contract = contract
        self._sources = sources
        self._store = store
        self._local = local
        self._full = sources.mode == "full"
        listed = ", ".join(text(str(path)) for path in answer)
        columns = ", ".join(self._typed(name) for name in out_columns(contract))
        self._run(f"CREATE TEMP VIEW found AS SELECT {columns} FROM read_parquet([{listed}])")
        self._check()
        self.outcome = self._count()

    # --- results -----------------------------------------------------------

    def keys(self, op: Op, limit: int) -> list[tuple[Any, ...]]:
        """Key values of some rows of a kind, in the order of the change log."""
        order = f"ORDER BY n_row, {self._keys()} LIMIT {limit}"
        return fetched(self._db, f"SELECT {self._keys()} FROM found WHERE _op = '{op}' {order}")

    def overtaken_rows(self) -> list[int]:
        """Source rows of the delivery about whose keys batches that landed later have spoken, ascending."""
        found = self._db.execute("SELECT n_row FROM found WHERE _op IN ('skip', 'overtaken') ORDER BY 1")
        return [int(row) for (row,) in found.fetchall()]

    def change_rows(self, batch_rows: int) -> Iterator[Any]:
        """As :meth:`huitong.comparison.diff.Difference.change_rows`: by source row, then deletions by key."""
        fields = by_field_id(self._contract)
        old, new = self._side("o"), self._side("n")
        either = ", ".join(
            f"CASE WHEN _op = 'delete' THEN {old[f.name]} ELSE {new[f.name]} END AS {quoted(f.name)}"
            for f in fields
        )
        before = ", ".join(f"{text(f.name)}: {old[f.name]}" for f in fields)
        differ = [f"({new[f.name]} IS DISTINCT FROM {old[f.name]})::INTEGER::VARCHAR" for f in fields]
        mask = "'0b' || " + " || ".join(reversed(differ))
        sql = f"""
            SELECT _op, CASE WHEN _op = 'update' THEN {mask} ELSE '0' END AS "#mask", n_row AS _source_row,
                CASE WHEN _op = 'delete' THEN o_case ELSE n_case END AS _case_no, {either},
                CASE WHEN _op <> 'insert' THEN {{{before}}} END AS _before
            FROM found WHERE _op IN {_CHANGES} ORDER BY _op = 'delete', n_row, {self._keys()}"""
        yield from self._db.sql(sql).to_arrow_reader(batch_rows)

    def placement(self) -> Placement:
        """Which files the current table consists of afterwards."""
        current, delivered = self._sources.current, self._sources.delivered
        if self._full:
            skipped = self._per_file("n_path", "('skip')", delivered)
            new = {i: ref.rows - skipped.get(i, 0) for i, ref in enumerate(delivered)}
            old = self._per_file("o_path", _STAY, current)
        else:
            gone = self._per_file("o_path", _GONE, current)
            new = self._per_file("n_path", _FRESH, delivered)
            old = {i: ref.rows - gone.get(i, 0) for i, ref in enumerate(current)}
        return place(current, [*pieces_of("current", current, old), *pieces_of("delivered", delivered, new)])

    def rows_of(self, new: NewFile, batch_rows: int) -> Iterator[Any]:
        """The rows of a file that :meth:`placement` wants written, as Arrow batches."""
        chosen = {
            "current": f"EXISTS {_STAY}" if self._full else f"NOT EXISTS {_GONE}",
            "delivered": "NOT EXISTS ('skip')" if self._full else f"EXISTS {_FRESH}",
        }
        columns, ids = current_columns(self._contract), current_ids(self._contract)
        same = " AND ".join(f"f.k{i} = r.{quoted(k.name)}" for i, k in enumerate(self._contract.keys))
        with self._local.open([piece.ref for piece in new.pieces]) as paths:
            parts = []
            for piece, path in zip(new.pieces, paths, strict=True):
                rows = f"SELECT * FROM ({parquet_select(files_of([path], columns, ids), columns)}) r"
                test, _, kinds = chosen[piece.source].rpartition(" (")
                where = f" WHERE {test} (SELECT 1 FROM found f WHERE f._op IN ({kinds} AND {same})"
                parts.append(rows if piece.whole else rows + where)
            yield from self._db.sql(" UNION ALL ".join(parts)).to_arrow_reader(batch_rows)

    # --- what was found ----------------------------------------------------

    def _check(self) -> None:
        """Athena read the rows that are registered, each side once, and no key twice."""
        read = self._db.execute(
            "SELECT n_row, CAST(n_path AS BIGINT) FROM found WHERE _op = 'counted'"
        ).fetchall()
        due = (sum(r.rows for r in self._sources.delivered), self._sources.current_rows)
        if read != [due]:
            raise Corrupt(
                f"Athena 读到的行数与登记不符:{read},应为 {due}",
                f"Athena read other rows than are registered: {read} instead of {due}",
                resource=self._contract.id,
            )
        (twice,) = self._one(
            f"SELECT count(*) - count(DISTINCT ({self._keys()},)) FROM found WHERE _op IN {_CHANGES}"
        )
        if twice:
            raise Corrupt(
                f"资源 {self._contract.id} 的主键不唯一,无法比对",
                f"A key of {self._contract.id} stands twice on one side: cannot compare",
                resource=self._contract.id,
            )

    def _count(self) -> Outcome:
        counted = dict(self._db.execute("SELECT _op, count(*) FROM found GROUP BY ALL").fetchall())
        inserted, updated, deleted = (int(counted.get(op, 0)) for op in ("insert", "update", "delete"))
        withheld, overtaken = int(counted.get("skip", 0)), int(counted.get("overtaken", 0))
        unchanged = sum(r.rows for r in self._sources.delivered) - withheld - inserted - updated
        if not self._full:
            unchanged += sum(r.rows for r in self._sources.deletes) - overtaken - deleted
        retained = int(counted.get("retained", 0))
        return Outcome(inserted, updated, deleted, unchanged, withheld + overtaken, retained)

    def _typed(self, name: str) -> str:
        """A column of the answer with its own type: moments come as text, columns of nulls as anything."""
        known = {f"k{i}": f for i, f in enumerate(self._contract.keys)}
        known |= {f"{side}{i}": f for side in "no" for i, f in enumerate(others(self._contract))}
        field: Field | None = known.get(name)
        if field is None:
            return f"CAST({name} AS {'BIGINT' if name == 'n_row' else 'VARCHAR'}) AS {name}"
        if field.type == "timestamp":
            return f"CAST(replace(CAST({name} AS VARCHAR), ' UTC', '+00') AS TIMESTAMPTZ) AS {name}"
        return f"CAST({name} AS {sql_type(field)}) AS {name}"

    def _side(self, side: str) -> Mapping[str, str]:
        """Where a field of one side stands; keys are those of both."""
        found = {f.name: f"k{i}" for i, f in enumerate(self._contract.keys)}
        return found | {f.name: f"{side}{i}" for i, f in enumerate(others(self._contract))}

    def _keys(self) -> str:
        return ", ".join(f"k{i}" for i in range(len(self._contract.keys)))

    def _per_file(self, column: str, kinds: str, refs: Sequence[DataFileRef]) -> dict[int, int]:
        places = {self._store.uri(ref.key): index for index, ref in enumerate(refs)}
        found = self._db.execute(
            f"SELECT {column}, count(*) FROM found WHERE _op IN {kinds} AND {column} IS NOT NULL GROUP BY ALL"
        ).fetchall()
        return {places[path]: int(rows) for path, rows in found}

    def _one(self, sql: str) -> tuple[int, ...]:
        (row,) = self._db.execute(sql).fetchall()
        return tuple(int(v) for v in row)

    def _run(self, sql: str) -> None:
        self._db.execute(sql).fetchall()
