"""What is wrong with each row of a delivery, in the words that stand in a returned file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

_LONGEST: Final = 2_000
#: A finding: column, rule, severity, words in Chinese and in English.
_Said = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """``columns`` are contract fields or header cells; ``error``: the row is in quarantine."""

    zh: str
    en: str
    columns: tuple[str, ...]
    error: bool
    said: tuple[_Said, ...] = ()

    @property
    def both(self) -> str:
        return f"{self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class RuleCount:
    rule: str
    column: str
    severity: str
    rows: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Problems:
    """``rows`` by source row; ``rules`` most frequent first; findings on the file itself have no rows."""

    rows: Mapping[int, Wrong] = field(default_factory=dict)
    rules: Sequence[RuleCount] = ()


def problems_of(path: Path) -> Problems:
    """From a findings file. Rows are many and what is said of them is not: words are put together once."""
    names = ["source_row", "column", "rule", "severity", "zh", "en"]
    columns = [c.to_pylist() for c in pq.read_table(path, columns=names).columns]
    of_row: dict[int, list[_Said]] = {}
    counted: Counter[tuple[str, str, str]] = Counter()
    words: dict[tuple[str, str, str], tuple[str, str]] = {}
    for row, column, rule, severity, zh, en in zip(*columns, strict=True):
        said = (column or "", rule, severity, zh, en)
        words.setdefault(said[:3], (zh, en))
        if row is None:
            counted[said[:3]] += 0
        else:
            counted[said[:3]] += 1
            of_row.setdefault(row, []).append(said)
    worded: dict[tuple[_Said, ...], Wrong] = {}
    rows = {}
    for row, listed in of_row.items():
        key = tuple(listed)
        rows[row] = worded.get(key) or worded.setdefault(key, _worded(key))
    rules = [RuleCount(k[1], k[0], k[2], n, *words[k]) for k, n in counted.most_common()]
    return Problems(rows, rules)


def _worded(said: tuple[_Said, ...]) -> Wrong:
    columns = [name for column, *_ in said for name in column.split(",") if name]
    return Wrong(
        zh=_joined([zh for *_, zh, _ in said]),
        en=_joined([en for *_, en in said]),
        columns=tuple(dict.fromkeys(columns)),
        error=any(severity == "error" for _, _, severity, _, _ in said),
        said=said,
    )


def _joined(texts: Sequence[str]) -> str:
    """One line; a text that a spreadsheet could take for a formula is set apart by a sign (S-21)."""
    line = " ".join(" ".join(dict.fromkeys(texts)).split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    return f"※ {line}" if line[:1] in ("=", "+", "-", "@") else line
