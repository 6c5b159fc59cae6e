"""The published formulas of quality, timeliness and provision (Q-22, C-08, C-09). Pure; docs/scores.md.

Everything is kept as a fraction of whole numbers (:class:`Share`), so that a
month is the exact sum of its deliveries and not an average of averages; a score
is made of it at the end: 100 × good / all, to two decimals, half up. What was
not asked in a period has no score and no weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.supervision.quality.grouping import checks_of

#: The five of the standard (S2 4.6.5), with their names.
DIMENSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "completeness": ("完整性", "completeness"),
    "conformity": ("规范性", "conformity"),
    "timeliness": ("及时性", "timeliness"),
    "consistency": ("一致性", "consistency"),
    "logic": ("逻辑性", "logic"),
}
#: Weights within quality (timeliness is scored beside it).
QUALITY_WEIGHTS: Final[Mapping[str, int]] = {
    "completeness": 30,
    "conformity": 30,
    "consistency": 20,
    "logic": 20,
}
#: Weights of a unit's total (C-09).
TOTAL_WEIGHTS: Final[Mapping[str, int]] = {"provision": 30, "timeliness": 30, "quality": 40}
#: What a criterion of findings counts for.
_OF_CRITERION: Final = {
    "missing": "completeness",
    "format": "conformity",
    "structure": "conformity",
    "conflicting": "consistency",
    "constraint": "logic",
}
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Share:
    """``good`` of ``all``; nothing of nothing has no score."""

    good: int = 0
    all: int = 0

    def plus(self, other: Share) -> Share:
        return Share(self.good + other.good, self.all + other.all)

    @property
    def score(self) -> Decimal | None:
        """0 to 100, two decimals."""
        if not self.all:
            return None
        return (Decimal(100) * self.good / self.all).quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Measured:
    """One delivery, or many: cells and rows that were checked, and those that were right.

    ``timely`` counts in halves: 2 for a delivery in time, 1 for one not more than five working days late.
    ``provided``: resources that were due and of which something came.
    """

    completeness: Share = Share()
    conformity: Share = Share()
    consistency: Share = Share()
    logic: Share = Share()
    timely: Share = Share()
    provided: Share = Share()
    rows: Share = Share()  # accepted of received
    batches: int = 0
    rejected: int = 0

    def plus(self, other: Measured) -> Measured:
        shares = {n: getattr(self, n).plus(getattr(other, n)) for n in _SHARES}
        return Measured(
            **shares, batches=self.batches + other.batches, rejected=self.rejected + other.rejected
        )


_SHARES: Final = ("completeness", "conformity", "consistency", "logic", "timely", "provided", "rows")


@dataclass(frozen=True, slots=True)
class Scores:
    """What is published of a batch, resource or unit for a period; None = not asked in it."""

    completeness: Decimal | None
    conformity: Decimal | None
    timeliness: Decimal | None
    consistency: Decimal | None
    logic: Decimal | None
    quality: Decimal | None
    provision: Decimal | None
    total: Decimal | None

    def as_dict(self) -> dict[str, str | None]:
        """With decimals as text, for registers and JSON."""
        values = ((n, getattr(self, n)) for n in self.__dataclass_fields__)
        return {n: None if v is None else str(v) for n, v in values}


def measured(batch: Batch, contract: Contract) -> Measured:
    """What one delivery was checked for, and how much of it was right.

    Cells: rows × the fields or rules that ask for it; each violation takes one away. A delivery that could
    not be read has no cells: it counts among ``rejected``, and as one wrong cell of conformity.
    """
    rows = batch.counts.received - batch.counts.duplicate
    if batch.status == "rejected" and not rows:
        return Measured(conformity=Share(0, 1), batches=1, rejected=1)
    wrong = dict.fromkeys(_OF_CRITERION.values(), 0)
    asked = _asked(contract)
    office: dict[str, set[tuple[str, str]]] = {}
    for check in checks_of(batch.quality):
        if check.severity == "warning" and not check.rule.startswith("office:"):
            continue
        dimension = _OF_CRITERION[check.criterion]
        wrong[dimension] += check.count
        if check.rule.startswith("office:"):
            office.setdefault(dimension, set()).add((check.rule, check.column))
    shares = {}
    for dimension, checks in asked.items():
        cells = rows * (checks + len(office.get(dimension, ())))
        shares[dimension] = Share(max(0, cells - wrong[dimension]), cells)
    taken = Share(batch.counts.accepted, rows)
    return Measured(**shares, rows=taken, batches=1, rejected=int(batch.status == "rejected"))


def _asked(contract: Contract) -> dict[str, int]:
    """How many checks of each dimension a row of the contract goes through."""
    fields = contract.fields
    logic = sum(bool(f.codes) for f in fields) + sum(
        f.minimum is not None or f.maximum is not None for f in fields
    )
    return {
        "completeness": sum(bool(f.required or f.key) for f in fields),
        "conformity": len(fields),
        "consistency": 1 + sum(f.unique for f in fields),
        "logic": logic + len(contract.rules),
    }


def summed(parts: Iterable[Measured]) -> Measured:
    total = Measured()
    for part in parts:
        total = total.plus(part)
    return total


def scores(m: Measured) -> Scores:
    """The scores of a measure: each dimension, quality as their weighted mean, and the total."""
    of = {n: getattr(m, n).score for n in QUALITY_WEIGHTS}
    quality = weighted(of, QUALITY_WEIGHTS)
    timely, provided = m.timely.score, m.provided.score
    total = weighted({"provision": provided, "timeliness": timely, "quality": quality}, TOTAL_WEIGHTS)
    return Scores(
        of["completeness"], of["conformity"], timely, of["consistency"], of["logic"], quality, provided, total
    )


def weighted(values: Mapping[str, Decimal | None], weights: Mapping[str, int]) -> Decimal | None:
    """The weighted mean of what has a score; None when nothing has."""
    known = {n: v for n, v in values.items() if v is not None}
    if not known:
        return None
    total = sum((v * weights[n] for n, v in known.items()), Decimal(0))
    return (total / sum(weights[n] for n in known)).quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Placed:
    rank: int
    unit: str
    scores: Scores
    more: Mapping[str, Any] = field(default_factory=dict)


def ranking(units: Mapping[str, Scores]) -> list[Placed]:
    """Units by total, then quality, then timeliness; equal ones share a rank and the next one is skipped.

    Who has no total had nothing to deliver and is not ranked.
    """

    def by(one: Scores) -> tuple[Decimal, ...]:
        return tuple(v if v is not None else Decimal(-1) for v in (one.total, one.quality, one.timeliness))

    scored = sorted(((u, s) for u, s in units.items() if s.total is not None), key=lambda x: x[0])
    ordered = sorted(scored, key=lambda x: by(x[1]), reverse=True)
    places: list[Placed] = []
    for position, (unit, one) in enumerate(ordered, start=1):
        same = places and by(places[-1].scores) == by(one)
        places.append(Placed(places[-1].rank if same else position, unit, one))
    return places


def trend(values: Sequence[Decimal | None]) -> Decimal | None:
    """The last value less the one before, where both are known."""
    known = values[-2:]
    if len(known) < 2 or known[0] is None or known[1] is None:
        return None
    return known[1] - known[0]
