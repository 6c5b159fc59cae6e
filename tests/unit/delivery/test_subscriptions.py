"""Subscriptions: never more than the grant, secrets shown once, every state known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.support.grounds import DUTY, KnownGrounds
from tests.support.push_world import ALL, RESOURCE, SECRET, SHENZHEN, UNIT, World, masked, row

from huitong.contracts.model import Contract, Field, Mask
from huitong.delivery.entitlement import as_granted
from huitong.delivery.model import Subscription
from huitong.delivery.replay import Replay
from huitong.delivery.subscriptions import narrowed
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.sharing.access import Access
from huitong.sharing.grants import Grant, Grants


class RunningGate:
    """Agreements and joint tests of the receiving unit: there, or not."""

    open = True

    def check_running(self, unit: str, resource: Contract, interface: str) -> None:
        assert (unit, resource.id, interface) == (UNIT, RESOURCE, "push")
        if not self.open:
            raise NotPermitted("协议已到期", "The agreement has ended")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_secret_is_shown_once_and_stored_sealed(world: World) -> None:
    made, secret = world.subscriptions.create(UNIT, ALL, "https://receiver.example.cn/", by="t")
    assert secret.startswith("whsec_")
    assert "secrets" not in made.summary()
    assert secret not in json.dumps(made.summary())
    assert world.subscriptions.signing_secrets(made) == [secret]
    assert world.subscription(made.id).secrets[0].sealed != secret


def test_two_subscriptions_never_share_a_secret(world: World) -> None:
    secrets = {world.subscriptions.create(UNIT, ALL, "https://r.example.cn/", by="t")[1] for _ in range(5)}
    assert len(secrets) == 5


def test_it_has_not_more_than_the_grant(world: World) -> None:
    grant = Access(RESOURCE, ("id", "city", "name"), {"name": "name"}, SHENZHEN)
    id = world.subscribe(grant, fields=("name", "id"), row_filter='"amount" > 10')
    access = world.subscription(id).access
    assert access.fields == ("id", "name")
    assert access.masks == {"name": "name"}
    assert access.row_filter == f'({SHENZHEN}) AND ("amount" > 10)'


def test_everything_wrong_with_a_request_is_told_at_once(world: World) -> None:
    with pytest.raises(BadRequest) as refused:
        world.subscriptions.create(
            UNIT, masked(ALL), "http://10.0.0.1/", by="t", fields=("id", "salary", "wage"), start="seq", seq=9
        )
    assert [p.rule for p in refused.value.problems] == [
        "subscription.field",
        "subscription.field",
        "subscription.endpoint",
        "subscription.seq",
    ]
    assert all(p.zh and p.en for p in refused.value.problems)
    assert world.subscriptions.all() == []


@pytest.mark.parametrize(("unit", "fields"), [("", ("id",)), (UNIT, ())])
def test_without_a_unit_or_a_field_there_is_nothing_to_subscribe(
    world: World, unit: str, fields: tuple[str, ...]
) -> None:
    with pytest.raises(BadRequest):
        world.subscriptions.create(unit, Access(RESOURCE, fields), "https://r.example.cn/", by="t")


def test_a_subscription_survives_its_way_through_the_register(world: World) -> None:
    id = world.subscribe(masked(ALL), row_filter=SHENZHEN, start="snapshot")
    found = world.subscription(id)
    assert Subscription.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert asdict(found) == found.as_dict()


def test_it_is_found_by_resource_and_by_unit(world: World) -> None:
    first, second = world.subscribe(), world.subscribe()
    assert {s.id for s in world.subscriptions.of_resource(RESOURCE)} == {first, second}
    assert {s.id for s in world.subscriptions.of_unit(UNIT)} == {first, second}
    assert world.subscriptions.of_resource("T-99") == []
    with pytest.raises(NotFound):
        world.subscriptions.get("s-none")


MOVES: dict[str, Callable[[World, str], object]] = {
    "pause": lambda w, id: w.subscriptions.pause(id, by="t"),
    "resume": lambda w, id: w.subscriptions.resume(id, by="t"),
    "cancel": lambda w, id: w.subscriptions.cancel(id, by="t"),
}


@pytest.mark.parametrize(
    ("path", "state"),
    [
        (["pause"], "paused"),
        (["pause", "resume"], "active"),
        (["pause", "cancel"], "cancelled"),
        (["cancel"], "cancelled"),
    ],
)
def test_each_move_is_kept_with_who_made_it(world: World, path: list[str], state: str) -> None:
    id = world.subscribe()
    for move in path:
        MOVES[move](world, id)
    found = world.subscription(id)
    assert found.state == state
    assert len(found.history) == len(path) + 1
    assert found.history[-1] == (state, "2026-01-05T08:00:00.000Z", "t")


@pytest.mark.parametrize("path", [["resume"], ["cancel", "resume"], ["cancel", "pause"], ["pause", "pause"]])
def test_moves_that_make_no_sense_are_refused(world: World, path: list[str]) -> None:
    id = world.subscribe()
    for move in path[:-1]:
        MOVES[move](world, id)
    with pytest.raises(Conflict):
        MOVES[path[-1]](world, id)


def test_only_a_suspended_subscription_can_be_replayed(world: World) -> None:
    id = world.subscribe()
    with pytest.raises(Conflict):
        Replay(world.subscriptions).replay(id, by="t")
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    world.inbox.troubles = ["gone"]
    world.push.send(id)
    assert Replay(world.subscriptions).replay(id, by="t").state == "active"
    assert world.push.send(id) is None
    assert list(world.stream(id).rows) == ["1"]


def test_a_replaced_secret_still_signs_until_receivers_had_time_to_change(world: World) -> None:
    id = world.subscribe()
    _, fresh = world.subscriptions.rotate(id, by="t")
    assert world.subscriptions.signing_secrets(world.subscription(id)) == [fresh, SECRET]
    world.clock.advance(hours=25)
    assert world.subscriptions.signing_secrets(world.subscription(id)) == [fresh]
    _, third = world.subscriptions.rotate(id, by="t")
    assert len(world.subscription(id).secrets) == 2
    assert world.subscriptions.signing_secrets(world.subscription(id)) == [third, fresh]


@pytest.mark.parametrize(
    ("has", "asked", "row_filter", "given"),
    [
        (Access("R", ("a", "b")), (), "", Access("R", ("a", "b"))),
        (Access("R", ("a", "b")), ("b", "c"), "", Access("R", ("b",))),
        (Access("R", ("a", "b"), {"a": "all"}), ("b",), "x > 1", Access("R", ("b",), {}, "x > 1")),
        (Access("R", ("a",), {}, "y"), (), "y", Access("R", ("a",), {}, "y")),
        (Access("R", ("a",), {}, "y OR z"), (), "x", Access("R", ("a",), {}, "(y OR z) AND (x)")),
    ],
)
def test_narrowing_never_widens(has: Access, asked: tuple[str, ...], row_filter: str, given: Access) -> None:
    assert narrowed(has, asked, row_filter) == given


def test_the_grant_in_force_decides_what_a_subscription_still_gets(world: World) -> None:
    """S-10: withdrawal, fewer fields and more masks take effect at the next delivery."""
    contract = Contract(
        id=RESOURCE, version=1, title="", provider="P", fields=(Field("id", key=1), Field("city", level="L3"))
    )
    grants = Grants(world.register, world.clock, KnownGrounds())

    gate = RunningGate()

    def give(**more: Any) -> None:
        grants.put(Grant(UNIT, RESOURCE, duty=DUTY, **more), contract, by="t")

    def under(fields: tuple[str, ...], masks: dict[str, Mask] | None = None) -> Access:
        return Access(RESOURCE, fields, masks or {}, grant="direct", duty=DUTY)

    give(fields=("id", "city"), unmasked=("city",))
    found = world.subscription(world.subscribe(under(("id", "city"))))
    current = as_granted(grants, gate)
    assert current(found, contract) == under(("id", "city"))
    give(fields=("id", "city"))
    assert current(found, contract) == under(("id", "city"), {"city": "all"})
    give(fields=("id",))
    assert current(found, contract) == under(("id",))
    give(id="g-2", fields=("id", "city"))
    grants.revoke(UNIT, RESOURCE)
    assert current(found, contract) is None, (
        "another grant does not carry on what ran under the one that ended"
    )
    of_other = world.subscription(world.subscribe(Access(RESOURCE, ("id",), grant="g-2", duty=DUTY)))
    assert current(of_other, contract) == Access(RESOURCE, ("id",), grant="g-2", duty=DUTY)
    gate.open = False
    assert current(of_other, contract) is None, "an agreement or test that ended stops the push (Q-51, S-37)"
    gate.open = True
    give(id="g-2", statistics=True)
    assert current(of_other, contract) is None, "a grant of statistics pushes no rows"
