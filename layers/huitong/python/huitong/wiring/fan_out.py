"""Comparisons in parts: who hands them out, who does one, who ends them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.comparison.commit import CommitComparison
    from huitong.comparison.fan_out import FanOut
    from huitong.comparison.part import ComparePart


def fan_out(s: settings.CompareSettings) -> FanOut | None:
    if not s.fan_out_machine:
        return None
    from huitong.aws.workflows import StepFunctions
    from huitong.batches.runs import Runs
    from huitong.comparison.fan_out import FanOut

    return FanOut(
        runs=Runs(parts.register(s)),
        workflows=StepFunctions(parts.client(s, "stepfunctions"), s.fan_out_machine),
        staging=parts.bucket(s, s.staging_bucket),
        failures=parts.failures(s, s.event_bus, s.queue_url),
        clock=parts.CLOCK,
        rows=s.fan_out_rows,
    )


@cache
def part(s: settings.PartSettings) -> ComparePart:
    from huitong.comparison.part import ComparePart

    staging = parts.bucket(s, s.staging_bucket)
    return ComparePart(parts.bucket(s, s.warehouse_bucket), staging, parts.contracts(s, s.staging_bucket))


@cache
def commit(s: settings.CommitSettings) -> CommitComparison:
    from huitong.batches.runs import Runs
    from huitong.comparison.commit import CommitComparison
    from huitong.comparison.publishing import Publishing
    from huitong.warehouse.publication import Publications

    kept = parts.register(s)
    return CommitComparison(
        staging=parts.bucket(s, s.staging_bucket),
        contracts=parts.contracts(s, s.staging_bucket),
        runs=Runs(kept),
        publishing=Publishing(
            lakehouse=parts.lakehouse(s, s.warehouse_bucket, s.glue_database),
            batches=parts.batches(s),
            publications=Publications(kept),
            push_queue=parts.queue(s, s.push_queue_url),
            events=parts.events(s, s.event_bus),
        ),
        compare_queue=parts.queue(s, s.compare_queue_url),
        clock=parts.CLOCK,
    )


def resource_of(s: settings.CompareSettings, execution: str) -> str:
    """An execution is named after its batch (:class:`huitong.batches.runs.Run`). Raises NotFound."""
    return parts.batches(s).get(execution.rpartition("-")[0]).batch.resource


def of_plan(event: Mapping[str, Any]) -> dict[str, Any]:
    """The ids in a task's event, which names a plan and, for a part, its number."""
    from huitong.comparison.parts import named

    return {**named(str(event["plan"])), **({"part": event["number"]} if "number" in event else {})}
