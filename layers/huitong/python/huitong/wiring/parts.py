"""The parts that services are joined from: adapters, and capabilities that several services share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from huitong import correlation, settings, telemetry, unnamed
from huitong.ports import SystemClock

if TYPE_CHECKING:
    from huitong.audit.chain import Keyring
    from huitong.audit.disclosed import Disclosures
    from huitong.audit.trace import Traces
    from huitong.aws.athena import AthenaQueries
    from huitong.aws.dynamodb import DynamoRegister
    from huitong.aws.s3 import S3Objects
    from huitong.aws.secrets import KmsSecrets
    from huitong.aws.sqs import SqsQueue
    from huitong.aws.warm import WarmFiles
    from huitong.batches.failure import Failures
    from huitong.batches.ledger import Ledger
    from huitong.batches.register import Batches
    from huitong.batches.replay import Replay
    from huitong.comparison.on_athena import OnAthena
    from huitong.contracts.registry import Contracts
    from huitong.delivery.changes import ChangeSource
    from huitong.delivery.endpoints import EndpointRules
    from huitong.delivery.model import Delivery
    from huitong.delivery.subscriptions import Subscriptions
    from huitong.identity.platform_keys import PlatformKeys
    from huitong.ports import EventBus
    from huitong.query.run import Engine
    from huitong.sharing.grounds import RegisteredGrounds
    from huitong.warehouse.lakehouse import Lakehouse


CLOCK = SystemClock()

# --- adapters --------------------------------------------------------------


def client(s: settings.Settings, service: str) -> Any:
    from huitong.aws.clients import client as shared

    return shared(service, s.aws_endpoint_url, s.aws_region)


def register(s: settings.Settings) -> DynamoRegister:
    from huitong.aws.dynamodb import DynamoRegister

    return DynamoRegister(client(s, "dynamodb"), s.register_table, s.evidence_table)


def bucket(s: settings.Settings, name: str) -> S3Objects:
    from huitong.aws.s3 import S3Objects

    named_by_people = name == getattr(s, "landing_bucket", None)
    shown = unnamed.key if named_by_people else str
    return S3Objects(client(s, "s3"), name, warm=warm(getattr(s, "warm_megabytes", 256)), shown=shown)


@cache
def warm(megabytes: int) -> WarmFiles:
    from huitong.aws.warm import WarmFiles

    return WarmFiles(megabytes << 20)


def queue(s: settings.Settings, url: str, *, waiting: str = "") -> SqsQueue:
    from huitong.aws.sqs import SqsQueue

    return SqsQueue(client(s, "sqs"), url, waiting=waiting)


def events(s: settings.Settings, bus: str) -> EventBus:
    from huitong.aws.events import EventBridge
    from huitong.telemetry import ToldEvents

    return ToldEvents(EventBridge(client(s, "events"), bus))


def secrets(s: settings.Settings, key: str) -> KmsSecrets:
    from huitong.aws.secrets import KmsSecrets

    return KmsSecrets(client(s, "kms"), key)


def lakehouse(s: settings.Settings, warehouse: str, database: str) -> Lakehouse:
    from huitong.warehouse.lakehouse import Lakehouse

    return Lakehouse(partial(catalog, s, warehouse), database, bucket(s, warehouse))


@cache
def catalog(s: settings.Settings, warehouse: str) -> Any:
    from huitong.aws.catalog import glue_catalog

    return glue_catalog(
        client(s, "glue"),
        warehouse=f"s3://{warehouse}",
        endpoint=s.aws_endpoint_url,
        region=s.aws_region,
    )


# --- capabilities that several services share ------------------------------


def platform_keys(s: settings.Settings) -> PlatformKeys:
    from huitong.identity.platform_keys import PlatformKeys

    return PlatformKeys(register(s), secrets(s, s.secrets_key))


@cache
def traces(s: settings.Settings) -> Traces:
    """The writer of evidence; its key is unsealed when something is first written, once in a process."""
    from huitong.audit.trace import Traces

    return Traces(register(s), CLOCK, evidence_keys(s), events=events(s, s.event_bus))


@cache
def evidence_keys(s: settings.Settings) -> Keyring:
    from huitong.audit.chain import Keyring

    keys = platform_keys(s)
    return Keyring(keys.get, ("evidence",), s.evidence_digest, partial(keys.versions, "evidence"))


@cache
def disclosures(s: settings.Settings) -> Disclosures:
    from huitong.audit.disclosed import Disclosures

    return Disclosures(partial(platform_keys(s).get, "subjects"), bucket(s, s.evidence_bucket), CLOCK)


def batches(s: settings.Settings) -> Batches:
    from huitong.batches.register import Batches

    return Batches(register(s), CLOCK, traces(s), told=telemetry.batch_moved)


def delivery_told(s: settings.Settings) -> Callable[[Delivery], None]:
    """Tells what became of a delivery, under the id of what was delivered to the platform."""
    known = batches(s)

    @lru_cache(maxsize=256)
    def followed(batch: str) -> str:
        from huitong.batches.following import correlation_of

        found = known.find(batch) if batch else None
        return correlation_of(found.batch) if found else ""

    return lambda delivery: telemetry.delivery_told(delivery, followed(delivery.batch))


def contracts(s: settings.Settings, staging: str) -> Contracts:
    from huitong.contracts.registry import Contracts

    return Contracts(register(s), bucket(s, staging), CLOCK, traces(s))


def common(s: settings.ApiSettings | settings.QuerySettings, staging: str) -> dict[str, Any]:
    """The members of CommonServices."""
    from huitong.identity.credentials import Credentials
    from huitong.identity.units import Units
    from huitong.sharing.grants import Grants
    from huitong.warehouse.publication import Publications
    from huitong.wiring import areas

    kept, area = register(s), areas.builder(s)
    return {
        "area": area,
        "clock": CLOCK,
        "credentials": Credentials(kept, CLOCK, traces(s), secrets(s, s.secrets_key)),
        "units": Units(kept, traces(s)),
        "contracts": contracts(s, staging),
        "grants": Grants(kept, CLOCK, grounds(area)),
        "batches": batches(s),
        "publications": Publications(kept),
        "traces": traces(s),
    }


def grounds(area: Callable[[str], Any]) -> RegisteredGrounds:
    """On which personal data are used: the registers of cases and of duties."""
    from huitong.sharing.grounds import RegisteredGrounds

    return RegisteredGrounds(lambda: area("cases"), lambda: area("duties"))


def endpoint_rules(allow_local: bool = False, networks: str = "") -> EndpointRules:
    from huitong.delivery.endpoints import EndpointRules

    return EndpointRules(allow_local, tuple(n.strip() for n in networks.split(",") if n.strip()))


def subscriptions(s: settings.Settings, key: str, queue: SqsQueue, rules: EndpointRules) -> Subscriptions:
    from huitong.delivery.subscriptions import Subscriptions
    from huitong.warehouse.publication import Publications

    kept = register(s)
    return Subscriptions(
        kept, Publications(kept), secrets(s, key), queue, CLOCK, rules=rules, traces=traces(s)
    )


def replay(s: settings.Settings, ingest: str, validate: str, compare: str) -> Replay:
    from huitong.batches.replay import Replay

    return Replay(batches(s), queue(s, ingest), queue(s, validate), queue(s, compare))


def failures(s: settings.Settings, bus: str, compare: str) -> Failures:
    from huitong.batches.failure import Failures
    from huitong.notices.notices import Notices

    compare_queue = queue(s, compare) if compare else None
    return Failures(batches(s), events(s, bus), compare_queue, Notices(register(s), CLOCK))


def ledger(s: settings.Settings, contracts: Contracts, events: EventBus | None = None) -> Ledger:
    from huitong.batches.ledger import Ledger
    from huitong.delivery.accounts import Deliveries
    from huitong.warehouse.publication import Publications

    kept = register(s)
    deliveries, publications = Deliveries(kept), Publications(kept)
    return Ledger(
        batches(s), deliveries, publications, lambda: [c.id for c in contracts.all()], events=events
    )


def changes(s: settings.Settings, warehouse: str, database: str, key: str) -> ChangeSource:
    """Heavy."""
    from huitong.delivery.source import WarehouseChanges
    from huitong.identity.platform_keys import PlatformKeys
    from huitong.tickets.marks import Marks
    from huitong.warehouse.publication import Publications

    kept = register(s)
    keys = PlatformKeys(kept, secrets(s, key))
    return WarehouseChanges(
        lakehouse(s, warehouse, database),
        Publications(kept),
        blind_key=keys.get("blind"),
        subjects_key=keys.get("subjects"),
        marks=Marks(kept, CLOCK).records,
    )


def engine(s: settings.QuerySettings) -> Engine:
    """Where SQL of users runs: in this function, or on Athena for tables beyond one function."""
    from huitong.query.run import DuckDbEngine, WarehouseTables

    warehouse = bucket(s, s.warehouse_bucket)
    tables = WarehouseTables(warehouse, lakehouse(s, s.warehouse_bucket, s.glue_database))
    key = partial(platform_keys(s).get, "subjects")
    here = DuckDbEngine(tables, bucket(s, s.staging_bucket), key, disclosures(s))
    if s.query_engine == "duckdb":
        return here
    from huitong.query.athena import AthenaEngine
    from huitong.query.choice import EitherEngine

    there = AthenaEngine(athena_runs(s), s.glue_database, disclosures(s), request=correlation.request)
    return EitherEngine(s.query_engine, here, there, above_rows=s.athena_above_rows)


def comparison_on_athena(s: settings.CompareSettings) -> OnAthena | None:
    """Where comparisons run that are configured, or large enough, for Athena; None = never there."""
    if s.query_engine == "duckdb":
        return None
    from huitong.comparison.on_athena import OnAthena
    from huitong.warehouse.work_tables import WorkTables

    store = bucket(s, s.warehouse_bucket)
    return OnAthena(
        s.query_engine,
        athena_runs(s),
        WorkTables(partial(catalog, s, s.warehouse_bucket), s.glue_database, store),
        lakehouse(s, s.warehouse_bucket, s.glue_database),
        bucket(s, s.staging_bucket),
        store,
        s.glue_database,
        s.athena_above_rows,
    )


def athena_runs(s: settings.QuerySettings | settings.CompareSettings) -> AthenaQueries:
    from huitong.aws.athena import AthenaQueries

    return AthenaQueries(
        client(s, "athena"),
        workgroup=s.athena_workgroup,
        database=s.glue_database,
        output=s.athena_output,
        results=bucket(s, s.staging_bucket),
    )
