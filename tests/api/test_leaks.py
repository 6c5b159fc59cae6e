"""What leaves by HTTP, and what is written about it, holds nothing that the asker or a log may not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import BANK, COURT, Call, World
from tests.support.grounds import DUTY

from huitong.batches.model import Batch
from huitong.identity.authorize import may
from huitong.identity.model import Principal
from huitong.local.platform import Platform
from huitong.sharing.grants import Grant

SECRET_ID = "440300199001011234"
TEXT = f"claim_no,debtor_id,amount\n001,{SECRET_ID},10.50\n002,440300199001015678,20\n,y,1\n004,{SECRET_ID},abc\n"


@pytest.fixture
def batch(platform: Platform, tmp_path: Path) -> Batch:
    file = tmp_path / "claims.csv"
    file.write_text(TEXT)
    return platform.deliver(file, "claims", COURT)


def test_an_auditor_sees_what_is_wrong_and_no_value(batch: Batch, call: Call) -> None:
    """S-07: an auditor reads records of use, not data."""
    path = {"id": batch.id}
    own = call("GET", "/v1/batches/{id}/findings", as_="court", path=path).body["items"]
    audited = call("GET", "/v1/batches/{id}/findings", as_="auditor", path=path).body["items"]
    assert "abc" in [item["value"] for item in own]
    assert [item["rule"] for item in audited] == [item["rule"] for item in own]
    assert {item["value"] for item in audited} == {None}


@pytest.mark.parametrize(("share_type", "seen"), [("1", True), ("3", False)])
def test_staff_see_no_value_of_what_is_not_shared(
    batch: Batch, call: Call, world: World, monkeypatch: Any, share_type: str, seen: bool
) -> None:
    from dataclasses import replace

    contract = replace(world.contracts.get("claims"), share_type=share_type)  # type: ignore[arg-type]
    monkeypatch.setattr(world.contracts, "find", lambda *_: contract)
    items = call("GET", "/v1/batches/{id}/findings", as_="officer", path={"id": batch.id}, duty=DUTY).body[
        "items"
    ]
    assert ("abc" in [item["value"] for item in items]) == seen


def test_a_log_of_a_refused_query_does_not_repeat_it(
    batch: Batch, call: Call, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """S-16: whoever looks somebody up types the number into the query."""
    table = world.contracts.get("claims").table
    for sql in (
        f"SELECT nothing_of_the_kind({SECRET_ID}) FROM {table}",
        f'SELECT "{SECRET_ID}" FROM {table}',
        f"SELECT claim_no FROM {table} WHERE claim_no = '{SECRET_ID}' GROUP BY 2, x",
        f"SELECT '{SECRET_ID}' +",
    ):
        assert call("POST", "/v1/queries", as_="court", body={"sql": sql}).status == 400, sql
    assert SECRET_ID not in "".join(capsys.readouterr())


def test_an_unforeseen_error_is_logged_without_its_text(
    call: Call, world: World, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError(f"could not handle {SECRET_ID}")

    monkeypatch.setattr(world.units, "list", broken)
    said = call("GET", "/v1/units", as_="court")
    assert said.status == 500
    written = "".join(capsys.readouterr())
    assert SECRET_ID not in written + json.dumps(said.body)
    assert "RuntimeError" in written


def test_who_is_named_to_act_for_a_unit_does_not_decide_on_its_batches() -> None:
    """Four eyes: an officer who may deliver for a unit is no second pair of eyes on that delivery."""
    assert not may(Principal("o", "", frozenset({"officer"}), (COURT,)), "batch.decide", COURT)
    assert may(Principal("o", "", frozenset({"officer"}), (BANK,)), "batch.decide", COURT)
    assert may(Principal("a", "", frozenset({"admin"}), ("*",)), "batch.decide", COURT)


#: grant → whether the debtor's number may be seen plain, masked, or not at all; rows seen
GRANTS: dict[str, tuple[dict[str, Any] | None, str, int]] = {
    "granted and unmasked": ({"unmasked": ("debtor_id",)}, "plain", 2),
    "masked": ({}, "masked", 2),
    "field not granted": ({"fields": ("claim_no", "amount")}, "none", 2),
    "filtered row": ({"unmasked": ("debtor_id",), "row_filter": "\"claim_no\" = '002'"}, "none", 1),
    "not granted": (None, "none", -1),
    "expired": ({"unmasked": ("debtor_id",), "ends": "2025-12-31"}, "none", -1),
    "not begun": ({"unmasked": ("debtor_id",), "starts": "2030-01-01"}, "none", -1),
}


@pytest.mark.parametrize("name", GRANTS)
def test_every_way_to_a_row_shows_what_the_grant_gives(
    name: str, batch: Batch, call: Call, world: World
) -> None:
    """S-08: path × grant. The value looked for is that of claim 001."""
    given, sight, rows = GRANTS[name]
    if given is not None:
        given = {"duty": DUTY, "seconded_by": "second", **given}
        world.grants.put(Grant(BANK, "claims", **given), world.contracts.get("claims"), by="test")
    path = {"code": "claims"}
    table = world.contracts.get("claims").table
    sql = f"SELECT * FROM {table}"
    answers = {
        "sql": call("POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": sql}),
        "sql changes": call(
            "POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": f'SELECT * FROM "{table}$changes"'}
        ),
        "sql as of": call(
            "POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": f"{sql} FOR VERSION AS OF 1"}
        ),
        "csv": call("POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": sql, "format": "csv"}),
        "changes": call("GET", "/v1/resources/{code}/changes", as_="bank", path=path, duty=DUTY),
        "snapshot": call("GET", "/v1/resources/{code}/snapshot", as_="bank", path=path, duty=DUTY),
        "resource": call("GET", "/v1/resources/{code}", as_="bank", path=path),
        "resources": call("GET", "/v1/resources", as_="bank"),
        "findings": call("GET", "/v1/batches/{id}/findings", as_="bank", path={"id": batch.id}),
        "batch": call("GET", "/v1/batches/{id}", as_="bank", path={"id": batch.id}),
        "rejected": call(
            "POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": f'SELECT * FROM "{table}$quarantine"'}
        ),
    }
    reading = ("sql", "sql changes", "sql as of", "csv", "changes", "snapshot")
    for way, said in answers.items():
        text = (
            said.body.decode() if isinstance(said.body, bytes) else json.dumps(said.body, ensure_ascii=False)
        )
        plain = sight == "plain" and way in reading
        assert (SECRET_ID in text) == plain, (way, text)
        assert "debtor_id" not in text or sight != "none" or "row_filter" in str(given) or way == "batch"
    for way in reading:
        refused = 403 if given else 404  # who had or will have a grant knows of the resource
        assert answers[way].status == (refused if rows < 0 else 200), way
    assert {answers[w].status for w in ("findings", "batch")} == {404}
    assert answers["rejected"].status == (403 if given and rows < 0 else 404)
    if rows > 0:
        assert answers["sql"].body["total_rows"] == rows
        assert len(answers["changes"].body["items"]) == len(answers["snapshot"].body["items"]) == rows


def test_a_result_is_its_askers_alone_and_only_while_the_grant_stands(
    batch: Batch, call: Call, world: World
) -> None:
    world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")
    sql = f"SELECT * FROM {world.contracts.get('claims').table}"
    id = call("POST", "/v1/queries", as_="bank", duty=DUTY, body={"sql": sql}).body["query_id"]
    for who in ("court", "admin", "officer", "auditor"):
        assert call("GET", "/v1/queries/{id}", as_=who, path={"id": id}).status == 404
    assert call("GET", "/v1/queries/{id}", as_="bank", path={"id": id}).status == 200
    world.grants.revoke(BANK, "claims")
    assert call("GET", "/v1/queries/{id}", as_="bank", path={"id": id}).status == 403
    changes = call("GET", "/v1/resources/{code}/changes", as_="bank", path={"code": "claims"}, duty=DUTY)
    assert changes.status == 403


def test_a_bearer_token_is_written_nowhere(
    batch: Batch, call: Call, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    call("POST", "/v1/uploads", as_="court", body={"resource": "claims", "filename": "../../x.csv"})
    call("GET", "/v1/me", headers={"Authorization": f"bearer {world.token('court')}x"})
    call("GET", "/v1/units/{unit}", as_="court", path={"unit": "nobody"})
    written = "".join(capsys.readouterr())
    assert world.token("court") not in written
    assert "Signature" not in written
    assert "://" not in written
