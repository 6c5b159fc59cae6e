"""Builders of the capabilities of cases: the register, corrections, requests, ends, comparison."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.cases.corrections import Corrections
    from huitong.cases.ending import Endings
    from huitong.cases.feed import Feed
    from huitong.cases.register import Cases
    from huitong.tickets.requests import Requests
    from huitong.verification.verify import Verifications

AreaSettings = (
    settings.ApiSettings | settings.QuerySettings | settings.ScheduleSettings | settings.PushSettings
)


def cases(s: AreaSettings) -> Cases:
    from huitong.cases.model import Terms
    from huitong.cases.register import Cases

    terms = Terms(s.case_look_back_years, s.case_after_discharge_days, s.case_retention_years)
    return Cases(parts.register(s), parts.traces(s), parts.CLOCK, terms)


def stage_corrections(s: AreaSettings) -> Corrections:
    from huitong.cases.corrections import Corrections
    from huitong.procedures.calendar import Calendar

    register = parts.register(s)
    return Corrections(cases(s), register, parts.traces(s), Calendar(register), parts.CLOCK)


def requests(s: AreaSettings) -> Requests:
    from huitong.procedures.calendar import Calendar
    from huitong.sharing.grants import Grants
    from huitong.tickets.requests import Requests
    from huitong.wiring import areas

    register, area = parts.register(s), areas.builder(s)
    return Requests(
        register,
        parts.traces(s),
        Calendar(register),
        parts.CLOCK,
        cases(s),
        Grants(register, parts.CLOCK),
        parts.contracts(s, s.staging_bucket),
        parts.secrets(s, s.secrets_key),
        partial(parts.platform_keys(s).get, "subjects"),
        lambda: area("duties"),
        lambda: area("gates"),
    )


def case_endings(s: settings.PushSettings | settings.ScheduleSettings) -> Endings:
    from huitong.cases.ending import Endings
    from huitong.sharing.grants import Grants

    register = parts.register(s)
    url = s.push_queue_url if isinstance(s, settings.ScheduleSettings) else s.queue_url
    queue = parts.queue(s, url, waiting=s.waiting_queue_url)
    return Endings(
        register,
        parts.traces(s),
        parts.CLOCK,
        Grants(register, parts.CLOCK),
        parts.subscriptions(s, s.secrets_key, queue, parts.endpoint_rules()),
        requests(s),
        cases(s),
    )


def case_feed(s: settings.PushSettings) -> Feed:
    from huitong.cases.feed import Feed
    from huitong.warehouse.publication import Publications

    register = parts.register(s)
    return Feed(
        cases(s),
        register,
        parts.traces(s),
        parts.contracts(s, s.staging_bucket),
        Publications(register),
        partial(parts.changes, s, s.warehouse_bucket, s.glue_database, s.secrets_key),
        partial(parts.platform_keys(s).get, "subjects"),
        parts.CLOCK,
    )


def verifications(s: settings.QuerySettings) -> Verifications:
    from huitong.notices.notices import Notices
    from huitong.verification.budget import Budget, Rules
    from huitong.verification.verify import Verifications
    from huitong.warehouse.publication import Publications

    register = parts.register(s)
    rules = Rules(
        fewest=s.verify_fewest, subject_day=s.verify_subject_day, asker_day=s.verify_asker_day,
        claims=s.verify_claims,
    )  # fmt: skip
    return Verifications(
        lakehouse=parts.lakehouse(s, s.warehouse_bucket, s.glue_database),
        publications=Publications(register),
        budget=Budget(register, parts.CLOCK, rules),
        traces=parts.traces(s),
        disclosures=parts.disclosures(s),
        notices=Notices(register, parts.CLOCK),
        key=partial(parts.platform_keys(s).get, "subjects"),
    )


BUILDERS: Final[dict[str, Callable[[Any], Any]]] = {
    "cases": cases,
    "stage_corrections": stage_corrections,
    "requests": requests,
    "case_endings": case_endings,
    "case_feed": case_feed,
    "verifications": verifications,
}
