"""Builders of what brings bad data back right: returned files, quarantine, previews of replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong.wiring import parts, quality

if TYPE_CHECKING:
    from huitong.batches.model import Batch
    from huitong.batches.quarantine import Quarantine
    from huitong.quality.replaying import ReplayPreview
    from huitong.quality.returning.give_back import GiveBack


def give_back(s: Any) -> GiveBack:
    """Makes files where deliveries may be read (functions/ingest_file); elsewhere it hands them out."""
    from huitong.intake.profiles import Profiles
    from huitong.intake.uploads import Uploads
    from huitong.quality.returning.give_back import GiveBack

    kept = parts.register(s)
    landing = parts.bucket(s, s.landing_bucket if hasattr(s, "landing_bucket") else s.staging_bucket)
    return GiveBack(
        kept,
        landing,
        parts.bucket(s, s.staging_bucket),
        parts.contracts(s, s.staging_bucket),
        Uploads(kept, landing, parts.CLOCK),
        Profiles(kept),
        parts.batches(s),
        parts.traces(s),
        parts.CLOCK,
    )


def quarantine(s: Any) -> Quarantine:
    from huitong.batches.quarantine import Quarantine
    from huitong.intake.profiles import DEFAULT, Profiles
    from huitong.procedures.calendar import Calendar

    kept, contracts = parts.register(s), parts.contracts(s, s.staging_bucket)
    profiles = Profiles(kept)

    def profile_version(batch: Batch) -> int:
        found = profiles.find(batch.unit, batch.resource, batch.profile or DEFAULT)
        return found.version if found else 0

    return Quarantine(
        register=kept,
        batches=parts.batches(s),
        contracts=contracts.all,
        rules=lambda contract: quality.rulebook(s).standing(contract),
        profile_version=profile_version,
        staging=parts.bucket(s, s.staging_bucket),
        ingest_queue=parts.queue(s, getattr(s, "ingest_queue_url", "")),
        calendar=Calendar(kept),
        traces=parts.traces(s),
        clock=parts.CLOCK,
    )


def replay_preview(s: Any) -> ReplayPreview:
    """Heavy: of functions/query_data only."""
    from huitong.quality.replaying import ReplayPreview

    staging = parts.bucket(s, s.staging_bucket)
    return ReplayPreview(parts.batches(s), staging, lambda: quality.office(s), parts.CLOCK)


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "give_back": give_back,
    "quarantine": quarantine,
    "replay_preview": replay_preview,
}
