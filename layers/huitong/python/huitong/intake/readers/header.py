"""Which column of a file is which field of the contract, and which row is the header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from huitong.contracts.model import Contract
from huitong.intake.returned import COLUMNS, ORIGINAL_ROW, ROW_NAMES

#: How far down a header is looked for.
SEARCHED_ROWS: Final = 20


class Names:
    """Column names that stand for fields: the profile's mapping first, then field names, then titles.

    Case, surrounding blanks, byte order marks and full-width forms do not count.
    """

    def __init__(
        self,
        contract: Contract,
        mapping: Mapping[str, str] | None = None,
        extra: Iterable[str] = (),
        *,
        mends: bool = False,
    ) -> None:
        self.rows_wanted = mends
        self._fields: dict[str, str] = {}
        for field in contract.fields:
            if field.title:
                self._fields.setdefault(plain(field.title), field.name)
        for field in contract.fields:
            self._fields[plain(field.name)] = field.name
        for source, target in (mapping or {}).items():
            self._fields[plain(source)] = target
        self._extra = {plain(name): name for name in extra if name}
        self._count = len(contract.fields)
        own = {plain(name) for name in COLUMNS}
        self._own = own - self._fields.keys() - self._extra.keys()
        self._rows = {plain(name) for name in ROW_NAMES} & self._own
        beside = {self._fields.get(name) for name in self._extra}
        #: for formats without a header: every column that could be named
        self.labels = (*self._extra.values(), *(f.name for f in contract.fields if f.name not in beside))
        if mends:
            self.labels = (ORIGINAL_ROW, *self.labels)

    def returned(self, cell: str) -> bool:
        """Whether it is a column that the platform added to a file that it gave back."""
        return plain(cell) in self._own

    def original_row(self, cell: str) -> bool:
        """Whether it is the one of them with the number of the row in the first delivery."""
        return plain(cell) in self._rows

    def field(self, cell: str) -> str:
        """The field that a header cell names, or ""."""
        return self._fields.get(plain(cell), "") or self._fields.get(bare(cell), "")

    def near(self, cell: str) -> tuple[str, str]:
        """The field that a heading names apart from what stands in brackets, and that; ("", "") if none."""
        text, inside = _split(cell)
        return (self._fields.get(text, ""), inside) if inside else ("", "")

    def label(self, key: str) -> str:
        """Which of the :attr:`labels` a key means, or ""."""
        if self.rows_wanted and self.original_row(key):
            return ORIGINAL_ROW
        return self._extra.get(plain(key), "") or self.field(key)

    def known(self, cells: Sequence[str | None]) -> int:
        """How many different columns of the contract (or of the profile) the cells name."""
        texts = [plain(c) for c in cells if c]
        fields = {f for c in cells if c and (f := self.field(c))}
        return len(fields) + len(self._extra.keys() & set(texts))

    def is_header(self, cells: Sequence[str | None]) -> bool:
        """At least half of the contract's fields, or nothing but known names (a list of keys)."""
        texts = [c for c in cells if c and c.strip() and not self.returned(c)]
        known = self.known(texts)
        return known > 0 and (known * 2 >= self._count or known == len(texts))

    def find(self, rows: Sequence[Sequence[str | None]]) -> int | None:
        """Position (from 0) of the first of the rows that reads like a header."""
        return next((i for i, row in enumerate(rows[:SEARCHED_ROWS]) if self.is_header(row)), None)


#: What may stand in brackets behind a heading without changing what its column holds.
_IDLE: Final = frozenset(
    {
        "必填",
        "必填项",
        "选填",
        "选填项",
        "可选",
        "可空",
        "非必填",
        "元",
        "单位:元",
        "人民币元",
        "文本",
        "文本格式",
    }
)
_BRACKETS: Final = re.compile(r"^(.*?)[(\[【〔{]([^)\]】〕}]*)[)\]】〕}]$")


def _split(name: str) -> tuple[str, str]:
    """A heading without stars, colons, line breaks and what is in brackets at its end; and the latter."""
    text = plain(name).strip("*:：＊ ")
    if any("\u4e00" <= c <= "\u9fff" for c in text):
        text = re.sub(r"\s+", "", text)
    found = _BRACKETS.match(text)
    return (found[1].strip("* "), found[2].strip()) if found else (text, "")


def bare(name: str) -> str:
    """A heading without its decoration; one in brackets that says another unit or meaning stays as it is."""
    text, inside = _split(name)
    return text if not inside or inside in _IDLE else plain(name)


def plain(name: str) -> str:
    """A column name as it is compared."""
    return unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip().casefold()
