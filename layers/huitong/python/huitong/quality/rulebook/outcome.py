"""How each rule of the office went on one delivery, and its breaches (C-06, C-30). Pure and light."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from huitong.quality.rulebook.model import ERROR, OfficeRule
from huitong.quality.rules import Rule

_STATES: Final = ("ok", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class RuleRun:
    """``ms`` -1: in the common pass of column and row rules. ``why``: of what failed or was skipped."""

    rule: str
    version: int
    kind: str
    state: str
    ms: int
    rows: int
    violations: int
    breached: bool
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**body)


@dataclass(frozen=True, slots=True)
class Judged:
    """All rules of the office on one delivery."""

    runs: tuple[RuleRun, ...] = ()
    breaches: tuple[tuple[OfficeRule, RuleRun], ...] = ()
    ms: int = 0  # of the whole check

    @property
    def holding(self) -> tuple[str, ...]:
        """Rules by whose breach the delivery waits for a decision."""
        return tuple(rule.finding for rule, _ in self.breaches if rule.on_breach == "hold")

    @property
    def refusing(self) -> tuple[str, ...]:
        return tuple(rule.finding for rule, _ in self.breaches if rule.on_breach == "reject")


def judged(
    office: Mapping[int, OfficeRule],
    violations: Mapping[int, int],
    rows: int,
    carried: Mapping[int, tuple[str, int, str]],
    ms: int,
) -> Judged:
    """``violations`` by rule number, among ``rows`` checked; ``carried``: state, duration and why,
    where it is known of one rule alone."""
    runs, breaches = [], []
    for number, rule in office.items():
        state, took, why = carried.get(number, ("ok", -1, ""))
        found = violations.get(number, 0)
        breached = state == "ok" and rule.breached(found, rows)
        run = RuleRun(rule.id, rule.version, rule.kind, state, took, rows, found, breached, why)
        runs.append(run)
        if breached:
            breaches.append((rule, run))
    return Judged(tuple(runs), tuple(breaches), ms)


def unbound(rules: Iterable[tuple[OfficeRule, str]]) -> tuple[RuleRun, ...]:
    """Rules that do not fit the delivery's version of the contract."""
    return tuple(RuleRun(r.id, r.version, r.kind, "failed", -1, 0, 0, False, why) for r, why in rules)


def error_words(rule: str, why: str) -> tuple[str, str]:
    """Chinese and English of the finding that a rule could not be carried out."""
    return (
        f"质量规则 {rule} 未能执行,已跳过:{why}",
        f"The quality rule {rule} could not be carried out and was left out: {why}",
    )


def is_error(rule: Rule) -> bool:
    return rule.id == ERROR
