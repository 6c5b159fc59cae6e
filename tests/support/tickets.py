"""Corrections, notices and open access over a world's ports, as huitong.wiring builds them."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from huitong.audit.disclosed import Disclosures
from huitong.audit.search import Evidence
from huitong.audit.subjects import subject_text
from huitong.local.messages import PlainSecrets
from huitong.local.objects import DiskObjects
from huitong.notices.notices import Notices
from huitong.open_access.reading import OpenReading
from huitong.open_access.releases import Releases
from huitong.open_access.statements import Assessments, Statements
from huitong.open_access.subject_requests import SubjectRequests
from huitong.tickets.bulk import BulkCorrections
from huitong.tickets.clocks import TicketClocks
from huitong.tickets.corrections import Corrections
from huitong.tickets.marks import Marks
from huitong.tickets.receivers import EvidencedReceivers
from huitong.tickets.telling import Telling

BLIND_KEY = "a key of tests"  # as tests/support/api_world.py has it


def ticket_areas(world: Any) -> None:
    """Sets the attributes of the areas that need no tables."""
    ids = (f"{n:06}" for n in count(1)).__next__
    kept = (world.register, world.traces, world.calendar, world.clock)
    if not hasattr(world, "disclosures"):
        evidence = DiskObjects(
            Path(world.staging.uri("x").removeprefix("file://")).parent.parent / "evidence"
        )
        world.disclosures = Disclosures(lambda: BLIND_KEY, evidence, world.clock)
        world.evidence = Evidence(world.register, evidence)
    world.corrections = Corrections(*kept, PlainSecrets(), new_id=ids)
    world.bulk_corrections = BulkCorrections(*kept, lambda: world.uploads, world.batches, new_id=ids)
    world.telling = Telling(*kept)
    world.marks = Marks(world.register, world.clock)
    world.releases = Releases(world.register, world.traces, world.clock)
    world.subject_requests = SubjectRequests(
        *kept, lambda number: world.disclosures.subject(subject_text(number)), new_id=ids
    )
    world.statements = Statements(*kept, PlainSecrets(), new_id=ids)
    world.assessments = Assessments(world.register, world.traces, world.clock, new_id=ids)
    desks = (
        world.corrections, world.telling, world.bulk_corrections, world.subject_requests, world.statements,
    )  # fmt: skip
    world.ticket_clocks = TicketClocks(
        desks, world.corrections, Notices(world.register, world.clock), world.publications,
        world.queues["push"], world.events,
    )  # fmt: skip


def ticket_reading(world: Any, ports: Any) -> None:
    """Sets those that read tables."""
    from huitong.delivery.pull import Pull
    from huitong.delivery.source import WarehouseChanges
    from huitong.tickets.finding import Records
    from huitong.tickets.following import Following
    from huitong.warehouse.lakehouse import Lakehouse

    lakehouse = Lakehouse(ports.catalog, "huitong", ports.warehouse)
    source = WarehouseChanges(lakehouse, world.publications, blind_key="b", subjects_key=BLIND_KEY)
    world.records = Records(source, world.publications)
    world.open_reading = OpenReading(Pull(world.publications, source), world.clock)
    world.following = Following(
        world.corrections, world.bulk_corrections, world.telling, lambda: world.records,
        lambda: EvidencedReceivers(world.evidence), world.contracts, world.publications, world.batches,
        world.calendar, world.clock,
    )  # fmt: skip
