"""Builders of the office's rules: the rulebook, its monitor, trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.quality.rulebook.book import Rulebook
    from huitong.quality.rulebook.checking import Office
    from huitong.quality.rulebook.monitor import RuleMonitor
    from huitong.quality.rulebook.tables import PublishedTables
    from huitong.quality.rulebook.trial import Trials


def rulebook(s: Any) -> Rulebook:
    from huitong.quality.rulebook.book import Rulebook
    from huitong.warehouse.publication import Publications

    kept = parts.register(s)
    publications = Publications(kept)

    def rows(resource: str) -> int:
        found = publications.get(resource)
        return found.rows if found else 0

    def served(resource: str) -> int:
        found = publications.get(resource)
        return found.seq if found else 0

    return Rulebook(kept, parts.traces(s), parts.CLOCK, parts.contracts(s, s.staging_bucket), rows, served)


def rule_monitor(s: Any) -> RuleMonitor:
    from huitong.quality.rulebook.monitor import RuleMonitor

    return RuleMonitor(parts.register(s), parts.traces(s), parts.CLOCK)


def tables(s: Any) -> PublishedTables:
    """Heavy."""
    from huitong.quality.rulebook.tables import PublishedTables
    from huitong.warehouse.publication import Publications

    house = parts.lakehouse(s, s.warehouse_bucket, s.glue_database)
    return PublishedTables(house, Publications(parts.register(s)), parts.batches(s))


def trials(s: Any) -> Trials:
    """Heavy: of functions/query_data only."""
    from huitong.quality.rulebook.trial import Trials

    staging = parts.bucket(s, s.staging_bucket)
    return Trials(rulebook(s), parts.batches(s), staging, tables(s), parts.CLOCK)


def office(s: Any) -> Office:
    """Heavy: for validation."""
    from huitong.quality.rulebook.checking import Office

    book = rulebook(s)
    return Office(book.of, book.known, tables(s))


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "rulebook": rulebook,
    "rule_monitor": rule_monitor,
    "trials": trials,
}
