"""The work on quality over a world's ports, as huitong.wiring.quality_work builds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from huitong.batches.lateness import found
from huitong.delivery.accounts import Deliveries
from huitong.identity.model import OPERATOR
from huitong.intake.rows import put_rows
from huitong.quality.rulebook.book import Rulebook
from huitong.supervision.quality.alerts import ScoreAlerts
from huitong.supervision.quality.conflicts import Conflicts
from huitong.supervision.quality.issues import QualityIssues
from huitong.supervision.quality.keeping import Keeping
from huitong.supervision.quality.monthly import Monthly
from huitong.supervision.quality.overdue import Overdue, watched
from huitong.supervision.quality.report import Reports
from huitong.supervision.quality.statistics import Statistics


def quality_areas(world: Any) -> None:
    """Sets the attributes of the areas; after standing and tickets."""
    w, kept = world, (world.register, world.traces, world.calendar, world.clock)
    w.quality_issues = QualityIssues(*kept, w.batches, supervision=lambda: w.supervision)
    rules = Rulebook(w.register, w.traces, w.clock, w.contracts)
    w.conflicts = Conflicts(*kept, rules, rules.known, w.staging)
    w.monthly_scores = Monthly(w.contracts.all, w.batches, w.calendar, w.clock, w.contracts.registered)
    w.exchange_statistics = Statistics(w.contracts.all, w.batches, Deliveries(w.register), w.traces)
    w.score_alerts = ScoreAlerts(w.register, w.traces, w.events, w.clock)

    def put(resource: str, rows: Sequence[Mapping[str, Any]], key: str) -> object:
        return put_rows(
            w.landing, w.uploads, OPERATOR, resource, rows, mode="increment", idempotency_key=key, by="t"
        )

    w.score_keeping = Keeping(
        w.register, w.contracts, w.monthly_scores, w.exchange_statistics, w.score_alerts, w.clock, put
    )

    def late(unit: str) -> Any:
        working = w.calendar.working_days().is_working
        return found(w.contracts.all(), w.batches, w.clock.now(), unit, working, w.contracts.registered)

    desks = watched(w.quality_issues, w.conflicts, w.supervision, w.corrections)
    w.overdue = Overdue(late, desks, w.restrictions.all, w.calendar, w.clock)
    w.quality_reports = Reports(
        w.monthly_scores,
        w.quality_issues,
        w.conflicts.waiting,
        w.corrections.of_unit,
        lambda code: w.units.get(code).name,
        w.clock,
    )
