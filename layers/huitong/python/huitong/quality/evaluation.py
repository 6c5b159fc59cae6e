"""The quality evaluation of a batch and the decision on it (Q-20, Q-22). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from huitong.batches.model import Counts, Decision, Quality
from huitong.contracts.model import Limits
from huitong.quality.rules import Rule


@dataclass
class Tally:
    """Counts that grow block by block."""

    received: int = 0
    quarantined: int = 0
    duplicate: int = 0
    warned: int = 0  # accepted rows with a warning
    keyless: int = 0  # rows in quarantine whose key cannot be trusted: batches.model.Batch.keyless
    criteria: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)  # batches.model.Quality.checks
    refused: tuple[str, ...] = ()  # rules of the office whose breach rejects the batch
    cleansed: Counter[str] = field(default_factory=Counter)  # values changed, by cleansing step

    def count(self, rule: Rule, violations: int) -> None:
        """Violations of one rule; warnings count by rule only."""
        self.rules[rule.id] += violations
        self.checks["|".join((rule.severity, rule.criterion, rule.column, rule.id))] += violations
        if rule.severity == "error":
            self.criteria[rule.criterion] += violations

    def quality(self) -> Quality:
        """Violations per criterion, those of structure under format; the score to two decimals."""
        share = self.quarantined / self.received if self.received else 0.0
        return Quality(
            missing=self.criteria["missing"],
            conflicting=self.criteria["conflicting"],
            constraint=self.criteria["constraint"],
            format=self.criteria["format"] + self.criteria["structure"],
            warnings=self.warned,
            score=round(100 * (1 - share), 2),
            by_rule=dict(sorted(self.rules.items())),
            checks=dict(sorted(self.checks.items())),
        )


def decide(tally: Tally, limits: Limits) -> Decision:
    """Rejected: no good row at all, or more rows in quarantine than the contract allows."""
    good = tally.received - tally.quarantined - tally.duplicate
    if (tally.received and not good) or tally.refused:
        return "rejected"
    if tally.quarantined * 100 > limits.max_quarantined_percent * tally.received:
        return "rejected"
    return "accepted in part" if tally.quarantined else "accepted"


def counts(tally: Tally, decision: Decision) -> Counts:
    """The batch's counts; in a rejected batch all rows but the duplicates count as quarantined."""
    quarantined = tally.received - tally.duplicate if decision == "rejected" else tally.quarantined
    accepted = tally.received - tally.duplicate - quarantined
    return Counts(
        received=tally.received,
        accepted=accepted,
        quarantined=quarantined,
        duplicate=tally.duplicate,
        withheld=accepted,
    )


def refusal(tally: Tally, limits: Limits) -> Mapping[str, object]:
    """Why a batch is rejected, in words, as HuitongError.as_dict() has it."""
    if tally.quarantined + tally.duplicate == tally.received:
        zh, en = "没有一行数据通过校验", "No row passed the checks"
    elif tally.refused:
        named = ", ".join(tally.refused)
        zh, en = f"超过质量规则的阈值:{named}", f"More than quality rules allow: {named}"
    else:
        shown = f"{tally.quarantined}/{tally.received}"
        zh = f"未通过校验的行({shown})超过数据契约允许的 {limits.max_quarantined_percent:g}%"
        en = f"More rows failed ({shown}) than the contract's {limits.max_quarantined_percent:g}%"
    return {
        "code": "batch-rejected",
        "zh": zh,
        "en": en,
        "where": {"quarantined": tally.quarantined, "received": tally.received},
        "problems": [],
    }
