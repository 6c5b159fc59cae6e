"""Ways out that are switched off: for grants of that moment, too, and opened by whom (S-37)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from huitong.contracts.model import Contract, Field
from huitong.errors import Conflict, NotPermitted
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.sharing.grant import Grant, item_of
from huitong.sharing.grants import Grants
from huitong.sharing.switches import LEVELS, Level

UNIT, CONTRACT = "U-R", Contract("IN-01", 1, "t", "in_01", (Field("a", "甲"),))


@pytest.fixture
def grants() -> Grants:
    made = Grants(MemoryRegister(), ManualClock())
    made.put(Grant(UNIT, "IN-01"), CONTRACT, by="a")
    return made


def switch(grants: Grants, *ways: Any, shut: bool, level: Level) -> None:
    grants._register.write(*grants.switched(UNIT, "IN-01", ways, shut=shut, level=level, by=f"by-{level}"))


def covered(grants: Grants) -> set[bool]:
    return {g.covers("pull") for g in grants.of(UNIT, "IN-01")}


def test_a_grant_that_is_made_at_the_moment_of_a_switch_does_not_miss_it(grants: Grants) -> None:
    """Prepared before, written after: no conflict tells it, and it is shut all the same."""
    made, creates, replaces = grants.prepared(Grant(UNIT, "IN-01", id="app-1"), CONTRACT, by="b")
    assert made.covers("pull")
    switch(grants, "pull", shut=True, level="source")
    grants._register.write(creates, replaces)
    assert len(grants.of(UNIT, "IN-01")) == 2
    assert covered(grants) == {False}
    assert not grants.get(UNIT, "IN-01", "app-1").covers("pull")
    assert {g.covers("pull") for g in grants.of_unit(UNIT)} == {False}
    assert {g.covers("pull") for g in grants.of_resource("IN-01")} == {False}
    assert {g.covers("sql") for g in grants.of(UNIT, "IN-01")} == {True}


def test_two_switches_at_once_are_a_conflict_and_neither_is_lost(grants: Grants) -> None:
    """The first of all, and one over another."""
    for first, second in (("pull", "push"), ("read", "sql")):
        late = grants.switched(UNIT, "IN-01", (second,), shut=True, level="source")  # type: ignore[arg-type]
        switch(grants, first, shut=True, level="operator")
        with pytest.raises(Conflict):
            grants._register.write(*late)
        switch(grants, second, shut=True, level="source")
    shut = grants.closures("IN-01")[UNIT]
    assert {way: closure.level for way, closure in shut.items()} == {
        "pull": "operator", "push": "source", "read": "operator", "sql": "source",
    }  # fmt: skip


@pytest.mark.parametrize(("closer", "opener"), itertools.product(LEVELS, LEVELS))
def test_what_a_level_closed_the_same_or_a_higher_one_opens(
    grants: Grants, closer: Level, opener: Level
) -> None:
    switch(grants, "pull", shut=True, level=closer)
    may = LEVELS.index(opener) >= LEVELS.index(closer)
    if may:
        switch(grants, "pull", shut=False, level=opener)
    else:
        with pytest.raises(NotPermitted) as refused:
            switch(grants, "pull", shut=False, level=opener)
        assert refused.value.where["level"] == closer
    assert covered(grants) == {may}


def test_closing_again_from_below_does_not_take_the_closure_over(grants: Grants) -> None:
    switch(grants, "pull", shut=True, level="security")
    switch(grants, "pull", shut=True, level="source")
    with pytest.raises(NotPermitted):
        switch(grants, "pull", shut=False, level="operator")
    assert grants.closures("IN-01")[UNIT]["pull"].by == "by-security"


def test_closing_again_from_above_keeps_it_from_those_below(grants: Grants) -> None:
    switch(grants, "pull", shut=True, level="source")
    switch(grants, "pull", shut=True, level="operator")
    with pytest.raises(NotPermitted):
        switch(grants, "pull", shut=False, level="source")


def test_a_way_that_is_not_to_be_opened_keeps_the_others_shut_too(grants: Grants) -> None:
    switch(grants, "snapshot", shut=True, level="operator")
    switch(grants, "pull", shut=True, level="source")
    with pytest.raises(NotPermitted):
        switch(grants, "pull", "snapshot", shut=False, level="source")
    assert covered(grants) == {False}


def test_marks_of_older_versions_stay_shut_until_the_operator_opens_them(grants: Grants) -> None:
    """They stood on each grant and told nobody's level."""
    grants._register.create(item_of(Grant(UNIT, "IN-01", id="old", closed=("pull", "read"))))
    assert not grants.get(UNIT, "IN-01", "old").covers("pull")
    with pytest.raises(NotPermitted):
        switch(grants, "pull", shut=False, level="source")
    switch(grants, "pull", shut=False, level="operator")
    found = grants.get(UNIT, "IN-01", "old")
    assert (found.covers("pull"), found.covers("read")) == (True, False)


def test_a_second_person_may_stand_behind_a_grant_of_which_a_way_was_shut_meanwhile(grants: Grants) -> None:
    """What is switched off is not what was given."""
    seen = grants.get(UNIT, "IN-01").digest
    switch(grants, "pull", shut=True, level="source")
    seconded, item = grants.second(UNIT, "IN-01", by="c", seen=seen)
    grants._register.replace(item)
    assert (seconded.covers("pull"), grants.get(UNIT, "IN-01").seconded) == (False, True)
    switch(grants, "pull", shut=False, level="source")
    assert grants.get(UNIT, "IN-01").covers("pull")


def test_a_grant_that_ends_while_a_way_is_shut_keeps_no_copy_of_it(grants: Grants) -> None:
    switch(grants, "pull", shut=True, level="operator")
    grants.revoke(UNIT, "IN-01", by="a")
    grants.put(Grant(UNIT, "IN-01"), CONTRACT, by="a")
    switch(grants, "pull", shut=False, level="operator")
    assert covered(grants) == {True}


def test_switches_are_no_grants(grants: Grants) -> None:
    switch(grants, "pull", shut=True, level="source")
    for found in (grants.of(UNIT, "IN-01"), grants.of_unit(UNIT), grants.of_resource("IN-01")):
        assert [(g.unit, g.resource, g.id) for g in found] == [(UNIT, "IN-01", "")]
