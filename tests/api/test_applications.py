"""Whole lives of sharing applications through the API: filing, decision, dispute, grant, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.grounds import DUTY

from conftest import BANK, COURT, Call, Said, World
from huitong.errors import Conflict, Problem
from huitong.identity.model import OPERATOR
from huitong.sharing.applications import Applications
from huitong.sharing.grant import Grant

ASKED = {
    "resource": "claims",
    "fields": ["claim_no", "debtor_id"],
    "purpose": "核对债权",
    "matter": "个人破产债权核查",
    "duty": DUTY,
    "users": ["bank"],
    "methods": ["pull", "push"],
    "volume": 1000,
    "frequency": "每日",
    "ends": "2026-06-30",
    "reason": "办理个人破产案件需要",
}
PEOPLE = {
    "asker": (BANK, ["applicant"]),
    "chief": (BANK, ["approver", "applicant"]),
    "owner": (COURT, ["approver"]),
    "owner2": (COURT, ["approver"]),
    "keeper": (COURT, ["resource_admin"]),
    "desk": (OPERATOR, ["officer"]),
    "desk2": (OPERATOR, ["officer"]),
}
Step = Callable[..., Said]


@pytest.fixture
def people(world: World) -> None:
    world.units.put(OPERATOR, "市破产事务管理署")
    for name, (unit, roles) in PEOPLE.items():
        world.tokens[name] = world.credentials.issue(name, unit, roles, by="test")[1]


@dataclass
class Catalogue:
    """Says one share type of every resource."""

    type: str

    def share_type(self, resource: str) -> str | None:
        del resource
        return self.type


@dataclass
class Closed:
    """A gate at which something always lacks."""

    def lacks(self, unit: str, resource: object, interface: str = "sql") -> list[Problem]:
        del unit, resource
        return [Problem("gate.security", "缺少安全协议", f"no security agreement for {interface}")]


def applications(world: World, *, share_type: str = "", gate: Closed | None = None) -> Applications:
    return Applications(
        world.register, world.traces, world.calendar, world.clock, world.contracts, world.grants,
        world.subscriptions, entries=Catalogue(share_type), gate=gate,
    )  # fmt: skip


@pytest.fixture
def file(call: Call, people: None) -> Callable[..., str]:
    def filed(as_: str = "asker", **changes: Any) -> str:
        said = call("POST", "/v1/applications", as_=as_, body={**ASKED, **changes})
        assert said.status == 201, said.body
        return str(said.body["id"])

    return filed


@pytest.fixture
def step(call: Call) -> Step:
    def taken(as_: str, id: str, name: str, *, seen: int = 0, ok: bool = True, **given: Any) -> Said:
        body: dict[str, Any] = {"step": name, "given": given, "seen": seen}
        said = call("POST", "/v1/applications/{id}/steps", as_=as_, path={"id": id}, body=body)
        assert not ok or said.status == 200, said.body
        return said

    return taken


@pytest.fixture
def sent(file: Callable[..., str], step: Step) -> Callable[..., str]:
    def made(**changes: Any) -> str:
        id = file(**changes)
        step("asker", id, "submit")
        step("chief", id, "send")
        return id

    return made


@pytest.fixture
def active(sent: Callable[..., str], step: Step) -> Callable[..., str]:
    def made(**changes: Any) -> str:
        id = sent(**changes)
        step("owner", id, "decide", approved=changes.get("fields", ASKED["fields"]))
        step("keeper", id, "provide")
        return id

    return made


def grant_of(world: World, id: str) -> Grant | None:
    return world.grants.find(BANK, "claims", id)


def due_of(said: Said, clock: str) -> str:
    return str(said.body["clocks"][clock]["due"])


def test_a_conditional_application_becomes_a_grant_of_exactly_what_the_owner_approved(
    world: World, file: Callable[..., str], step: Step, call: Call
) -> None:
    """X-19, L-17 (due day), L-18, L-19, L-24, L-25, L-26: no re-entry between application and grant."""
    id = file()
    assert grant_of(world, id) is None
    assert (
        call("GET", "/v1/applications/{id}", as_="owner", path={"id": id}).status == 404
    )  # a draft is its unit's
    step("asker", id, "submit")
    assert step("asker", id, "send", ok=False).status == 403
    sent = step("chief", id, "send")
    assert (sent.body["state"], due_of(sent, "answer")) == ("deciding", "2026-01-19")
    bad = step("owner", id, "decide", ok=False, approved=["claim_no"], refused={"debtor_id": " "})
    assert (bad.status, grant_of(world, id)) == (400, None)
    told = step("owner", id, "decide", approved=["claim_no"], refused={"debtor_id": "超出核查所需"})
    assert (told.body["state"], due_of(told, "provide"), grant_of(world, id)) == (
        "approved",
        "2026-01-12",
        None,
    )
    assert step("keeper", id, "provide").body["state"] == "active"
    grant = grant_of(world, id)
    assert grant is not None
    assert (grant.fields, grant.methods, grant.users, grant.duty) == (
        ("claim_no",), ("pull", "push"), ("bank",), ASKED["duty"],
    )  # fmt: skip
    assert (grant.purpose, grant.volume, grant.ends, grant.application) == (
        "核对债权",
        1000,
        "2026-06-30",
        id,
    )
    sheet = call("GET", "/v1/applications/{id}/sheet", as_="owner", path={"id": id}).body
    assert [f["name"] for f in sheet["fields"]] == ["claim_no"]
    assert sheet["import"]
    assert sheet["storage"]
    assert sheet["use"]
    assert sheet["users"] == ["bank"]
    page = call("GET", "/v1/applications/{id}/sheet", as_="asker", path={"id": id}, query={"format": "html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert sheet["number"] in page.body
    assert "debtor_id" not in page.body


def test_what_an_application_lacks_is_told_all_at_once(call: Call, people: None) -> None:
    """L-24, L-25: reason, fields, purpose, matter, users, method and end date; single fields; case or duty."""
    said = call("POST", "/v1/applications", as_="asker", body={"resource": "claims", "fields": ["*"]})
    assert said.status == 400
    rules = {(p["rule"], p["where"]["field"]) for p in said.body["problems"]}
    missing = ("purpose", "matter", "users", "methods", "ends", "reason")
    assert {("application.needs", name) for name in missing} <= rules
    assert ("application.field", "fields") in rules
    assert ("application.ground", "case_no") in rules


def test_an_unconditional_resource_is_had_at_once_after_the_units_own_review(
    world: World, file: Callable[..., str], step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-16, L-24: at once, but not before another person of the unit has looked at it."""
    world.applications = applications(world, share_type="1")
    id = file()
    step("asker", id, "submit")
    assert grant_of(world, id) is None
    opened = step("chief", id, "send")
    assert [t["step"] for t in opened.body["history"]] == [
        "draft",
        "submit",
        "send",
        "settle",
        "open_at_once",
    ]
    grant = grant_of(world, id)
    assert opened.body["state"] == "active"
    assert grant is not None
    assert (grant.fields, grant.unmasked) == (("claim_no", "debtor_id"), ())


def test_plain_values_of_an_unconditional_resource_still_need_the_owner(
    world: World, sent: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-30: no rule of the catalogue unmasks."""
    world.applications = applications(world, share_type="1")
    id = sent(unmasked=["debtor_id"])
    assert world.applications.desk.get(id).state == "deciding"
    assert grant_of(world, id) is None


def test_what_is_not_shared_is_refused_from_the_start_with_its_reason_and_recorded(
    world: World,
    call: Call,
    people: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.applications = applications(world, share_type="3")
    said = call("POST", "/v1/applications", as_="asker", body=ASKED)
    assert said.status == 403
    assert "不予共享" in said.body["detail"]
    (trace,) = [t for t in world.traces.list(resource="claims") if t.act == "refuse"]
    assert (trace.unit, world.applications.desk.in_state()) == (BANK, [])


def test_a_refusal_has_a_reason_and_the_applicant_may_call_for_negotiation(
    world: World, sent: Callable[..., str], step: Step, call: Call
) -> None:
    """L-19, L-20, L-21: each stage is dated and published; a decision to share starts five working days."""
    id = sent()
    assert step("owner", id, "refuse", ok=False).status == 400
    step("owner", id, "refuse", reason="与法定职责无关")
    step("asker", id, "escalate", reason="属于法定职责")
    world.clock.advance(days=1)
    step("desk", id, "negotiated", result="双方未达成一致")
    world.clock.advance(days=1)
    step("desk", id, "coordinated", result="协调未成", document="协调〔2026〕1号")
    world.clock.advance(days=1)
    assert step("owner", id, "decide_binding", ok=False, share="yes", document="d", text="t").status == 403
    said = step(
        "desk", id, "decide_binding", share="yes", document="会审〔2026〕3号", text="应予共享",
        approved=ASKED["fields"],
    )  # fmt: skip
    assert (said.body["state"], due_of(said, "provide")) == ("approved", "2026-01-15")
    (published,) = call("GET", "/v1/disputes", as_="bureau").body["items"]
    told = [(s["step"], s["day"], s["result"]) for s in published["steps"]]
    assert told == [
        ("escalate", "2026-01-05", ""), ("negotiated", "2026-01-06", "双方未达成一致"),
        ("coordinated", "2026-01-07", "协调未成"), ("decide_binding", "2026-01-08", "应予共享"),
        ("settle", "2026-01-08", ""),
    ]  # fmt: skip
    assert "fields" not in published
    assert "purpose" not in published
    step("desk2", id, "provide_by_desk")
    grant = grant_of(world, id)
    assert grant is not None
    assert grant.basis == "会审〔2026〕3号"


def test_a_binding_decision_not_to_share_ends_it(sent: Callable[..., str], step: Step, world: World) -> None:
    """L-21"""
    id = sent()
    step("owner", id, "refuse", reason="无关")
    step("chief", id, "escalate", reason="有关")
    step("desk", id, "negotiated", result="未成")
    step("desk", id, "coordinated", result="未成")
    said = step("desk", id, "decide_binding", share="no", document="会审〔2026〕4号", text="不予共享")
    assert (said.body["state"], grant_of(world, id)) == ("upheld", None)


def test_a_late_owner_is_reminded_recorded_and_the_case_moves_to_negotiation(
    world: World, sent: Callable[..., str], step: Step, call: Call
) -> None:
    """L-17, L-20, L-46: reminder once, breach once, the dispute in the same write, and the record of it."""
    id = sent()
    world.clock.moment = world.clock.moment.replace(day=15)
    assert (world.applications.tick(), world.applications.tick()) == (1, 0)
    world.clock.moment = world.clock.moment.replace(day=19)
    assert world.applications.tick() == 0  # the last day is in time
    world.clock.moment = world.clock.moment.replace(day=20)
    assert (world.applications.tick(), world.applications.tick()) == (1, 0)
    kinds = [n.kind for n in world.notices.about(f"application:{id}") if n.to == COURT]
    assert kinds.count("application.warned") == kinds.count("application.breached") == 1
    assert call("GET", "/v1/applications/{id}", as_="asker", path={"id": id}).body["state"] == "negotiating"
    late = step("owner", id, "decide", approved=ASKED["fields"])
    assert late.body["state"] == "approved"  # a late answer still ends the dispute
    (breach,) = call("GET", "/v1/breaches", as_="desk", query={"from": "2026-01-01"}).body["items"]
    assert (breach["unit"], breach["clock"], breach["due"], breach["days_late"]) == (
        COURT,
        "answer",
        "2026-01-19",
        1,
    )
    assert call("GET", "/v1/breaches", as_="asker").body["items"] == []  # another unit's lateness


def test_who_asks_for_more_stops_the_clock_but_not_when_it_is_over(
    world: World, sent: Callable[..., str], step: Step
) -> None:
    """L-17: three of ten days used, a week of waiting, seven days left."""
    id = sent()
    world.clock.advance(days=3)  # Thursday the 8th: three working days used
    asked = step("keeper", id, "ask_supplement", question="请说明依据")
    assert asked.body["clocks"]["answer"]["spent"] == 3
    world.clock.advance(days=20)
    assert world.applications.tick() == 0
    back = step("asker", id, "supplement", text="依据如下")  # Wednesday the 28th
    assert due_of(back, "answer") == "2026-02-06"
    world.clock.moment = world.clock.moment.replace(month=2, day=9)
    late = step("keeper", id, "ask_supplement", ok=False, question="再补充")
    assert (late.status, late.code) == (409, "conflict")


def test_two_persons_stand_behind_a_plain_l4_field(
    world: World, sent: Callable[..., str], step: Step
) -> None:
    """S-30, domain.md section 4."""
    id = sent(unmasked=["debtor_id"])
    said = step("owner", id, "decide", approved=ASKED["fields"], unmasked=["debtor_id"])
    assert said.body["state"] == "seconding"
    assert step("owner", id, "second", ok=False).status == 403
    step("owner2", id, "second")
    step("keeper", id, "provide")
    grant = grant_of(world, id)
    assert grant is not None
    assert grant.seconded
    assert grant.unmasked == ("debtor_id",)


def test_of_two_decisions_at_once_one_wins(
    world: World, sent: Callable[..., str], step: Step, call: Call
) -> None:
    """One conditional write: the other gets a conflict; also who looked at an older version."""
    id = sent()
    version = call("GET", "/v1/applications/{id}", as_="owner", path={"id": id}).body["version"]
    register, taken = world.register, []
    write = register.write

    def meanwhile(*args: Any, **more: Any) -> None:
        if not taken:
            taken.append("refuse")
            step("owner2", id, "refuse", reason="不属于职责")
        write(*args, **more)

    register.write = meanwhile  # type: ignore[method-assign]
    lost = step("owner", id, "decide", ok=False, approved=ASKED["fields"])
    register.write = write  # type: ignore[method-assign]
    assert (lost.status, world.applications.desk.get(id).state) == (409, "refused")
    assert step("asker", id, "escalate", ok=False, seen=version, reason="x").status == 409


def test_an_extension_goes_through_the_same_steps_and_takes_the_place_of_the_former(
    world: World, active: Callable[..., str], step: Step, call: Call
) -> None:
    """Q-54: the grant is the same one with a later end; the former application is closed in the same write."""
    id = active()
    body = {"amends": id, "ends": "2026-12-31", "reason": "案件延期"}
    new = call("POST", "/v1/applications", as_="asker", body=body).body["id"]
    step("asker", new, "submit")
    step("chief", new, "send")
    assert grant_of(world, id).ends == "2026-06-30"  # type: ignore[union-attr]  # goes on as it was
    said = step("owner", new, "decide", approved=ASKED["fields"])
    assert said.body["state"] == "active"  # nothing new to connect: at once
    grant = grant_of(world, id)
    assert grant is not None
    assert (grant.ends, grant.application) == ("2026-12-31", new)
    assert world.applications.desk.get(id).state == "replaced"
    late = call("POST", "/v1/applications", as_="asker", body=body)
    assert (late.status, late.code) == (409, "conflict")


def test_a_change_that_comes_after_the_end_revives_nothing(
    world: World, active: Callable[..., str], step: Step, call: Call
) -> None:
    """Q-55: ended is ended, whatever was under way."""
    id = active()
    body = {"amends": id, "fields": ["claim_no", "amount"], "reason": "需要金额"}
    new = call("POST", "/v1/applications", as_="asker", body=body).body["id"]
    step("asker", new, "submit")
    step("chief", new, "send")
    step("owner", new, "decide", approved=["claim_no", "amount"])
    step("chief", id, "give_up", reason="不再需要")
    assert step("keeper", new, "provide", ok=False).status == 409
    grant = grant_of(world, id)
    assert grant is not None
    assert grant.revoked
    assert "amount" not in grant.fields


def test_termination_stops_grant_and_subscriptions_at_once(
    world: World, active: Callable[..., str], step: Step, call: Call
) -> None:
    """Q-55, S-10: agreed by both sides; other sharings of the unit go on; the next subscription is refused."""
    id, other = active(), active(fields=["claim_no"], methods=["push"])
    ids = [_subscribe(call, grant).body["id"] for grant in (id, other)]
    assert step("chief", id, "propose_end", reason="项目结束").body["state"] == "ending_by_receiver"
    assert world.subscriptions.get(ids[0]).subscription.state == "active"  # until the other side agrees
    step("owner", id, "owner_agree_end")
    states = [world.subscriptions.get(one).subscription.state for one in ids]
    assert states == ["cancelled", "active"]
    ended, going = grant_of(world, id), grant_of(world, other)
    assert ended is not None
    assert ended.revoked
    assert going is not None
    assert not going.revoked
    again = _subscribe(call, id)
    assert again.status == 403
    assert "refuse" in [t.act for t in world.traces.list(unit=BANK, limit=0)]  # later calls are logged


def test_an_end_that_was_interrupted_is_finished_by_the_clock(
    world: World, active: Callable[..., str], step: Step, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q-55: killed between the decision and the closing of its routes; nothing is left open."""
    id = active()
    subscription = _subscribe(call, id).body["id"]
    cancel = world.subscriptions.cancel

    def killed(*_: Any, **__: Any) -> None:
        raise Conflict("忙", "busy")

    monkeypatch.setattr(world.subscriptions, "cancel", killed)
    step("desk", id, "end_by_decision", reason="违规使用", document="决定〔2026〕9号")
    assert grant_of(world, id).revoked  # type: ignore[union-attr]
    assert world.subscriptions.get(subscription).subscription.state == "active"
    monkeypatch.setattr(world.subscriptions, "cancel", cancel)
    assert (world.applications.tick(), world.applications.tick()) == (1, 0)
    assert world.subscriptions.get(subscription).subscription.state == "cancelled"


def test_a_sharing_ends_with_its_last_day(world: World, active: Callable[..., str]) -> None:
    id = active(ends="2026-02-10")
    world.clock.moment = world.clock.moment.replace(month=2, day=10)
    assert world.applications.expire() == 0
    world.clock.moment = world.clock.moment.replace(month=2, day=11)
    assert (world.applications.expire(), world.applications.expire()) == (1, 0)
    assert world.applications.desk.get(id).state == "ended"


def test_a_sharing_whose_grant_was_ended_otherwise_is_over(world: World, active: Callable[..., str]) -> None:
    """The end of a case or of an agreement ends grants: their applications do not stay open for ever."""
    id = active()
    world.grants.revoke(BANK, "claims", id, by="case")
    assert (world.applications.expire(), world.applications.desk.get(id).state) == (1, "ended")


def test_a_unit_of_another_city_is_routed_not_accepted(
    world: World,
    call: Call,
    step: Step,
    people: None,
) -> None:
    """L-27, L-28: forwarded with target and tracking number; the owner never sees it; the answer is kept."""
    other = "11440100007500000L"
    world.units.put(other, "广州某局")
    for name, role in (("far", "applicant"), ("far_chief", "approver")):
        world.tokens[name] = world.credentials.issue(name, other, [role], by="test")[1]
    id = call("POST", "/v1/applications", as_="far", body=ASKED).body["id"]
    step("far", id, "submit")
    said = step("far_chief", id, "send")
    content = said.body["content"]
    assert said.body["state"] == "forwarded"
    assert content["tracking_number"].startswith("ZF-20260105-")
    assert content["forwarded_to"]["level"] == "city"
    assert step("owner", id, "decide", ok=False, approved=ASKED["fields"]).status == 409
    assert step("desk", id, "report", result="由广州平台办理").body["state"] == "answered"
    assert world.grants.of_unit(other) == []


def test_a_request_to_a_unit_elsewhere_is_passed_on_and_stays_traceable(
    call: Call,
    step: Step,
    people: None,
) -> None:
    """L-28"""
    asked = {k: v for k, v in ASKED.items() if k != "resource"}
    body = {**asked, "fields": ["婚姻状况"], "elsewhere": {"unit": "广州市民政局", "resource": "婚姻登记"}}
    id = call("POST", "/v1/applications", as_="asker", body=body).body["id"]
    step("asker", id, "submit")
    assert step("chief", id, "send").body["state"] == "forwarded"
    (seen,) = call("GET", "/v1/applications", as_="desk", query={"state": "forwarded"}).body["items"]
    assert seen["content"]["forwarded_to"]["unit"] == "广州市民政局"


def test_the_class_follows_from_who_needs_whose_data(call: Call, file: Callable[..., str]) -> None:
    """L-27"""
    id = file()
    found = call("GET", "/v1/applications/{id}", as_="asker", path={"id": id}).body["content"]
    assert found["sharing_class"] == "internal_sharing"
    wrong = call(
        "POST", "/v1/applications", as_="asker", body={**ASKED, "sharing_class": "external_provision"}
    )
    assert (wrong.status, wrong.body["problems"][0]["rule"]) == (400, "application.class")


def test_nothing_is_opened_before_the_gates_are_passed(
    world: World, sent: Callable[..., str], step: Step
) -> None:
    """L-39, Q-49: what lacks is told; the approval stays, the grant is not there."""
    world.applications = applications(world, gate=Closed())
    id = sent()
    step("owner", id, "decide", approved=ASKED["fields"])
    said = step("keeper", id, "provide", ok=False)
    assert (said.status, {p["rule"] for p in said.body["problems"]}) == (403, {"gate.security"})
    assert (grant_of(world, id), world.applications.desk.get(id).state) == (None, "approved")


def test_every_step_leaves_its_evidence_and_units_see_only_their_own(
    world: World, sent: Callable[..., str], call: Call
) -> None:
    """L-34, S-08"""
    id = sent()
    told = [t.detail for t in world.traces.list(resource="claims") if t.act == "procedure"]
    assert sorted(told) == sorted(f"application:{id}:{s}" for s in ("draft", "submit", "send"))
    assert call("GET", "/v1/applications/{id}", as_="bureau", path={"id": id}).status == 404
    assert call("GET", "/v1/applications", as_="bureau").body["items"] == []
    for who, query in (("owner", {}), ("asker", {}), ("desk", {}), ("officer", {"unit": COURT})):
        assert [a["id"] for a in call("GET", "/v1/applications", as_=who, query=query).body["items"]] == [id]
    assert call("POST", "/v1/applications", as_="bank", body=ASKED).status == 403  # not an applicant


def test_the_calendar_is_kept_by_the_desk_and_its_change_is_recorded(
    world: World,
    sent: Callable[..., str],
    call: Call,
    people: None,
) -> None:
    """standards.md 2.10: provisional until the table is there, then counted anew."""
    world.clock.moment = world.clock.moment.replace(month=12, day=28)
    id = sent(ends="2027-06-30")

    def clock() -> Mapping[str, Any]:
        found: Mapping[str, Any] = call("GET", "/v1/applications/{id}", as_="asker", path={"id": id}).body[
            "clocks"
        ]
        return found

    assert (clock()["answer"]["due"], clock()["answer"]["provisional"]) == ("2027-01-11", True)
    assert call("GET", "/v1/calendar/{year}", as_="asker", path={"year": "2027"}).status == 404
    body = {"holidays": ["2027-01-01", "2027-01-04"], "make_up": ["2027-01-09"], "source": "试"}
    put = {"path": {"year": "2027"}, "body": body}
    assert call("PUT", "/v1/calendar/{year}", as_="asker", **put).status == 403
    assert call("PUT", "/v1/calendar/{year}", as_="desk", **put).status == 200
    assert "calendar:2027" in [t.detail for t in world.traces.list(unit=OPERATOR)]
    assert world.applications.tick() == 0
    assert (clock()["answer"]["due"], clock()["answer"]["provisional"]) == ("2027-01-12", False)
    empty = {"path": {"year": "2028"}, "body": {"holidays": [], "make_up": []}}
    assert call("PUT", "/v1/calendar/{year}", as_="desk", **empty).status == 400


def _subscribe(call: Call, grant: str) -> Said:
    headers = {"Huitong-Grant": grant, "Huitong-Duty": quote(DUTY)}
    body = {"resource": "claims", "endpoint": "https://receiver.example/in"}
    return call("POST", "/v1/subscriptions", as_="bank", body=body, headers=headers)


def test_the_registry_of_interfaces_follows_from_the_grants(
    world: World, active: Callable[..., str], step: Step, call: Call
) -> None:
    """S-37: owner, partner, state, application, end date; closed with the sharing, seen by both sides."""
    id = active()
    open_ = {"interface": "push", "state": "open", "application": id, "owner": COURT, "ends": "2026-06-30"}
    for who in ("owner", "asker"):
        found = call("GET", "/v1/interfaces", as_=who, query={"unit": BANK if who == "asker" else COURT}).body
        (push,) = [i for i in found["items"] if i["interface"] == "push"]
        assert {name: push[name] for name in open_} == open_
    switch = {"path": {"unit": BANK, "code": "claims", "name": "push"}}

    def switched(who: str, state: str) -> Said:
        body = {"state": state, "reason": "演练"}
        return call("POST", "/v1/interfaces/{unit}/{code}/{name}", as_=who, body=body, **switch)

    def states() -> dict[str, str]:
        items = call("GET", "/v1/interfaces", as_="desk").body["items"]
        return {i["interface"]: i["state"] for i in items if i["grant"] == id}

    assert switched("asker", "closed").status == 403, "who is let in does not hold the key"
    assert switched("chief", "closed").status == 403
    assert _subscribe(call, id).status == 201
    assert switched("owner", "closed").status == 200
    assert states() == {**dict.fromkeys(states(), "open"), "push": "closed"}
    refused = _subscribe(call, id)
    assert (refused.status, "method" in str(refused.body)) == (403, True)
    assert "interface:push:closed:演练" in [t.detail for t in world.traces.list(unit=BANK)]
    assert switched("desk", "open").status == 200
    assert set(states().values()) == {"open"}
    step("chief", id, "give_up", reason="不再需要")
    found = call("GET", "/v1/interfaces", as_="desk").body["items"]
    assert {i["state"] for i in found if i["grant"] == id} == {"closed"}
    assert world.applications.desk.get(id).state == "ended"
