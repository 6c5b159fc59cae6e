"""What a rule is: an id, a criterion, a severity, and words for people. Quick to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Criterion = Literal["missing", "conflicting", "constraint", "format", "structure"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of a contract, bound to a column (several columns joined by a comma; empty = the row).

    ``zh`` and ``en`` say what is wrong and what to do; they stand beside each finding.
    ``on_deletions``: also checked on rows that only ask for a deletion.
    """

    id: str
    column: str
    criterion: Criterion
    severity: Severity
    zh: str
    en: str
    on_deletions: bool = False


@dataclass(frozen=True, slots=True)
class SemanticRule:
    """One way in which a value can break a semantic type; ``code`` is the rule id."""

    code: str
    criterion: Criterion
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    severity: Severity = "error"

    def at(self, column: str, title: str) -> Rule:
        return Rule(
            id=self.code,
            column=column,
            criterion=self.criterion,
            severity=self.severity,
            zh=f"{title or column}:{self.zh}。{self.advice_zh}。",
            en=f"{column}: {self.en}. {self.advice_en}.",
        )
