"""Builders of corrections, of what follows a publication, and of public and subject access."""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.audit.disclosed import Disclosures
    from huitong.intake.uploads import Uploads
    from huitong.open_access.reading import OpenReading
    from huitong.open_access.releases import Releases
    from huitong.open_access.statements import Assessments, Statements
    from huitong.open_access.subject_requests import SubjectRequests
    from huitong.tickets.bulk import BulkCorrections
    from huitong.tickets.clocks import TicketClocks
    from huitong.tickets.corrections import Corrections
    from huitong.tickets.finding import Records
    from huitong.tickets.following import Following
    from huitong.tickets.marks import Marks
    from huitong.tickets.telling import Receivers, Telling


def new_id() -> str:
    """Sorts by the time of its making."""
    moment = int(parts.CLOCK.now().timestamp() * 1_000_000)
    return f"{moment:014x}{random_source.token_hex(4)}"


@cache
def corrections(s: Any) -> Corrections:
    from huitong.procedures.calendar import Calendar
    from huitong.tickets.corrections import Corrections

    kept = parts.register(s)
    return Corrections(
        kept,
        parts.traces(s),
        Calendar(kept),
        parts.CLOCK,
        parts.secrets(s, s.secrets_key),
        policy=s.correction_policy,
        new_id=new_id,
    )


@cache
def bulk_corrections(s: Any) -> BulkCorrections:
    from huitong.procedures.calendar import Calendar
    from huitong.tickets.bulk import BulkCorrections

    kept = parts.register(s)
    return BulkCorrections(
        kept,
        parts.traces(s),
        Calendar(kept),
        parts.CLOCK,
        partial(_uploads, s),
        parts.batches(s),
        new_id=new_id,
    )


@cache
def telling(s: Any) -> Telling:
    from huitong.procedures.calendar import Calendar
    from huitong.tickets.telling import Telling

    kept = parts.register(s)
    return Telling(kept, parts.traces(s), Calendar(kept), parts.CLOCK)


@cache
def marks(s: Any) -> Marks:
    from huitong.tickets.marks import Marks

    return Marks(parts.register(s), parts.CLOCK)


@cache
def records(s: settings.QuerySettings | settings.PushSettings) -> Records:
    """Heavy."""
    from huitong.tickets.finding import Records
    from huitong.warehouse.publication import Publications

    source = parts.changes(s, s.warehouse_bucket, s.glue_database, s.secrets_key)
    return Records(source, Publications(parts.register(s)))


@cache
def following(s: settings.PushSettings) -> Following:
    from huitong.procedures.calendar import Calendar
    from huitong.tickets.following import Following
    from huitong.warehouse.publication import Publications

    kept = parts.register(s)
    return Following(
        corrections(s),
        bulk_corrections(s),
        telling(s),
        partial(records, s),
        partial(receivers, s),
        parts.contracts(s, s.staging_bucket),
        Publications(kept),
        parts.batches(s),
        Calendar(kept),
        parts.CLOCK,
    )


@cache
def releases(s: Any) -> Releases:
    from huitong.open_access.releases import Releases

    return Releases(parts.register(s), parts.traces(s), parts.CLOCK)


@cache
def open_reading(s: settings.QuerySettings) -> OpenReading:
    """Heavy."""
    from huitong.delivery.pull import Pull
    from huitong.open_access.reading import OpenReading
    from huitong.warehouse.publication import Publications

    source = parts.changes(s, s.warehouse_bucket, s.glue_database, s.secrets_key)
    return OpenReading(Pull(Publications(parts.register(s)), source), parts.CLOCK)


@cache
def subject_requests(s: Any) -> SubjectRequests:
    from huitong.audit.subjects import subject_text
    from huitong.open_access.subject_requests import SubjectRequests
    from huitong.procedures.calendar import Calendar

    kept, known = parts.register(s), parts.disclosures(s)
    return SubjectRequests(
        kept,
        parts.traces(s),
        Calendar(kept),
        parts.CLOCK,
        lambda number: known.subject(subject_text(number)),
        new_id=new_id,
    )


@cache
def statements(s: Any) -> Statements:
    from huitong.open_access.statements import Statements
    from huitong.procedures.calendar import Calendar

    kept = parts.register(s)
    sealing = parts.secrets(s, s.secrets_key)
    return Statements(kept, parts.traces(s), Calendar(kept), parts.CLOCK, sealing, new_id=new_id)


@cache
def assessments(s: Any) -> Assessments:
    from huitong.open_access.statements import Assessments

    return Assessments(parts.register(s), parts.traces(s), parts.CLOCK, new_id=new_id)


@cache
def ticket_clocks(s: settings.ScheduleSettings) -> TicketClocks:
    from huitong.notices.notices import Notices
    from huitong.tickets.clocks import TicketClocks
    from huitong.warehouse.publication import Publications

    kept = parts.register(s)
    desks = (corrections(s), telling(s), bulk_corrections(s), subject_requests(s), statements(s))
    return TicketClocks(
        desks,
        corrections(s),
        Notices(kept, parts.CLOCK),
        Publications(kept),
        parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url),
        parts.events(s, s.event_bus),
    )


def receivers(s: Any) -> Receivers:
    from huitong.tickets.receivers import EvidencedReceivers
    from huitong.wiring.evidence import evidence

    return EvidencedReceivers(evidence(s))


def disclosures(s: Any) -> Disclosures:
    return parts.disclosures(s)


def _uploads(s: Any) -> Uploads:
    from huitong.intake.uploads import Uploads

    return Uploads(parts.register(s), parts.bucket(s, s.staging_bucket), parts.CLOCK)  # only looked up


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "corrections": corrections,
    "bulk_corrections": bulk_corrections,
    "telling": telling,
    "marks": marks,
    "records": records,
    "following": following,
    "ticket_clocks": ticket_clocks,
    "disclosures": disclosures,
    "releases": releases,
    "open_reading": open_reading,
    "subject_requests": subject_requests,
    "statements": statements,
    "assessments": assessments,
}
