"""The steps: for each, which rows are worth a look and what their texts become (C-12).

Every step is idempotent: what it made it leaves alone. A step looks at texts alone, never at a row or a type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.cleansing import CODE_MAP, KNOWN_MAPS
from huitong.contracts.model import Contract
from huitong.quality.cleansing import numbers, numerals
from huitong.quality.cleansing.texts import (
    BLANKS,
    NONE,
    UNSEEN,
    Bytes,
    Places,
    chain,
    different,
    empty_as_null,
    raw,
    scatter,
    whole,
)
from huitong.quality.semantics.base import Texts, as_mask

#: What people write for nothing.
EMPTY_WORDS: Final = (
    "-", "--", "—", "——", "/", "\\", "无", "空", "暂无", "不详", "未知", "未填",
    "NULL", "null", "Null", "None", "NONE", "nan", "NaN", "N/A", "n/a", "NA", "#N/A",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """``suspects`` are rows that may need it, at least all that do; ``rewrite`` gives their new texts."""

    name: str
    suspects: Callable[[Texts], Places]
    rewrite: Callable[[Texts], Texts]

    def apply(self, values: Texts) -> tuple[Texts, Places]:
        """The texts after the step, and which of them it changed."""
        rows = self.suspects(values)
        if not len(rows):
            return values, NONE
        before = whole(values.take(pa.array(rows)))
        after = self.rewrite(before)
        after = after.combine_chunks() if isinstance(after, pa.ChunkedArray) else after
        changed = different(before, after)
        if not changed.any():
            return values, NONE
        rows = rows[changed]
        return scatter(values, rows, after.filter(pa.array(changed))), rows


def _at_the_ends(values: Texts) -> Places:
    """Texts that begin or end with what may be blank: a Chinese character at the end is told by its lead."""
    source = raw(values)
    if not len(source.data):
        return NONE
    first, last = source.nth(0), source.nth(-1)
    odd = (first <= 0x20) | (last <= 0x20) | (first == 0x7F) | (last == 0x7F)
    places = np.flatnonzero((first == 0xE2) | (first == 0xE3) | (first == 0xC2) | (first == 0xEF))
    odd[places] |= _maybe_blank(first[places], source.nth(1, places))
    places = np.flatnonzero(last >= 0x80)
    second, third = source.nth(-2, places), source.nth(-3, places)
    odd[places] |= _maybe_blank(third, second) | (second == 0xC2)
    return np.flatnonzero(odd & (source.lengths > 0))


def _maybe_blank(lead: Bytes, second: Bytes) -> npt.NDArray[np.bool_]:
    """By the first two bytes of a character: U+2000 on, U+3000, U+FEFF, U+00A0."""
    found = (lead == 0xE2) | (lead == 0xC2)
    found |= ((lead == 0xE3) & (second == 0x80)) | ((lead == 0xEF) & (second == 0xBB))
    mask: npt.NDArray[np.bool_] = found
    return mask


def _blank_inside(values: Texts) -> Places:
    source = raw(values)
    data = source.data
    return source.rows((data <= 0x20) | (data == 0x7F) | (data == 0xE3) | (data == 0xC2) | (data == 0xE2))


def _unseen(values: Texts) -> Places:
    source = raw(values)
    return source.rows((source.data == 0xE2) | (source.data == 0xEF) | (source.data == 0xC2))


def _trimmed(values: Texts) -> Texts:
    ends = f"(?:{BLANKS}|{UNSEEN})+"
    return empty_as_null(chain(values, ((rf"\A{ends}", ""), (rf"{ends}\z", ""))))


def _letters(low: int) -> Callable[[Texts], Places]:
    def suspects(values: Texts) -> Places:
        source = raw(values)
        return source.rows(source.data - np.uint8(low) < 26)

    return suspects


def _with_apostrophe(values: Texts) -> Places:
    source = raw(values)
    if not len(source.data):
        return NONE
    first = source.nth(0)
    return np.flatnonzero(((first == 0x27) | (first == 0x60) | (first == 0xE2)) & (source.lengths > 1))


def _all_rows(values: Texts) -> Places:
    return np.flatnonzero(as_mask(values.is_valid()))


def _words(listed: tuple[str, ...]) -> Callable[[Texts], Places]:
    known = pa.array(listed, pa.string())
    longest = max(len(word.encode()) for word in listed)

    def suspects(values: Texts) -> Places:
        short = np.flatnonzero((raw(values).lengths <= longest) & as_mask(values.is_valid()))
        if not len(short):
            return NONE
        return short[as_mask(pc.is_in(values.take(pa.array(short)), value_set=known))]

    return suspects


def _nothing(values: Texts) -> Texts:
    return pa.nulls(len(values), pa.string())


STEPS: Final[Mapping[str, Step]] = {
    s.name: s
    for s in (
        Step("trim", _at_the_ends, _trimmed),
        Step("spaces", _blank_inside, lambda v: chain(v, ((f"{BLANKS}+", " "),))),
        Step("no-spaces", _blank_inside, lambda v: empty_as_null(chain(v, ((f"{BLANKS}+", ""),)))),
        Step("zero-width", _unseen, lambda v: empty_as_null(chain(v, ((f"{UNSEEN}+", ""),)))),
        Step("half-width", numbers.suspects_of_full_width, numbers.half_width),
        Step("upper", _letters(97), pc.ascii_upper),
        Step("lower", _letters(65), pc.ascii_lower),
        Step("apostrophe", _with_apostrophe, lambda v: chain(v, ((r"\A['‘’`]+([-+]?\d)", r"\1"),))),
        Step("empty-words", _words(EMPTY_WORDS), _nothing),
        Step("chinese-numerals", numerals.suspects_of_numerals, numerals.numerals),
        Step("chinese-date", numerals.suspects_of_dates, numerals.dates),
        Step("amount", numbers.suspects_of_amounts, numbers.amounts),
        Step("percent", numbers.suspects_of_percent, numbers.percents),
        Step("phone", numbers.suspects_of_phones, numbers.phones),
        Step("citizen-id", numbers.suspects_of_ids, numbers.citizen_ids),
        Step("uscc", numbers.suspects_of_codes, numbers.credit_codes),
        Step("case-number", numbers.suspects_of_cases, numbers.case_numbers),
    )
}


def code_map(name: str, table: Mapping[str, str]) -> Step:
    """A step that puts codes for spellings; a spelling that the table lacks stays for validation to name."""
    spellings = tuple(table)
    known = pa.array(spellings, pa.string())
    codes = pa.array([table[s] or None for s in spellings], pa.string())

    def rewrite(values: Texts) -> Texts:
        places = pc.index_in(values, value_set=known)
        return pc.if_else(places.is_valid(), codes.take(places), values)

    return Step(CODE_MAP + name, _words(spellings), rewrite)


def steps_of(contract: Contract) -> dict[str, tuple[Step, ...]]:
    """Field → its steps in order; only fields that have any. Raises KeyError for an unknown one, which
    registration refuses."""
    maps = {**KNOWN_MAPS, **{m.name: dict(m.pairs) for m in contract.code_maps}}

    def step(name: str) -> Step:
        if name.startswith(CODE_MAP):
            table = name.removeprefix(CODE_MAP)
            return code_map(table, maps[table])
        return STEPS[name]

    return {f.name: tuple(step(n) for n in f.cleanse) for f in contract.fields if f.cleanse}
