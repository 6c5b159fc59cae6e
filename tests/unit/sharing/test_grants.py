"""Who may have what of a resource, on which way out, and on what ground."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from tests.support.grounds import DUTY, Bound, KnownGrounds

from huitong.contracts.model import Contract, Field
from huitong.errors import Conflict, InvalidQuery, NotFound, NotPermitted
from huitong.identity.model import OPERATOR, Principal, Role
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.sharing.access import PATHS, Access, Path_, Use
from huitong.sharing.clearance import CLEARANCE
from huitong.sharing.grants import Grant, Grants, access_for

PROVIDER, RECEIVER = "U-PROVIDER", "U-RECEIVER"
CASE, OTHER_CASE = "(2026)粤03破1号", "(2026)粤03破2号"
PERSONS = frozenset({"a" * 32, "b" * 32})
CONTRACT = Contract(
    id="IN-01",
    version=1,
    title="x",
    provider=PROVIDER,
    look_back_field="h",
    fields=(
        Field("a", key=1),
        Field("b", level="L1"),
        Field("c", level="L3", mask="name"),
        Field("d", level="L4", mask="id", semantic="citizen-id"),
        Field("e", level="L3"),
        Field("h", type="date"),
    ),
)
ALL = ("a", "b", "c", "d", "e", "h")
MASKS = {"c": "name", "d": "id", "e": "all"}
OPEN = Contract(id="IN-15", version=1, title="y", provider=PROVIDER, fields=(Field("a", key=1), Field("b")))
FOR_DUTY = Use("sql", duty=DUTY)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture
def grants(clock: ManualClock) -> Grants:
    cases = {CASE: Bound(CASE, PERSONS, "2024-03-01"), OTHER_CASE: Bound(OTHER_CASE)}
    grounds = KnownGrounds(cases, members={OTHER_CASE: {"U-ELSE"}})
    return Grants(MemoryRegister(), clock, grounds)


def person(unit: str = "", *roles: Role, acts_for: tuple[str, ...] = ()) -> Principal:
    return Principal("p", unit, frozenset(roles or ("consumer",)), acts_for)


def give(grants: Grants, contract: Contract = CONTRACT, **more: Any) -> Grant:
    ground = {} if "case_no" in more else {"duty": DUTY}
    grant = Grant(RECEIVER, contract.id, **{**ground, "seconded_by": "second", **more})
    return grants.put(grant, contract, by="t")


def given(
    grants: Grants, use: Use = FOR_DUTY, who: Principal | None = None, contract: Contract = CONTRACT
) -> Access | None:
    return access_for(who or person(RECEIVER), contract, grants, use=use)


def shown(grants: Grants, use: Use = FOR_DUTY, who: Principal | None = None) -> Access:
    access = given(grants, use, who)
    assert access is not None
    return access


def test_the_providing_unit_has_everything_plain_without_any_ground(grants: Grants) -> None:
    assert given(grants, Use("sql"), person(PROVIDER)) == Access("IN-01", ALL, owner=True)


def test_a_unit_without_a_grant_does_not_learn_that_the_resource_exists(grants: Grants) -> None:
    assert given(grants, who=person(RECEIVER, "consumer", "analyst", "source")) is None
    assert access_for(person(""), replace(CONTRACT, provider=""), grants, use=FOR_DUTY) is None


def test_a_grant_gives_its_fields_in_contract_order_with_sensitive_ones_masked(grants: Grants) -> None:
    """L-23, L-25: only fields that were approved, and masked ones masked unless the decision says otherwise."""
    give(grants, fields=("e", "d", "a"), unmasked=("e",), row_filter="\"a\" = 'x'")
    wanted = Access("IN-01", ("a", "d", "e"), {"d": "id"}, "\"a\" = 'x'", grant="direct", duty=DUTY)
    assert given(grants) == wanted


def test_a_grant_may_mask_more_than_the_level_asks(grants: Grants) -> None:
    give(grants, masks={"a": "all", "d": "all"}, unmasked=("d",))
    assert shown(grants).masks == {**MASKS, "a": "all", "d": "all"}


def test_l4_is_plain_only_once_a_second_person_stands_behind_it(grants: Grants) -> None:
    """S-30: unmasking L4 takes two; one person twice is one."""
    give(grants, unmasked=("c", "d"), masks={"d": "name"}, seconded_by="")
    assert shown(grants).masks == {"d": "id", "e": "all"}, "nor is its mask made weaker by one"
    give(grants, unmasked=("d",), seconded_by="t")
    assert shown(grants).masks["d"] == "id"
    with pytest.raises(NotPermitted):
        grants.second(RECEIVER, "IN-01", by="t")
    grant, item = grants.second(RECEIVER, "IN-01", by="u")
    grants._register.replace(item)
    assert grant.seconded
    assert "d" not in shown(grants).masks


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [
        ("", "", True),
        ("2026-03-01", "2026-03-01", True),
        ("2026-03-02", "", False),
        ("", "2026-02-28", False),
        ("2026-01-01", "2026-12-31", True),
    ],
)
def test_a_grant_holds_on_its_days_and_on_no_other(
    grants: Grants, starts: str, ends: str, holds: bool
) -> None:
    give(grants, starts=starts, ends=ends)
    if holds:
        assert shown(grants).ends == ends
    else:
        with pytest.raises(NotPermitted, match="No grant is in force"):
            given(grants)


def test_days_of_a_grant_are_days_in_china(grants: Grants, clock: ManualClock) -> None:
    give(grants, starts="2026-03-02")
    clock.moment = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    with pytest.raises(NotPermitted):
        given(grants)
    clock.moment = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert given(grants) is not None


def test_a_grant_that_is_ended_gives_nothing_at_once_and_says_so(grants: Grants) -> None:
    """S-10, L-22: withdrawn at once."""
    give(grants)
    grants.revoke(RECEIVER, "IN-01", by="t", reason="misuse")
    with pytest.raises(NotPermitted) as refused:
        given(grants)
    assert refused.value.where == {"resource": "IN-01", "why": "ended"}
    ended = grants.get(RECEIVER, "IN-01")
    assert (ended.revoked, ended.ended_by, ended.end_reason) == (True, "t", "misuse")


def test_of_two_who_end_a_grant_one_is_first(grants: Grants) -> None:
    grant = give(grants)
    first, second = (grants.end_items([grant], by=by, reason="x")[0] for by in ("t", "u"))
    grants._register.replace(first)
    with pytest.raises(Conflict):
        grants._register.replace(second)
    assert grants.end_items([grants.get(RECEIVER, "IN-01")], by="u", reason="again") == []


def test_what_is_not_shared_never_leaves_its_owner(grants: Grants) -> None:
    """Share type 3 (不予共享) holds against grants, cases and staff."""
    closed = replace(CONTRACT, share_type="3")
    give(grants)
    assert given(grants, contract=closed) is None
    assert given(grants, who=person(OPERATOR, "officer"), contract=closed) is None
    assert given(grants, who=person(PROVIDER), contract=closed) is not None


@pytest.mark.parametrize("role", ["admin", "security", "auditor"])
def test_who_runs_secures_or_watches_the_platform_reads_no_data_whatever_else_it_is(
    grants: Grants, role: Role
) -> None:
    """S-07: not as the owner's, not for a unit with a grant, not with a second role."""
    give(grants)
    for unit in (PROVIDER, RECEIVER, OPERATOR):
        both = person("U-X", role, "officer", "source", acts_for=("*",))
        for contract in (CONTRACT, OPEN):
            with pytest.raises(NotPermitted, match="reads no business data"):
                access_for(both, contract, grants, acting_unit=unit, use=FOR_DUTY)


def test_desks_of_the_operator_have_a_masked_view_with_a_ground_only(grants: Grants) -> None:
    """S-11, S-30: officers and those of the operator see masks; without a case or duty nothing."""
    for who in (person("U-X", "officer"), person(OPERATOR, "case_officer")):
        access = shown(grants, who=who)
        assert (access.fields, access.masks, access.grant) == (ALL, MASKS, "")
        with pytest.raises(NotPermitted, match="case or a statutory duty"):
            given(grants, Use("sql"), who)
        with pytest.raises(NotPermitted, match="without a grant"):
            given(grants, Use("export", duty=DUTY), who)


def test_analysts_have_groups_of_persons_not_persons(grants: Grants) -> None:
    """S-34: a masked view, and of that statistics only; what is not personal they read."""
    assert shown(grants, who=person(OPERATOR, "analyst")).gives == "groups"
    assert shown(grants, who=person(OPERATOR, "analyst", "case_officer")).gives == "rows"
    found = given(grants, Use("sql"), person(OPERATOR, "analyst"), OPEN)
    assert found is not None
    assert found.gives == "rows"


def test_no_ground_no_personal_data_and_no_ground_needed_for_the_rest(grants: Grants) -> None:
    """Q-39, S-11."""
    give(grants)
    give(grants, OPEN, duty="")
    for use in (Use("sql"), Use("sql", purpose="curiosity"), Use("sql", duty="another duty")):
        with pytest.raises(NotPermitted):
            given(grants, use)
    assert given(grants, Use("sql"), contract=OPEN) is not None


def test_a_duty_must_be_held_and_named_in_the_grant(grants: Grants) -> None:
    give(grants, duty="unheld")
    with pytest.raises(NotPermitted, match="does not hold"):
        given(grants, Use("sql", duty="unheld"))
    give(grants, duty="")
    with pytest.raises(NotPermitted, match="does not name this duty"):
        given(grants)


def test_a_case_restricts_to_its_rows_persons_and_look_back(grants: Grants) -> None:
    """S-11: the number may be written with full-width signs."""
    give(grants, duty="", row_filter="\"a\" = 'x'")
    access = shown(grants, Use("sql", case_no="（2026）粤03破1号"))
    assert (access.case_no, access.subjects, access.duty) == (CASE, PERSONS, "")
    since = '("h" IS NULL OR "h" >= CAST(\'2024-03-01\' AS DATE))'
    assert access.row_filter == f"(\"a\" = 'x') AND {since}"
    for case_no in (OTHER_CASE, "(2026)粤03破9号"):
        with pytest.raises(NotPermitted, match="not bound"):
            given(grants, Use("sql", case_no=case_no))


def test_of_several_grants_one_is_used_and_never_a_union(grants: Grants) -> None:
    """The one named, else of the case, else of the duty, else the newest that is bound to neither."""
    give(grants, id="of-case", case_no=CASE, fields=("a",))
    give(grants, id="of-duty", fields=("b",))
    give(grants, id="free", duty="", fields=("c",))
    give(grants, id="over", fields=("h",), ends="2026-01-01")

    def used(**ground: str) -> tuple[str, tuple[str, ...]]:
        access = shown(grants, Use("sql", **ground))
        return access.grant, access.fields

    assert used(case_no=CASE) == ("of-case", ("a",))
    assert used(duty=DUTY) == ("of-duty", ("b",))
    assert used(case_no=CASE, grant="free") == ("free", ("c",))
    assert used(grant="of-case") == ("of-case", ("a",)), "a grant that is named brings its case"
    assert used(grant="x, of-duty") == ("of-duty", ("b",))
    for wrong in (
        {"grant": "over"},
        {"grant": "nobody's"},
        {"grant": "of-case", "case_no": OTHER_CASE},
        {"grant": "free"},
        {"grant": "free", "duty": DUTY},
        {},
    ):
        with pytest.raises(NotPermitted):
            used(**wrong)


def test_a_grant_covers_the_ways_out_that_it_names_and_files_only_by_name(grants: Grants) -> None:
    """C-21: an export leaves every other control behind, so it must be granted as such."""

    def covered() -> set[Path_]:
        found: set[Path_] = set()
        for path in PATHS:
            with suppress(NotPermitted):
                found |= {path} if given(grants, Use(path, duty=DUTY)) else set()
        return found

    give(grants)
    assert covered() == set(PATHS) - {"export"}
    give(grants, methods=("export", "comparison"))
    assert covered() == {"export", "comparison"}


def test_a_grant_for_named_users_is_theirs_alone(grants: Grants) -> None:
    """S-08."""
    give(grants, users=("p",))
    assert given(grants) is not None
    with pytest.raises(NotPermitted, match="does not name this user"):
        given(grants, who=Principal("q", RECEIVER, frozenset({"consumer"})))


def test_a_field_above_the_clearance_is_not_there_even_when_granted_plain(grants: Grants) -> None:
    """S-09: of the role, and of the grant; what leaves masked is below it."""
    give(grants, unmasked=("c", "d"))
    assert shown(grants, who=person(RECEIVER, "approver")).fields == ("a", "b", "c", "e", "h")
    assert shown(grants, who=person(RECEIVER, "engineer")).fields == ("a", "b", "e", "h")
    assert shown(grants, who=person(RECEIVER, "engineer", "case_officer")).fields == ALL
    give(grants, unmasked=("c", "d"), clearance="L3")
    assert shown(grants).fields == ("a", "b", "c", "e", "h")
    owners = given(grants, who=person(PROVIDER, "resource_admin"))
    assert owners is not None
    assert owners.fields == ("a", "b", "c", "e", "h")
    give(grants, fields=("a",))
    with pytest.raises(NotPermitted, match="clearance"):
        given(grants, who=person(RECEIVER, "editor"))
    assert set(CLEARANCE) == set(get_args(Role)), "every role has a level"


def test_who_acts_for_a_unit_has_what_the_unit_has_and_no_more(grants: Grants) -> None:
    agent = person("U-PLATFORM", "consumer", "officer", acts_for=(PROVIDER, RECEIVER))
    give(grants, fields=("a",))
    found = access_for(agent, CONTRACT, grants, acting_unit=RECEIVER, use=FOR_DUTY)
    assert found == Access("IN-01", ("a",), grant="direct", duty=DUTY)
    owner = access_for(agent, CONTRACT, grants, acting_unit=PROVIDER, use=Use("sql"))
    assert owner is not None
    assert owner.owner
    assert access_for(agent, CONTRACT, grants, acting_unit="U-OTHER", use=FOR_DUTY) is None
    assert access_for(person(RECEIVER), CONTRACT, grants, acting_unit=PROVIDER, use=FOR_DUTY) is None


def test_without_a_use_a_resource_is_described_and_nothing_of_it_given(grants: Grants) -> None:
    give(grants, fields=("a", "c"))
    found = access_for(person(RECEIVER), CONTRACT, grants)
    assert found is not None
    assert (found.gives, found.fields) == ("nothing", ("a", "c"))
    assert access_for(person("U-OTHER"), CONTRACT, grants) is None
    for role in ("admin", "auditor", "officer"):
        seen = access_for(person("", role), CONTRACT, grants)
        assert seen is not None
        assert (seen.gives, seen.masks) == ("nothing", MASKS)


def test_a_grant_is_refused_with_all_its_faults(grants: Grants) -> None:
    wrong = Grant(RECEIVER, "IN-01", ("a", "x"), unmasked=("y",), masks={"z": "id"}, starts="31.1.2026")
    with pytest.raises(InvalidQuery) as refused:
        grants.put(wrong, CONTRACT, by="t")
    assert [p.where["field"] for p in refused.value.problems] == ["x", "y", "z", "starts"]
    for fault in ({"starts": "2026-02-02", "ends": "2026-02-01"}, {"clearance": "L9"}, {"volume": -1}):
        with pytest.raises(InvalidQuery):
            give(grants, **fault)


def test_grants_are_found_by_unit_resource_and_case(grants: Grants) -> None:
    give(grants, purpose="p1")
    give(grants, purpose="p2")
    give(grants, id="g", case_no=CASE)
    assert {g.purpose for g in grants.of_unit(RECEIVER)} == {"p2", ""}
    assert [g.unit for g in grants.of_resource("IN-01")] == [RECEIVER, RECEIVER]
    assert [g.id for g in grants.of_case(CASE)] == ["g"]
    assert {g.ref for g in grants.of(RECEIVER, "IN-01")} == {"direct", "g"}
    assert grants.of(RECEIVER, "IN-0") == []
    with pytest.raises(NotFound):
        grants.get("U-OTHER", "IN-01")
    with pytest.raises(NotFound):
        grants.revoke("U-OTHER", "IN-01")


def test_what_is_switched_off_stays_off_in_grants_that_are_given_or_widened_later(grants: Grants) -> None:
    """S-37: else the next decision, by somebody who knows of no leak, would open at once what was closed."""
    grants.put(Grant(RECEIVER, "IN-01", methods=("sql",)), CONTRACT, by="a")
    grants._register.write(*grants.switched(RECEIVER, "IN-01", ("pull", "push"), shut=True))
    widened = grants.put(Grant(RECEIVER, "IN-01"), CONTRACT, by="b")
    another = grants.put(Grant(RECEIVER, "IN-01", id="app-2"), CONTRACT, by="b")
    for grant in (widened, another):
        assert not grant.covers("pull")
        assert not grant.covers("push")
        assert grant.covers("sql")
    assert grants.put(Grant(RECEIVER, "IN-15"), OPEN, by="b").covers("pull")
    assert grants.put(Grant("U-ELSE", "IN-01"), CONTRACT, by="b").covers("pull")
    grants._register.write(*grants.switched(RECEIVER, "IN-01", ("pull", "push"), shut=False))
    assert all(g.covers("pull") and g.covers("push") for g in grants.of(RECEIVER, "IN-01"))
    assert grants.put(Grant(RECEIVER, "IN-01", id="app-3"), CONTRACT, by="b").covers("pull")
