"""What a delivery's evaluation says, as groups: one issue for each rule and column (C-05). Pure, light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from huitong.batches.model import Batch, Quality

#: Issues of one batch at most: a file that is not the resource at all breaks every rule.
MOST: Final = 40
#: The whole delivery could not be read, or was not taken.
UNREADABLE: Final = "delivery.refused"


@dataclass(frozen=True, slots=True)
class Check:
    """Violations of one rule in one column (several joined by commas, "" = the row or the delivery)."""

    rule: str
    column: str
    criterion: str
    severity: str
    count: int


def checks_of(quality: Quality) -> list[Check]:
    """By rule and column. Rules of structure are known by rule only: they count as errors of the format."""
    found = []
    named: dict[str, int] = {}
    for key, count in quality.checks.items():
        severity, criterion, column, rule = key.split("|", 3)
        found.append(Check(rule, column, criterion, severity, count))
        named[rule] = named.get(rule, 0) + count
    rest = {rule: n - named.get(rule, 0) for rule, n in quality.by_rule.items()}
    found += [Check(rule, "", "structure", "error", n) for rule, n in rest.items() if n > 0]
    return found


def groups(batch: Batch, warning_percent: int) -> list[Check]:
    """What becomes an issue, the most frequent first: errors, and warnings beyond the threshold."""
    if batch.status == "rejected" and not batch.counts.received:
        return [Check(UNREADABLE, "", "structure", "error", 1)]
    rows = batch.counts.received
    chosen = [
        c
        for c in checks_of(batch.quality)
        if c.severity == "error" or c.count * 100 > warning_percent * rows
        if not (c.severity == "warning" and c.rule.startswith("key."))  # a copy is put right by the platform
    ]
    return sorted(chosen, key=lambda c: (-c.count, c.rule, c.column))[:MOST]


def issue_id(batch: str, check: Check) -> str:
    """The same finding of the same delivery is the same issue, however often it is looked at."""
    digest = hashlib.sha256("\x1f".join((batch, check.rule, check.column)).encode()).hexdigest()
    return f"qi{digest[:22]}"


def violations(batch: Batch, rule: str, column: str) -> int:
    return sum(c.count for c in checks_of(batch.quality) if (c.rule, c.column) == (rule, column))
