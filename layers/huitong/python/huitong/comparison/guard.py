"""Whether a batch would change more of a resource than its contract allows without a person's word. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from huitong.comparison.inputs import Outcome
from huitong.contracts.model import Contract, Limits
from huitong.quality.masking import mask_of, mask_value

#: Keys shown in a preview, of all kinds together.
SAMPLE: Final = 20

Kind = Literal["deleted", "updated"]
_WORDS: Final[Mapping[Kind, tuple[str, str]]] = {"deleted": ("删除", "delete"), "updated": ("更新", "update")}


@dataclass(frozen=True, slots=True)
class Excess:
    """One limit that a batch exceeds."""

    kind: Kind
    rows: int
    percent: float  # of current rows, two decimals
    limit: float


def excesses(outcome: Outcome, current_rows: int, limits: Limits) -> tuple[Excess, ...]:
    """The limits that a batch exceeds; none = it may go on. A first publication exceeds nothing."""
    found = []
    asked: tuple[tuple[Kind, int, float], ...] = (
        ("deleted", outcome.deleted, limits.max_deleted_percent),
        ("updated", outcome.updated, limits.max_updated_percent),
    )
    for kind, rows, limit in asked:
        if current_rows and rows > limits.guard_floor and rows * 100 > limit * current_rows:
            found.append(Excess(kind, rows, round(rows * 100 / current_rows, 2), limit))
    return tuple(found)


def preview(
    contract: Contract,
    outcome: Outcome,
    current_rows: int,
    exceeded: Sequence[Excess],
    samples: Mapping[Kind, Sequence[Sequence[Any]]],
    rules: Sequence[str] = (),
) -> dict[str, Any]:
    """What an officer sees of a held batch: counts, limits, reasons, some keys masked per contract.

    ``rules`` are those of the office by whose breach it waits.
    """
    words = [f"将{_WORDS[e.kind][0]} {e.rows} 行({e.percent}%),上限 {e.limit:g}%" for e in exceeded]
    zh = ";".join([*words, *(f"超过质量规则 {rule} 的阈值" for rule in rules)])
    told = [f"would {_WORDS[e.kind][1]} {e.rows} rows ({e.percent} %), limit {e.limit:g} %" for e in exceeded]
    en = "; ".join([*told, *(f"more than quality rule {rule} allows" for rule in rules)])
    return {
        "zh": f"等待人工决定:{zh}",
        "en": f"Waits for a decision: {en}",
        "reasons": [
            {"kind": e.kind, "rows": e.rows, "percent": str(e.percent), "limit": f"{e.limit:g}"}
            for e in exceeded
        ]
        + [{"kind": "rule", "rule": rule} for rule in rules],
        "current_rows": current_rows,
        "inserted": outcome.inserted,
        "updated": outcome.updated,
        "deleted": outcome.deleted,
        "unchanged": outcome.unchanged,
        "retained": outcome.retained,
        "sample": {kind: [_masked(contract, key) for key in keys] for kind, keys in samples.items()},
    }


def sample_sizes(exceeded: Sequence[Excess]) -> dict[Kind, int]:
    """How many keys of each kind a preview shows."""
    return {e.kind: SAMPLE // len(exceeded) for e in exceeded}


def _masked(contract: Contract, key: Sequence[Any]) -> dict[str, str | None]:
    return {
        field.name: mask_value(mask_of(field), None if value is None else str(value))
        for field, value in zip(contract.keys, key, strict=True)
    }
