"""A contract's cleansing applied to blocks of delivered rows, and what it changed (C-12)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from huitong.contracts.model import Contract
from huitong.quality.check import Block, column_of
from huitong.quality.cleansing.steps import Step, steps_of
from huitong.quality.cleansing.texts import Places
from huitong.quality.semantics.base import Texts


@dataclass(frozen=True, slots=True)
class Change:
    """What one step changed in one column of a block: positions of rows, and their texts."""

    column: str
    step: str
    rows: Places
    before: Texts
    after: Texts


class Cleanser:
    """Applies the steps of a contract; a block without anything to cleanse comes back as it is."""

    def __init__(self, contract: Contract) -> None:
        self._steps = steps_of(contract)

    def __call__(self, block: Block) -> Block:
        delivered: dict[str, Any] = {}
        columns = dict(block.columns)
        changes: list[Change] = []
        for name, steps in self._steps.items():
            array = columns.get(name)
            if array is None:
                continue
            cleansed, made = _cleansed(name, array, steps)
            if made:
                delivered[name], columns[name] = array, cleansed
                changes += made
        if not changes:
            return block
        return replace(block, columns=columns, delivered=delivered, changes=tuple(changes))


def _cleansed(name: str, array: Any, steps: tuple[Step, ...]) -> tuple[Any, list[Change]]:
    column = column_of(array)
    values = column.values
    changes: list[Change] = []
    for step in steps:
        after, rows = step.apply(values)
        if not len(rows):
            continue
        chosen = pa.array(rows)
        if column.indices is None:
            changes.append(Change(name, step.name, rows, values.take(chosen), after.take(chosen)))
        else:
            changes.append(_spread(name, step.name, column, rows, values, after))
        values = after
    if not changes or column.indices is None:
        return values, changes
    plain = values.take(column.indices)  # spellings that became one must be one entry of the dictionary
    return plain.dictionary_encode(), [c for c in changes if len(c.rows)]


def _spread(name: str, step: str, column: Any, entries: Places, before: Texts, after: Texts) -> Change:
    """A change of dictionary entries, as one of the rows that have them."""
    touched = np.zeros(len(before), dtype=np.bool_)
    touched[entries] = True
    rows = np.flatnonzero(column.mask_to_rows(touched))
    places = column.indices.take(pa.array(rows))
    return Change(name, step, rows, before.take(places), after.take(places))
