"""Bodies and answers of quality rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    ANYTHING,
    CODE,
    COUNT,
    FLAG,
    ID,
    NULLABLE,
    OPEN,
    TEXT,
    TEXTS,
    UNIT_TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    text,
)

#: As huitong.quality.rulebook.model.KINDS.
RULE_KINDS: Final = (
    "missing", "format", "range", "set", "pattern", "semantic", "expression", "unique_history", "reference",
    "agreement", "freshness", "volume", "drift", "sql",
)  # fmt: skip
_REASON: Final = text("why; kept with the version", most=2_000, minLength=1)
_SEEN: Final = number("version that was looked at; 0 = whatever it is", high=999_999)
_WORDS: Final = text(most=1_000)
_ID: Final = text("small letters, digits, hyphens", most=64, pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
_CONTENT: Final[Mapping[str, Schema]] = {
    "fields": array(text(most=128), most=50),
    "parameters": {**OPEN, "description": "by kind, see docs/rules.md", "maxProperties": 20},
    "severity": one_of("error", "warning"),
    "most": {"type": ["integer", "null"], "minimum": 0, "description": "violations beyond are a breach"},
    "most_percent": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "on_breach": one_of("", "hold", "reject", about="what a breach does beside being told"),
    "level": one_of("info", "attention", "serious"),
    "recipient": {**UNIT_TEXT, "pattern": "", "description": "unit that is warned; empty = that delivered"},
    "owner": text("who answers for the rule", most=200),
    "zh": _WORDS,
    "en": _WORDS,
}
_IDENTITY: Final[Mapping[str, Schema]] = {
    "id": _ID,
    "resource": text(most=64, pattern=CODE),
    "kind": one_of(*RULE_KINDS),
}
_DRAFT: Final = body({"kind": _IDENTITY["kind"]}, {**_CONTENT, "id": _ID})

RULES: Final[Mapping[str, Schema]] = {
    "NewRuleBody": body({**_IDENTITY, "reason": _REASON}, _CONTENT),
    "RuleBody": body({"reason": _REASON}, {**_CONTENT, "seen": _SEEN}),
    "RuleStepBody": body({"reason": _REASON}, {"seen": _SEEN}),
    "QualityRule": answer(
        {"id": TEXT, "finding": TEXT, "origin": TEXT, "resource": TEXT, "kind": TEXT, "fields": TEXTS,
         "parameters": OPEN, "severity": TEXT, "state": TEXT, "version": COUNT, "owner": TEXT, "zh": TEXT,
         "en": TEXT},
        {"cost": OPEN, "reason": TEXT, "by": TEXT, "at": TEXT, "on_breach": TEXT, "level": TEXT,
         "recipient": TEXT, "most": ANYTHING, "most_percent": ANYTHING},
    ),
    "QualityRules": answer(
        {"items": {"type": "array", "items": {"$ref": "#/components/schemas/QualityRule"}}, "next": NULLABLE},
        {"version": TEXT},
    ),
    "RuleTrialBody": body(
        {"resource": _IDENTITY["resource"]},
        {"rule": {**_ID, "description": "id of a saved rule"},
         "version": _SEEN,
         "draft": _DRAFT,
         "rows": array({**OPEN, "maxProperties": 1_000}, most=1_000),
         "batch": text("id of a past delivery", most=128, pattern=ID),
         "table": {**FLAG, "description": "the published rows"}},
    ),
    "RuleTrial": answer(
        {"rows": COUNT, "violations": COUNT, "quarantined_now": COUNT, "quarantined_then": COUNT,
         "newly_quarantined": COUNT, "released": COUNT, "state": TEXT, "why": TEXT, "breached": FLAG,
         "said": {"type": "array"}, "samples": {"type": "array"}, "only_first_rows": FLAG, "cost": OPEN,
         "rule_ms": ANYTHING, "ms": COUNT}
    ),
    "RuleRun": answer({"batch": TEXT, "resource": TEXT, "at": TEXT, "rules_version": TEXT,
                       "runs": {"type": "array"}}),
    "RuleRuns": listing("RuleRun"),
    "RuleSummary": answer({"items": {"type": "array"}, "next": NULLABLE}),
    "RuleWarning": answer(
        {"id": TEXT, "rule": TEXT, "resource": TEXT, "batch": TEXT, "unit": TEXT, "recipient": TEXT,
         "level": TEXT, "state": TEXT, "violations": COUNT, "rows": COUNT, "zh": TEXT, "en": TEXT,
         "at": TEXT, "handled_by": TEXT, "handled_at": TEXT, "remark": TEXT}
    ),
    "RuleWarnings": listing("RuleWarning"),
    "RuleWarningStepBody": body({"state": one_of("taken", "closed"), "remark": _REASON}),
}  # fmt: skip
