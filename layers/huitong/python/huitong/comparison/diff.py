"""The comparison of a delivery with the current table, in DuckDB over local Parquet files.

Both modes run the same join. The current side is narrow: key, a hash of the
content, position. A full edition is compared with all of it, an increment with
the rows that it names. Only rows that changed are kept whole. Everything may
spill to disk; memory does not grow with the files.

Keys are compared themselves, never by hash. Content is compared by a 64-bit hash
of all fields (docs/decisions/comparison.md has what that means).

Column names of our own start with ``#``, which no contract's do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from huitong.comparison.engine import fetched, session
from huitong.comparison.inputs import Inputs, LocalFile, Op, Outcome
from huitong.comparison.placement import NewFile, Placement, Source, pieces_of, place
from huitong.comparison.scans import MASK, SHIFT, Scans
from huitong.errors import Corrupt, Fault
from huitong.warehouse.sql import by_field_id, current_columns, names, parquet_select, quoted, text

#: fields whose bits fit the widest integer of DuckDB
_BITS: Final = 120

_CONDITIONS: Final[Mapping[Op, str]] = {
    "insert": '"#old" IS NULL',
    "update": '"#new" IS NOT NULL AND "#old" IS NOT NULL',
    "delete": '"#new" IS NULL',
}
#: Columns of a delivered row that the change log takes over besides its fields.
_ORIGIN: Final = ("_source_row", "_case_no")
#: Above this, whole rows are not carried through the join: it would spill them.
MANY_ROWS = 3_000_000
_ORDER: Final = 'ORDER BY "#new" NULLS LAST, "#old"'


@contextmanager
def compared(inputs: Inputs, memory_mb: int) -> Iterator[Difference]:
    """Compare, and keep the result while the context lasts.

    Raises Corrupt when a key stands twice on one side, Fault when the contract has no key.
    """
    with session(memory_mb) as connection:
        yield Difference(connection, inputs)


class Difference:
    """The result of a comparison: counts first, then the rows on demand."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
        if not inputs.contract.keys:
            id = inputs.contract.id
            raise Fault(
                f"资源 {id} 没有主键,无法比对", f"Resource {id} has no key: cannot compare", resource=id
            )
        self._db = connection
        self._in = inputs
        self._full = inputs.mode == "full"
        # A table that was empty: everything is an insertion, and need not be kept in between.
        self._first = not inputs.current and not inputs.stated
        self._fields = tuple(f.name for f in by_field_id(inputs.contract))
        self._keys = tuple(f.name for f in inputs.contract.keys)
        self._columns = current_columns(inputs.contract)
        self._scans = Scans(connection, inputs, self._columns)
        self._old_rows_read = False
        self._scans.check()
        self._compare()
        self.outcome = self._count()

    # --- results -----------------------------------------------------------

    def keys(self, op: Op, limit: int) -> list[tuple[Any, ...]]:
        """Key values of some rows of a kind, in the order of the change log."""
        listed = ", ".join(f'"#k{i}"' for i in range(len(self._keys)))
        return fetched(
            self._db, f"SELECT {listed} FROM changed WHERE {_CONDITIONS[op]} {_ORDER} LIMIT {limit}"
        )

    def overtaken_rows(self) -> list[int]:
        """Source rows of the delivery about whose keys batches that landed later have spoken, ascending."""
        if not self._in.stated:
            return []
        keys = names(self._keys)
        scan = self._scans.of(self._in.delivered, ("_source_row", *self._keys))
        parts = [f"SELECT _source_row FROM {scan} SEMI JOIN stated USING ({keys})"]
        if not self._full:
            parts.append(f"SELECT _source_row FROM to_delete SEMI JOIN stated USING ({keys})")
        found = self._db.execute(f"SELECT _source_row FROM ({' UNION ALL '.join(parts)}) ORDER BY ALL")
        return [int(row) for (row,) in found.fetchall()]

    def change_rows(self, batch_rows: int) -> Iterator[Any]:
        """The changed rows as Arrow batches, in the order of the delivery, then deletions in table order.

        Columns: ``_op``, ``#mask`` (bit i: field i in table order changed; updates only),
        ``_source_row``, ``_case_no``, the fields, ``_before``. Taken in slices of positions: sorting
        wide rows as a whole costs more time and memory than that.
        """
        self._read_old_rows()

        def either(column: str) -> str:
            name = quoted(column)
            return f'CASE WHEN n."#new" IS NULL THEN o.{name} ELSE n.{name} END AS {name}'

        before = ", ".join(f"{text(f)}: o.{quoted(f)}" for f in self._fields)
        mask = _mask_sql(self._fields)
        sql = f"""
            SELECT CASE WHEN n."#new" IS NULL THEN 'delete' WHEN n."#old" IS NULL THEN 'insert'
                    ELSE 'update' END AS _op,
                CASE WHEN n."#new" IS NOT NULL AND n."#old" IS NOT NULL THEN {mask} ELSE '0' END AS "#mask",
                n._source_row, {either("_case_no")}, {", ".join(either(f) for f in self._fields)},
                CASE WHEN n."#old" IS NOT NULL THEN {{{before}}} END AS _before
            FROM changed n LEFT JOIN old_rows o ON n."#old" = o."#pos" """
        if self._first:
            self._run("SET preserve_insertion_order = true")
            yield from self._db.sql(sql).to_arrow_reader(batch_rows)
            return
        for condition in self._slices(batch_rows):
            yield from self._db.sql(f"{sql} WHERE {condition} {_ORDER}").to_arrow_reader(batch_rows)

    def _slices(self, rows: int) -> Iterator[str]:
        """Conditions that cut the changed rows into slices, in order."""
        for column, kind in (('n."#new"', "true"), ('n."#old"', 'n."#new" IS NULL')):
            found = self._db.execute(f"""
                SELECT min("#p"), max("#p") FROM (
                    SELECT "#p", row_number() OVER (ORDER BY "#p") - 1 AS place
                    FROM (SELECT {column} AS "#p" FROM changed n WHERE {kind} AND {column} IS NOT NULL)
                ) GROUP BY place // {rows} ORDER BY ALL""").fetchall()
            yield from (f"{column} BETWEEN {low} AND {high} AND {kind}" for low, high in found)

    def placement(self) -> Placement:
        """Which files the current table consists of afterwards."""
        current = [f.ref for f in self._in.current]
        delivered = [f.ref for f in self._in.delivered]
        if self._full:
            skipped = self._per_file("skipped")
            new = {i: rows - skipped.get(i, 0) for i, rows in enumerate(self._scans.rows(self._in.delivered))}
            old = self._per_file("kept")
        else:
            gone = self._per_file("gone")
            new = self._per_file("fresh")
            old = {i: rows - gone.get(i, 0) for i, rows in enumerate(self._scans.rows(self._in.current))}
        of_current = pieces_of("current", current, old, self._scans.shared(self._in.current))
        pieces = [
            *of_current,
            *pieces_of("delivered", delivered, new, self._scans.shared(self._in.delivered)),
        ]
        return place(current, pieces)

    def rows_of(self, new: NewFile, batch_rows: int) -> Any:
        """The rows of a file that :meth:`placement` wants written, as an Arrow stream in file order."""
        which: Mapping[Source, tuple[Sequence[LocalFile], str]] = {
            "current": (self._in.current, "IN kept" if self._full else "NOT IN gone"),
            "delivered": (self._in.delivered, "NOT IN skipped" if self._full else "IN fresh"),
        }
        parts = []
        for piece in new.pieces:
            files, condition = which[piece.source]
            test, table = condition.rsplit(" ", 1)
            chosen = f'SELECT "#pos" & {MASK} FROM {table} WHERE "#pos" >> {SHIFT} = {piece.index}'
            file = self._scans.files([files[piece.index]])
            if piece.shared:
                rows = parquet_select(file, self._columns, more='file_row_number AS "#row"')
                where = f'WHERE {self._scans.in_bucket} AND "#row" {test} ({chosen})'
                parts.append(f"SELECT {names(self._columns)} FROM ({rows}) {where}")
                continue
            where = "" if piece.whole else f" WHERE file_row_number {test} ({chosen})"
            parts.append(f"{parquet_select(file, self._columns)}{where}")
        self._run("SET preserve_insertion_order = true")
        return self._db.sql(" UNION ALL ".join(parts)).to_arrow_reader(batch_rows)

    # --- the comparison ----------------------------------------------------

    def _compare(self) -> None:
        self._key_table("stated", self._in.stated)
        self._key_table("to_delete", [f.path for f in self._in.deletes], more="_source_row")
        self._key_table("quarantined", [self._in.quarantined] if self._in.quarantined else [])
        if self._first:
            keys = ", ".join(f'{quoted(k)} AS "#k{i}"' for i, k in enumerate(self._keys))
            self._run(f"""
                CREATE TEMP VIEW changed AS SELECT {keys}, "#pos" AS "#new", NULL::BIGINT AS "#old",
                    {names(_ORIGIN + self._fields)}
                FROM {self._scans.of(self._in.delivered, _ORIGIN + self._fields)}""")
        else:
            self._join()
        self._note_what_stays()
        if self._in.deletes and not self._first:
            self._run(f"""
                UPDATE changed SET _source_row = d._source_row FROM to_delete d
                WHERE "#new" IS NULL AND {self._key_of_changed("d")}""")

    def _join(self) -> None:
        self._current_side()
        if max(self._in.current_rows, sum(f.ref.rows for f in self._in.delivered)) > MANY_ROWS:
            self._run(f"CREATE TEMP TABLE pairs AS {self._joined(())}")
            wide = self._scans.of(self._in.delivered, _ORIGIN + self._fields)
            keys = ", ".join(f'p."#k{i}"' for i in range(len(self._keys)))
            self._run(f"""
                CREATE TEMP TABLE changed AS
                SELECT {keys}, p."#new", p."#old", {names(_ORIGIN + self._fields, "w.")}
                FROM {wide} w RIGHT JOIN pairs p ON w."#pos" = p."#new";
                DROP TABLE pairs""")
        else:
            self._run(f"CREATE TEMP TABLE changed AS {self._joined(_ORIGIN + self._fields)}")
        self._run("DROP TABLE current_side")

    def _joined(self, more: Sequence[str]) -> str:
        """Rows of which the two sides differ: key, both positions, and ``more`` of the delivered row."""
        keys = ", ".join(
            f'coalesce(n.{quoted(k)}, c.{quoted(k)}) AS "#k{i}"' for i, k in enumerate(self._keys)
        )
        same = " AND ".join(f"n.{quoted(k)} = c.{quoted(k)}" for k in self._keys)
        carried = [*dict.fromkeys((*self._keys, *more))]
        scan = self._scans.of(self._in.delivered, [*dict.fromkeys((*carried, *self._fields))])
        side = f'SELECT {names(carried)}, {self._content} AS "#content", "#pos" FROM {scan}'
        late = f" ANTI JOIN stated USING ({names(self._keys)})" if self._in.stated else ""
        shown = f", {names(more, 'n.')}" if more else ""
        return f"""SELECT {keys}, n."#pos" AS "#new", c."#pos" AS "#old"{shown}
            FROM ({side}{late}) n FULL JOIN current_side c ON {same}
            WHERE n."#content" IS DISTINCT FROM c."#content\""""

    def _current_side(self) -> None:
        """The narrow current side; an increment's is cut to the rows that it names, read whole at once."""
        narrow = f'SELECT {names(self._keys)}, {self._content} AS "#content", "#pos"'
        columns = ("_case_no", *self._fields)
        scan = self._scans.of(self._in.current, columns)
        if self._full:
            self._run(f"CREATE TEMP TABLE current_side AS {narrow} FROM {scan}")
            return
        keys = names(self._keys)
        delivered = self._scans.of(self._in.delivered, self._keys)
        named = f"SELECT {keys} FROM {delivered} UNION ALL SELECT {keys} FROM to_delete"
        self._run(f"""
            CREATE TEMP TABLE named AS SELECT * FROM ({named}) ANTI JOIN stated USING ({keys});
            CREATE TEMP TABLE old_rows AS
                SELECT {names(columns)}, "#pos" FROM {scan} SEMI JOIN named USING ({keys});
            CREATE TEMP TABLE current_side AS {narrow} FROM old_rows""")
        self._old_rows_read = True

    def _note_what_stays(self) -> None:
        """Take out of an edition's deletions those that are none, and note the positions that matter later.

        ``kept``: current rows that stay although the edition lacks them. ``skipped``: delivered rows that
        do not count. ``gone`` and ``fresh``: current and delivered rows that changed.
        """
        spared = 'DELETE FROM changed WHERE "#new" IS NULL AND "#old" IN (SELECT "#pos" FROM kept);'
        if self._first:
            spared = ""  # nothing can be deleted
        scan = self._scans.of(self._in.delivered, self._keys)
        late = f"SEMI JOIN stated USING ({names(self._keys)})" if self._in.stated else "WHERE false"
        missing = f"""SELECT "#old" AS "#pos" FROM changed SEMI JOIN {{0}} s ON "#new" IS NULL
            AND {self._key_of_changed("s")}"""
        self._run(f"""
            CREATE TEMP TABLE kept AS SELECT "#pos", bool_and(retained) AS retained FROM (
                SELECT *, true AS retained FROM ({missing.format("quarantined")})
                UNION ALL SELECT *, false FROM ({missing.format("stated")})
            ) WHERE {self._full} GROUP BY "#pos";
            {spared}
            CREATE TEMP TABLE skipped AS SELECT "#pos" FROM {scan} {late};
            CREATE TEMP VIEW gone AS SELECT "#old" AS "#pos" FROM changed WHERE "#old" IS NOT NULL;
            CREATE TEMP VIEW fresh AS SELECT "#new" AS "#pos" FROM changed WHERE "#new" IS NOT NULL""")

    def _count(self) -> Outcome:
        counted = ", ".join(f"count(*) FILTER ({c})" for c in _CONDITIONS.values())
        keys = ", ".join(f'"#k{i}"' for i in range(len(self._keys)))
        inserted, updated, deleted, twice = self._one(f"""
            SELECT {counted}, count(*) - (SELECT count(*) FROM (SELECT DISTINCT {keys} FROM changed))
            FROM changed""")
        if twice:
            raise Corrupt(
                f"资源 {self._in.contract.id} 的主键不唯一,无法比对",
                f"A key of {self._in.contract.id} stands twice on one side: cannot compare",
                resource=self._in.contract.id,
            )
        (withheld,) = self._one("SELECT count(*) FROM skipped")
        (retained,) = self._one("SELECT count(*) FROM kept WHERE retained")
        unchanged = sum(self._scans.rows(self._in.delivered)) - withheld - inserted - updated
        if not self._full:
            keys = names(self._keys)
            (asked,) = self._one("SELECT count(*) FROM to_delete")
            (overtaken,) = self._one(f"SELECT count(*) FROM to_delete SEMI JOIN stated USING ({keys})")
            unchanged += asked - overtaken - deleted
            withheld += overtaken
        return Outcome(inserted, updated, deleted, unchanged, withheld, retained)

    def _read_old_rows(self) -> None:
        """The old versions of the rows that changed, from the files that have any."""
        if self._old_rows_read:
            return
        columns = ("_case_no", *self._fields)
        parts = []
        for index in sorted(self._per_file("gone")):
            scan = self._scans.of([self._in.current[index]], columns, first=index)
            parts.append(f'SELECT * FROM {scan} WHERE "#pos" IN (SELECT "#pos" FROM gone)')
        nothing = f"SELECT * FROM {self._scans.of((), columns)}"
        self._run(f"CREATE TEMP TABLE old_rows AS {' UNION ALL '.join(parts) or nothing}")
        self._old_rows_read = True

    # --- small things ------------------------------------------------------

    @property
    def _content(self) -> str:
        return f"hash({names(self._fields)})"

    def _key_of_changed(self, other: str) -> str:
        return " AND ".join(f'changed."#k{i}" = {other}.{quoted(k)}' for i, k in enumerate(self._keys))

    def _key_table(self, name: str, paths: Sequence[Path], more: str = "") -> None:
        columns = {k: self._columns[k] for k in self._keys} | ({more: "BIGINT"} if more else {})
        declared = ", ".join(f"{quoted(n)} {kind}" for n, kind in columns.items())
        self._run(f"CREATE TEMP TABLE {name} ({declared})")
        if paths:
            listed = ", ".join(text(str(p)) for p in paths)
            files = f"read_parquet([{listed}], union_by_name=true)"
            self._run(f"INSERT INTO {name} SELECT DISTINCT {names(columns)} FROM {files}")
            if self._in.bucket.of > 1:
                self._run(f"DELETE FROM {name} WHERE NOT ({self._scans.in_bucket})")

    def _per_file(self, table: str) -> dict[int, int]:
        """How many of a table's positions lie in which file."""
        found = self._db.execute(f'SELECT "#pos" >> {SHIFT}, count(*) FROM {table} GROUP BY ALL').fetchall()
        return {int(index): int(rows) for index, rows in found}

    def _one(self, sql: str) -> tuple[int, ...]:
        (row,) = self._db.execute(sql).fetchall()
        return tuple(int(v) for v in row)

    def _run(self, sql: str) -> None:
        self._db.execute(sql).fetchall()


def _mask_sql(fields: Sequence[str]) -> str:
    """Which fields changed, as text of a number: bit i for field i. Python reads it with ``int(mask, 0)``."""
    differ = [f"n.{quoted(f)} IS DISTINCT FROM o.{quoted(f)}" for f in fields]
    if len(fields) <= _BITS:
        return "(" + " + ".join(f"(({d})::HUGEINT << {i})" for i, d in enumerate(differ)) + ")::VARCHAR"
    return "'0b' || " + " || ".join(f"({d})::INTEGER::VARCHAR" for d in reversed(differ))
