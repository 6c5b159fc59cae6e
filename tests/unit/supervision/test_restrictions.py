"""Limits on units: by arrears and by decision (L-36)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.standing import complete
from tests.support.standing_world import BANK, COURT, StandingWorld

from huitong.batches.model import Batch
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.supervision.restrictions import Policy


@pytest.fixture
def world(tmp_path: Path) -> StandingWorld:
    return StandingWorld(tmp_path)


def delivered(world: StandingWorld, id: str) -> None:
    at = world.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    batch = Batch(id, "claims", COURT, "full", "validated", "k", received_at=at, order=at)
    world.batches.create(batch, by="x")


def test_a_late_unit_is_restricted_sees_why_and_is_free_when_it_has_delivered(world: StandingWorld) -> None:
    delivered(world, "b1")  # claims is due every day
    world.restrictions.tick()
    world.restrictions.check(COURT)
    world.clock.advance(days=3)
    assert world.restrictions.tick() == {"restrictions": 1}
    with pytest.raises(NotPermitted) as refused:
        world.restrictions.check(COURT, "derived")
    assert "claims" in refused.value.zh
    assert world.notices.of_unit(COURT)[0].kind == "restriction.in_force"
    delivered(world, "b2")
    world.restrictions.check(COURT)  # at once, before the clock runs
    assert world.restrictions.all() == []
    (past,) = world.restrictions.past(COURT)
    assert past.end_reason.startswith("欠报已补齐")


def test_a_restricted_unit_gets_nothing_new_enabled(world: StandingWorld) -> None:
    complete(world, BANK, "claims")
    made = world.restrictions.impose(BANK, "违规使用", ["grants"], by="o", acting="")
    assert [p.rule for p in world.gates.lacks(BANK, "claims", "push")] == ["gate.restricted"]
    world.restrictions.check(BANK, "derived")  # only what the decision names
    world.restrictions.decide(BANK, made.id, "lift", "已改正", by="o", acting="")
    assert world.gates.lacks(BANK, "claims", "push") == []
    with pytest.raises(NotFound):
        world.restrictions.decide(BANK, "ffff", "lift", "x", by="o", acting="")
    with pytest.raises(Conflict):
        world.restrictions.decide(BANK, made.id, "lift", "x", by="o", acting="")


def test_what_runs_already_goes_on_while_its_unit_is_restricted(world: StandingWorld) -> None:
    complete(world, BANK, "claims", interfaces=("pull",))
    world.restrictions.impose(BANK, "违规使用", ["grants"], by="o", acting="")
    with pytest.raises(NotPermitted) as refused:
        world.gates.check_exchange(BANK, "claims", "pull")
    assert [p.rule for p in refused.value.problems] == ["gate.restricted"]
    world.gates.check_running(BANK, world.contracts.get("claims"), "pull")


def test_a_proposed_restriction_binds_after_an_officer_confirmed_it(world: StandingWorld) -> None:
    world.restrictions.set_policy(Policy(automatic=False), by="o")
    delivered(world, "b1")
    world.clock.advance(days=3)
    world.restrictions.tick()
    world.restrictions.check(COURT)
    (proposed,) = world.restrictions.all()
    world.restrictions.decide(COURT, proposed.id, "confirm", "属实", by="o", acting="")
    with pytest.raises(NotPermitted):
        world.restrictions.check(COURT)


def test_reasons_and_known_effects_are_asked_for(world: StandingWorld) -> None:
    for reason, effects in ((" ", ["grants"]), ("x", []), ("x", ["all"])):
        with pytest.raises(BadRequest):
            world.restrictions.impose(BANK, reason, effects, by="o", acting="")
    with pytest.raises(BadRequest):
        world.restrictions.set_policy(Policy(effects=("all",)), by="o")
