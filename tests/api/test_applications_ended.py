"""What becomes of a sharing after its grant: extension, change, termination, expiry, its interfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from application_desk import (  # noqa: F401 (fixtures)
    ASKED,
    Step,
    grant_of,
    made_active,
    made_file,
    made_people,
    made_sent,
    made_step,
    subscribe,
)
from tests.support.api_world import BANK, COURT, Call, Said, World

from huitong.errors import Conflict


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
    ids = [subscribe(call, grant).body["id"] for grant in (id, other)]
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
    again = subscribe(call, id)
    assert again.status == 403
    assert "refuse" in [t.act for t in world.traces.list(unit=BANK, limit=0)]  # later calls are logged


def test_an_end_that_was_interrupted_is_finished_by_the_clock(
    world: World, active: Callable[..., str], step: Step, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q-55: killed between the decision and the closing of its routes; nothing is left open."""
    id = active()
    subscription = subscribe(call, id).body["id"]
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
    assert subscribe(call, id).status == 201
    assert switched("owner", "closed").status == 200
    assert states() == {**dict.fromkeys(states(), "open"), "push": "closed"}
    refused = subscribe(call, id)
    assert (refused.status, "method" in str(refused.body)) == (403, True)
    assert "interface:push:closed:演练" in [t.detail for t in world.traces.list(unit=BANK)]
    assert switched("desk", "open").status == 200
    assert set(states().values()) == {"open"}
    assert switched("desk", "closed").status == 200
    assert switched("owner", "open").status == 403, "what the operator closed no source unit opens"
    assert switched("owner", "closed").status == 200
    assert (switched("owner", "open").status, states()["push"]) == (403, "closed")
    assert switched("desk", "open").status == 200
    assert set(states().values()) == {"open"}
    step("chief", id, "give_up", reason="不再需要")
    found = call("GET", "/v1/interfaces", as_="desk").body["items"]
    assert {i["state"] for i in found if i["grant"] == id} == {"closed"}
    assert world.applications.desk.get(id).state == "ended"
