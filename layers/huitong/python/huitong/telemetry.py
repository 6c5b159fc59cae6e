"""Log lines and metrics of the functions: the one place that writes either (Powertools).

Lines hold ids, states and counts, each delivery under its :mod:`huitong.correlation`. What names persons
stays out: bodies, texts of unforeseen errors, and names of files, which people choose ("张三债权.xlsx").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from huitong import correlation, unnamed
from huitong.operating.metrics import METRICS, NAMESPACE, OF_EVENTS

if TYPE_CHECKING:
    from huitong.batches.model import Batch
    from huitong.delivery.model import Delivery
    from huitong.ports import EventBus

#: Members of an event that a line may repeat.
_OF_EVENTS: Final = (
    "batch", "batch_id", "resource", "unit", "subscription", "seq", "sequence", "count", "attempts", "code",
    "rule", "rules", "step", "level", "shard", "n", "seconds",
)  # fmt: skip


@cache
def logger() -> Any:
    """The process's structured logger. Service and level come from Powertools' own variables."""
    from aws_lambda_powertools import Logger

    return Logger(utc=True)


def _say(what: str, told: Mapping[str, Any]) -> None:
    """A line; functions of queues and clocks have put their request's id into the logger already."""
    asked = correlation.request()
    logger().info(what, extra={**unnamed.members(told), **({"request_id": asked} if asked else {})})


def measure(figures: Mapping[str, float], step: str = "", **told: str) -> None:
    """Write figures by the names of :data:`huitong.operating.metrics.METRICS`; ``told`` goes with them
    as what can be searched, not as a dimension. A name that is not there is a KeyError."""
    from aws_lambda_powertools.metrics import EphemeralMetrics

    made = EphemeralMetrics(namespace=NAMESPACE)
    for name, value in figures.items():
        made.add_metric(name, unit=METRICS[name].unit, value=value)
    if step:
        made.add_dimension("step", step)
    for name, id in told.items():
        if id:
            made.add_metadata(name, id)
    made.flush_metrics()


def batch_moved(batch: Batch, before: str) -> None:
    """A batch entered a state: written once, after the register has it."""
    from huitong.batches.following import correlation_of

    counts = {name: value for name, value in asdict(batch.counts).items() if value}
    ids = {"correlation": correlation_of(batch), "batch_id": batch.id, "resource": batch.resource}
    _say("batch", {**ids, "unit": batch.unit, "status": batch.status, "before": before, "counts": counts})
    figures = _of_batch(batch, before)
    if figures:
        measure(figures, **ids)


def _of_batch(batch: Batch, before: str) -> dict[str, float]:
    """Rows are counted where they arise, once: a batch that is released or replayed brings no new ones."""
    counts = batch.counts
    if batch.status in ("ingested", "duplicate") and before in ("received", ""):
        return {"RowsReceived": counts.received}
    if before == "ingested" and batch.status in ("validated", "rejected"):
        q = batch.quality
        return {
            "RowsAccepted": counts.accepted,
            "RowsQuarantined": counts.quarantined,
            "Findings": q.missing + q.conflicting + q.constraint + q.format + q.warnings,
        }
    if batch.status == "published":
        return {"BatchesPublished": 1, "RowsPublished": counts.inserted + counts.updated + counts.deleted}
    return {"BatchesHeld": 1} if batch.status == "held" else {}


def delivery_told(delivery: Delivery, followed: str = "") -> None:
    """What became of a delivery to a receiver: planned, acknowledged, or an attempt that failed."""
    _say(
        "delivery",
        {
            "correlation": followed or correlation.current(),
            "batch_id": delivery.batch,
            "resource": delivery.resource,
            "unit": delivery.unit,
            "subscription": delivery.subscription,
            "sequence": delivery.n,
            "seq": delivery.seq,
            "count": delivery.count,
            "state": delivery.state,
            "attempts": delivery.attempts,
            "http_status": delivery.http_status,
            "reason": delivery.reason,
        },
    )
    if delivery.state == "acknowledged":
        measure({"DeliveriesAcknowledged": 1})
    elif delivery.attempts:
        measure({"DeliveryAttemptsFailed": 1})


@dataclass(frozen=True, slots=True)
class ToldEvents:
    """:class:`huitong.ports.EventBus` that also leaves a line, and counts what has a metric. A unit or
    resource that is only a folder somebody named is told to neither."""

    bus: EventBus

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        followed = correlation.current()
        carried: Mapping[str, Any] = unnamed.members(detail)
        told = {name: carried[name] for name in _OF_EVENTS if name in carried}
        _say("event", {"kind": kind, "correlation": followed, **told})
        if kind in OF_EVENTS:
            measure({OF_EVENTS[kind]: 1})
        self.bus.publish(kind, {correlation.MEMBER: followed, **carried} if followed else carried)
