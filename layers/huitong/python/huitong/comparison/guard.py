"""Whether a batch would change more of a resource than its contract allows without a person's word. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from huitong.batches.model import Batch
from huitong.comparison.inputs import Op, Outcome
from huitong.contracts.model import Contract, Limits
from huitong.quality.masking import mask_of, mask_value

#: Keys shown in a preview, of all kinds together.
SAMPLE: Final = 20

Kind = Literal["deleted", "updated"]
_WORDS: Final[Mapping[Kind, tuple[str, str]]] = {"deleted": ("删除", "delete"), "updated": ("更新", "update")}
_OPS: Final[Mapping[Kind, Op]] = {"deleted": "delete", "updated": "update"}


@dataclass(frozen=True, slots=True)
class Excess:
    """One limit that a batch exceeds."""

    kind: Kind
    rows: int
    percent: float  # of current rows, two decimals
    limit: float

    def told(self) -> tuple[str, str]:
        zh, en = _WORDS[self.kind]
        return (
            f"将{zh} {self.rows} 行({self.percent}%),上限 {self.limit:g}%",
            f"would {en} {self.rows} rows ({self.percent} %), limit {self.limit:g} %",
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "rows": self.rows,
            "percent": str(self.percent),
            "limit": f"{self.limit:g}",
        }


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a batch waits for a decision; false = it may go on.

    ``rules`` are those of the office by whose breach it waits. ``keyless``: rows in quarantine whose key is
    missing or wrong, in a full edition that would delete ``deleted`` rows: some of these may be those.
    """

    exceeded: tuple[Excess, ...] = ()
    rules: tuple[str, ...] = ()
    keyless: int = 0
    deleted: int = 0

    def __bool__(self) -> bool:
        return bool(self.exceeded or self.rules or self.keyless)

    def samples(self) -> Mapping[Op, int]:
        """How many keys of each kind of change a preview shows."""
        kinds = {e.kind for e in self.exceeded} | ({"deleted"} if self.keyless else set())
        return {op: SAMPLE // len(kinds) for kind, op in _OPS.items() if kind in kinds}

    def told(self) -> list[tuple[str, str]]:
        """Each reason in Chinese and English."""
        words = [e.told() for e in self.exceeded]
        if self.keyless:
            gone, bad = self.deleted, self.keyless
            zh = (
                f"将删除 {gone} 行,而隔离区有 {bad} 行主键缺失或有误,可能正是这些行;"
                "请更正后重新交付,确已删除的可放行"
            )
            en = (
                f"would delete {gone} rows, and {bad} rows in quarantine whose key is missing or wrong "
                "may be those; deliver it corrected, or release it if they are really gone"
            )
            words.append((zh, en))
        for rule in self.rules:
            words.append((f"超过质量规则 {rule} 的阈值", f"more than quality rule {rule} allows"))
        return words

    def as_list(self) -> list[dict[str, Any]]:
        listed = [e.as_dict() for e in self.exceeded]
        if self.keyless:
            listed.append({"kind": "keyless", "rows": self.keyless, "deleted": self.deleted})
        return listed + [{"kind": "rule", "rule": rule} for rule in self.rules]


def reasons(batch: Batch, outcome: Outcome, current_rows: int, limits: Limits) -> Reasons:
    """Why a batch must wait for a decision. One that was released waits no more."""
    if batch.released_by:
        return Reasons()
    unsure = batch.mode == "full" and outcome.deleted and batch.keyless > limits.max_keyless_rows
    return Reasons(
        excesses(outcome, current_rows, limits),
        batch.hold_for,
        batch.keyless if unsure else 0,
        outcome.deleted,
    )


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
    why: Reasons,
    samples: Mapping[Op, Sequence[Sequence[Any]]],
) -> dict[str, Any]:
    """What an officer sees of a held batch: counts, limits, reasons, some keys masked per contract."""
    told = why.told()
    return {
        "zh": f"等待人工决定:{';'.join(zh for zh, _ in told)}",
        "en": f"Waits for a decision: {'; '.join(en for _, en in told)}",
        "reasons": why.as_list(),
        "current_rows": current_rows,
        "inserted": outcome.inserted,
        "updated": outcome.updated,
        "deleted": outcome.deleted,
        "unchanged": outcome.unchanged,
        "retained": outcome.retained,
        "sample": {
            kind: [_masked(contract, key) for key in samples[op]]
            for kind, op in _OPS.items()
            if op in samples
        },
    }


def _masked(contract: Contract, key: Sequence[Any]) -> dict[str, str | None]:
    return {
        field.name: mask_value(mask_of(field), None if value is None else str(value))
        for field, value in zip(contract.keys, key, strict=True)
    }
