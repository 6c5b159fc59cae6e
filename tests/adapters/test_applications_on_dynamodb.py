"""A whole sharing on the real register's conditions, indexes and limits (L-17, L-20, X-19)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.application_world import ASKED, CONTRACT, PEOPLE, RECEIVER, ApplicationWorld

from huitong.aws.dynamodb import DynamoRegister
from huitong.errors import Conflict


@pytest.fixture
def world(dynamodb: Any, table: str) -> ApplicationWorld:
    return ApplicationWorld(CONTRACT, DynamoRegister(dynamodb, table))


def test_a_late_and_disputed_application_becomes_a_grant_and_ends(world: ApplicationWorld) -> None:
    applications = world.applications
    id = applications.file(PEOPLE["ann"], ASKED).id
    applications.take(PEOPLE["ann"], id, "submit")
    applications.take(PEOPLE["bob"], id, "send")
    assert applications.tick() == 0
    world.clock.advance(days=15)
    assert (applications.tick(), applications.tick()) == (1, 0)
    seen = applications.desk.get(id)
    assert seen.state == "negotiating"
    decision = {"approved": ["uscc", "id_no"], "refused": {"name": "无关"}, "unmasked": ["id_no"]}
    applications.take(PEOPLE["cai"], id, "decide", decision, seen=seen.version)
    with pytest.raises(Conflict):
        applications.take(PEOPLE["dan"], id, "second", seen=seen.version)
    applications.take(PEOPLE["dan"], id, "second")
    applications.take(PEOPLE["dan"], id, "provide")
    grant = world.grants.get(RECEIVER, "IN-06", id)
    assert (grant.fields, grant.seconded) == (("uscc", "id_no"), True)
    found, _ = applications.of_unit(RECEIVER, limit=1)
    assert [r.id for r in found] == [id]
    assert [r.id for r in applications.sent("active")] == [id]
    assert [b.clock for b in applications.breaches()] == ["answer"]
    assert [d["application"] for d in applications.disputes()] == [id]
    amended = applications.file(PEOPLE["ann"], {"amends": id, "ends": "2027-01-31", "reason": "延期"}).id
    applications.take(PEOPLE["ann"], amended, "submit")
    applications.take(PEOPLE["bob"], amended, "send")
    applications.take(PEOPLE["cai"], amended, "decide", {"approved": ASKED["fields"]})
    applications.take(PEOPLE["dan"], amended, "provide")
    assert applications.desk.get(id).state == "replaced"
    world.clock.moment = world.clock.moment.replace(year=2027, month=2, day=1)
    assert applications.expire() == 1
    ended = world.grants.get(RECEIVER, "IN-06", id)
    assert (ended.revoked, ended.unmasked, ended.ends) == (True, (), "2027-01-31")
