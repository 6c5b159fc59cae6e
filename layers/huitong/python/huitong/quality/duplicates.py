"""Which rows of a batch share what must be their own: the key, or a column declared unique (Q-21).

A first pass hashes the values of all rows (8 bytes a row); only rows whose hash
occurs twice are looked at again, by the keys themselves and a 128-bit digest of the
rest of the row. Rows without a whole key are left out: they are ``key.null``.
Without a key in the contract the whole row is the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Contract, Field
from huitong.quality.check import Block, Checker, Rows
from huitong.quality.semantics.base import Mask, as_mask
from huitong.quality.staged import Source, take

Hashes = npt.NDArray[np.uint64]
_NONE = np.empty(0, dtype=np.int64)
#: Candidates that wait to be looked at with others: each statement has its price.
_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Repeated:
    """Positions of rows in the whole batch, ascending: further copies of a row, rows in conflict, and by
    unique column those rows (copies aside) that share its value."""

    rows: int  # of the batch
    duplicates: Rows
    conflicts: Rows
    shared: Mapping[str, Rows] = field(default_factory=dict)
    replaced: Rows = field(
        default_factory=lambda: _NONE
    )  # rows that the contract's rule on duplicates leaves out

    @property
    def gone(self) -> Rows:
        """Rows that are not taken because another row of their key is."""
        if not len(self.replaced):
            return self.duplicates
        return np.sort(np.concatenate([self.duplicates, self.replaced]))  # no row is both

    def within(self, start: int, rows: int) -> Repeated:
        """The part that falls into a block, with positions in the block."""

        def part(places: Rows) -> Rows:
            low, high = np.searchsorted(places, [start, start + rows])
            return places[low:high] - start

        shared = {name: part(places) for name, places in self.shared.items()}
        return Repeated(
            rows, part(self.duplicates), part(self.conflicts), shared, replaced=part(self.replaced)
        )


class RepeatedRows:
    """Looks through the staged rows of one batch."""

    def __init__(
        self, staged: Source, contract: Contract, checker: Checker, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._staged = staged
        self._contract = contract
        self._checker = checker
        self._connection = connection

    def find(self) -> Repeated:
        """Read the key and unique columns once each, and candidates a second time if there are any."""
        contract = self._contract
        keys = contract.keys or contract.fields
        rows, candidates = self._candidates(keys, whole=bool(contract.keys))
        duplicates, conflicts, replaced = _NONE, _NONE, _NONE
        if candidates:
            self._load(contract.keys, candidates, contract.fields)
            duplicates, conflicts, replaced = self._resolve()
        alone = [f for f in contract.fields if f.unique and contract.keys != (f,)]
        gone = np.concatenate([duplicates, replaced])
        shared = {f.name: self._shared(f, gone) for f in alone}
        return Repeated(rows, duplicates, conflicts, shared, replaced)

    def _candidates(self, keys: Sequence[Field], *, whole: bool) -> tuple[int, list[Rows]]:
        """The number of rows, and for each block the positions of rows whose hash occurs twice."""
        hashes = [self._hash(block, keys, whole) for block in self._staged.blocks([f.name for f in keys])]
        rows = sum(len(h) for h, _ in hashes)
        if not rows:
            return 0, []
        suspects = _repeated_values(np.concatenate([h if ok is None else h[ok] for h, ok in hashes]))
        if not len(suspects):
            return rows, []
        found = (_is_in(h, suspects) if ok is None else _is_in(h, suspects) & ok for h, ok in hashes)
        return rows, [np.flatnonzero(mask) for mask in found]

    def _keys(self, block: Block, keys: Sequence[Field]) -> list[Any]:
        """Values as text: the typed value where it is one, so that 1 and 01 are the same integer."""
        published = self._checker.published(block, keys)
        texts = []
        for f in keys:
            typed = published[f.name]
            if f.type != "string" and f.name in block.columns:
                raw = block.columns[f.name]
                raw = raw.cast(pa.string()) if pa.types.is_dictionary(raw.type) else raw
                typed = pc.coalesce(typed.cast(pa.string()), raw)
            texts.append(typed if f.type == "string" else typed.cast(pa.string()))
        return texts

    def _hash(self, block: Block, keys: Sequence[Field], whole: bool) -> tuple[Hashes, Mask | None]:
        """Hashes, and which rows have the whole key (None = all, or it does not matter)."""
        texts = self._keys(block, keys)
        complete: Mask | None = None
        for text in texts if whole else ():
            if text.null_count:
                valid = as_mask(text.is_valid())
                complete = valid if complete is None else complete & valid
        relation = pa.table({f"k{i}": text for i, text in enumerate(texts)})
        self._connection.register("staged", relation)
        try:
            answer = self._connection.sql(f"SELECT hash({', '.join(relation.column_names)}) AS h FROM staged")
            hashes: Hashes = answer.to_arrow_table().column("h").to_numpy()
        finally:
            self._connection.unregister("staged")
        return hashes, complete

    def _load(self, keys: Sequence[Field], candidates: Iterable[Rows], content: Sequence[Field]) -> None:
        """Keys and digests of the candidates, in a table that may spill to disk."""
        names = [f"k{i}" for i in range(len(keys))]
        # each with its length: no content can look like the border of two
        texts = (f"coalesce(strlen(c{i})::VARCHAR || ':' || c{i}, '-')" for i in range(len(content)))
        parts = ", ".join(["op::VARCHAR", *texts])
        columns = ", ".join(["place", "op", "rank", *names, f"md5_number(concat({parts})) AS digest"])
        typed = ["place BIGINT", "op BOOLEAN", f"rank {self._rank_type()}", *(f"{n} VARCHAR" for n in names)]
        self._connection.execute(f"CREATE TEMP TABLE candidates ({', '.join(typed)}, digest UHUGEINT)")
        start, waiting = 0, []
        for block, rows in self._chosen(keys, content, candidates):
            if len(rows):
                waiting.append(self._rows(take(block, rows), rows + start, keys, content))
            if sum(map(len, waiting)) >= _AT_ONCE:
                self._insert(columns, waiting)
            start += len(block)
        self._insert(columns, waiting)

    def _insert(self, columns: str, waiting: list[Any]) -> None:
        if waiting:
            self._connection.register("staged", pa.concat_tables(waiting))
            self._connection.execute(f"INSERT INTO candidates SELECT {columns} FROM staged")
            self._connection.unregister("staged")
            waiting.clear()

    def _chosen(
        self, keys: Sequence[Field], content: Sequence[Field], candidates: Iterable[Rows]
    ) -> Iterator[tuple[Block, Rows]]:
        names = list(dict.fromkeys(f.name for f in (*keys, *content)))
        return zip(self._staged.blocks(names), candidates, strict=True)

    def _rows(self, block: Block, places: Rows, keys: Sequence[Field], content: Sequence[Field]) -> Any:
        texts = self._checker.published(block, [f for f in content if f.type == "string"])
        nothing = pa.nulls(len(places), pa.string())
        deletes = np.zeros(len(places), dtype=np.bool_) if block.deletes is None else block.deletes
        gone = pa.array(deletes)
        relation = {"place": pa.array(places)}
        relation |= {f"k{i}": key.cast(pa.string()) for i, key in enumerate(self._keys(block, keys))}
        for i, f in enumerate(content):
            column = texts.get(f.name, block.columns.get(f.name, nothing))
            # neither how a key is written counts, nor what else stands in a row that asks for a deletion
            relation[f"c{i}"] = nothing if f.key else pc.if_else(gone, nothing, column.cast(pa.string()))
        relation["op"] = gone
        relation["rank"] = self._rank(block, places)
        return pa.table(relation)

    def _rank_type(self) -> str:
        """Of the value by which the contract's rule chooses among rows with one key."""
        by = self._contract.field_named(self._contract.deduplicate.by)
        if by is None:
            return "BIGINT"
        if by.type == "decimal":
            return f"DECIMAL({by.precision},{by.scale})"
        return {"date": "DATE", "timestamp": "TIMESTAMPTZ"}.get(by.type, "BIGINT")

    def _rank(self, block: Block, places: Rows) -> Any:
        by = self._contract.field_named(self._contract.deduplicate.by)
        if by is None:
            return pa.array(-places)  # the first row has the highest
        return self._checker.published(block, [by])[by.name]

    def _resolve(self) -> tuple[Rows, Rows, Rows]:
        """Further copies, rows in conflict, and rows that the contract's rule leaves out."""
        names = [f"k{i}" for i in range(len(self._contract.keys))] or ["digest"]
        found = self._taken(
            f"WITH g AS (SELECT {', '.join(names)}, min(place) AS first, min(digest) = max(digest) AS same, "
            f"max(rank) AS best FROM candidates GROUP BY {', '.join(names)} HAVING count(*) > 1), "
            # the row that the rule takes: the first of those with the best rank, if they are one and the same
            f"w AS (SELECT {', '.join(names)}, min(place) AS winner FROM candidates "
            f"JOIN g USING ({', '.join(names)}) WHERE rank = best GROUP BY {', '.join(names)} "
            "HAVING min(digest) = max(digest)) "
            f"SELECT place, same, {self._settled()} AS settled, place = winner AS won "
            f"FROM candidates JOIN g USING ({', '.join(names)}) LEFT JOIN w USING ({', '.join(names)}) "
            "WHERE NOT same OR place <> first ORDER BY place"
        )
        places = found.column("place").to_numpy()
        same, settled, won = (as_mask(found.column(n)) for n in ("same", "settled", "won"))
        return places[same], places[~same & ~settled], places[~same & settled & ~won]

    def _settled(self) -> str:
        """Whether the rule tells which row of a key counts. A row beside a request to delete it conflicts."""
        if not self._contract.deduplicate:
            return "false"
        return "winner IS NOT NULL AND NOT bool_or(op) OVER (PARTITION BY first)"

    def _shared(self, unique: Field, duplicates: Rows) -> Rows:
        """Rows that share a value of this column; copies of a row and deletions do not count."""
        _, candidates = self._candidates([unique], whole=True)
        if not candidates:
            return _NONE
        self._load([unique], candidates, [])
        found = self._taken("SELECT place, k0 FROM candidates WHERE NOT op ORDER BY place")
        left = found.filter(pa.array(~np.isin(found.column("place").to_numpy(), duplicates)))
        codes = left.column("k0").combine_chunks().dictionary_encode().indices.to_numpy()
        places: Rows = left.column("place").to_numpy()
        return places[np.bincount(codes)[codes] > 1] if len(codes) else _NONE

    def _taken(self, query: str) -> Any:
        answer = self._connection.sql(query).to_arrow_table()
        self._connection.execute("DROP TABLE candidates")
        return answer


def _repeated_values(hashes: Hashes) -> Hashes:
    hashes.sort()
    twice: Hashes = hashes[1:][hashes[1:] == hashes[:-1]]
    once: Hashes = twice[np.append(True, twice[1:] != twice[:-1])] if len(twice) else twice
    return once


def _is_in(hashes: Hashes, suspects: Hashes) -> Mask:
    return as_mask(pc.is_in(pa.array(hashes), value_set=pa.array(suspects)))
