"""Builders of profiling, and of taking a delivery in again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.batches.again import Again
    from huitong.quality.profile.desk import Profiling


def profiling(s: Any) -> Profiling:
    """Heavy: of functions/query_data only."""
    from huitong.quality.profile.desk import Profiling
    from huitong.query.run import WarehouseTables
    from huitong.warehouse.publication import Publications

    def tables() -> WarehouseTables:
        lakehouse = parts.lakehouse(s, s.warehouse_bucket, s.glue_database)
        return WarehouseTables(parts.bucket(s, s.warehouse_bucket), lakehouse)

    return Profiling(parts.bucket(s, s.staging_bucket), Publications(parts.register(s)), tables, parts.CLOCK)


def again(s: Any) -> Again:
    from huitong.batches.again import Again

    contracts = parts.contracts(s, s.staging_bucket)
    return Again(parts.batches(s), contracts, parts.queue(s, s.ingest_queue_url), parts.CLOCK)


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {"profiling": profiling, "again": again}
