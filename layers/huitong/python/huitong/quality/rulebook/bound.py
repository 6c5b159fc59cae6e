"""A rule set made ready for one version of a contract; what does not fit is told, never raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from huitong.contracts.model import Contract
from huitong.errors import HuitongError
from huitong.quality.rulebook.binding import Bound, Known, bind
from huitong.quality.rulebook.model import OfficeRule, RuleSet


@dataclass(frozen=True, slots=True)
class BoundSet:
    version: str
    rules: tuple[Bound, ...] = ()
    unusable: tuple[tuple[OfficeRule, str], ...] = ()


def bind_all(rules: RuleSet, contract: Contract, known: Known) -> BoundSet:
    """The rules that can be asked of deliveries of this version, and why others cannot."""
    usable, unusable = [], []
    for rule in rules.rules:
        try:
            usable.append(bind(rule, contract, known))
        except HuitongError as error:
            unusable.append((rule, error.problems[0].en if error.problems else error.en))
    return BoundSet(rules.version, tuple(usable), tuple(unusable))


def no_rules(contract: Contract) -> BoundSet:
    """Where the office has none."""
    return BoundSet(RuleSet(contract.id, contract.version).version)


#: The rules in force for a contract: :meth:`huitong.quality.rulebook.book.Rulebook.of`.
RulesOf = Callable[[Contract], RuleSet]
