"""What is public, until when, and what a person may read of the own data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import COURT, Call, Said, World
from tests.support.tickets import ticket_reading

from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR
from huitong.local.platform import Platform
from huitong.open_access.publication_rules import open_check

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "notice_no,case_no,notice_type,debtor_name,id_masked,administrator_name,administrator_phone,notice_date,"
    "claim_deadline,publish_until,updated_at\n"
)
PEOPLE = """
apiVersion: v3.1.0
kind: DataContract
id: couples
version: 1.0.0
status: active
schema:
  - name: couples
    properties:
      - {name: id_no, logicalType: string, primaryKey: true, logicalTypeOptions: {format: citizen-id},
         classification: L4, customProperties: [{property: mask, value: id}]}
      - {name: person_name, logicalType: string, classification: L3,
         customProperties: [{property: mask, value: name}]}
      - {name: spouse_id_no, logicalType: string, logicalTypeOptions: {format: citizen-id},
         classification: L4, customProperties: [{property: mask, value: id}]}
      - {name: spouse_name, logicalType: string, classification: L4,
         customProperties: [{property: mask, value: name}]}
customProperties:
  - {property: shareType, value: "2"}
"""
WIFE, HUSBAND = "110101199003078670", "11010119900307803X"


def notice(n: int, until: str) -> str:
    return (
        f"G{n},(2026)粤03破{n}号(个{n}),01,张三{n},4403****{n:02},某律所,0755-88123456,2026-01-02,2026-02-02,{until},"
        "2026-01-02T08:00:00+08:00\n"
    )


@pytest.fixture
def put(world: World, platform: Platform) -> Any:
    ticket_reading(world, platform.ports)

    def delivered(resource: str, unit: str, text: str) -> None:
        world.clock.advance(minutes=1)
        id, _ = world.uploads.open(unit, resource, "a.csv", by="test")
        world.landing.put(world.uploads.get(id).key, text.encode())
        batch = platform.ingest(world.uploads.get(id).key)
        assert batch is not None
        validated = platform.validate(batch.id)
        assert validated.counts.quarantined == 0, validated.quality
        platform.compare(resource)

    return delivered


@pytest.fixture
def announced(world: World, put: Any) -> None:
    world.contracts.put((ROOT / "schemas" / "OUT-01.yaml").read_text(), by="test")
    rows = [notice(1, "2026-01-05"), notice(2, "2026-03-31"), notice(3, "")]
    put("OUT-01", OPERATOR, HEAD + "".join(rows))


def read(call: Call, code: str = "OUT-01", **query: str) -> Said:
    return call("GET", "/v1/open/resources/{code}", path={"code": code}, query=query or None)


def release(call: Call, code: str = "OUT-01", as_: str = "officer") -> Said:
    path, body = {"code": code}, {"basis": "局发〔2026〕2号"}
    return call("POST", "/v1/open/resources/{code}/release", as_=as_, path=path, body=body)


def test_what_is_public_ends_on_its_day_without_any_job(announced: None, world: World, call: Call) -> None:
    """C-23, S-32, Q-62: open fields only, after the check; gone when the last day in China is over."""
    assert read(call).status == 404, "nothing is public before it was checked"
    assert call("GET", "/v1/open/resources").body["items"] == []
    assert release(call, as_="court").status == 403
    made = release(call)
    assert made.status == 201, made.body
    said = read(call)
    assert [row["notice_no"] for row in said.body["items"]] == ["G1", "G2"], "without an end it is not shown"
    assert "id_masked" not in said.body["fields"], "L2"
    assert set(said.body["items"][0]) == set(said.body["fields"])
    world.clock.advance(hours=8)  # 00:01 of the 6th in China, still the 5th in UTC
    assert world.clock.moment.day == 5
    assert [row["notice_no"] for row in read(call).body["items"]] == ["G2"]
    expired = call("GET", "/v1/open/expired", as_="officer").body["items"]
    assert expired == [{"resource": "OUT-01", "until": "publish_until", "expired": 1}]
    assert call("GET", "/v1/open/expired", as_="bank").status == 403
    (used, *_) = [t for t in world.traces.list(resource="OUT-01") if t.detail == "open"]
    assert (used.actor, used.source) == ("public", "10.0.0.9")
    withdrawn = call("DELETE", "/v1/open/resources/{code}/release", as_="officer", path={"code": "OUT-01"})
    assert withdrawn.body["released"] is False
    assert read(call).status == 404


def test_public_rows_come_in_pages_and_not_too_fast(announced: None, put: Any, call: Call) -> None:
    put("OUT-01", OPERATOR, HEAD + "".join(notice(n, "2026-03-31") for n in range(1, 8)))
    release(call)
    first = read(call, limit="4")
    second = read(call, limit="4", after=first.body["next"])
    seen = [row["notice_no"] for page in (first, second) for row in page.body["items"]]
    assert (sorted(seen), second.body["next"]) == ([f"G{n}" for n in range(1, 8)], None)
    assert read(call, id_no="x").status == 400, "there is no search by number"
    statuses = [read(call).status for _ in range(60)]
    assert statuses[-1] == 429


def test_what_breaks_the_rules_of_publication_is_not_made_public(world: World, call: Call) -> None:
    """Q-62: every broken rule is told at once."""
    said = release(call, "claims")
    assert said.status == 400
    assert {p["rule"] for p in said.body["problems"]} == {"open.declared", "open.fields", "open.until"}
    text = (ROOT / "schemas" / "OUT-01.yaml").read_text()
    standing = text.replace("publishUntil, value: publish_until", "publishUntil, value: standing")
    world.contracts.put(standing, by="test")
    rules = {p.rule for p in open_check(world.contracts.get("OUT-01"))}
    assert rules == {"open.standing", "open.name"}


def test_a_new_version_shows_no_field_that_was_not_checked(announced: None, world: World, call: Call) -> None:
    release(call)
    text = (ROOT / "schemas" / "OUT-01.yaml").read_text()
    more = text.replace("classification: L2", "classification: L1")
    world.contracts.put(more, by="test")
    assert "id_masked" not in read(call).body["fields"]
    release(call)
    assert "id_masked" in read(call).body["fields"]


def test_the_catalogue_s_open_resources_pass_the_rules(world: World) -> None:
    for name in ("OUT-01", "IN-15", "IN-06"):
        contract = world.contracts.put((ROOT / "schemas" / f"{name}.yaml").read_text(), by="test")
        assert open_check(contract) == [], name


# --- a person's own data -------------------------------------------------------


@pytest.fixture
def couples(world: World, put: Any) -> None:
    world.contracts.put(PEOPLE, by="test", provider=COURT)
    header = "id_no,person_name,spouse_id_no,spouse_name\n"
    put("couples", COURT, f"{header}{WIFE},王芳,{HUSBAND},李强\n110101199003070134,赵六,,\n")
    world.tokens["second"] = world.credentials.issue("second", "", ["officer"], by="test")[1]


def asked(call: Call, **changes: Any) -> Said:
    body = {"kind": "access", "number": HUSBAND, "identity_proof": "ZJ-1", "agreement": "SQ-1",
            "resources": ["couples"], **changes}  # fmt: skip
    return call("POST", "/v1/subject-requests", as_="officer", body=body)


def code_for(call: Call) -> tuple[str, str]:
    id = asked(call).body["id"]
    path, step = {"id": id}, {"step": "approve", "given": {"basis": "本人申请"}}
    same = call("POST", "/v1/subject-requests/{id}/steps", as_="officer", path=path, body=step)
    assert same.status == 403, "another person approves"
    said = call("POST", "/v1/subject-requests/{id}/steps", as_="second", path=path, body=step)
    assert said.body["state"] == "approved"
    issued = call("POST", "/v1/subject-requests/{id}/code", as_="officer", path=path)
    return id, issued.body["code"]


def own(call: Call, code: str, number: str = HUSBAND) -> Said:
    return call("POST", "/v1/open/own-record", body={"code": code, "number": number})


def test_a_person_reads_the_own_rows_once_by_code_and_number(
    couples: None, world: World, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    """C-23, S-31: with agreement and a code; what is about the spouse is masked; each use is evidenced."""
    id, code = code_for(call)
    said = own(call, code, HUSBAND.lower())
    assert said.status == 200, said.body
    (found,) = said.body["resources"]
    (row,) = found["rows"]
    assert (row["spouse_id_no"], row["spouse_name"]) == (HUSBAND, "李强")
    assert (row["id_no"], row["person_name"]) == ("1101************70", "王*")
    assert own(call, code).status == 403, "one time"
    (use,) = [t for t in world.traces.list(resource="couples") if t.detail == id]
    assert (use.actor, use.count, use.subject_count) == (f"subject:{id}", 1, 1)
    kept = json.dumps([i.body for i in world.register._items.values()], ensure_ascii=False)
    log = capsys.readouterr().err
    assert code not in kept + log
    assert HUSBAND not in kept + log


def test_a_wrong_number_an_old_code_and_a_used_one_are_the_same_answer(
    couples: None, world: World, call: Call
) -> None:
    answers = []
    _, code = code_for(call)
    answers.append(own(call, code, WIFE))
    answers.append(own(call, "no-code-at-all"))
    world.clock.advance(minutes=31)
    answers.append(own(call, code))
    _, guessed = code_for(call)
    for _ in range(3):
        world.clock.advance(minutes=1)
        own(call, guessed, WIFE)
    answers.append(own(call, guessed))
    told = {(a.status, a.body["detail"]) for a in answers}
    assert len(told) == 1
    assert answers[0].status == 403


def test_two_uses_of_a_code_at_once_give_rows_to_one(couples: None, world: World, call: Call) -> None:
    _, code = code_for(call)
    requests, register = world.subject_requests, world.register
    get, raced = register.get, []

    def racing(pk: str, sk: str) -> Any:
        found = get(pk, sk)
        if pk.startswith("SUBJECT-CODE#") and not raced:
            raced.append(True)
            requests.redeem(code, HUSBAND)  # somebody else, between reading and writing
        return found

    register.get = racing  # type: ignore[method-assign]
    assert own(call, code).status == 403
    register.get = get  # type: ignore[method-assign]
    with pytest.raises(NotPermitted):
        requests.redeem(code, HUSBAND)


def test_a_request_has_a_deadline_and_names_resources_that_may_be_read(
    couples: None, world: World, call: Call
) -> None:
    """S-31: registered with deadline; who informed on somebody is never told."""
    assert asked(call).body["clocks"]["answer"]["due"] == "2026-01-26"
    text = (ROOT / "schemas" / "OUT-05.yaml").read_text()
    world.contracts.put(text, by="test")
    assert asked(call, resources=["OUT-05"]).status == 400
    assert asked(call, agreement="").status == 400
    assert call("GET", "/v1/subject-requests", as_="court").status == 403
    deletion = asked(call, kind="deletion", resources=[]).body
    refused = {"step": "refuse", "given": {"reason": "法定保存期未满"}}
    path = {"id": deletion["id"]}
    said = call("POST", "/v1/subject-requests/{id}/steps", as_="second", path=path, body=refused)
    assert said.body["state"] == "refused"


def test_statements_stand_apart_from_official_data(world: World, call: Call) -> None:
    """C-25: evidence and a declaration of truth; the text is sealed, for who filed it and the desk."""
    body = {"kind": "self_declared", "text": "本人另有一处房产", "evidence": "P-1", "truth_declared": False}
    assert call("POST", "/v1/statements", as_="bank", body=body).status == 400
    said = call("POST", "/v1/statements", as_="bank", body={**body, "truth_declared": True})
    assert said.status == 201, said.body
    id = said.body["id"]
    assert "房产" not in str(said.body)
    path = {"id": id}
    assert call("GET", "/v1/statements/{id}/text", as_="officer", path=path).body["text"] == body["text"]
    assert call("GET", "/v1/statements/{id}", as_="court", path=path).status == 404
    step = {"step": "note", "given": {"result": "备查"}}
    assert call("POST", "/v1/statements/{id}/steps", as_="bank", path=path, body=step).status == 403
    assert call("POST", "/v1/statements/{id}/steps", as_="officer", path=path, body=step).status == 200


def test_an_impact_assessment_stands_for_an_application(world: World, call: Call) -> None:
    """S-31, PIPL art. 55."""
    said = {"purpose": "p", "necessity": "n", "risks": "r", "measures": "m"}
    body = {"application": "a-1", "resource": "claims", **said, "conclusion": "acceptable"}
    made = call("POST", "/v1/assessments", as_="court", body=body)
    assert made.status == 201, made.body
    listed = call("GET", "/v1/assessments", as_="officer", query={"application": "a-1"}).body["items"]
    assert [a["id"] for a in listed] == [made.body["id"]]
    assert call("GET", "/v1/assessments", as_="bank").body["items"] == []
