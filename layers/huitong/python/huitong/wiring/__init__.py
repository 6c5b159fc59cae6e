"""Joins capabilities to adapters: one builder for each service, made once per process.

Imports stand inside the builders, so that a function loads only what its own
service needs. The authorizer and the API must stay light: a test measures that
they load neither pyarrow nor DuckDB nor PyIceberg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from huitong import settings
from huitong.wiring import areas, fan_out, mending, operating, oversight, parts

if TYPE_CHECKING:
    from huitong.audit.archive import Archive
    from huitong.aws.sqs import SqsQueue
    from huitong.batches.failure import Failures
    from huitong.comparison.commit import CommitComparison
    from huitong.comparison.compare import Compare
    from huitong.comparison.part import ComparePart
    from huitong.delivery.push import Push
    from huitong.errors import HuitongError
    from huitong.identity.gateway import Gateway
    from huitong.intake.receive import Receive
    from huitong.operating.heartbeats import Heartbeats
    from huitong.quality.validate import Validate
    from huitong.schedule import Schedule
    from huitong.warehouse.maintenance import Housekeeping
    from huitong.web.services import ApiServices, QueryServices


# --- services of the functions ---------------------------------------------


@cache
def build_receive() -> Receive:
    from huitong.intake.profiles import Profiles
    from huitong.intake.receive import Receive
    from huitong.intake.uploads import Uploads

    s = settings.IngestSettings.read()
    register, landing = parts.register(s), parts.bucket(s, s.landing_bucket)
    return Receive(
        landing=landing,
        staging=parts.bucket(s, s.staging_bucket),
        contracts=parts.contracts(s, s.staging_bucket),
        uploads=Uploads(register, landing, parts.CLOCK),
        profiles=Profiles(register),
        batches=parts.batches(s),
        validate_queue=parts.queue(s, s.validate_queue_url),
        events=parts.events(s, s.event_bus),
        clock=parts.CLOCK,
    )


def build_returned(batch: str, whole: bool) -> dict[str, object]:
    """For functions/ingest_file, which alone reads deliveries: makes a batch's returned file."""
    s = settings.IngestSettings.read()
    made = mending.give_back(s).make(parts.batches(s).get(batch).batch, whole=whole)
    return {"batch_id": batch, "returned": made.key, "rows": made.rows}


def build_let_go(batch: str) -> dict[str, object]:
    """For functions/ingest_file, which writes to staging: ends what quarantine holds of a batch."""
    return mending.quarantine(settings.IngestSettings.read()).let_go(batch)


@cache
def build_validate() -> Validate:
    from huitong.quality.validate import Validate
    from huitong.wiring import quality

    s = settings.ValidateSettings.read()
    return Validate(
        staging=parts.bucket(s, s.staging_bucket),
        warehouse=parts.bucket(s, s.warehouse_bucket),
        contracts=parts.contracts(s, s.staging_bucket),
        batches=parts.batches(s),
        compare_queue=parts.queue(s, s.compare_queue_url),
        events=parts.events(s, s.event_bus),
        clock=parts.CLOCK,
        office=quality.office(s),
        fan_out_rows=s.fan_out_rows,
    )


@cache
def build_compare() -> Compare:
    from huitong.comparison.compare import Compare
    from huitong.warehouse.publication import Publications

    s = settings.CompareSettings.read()
    return Compare(
        warehouse=parts.bucket(s, s.warehouse_bucket),
        staging=parts.bucket(s, s.staging_bucket),
        lakehouse=parts.lakehouse(s, s.warehouse_bucket, s.glue_database),
        contracts=parts.contracts(s, s.staging_bucket),
        batches=parts.batches(s),
        publications=Publications(parts.register(s)),
        push_queue=parts.queue(s, s.push_queue_url),
        compare_queue=parts.queue(s, s.queue_url),
        events=parts.events(s, s.event_bus),
        clock=parts.CLOCK,
        fan_out=fan_out.fan_out(s),
        athena=parts.comparison_on_athena(s),
    )


def build_compare_part() -> ComparePart:
    return fan_out.part(settings.PartSettings.read())


def build_commit_comparison() -> CommitComparison:
    return fan_out.commit(settings.CommitSettings.read())


def resource_of_execution(name: str) -> str:
    """The resource whose batch an execution is for."""
    return fan_out.resource_of(settings.CompareSettings.read(), name)


@cache
def build_archive() -> Archive:
    from huitong.wiring import evidence

    return evidence.archive(settings.ArchiveSettings.read())


@cache
def build_maintenance() -> Housekeeping:
    from huitong.warehouse.maintenance import Housekeeping, Maintenance
    from huitong.warehouse.publication import Publications

    s = settings.MaintenanceSettings.read()
    maintenance = Maintenance(
        parts.bucket(s, s.warehouse_bucket),
        parts.lakehouse(s, s.warehouse_bucket, s.glue_database),
        Publications(parts.register(s)),
        parts.CLOCK,
    )
    contracts = parts.contracts(s, s.staging_bucket)
    return Housekeeping(
        maintenance, contracts.all, parts.batches(s), parts.CLOCK, history_days=s.history_days
    )


@cache
def build_push() -> Push:
    from huitong.aws.http_sender import HttpsSender
    from huitong.delivery.entitlement import as_granted
    from huitong.delivery.limits import DeliveryLimits
    from huitong.delivery.push import Push
    from huitong.sharing.grants import Grants
    from huitong.warehouse.publication import Publications

    s = settings.PushSettings.read()
    register, publications = parts.register(s), Publications(parts.register(s))
    rules = parts.endpoint_rules(s.allow_local_endpoints, s.endpoint_networks)
    area = areas.builder(s)
    return Push(
        register=register,
        subscriptions=parts.subscriptions(s, s.secrets_key, push_queue(), rules),
        contracts=parts.contracts(s, s.staging_bucket),
        publications=publications,
        source=partial(parts.changes, s, s.warehouse_bucket, s.glue_database, s.secrets_key),
        exports=parts.bucket(s, s.staging_bucket),
        http=HttpsSender(rules),
        entitlement=as_granted(Grants(register, parts.CLOCK, parts.grounds(area)), area("gates")),
        queue=push_queue(),
        dead_letters=parts.queue(s, s.dead_letter_queue_url),
        events=parts.events(s, s.event_bus),
        clock=parts.CLOCK,
        limits=DeliveryLimits().starting_after(s.retry_seconds),
        traces=parts.traces(s),
        disclosures=parts.disclosures(s),
        told=parts.delivery_told(s),
    )


@cache
def build_after_publication() -> tuple[Callable[[str], object], ...]:
    """What comes before the deliveries of a publication: each takes a resource, looks for what it has not yet
    taken in, and may be called again at any time."""
    s = settings.PushSettings.read()
    area = areas.builder(s)

    def cases(resource: str) -> None:
        if area("case_feed").run(resource).changed:
            area("case_endings").run()

    return (cases,)


@cache
def build_following() -> Callable[[str], object]:
    """Notices corrections in what was published of a resource, tells who had the wrong value, and looks for
    values that differ between units: after the deliveries, which a fault here does not hold back."""
    area = areas.builder(settings.PushSettings.read())
    following, conflicts = area("following"), area("conflicts")

    def follow(resource: str) -> None:
        try:
            following.run(resource)
        finally:
            conflicts.look(resource)

    return follow


@cache
def push_queue() -> SqsQueue:
    s = settings.PushSettings.read()
    return parts.queue(s, s.queue_url, waiting=s.waiting_queue_url)


@cache
def build_schedule() -> Schedule:
    from huitong.batches.lateness import Lateness
    from huitong.batches.sweep import Sweep
    from huitong.delivery.sweep import Sweep as Wakes
    from huitong.schedule import Schedule
    from huitong.warehouse.publication import Publications

    s = settings.ScheduleSettings.read()
    register, batches, events = parts.register(s), parts.batches(s), parts.events(s, s.event_bus)
    contracts = parts.contracts(s, s.staging_bucket)
    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    return Schedule(
        stuck=Sweep(
            resources=lambda: [c.id for c in contracts.all()],
            register=register,
            batches=batches,
            replay=parts.replay(s, s.ingest_queue_url, s.validate_queue_url, s.compare_queue_url),
            failures=parts.failures(s, s.event_bus, s.compare_queue_url),
            clock=parts.CLOCK,
            stuck_after=timedelta(minutes=s.stuck_minutes),
        ),
        due=Wakes(
            subscriptions=parts.subscriptions(s, s.secrets_key, pushes, parts.endpoint_rules()),
            publications=Publications(register),
            register=register,
            queue=pushes,
            clock=parts.CLOCK,
        ),
        lateness=Lateness(
            contracts.all, batches, register, events, parts.CLOCK, partial(oversight.working_day, s)
        ),
        ledger=parts.ledger(s, contracts, events),
        area=areas.builder(s),
        sweeps=areas.SWEEPS,
    )


@cache
def build_api() -> ApiServices:
    from huitong.comparison.decide import Hold
    from huitong.delivery.accounts import Deliveries
    from huitong.delivery.replay import Replay as Redelivery
    from huitong.intake.profiles import Profiles
    from huitong.intake.uploads import Uploads
    from huitong.web.services import ApiServices

    s = settings.ApiSettings.read()
    register, landing = parts.register(s), parts.bucket(s, s.landing_bucket)
    rules = parts.endpoint_rules(s.allow_local_endpoints, s.endpoint_networks)
    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    subscriptions = parts.subscriptions(s, s.secrets_key, pushes, rules)
    common = parts.common(s, s.staging_bucket)
    return ApiServices(
        **common,
        uploads=Uploads(register, landing, parts.CLOCK),
        profiles=Profiles(register, parts.traces(s)),
        landing=landing,
        hold=Hold(parts.batches(s), parts.queue(s, s.compare_queue_url), parts.events(s, s.event_bus)),
        replay=parts.replay(s, s.ingest_queue_url, s.validate_queue_url, s.compare_queue_url),
        subscriptions=subscriptions,
        deliveries=Deliveries(register),
        redelivery=Redelivery(subscriptions),
        ledger=parts.ledger(s, common["contracts"]),
    )


@cache
def build_query_data() -> QueryServices:
    from huitong.delivery.pull import Pull
    from huitong.query.exports import Exports
    from huitong.query.readable import Resolver
    from huitong.query.run import Queries
    from huitong.sharing.volume import Volumes
    from huitong.tickets.marks import Marks
    from huitong.web.services import QueryServices

    s = settings.QuerySettings.read()
    staging, common = parts.bucket(s, s.staging_bucket), parts.common(s, s.staging_bucket)
    known = (common["contracts"], common["grants"], common["publications"], common["batches"])
    resolver = Resolver(*known, Marks(parts.register(s), parts.CLOCK))
    source = parts.changes(s, s.warehouse_bucket, s.glue_database, s.secrets_key)
    engine = parts.engine(s)
    queries = Queries(parts.register(s), staging, resolver, engine, parts.CLOCK, max(s.smallest_group, 2))
    volumes = Volumes(parts.register(s), parts.CLOCK)
    key = partial(parts.platform_keys(s).get, "marks")
    return QueryServices(
        **common,
        staging=staging,
        queries=queries,
        pull=Pull(common["publications"], source),
        volumes=volumes,
        exports=Exports(parts.register(s), staging, queries, common["traces"], volumes, key, parts.CLOCK),
    )


@cache
def build_authorizer() -> Gateway:
    """For the authorizer: nothing but reading the register."""
    from huitong.audit.trace import Traces
    from huitong.identity.credentials import Credentials
    from huitong.identity.gateway import Gateway
    from huitong.identity.sessions import Sessions
    from huitong.identity.signed import SignedRequests

    s = settings.AuthorizerSettings.read()
    register, clock = parts.register(s), parts.CLOCK
    accepted = s.signature_algorithms.split(",")
    return Gateway(
        Credentials(register, clock),
        Sessions(register, Traces(register, clock), clock),
        SignedRequests(register, None, clock, accepted=accepted),
    )


@cache
def build_failures() -> Failures:
    """For a consumer that gives a message up."""
    s = settings.ConsumerSettings.read()
    return parts.failures(s, s.event_bus, s.compare_queue_url)


# --- what handlers need of their own queue ---------------------------------


def consumer(
    step: str,
    work: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
    give_up: Callable[[Mapping[str, Any], HuitongError], None],
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of a step that a queue drives: :func:`huitong.runtime.consumer` on the queue of the
    function itself. ``work`` and ``give_up`` are the function's; nothing is read or made before an event."""
    from huitong import runtime

    return runtime.consumer(
        work,
        give_up=give_up,
        queue=own_queue,
        first_pause=first_pause,
        step=step,
        follow=followed,
        succeeded=succeeded,
    )


def task(
    step: str,
    work: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    succeeded: Callable[[str], None] = lambda _step: None,
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of a task of a comparison in parts, whose events name a plan."""
    from huitong import runtime

    return runtime.task(step, work, names=fan_out.of_plan, follow=followed, succeeded=succeeded)


@cache
def own_queue(arn: str) -> SqsQueue:
    """The queue with this ARN, which is the function's own or the one beside it."""
    s = settings.ConsumerSettings.read()
    name = arn.rpartition(":")[2]
    return parts.queue(s, f"{s.queue_url.rpartition('/')[0]}/{name}")


def followed(message: Mapping[str, Any]) -> str:
    """The delivery that a message belongs to, for one that does not carry it."""
    return operating.followed(settings.Settings.read(), message)


def succeeded(step: str) -> None:
    """Note for the status page that a step has done its work."""
    _heartbeats().succeeded(step)


@cache
def _heartbeats() -> Heartbeats:
    return operating.heartbeats(settings.Settings.read())


@cache
def first_pause() -> int:
    return settings.ConsumerSettings.read().retry_seconds
