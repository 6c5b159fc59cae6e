"""What the HTTP apps need from the capabilities; huitong.wiring fills it, tests fill it with fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # annotations only: nothing of a capability is imported before a route needs it
    from huitong.audit.disclosed import Disclosures
    from huitong.audit.trace import Traces
    from huitong.batches.again import Again
    from huitong.batches.ledger import Ledger
    from huitong.batches.register import Batches
    from huitong.batches.replay import Replay
    from huitong.cases.corrections import Corrections as StageCorrections
    from huitong.cases.register import Cases
    from huitong.comparison.decide import Hold
    from huitong.contracts.registry import Contracts
    from huitong.delivery.accounts import Deliveries
    from huitong.delivery.pull import Pull
    from huitong.delivery.replay import Replay as Redelivery
    from huitong.delivery.subscriptions import Subscriptions
    from huitong.identity.accounts import Accounts
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
    from huitong.notices.notices import Notices
    from huitong.open_access.reading import OpenReading
    from huitong.open_access.releases import Releases
    from huitong.open_access.statements import Assessments, Statements
    from huitong.open_access.subject_requests import SubjectRequests
    from huitong.ports import Clock, ObjectStore
    from huitong.procedures.calendar import Calendar
    from huitong.quality.profile.desk import Profiling
    from huitong.quality.rulebook.book import Rulebook
    from huitong.quality.rulebook.monitor import RuleMonitor
    from huitong.quality.rulebook.trial import Trials
    from huitong.query.exports import Exports
    from huitong.query.run import Queries
    from huitong.sharing.applications import Applications
    from huitong.sharing.grants import Grants
    from huitong.sharing.volume import Volumes
    from huitong.standing.controls import Controls
    from huitong.standing.desks import Standing
    from huitong.standing.docking import DockingWork
    from huitong.standing.documents import Documents
    from huitong.standing.gates import Gates
    from huitong.standing.licences import Licences
    from huitong.standing.registration import Registrations
    from huitong.supervision.annual import AnnualReports
    from huitong.supervision.desks import Supervision
    from huitong.supervision.figures import Figures
    from huitong.supervision.quality.alerts import ScoreAlerts
    from huitong.supervision.quality.conflicts import Conflicts
    from huitong.supervision.quality.issues import QualityIssues
    from huitong.supervision.quality.monthly import Monthly
    from huitong.supervision.quality.overdue import Overdue
    from huitong.supervision.quality.report import Reports
    from huitong.supervision.quality.statistics import Statistics
    from huitong.supervision.restrictions import Restrictions
    from huitong.tickets.bulk import BulkCorrections
    from huitong.tickets.corrections import Corrections
    from huitong.tickets.finding import Records
    from huitong.tickets.requests import Requests
    from huitong.tickets.telling import Telling
    from huitong.verification.verify import Verifications
    from huitong.warehouse.publication import Publications


@dataclass(frozen=True, slots=True)
class CommonServices:
    """What every request needs: who asks, which resource, what may be seen.

    ``area`` gives a capability by name (:mod:`huitong.wiring.areas`), built when it is first asked for.
    """

    clock: Clock
    credentials: Credentials
    units: Units
    contracts: Contracts
    grants: Grants
    batches: Batches
    publications: Publications
    traces: Traces
    area: Callable[[str], Any]

    @property
    def bounds(self) -> Bounds:
        return cast("Bounds", self.area("bounds"))

    @property
    def admin_networks(self) -> AdminNetworks:
        return cast("AdminNetworks", self.area("admin_networks"))

    @property
    def sessions(self) -> Sessions:
        return cast("Sessions", self.area("sessions"))

    @property
    def signed(self) -> SignedRequests:
        return cast("SignedRequests", self.area("signed"))

    @property
    def accounts(self) -> Accounts:
        return cast("Accounts", self.area("accounts"))

    @property
    def sign_in(self) -> SignIn:
        return cast("SignIn", self.area("sign_in"))

    @property
    def posts(self) -> Posts:
        return cast("Posts", self.area("posts"))

    @property
    def duties(self) -> Duties:
        return cast("Duties", self.area("duties"))

    @property
    def cases(self) -> Cases:
        return cast("Cases", self.area("cases"))

    @property
    def stage_corrections(self) -> StageCorrections:
        return cast("StageCorrections", self.area("stage_corrections"))

    @property
    def requests(self) -> Requests:
        return cast("Requests", self.area("requests"))

    @property
    def verifications(self) -> Verifications:
        return cast("Verifications", self.area("verifications"))

    @property
    def notices(self) -> Notices:
        return cast("Notices", self.area("notices"))

    @property
    def disclosures(self) -> Disclosures:
        return cast("Disclosures", self.area("disclosures"))

    @property
    def corrections(self) -> Corrections:
        return cast("Corrections", self.area("corrections"))

    @property
    def bulk_corrections(self) -> BulkCorrections:
        return cast("BulkCorrections", self.area("bulk_corrections"))

    @property
    def telling(self) -> Telling:
        return cast("Telling", self.area("telling"))

    @property
    def releases(self) -> Releases:
        return cast("Releases", self.area("releases"))

    @property
    def open_reading(self) -> OpenReading:
        """Heavy: of functions/query_data only."""
        return cast("OpenReading", self.area("open_reading"))

    @property
    def subject_requests(self) -> SubjectRequests:
        return cast("SubjectRequests", self.area("subject_requests"))

    @property
    def statements(self) -> Statements:
        return cast("Statements", self.area("statements"))

    @property
    def assessments(self) -> Assessments:
        return cast("Assessments", self.area("assessments"))

    @property
    def records(self) -> Records:
        """Heavy: of functions/query_data only."""
        return cast("Records", self.area("records"))

    @property
    def applications(self) -> Applications:
        return cast("Applications", self.area("applications"))

    @property
    def rulebook(self) -> Rulebook:
        return cast("Rulebook", self.area("rulebook"))

    @property
    def rule_monitor(self) -> RuleMonitor:
        return cast("RuleMonitor", self.area("rule_monitor"))

    @property
    def trials(self) -> Trials:
        """Heavy: of functions/query_data only."""
        return cast("Trials", self.area("trials"))

    @property
    def calendar(self) -> Calendar:
        return cast("Calendar", self.area("calendar"))

    @property
    def standing(self) -> Standing:
        return cast("Standing", self.area("standing"))

    @property
    def registrations(self) -> Registrations:
        return cast("Registrations", self.area("registrations"))

    @property
    def gates(self) -> Gates:
        return cast("Gates", self.area("gates"))

    @property
    def licences(self) -> Licences:
        return cast("Licences", self.area("licences"))

    @property
    def docking(self) -> DockingWork:
        return cast("DockingWork", self.area("docking"))

    @property
    def documents(self) -> Documents:
        return cast("Documents", self.area("documents"))

    @property
    def controls(self) -> Controls:
        return cast("Controls", self.area("controls"))

    @property
    def supervision(self) -> Supervision:
        return cast("Supervision", self.area("supervision"))

    @property
    def restrictions(self) -> Restrictions:
        return cast("Restrictions", self.area("restrictions"))

    @property
    def figures(self) -> Figures:
        return cast("Figures", self.area("figures"))

    @property
    def quality_issues(self) -> QualityIssues:
        return cast("QualityIssues", self.area("quality_issues"))

    @property
    def conflicts(self) -> Conflicts:
        return cast("Conflicts", self.area("conflicts"))

    @property
    def monthly_scores(self) -> Monthly:
        return cast("Monthly", self.area("monthly_scores"))

    @property
    def exchange_statistics(self) -> Statistics:
        return cast("Statistics", self.area("exchange_statistics"))

    @property
    def score_alerts(self) -> ScoreAlerts:
        return cast("ScoreAlerts", self.area("score_alerts"))

    @property
    def overdue(self) -> Overdue:
        return cast("Overdue", self.area("overdue"))

    @property
    def quality_reports(self) -> Reports:
        return cast("Reports", self.area("quality_reports"))

    @property
    def again(self) -> Again:
        return cast("Again", self.area("again"))

    @property
    def profiling(self) -> Profiling:
        """Heavy: of functions/query_data only."""
        return cast("Profiling", self.area("profiling"))

    @property
    def annual(self) -> AnnualReports:
        return cast("AnnualReports", self.area("annual"))


@dataclass(frozen=True, slots=True)
class ApiServices(CommonServices):
    """Light: none of these may import pyarrow, duckdb, pyiceberg, sqlglot or yaml until a method needs it."""

    uploads: Uploads
    profiles: Profiles
    landing: ObjectStore
    hold: Hold
    replay: Replay
    subscriptions: Subscriptions
    deliveries: Deliveries
    redelivery: Redelivery
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class QueryServices(CommonServices):
    """For functions/query_data, which carries pyarrow and DuckDB."""

    staging: ObjectStore
    queries: Queries
    pull: Pull
    volumes: Volumes
    exports: Exports
