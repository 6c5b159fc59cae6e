"""A case from the court's publication to the end of sharing, and comparison without release, over the API."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from case_town import (  # noqa: F401 (fixtures)
    ASKED,
    CIVIL,
    DEBTOR,
    ESTATES_OF,
    FIRM,
    NAMES,
    OTHER,
    PARTNERS,
    SPOUSE,
    Publish,
    case_row,
    claim,
    made_comparison,
    made_town,
)
from tests.support.api_world import SUBJECTS_KEY, Call, World
from tests.support.court import CASE_NO, citizen

from huitong.audit.subjects import blind
from huitong.identity.model import OPERATOR
from huitong.sharing.grants import Grant


def test_from_the_courts_publication_to_the_refused_use(town: Publish, world: World, call: Call) -> None:
    """Q-01, Q-56, Q-57, S-11, domain.md 3: nothing before approval, only the case's rows under it, nothing
    after the court ends the case."""
    town("IN-01", case_row("21"))
    town("IN-07", *ESTATES_OF)
    sql = {"sql": "SELECT cert_no, id_no FROM in_07 ORDER BY cert_no", "case_no": CASE_NO, "purpose": "核对"}
    assert call("POST", "/v1/queries", as_="lawyer", body=sql).status == 404  # nothing is granted yet

    made = call("POST", "/v1/requests", as_="lawyer", body=ASKED)
    assert made.status == 201, made.body
    path = {"id": made.body["id"]}
    step = "/v1/requests/{id}/steps"
    assert call("POST", step, as_="lawyer", path=path, body={"step": "check"}).status == 403
    assert call("POST", step, as_="partner", path=path, body={"step": "check"}).body["state"] == "sent"
    assert call("POST", "/v1/queries", as_="lawyer", body=sql).status == 404
    seen = call("GET", "/v1/requests/{id}/persons", as_="clerk", path=path)
    assert seen.body["items"] == [{"id_no": DEBTOR, "relation": "debtor", "name": "张某某"}]
    assert call("GET", "/v1/requests/{id}", as_="stranger", path=path).status == 404
    approved = call(
        "POST", step, as_="clerk", path=path, body={"step": "approve", "given": {"unmasked": ["cert_no"]}}
    )
    assert approved.status == 200, approved.body
    assert "receive" in [
        p["step"] for p in call("GET", "/v1/requests/{id}", as_="lawyer", path=path).body["possible"]
    ]

    found = call("POST", "/v1/queries", as_="lawyer", body=sql)
    assert found.status == 200, found.body
    assert [r["cert_no"] for r in found.body["rows"]] == ["粤(2020)深圳市不动产权第0000001号"]  # as approved
    assert found.body["rows"][0]["id_no"] == f"{DEBTOR[:4]}{'*' * 12}{DEBTOR[-2:]}"
    without = {"sql": sql["sql"], "purpose": "核对"}
    assert call("POST", "/v1/queries", as_="stranger", body={**sql}).status in (403, 404)
    assert call("POST", "/v1/queries", as_="lawyer", body=without).status == 403

    town("IN-01", case_row("80", 5))
    refused = call("POST", "/v1/queries", as_="lawyer", body=sql)
    assert refused.status == 403
    assert call("GET", "/v1/requests/{id}", as_="lawyer", path=path).body["state"] == "ended"
    assert world.grants.find(FIRM, "IN-07", made.body["id"]).revoked  # type: ignore[union-attr]
    shown = call("GET", "/v1/cases/{case_no}", as_="lawyer", path={"case_no": quote(CASE_NO)})
    assert (shown.body["stage"], shown.body["usable"], shown.body["ended"]) == ("80", False, "2026-01-05")
    assert DEBTOR not in json.dumps(shown.body)


def test_an_approval_opens_no_way_that_was_switched_off(town: Publish, world: World, call: Call) -> None:
    """S-37: what was closed for a suspicion is opened by whoever may, not by the next request in a case."""
    town("IN-01", case_row("21"))
    world.grants.put(Grant(FIRM, "IN-07"), world.contracts.get("IN-07"), by="desk")
    world.register.write(*world.grants.switched(FIRM, "IN-07", ("read",), shut=True))
    path = {"id": call("POST", "/v1/requests", as_="lawyer", body=ASKED).body["id"]}
    for who, step in (("partner", "check"), ("clerk", "approve")):
        said = call("POST", "/v1/requests/{id}/steps", as_=who, path=path, body={"step": step, "given": {}})
        assert said.status == 200, said.body
    made = world.grants.get(FIRM, "IN-07", path["id"])
    assert (made.covers("read"), made.covers("sql")) == (False, True)


def test_a_case_and_its_team_by_api(town: Publish, call: Call) -> None:
    town("IN-01", case_row("21"))
    one = {"case_no": quote(CASE_NO)}
    assert call("GET", "/v1/cases/{case_no}", as_="stranger", path=one).status == 404
    assert call("GET", "/v1/cases", as_="stranger").body["items"] == []
    body = {"id": "nobody-1", "unit": CIVIL}
    assert call("POST", "/v1/cases/{case_no}/team", as_="lawyer", path=one, body=body).status == 403
    assert call("POST", "/v1/cases/{case_no}/team", as_="desk", path=one, body=body).status == 201
    shown = call("GET", "/v1/cases/{case_no}", as_="desk", path=one).body
    assert [m["id"] for m in shown["team"]] == ["nobody-1"]
    assert shown["relations"] == {"debtor": 1}
    gone = call("DELETE", "/v1/cases/{case_no}/team/{member}", as_="desk", path={**one, "member": "nobody-1"})
    assert gone.body["ended_at"]
    assert [
        c["case_no"] for c in call("GET", "/v1/cases", as_="desk", query={"stage": "21"}).body["items"]
    ] == [CASE_NO]
    assert [c["case_no"] for c in call("GET", "/v1/cases", as_="lawyer").body["items"]] == [CASE_NO]


def test_a_stage_is_corrected_by_two_at_the_operators_desk(town: Publish, call: Call) -> None:
    town("IN-01", case_row("21"))
    one = {"case_no": quote(CASE_NO)}
    body = {"stage": "30", "reason": "法院来函更正"}
    assert call("POST", "/v1/cases/{case_no}/corrections", as_="lawyer", path=one, body=body).status == 403
    made = call("POST", "/v1/cases/{case_no}/corrections", as_="desk", path=one, body=body)
    assert made.status == 201, made.body
    step, path = "/v1/stage-corrections/{id}/steps", {"id": made.body["id"]}
    assert call("POST", step, as_="desk", path=path, body={"step": "confirm"}).status == 403
    assert call("POST", step, as_="desk2", path=path, body={"step": "confirm"}).status == 200
    assert call("GET", "/v1/cases/{case_no}", as_="desk", path=one).body["stage"] == "30"
    listed = call("GET", "/v1/stage-corrections", as_="desk").body["items"]
    assert [r["state"] for r in listed] == ["applied"]


# --- comparison without release


def test_a_comparison_answers_agree_differ_or_unknown_and_nothing_else(compared: Any) -> None:
    """S-38, L-22: spelling makes no difference, names count exactly."""
    said = compared(
        claim(f" {DEBTOR} ", spouse_name=PARTNERS[0], reg_date="2010年5月10日", marital_code="２０"),
    )
    assert said.status == 200, said.body
    assert said.body == {"items": [{"spouse_name": "agree", "reg_date": "agree", "marital_code": "agree"}]}
    said = compared(claim(spouse_name="钱风 筝", spouse_id_no=citizen(51), divorce_date="2020-01-01"))
    assert said.body == {
        "items": [{"spouse_name": "differ", "spouse_id_no": "differ", "divorce_date": "unknown"}]
    }


def test_a_person_outside_of_the_case_is_refused_and_logged(compared: Any, world: World) -> None:
    """S-11, C-20."""
    assert compared(claim(OTHER, spouse_name=PARTNERS[2])).status == 403
    (kept,) = [t for t in world.traces.list(resource="IN-04") if t.act == "refuse"]  # one record, not two
    assert (kept.result, kept.case_no, kept.path) == ("outside-case", CASE_NO, "comparison")


def test_a_restricted_unit_has_no_derived_service_and_keeps_what_runs(compared: Any, world: World) -> None:
    """L-36, S-37: no comparison when that is forbidden; a ban on new grants stops nothing that runs."""
    limits, asked = world.area("restrictions"), claim(spouse_name=PARTNERS[0])
    limits.impose(FIRM, "欠报", ["grants"], by="desk", acting="")
    assert compared(asked).status == 200
    banned = limits.impose(FIRM, "欠报", ["derived"], by="desk", acting="")
    said = compared(asked)
    assert (said.status, {p["rule"] for p in said.body["problems"]}) == (403, {"gate.restricted"})
    limits.decide(FIRM, banned.id, "lift", "补齐", by="desk", acting="")
    assert compared(asked).status == 200


def test_a_grant_for_comparison_opens_no_other_way_and_no_other_grant_opens_this(
    compared: Any, world: World, call: Call
) -> None:
    """IN-04 and IN-11 are compared only."""
    sql = {"sql": "SELECT * FROM in_04", "case_no": CASE_NO, "purpose": "核对"}
    assert call("POST", "/v1/queries", as_="lawyer", body=sql).status == 403
    world.grants.revoke(FIRM, "IN-04", "g4", by="test")
    rows = Grant(FIRM, "IN-04", id="g5", case_no=CASE_NO, methods=("sql",))
    world.grants.put(rows, world.contracts.get("IN-04"), by="test")
    assert compared(claim(spouse_name="x")).status == 403


def test_outside_of_a_case_single_persons_are_not_looked_up(compared: Any, world: World) -> None:
    world.grounds.duties.add("婚姻核验")
    grant = Grant(FIRM, "IN-04", id="g6", duty="婚姻核验", methods=("comparison",))
    world.grants.put(grant, world.contracts.get("IN-04"), by="test")
    under = {"case_no": "", "duty": "婚姻核验"}
    few = compared(*(claim(citizen(n), marital_code="10") for n in (1, 2, 3, 1, 2, 3, 1, 2, 3, 1)), **under)
    assert (few.status, few.body["where"]["limit"]) == (422, "fewest")
    many = compared(*(claim(citizen(n), marital_code="20") for n in range(1, 12)), **under)
    assert [i["marital_code"] for i in many.body["items"]] == ["agree"] * 3 + ["unknown"] * 8


def test_trying_out_values_is_refused_and_told(compared: Any, world: World) -> None:
    """S-38: after three different claims of one field, also within one request; the same claim again is none."""
    for name in ("甲一", "乙二", "丙三", "甲一"):
        assert compared(claim(spouse_name=name)).status == 200
    fourth = compared(claim(spouse_name=PARTNERS[0]))
    assert (fourth.status, fourth.code) == (422, "enumeration")
    told = [n for n in world.notices.of_unit(CIVIL) if n.kind == "verification.enumeration"]
    assert len(told) == 1
    assert [n.kind for n in world.notices.of_unit(OPERATOR)].count("verification.enumeration") == 1
    (refused,) = [t for t in world.traces.list(resource="IN-04") if t.result == "enumeration"]
    assert [s for s, _ in refused.subjects] == [blind(SUBJECTS_KEY, "subject", DEBTOR)]
    once = compared(*(claim(person_name=f"试{n}") for n in range(4)))
    assert once.status == 422
    world.clock.moment = world.clock.moment.replace(day=world.clock.moment.day + 1)
    assert compared(claim(spouse_name=PARTNERS[0])).body == {"items": [{"spouse_name": "agree"}]}


def test_a_person_is_compared_so_often_a_day_and_no_more(compared: Any) -> None:
    for _ in range(2):
        assert compared(*[claim(marital_code="20")] * 10).status == 200
    full = compared(claim(marital_code="20"))
    assert (full.status, full.body["where"]["limit"]) == (422, "subject_day")


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ({"key": {}, "claimed": {"spouse_name": "x"}}, "verification.key"),
        ({"key": {"id_no": DEBTOR}, "claimed": {"reg_date": "2010-13-45"}}, "verification.value"),
        ({"key": {"id_no": DEBTOR}, "claimed": {"id_no": DEBTOR}}, "verification.field"),
        ({"key": {"id_no": DEBTOR}, "claimed": {}}, "verification.claimed"),
    ],
)
def test_a_claim_that_is_none_is_told_without_its_value(compared: Any, item: Any, rule: str) -> None:
    said = compared(item)
    assert (said.status, [p["rule"] for p in said.body["problems"]]) == (400, [rule])
    assert DEBTOR not in json.dumps(said.body)
    assert "2010-13-45" not in json.dumps(said.body)


def test_without_evidence_nothing_is_compared(compared: Any, world: World, monkeypatch: Any) -> None:
    """S-15."""
    from huitong.errors import Unavailable

    def fails(*_: Any, **__: Any) -> Any:
        raise Unavailable("忙", "busy")

    monkeypatch.setattr(world.traces, "write", fails)
    said = compared(claim(spouse_name=PARTNERS[0]))
    assert said.status == 503
    assert "agree" not in json.dumps(said.body)


def test_nothing_of_provider_or_claim_stays_anywhere_after_comparisons(
    compared: Any, world: World, tmp_path: Path, capfd: Any, monkeypatch: Any
) -> None:
    """L-22, S-38: answers, register, staging, evidence, temporary files and logs hold no value of either side."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = {(i.pk, i.sk): i.version for i in world.register._items.values()}
    claimed_name, claimed_number = "郑望远镜", citizen(77)
    answers = [
        compared(claim(spouse_name=claimed_name, spouse_id_no=claimed_number, reg_date="1999-09-09")),
        compared(claim(spouse_name=PARTNERS[0], marital_code="20", reg_date="2010-05-10")),
        compared(claim(OTHER, spouse_name=claimed_name)),
        compared(claim(reg_date="1999-99-09", spouse_name=claimed_name)),
        *(compared(claim(spouse_name=f"{claimed_name}{n}")) for n in range(3)),
    ]
    assert {a.status for a in answers} == {200, 400, 403, 422}
    secrets = [
        *NAMES, *PARTNERS, DEBTOR, SPOUSE, OTHER, *(citizen(50 + n) for n in range(3)), "2010-05-1",
        claimed_name, claimed_number, "1999-09-09",
    ]  # fmt: skip
    out, err = capfd.readouterr()
    assert "run_verification" in err  # the log is there, and is looked at
    touched = [i for i in world.register._items.values() if before.get((i.pk, i.sk)) != i.version]
    assert any(i.pk.startswith("VERIFY#") for i in touched)
    places = {
        "answers": json.dumps([a.body for a in answers], ensure_ascii=False),
        "logs": out + err,
        "register": repr(touched),
        "scratch": "".join(p.name for p in scratch.rglob("*")),
    }
    held = [p for p in (tmp_path / "evidence").rglob("*") if p.is_file()]
    held += [p for p in scratch.rglob("*") if p.is_file()]
    places["files"] = "".join(p.read_bytes().decode("latin-1") for p in held)
    for secret in secrets:
        for place, text in places.items():
            assert secret not in text, (place, secret)
            assert secret.encode().decode("latin-1") not in places["files"], (place, secret)
    assert not [p for p in scratch.rglob("*") if p.is_file()]
