"""Agreements, lists, docking, sharing outside, licences, registration (Q-40, Q-47 to Q-50, Q-54, C-19, L-39, L-40)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.standing import (
    DIGEST,
    SIGNED,
    agreed,
    complete,
    confirmed,
    drafted,
    joint_test,
    person,
)
from tests.support.standing_world import BANK, BUREAU, COURT, StandingWorld

from huitong.errors import BadRequest, Conflict, HuitongError, NotPermitted
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR
from huitong.standing.lacking import dockings_in_force, lists_in_force
from huitong.standing.registration import Officer, Registration, credit_code_warnings

SIGNED_NOW = {**SIGNED, "signed_on": "2026-01-05"}
DOCKING = {"resources": ["claims"], "method": "API", "security_terms": "SM4", "contacts": ["王五"]}


@pytest.fixture
def world(tmp_path: Path) -> StandingWorld:
    return StandingWorld(tmp_path)


def at_once(*works: Any) -> list[str]:
    """What each of several threads that start together ends with: "done" or the error's code."""
    ready, ends = threading.Barrier(len(works)), [""] * len(works)

    def run(place: int) -> None:
        ready.wait()
        try:
            works[place]()
            ends[place] = "done"
        except HuitongError as error:
            ends[place] = error.code

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


class TestAgreements:
    def test_it_is_in_force_when_both_have_signed_in_any_order(self, world: StandingWorld) -> None:
        """Q-02: date, signatories and scope are recorded."""
        for first, second in (("sign_first", "countersign_second"), ("sign_second", "countersign_first")):
            made = drafted(world, COURT, BANK, "security", [])
            sides = {"first": COURT, "second": BANK}
            for step in (first, second):
                actor = person(sides[step.rpartition("_")[2]])
                made = world.standing.take("agreement", made.id, step, actor, SIGNED_NOW)
            assert made.state == "signed"
            assert [s["unit"] for s in made.content["signatures"]] == [
                sides[s.rpartition("_")[2]] for s in (first, second)
            ]

    def test_nobody_signs_for_the_other_side_or_another_text(self, world: StandingWorld) -> None:
        made = drafted(world, COURT, BANK, "security", [])
        with pytest.raises(NotPermitted):
            world.standing.take("agreement", made.id, "sign_second", person(COURT), SIGNED_NOW)
        other, later = {**SIGNED_NOW, "digest": "cd" * 32}, {**SIGNED_NOW, "signed_on": "2026-02-05"}
        with pytest.raises(BadRequest):
            world.standing.take("agreement", made.id, "sign_second", person(BANK), other)
        with pytest.raises(BadRequest):
            world.standing.take("agreement", made.id, "sign_second", person(BANK), later)
        assert world.standing.desks["agreement"].get(made.id).state == "drafted"

    def test_of_two_signatories_at_once_one_wins_and_the_other_signs_after_it(
        self, world: StandingWorld
    ) -> None:
        for _ in range(10):
            made = drafted(world, COURT, BANK, "security", [])

            def sign(step: str, unit: str, id: str = made.id) -> None:
                world.standing.take("agreement", id, step, person(unit), SIGNED_NOW)

            ends = at_once(lambda s=sign: s("sign_first", COURT), lambda s=sign: s("sign_second", BANK))
            assert ends == ["conflict", "done"]
            state = world.standing.desks["agreement"].get(made.id).state
            step = {"first_signed": "countersign_second", "second_signed": "countersign_first"}[state]
            sign(step, BANK if step.endswith("second") else COURT)
            assert len(world.standing.desks["agreement"].get(made.id).content["signatures"]) == 2

    def test_every_fault_of_a_draft_is_told_at_once(self, world: StandingWorld) -> None:
        with pytest.raises(BadRequest) as refused:
            drafted(world, COURT, BANK, "licence", ["none"], starts="2026-13-01", digest="x", document=" ")
        fields = {p.where["field"] for p in refused.value.problems}
        assert fields == {"starts", "digest", "document", "volume", "resources"}

    def test_both_sides_are_reminded_once_and_it_expires_by_the_clock(self, world: StandingWorld) -> None:
        made = agreed(world, COURT, BANK, "security", [], ends="2026-01-20")
        counts = []
        for _ in range(20):
            counts.append(sum(world.expiry.run().values()))
            world.clock.advance(days=1)
        assert sum(counts) == 3  # 30 days (at once), 7 days, its end
        assert world.standing.desks["agreement"].get(made.id).state == "expired"
        ending = [n for n in world.notices.of_unit(BANK) if n.kind == "agreement.ending"]
        assert len(ending) == 2

    def test_a_successor_that_was_signed_before_an_interruption_ends_the_former_later(
        self, world: StandingWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        former = agreed(world, COURT, BANK, "security", [])
        monkeypatch.setattr(world.standing, "_supersede", lambda record: None)
        agreed(world, COURT, BANK, "security", [], replaces=former.id)
        assert world.expiry.run()["superseded"] == 1
        assert world.standing.desks["agreement"].get(former.id).state == "superseded"


class TestListsAndDocking:
    def test_docking_starts_only_after_a_list_that_both_confirmed(self, world: StandingWorld) -> None:
        """Q-48."""
        proposal = {"counterpart": OPERATOR, "resources": ["claims"]}
        made = world.standing.open("share-lists", person(BANK), proposal)
        with pytest.raises(NotPermitted) as refused:
            world.standing.open("dockings", person(BANK), {"counterpart": OPERATOR, **DOCKING})
        assert [p.rule for p in refused.value.problems] == ["docking.list"]
        world.standing.take("share_list", made.id, "confirm", person(OPERATOR), {})
        assert world.standing.open("dockings", person(BANK), {"counterpart": OPERATOR, **DOCKING}).id

    def test_a_revision_goes_through_the_same_steps_and_then_counts_instead(
        self, world: StandingWorld
    ) -> None:
        """Q-54: with its re-evaluation."""
        confirmed(world, "share-lists", BANK, OPERATOR, {"resources": ["claims"]})
        former = confirmed(world, "dockings", BANK, OPERATOR, DOCKING)
        revision = {**DOCKING, "volume": "10 倍", "revises": former.id}
        with pytest.raises(BadRequest):
            world.standing.open("dockings", person(BANK), {"counterpart": OPERATOR, **revision})
        revision["evaluation"] = "用量超出原计划"
        made = world.standing.open("dockings", person(BANK), {"counterpart": OPERATOR, **revision})
        before = dockings_in_force(world.standing.between(BANK, OPERATOR, "docking"))
        assert [r.id for r in before] == [former.id]
        world.standing.take("docking", made.id, "confirm", person(OPERATOR), {})
        after = dockings_in_force(world.standing.between(BANK, OPERATOR, "docking"))
        assert [r.id for r in after] == [made.id]

    def test_the_list_confirmed_last_counts(self, world: StandingWorld) -> None:
        confirmed(world, "share-lists", BANK, OPERATOR, {"resources": ["claims"]})
        world.clock.advance(hours=1)
        last = confirmed(world, "share-lists", OPERATOR, BANK, {"resources": ["claims"], "remark": "x"})
        records = world.standing.between(OPERATOR, BANK, "share_list")
        assert [r.id for r in lists_in_force(records)] == [last.id]
        world.standing.take("share_list", last.id, "end", person(OPERATOR), {"reason": "x"})
        assert lists_in_force(world.standing.between(OPERATOR, BANK, "share_list")) == []

    def test_communications_and_work_items_are_kept_for_both_sides_only(self, world: StandingWorld) -> None:
        """Q-49, Q-50."""
        confirmed(world, "share-lists", BANK, OPERATOR, {"resources": ["claims"]})
        docking = confirmed(world, "dockings", BANK, OPERATOR, DOCKING).id
        world.docking.say(docking, person(BANK), people="甲、乙", text="约定联调时间")
        assert [c.text for c in world.docking.log(docking)] == ["约定联调时间"]
        work = world.docking.add(docking, person(OPERATOR), title="开通网络", owner=BANK, person="丙")
        world.docking.move(docking, work.number, person(BANK), "done")
        assert [(w.title, w.owner, w.state) for w in world.docking.work(docking)] == [
            ("开通网络", BANK, "done")
        ]
        with pytest.raises(Conflict):
            world.docking.move(docking, 1, person(BANK), "under_way")
        for act in (
            lambda: world.docking.say(docking, person(BUREAU), people="x", text="x"),
            lambda: world.docking.add(docking, person(BUREAU), title="x", owner=BANK),
        ):
            with pytest.raises(NotPermitted):
                act()

    def test_two_work_items_at_once_get_two_numbers_or_one_is_told(self, world: StandingWorld) -> None:
        confirmed(world, "share-lists", BANK, OPERATOR, {"resources": ["claims"]})
        docking = confirmed(world, "dockings", BANK, OPERATOR, DOCKING).id

        def add() -> None:
            world.docking.add(docking, person(BANK), title="x", owner=BANK)

        ends = at_once(add, add, add)
        work = world.docking.work(docking)
        assert [w.number for w in work] == list(range(1, ends.count("done") + 1))

    def test_a_test_names_testers_of_both_sides_and_its_evidence(self, world: StandingWorld) -> None:
        """Q-51."""
        content = {"counterpart": OPERATOR, **joint_test("claims", their_testers=[" "], digest="")}
        with pytest.raises(BadRequest) as refused:
            world.standing.open("joint-tests", person(BANK), content)
        assert {p.where["field"] for p in refused.value.problems} == {"their_testers", "digest"}


def test_sharing_outside_needs_the_source_units_consent_to_the_plan_and_the_departments_opinion(
    world: StandingWorld,
) -> None:
    """Q-47."""
    content = {
        "source": COURT, "resources": ["claims"], "reason": "专网", "document": "documents/p", "digest": DIGEST,
    }  # fmt: skip
    made = world.standing.open("outside-exchanges", person(BANK), content)
    opinion = {"opinion": "同意", "document": "documents/o"}
    with pytest.raises(Conflict):
        world.standing.take("outside_exchange", made.id, "consent", person(DATA_DEPARTMENT), opinion)
    with pytest.raises(BadRequest):
        world.standing.take("outside_exchange", made.id, "agree", person(COURT), {"digest": "cd" * 32})
    world.standing.take("outside_exchange", made.id, "agree", person(COURT), {"digest": DIGEST})
    with pytest.raises(NotPermitted):
        world.standing.take("outside_exchange", made.id, "consent", person(OPERATOR), opinion)
    with pytest.raises(BadRequest):
        world.standing.take("outside_exchange", made.id, "consent", person(DATA_DEPARTMENT), {})
    done = world.standing.take("outside_exchange", made.id, "consent", person(DATA_DEPARTMENT), opinion)
    assert done.state == "recorded"


class TestLicences:
    """C-19: a batch query is refused unless a licence covers the resource, the volume and the date."""

    def take(self, world: StandingWorld, rows: int, resource: str = "claims") -> None:
        world.licences.take(BANK, resource, COURT, rows)

    def test_resource_volume_and_date_all_bind(self, world: StandingWorld) -> None:
        with pytest.raises(NotPermitted):
            self.take(world, 1)
        ends = "2026-01-06"
        agreed(world, COURT, BANK, "licence", ["claims"], volume=100, ends=ends)
        self.take(world, 60)
        with pytest.raises(NotPermitted):
            self.take(world, 41)
        self.take(world, 40)
        with pytest.raises(NotPermitted):
            self.take(world, 1)
        with pytest.raises(NotPermitted):
            self.take(world, 1, "other")
        world.clock.advance(days=1)
        self.take(world, 100)  # another day
        world.clock.advance(days=1)
        with pytest.raises(NotPermitted):
            self.take(world, 1)  # after its last day

    def test_requests_at_once_never_take_more_than_the_licence_has(self, world: StandingWorld) -> None:
        made = agreed(world, COURT, BANK, "licence", ["claims"], volume=5)
        ends = at_once(*[lambda: self.take(world, 2)] * 4)
        assert ends == ["done", "done", "not-permitted", "not-permitted"]
        assert world.licences.used(made.id, world.clock.now().date()) == 4


class TestRegistration:
    """L-40: the four officers; changes recorded and notified."""

    def test_a_change_is_kept_with_old_and_new_and_told_to_partners_and_operator(
        self, world: StandingWorld
    ) -> None:
        complete(world, BANK, "claims", but=("test",))
        before = {n.id for unit in (COURT, OPERATOR, BUREAU) for n in world.notices.of_unit(unit)}
        found = world.registrations.find(BANK)
        assert found is not None
        world.clock.advance(days=1)
        officers = {**found.officers, "leader": Officer("赵六", "副行长")}
        world.registrations.put(Registration(BANK, officers=officers), by="bank")
        (change, *_) = world.registrations.history(BANK)
        assert (change.what, change.old, change.new) == ("officer.leader", "李四", "赵六 副行长")
        told = {
            unit: [n for n in world.notices.of_unit(unit) if n.id not in before]
            for unit in (COURT, OPERATOR, BUREAU)
        }
        assert {unit: [n.kind for n in notices] for unit, notices in told.items()} == {
            COURT: ["unit.changed"],
            OPERATOR: ["unit.changed"],
            BUREAU: [],
        }
        assert "赵六" not in told[COURT][0].zh  # names of persons stay in the register

    def test_the_same_again_changes_and_tells_nothing(self, world: StandingWorld) -> None:
        wanted = Registration(BANK, address="深圳市", officers={"leader": Officer("李四")})
        world.registrations.put(wanted, by="x")
        told = len(world.notices.of_unit(OPERATOR)), len(world.registrations.history(BANK))
        world.registrations.put(wanted, by="x")
        assert (len(world.notices.of_unit(OPERATOR)), len(world.registrations.history(BANK))) == told

    def test_two_changes_at_once_one_is_told_to_read_again(self, world: StandingWorld) -> None:
        for turn in range(5):
            world.registrations.put(Registration(BANK, address=f"{turn}"), by="x")
            ends = at_once(
                *[
                    lambda n=n, t=turn: world.registrations.put(
                        Registration(BANK, address=f"{t}-{n}"), by="x"
                    )
                    for n in range(2)
                ]
            )
            assert ends in (["conflict", "done"], ["done", "done"])
            last = world.registrations.find(BANK)
            assert last is not None
            addresses = [c.new for c in world.registrations.history(BANK) if c.what == "address"]
            assert last.address in addresses

    def test_a_closed_unit_stays_closed(self, world: StandingWorld) -> None:
        world.registrations.move(BANK, "closed", reason="撤并", by="x")
        with pytest.raises(Conflict):
            world.registrations.put(Registration(BANK), by="x")
        with pytest.raises(Conflict):
            world.registrations.move(BANK, "active", reason="x", by="x")

    def test_the_inner_check_is_a_warning_and_kinds_follow_the_code(self) -> None:
        """Q-40, GB 32100 and GB 11714."""
        for code in (OPERATOR, DATA_DEPARTMENT, COURT, BANK, "5144030000AA01115P", "1144030000AA0106XM"):
            assert credit_code_warnings(code) == []
        assert [p.rule for p in credit_code_warnings(COURT[:16] + "8" + COURT[17:])] == [
            "unit.organisation-code"
        ]
        assert (Registration(COURT).kind[0], Registration(BANK).kind[0]) == ("机关", "企业")

    def test_wrong_duties_and_empty_names_are_told_together(self, world: StandingWorld) -> None:
        wrong = Registration(BANK, region="12", officers={"boss": Officer("x"), "leader": Officer(" ")})
        with pytest.raises(BadRequest) as refused:
            world.registrations.put(wrong, by="x")
        assert {p.rule for p in refused.value.problems} == {"unit.duty", "unit.officer", "unit.region"}
