"""Quarantine and returned files over a world of the API tests."""

from __future__ import annotations

from typing import Any

from huitong.batches.quarantine import Quarantine
from huitong.quality.returning.give_back import GiveBack


def mending_areas(world: Any) -> None:
    """Sets ``quarantine``, ``give_back`` and ``replay_preview``."""
    from huitong.quality.replaying import ReplayPreview

    world.quarantine = Quarantine(
        register=world.register,
        batches=world.batches,
        contracts=world.contracts.all,
        rules=lambda contract: world.rulebook.standing(contract),
        profile_version=lambda _: 0,
        staging=world.staging,
        ingest_queue=world.queues["ingest"],
        calendar=world.calendar,
        traces=world.traces,
        clock=world.clock,
    )
    world.give_back = GiveBack(
        world.register,
        world.landing,
        world.staging,
        world.contracts,
        world.uploads,
        world.profiles,
        world.batches,
        world.traces,
        world.clock,
    )
    world.replay_preview = ReplayPreview(world.batches, world.staging, lambda: None, world.clock)
