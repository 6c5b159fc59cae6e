"""Builders of the work on quality: issues, conflicts between units, scores, statistics, reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from huitong.wiring import oversight, parts

if TYPE_CHECKING:
    from huitong.batches.lateness import Late
    from huitong.supervision.quality.alerts import ScoreAlerts
    from huitong.supervision.quality.comparing import Comparison
    from huitong.supervision.quality.conflicts import Conflicts
    from huitong.supervision.quality.issues import QualityIssues
    from huitong.supervision.quality.keeping import Keeping
    from huitong.supervision.quality.monthly import Monthly
    from huitong.supervision.quality.overdue import Overdue
    from huitong.supervision.quality.report import Reports
    from huitong.supervision.quality.statistics import Statistics


@cache
def quality_issues(s: Any) -> QualityIssues:
    from huitong.procedures.calendar import Calendar
    from huitong.supervision.quality.issues import QualityIssues

    kept = parts.register(s)
    return QualityIssues(
        kept,
        parts.traces(s),
        Calendar(kept),
        parts.CLOCK,
        parts.batches(s),
        supervision=partial(oversight.supervision, s),
    )


@cache
def conflicts(s: Any) -> Conflicts:
    from huitong.catalog.sources import Sources
    from huitong.procedures.calendar import Calendar
    from huitong.quality.rulebook.book import Rulebook
    from huitong.supervision.quality.conflicts import Conflicts

    kept, contracts = parts.register(s), parts.contracts(s, s.staging_bucket)
    rules = Rulebook(kept, parts.traces(s), parts.CLOCK, contracts)
    return Conflicts(
        kept,
        parts.traces(s),
        Calendar(kept),
        parts.CLOCK,
        rules,
        rules.known,
        parts.bucket(s, s.staging_bucket),
        Sources(kept).all,
        partial(_comparison, s, rules.known) if hasattr(s, "glue_database") else None,
    )


def _comparison(s: Any, known: Any) -> Comparison:
    """Heavy."""
    from huitong.supervision.quality.comparing import Comparison
    from huitong.warehouse.publication import Publications

    lakehouse = parts.lakehouse(s, s.warehouse_bucket, s.glue_database)
    key = partial(parts.platform_keys(s).get, "subjects")
    return Comparison(lakehouse, Publications(parts.register(s)), key, known)


@cache
def monthly(s: Any) -> Monthly:
    from huitong.procedures.calendar import Calendar
    from huitong.supervision.quality.monthly import Monthly

    contracts = parts.contracts(s, s.staging_bucket)
    calendar = Calendar(parts.register(s))
    return Monthly(contracts.all, parts.batches(s), calendar, parts.CLOCK, contracts.registered)


@cache
def exchange_statistics(s: Any) -> Statistics:
    from huitong.delivery.accounts import Deliveries
    from huitong.supervision.quality.statistics import Statistics

    contracts = parts.contracts(s, s.staging_bucket)
    return Statistics(contracts.all, parts.batches(s), Deliveries(parts.register(s)), parts.traces(s))


@cache
def score_alerts(s: Any) -> ScoreAlerts:
    from huitong.supervision.quality.alerts import ScoreAlerts

    return ScoreAlerts(parts.register(s), parts.traces(s), parts.events(s, s.event_bus), parts.CLOCK)


@cache
def score_keeping(s: Any) -> Keeping:
    from huitong.supervision.quality.keeping import Keeping

    contracts = parts.contracts(s, s.staging_bucket)
    put = putting(s) if getattr(s, "landing_bucket", "") else None
    return Keeping(
        parts.register(s), contracts, monthly(s), exchange_statistics(s), score_alerts(s), parts.CLOCK, put
    )


def putting(s: Any) -> Callable[[str, Sequence[Mapping[str, Any]], str], object]:
    """Rows of the platform's own tables into the landing bucket, as a delivery of the operator's."""
    from huitong.identity.model import OPERATOR
    from huitong.intake.rows import put_rows
    from huitong.intake.uploads import Uploads

    landing = parts.bucket(s, s.landing_bucket)
    uploads = Uploads(parts.register(s), landing, parts.CLOCK)

    def put(resource: str, rows: Sequence[Mapping[str, Any]], key: str) -> object:
        return put_rows(
            landing, uploads, OPERATOR, resource, rows, mode="increment", idempotency_key=key, by="platform"
        )

    return put


@cache
def overdue(s: Any) -> Overdue:
    from huitong.batches.lateness import found
    from huitong.procedures.calendar import Calendar
    from huitong.supervision.quality.overdue import Overdue, watched
    from huitong.wiring.corrections import corrections

    contracts, batches = parts.contracts(s, s.staging_bucket), parts.batches(s)

    def late(unit: str) -> Iterable[Late]:
        now, working = parts.CLOCK.now(), oversight.working_day(s)
        return found(contracts.all(), batches, now, unit, working, contracts.registered)

    return Overdue(
        late,
        watched(quality_issues(s), conflicts(s), oversight.supervision(s), corrections(s)),
        oversight.restrictions(s).all,
        Calendar(parts.register(s)),
        parts.CLOCK,
    )


@cache
def quality_reports(s: Any) -> Reports:
    from huitong.identity.units import Units
    from huitong.supervision.quality.report import Reports
    from huitong.wiring.corrections import corrections

    units = Units(parts.register(s))

    return Reports(
        monthly(s),
        quality_issues(s),
        conflicts(s).waiting,
        corrections(s).of_unit,
        lambda code: units.get(code).name,
        parts.CLOCK,
    )


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "quality_issues": quality_issues,
    "conflicts": conflicts,
    "monthly_scores": monthly,
    "exchange_statistics": exchange_statistics,
    "score_alerts": score_alerts,
    "score_keeping": score_keeping,
    "overdue": overdue,
    "quality_reports": quality_reports,
}
#: Job of the clock → (area, method).
SWEEPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "minute": (("quality_issues", "tick"),),
    "hour": (("score_keeping", "tick"), ("conflicts", "tick")),
}
