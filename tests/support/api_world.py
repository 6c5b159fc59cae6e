"""The API for tests: services on local ports as both apps want them, and API Gateway events (payload 1.0)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from tests.support.evidence import evidence_areas
from tests.support.grounds import KnownGrounds
from tests.support.mending import mending_areas
from tests.support.operating import operating_areas
from tests.support.quality import quality_areas
from tests.support.standing import standing_areas
from tests.support.tickets import ticket_areas

from huitong.batches.again import Again
from huitong.batches.ledger import Ledger
from huitong.batches.register import Batches
from huitong.cases.corrections import Corrections as StageCorrections
from huitong.cases.register import Cases
from huitong.catalog.area import Catalogue
from huitong.comparison.decide import Hold
from huitong.contracts.registry import Contracts
from huitong.delivery.accounts import Deliveries
from huitong.delivery.subscriptions import Subscriptions
from huitong.identity.accounts import Accounts
from huitong.identity.attempts import Attempts
from huitong.identity.bounds import Bounds
from huitong.identity.credentials import Credentials
from huitong.identity.duties import Duties
from huitong.identity.networks import AdminNetworks
from huitong.identity.posts import Posts
from huitong.identity.sessions import Sessions
from huitong.identity.sign_in import SignIn
from huitong.identity.signed import SignedRequests
from huitong.identity.units import Units
from huitong.intake.profiles import Profiles
from huitong.intake.uploads import Uploads
from huitong.local.identity import LocalIdentity
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue, PlainSecrets
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.quality.profile.desk import Profiling
from huitong.quality.rulebook.book import Rulebook
from huitong.quality.rulebook.monitor import RuleMonitor
from huitong.quality.rulebook.trial import Trials
from huitong.sharing.applications import Applications
from huitong.sharing.grants import Grants
from huitong.sharing.grounds import RegisteredGrounds
from huitong.tickets.requests import Requests
from huitong.warehouse.publication import Publications

COURT = "1144030000AA01019J"
BUREAU = "1144030000AA01027D"
BANK = "91440300708461136T"
SUBJECTS_KEY = "a key of tests"

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: claims
version: 1.0.0
status: active
name: 债权申报
schema:
  - name: claims
    physicalName: claims_table
    properties:
      - name: claim_no
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
        required: true
      - name: debtor_id
        logicalType: string
        classification: L4
      - name: amount
        logicalType: number
        physicalType: decimal(18,2)
"""


class Unpublished:
    """Tables of which nothing is published."""

    def open(self, *_: Any) -> Any:
        return nullcontext()

    def usual(self, *_: Any) -> list[int]:
        return []


@dataclass
class World:
    """Ports, services on them, and both apps."""

    register: MemoryRegister
    landing: DiskObjects
    staging: DiskObjects
    clock: ManualClock = field(default_factory=ManualClock)
    queues: dict[str, MemoryQueue] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    tables: Any = None  # published ones, where there is a lakehouse

    def __post_init__(self) -> None:
        queue = self.queues = {name: MemoryQueue() for name in ("ingest", "validate", "compare", "push")}
        register, clock = self.register, self.clock
        evidence_areas(self)
        self.credentials = Credentials(register, clock, self.traces, PlainSecrets())
        self.units = Units(register, self.traces)
        self.contracts = Contracts(register, self.staging, clock, self.traces)
        self.grounds = KnownGrounds(
            registers=RegisteredGrounds(lambda: self.area("cases"), lambda: self.area("duties"))
        )
        self.grants = Grants(register, clock, self.grounds)
        self.batches = Batches(register, clock, self.traces)
        self.publications = Publications(register)
        self.uploads = Uploads(register, self.landing, clock)
        self.profiles = Profiles(register, self.traces)
        self.subscriptions = Subscriptions(
            register, self.publications, PlainSecrets(), queue["push"], clock, traces=self.traces
        )
        self.deliveries = Deliveries(register)
        self.events = MemoryEvents()
        self.hold = Hold(self.batches, queue["compare"], self.events)
        self.ledger = Ledger(
            self.batches, self.deliveries, self.publications, lambda: [c.id for c in self.contracts.all()]
        )

        self.bounds = Bounds(register, clock)
        self.admin_networks = AdminNetworks()
        self.provider = LocalIdentity(clock)
        self.attempts = Attempts(register, clock)
        self.accounts = Accounts(register, self.traces, self.provider, self.attempts, clock)
        self.sessions = Sessions(register, self.traces, clock)
        self.signed = SignedRequests(register, PlainSecrets(), clock)
        self.sign_in = SignIn(
            register, self.provider, self.sessions, self.attempts, PlainSecrets(), self.traces, clock
        )
        self.posts = Posts(register, self.traces)
        operating_areas(self)
        self.duties = Duties(register, self.traces, clock)
        self.calendar = Calendar(register)
        self.notices = Notices(register, clock)
        self.rulebook = Rulebook(register, self.traces, clock, self.contracts)
        self.rule_monitor = RuleMonitor(register, self.traces, clock)
        self.trials = Trials(self.rulebook, self.batches, self.staging, Unpublished(), clock)
        mending_areas(self)
        standing_areas(self)
        self.applications = Applications(
            register, self.traces, self.calendar, clock, self.contracts, self.grants, self.subscriptions
        )
        kept = (register, self.traces, self.calendar, clock)
        ticket_areas(self)
        quality_areas(self)
        self.again = Again(self.batches, self.contracts, queue["ingest"], clock)
        self.profiling = Profiling(self.staging, self.publications, lambda: self.tables, clock)

        self.cases = Cases(register, self.traces, clock)
        self.stage_corrections = StageCorrections(self.cases, *kept)
        self.requests = Requests(
            *kept,
            self.cases,
            self.grants,
            self.contracts,
            PlainSecrets(),
            lambda: SUBJECTS_KEY,
            lambda: self.grounds_of_duties,
        )

        self.catalog = Catalogue(
            register,
            self.contracts,
            self.units,
            self.traces,
            self.calendar,
            clock,
            users=lambda resource: {g.unit for g in self.grants.of_resource(resource) if not g.revoked},
        )

    @property
    def grounds_of_duties(self) -> Any:
        """Duties as tests know them: those of ``grounds``, then the registered ones."""
        world = self

        class Held:
            def held(self, principal: Any, unit: str, duty: str) -> bool:
                return world.grounds.duty(principal, unit, duty)

        return Held()

    def follow(self, lakehouse: Any, source: Any, evidence: Any) -> None:
        """What reads published tables: the case register's feed, ends of cases, comparison."""
        from huitong.audit.disclosed import Disclosures
        from huitong.cases.ending import Endings
        from huitong.cases.feed import Feed
        from huitong.verification.budget import Budget
        from huitong.verification.verify import Verifications

        kept, published = (self.register, self.traces), self.publications
        self.case_feed = Feed(
            self.cases, *kept, self.contracts, published, lambda: source, lambda: SUBJECTS_KEY, self.clock
        )
        self.case_endings = Endings(
            *kept, self.clock, self.grants, self.subscriptions, self.requests, self.cases
        )
        self.verifications = Verifications(
            lakehouse=lakehouse,
            publications=published,
            budget=Budget(self.register, self.clock),
            traces=self.traces,
            disclosures=Disclosures(lambda: SUBJECTS_KEY, evidence, self.clock),
            notices=self.notices,
            key=lambda: SUBJECTS_KEY,
        )

    def area(self, name: str) -> Any:
        """What huitong.wiring.areas would build: an attribute of this world."""
        return getattr(self, name)

    def common(self) -> dict[str, Any]:
        names = ("clock", "credentials", "units", "contracts", "grants", "batches", "publications", "traces")
        return {"area": self.area, **{name: getattr(self, name) for name in names}}

    def token(self, who: str) -> str:
        return self.tokens[who]


@dataclass
class Said:
    """An answer: status, body (parsed if JSON), headers."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


Call = Callable[..., Said]


def event(
    method: str,
    resource: str,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What API Gateway sends to a function for a REST API."""
    text = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
    return {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Accept": "*/*", **(headers or {})},
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": path,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "requestId": "r-1",
            "identity": {"sourceIp": "10.0.0.9"},
        },
        "body": text,
        "isBase64Encoded": False,
    }
