"""Rows that are brought again, mended or because a rule changed: which rows held they stand for (C-13).

A row says so by its number in the first delivery, else by its key. One that stands
for no row that is still held is a finding, ``mend.not-held``, and is not taken; nor is
one that has the key of a row that was accepted (``mend.accepted``): that is no mending.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.batches.held import Kind, StoredHolding, Take
from huitong.batches.held_rows import NONE, Rows, keep_rows, open_rows
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Limits
from huitong.errors import Fault
from huitong.intake.returned import ORIGINAL_ROW
from huitong.ports import Item, ObjectStore
from huitong.quality.check import Block, Checker
from huitong.quality.cleansing.apply import Cleanser
from huitong.quality.keys import staging_key
from huitong.quality.rules import Rule
from huitong.quality.semantics.base import Mask, as_mask
from huitong.quality.staged import Staged
from huitong.quality.structure import keys_of, read_structure
from huitong.warehouse.files import DataFileRef

NOT_HELD: Final = Rule(
    "mend.not-held",
    "",
    "constraint",
    "error",
    "该行不在原批次的隔离区,或已补正、已过期,未接收。请只交付仍被隔离的行,并保留原行号。",
    "Quarantine does not hold this row of the first delivery, or not any more; it was not taken. "
    "Deliver rows that are still held, with their original row numbers.",
    on_deletions=True,
)
ACCEPTED: Final = Rule(
    "mend.accepted",
    "",
    "conflicting",
    "error",
    "原批次中同一主键的另一行已被接收,该行未接收。核对主键;要更改已接收的数据,请作为新数据报送。",
    "Another row of this key was accepted of the first delivery, so this one was not taken. Check the key; "
    "to change what was accepted, deliver it as new data.",
    on_deletions=True,
)
_NUMBER: Final = r"^\s*(\d{1,15})(\.0+)?\s*$"
_JOINT: Final = "\x1f"


@dataclass
class Mending:
    """The rows that one delivery brings again, while it is validated block by block."""

    batch: Batch
    first: Batch
    stored: StoredHolding | None
    contract: Contract
    staging: ObjectStore
    warehouse: ObjectStore
    checker: Checker
    accepted: tuple[DataFileRef, ...] = ()  # rows of the first delivery, and of those that mended it
    held: Rows = field(default_factory=lambda: NONE)
    _by_key: tuple[Any, Rows] | None = None  # keys of the rows held, and their numbers
    _named: list[Rows] = field(default_factory=list)
    _taken: list[Rows] = field(default_factory=list)
    _taken_keys: list[Any] = field(default_factory=list)
    _wide_keys: list[Any] = field(default_factory=list)  # keys of rows that were delivered by key
    _copies: list[tuple[Rows, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.stored is not None:
            self.held = open_rows(self.staging, self.first, self.stored.holding)

    def numbers(self, block: Block, published: Mapping[str, Any], copies: Rows) -> Rows:
        """For each row of a block the number of the row held that it stands for; -1 = none, -2 = its key is
        that of a row that was accepted.

        ``copies`` are rows that repeat an earlier one of this delivery.
        """
        told = self._told(block)
        held: Rows = np.where(_within(told, self.held), told, -1)
        by_key = np.flatnonzero(told < 0)
        if len(by_key):
            held[by_key] = self._found_by_key(self._texts(published).take(pa.array(by_key)))
        once = held.copy()
        once[copies] = -1
        once[~_first_time(once, self._named)] = -1
        self._named.append(once[once >= 0])
        once[copies] = held[copies]
        told_keys = np.flatnonzero(once >= 0)
        if len(told_keys):
            texts = self._texts(published).take(pa.array(told_keys)).cast(pa.string())
            once[told_keys[self._among_accepted(texts)]] = -2
        return once

    def _among_accepted(self, texts: Any) -> Mask:
        """Which of these keys a row has that was accepted. Only key columns are read, group by group."""
        found: Mask = np.zeros(len(texts), dtype=np.bool_)
        names = [f.name for f in self.contract.keys]
        for ref in self.accepted:
            with self.warehouse.local(ref.key) as path, pq.ParquetFile(path) as file:
                for part in file.iter_batches(columns=names):
                    keys = self._texts({name: part.column(name) for name in names}).cast(pa.string())
                    known = keys.filter(pc.is_in(keys, value_set=texts, skip_nulls=True))
                    if len(known):
                        found |= as_mask(pc.is_in(texts, value_set=known, skip_nulls=True))
        return found

    @property
    def joined(self) -> bool:
        """Whether an edition is replayed of which others have taken rows."""
        others = [t for t in self.stored.holding.takes if t.batch != self.batch.id] if self.stored else []
        return self.batch.replay and self.batch.mode == "full" and bool(others)

    def take(
        self, block: Block, published: Mapping[str, Any], numbers: Rows, good: Mask, copies: Rows
    ) -> None:
        """Note what was accepted of a block, and which rows repeat an accepted one."""
        texts = self._texts(published)
        chosen = np.flatnonzero(good)
        self._taken.append(numbers[chosen])
        self._taken_keys.append(texts.take(pa.array(chosen)))
        wide = chosen[self._told(block)[chosen] < 0]
        self._wide_keys.append(texts.take(pa.array(wide)))
        again = copies[numbers[copies] >= 0]
        self._copies.append((numbers[again], texts.take(pa.array(again))))

    @property
    def limits(self) -> Limits:
        """Of rows brought again any share may be bad, unless it is a rejected delivery as a whole."""
        known = self.contract.limits
        whole = self.batch.replay and self.stored is not None and self.stored.holding.whole
        return known if whole else replace(known, max_quarantined_percent=100.0)

    def entry(self) -> Item:
        """What was held, with what this delivery takes of it: to be written with its change of state."""
        if self.stored is None:
            raise Fault("原批次没有隔离记录", "Nothing is known of what was held", batch=self.first.id)
        return self.stored.taken_by(self._take())

    def _take(self) -> Take:
        rows = np.unique(_joined(self._taken))
        also = np.setdiff1d(np.concatenate([self._of_copies(), self._of_wide_keys()]), rows)
        closed = np.union1d(rows, also)
        digest = hashlib.sha256(closed.tobytes()).hexdigest()[:16]
        key = staging_key(self.batch.resource, self.batch.id, f"taken-{digest}.parquet")
        keep_rows(self.staging, key, closed)
        return Take(self.batch.id, kind_of(self.batch), len(rows), len(also), key)

    def _told(self, block: Block) -> Rows:
        """The numbers that rows name themselves; -1 = none."""
        if self.batch.replay:
            numbers: Rows = block.source_rows.to_numpy()
            return numbers
        texts = block.columns.get(ORIGINAL_ROW)
        if texts is None:
            return np.full(len(block), -1, dtype=np.int64)
        texts = texts.cast(pa.string()) if pa.types.is_dictionary(texts.type) else texts
        digits = pc.replace_substring_regex(texts, _NUMBER, r"\1")
        usable = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False)
        # what is no number stands for no row: 0 is none
        numbers = pc.if_else(usable, digits, pa.scalar("0")).cast(pa.int64())
        found: Rows = pc.if_else(texts.is_null(), -1, numbers).to_numpy(zero_copy_only=False)
        return found

    def _found_by_key(self, texts: Any) -> Rows:
        keys, rows = self._held_keys()
        places = pc.index_in(texts, value_set=keys, skip_nulls=True)
        found: Rows = np.append(rows, -1)[pc.fill_null(places, len(rows)).to_numpy(zero_copy_only=False)]
        return found

    def _held_keys(self) -> tuple[Any, Rows]:
        """Keys of the rows held, as far as they can be read, by row."""
        if self._by_key is None:
            texts, rows = [], []
            staged = Staged(self.staging, self.first.staging, Cleanser(self.contract))
            for block in staged.blocks([f.name for f in self.contract.keys]):
                places = np.flatnonzero(np.isin(block.source_rows.to_numpy(), self.held))
                if len(places):
                    published = self.checker.published(block, self.contract.keys)
                    texts.append(self._texts(published).take(pa.array(places)))
                    rows.append(block.source_rows.to_numpy()[places])
            self._add_unreadable(texts, rows)
            keys = (
                pa.concat_arrays([t.cast(pa.string()) for t in texts]) if texts else pa.array([], pa.string())
            )
            known = as_mask(keys.is_valid())
            self._by_key = keys.filter(pa.array(known)), _joined(rows)[known]
        return self._by_key

    def _add_unreadable(self, texts: list[Any], rows: list[Rows]) -> None:
        """Rows that could not be staged have their keys beside their finding."""
        structure = read_structure(self.staging, self.first.resource, self.first.id)
        found = keys_of(structure, self.contract.keys)
        if found is None:
            return
        named = structure.table.filter(structure.table.column("key").is_valid())
        numbers = named.column("source_row").to_numpy().astype(np.int64)
        places = np.flatnonzero(np.isin(numbers, self.held))
        block = Cleanser(self.contract)(found[0])
        texts.append(self._texts(self.checker.published(block, self.contract.keys)).take(pa.array(places)))
        rows.append(numbers[places])

    def _texts(self, published: Mapping[str, Any]) -> Any:
        """Each row's key as one text; null where a part of it is missing."""
        parts = [published[f.name].cast(pa.string()) for f in self.contract.keys]
        return pc.binary_join_element_wise(*parts, _JOINT) if len(parts) > 1 else parts[0]

    def _of_copies(self) -> Rows:
        """Rows held that a repetition of an accepted row stands for."""
        if not any(len(rows) for rows, _ in self._copies):
            return NONE
        known = pa.concat_arrays(self._taken_keys)
        kept = [rows[as_mask(pc.is_in(texts, value_set=known))] for rows, texts in self._copies]
        return _joined(kept)

    def _of_wide_keys(self) -> Rows:
        """All rows held of a key that was delivered by key: it says what the key is to be."""
        if not any(len(texts) for texts in self._wide_keys):
            return NONE
        keys, rows = self._held_keys()
        return rows[as_mask(pc.is_in(keys, value_set=pa.concat_arrays(self._wide_keys)))]


def kind_of(batch: Batch) -> Kind:
    return "replayed" if batch.replay else "mended"


def mending_of(
    batch: Batch,
    contract: Contract,
    batches: Batches,
    staging: ObjectStore,
    warehouse: ObjectStore,
    checker: Checker,
) -> Mending | None:
    """None for a delivery that mends nothing."""
    if not batch.mends:
        return None
    first = batches.get(batch.mends).batch
    stored = batches.holdings.find(first)
    family = [first, *(batches.get(take.batch).batch for take in (stored.holding.takes if stored else ()))]
    # files of superseded deliveries are deleted, and what mends one of them comes too late as a whole
    known = [b for b in family if b.id != batch.id and b.status != "superseded"]
    accepted = tuple(DataFileRef.from_json(text) for b in known for text in b.good)
    return Mending(batch, first, stored, contract, staging, warehouse, checker, accepted)


def _within(numbers: Rows, held: Rows) -> Mask:
    if not len(held):
        return np.zeros(len(numbers), dtype=np.bool_)
    places = np.minimum(np.searchsorted(held, numbers), len(held) - 1)
    found: Mask = held[places] == numbers
    return found


def _first_time(numbers: Rows, before: list[Rows]) -> Mask:
    """Whether a number stands for the first time, in this block and in those before."""
    first = np.zeros(len(numbers), dtype=np.bool_)
    first[np.unique(numbers, return_index=True)[1]] = True
    return first & ~np.isin(numbers, _joined(before))


def _joined(parts: list[Rows]) -> Rows:
    return np.concatenate(parts) if parts else NONE
