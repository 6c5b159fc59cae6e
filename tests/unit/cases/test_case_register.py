"""The case register follows the court's resources, and nobody else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.support.court import (
    CASE_NO,
    COURT,
    DEBTOR,
    FIRM,
    KEY,
    OTHER_FIRM,
    RULINGS,
    STAGES,
    CourtWorld,
    stage_row,
)

from huitong.audit.subjects import blind
from huitong.cases.corrections import Corrections
from huitong.errors import Conflict, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor

DESK = Actor(Principal("p-desk", OPERATOR, frozenset({"officer"})), OPERATOR)
SECOND = Actor(Principal("p-second", OPERATOR, frozenset({"officer"})), OPERATOR)
JUDGE = Principal("p-judge", COURT, frozenset({"case_officer"}))
LAWYER = Principal("p-lawyer", FIRM, frozenset({"case_officer"}))
STRANGER = Principal("p-stranger", "1144030000AA01027D", frozenset({"case_officer"}))
IS_DEBTOR = blind(KEY, "subject", DEBTOR)


def ruling(kind: str, n: int = 1, case_no: str = CASE_NO) -> dict[str, object]:
    return {"doc_no": f"{case_no}之{n}", "case_no": case_no, "doc_type": kind, "doc_date": date(2021, 7, n)}


def test_a_publication_of_the_court_opens_a_case_and_moves_it() -> None:
    """Q-01, domain.md 2: stage, parties and subject come from IN-01, with the place they came from."""
    world = CourtWorld()
    world.say("20", "21", "30")
    case = world.cases.get(CASE_NO)
    assert [m.stage for m in case.history] == ["20", "21", "30"]
    assert case.history[-1].source == "IN-01@3.1"
    assert (case.court, case.administrator, case.procedure_type) == (COURT, FIRM, "01")
    assert dict(case.subjects) == {IS_DEBTOR: "debtor"}
    assert DEBTOR not in str(case.as_dict())


def test_messages_repeated_or_out_of_order_change_nothing() -> None:
    world = CourtWorld()
    world.say("20", "21")
    before = [(i.pk, i.sk, i.version) for i in world.register._items.values()]
    for _ in range(3):
        world.feed.run("IN-01")
        world.another_feed().run("IN-01")
    assert [(i.pk, i.sk, i.version) for i in world.register._items.values()] == before


def test_an_impossible_stage_is_told_and_the_older_one_stays() -> None:
    world = CourtWorld()
    world.say("20", "21", "42")
    case = world.cases.get(CASE_NO)
    assert (case.stage, case.flag) == ("21", "stage:42")
    assert [f["source"] for f in world.cases.findings(CASE_NO)] == ["IN-01@3.1"]
    told = Notices(world.register, world.clock)
    assert (
        [n.kind for n in told.of_unit(COURT)] == [n.kind for n in told.of_unit(OPERATOR)] == ["case.finding"]
    )
    world.say("30")
    assert (world.cases.get(CASE_NO).stage, world.cases.get(CASE_NO).flag) == ("30", "")


def test_a_ruling_moves_a_case_and_the_slower_row_is_no_contradiction() -> None:
    world = CourtWorld()
    world.say("20", "21")
    world.log.publish("IN-02", ruling("01"))
    world.feed.run("IN-02")
    assert world.cases.get(CASE_NO).stage == "30"
    assert world.cases.get(CASE_NO).history[-1].document == f"{CASE_NO}之1"
    world.say("21")  # the court's table has not caught up
    assert (world.cases.get(CASE_NO).stage, world.cases.get(CASE_NO).flag) == ("30", "")
    world.say("30", "31", "32", "40", "41", "42")
    world.log.publish("IN-02", ruling("09", 2), ruling("99", 3))
    world.feed.run("IN-02")
    assert [m.stage for m in world.cases.get(CASE_NO).history][-2:] == ["42", "42"]


def test_a_ruling_of_a_case_that_is_not_known_is_told_once() -> None:
    world = CourtWorld()
    world.log.publish("IN-02", ruling("01", case_no="(2022)粤03破9号(个1)"))
    world.feed.run("IN-02")
    world.register.delete(world.register.get("CASES", "POSITION#IN-02"))  # as if killed before keeping it
    world.feed.run("IN-02")
    assert len(Notices(world.register, world.clock).of_unit(OPERATOR)) == 1


def test_another_resource_that_claims_to_be_the_source_is_not_read() -> None:
    """One number, one source."""
    from dataclasses import replace

    world = CourtWorld()
    world.say("20")
    world.contracts["X-01"] = replace(STAGES, id="X-01", provider=FIRM)
    world.log.publish("X-01", stage_row("30"))
    world.feed.run("X-01")
    world.feed.run("X-01")
    assert world.cases.get(CASE_NO).stage == "20"
    assert [n.kind for n in Notices(world.register, world.clock).of_unit(OPERATOR)] == ["case.source"]


def test_a_resource_without_the_mark_is_not_even_opened() -> None:
    from dataclasses import replace

    world = CourtWorld()
    world.contracts["X-02"] = replace(RULINGS, id="X-02", case_register="")
    world.log.publish("X-02", ruling("01"))
    world.feed.run("X-02")
    assert world.log.reads == 0


# --- who is bound


def test_only_in_stages_20_to_61_and_only_who_is_bound_may_ask() -> None:
    """S-11, Q-39: refused with a reason, and the refusal is evidence."""
    world = CourtWorld()
    world.say("10")
    with pytest.raises(NotPermitted) as too_early:
        world.cases.bound(CASE_NO, JUDGE, COURT)
    assert too_early.value.where["reason"] == "stage"
    world.say("20")
    assert (
        world.cases.bound(CASE_NO.replace("(", "（").replace(")", "）") + " 之二", JUDGE, COURT).case_no
        == CASE_NO
    )
    assert world.cases.bound(CASE_NO, LAWYER, FIRM).subjects == {IS_DEBTOR}
    for who, unit in ((STRANGER, STRANGER.unit), (STRANGER, ""), (Principal("p-x", "", frozenset()), "")):
        with pytest.raises(NotPermitted):
            world.cases.bound(CASE_NO, who, unit)
    with pytest.raises(NotPermitted) as unknown:
        world.cases.bound("(2021)粤03破1号(个1)", JUDGE, COURT)
    with pytest.raises(NotPermitted) as strange:
        world.cases.bound(CASE_NO, STRANGER, STRANGER.unit)
    assert (unknown.value.zh, unknown.value.en) == (strange.value.zh, strange.value.en)
    refused = [t for t in world.traces.list(unit=STRANGER.unit) if t.act == "refuse"]
    assert refused
    assert {t.actor for t in refused} == {STRANGER.id}


def test_a_member_of_the_team_is_bound_until_removed() -> None:
    world = CourtWorld()
    world.say("20")
    world.cases.add(CASE_NO, STRANGER.id, STRANGER.unit, by=DESK.principal)
    assert world.cases.bound(CASE_NO, STRANGER, STRANGER.unit)
    assert [c.case_no for c in world.cases.of(STRANGER, STRANGER.unit)] == [CASE_NO]
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, STRANGER, COURT.replace("9J", "9K"))  # the same person for another unit
    world.cases.remove(CASE_NO, STRANGER.id, by=DESK.principal)
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, STRANGER, STRANGER.unit)
    assert world.cases.of(STRANGER, STRANGER.unit) == []


def test_an_administrator_who_is_replaced_loses_the_case() -> None:
    world = CourtWorld()
    world.say("20", "21", "30")
    world.log.publish("IN-01", stage_row("30", 40, administrator_uscc=OTHER_FIRM))
    world.feed.run("IN-01")
    assert world.cases.bound(CASE_NO, Principal("p", OTHER_FIRM, frozenset()), OTHER_FIRM)
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, LAWYER, FIRM)


def test_a_corrected_number_of_the_debtor_takes_the_place_of_the_wrong_one() -> None:
    world = CourtWorld()
    world.say("20")
    world.log.publish("IN-01", stage_row("20", 30, debtor_id_no="440301199001010022"))
    world.feed.run("IN-01")
    assert world.cases.bound(CASE_NO, JUDGE, COURT).subjects == {blind(KEY, "subject", "440301199001010022")}


def test_a_case_that_left_the_courts_data_gives_nothing_until_it_is_back() -> None:
    world = CourtWorld()
    world.say("20")
    world.log.publish("IN-01", {**stage_row("20"), "_op": "delete"})
    world.feed.run("IN-01")
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, JUDGE, COURT)
    world.say("20")
    assert world.cases.bound(CASE_NO, JUDGE, COURT)


def test_the_look_back_begins_two_years_before_the_application() -> None:
    world = CourtWorld()
    world.say("20")
    assert world.cases.bound(CASE_NO, JUDGE, COURT).since == "2019-03-10"


# --- corrections and ends


def corrections(world: CourtWorld) -> Corrections:
    return Corrections(world.cases, world.register, world.traces, Calendar(world.register), world.clock)


def test_a_stage_is_corrected_by_two_persons_only() -> None:
    world = CourtWorld()
    world.say("20", "21", "30", "32")  # 31 was never told
    made = corrections(world).propose(CASE_NO, "32", "", "法院来函", DESK)
    with pytest.raises(NotPermitted):
        corrections(world).take(made.id, "confirm", DESK, {})
    corrections(world).take(made.id, "confirm", SECOND, {})
    case = world.cases.get(CASE_NO)
    assert (case.stage, case.flag, case.history[-1].source) == ("32", "", f"correction:{made.id}")
    assert corrections(world).desk.get(made.id).history[0].given["reason"] == "法院来函"


def test_a_correction_does_not_overwrite_what_the_court_said_meanwhile() -> None:
    world = CourtWorld()
    world.say("20", "21")
    made = corrections(world).propose(CASE_NO, "10", "", "误报", DESK)
    world.say("30")
    with pytest.raises(Conflict):
        corrections(world).take(made.id, "confirm", SECOND, {})
    assert world.cases.get(CASE_NO).stage == "30"


@pytest.mark.parametrize("end", ["22", "80"])
def test_at_its_end_a_case_gives_nothing_and_the_retention_clock_runs(end: str) -> None:
    world = CourtWorld()
    world.say("20", "21", end)
    case = world.cases.get(CASE_NO)
    assert (case.ended, case.retain_until) == ("2026-01-05", "2031-01-05")
    assert [i.body["due"] for i in world.register.query("DESTRUCTION")] == ["2031-01-05"]
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, JUDGE, COURT)


def test_a_case_that_ends_in_the_evening_of_london_ended_on_the_next_day_of_china() -> None:
    """Its retention, too, counts from that day."""
    world = CourtWorld()
    world.say("20", "21")
    world.clock.moment = world.clock.moment.replace(hour=20)
    world.say("22")
    case = world.cases.get(CASE_NO)
    assert (case.ended, case.retain_until) == ("2026-01-06", "2031-01-06")


def test_sharing_ends_a_set_time_after_a_discharge() -> None:
    world = CourtWorld()
    world.say("20", "21", "30", "31", "32", "40", "41", "42", "43")
    assert world.cases.bound(CASE_NO, JUDGE, COURT)
    assert world.cases.get(CASE_NO).end_due == "2022-04-01"
    assert world.cases.end_due() == [CASE_NO]
    assert world.cases.end_due() == []
    with pytest.raises(NotPermitted):
        world.cases.bound(CASE_NO, JUDGE, COURT)
    world.clock.moment += timedelta(days=1)
    world.say("80")
    assert world.cases.get(CASE_NO).ended == "2026-01-05"  # the first end counts
