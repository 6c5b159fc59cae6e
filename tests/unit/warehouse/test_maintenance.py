"""Housekeeping takes only what nobody is served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.compare_world import CLAIMS, CompareWorld, claim

from huitong.errors import Conflict, Fault
from huitong.warehouse.maintenance import Housekeeping, Maintenance


@pytest.fixture
def world(tmp_path: Path) -> CompareWorld:
    return CompareWorld(tmp_path)


def maintenance(world: CompareWorld) -> Maintenance:
    return Maintenance(world.warehouse, world.lakehouse, world.publications, world.clock)


def test_expiry_keeps_what_was_served_within_the_days(world: CompareWorld) -> None:
    world.clock.moment = datetime.now(UTC) - timedelta(days=40)
    for n in range(3):
        world.deliver([claim(n)])
        world.clock.advance(days=10)
    world.clock.moment = datetime.now(UTC) + timedelta(days=1)

    gone = maintenance(world).expire(CLAIMS, days=0)

    assert gone == 4
    assert world.rows() == [claim(2)]
    assert len(world.read("changes")) == 5
    world.connect()
    with pytest.raises(Fault):
        world.rows(seq=1)
    assert maintenance(world).expire(CLAIMS, days=0) == 0


def test_expiry_with_enough_days_drops_nothing(world: CompareWorld) -> None:
    world.clock.moment = datetime.now(UTC)
    world.deliver([claim(1)])
    world.deliver([claim(2)])

    assert maintenance(world).expire(CLAIMS, days=30) == 0
    assert world.rows(seq=1) == [claim(1)]


def test_files_of_a_rejected_batch_go_and_no_others(world: CompareWorld) -> None:
    many = [claim(n) for n in range(50)]
    first = world.deliver(many)
    held = world.deliver(many[:10])
    with pytest.raises(Conflict):
        maintenance(world).remove_files(CLAIMS, held)
    with pytest.raises(Conflict):
        maintenance(world).remove_files(CLAIMS, first)

    rejected = world.hold.reject(held.id, by="officer", reason="x")

    assert maintenance(world).remove_files(CLAIMS, rejected) == 1
    assert maintenance(world).remove_files(CLAIMS, rejected) == 0
    assert world.rows() == many


def test_the_nightly_round_takes_old_history_and_files_of_yesterdays_rejected_batches(
    world: CompareWorld,
) -> None:
    world.clock.moment = datetime.now(UTC) - timedelta(days=40)
    many = [claim(n) for n in range(50)]
    world.deliver(many)
    world.deliver([*many, claim(50)])
    world.clock.moment = datetime.now(UTC) + timedelta(days=40)  # snapshots bear the machine's own time
    held = world.deliver(many[:10])
    world.hold.reject(held.id, by="officer", reason="x")
    world.clock.advance(days=2)
    night = Housekeeping(maintenance(world), lambda: [CLAIMS], world.batches, world.clock, history_days=30)

    done = night.run()

    assert done["snapshots"] == 2
    assert done["files"] >= 1
    assert done["busy"] == 0
    assert len(world.rows()) == 51
    assert night.run() == {"snapshots": 0, "files": 0, "busy": 0}
