"""Profiles and cleansing through the API, SQL and the command line (C-12, Q-17, Q-22)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, CONTRACT, COURT, Call, World
from tests.support.grounds import DUTY
from tests.support.terminal import invoke

from huitong.batches.model import Batch
from huitong.local.platform import Platform
from huitong.sharing.grants import Grant
from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS

CLEANSING = CONTRACT.replace(
    "      - name: claim_no\n",
    "      - name: claim_no\n        customProperties: [{property: cleanse, value: [trim]}]\n",
).replace(
    "      - name: amount\n",
    "      - name: amount\n        customProperties: [{property: cleanse, value: [amount, chinese-numerals]}]\n",
)
PERSONS = [f"44030019900101{n:04}" for n in range(40)]


def rows(first: int, last: int, amount: str = "{n}0.50") -> str:
    lines = [f"{n:03},{PERSONS[n]},{amount.format(n=n)}" for n in range(first, last)]
    return "claim_no,debtor_id,amount\n" + "\n".join(lines) + "\n"


@pytest.fixture
def platform_with_cleansing(platform: Platform, world: World) -> Platform:
    world.contracts.put(CLEANSING, by="test", provider=COURT)
    return platform


def deliver(platform: Platform, folder: Path, name: str, text: str) -> Batch:
    file = folder / f"{name}.csv"
    file.write_text(text)
    batch = platform.deliver(file, "claims", COURT)
    assert batch.status == "published", batch.refusal
    return batch


def test_what_cleansing_changed_is_told_to_the_unit_and_masked_for_others(
    platform_with_cleansing: Platform, call: Call, world: World, tmp_path: Path
) -> None:
    """C-12: each change by row, column and step; the same as a table in SQL."""
    text = rows(1, 9) + " 030,x,贰拾叁\n"
    batch = deliver(platform_with_cleansing, tmp_path, "a", text)
    said = call("GET", "/v1/batches/{id}/cleansed", as_="court", path={"id": batch.id})
    assert said.status == 200, said.body
    assert check(said.body, SCHEMAS["CleansedValues"]) == []
    assert [
        (i["source_row"], i["column"], i["step"], i["before"], i["after"]) for i in said.body["items"]
    ] == [
        (10, "claim_no", "trim", " 030", "030"),
        (10, "amount", "chinese-numerals", "贰拾叁", "23"),
    ]
    assert said.body["steps"] == {"chinese-numerals": 1, "trim": 1}
    seen = call("GET", "/v1/batches/{id}/cleansed", as_="auditor", path={"id": batch.id}).body["items"]
    assert {i["before"] for i in seen} == {None}
    assert call("GET", "/v1/batches/{id}/cleansed", as_="bureau", path={"id": batch.id}).status == 404
    sql = {"sql": 'SELECT step, before FROM "claims_table$cleansed" ORDER BY step'}
    table = world.contracts.get("claims").table
    sql["sql"] = sql["sql"].replace("claims_table", table)
    answer = call("POST", "/v1/queries", as_="court", body=sql)
    assert answer.status == 200, answer.body
    assert [r["step"] for r in answer.body["rows"]] == ["chinese-numerals", "trim"]
    world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")
    assert call("POST", "/v1/queries", as_="bank", duty=DUTY, body=sql).status == 404


def test_a_step_is_undone_by_a_new_version_and_taking_the_delivery_again(
    platform_with_cleansing: Platform, call: Call, world: World, tmp_path: Path
) -> None:
    """C-12: the landed file is what it was; asked twice it is one batch; older deliveries are refused."""
    platform = platform_with_cleansing
    first = deliver(platform, tmp_path, "a", rows(1, 5))
    batch = deliver(platform, tmp_path, "b", rows(1, 5) + " 030,x,5\n")
    path = "/v1/batches/{id}/again"
    assert call("POST", path, as_="officer", path={"id": batch.id}).status == 409  # the contract is the same
    world.contracts.put(CONTRACT, by="test", provider=COURT)
    assert call("POST", path, as_="court", path={"id": batch.id}).status == 403
    assert call("POST", path, as_="officer", path={"id": first.id}).status == 409  # another came after it
    said = call("POST", path, as_="officer", path={"id": batch.id})
    assert said.status == 202, said.body
    assert call("POST", path, as_="officer", path={"id": batch.id}).body["id"] == said.body["id"]
    again = said.body["id"]
    assert world.queues["ingest"].sent[-1][0] == {"batch_id": again}
    _resume(platform, again)
    platform.validate(again)
    platform.compare("claims")
    made = platform.batches.get(again).batch
    assert (made.status, made.counts.received, made.cleansed) == ("published", 5, {})
    assert (made.counts.inserted, made.counts.deleted, made.counts.unchanged) == (1, 1, 4)
    assert made.counts.balanced("full")


def _resume(platform: Platform, id: str) -> None:
    """What the function for landed files does with the message."""
    from huitong.intake.profiles import Profiles
    from huitong.intake.receive import Receive
    from huitong.intake.uploads import Uploads

    p = platform.ports
    Receive(
        landing=p.landing,
        staging=p.staging,
        contracts=platform.contracts,
        uploads=Uploads(p.register, p.landing, p.clock),
        profiles=Profiles(p.register),
        batches=platform.batches,
        validate_queue=p.validate_queue,
        events=p.events,
        clock=p.clock,
    ).resume(id)


def test_a_profile_is_masked_and_staff_see_no_rare_values(
    platform: Platform, call: Call, world: World, tmp_path: Path
) -> None:
    """Q-17: the unit sees its own masked; others under a duty without groups below 5; strangers nothing."""
    lines = rows(1, 31, "10.50") + "".join(f"{n:03},{PERSONS[n]},99.00\n" for n in range(31, 34))
    batch = deliver(platform, tmp_path, "a", lines)
    path = "/v1/batches/{id}/profile"
    own = call("GET", path, as_="court", path={"id": batch.id})
    assert own.status == 200, own.body
    assert check(own.body, SCHEMAS["DataProfile"]) == []
    columns = {c["name"]: c for c in own.body["columns"]}
    assert (own.body["rows"], columns["amount"]["distinct"]) == (33, 2)
    assert columns["amount"]["top"] == [["10.50", 30], ["99.00", 3]]
    assert (columns["debtor_id"]["mask"], columns["debtor_id"]["top"]) == ("all", [["***", 33]])
    assert own.body["keys"] == [["claim_no"], ["debtor_id"]]
    assert not any(person in json.dumps(own.body) for person in PERSONS)
    desk = call("GET", path, as_="officer", duty=DUTY, path={"id": batch.id}).body
    assert {c["name"]: c for c in desk["columns"]}["amount"]["top"] == [["10.50", 30]]
    watched = call("GET", path, as_="auditor", path={"id": batch.id}).body
    assert {tuple(map(tuple, c["top"])) for c in watched["columns"]} == {()}
    assert call("GET", path, as_="bureau", path={"id": batch.id}).status == 404


def test_a_tables_profile_is_kept_and_tells_what_drifted(
    platform: Platform, call: Call, world: World, tmp_path: Path
) -> None:
    """Q-22: as of each publication; new values and another distribution since the one before."""
    deliver(platform, tmp_path, "a", rows(1, 31, "10.50"))
    later = rows(1, 16, "10.50") + rows(16, 31, "{n}00.00").split("\n", 1)[1]
    deliver(platform, tmp_path, "b", later)
    path = "/v1/resources/{code}/profile"
    now = call("GET", path, as_="court", path={"code": "claims"})
    assert now.status == 200, now.body
    drifted = {(d["column"], d["kind"]) for d in now.body["drift"]}
    assert ("amount", "distribution") in drifted
    first = call("GET", path, as_="court", path={"code": "claims"}, query={"as_of": "1"})
    assert (first.body["of"]["seq"], first.body["drift"]) == (1, [])
    assert {c["name"]: c for c in first.body["columns"]}["amount"]["top"] == [["10.50", 30]]
    kept = [info.key for info in world.staging.list("documents/profiles/")]
    assert len(kept) == 2
    assert call("GET", path, as_="court", path={"code": "claims"}).body == now.body
    world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")
    assert call("GET", path, as_="bank", duty=DUTY, path={"code": "claims"}).status == 403
    assert call("GET", path, as_="bureau", path={"code": "claims"}).status == 404


@pytest.fixture
def run(apps: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)
    with serving(Gateway(apps, lambda _key, _body: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)

        def made(*arguments: str, as_: str = "court") -> Any:
            monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
            return invoke(arguments)

        yield made


def test_profiles_drafts_and_cleansing_are_usable_from_the_command_line(
    platform_with_cleansing: Platform, run: Any, tmp_path: Path
) -> None:
    batch = deliver(platform_with_cleansing, tmp_path, "a", rows(1, 9) + " 030,x,5\n")
    told = run("cleansed", batch.id, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["items"][0]["after"] == "030"
    assert "trim" in run("cleansed", batch.id).stdout
    told = run("data-profile", "--batch", batch.id, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["rows"] == 9
    assert "amount" in run("data-profile", "--resource", "claims").stdout
    file = tmp_path / "债权.csv"
    file.write_bytes(rows(1, 31).replace("claim_no", "债权编号").encode("gb18030"))
    here = run("data-profile", str(file))
    assert here.exit_code == 0, here.output
    assert "债权编号" in here.stdout
    made = run("contract", "draft", str(file), "--id", "IN-77", "--out", str(tmp_path / "c.yaml"))
    assert made.exit_code == 0, made.output
    assert 'id: "IN-77"' in (tmp_path / "c.yaml").read_text("utf-8")
    assert run("data-profile").exit_code == 2
