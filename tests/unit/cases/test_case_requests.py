"""Requests for information or verification in a case: filed, checked, decided, answered, ended with the case."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.court import CASE_NO, COURT, DEBTOR, FIRM, KEY, CourtWorld

from huitong.audit.subjects import blind
from huitong.cases.ending import Endings
from huitong.contracts.model import Contract, Field
from huitong.delivery.subscriptions import Subscriptions
from huitong.errors import BadRequest, Conflict, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.local.messages import MemoryQueue, PlainSecrets
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.sharing.access import Access
from huitong.sharing.grants import Grants
from huitong.tickets.request_content import Asked, Person
from huitong.tickets.requests import Requests

BUREAU = "1144030000AA010433"
SPOUSE, PARTNER = "440301199202020021", "440301197003030031"
ESTATE = Contract(
    id="IN-07",
    version=1,
    title="不动产",
    table="in_07",
    provider=BUREAU,
    fields=(
        Field("cert_no", key=1, field_id=7),
        Field("id_no", level="L4", mask="id", semantic="citizen-id", field_id=8),
        Field("location", level="L3", mask="address", field_id=9),
    ),
)


def actor(name: str, unit: str, *roles: Any) -> Actor:
    return Actor(Principal(name, unit, frozenset(roles)), unit)


LAWYER = actor("p-lawyer", FIRM, "case_officer")
PARTNER_OF_FIRM = actor("p-boss", FIRM, "approver")
CLERK = actor("p-clerk", BUREAU, "approver")
OTHER_CLERK = actor("p-clerk-2", BUREAU, "approver")


class World(CourtWorld):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.contracts["IN-07"] = ESTATE
        self.grants = Grants(self.register, self.clock)
        self.duties: set[tuple[str, str]] = set()
        self.requests = Requests(
            self.register,
            self.traces,
            Calendar(self.register),
            self.clock,
            self.cases,
            self.grants,
            self,
            PlainSecrets(),
            lambda: KEY,
            lambda: self,
        )
        self.subscriptions = Subscriptions(self.register, self.log, PlainSecrets(), MemoryQueue(), self.clock)
        self.endings = Endings(
            self.register,
            self.traces,
            self.clock,
            self.grants,
            self.subscriptions,
            self.requests,
            self.cases,
        )

    def held(self, principal: Any, unit: str, duty: str) -> bool:
        return (unit, duty) in self.duties

    def subscribed(self, grant: str) -> str:
        """A subscription under a grant, as the route makes it."""
        access = Access("IN-07", ("location",), grant=grant, case_no=CASE_NO)
        return self.subscriptions.create(FIRM, access, "https://r.example/in", by="p-lawyer")[0].id

    def state(self, subscription: str) -> str:
        return self.subscriptions.get(subscription).subscription.state

    def file(self, *persons: Person, who: Actor = LAWYER, **more: Any) -> Any:
        asked = {
            "resource": ESTATE,
            "fields": ("id_no", "location"),
            "purpose": "核对财产申报",
            "case_no": CASE_NO,
            "persons": persons or (Person(DEBTOR, "debtor", "张三"),),
            **more,
        }
        return self.requests.file(Asked(**asked), who)

    def approved(self, *persons: Person, **more: Any) -> Any:
        made = self.file(*persons, **more)
        self.requests.take(made.id, "check", PARTNER_OF_FIRM)
        return self.requests.take(made.id, "approve", CLERK)


@pytest.fixture
def world() -> World:
    made = World()
    made.say("20", "21", "30")
    return made


def test_from_filing_to_the_answer_each_step_by_who_may(world: World) -> None:
    """Q-56, Q-57, C-20: nothing is given before the source unit's approval; its state can be followed."""
    made = world.file()
    assert world.grants.of_case(CASE_NO) == []
    with pytest.raises(NotPermitted):  # four eyes in the own unit
        world.requests.take(made.id, "check", actor("p-lawyer", FIRM, "case_officer", "approver"))
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    with pytest.raises(NotPermitted):  # not the asker's to decide
        world.requests.take(made.id, "approve", PARTNER_OF_FIRM)
    assert world.grants.of_case(CASE_NO) == []
    assert world.requests.desk.get(made.id).clocks["answer"].days == 10
    world.requests.take(made.id, "approve", CLERK, {"fields": ["location"], "unmasked": ["location"]})
    (grant,) = world.grants.of_case(CASE_NO)
    assert (grant.id, grant.fields, grant.unmasked) == (made.id, ("location",), ("location",))
    assert (grant.case_no, grant.methods, grant.basis) == (
        CASE_NO,
        ("sql", "read", "request"),
        f"request:{made.id}",
    )
    assert world.requests.desk.get(made.id).clocks["provide"].days == 5
    world.requests.take(made.id, "receive", LAWYER)
    world.requests.take(made.id, "close", LAWYER)
    assert world.grants.find(FIRM, "IN-07", made.id).revoked
    done = world.requests.desk.get(made.id)
    assert [t.step for t in done.history] == ["file", "check", "approve", "receive", "close"]
    evidence = [t.detail for t in world.traces.list(resource="IN-07") if t.act == "procedure"]
    told = [d.rsplit(":", 1)[1] for d in evidence]
    assert sorted(told) == sorted(["file", "check", "approve", "receive", "close"])  # each step once


def test_a_request_without_case_or_duty_is_refused(world: World) -> None:
    """Q-39."""
    with pytest.raises(BadRequest) as refused:
        world.file(case_no="", purpose=" ")
    assert {p.rule for p in refused.value.problems} == {"request.ground", "request.purpose"}
    with pytest.raises(NotPermitted):
        world.file(case_no="", duty="限制消费执行")
    world.duties.add((FIRM, "限制消费执行"))
    assert world.file(case_no="", duty="限制消费执行").content["duty"] == "限制消费执行"


def test_who_is_not_bound_to_the_case_files_nothing(world: World) -> None:
    """S-11."""
    with pytest.raises(NotPermitted):
        world.file(who=actor("p-other", "1144030000AA01027D", "case_officer"))


def test_somebody_else_is_not_passed_off_as_the_debtor(world: World) -> None:
    with pytest.raises(NotPermitted):
        world.file(Person(SPOUSE, "debtor"))


def test_more_than_was_asked_for_is_not_approved(world: World) -> None:
    made = world.file()
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    with pytest.raises(BadRequest):
        world.requests.take(made.id, "approve", CLERK, {"fields": ["cert_no"]})
    assert world.requests.desk.get(made.id).state == "sent"


def test_of_two_decisions_at_once_one_counts(world: World) -> None:
    made = world.file()
    seen = world.requests.take(made.id, "check", PARTNER_OF_FIRM).version
    world.requests.take(made.id, "approve", CLERK, seen=seen)
    with pytest.raises(Conflict):
        world.requests.take(made.id, "refuse", OTHER_CLERK, {"reason": "无依据"}, seen=seen)
    assert world.requests.desk.get(made.id).state == "approved"


def test_a_decision_at_the_very_same_moment_conflicts_and_leaves_one_grant(world: World) -> None:
    """Both read the same state; the second write finds the first."""
    made = world.file()
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    item, late = world.requests._grants.item, []

    def slow(grant: Any, version: int = 0) -> Any:
        if not late:  # the other clerk is quicker between this one's reading and writing
            late.append(True)
            world.requests.take(made.id, "refuse", OTHER_CLERK, {"reason": "重复"})
        return item(grant, version)

    world.requests._grants.item = slow  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.requests.take(made.id, "approve", CLERK)
    assert world.requests.desk.get(made.id).state == "refused"
    assert world.grants.of_case(CASE_NO) == []


def test_the_family_is_known_to_the_grant_of_the_request_that_named_it_and_to_no_other(world: World) -> None:
    """S-11: whom one unit calls a relative is thereby nobody about whom other resources are asked."""
    judge = Principal("p-judge", COURT, frozenset({"case_officer"}))
    spouse, partner = (blind(KEY, "subject", n) for n in (SPOUSE, PARTNER))
    made = world.file(Person(SPOUSE, "spouse"), Person(PARTNER, "other"))
    assert spouse not in world.cases.bound(CASE_NO, judge, COURT).subjects
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    world.requests.take(made.id, "approve", CLERK)
    assert spouse not in world.cases.bound(CASE_NO, judge, COURT).subjects  # nor under another grant
    assert spouse not in world.cases.bound(CASE_NO, judge, COURT, grant="another").subjects
    assert partner not in world.cases.bound(CASE_NO, judge, COURT).subjects  # known to its grant only
    bound = world.cases.bound(CASE_NO, LAWYER.principal, FIRM, grant=made.id)
    assert bound.subjects == {spouse, partner}  # and the grant is about nobody else
    world.say("31", "32", "60")
    late = world.cases.bound(CASE_NO, LAWYER.principal, FIRM, grant=made.id).subjects
    assert spouse not in late  # domain.md 3: not in 60
    with pytest.raises(NotPermitted):
        world.file(Person(SPOUSE, "spouse"))


def test_numbers_and_names_are_sealed_shown_to_the_two_units_and_gone_at_the_end(world: World) -> None:
    made = world.file()
    plain = [i for i in world.register._items.values() if "PERSONS" not in i.sk]
    assert DEBTOR not in str(plain)
    assert "张三" not in str(plain)
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    assert world.requests.persons(made.id, CLERK)[0]["id_no"] == DEBTOR
    (seen,) = [t for t in world.traces.list(unit=BUREAU) if t.detail.endswith(":persons")]
    assert [s for s, _ in seen.subjects] == [blind(KEY, "subject", DEBTOR)]
    with pytest.raises(NotPermitted):
        world.requests.persons(made.id, actor("p-x", OPERATOR, "officer"))
    world.requests.take(made.id, "refuse", CLERK, {"reason": "无依据"})
    assert world.register.get(f"REQUEST#{made.id}", "PERSONS") is None


def test_at_the_end_of_the_case_grants_requests_and_team_end_and_recipients_are_told(world: World) -> None:
    """domain.md 3, from the court's publication to the refused use."""
    approved, filed = world.approved(), world.file()
    subscription, another = world.subscribed(approved.id), world.subscribed("a-free-one")
    world.cases.add(CASE_NO, "p-helper", OPERATOR, by=LAWYER.principal)
    world.say("80")
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, LAWYER.principal, FIRM, grant=approved.id)
    assert world.endings.run() == [CASE_NO]
    assert world.grants.find(FIRM, "IN-07", approved.id).end_reason == "case-ended"
    assert {world.requests.desk.get(r.id).state for r in (approved, filed)} == {"ended"}
    assert all(m.ended_at for m in world.cases.team(CASE_NO))
    assert (world.state(subscription), world.state(another)) == ("cancelled", "active")
    assert world.register.get(f"REQUEST#{filed.id}", "PERSONS") is None
    assert "request.end" in {n.kind for n in Notices(world.register, world.clock).of_unit(FIRM)}
    assert world.endings.run() == []


def test_an_end_that_is_killed_is_taken_up_again(world: World) -> None:
    from dataclasses import replace

    approved = world.approved()
    direct = replace(world.grants.find(FIRM, "IN-07", approved.id), id="a1", application="a1")
    world.register.create(world.grants.item(direct))  # by another procedure, for the same case
    world.say("22")

    class Killed(BaseException):
        pass

    def dies(*_: Any, **__: Any) -> Any:
        raise Killed

    subscription = world.subscribed("a1")
    world.endings._grants = type("G", (), {"of_case": dies})()  # type: ignore[assignment]
    with pytest.raises(Killed):
        world.endings.run()
    world.endings._grants = world.grants
    assert world.endings.tick() == 1
    assert all(g.revoked for g in world.grants.of_case(CASE_NO))
    assert world.state(subscription) == "cancelled"
    told = [n for n in Notices(world.register, world.clock).of_unit(FIRM) if n.kind == "case.ended"]
    assert len(told) == 1
    assert told[0].must_acknowledge


def test_a_unit_that_is_pushed_to_is_bound_as_a_unit(world: World) -> None:
    """Q-58, Q-59: by subscription, with the same authorisation; its system is bound through the grant."""
    helper = actor("p-helper", OPERATOR, "case_officer")
    world.cases.add(CASE_NO, "p-helper", OPERATOR, by=helper.principal)
    system = Principal("s-1", OPERATOR, frozenset({"consumer"}))
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, system, OPERATOR)
    made = world.file(who=helper, mode="subscription")
    world.requests.take(made.id, "check", actor("p-boss", OPERATOR, "approver"))
    world.requests.take(made.id, "approve", CLERK)
    assert world.cases.bound(CASE_NO, system, OPERATOR, grant=made.id)
    assert world.grants.find(OPERATOR, "IN-07", made.id).methods == ("push", "pull")


def test_information_that_goes_out_takes_the_same_way(world: World) -> None:
    """Q-59, figure 3."""
    from dataclasses import replace

    reports = replace(ESTATE, id="OUT-03", provider=OPERATOR, direction="out")
    world.contracts["OUT-03"] = reports
    made = world.file(resource=reports)
    assert (made.content["direction"], made.parties["source"]) == ("out", OPERATOR)
    world.requests.take(made.id, "check", PARTNER_OF_FIRM)
    with pytest.raises(NotPermitted):
        world.requests.take(made.id, "approve", CLERK)
    world.requests.take(made.id, "approve", actor("p-desk", OPERATOR, "approver"))
    assert [g.resource for g in world.grants.of_case(CASE_NO)] == ["OUT-03"]
