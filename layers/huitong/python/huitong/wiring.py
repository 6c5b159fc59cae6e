"""Joins capabilities to adapters: one builder for each service, made once per process.

Imports stand inside the builders, so that a function loads only what its own
service needs. The authorizer and the API must stay light: a test measures that
they load neither pyarrow nor DuckDB nor PyIceberg.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from huitong import settings
from huitong.ports import SystemClock

if TYPE_CHECKING:
    from huitong.audit.trace import Traces
    from huitong.aws.dynamodb import DynamoRegister
    from huitong.aws.events import EventBridge
    from huitong.aws.s3 import S3Objects
    from huitong.aws.secrets import KmsSecrets
    from huitong.aws.sqs import SqsQueue
    from huitong.batches.failure import Failures
    from huitong.batches.ledger import Ledger
    from huitong.batches.lateness import Lateness
    from huitong.batches.register import Batches
    from huitong.batches.replay import Replay
    from huitong.batches.sweep import Sweep
    from huitong.comparison.compare import Compare
    from huitong.contracts.registry import Contracts
    from huitong.delivery.push import Push
    from huitong.delivery.subscriptions import Subscriptions
    from huitong.identity.credentials import Credentials
    from huitong.intake.receive import Receive
    from huitong.quality.validate import Validate
    from huitong.warehouse.lakehouse import Lakehouse
    from huitong.web.services import ApiServices, QueryServices

_CLOCK = SystemClock()


# --- services of the functions ---------------------------------------------


@cache
def build_receive() -> Receive:
    from huitong.intake.profiles import Profiles
    from huitong.intake.receive import Receive
    from huitong.intake.uploads import Uploads

    s = settings.IngestSettings.read()
    register, landing = _register(s), _bucket(s, s.landing_bucket)
    return Receive(
        landing=landing,
        staging=_bucket(s, s.staging_bucket),
        contracts=_contracts(s, s.staging_bucket),
        uploads=Uploads(register, landing, _CLOCK),
        profiles=Profiles(register, _CLOCK),
        batches=_batches(s),
        validate_queue=_queue(s, s.validate_queue_url),
        events=_events(s, s.event_bus),
        clock=_CLOCK,
    )


@cache
def build_validate() -> Validate:
    from huitong.quality.validate import Validate

    s = settings.ValidateSettings.read()
    return Validate(
        staging=_bucket(s, s.staging_bucket),
        warehouse=_bucket(s, s.warehouse_bucket),
        contracts=_contracts(s, s.staging_bucket),
        batches=_batches(s),
        compare_queue=_queue(s, s.compare_queue_url),
        events=_events(s, s.event_bus),
        clock=_CLOCK,
    )


@cache
def build_compare() -> Compare:
    from huitong.comparison.compare import Compare
    from huitong.warehouse.publication import Publications

    s = settings.CompareSettings.read()
    return Compare(
        warehouse=_bucket(s, s.warehouse_bucket),
        staging=_bucket(s, s.staging_bucket),
        lakehouse=_lakehouse(s, s.warehouse_bucket, s.glue_database),
        contracts=_contracts(s, s.staging_bucket),
        batches=_batches(s),
        publications=Publications(_register(s)),
        push_queue=_queue(s, s.push_queue_url),
        compare_queue=_queue(s, s.queue_url),
        events=_events(s, s.event_bus),
        clock=_CLOCK,
    )


@cache
def build_push() -> Push:
    from huitong.aws.http_sender import HttpsSender
    from huitong.delivery.push import Push
    from huitong.warehouse.publication import Publications

    s = settings.PushSettings.read()
    return Push(
        warehouse=_bucket(s, s.warehouse_bucket),
        staging=_bucket(s, s.staging_bucket),
        lakehouse=_lakehouse(s, s.warehouse_bucket, s.glue_database),
        contracts=_contracts(s, s.staging_bucket),
        publications=Publications(_register(s)),
        subscriptions=_subscriptions(s, s.secrets_key),
        push_queue=_queue(s, s.queue_url, waiting=s.waiting_queue_url),
        sender=HttpsSender(allow_local=s.allow_local_endpoints),
        events=_events(s, s.event_bus),
        clock=_CLOCK,
    )


@cache
def build_schedule() -> tuple[Sweep, Lateness, Ledger]:
    raise NotImplementedError


@cache
def build_credentials() -> Credentials:
    """For the authorizer: nothing but the register."""
    from huitong.identity.credentials import Credentials

    return Credentials(_register(settings.AuthorizerSettings.read()), _CLOCK)


@cache
def build_failures() -> Failures:
    """For a consumer that gives a message up."""
    from huitong.batches.failure import Failures

    s = settings.ConsumerSettings.read()
    return Failures(_batches(s), _events(s, s.event_bus))


@cache
def build_traces() -> Traces:
    from huitong.audit.trace import Traces

    return Traces(_register(settings.Settings.read()), _CLOCK)


# --- what handlers need of their own queue ---------------------------------


@cache
def own_queue(arn: str) -> SqsQueue:
    """The queue with this ARN, which is the function's own or the one beside it."""
    s = settings.ConsumerSettings.read()
    name = arn.rpartition(":")[2]
    return _queue(s, f"{s.queue_url.rpartition('/')[0]}/{name}")


@cache
def first_pause() -> int:
    return settings.ConsumerSettings.read().retry_seconds


# --- adapters --------------------------------------------------------------


def _client(s: settings.Settings, service: str) -> Any:
    from huitong.aws.clients import client

    return client(service, s.aws_endpoint_url, s.aws_region)


def _register(s: settings.Settings) -> DynamoRegister:
    from huitong.aws.dynamodb import DynamoRegister

    return DynamoRegister(_client(s, "dynamodb"), s.register_table)


def _bucket(s: settings.Settings, name: str) -> S3Objects:
    from huitong.aws.s3 import S3Objects

    return S3Objects(_client(s, "s3"), name, warm=_warm(getattr(s, "warm_megabytes", 256)))


@cache
def _warm(megabytes: int) -> Any:
    from huitong.aws.warm import WarmFiles

    return WarmFiles(megabytes << 20)


def _queue(s: settings.Settings, url: str, *, waiting: str = "") -> SqsQueue:
    from huitong.aws.sqs import SqsQueue

    return SqsQueue(_client(s, "sqs"), url, waiting=waiting)


def _events(s: settings.Settings, bus: str) -> EventBridge:
    from huitong.aws.events import EventBridge

    return EventBridge(_client(s, "events"), bus)


def _secrets(s: settings.Settings, key: str) -> KmsSecrets:
    from huitong.aws.secrets import KmsSecrets

    return KmsSecrets(_client(s, "kms"), key)


def _lakehouse(s: settings.Settings, warehouse: str, database: str) -> Lakehouse:
    from huitong.warehouse.lakehouse import Lakehouse

    return Lakehouse(partial(_catalog, s, warehouse), database, _bucket(s, warehouse))


@cache
def _catalog(s: settings.Settings, warehouse: str) -> Any:
    from huitong.aws.catalog import glue_catalog

    return glue_catalog(
        _client(s, "glue"),
        warehouse=f"s3://{warehouse}",
        endpoint=s.aws_endpoint_url,
        region=s.aws_region,
    )


# --- capabilities that several services share ------------------------------


def _batches(s: settings.Settings) -> Batches:
    from huitong.batches.register import Batches

    return Batches(_register(s), _CLOCK)


def _contracts(s: settings.Settings, staging: str) -> Contracts:
    from huitong.contracts.registry import Contracts

    return Contracts(_register(s), _bucket(s, staging), _CLOCK)


def _subscriptions(s: settings.Settings, key: str) -> Subscriptions:
    from huitong.delivery.subscriptions import Subscriptions

    return Subscriptions(_register(s), _secrets(s, key), _CLOCK)
