"""A rule of the office as data (C-04, Q-21): what it asks, of which resource, how strictly. Quick to import.

Its findings have the shape of the contract's, under the rule id ``office:<id>``.

============== ======================= =======================================================
kind           fields                  parameters
============== ======================= =======================================================
missing        one                     –
format         one                     ``type`` (with ``precision``, ``scale``, ``formats``), ``min_length``,
                                       ``max_length``
range          one                     ``minimum``, ``maximum``, ``exclusive_minimum``, ``exclusive_maximum``
set            one                     ``codes``
pattern        one                     ``pattern`` (the whole text)
semantic       one                     ``semantic``, of ``contracts.model.KNOWN_SEMANTICS``
expression     as it reads             ``expression``, as in contracts: must not be false
unique_history one or more             ``when``; not under another key, in this delivery or ever before
reference      one or more             ``resource``, ``fields`` there, ``when``, ``where`` (rows there)
agreement      one                     ``resource``, ``other_field``, ``keys`` {own: other}, ``tolerance``,
                                       ``when``, ``where``
freshness      one date or moment      ``days``: age of the newest value on the day of receipt, at most
volume         –                       ``editions``, ``percent``, ``direction`` both|less|more
drift          one                     ``percent``: distance to the published distribution, ``minimum_rows``
sql            –                       ``sql``: a SELECT of ``_source_row`` over ``delivery`` and tables
============== ======================= =======================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Self, get_args

from huitong.quality.rules import Criterion, Rule, Severity

RuleKind = Literal[
    "missing", "format", "range", "set", "pattern", "semantic", "expression", "unique_history", "reference",
    "agreement", "freshness", "volume", "drift", "sql",
]  # fmt: skip
RuleState = Literal["draft", "enabled", "disabled"]
#: What a breach does beside being told: nothing, the batch waits for a decision, or is rejected.
OnBreach = Literal["", "hold", "reject"]
Level = Literal["info", "attention", "serious"]

KINDS: Final[tuple[RuleKind, ...]] = get_args(RuleKind)
#: Checked value by value in the pass of the contract's rules.
OF_COLUMN: Final = frozenset({"missing", "format", "range", "set", "pattern", "semantic"})
#: Say something of the delivery as a whole, not of rows.
OF_BATCH: Final = frozenset({"freshness", "volume", "drift"})
#: Look at all rows at once, in a pass of their own.
OF_SET: Final = frozenset({"unique_history", "reference", "agreement", "sql"}) | OF_BATCH
PREFIX: Final = "office:"
#: The finding of a rule that could not be carried out.
ERROR: Final = "office.error"

_CRITERIA: Final[Mapping[str, Criterion]] = {
    "missing": "missing",
    "format": "format",
    "pattern": "format",
    "unique_history": "conflicting",
    "agreement": "conflicting",
}
_DEFINES: Final = ("kind", "fields", "parameters", "severity", "most", "most_percent", "on_breach", "level")


@dataclass(frozen=True, slots=True)
class OfficeRule:
    """One version. ``most`` and ``most_percent``: violations beyond are a breach (neither = none is, except
    of kinds that speak of the batch); ``recipient``: unit that is warned, empty = the unit that delivered."""

    id: str
    resource: str
    kind: RuleKind
    fields: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"
    most: int | None = None
    most_percent: float | None = None
    on_breach: OnBreach = ""
    level: Level = "attention"
    recipient: str = ""
    owner: str = ""
    reason: str = ""  # why it is as it is now: of this version
    zh: str = ""
    en: str = ""
    state: RuleState = "draft"
    version: int = 0
    by: str = ""
    at: str = ""
    cost: Mapping[str, Any] = field(default_factory=dict)  # huitong.quality.rulebook.cost, when it was saved

    @property
    def finding(self) -> str:
        """Its id in findings."""
        return PREFIX + self.id

    def definition(self) -> dict[str, Any]:
        """What decides about rows; neither words nor who nor when."""
        return {name: getattr(self, name) for name in _DEFINES}

    def breached(self, violations: int, rows: int) -> bool:
        """Whether so many violations among so many rows are more than it allows (C-06)."""
        if self.kind in OF_BATCH:
            return violations > 0
        over_count = self.most is not None and violations > self.most
        percent = self.most_percent
        return over_count or (percent is not None and violations * 100 > percent * rows)

    def rule(self) -> Rule:
        """As findings show it."""
        shown = ",".join(self.fields)
        criterion = _CRITERIA.get(self.kind, "constraint")
        zh = self.zh or f"{shown or self.resource}:不满足质量规则 {self.id},请核对后重报。"
        en = (
            self.en
            or f"{shown or self.resource}: quality rule {self.id} does not hold; check and deliver again."
        )
        return Rule(self.finding, shown, criterion, self.severity, zh, en)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fields": list(self.fields)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        known = {f.name: body[f.name] for f in fields(cls) if f.name in body}
        known["fields"] = tuple(known.get("fields", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of the office that a delivery is checked by, beside those of its contract."""

    resource: str
    contract_version: int
    rules: tuple[OfficeRule, ...] = ()

    @property
    def version(self) -> str:
        """Two sets with one version decide alike: contract, ids and definitions of the rules in force."""
        said = [[r.id, r.definition()] for r in sorted(self.rules, key=lambda r: r.id)]
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
        return f"c{self.contract_version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def with_rule(self, rule: OfficeRule) -> RuleSet:
        """With this one in the place of its other versions."""
        others = tuple(r for r in self.rules if r.id != rule.id)
        return RuleSet(self.resource, self.contract_version, (*others, rule))


def tables_of(rule: OfficeRule) -> Sequence[str]:
    """Resources whose published rows may let a row pass that it held: as they were when it was saved.

    A history only grows: what was in it yesterday holds a row today, too.
    """
    return (
        () if rule.kind in OF_BATCH or rule.kind == "unique_history" else tuple(rule.cost.get("tables", ()))
    )


def others_of(rule: OfficeRule) -> Sequence[str]:
    """Resources beside its own that a rule names outright; own SQL names tables, see binding."""
    named = rule.parameters.get("resource")
    return (str(named),) if named and named != rule.resource else ()
