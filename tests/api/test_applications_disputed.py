"""Sharing applications that are refused, late or incomplete: negotiation, breaches, and the days that count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from application_desk import (  # noqa: F401 (fixtures)
    ASKED,
    Step,
    due_of,
    grant_of,
    made_file,
    made_people,
    made_sent,
    made_step,
)
from tests.support.api_world import COURT, Call, World

from huitong.identity.model import OPERATOR


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
