"""Builders of what operates a deployment: heartbeats, pulse, status, dead letters, keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.operating.dead_letters import DeadLetters
    from huitong.operating.heartbeats import Heartbeats
    from huitong.operating.keys import KeyRotation
    from huitong.operating.pulse import Pulse
    from huitong.operating.status import StatusPage


def heartbeats(s: settings.Settings) -> Heartbeats:
    from huitong.operating.heartbeats import Heartbeats

    return Heartbeats(parts.register(s), parts.CLOCK)


def followed(s: settings.Settings, message: Mapping[str, Any]) -> str:
    """The delivery of a message that does not carry it: as the register knows it, else empty."""
    from huitong import correlation
    from huitong.batches.following import correlation_of
    from huitong.warehouse.publication import Publications

    for landed in message.get("Records", ()):
        from huitong.intake.notification import named

        return correlation.of_object(*named(landed))
    id = message.get("batch_id") or message.get("returned") or message.get("let_go") or ""
    if not id and message.get("seq") and "resource" in message:
        published, before = Publications(parts.register(s)), int(message["seq"]) - 1
        entered = published.list(message["resource"], after=before, limit=1)
        id = entered[0].batch_id if entered else ""
    found = parts.batches(s).find(str(id)) if id else None
    return correlation_of(found.batch) if found else ""


def pulse(s: settings.ScheduleSettings) -> Pulse:
    from huitong import telemetry
    from huitong.delivery.accounts import Deliveries
    from huitong.operating.pulse import Pulse
    from huitong.warehouse.publication import Publications

    kept = parts.register(s)
    contracts = parts.contracts(s, s.staging_bucket)
    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    return Pulse(
        resources=lambda: [c.id for c in contracts.all()],
        register=kept,
        batches=parts.batches(s),
        subscriptions=parts.subscriptions(s, s.secrets_key, pushes, parts.endpoint_rules()),
        publications=Publications(kept),
        deliveries=Deliveries(kept),
        measure=telemetry.measure,
        clock=parts.CLOCK,
    )


def status_page(s: settings.ApiSettings) -> StatusPage:
    from huitong.operating.status import StatusPage

    return StatusPage(parts.register(s), heartbeats(s), letter_boxes(s), parts.CLOCK)


def letter_boxes(s: settings.ApiSettings) -> Any:
    from huitong.aws.letter_boxes import SqsLetterBoxes

    queues = {
        "ingest": s.ingest_queue_url,
        "validate": s.validate_queue_url,
        "compare": s.compare_queue_url,
        "push": s.push_queue_url,
        "waiting": s.waiting_queue_url,
    }
    dead = dict(part.split("=", 1) for part in s.dead_letter_queues.split(",") if "=" in part)
    return SqsLetterBoxes(parts.client(s, "sqs"), queues, dead)


def dead_letters(s: settings.ApiSettings) -> DeadLetters:
    from huitong.delivery.replay import Replay as Redelivery
    from huitong.operating.dead_letters import DeadLetters

    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    rules = parts.endpoint_rules(s.allow_local_endpoints, s.endpoint_networks)
    return DeadLetters(
        boxes=letter_boxes(s),
        batches=parts.batches(s),
        replay=parts.replay(s, s.ingest_queue_url, s.validate_queue_url, s.compare_queue_url),
        redelivery=Redelivery(parts.subscriptions(s, s.secrets_key, pushes, rules)),
        traces=parts.traces(s),
        clock=parts.CLOCK,
    )


def key_rotation(s: settings.ApiSettings) -> KeyRotation:
    from huitong.operating.keys import KeyRotation

    return KeyRotation(parts.platform_keys(s), parts.traces(s))


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "pulse": pulse,
    "heartbeats": heartbeats,
    "status_page": status_page,
    "dead_letters": dead_letters,
    "key_rotation": key_rotation,
}

SWEEPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {"minute": (("pulse", "run"),), "hour": ()}
