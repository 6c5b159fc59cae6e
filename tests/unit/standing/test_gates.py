"""Each missing thing alone closes the gate, with exactly its rule (Q-02, Q-40, Q-48, Q-49, Q-51, L-39, L-40)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.standing import agreed, complete, confirmed, drafted, joint_test, person
from tests.support.standing_world import AMOUNT, BANK, BUREAU, COURT, NOTE, SERVICE, StandingWorld, document

from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR
from huitong.standing.lacking import NEEDS, breaking

RULES = {
    "registration": "gate.unit-registered",
    "officers": "gate.unit-officers",
    "sharing": "gate.sharing-agreement",
    "security": "gate.security-agreement",
    "list": "gate.confirmed-list",
    "docking": "gate.docking-record",
    "test": "gate.joint-test",
}
BASIC = {"registration", "officers", "sharing", "security"}


@pytest.fixture
def world(tmp_path: Path) -> StandingWorld:
    return StandingWorld(tmp_path)


def lacks(world: StandingWorld, way: str = "push", unit: str = BANK) -> list[str]:
    return [p.rule for p in world.gates.lacks(unit, "claims", way)]


def test_a_complete_standing_opens_every_way(world: StandingWorld) -> None:
    complete(world, BANK, "claims", interfaces=("push", "pull", "comparison"))
    assert {way: lacks(world, way) for way in NEEDS} == {way: [] for way in NEEDS}
    for way in NEEDS:
        world.gates.check_exchange(BANK, "claims", way)


@pytest.mark.parametrize("way", NEEDS)
@pytest.mark.parametrize("missing", RULES)
def test_what_alone_is_missing_is_told_by_its_rule_and_nothing_else(
    missing: str, way: str, world: StandingWorld
) -> None:
    """The table NEEDS: what connects systems needs all, reading on the platform the first four."""
    but = [missing]
    if missing == "list":  # docking is refused without a confirmed list: withdraw the list afterwards
        but = []
    complete(world, BANK, "claims", but=but, interfaces=("push", "pull", "comparison"))
    if missing == "list":
        (record,) = world.standing.between(BANK, OPERATOR, "share_list")
        world.standing.take("share_list", record.id, "end", person(BANK), {"reason": "x"})
    needed = missing in BASIC or way in ("push", "pull", "snapshot", "comparison")
    assert lacks(world, way) == ([RULES[missing]] if needed else [])
    if needed:
        with pytest.raises(NotPermitted) as refused:
            world.gates.check_exchange(BANK, "claims", way)
        assert [p.rule for p in refused.value.problems] == [RULES[missing]]
        assert all(p.zh and p.en and p.advice_zh for p in refused.value.problems)


def test_everything_that_is_missing_is_told_at_once(world: StandingWorld) -> None:
    assert sorted(lacks(world)) == sorted(set(RULES.values()) - {"gate.unit-officers"})


def test_owner_and_operator_need_nothing_for_what_they_have_anyway(world: StandingWorld) -> None:
    assert lacks(world, unit=COURT) == lacks(world, unit=OPERATOR) == []


def test_without_strictness_the_gate_only_reports(world: StandingWorld) -> None:
    world.gates.strict = False
    world.gates.check_exchange(BANK, "claims", "push")
    assert lacks(world)


def test_a_resource_is_published_only_with_the_source_units_agreement(world: StandingWorld) -> None:
    """Q-02, Q-40: registered, and an agreement in force that names the resource."""
    assert {p.rule for p in world.gates.lacks_to_share("claims")} == {
        "gate.unit-registered",
        "gate.sharing-agreement",
    }
    complete(world, COURT, "claims")
    from huitong.standing.registration import Registration

    world.registrations.put(Registration(COURT), by="test")
    with pytest.raises(NotPermitted):
        world.gates.check_share("claims")
    drafted(world, COURT, OPERATOR, "sharing", ["claims"])
    with pytest.raises(NotPermitted):  # a draft is no agreement
        world.gates.check_share("claims")
    agreed(world, COURT, OPERATOR, "sharing", ["claims"])
    world.gates.check_share("claims")


def test_an_agreement_counts_from_its_first_to_its_last_day(world: StandingWorld) -> None:
    """C-19, L-39: expiry stops new enabling, on that day, without the clock's help."""
    complete(world, BANK, "claims", but=("security",))
    agreed(world, COURT, BANK, "security", [], starts="2026-01-06", ends="2026-01-07")
    seen = []
    for _ in range(4):
        seen.append(lacks(world))
        world.clock.advance(days=1)
    closed = ["gate.security-agreement"]
    assert seen == [closed, [], [], closed]


def test_an_ended_agreement_closes_the_gate_at_once(world: StandingWorld) -> None:
    complete(world, BANK, "claims", but=("security",))
    made = agreed(world, COURT, BANK, "security", [])
    assert lacks(world) == []
    world.standing.take("agreement", made.id, "end_second", person(BANK), {"reason": "终止"})
    assert lacks(world) == ["gate.security-agreement"]


def test_a_narrower_agreement_that_replaces_another_one_counts_alone(world: StandingWorld) -> None:
    complete(world, BANK, "claims", but=("sharing",))
    world.contracts.put(
        document(1, AMOUNT).replace("id: claims", "id: other").replace("claims", "others"),
        by="t",
        provider=COURT,
    )
    former = agreed(world, COURT, OPERATOR, "sharing", ["claims"])
    assert lacks(world) == []
    agreed(world, COURT, OPERATOR, "sharing", ["other"], replaces=former.id)
    assert lacks(world) == ["gate.sharing-agreement"]
    assert world.standing.desks["agreement"].get(former.id).state == "superseded"


def test_another_units_agreement_does_not_count(world: StandingWorld) -> None:
    complete(world, BANK, "claims", but=("security",))
    agreed(world, COURT, BUREAU, "security", [])
    assert lacks(world) == ["gate.security-agreement"]


def test_a_technical_service_provider_needs_a_security_agreement_too(world: StandingWorld) -> None:
    """L-39."""
    complete(world, BANK, "claims", but=("docking",))
    content = {
        "resources": ["claims"], "method": "API", "security_terms": "SM4", "contacts": ["x"],
        "service_providers": [SERVICE],
    }  # fmt: skip
    confirmed(world, "dockings", BANK, OPERATOR, content)
    assert lacks(world) == ["gate.service-provider"]
    agreed(world, BANK, SERVICE, "security", [])
    assert lacks(world) == []


class TestJointTests:
    """Q-51: passed, confirmed by both, for this interface and this version."""

    @pytest.fixture(autouse=True)
    def _rest(self, world: StandingWorld) -> None:
        complete(world, BANK, "claims", but=("test",))

    def test_an_older_interface_version_does_not_count(self, world: StandingWorld) -> None:
        confirmed(world, "joint-tests", BANK, OPERATOR, joint_test("claims", interface_version="0"))
        (problem,) = world.gates.lacks(BANK, "claims", "push")
        assert (problem.rule, "0" in problem.zh) == ("gate.joint-test", False)
        assert world.gates.lacks(BANK, "claims", "push", "0") == []

    def test_a_test_of_another_interface_does_not_count(self, world: StandingWorld) -> None:
        confirmed(world, "joint-tests", BANK, OPERATOR, joint_test("claims", "pull"))
        assert (lacks(world, "push"), lacks(world, "pull"), lacks(world, "snapshot")) == (
            ["gate.joint-test"],
            [],
            [],
        )

    def test_what_only_one_side_says_does_not_count(self, world: StandingWorld) -> None:
        content = {"counterpart": OPERATOR, **joint_test("claims")}
        made = world.standing.open("joint-tests", person(BANK), content)
        assert lacks(world) == ["gate.joint-test"]
        with pytest.raises(NotPermitted):
            world.standing.take("joint_test", made.id, "confirm", person(BANK), {})
        world.standing.take("joint_test", made.id, "confirm", person(OPERATOR), {})
        assert lacks(world) == []

    def test_a_later_failure_takes_the_pass_away(self, world: StandingWorld) -> None:
        confirmed(world, "joint-tests", BANK, OPERATOR, joint_test("claims"))
        world.clock.advance(hours=1)
        confirmed(world, "joint-tests", BANK, OPERATOR, joint_test("claims", result="failed"))
        assert lacks(world) == ["gate.joint-test"]

    def test_an_addition_keeps_the_test_valid_and_a_removal_does_not(self, world: StandingWorld) -> None:
        confirmed(world, "joint-tests", BANK, OPERATOR, joint_test("claims"))
        world.contracts.put(document(2, AMOUNT, NOTE), by="test")
        assert lacks(world) == []
        world.contracts.put(document(3, NOTE), by="test")
        (problem,) = world.gates.lacks(BANK, "claims", "push")
        assert problem.rule == "gate.joint-test"
        assert "amount:removed" in problem.zh
        one, three = world.contracts.get("claims", 1), world.contracts.get("claims", 3)
        assert breaking(one, three) == ["amount:removed"]
        assert breaking(three, one) == ["note:removed"]


def test_a_suspended_unit_gets_nothing_enabled(world: StandingWorld) -> None:
    complete(world, BANK, "claims")
    world.registrations.move(BANK, "suspended", reason="核查", by="officer")
    assert lacks(world) == ["gate.unit-state"]
    world.registrations.move(BANK, "active", reason="完成", by="officer")
    assert lacks(world) == []


def test_a_running_interface_closes_within_a_minute(world: StandingWorld) -> None:
    """S-37: what passed is not looked at anew for a minute, no longer."""
    complete(world, BANK, "claims", interfaces=("pull",))
    contract = world.contracts.get("claims")
    world.gates.check_running(BANK, contract, "pull")
    world.registrations.move(BANK, "suspended", reason="核查", by="officer")
    world.clock.advance(seconds=61)
    with pytest.raises(NotPermitted):
        world.gates.check_running(BANK, contract, "pull")
