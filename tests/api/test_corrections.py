"""The life of a correction, from a wrong value that went out to the report that closes it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, Said, World
from tests.support.grounds import DUTY
from tests.support.standing import settled
from tests.support.tickets import ticket_reading

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.errors import Conflict
from huitong.local.platform import Platform
from huitong.procedures.deciding import Actor
from huitong.sharing.grants import Grant

FUND = "1144030000AA0106XM"
WRONG = "claim_no,debtor_id,amount\n001,44030019900101123X,100.00\n002,440300199001011248,200.00\n"
RIGHT = WRONG.replace("100.00", "110.00")
FILING = {"key": {"claim_no": "001"}, "fields": ["amount"], "wrong": "金额少计10元", "found_on": "2026-01-05"}


@pytest.fixture
def deliver(world: World, platform: Platform, tmp_path: Path) -> Any:
    ticket_reading(world, platform.ports)

    def delivered(text: str, **said: Any) -> Batch:
        world.clock.advance(minutes=1)
        id, _ = world.uploads.open(COURT, "claims", "a.csv", by="court", **said)
        world.landing.put(world.uploads.get(id).key, text.encode())
        batch = platform.ingest(world.uploads.get(id).key)
        assert batch is not None
        platform.validate(batch.id)
        platform.compare("claims")
        world.following.run("claims")
        return platform.batches.get(batch.id).batch

    return delivered


@pytest.fixture
def wrong(world: World, deliver: Any) -> Batch:
    """Published with a wrong amount; the bank and the bureau have amounts, the fund only numbers."""
    world.units.put(FUND, "社保")
    world.tokens["fund"] = world.credentials.issue("fund", FUND, ["consumer"], by="test")[1]
    contract = world.contracts.get("claims")
    for unit, fields in ((BANK, ("claim_no", "amount")), (BUREAU, ()), (FUND, ("claim_no", "debtor_id"))):
        world.grants.put(Grant(unit, "claims", fields=fields, duty=DUTY), contract, by="test")
    batch: Batch = deliver(WRONG)
    world.clock.advance(minutes=1)
    gave(world, BANK, "push", ("claim_no", "amount"), seq=1)
    gave(world, BUREAU, "sql", ("claim_no", "debtor_id", "amount"))
    gave(world, FUND, "read", ("claim_no", "debtor_id"))
    gave(world, FUND, "read", ("claim_no", "amount"), key="002")
    world.clock.advance(minutes=1)
    return batch


def gave(world: World, unit: str, path: str, fields: tuple[str, ...], key: str = "001", **more: Any) -> None:
    """The record of use that every way out leaves."""
    record = world.disclosures.record(world.contracts.get("claims"), {"claim_no": key})
    trace = Trace("share", "x", unit, "claims", fields=fields, path=path, count=1, **more)
    world.traces.write(trace, world.disclosures.of_pairs([("", record)]))


def file(call: Call, as_: str = "bank", kind: str = "corrections", **changes: Any) -> Said:
    body = {name: value for name, value in {**FILING, **changes}.items() if value is not None}
    return call(
        "POST", f"/v1/resources/{{code}}/{kind}", as_=as_, path={"code": "claims"}, body=body, duty=DUTY
    )


def step(call: Call, id: str, name: str, as_: str = "court", **given: Any) -> Said:
    return call(
        "POST", "/v1/corrections/{id}/steps", as_=as_, path={"id": id}, body={"step": name, "given": given}
    )


def notices(call: Call, as_: str) -> list[dict[str, Any]]:
    found = call("GET", "/v1/notices", as_=as_, query={"unread": "true"}).body["items"]
    return [n for n in found if n["kind"] == "correction_notice.tell"]


def read(call: Call, id: str, as_: str) -> dict[str, Any]:
    said = call("GET", "/v1/corrections/{id}", as_=as_, path={"id": id})
    assert said.status == 200, said.body
    found: dict[str, Any] = said.body
    return found


def test_a_correction_reaches_exactly_those_who_had_the_wrong_value(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    """Q-52, Q-53, L-29, L-31, L-32, L-49: from the record itself to the closing report."""
    filed = file(call)
    assert filed.status == 201, filed.body
    id = filed.body["id"]
    assert filed.body["state"] == "filed"
    assert {"report", "answer"} == set(filed.body["clocks"])
    assert filed.body["clocks"]["answer"]["due"] == "2026-01-19"  # ten working days after Monday the 5th
    (mark,) = world.marks.open("claims")
    assert (mark.ticket, mark.batch_id, mark.source_row) == (id, wrong.id, 2)
    assert step(call, id, "accept").status == 200
    assert step(call, id, "examine", finding="属实").status == 200

    corrected = deliver(RIGHT)
    shown = read(call, id, "court")
    assert shown["state"] == "corrected"
    told = shown["history"][-1]["given"]
    assert (told["batch"], told["seq"], told["wrong_seq"]) == (corrected.id, 2, 1)
    assert sorted(told["receivers"]) == sorted([BANK, BUREAU])
    assert world.marks.open("claims") == []
    assert [m.result for m in world.marks.of_resource("claims")] == ["corrected"]
    assert "receivers" not in read(call, id, "bank"), "who else had the record is not the filer's to know"

    assert len(notices(call, "bank")) == len(notices(call, "bureau")) == 1
    assert notices(call, "fund") == []
    (told_bank,) = notices(call, "bank")
    assert told_bank["must_acknowledge"]
    assert told_bank["due"] == "2026-01-12"
    assert "100.00" not in str(told_bank)
    assert "001" not in told_bank["zh"].replace(told_bank["about"], "")
    said = call("POST", "/v1/notices/{id}/acknowledge", as_="bank", path={"id": told_bank["id"]}, body={})
    assert (said.status, bool(said.body["read_at"])) == (200, True)
    assert read(call, id, "court")["state"] == "corrected", "the bureau has not acknowledged"

    world.clock.advance(days=9)  # past the 12th
    world.ticket_clocks.tick()
    closed = read(call, id, "court")
    assert closed["state"] == "closed"
    late = {r["unit"]: r["late"] for r in closed["receivers"]}
    assert late == {BANK: False, BUREAU: True}
    (told_bureau,) = notices(call, "bureau")
    call("POST", "/v1/notices/{id}/acknowledge", as_="bureau", path={"id": told_bureau["id"]}, body={})
    report = call("GET", "/v1/corrections/{id}/report", as_="bank", path={"id": id}).body
    assert (report["result"], report["correction"]["seq"]) == ("corrected", 2)
    assert report["working_days"] == 7
    kinds = [n["kind"] for n in call("GET", "/v1/notices", as_="bank").body["items"]]
    assert "correction.close_late" in kinds


def test_the_last_acknowledgement_closes_the_ticket(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    """Q-53: acknowledged by all in time; what was given after the correction tells nobody."""
    id = file(call).body["id"]
    deliver(RIGHT)
    gave(world, FUND, "read", ("claim_no", "amount"))
    world.following.run("claims")
    for who in ("bank", "bureau"):
        (notice,) = notices(call, who)
        call("POST", "/v1/notices/{id}/acknowledge", as_=who, path={"id": notice["id"]}, body={})
    assert read(call, id, "bank")["state"] == "closed"
    assert notices(call, "fund") == []


def test_a_push_that_was_on_its_way_is_told_later(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    file(call)
    deliver(RIGHT)
    gave(world, FUND, "push", ("claim_no", "amount"), seq=1)
    assert world.ticket_clocks.look_again() == ["claims"]
    world.following.run("claims")
    world.following.run("claims")
    assert len(notices(call, "fund")) == 1
    assert len(notices(call, "bank")) == 1, "repeats tell nobody twice"


def test_who_may_not_see_a_record_learns_nothing_by_doubting_it(
    wrong: Batch, world: World, call: Call
) -> None:
    """Hostile: a hidden record, one that does not exist and a field not granted."""
    contract = world.contracts.get("claims")
    world.grants.put(Grant(FUND, "claims", row_filter="claim_no > '001'", duty=DUTY), contract, by="test")
    hidden, absent = file(call, "fund"), file(call, "fund", key={"claim_no": "999"})
    assert (hidden.status, absent.status) == (404, 404)
    strip = lambda said: {k: v for k, v in said.body.items() if k != "request_id"}  # noqa: E731
    assert strip(hidden) == strip(absent)
    place = {"key": None, "batch_id": wrong.id, "source_row": 2}
    assert file(call, "fund", **place).status == 404
    assert file(call, "fund", **{**place, "source_row": 3}).status == 201
    assert file(call, "bank", fields=["debtor_id"]).status == 400
    assert file(call, "auditor").status == 403
    id = file(call).body["id"]
    assert call("GET", "/v1/corrections/{id}", as_="fund", path={"id": id}).status == 404
    assert step(call, id, "accept", as_="fund").status == 404
    record = call("GET", "/v1/corrections/{id}/record", as_="officer", path={"id": id})
    assert record.status == 404, "the key is for the two units only"
    record = call("GET", "/v1/corrections/{id}/record", as_="court", path={"id": id})
    assert record.body["key"] == {"claim_no": "001"}


def test_nothing_plain_of_a_record_stands_in_the_register(wrong: Batch, world: World, call: Call) -> None:
    """S-16: the key and what is said of it are sealed; here the seal is a mark, so look around it."""
    file(call, wrong="张三的金额有误")
    about = ("CORRECTION#", "MARKS#", "NOTICE#", "PARTY#", "EVIDENCE")
    items = [i for i in world.register._items.values() if i.pk.startswith(about)]
    assert len(items) > 3
    for item in items:
        body = {k: v for k, v in item.body.items() if k != "content"}
        content = dict(item.body.get("content") or {})
        content.pop("sealed", None)
        assert "张三" not in str((body, content)), item.pk


def test_two_at_once_on_a_ticket_one_wins(wrong: Batch, world: World, call: Call) -> None:
    id = file(call).body["id"]
    court = world.credentials.authenticate(world.tokens["court"])
    seen = world.corrections.get(id, Actor(court, COURT)).version
    world.corrections.take(id, "accept", Actor(court, COURT), seen=seen)
    with pytest.raises(Conflict):
        world.corrections.take(id, "refuse", Actor(court, COURT), {"reason": "x"}, seen=seen)


def test_a_late_report_and_a_late_answer_are_recorded(wrong: Batch, world: World, call: Call) -> None:
    """L-29: both clocks run, the first from the day of finding."""
    found = file(call, found_on="2025-12-22").body
    assert found["clocks"]["report"]["due"] == "2025-12-29"
    assert found["clocks"]["report"]["stopped"] == "2026-01-05"
    assert file(call, found_on="2026-01-06").status == 400, "a day to come"
    world.clock.advance(days=20)
    world.ticket_clocks.tick()
    assert read(call, found["id"], "court")["clocks"]["answer"]["breached"]


def test_the_stricter_policy_goes_by_the_manager(wrong: Batch, world: World, call: Call) -> None:
    """L-30, L-31: three days to check, three to mend or to handle, a report."""
    id = file(call, kind="reviews").body["id"]
    assert step(call, id, "find_technical", "court", cause="x").status == 403
    checked = step(call, id, "pass_on", "officer", reason="非技术原因")
    assert checked.body["clocks"]["check"]["stopped"] == "2026-01-05"
    assert checked.body["clocks"]["handle"]["due"] == "2026-01-08"
    assert step(call, id, "report_back", "court", result="数据无误").status == 200
    assert step(call, id, "conclude", "officer", conclusion="维持").body["state"] == "closed"
    report = call("GET", "/v1/corrections/{id}/report", as_="bank", path={"id": id}).body
    assert report["result"] == "answered"
    technical = file(call, kind="reviews").body["id"]
    found = step(call, technical, "find_technical", "officer", cause="解析错误").body
    assert found["clocks"]["mend"]["due"] == "2026-01-08"


def test_an_objection_of_a_person_names_the_proof_of_identity(wrong: Batch, world: World, call: Call) -> None:
    """C-24: the record shows the open objection and, for a time, its result."""
    assert file(call, kind="objections", by_subject=True).status == 400
    said = file(call, kind="objections", by_subject=True, identity_proof="SZ-2026-1", truth_declared=True)
    id = said.body["id"]
    step(call, id, "accept")
    assert step(call, id, "confirm", reason="核对原件无误").body["state"] == "confirmed"
    assert [(m.state, m.result) for m in world.marks.of_resource("claims")] == [("closed", "confirmed")]
    world.clock.moment += timedelta(days=91)
    assert world.marks.of_resource("claims") == []


def test_a_missing_record_can_be_reported_and_its_delivery_ends_it(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    """Q-52: a gap; nobody was given a wrong value, so nobody is told."""
    said = file(call, key={"claim_no": "003"}, gap=True)
    assert said.status == 201, said.body
    assert world.marks.records("claims") == frozenset()
    deliver(WRONG + "003,440300199001011256,300.00\n")
    assert read(call, said.body["id"], "bank")["state"] == "closed"
    assert notices(call, "bank") == []


def test_a_batch_that_names_the_ticket_corrects_it_whatever_it_changes(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    """L-49: the trail leads from the ticket to the batch and back, the former value is in the change log."""
    id = file(call).body["id"]
    other = WRONG.replace("44030019900101123X", "440300199001011272")
    deliver(other)
    assert read(call, id, "bank")["state"] == "filed", "another field changed"
    (mark,) = world.marks.open("claims")
    assert mark.batch_id != wrong.id, "the mark went along with the record"
    gave(world, FUND, "read", ("claim_no", "debtor_id"))
    gave(world, BANK, "read", ("claim_no", "amount"))
    batch = deliver(other.replace("440300199001011272", "440300199001011280"), ticket=id)
    assert batch.ticket == id
    shown = read(call, id, "court")
    assert shown["state"] == "corrected"
    assert shown["history"][-1]["given"]["fields"] == ["debtor_id"]
    assert [r["unit"] for r in shown["receivers"]] == [FUND], "the bureau had the value before it was wrong"


def test_a_record_under_verification_says_so_and_stays_usable(
    wrong: Batch, deliver: Any, world: World, call: Call
) -> None:
    """L-32: in changes, in the snapshot and in SQL; who may not see the row does not see its mark."""
    settled(world, [FUND], "claims", ("push", "pull", "read"))
    contract = world.contracts.get("claims")
    world.grants.put(Grant(FUND, "claims", row_filter="claim_no > '001'", duty=DUTY), contract, by="test")

    def events(route: str, as_: str = "bank") -> dict[str, bool]:
        said = call("GET", f"/v1/resources/{{code}}/{route}", as_=as_, path={"code": "claims"}, duty=DUTY)
        assert said.status == 200, said.body
        return {e["data"]["row"]["claim_no"]: e.get("underreview", False) for e in said.body["items"]}

    def marks(as_: str) -> list[Any]:
        sql = f'SELECT * FROM "{contract.table}$marks"'
        said = call("POST", "/v1/queries", as_=as_, body={"sql": sql}, duty=DUTY)
        assert said.status == 200, said.body
        return [(m["_source_row"], m["fields"], m["state"], m["ticket"]) for m in said.body["rows"]]

    assert marks("bank") == []
    id = file(call).body["id"]
    assert events("changes") == events("snapshot") == {"001": True, "002": False}
    assert marks("bank") == [(2, "amount", "open", None)]
    assert marks("court") == [(2, "amount", "open", id)]
    assert marks("fund") == []
    assert events("snapshot", "fund") == {"002": False}
    deliver(RIGHT)
    assert events("snapshot") == {"001": False, "002": False}
    assert [m[2] for m in marks("court")] == []
