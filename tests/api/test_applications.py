"""Sharing applications through the API: what is filed, decided, granted, and who sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from application_desk import (  # noqa: F401 (fixtures)
    ASKED,
    Closed,
    Step,
    applications,
    due_of,
    grant_of,
    made_file,
    made_people,
    made_sent,
    made_step,
)
from tests.support.api_world import BANK, COURT, Call, World


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
