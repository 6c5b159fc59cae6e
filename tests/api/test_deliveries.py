"""Uploads, rows, batches and subscriptions by API (Q-06, Q-13, X-06, L-34)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, World
from tests.support.grounds import DUTY

from huitong.batches.model import Batch, Counts
from huitong.errors import BadRequest
from huitong.identity.model import OPERATOR
from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS

ROWS = "/v1/resources/{code}/records"
CLAIMS = {"code": "claims"}


def test_an_upload_gets_an_address_under_the_units_own_prefix(call: Call, world: World) -> None:
    """Q-13."""
    body = {
        "resource": "claims",
        "filename": "申报.csv",
        "edition": "2026-01",
        "options": {"encoding": "gbk"},
    }
    said = call("POST", "/v1/uploads", as_="court", body=body)
    assert said.status == 201, said.body
    assert check(said.body, SCHEMAS["UploadTicket"]) == []
    assert (said.body["unit"], said.body["resource"], said.body["method"]) == (COURT, "claims", "PUT")
    upload = world.uploads.get(said.body["upload_id"])
    assert upload.key.startswith(f"{COURT}/claims/{upload.id}/")
    assert (upload.edition, upload.layout.encoding) == ("2026-01", "gbk")


def test_an_upload_tells_its_batch_once_there_is_one(call: Call, world: World) -> None:
    upload_id = call(
        "POST", "/v1/uploads", as_="court", body={"resource": "claims", "filename": "a.csv"}
    ).body["upload_id"]
    path = {"id": upload_id}
    assert call("GET", "/v1/uploads/{id}", as_="court", path=path).body["status"] == "waiting"
    world.batches.create(_batch("b7"), by="test")
    world.uploads.became(upload_id, "b7")
    said = call("GET", "/v1/uploads/{id}", as_="court", path=path)
    assert said.body["status"] == "received"
    assert [b["id"] for b in said.body["batches"]] == ["b7"]
    assert check(said.body, SCHEMAS["Upload"]) == []


def test_an_administrator_delivers_for_the_provider_without_naming_it(call: Call) -> None:
    said = call("POST", "/v1/uploads", as_="admin", body={"resource": "claims", "filename": "a.csv"})
    assert said.body["unit"] == COURT


@pytest.mark.parametrize(("as_", "body"), [("admin", {"unit": BUREAU}), ("court", {"unit": BUREAU})])
def test_nobody_delivers_another_units_resource(as_: str, body: dict[str, str], call: Call) -> None:
    """L-34: a unit writes only its own resources."""
    said = call("POST", "/v1/uploads", as_=as_, body={"resource": "claims", "filename": "a.csv", **body})
    assert (said.status, said.code) == (403, "not-permitted")


def test_a_consumer_with_a_grant_cannot_deliver(call: Call, court_things: dict[str, str]) -> None:
    assert (
        call("POST", "/v1/uploads", as_="bank", body={"resource": "claims", "filename": "a.csv"}).status
        == 403
    )
    assert call("POST", ROWS, as_="bank", path=CLAIMS, body={"rows": [{"claim_no": "1"}]}).status == 403


def test_wrong_options_of_an_upload_are_told_all_at_once(call: Call) -> None:
    body = {"resource": "claims", "filename": "a.csv", "options": {"encoding": "latin-9", "colour": "red"}}
    said = call("POST", "/v1/uploads", as_="court", body=body)
    assert said.status == 400
    assert len(said.body["problems"]) == 2


def test_rows_land_as_they_were_written(call: Call, world: World) -> None:
    """Q-06: digits of numbers and leading zeros are kept."""
    text = '{"rows": [{"claim_no": "007", "amount": 1.10}, {"claim_no": "8", "amount": 12345678901234567890.12}]}'
    said = call("POST", ROWS, as_="court", path=CLAIMS, body=text)
    assert said.status == 202, said.body
    assert check(said.body, SCHEMAS["RecordsTaken"]) == []
    assert said.body["rows"] == 2
    landed = world.landing.read(world.uploads.get(said.body["upload_id"]).key).decode().splitlines()
    assert [json.loads(line)["claim_no"] for line in landed] == ["007", "8"]
    assert "1.10" in landed[0]
    assert "12345678901234567890.12" in landed[1]


def test_the_same_idempotency_key_lands_once_and_other_rows_conflict(call: Call, world: World) -> None:
    def put(claim: str) -> Any:
        body = {"rows": [{"claim_no": claim}]}
        return call("POST", ROWS, as_="court", path=CLAIMS, body=body, headers={"Idempotency-Key": "k1"})

    first, second, other = put("1"), put("1"), put("2")
    assert first.body["upload_id"] == second.body["upload_id"]
    assert first.body["edition"] == "k1"
    assert (other.status, other.code) == (409, "conflict")
    assert len(list(world.landing.list(""))) == 1


def test_without_a_key_every_call_is_a_delivery_of_its_own(call: Call) -> None:
    body = {"rows": [{"claim_no": "1"}]}
    ids = {call("POST", ROWS, as_="court", path=CLAIMS, body=body).body["upload_id"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"rows": []}, {"rows": [{}]}, {"rows": [{"a": [1]}]}, {"rows": [1]}, {"rows": [{"a": "1"}], "x": 1}],
)
def test_rows_that_are_none_are_refused(body: dict[str, Any], call: Call) -> None:
    said = call("POST", ROWS, as_="court", path=CLAIMS, body=body)
    assert said.status == 400
    assert said.body["problems"]


# --- batches ---------------------------------------------------------------


def _batch(id: str, minute: int = 0, **more: Any) -> Batch:
    at = f"2026-01-05T08:{minute:02}:00.000Z"
    made = Batch(id, "claims", COURT, "full", "received", f"key/{id}", received_at=at, order=f"{at}#{id}")
    return replace(made, **more)


def test_batches_are_listed_newest_first_in_pages(call: Call, world: World) -> None:
    for number in range(5):
        world.batches.create(_batch(f"b{number}", number), by="test")
    first = call("GET", "/v1/batches", as_="court", query={"limit": "2"}).body
    assert [b["id"] for b in first["items"]] == ["b4", "b3"]
    seen = [b["id"] for b in first["items"]]
    token = first["next"]
    while token:
        page = call("GET", "/v1/batches", as_="court", query={"limit": "2", "after": token}).body
        assert check(page, SCHEMAS["Batches"]) == []
        seen += [b["id"] for b in page["items"]]
        token = page["next"]
    assert seen == ["b4", "b3", "b2", "b1", "b0"]


def test_batches_are_found_by_resource_state_and_period(call: Call, world: World) -> None:
    stored = world.batches.create(_batch("b0"), by="test")
    world.batches.create(
        _batch("b1", 1, received_at="2026-02-01T00:00:00.000Z", order="2026-02-01T00#b1"), by="test"
    )
    world.batches.move(stored, "rejected", by="test")

    def found(**query: str) -> list[str]:
        return [b["id"] for b in call("GET", "/v1/batches", as_="officer", query=query).body["items"]]

    assert found(resource="claims") == ["b1", "b0"]
    assert found(status="rejected") == ["b0"]
    assert found(resource="claims", to="2026-01-31") == ["b0"]
    assert found(unit=COURT, **{"from": "2026-01-31"}) == ["b1"]
    assert found(unit=BUREAU) == []


def test_a_failed_batch_goes_on_where_it_failed(call: Call, world: World) -> None:
    stored = world.batches.create(_batch("b0"), by="test")
    stored = world.batches.move(stored, "ingested", by="test")
    world.batches.move(stored, "failed", by="test")
    said = call("POST", "/v1/batches/{id}/replay", as_="officer", path={"id": "b0"})
    assert (said.status, said.body["status"]) == (202, "ingested")
    assert world.queues["validate"].drain() == [{"batch_id": "b0"}]
    assert [e[0] for e in said.body["history"]] == ["received", "ingested", "failed", "ingested"]


def test_a_batch_that_did_not_fail_is_not_replayed(call: Call, world: World) -> None:
    stored = world.batches.create(_batch("b0"), by="test")
    world.batches.move(stored, "rejected", by="test")
    said = call("POST", "/v1/batches/{id}/replay", as_="officer", path={"id": "b0"})
    assert (said.status, said.code) == (409, "conflict")


def _held(world: World) -> None:
    stored = world.batches.create(_batch("b0"), by="test")
    for status in ("ingested", "validated", "held"):
        stored = world.batches.move(stored, status, by="test")  # type: ignore[arg-type]


def test_an_officer_releases_a_held_batch_and_the_comparison_is_woken(call: Call, world: World) -> None:
    _held(world)
    said = call("POST", "/v1/batches/{id}/release", as_="officer", path={"id": "b0"})
    assert said.body["status"] == "validated"
    assert said.body["released_by"]
    assert world.queues["compare"].sent == [({"resource": "claims"}, "claims")]


def test_an_officer_rejects_a_held_batch_with_a_reason(call: Call, world: World) -> None:
    _held(world)
    path = {"id": "b0"}
    assert (
        call("POST", "/v1/batches/{id}/reject", as_="officer", path=path, body={"reason": ""}).status == 400
    )
    said = call("POST", "/v1/batches/{id}/reject", as_="officer", path=path, body={"reason": "版本错误"})
    assert said.body["status"] == "rejected"
    assert "版本错误" in said.body["refusal"]["zh"]


def test_the_source_unit_cannot_release_its_own_batch(call: Call, world: World) -> None:
    """L-34: nobody decides on an own delivery, and nobody of a source unit gets an officer's role."""
    _held(world)
    with pytest.raises(BadRequest):
        world.credentials.issue("x", COURT, ["source", "officer"], by="test")
    assert call("POST", "/v1/batches/{id}/release", as_="court", path={"id": "b0"}).status == 403
    assert world.batches.get("b0").batch.status == "held"


def test_a_batch_that_is_not_held_is_not_released(call: Call, world: World) -> None:
    world.batches.create(_batch("b0"), by="test")
    said = call("POST", "/v1/batches/{id}/release", as_="officer", path={"id": "b0"})
    assert (said.status, said.code) == (409, "conflict")


def test_the_ledger_tells_sums_and_that_they_balance(call: Call, world: World) -> None:
    """X-12."""
    counts = Counts(received=3, accepted=2, quarantined=1, withheld=2)
    world.batches.create(_batch("b0", counts=counts), by="test")
    for query in ({"batch": "b0"}, {"resource": "claims"}, {"unit": COURT}, {}):
        said = call("GET", "/v1/ledger", as_="officer", query=query or None)
        assert said.status == 200, said.body
        assert check(said.body, SCHEMAS["Ledger"]) == []
        assert (said.body["received"], said.body["quarantined"], said.body["balanced"]) == (3, 1, True)


def test_the_ledger_says_what_does_not_balance(call: Call, world: World) -> None:
    """X-12."""
    world.batches.create(_batch("b0", counts=Counts(received=3, accepted=1)), by="test")
    said = call("GET", "/v1/ledger", as_="court", query={"batch": "b0"}).body
    assert said["balanced"] is False
    assert said["broken"][0]["zh"]


def test_a_unit_sees_its_own_ledger_only(call: Call, world: World) -> None:
    world.batches.create(_batch("b0", counts=Counts(received=3, unread=3)), by="test")
    assert call("GET", "/v1/ledger", as_="court").body["received"] == 3
    assert call("GET", "/v1/ledger", as_="bureau").body["received"] == 0
    assert call("GET", "/v1/ledger", as_="bureau", query={"batch": "b0"}).status == 404
    assert call("GET", "/v1/ledger", as_="bureau", query={"resource": "claims"}).status == 404


def test_whoever_asks_for_a_delivery_of_others_is_told_that_there_is_none_and_it_is_on_record(
    call: Call, world: World
) -> None:
    """L-34, S-08, S-11: an id is made of contents; who guesses one learns nothing, and leaves a trace."""
    world.batches.create(_batch("b0"), by="test")
    upload, _ = world.uploads.open(COURT, "claims", "a.csv", by="court")
    for route, there in (("/v1/batches/{id}", "b0"), ("/v1/uploads/{id}", upload)):
        hidden = call("GET", route, as_="bureau", path={"id": there})
        absent = call("GET", route, as_="bureau", path={"id": "b9"})
        assert (hidden.status, hidden.code) == (absent.status, absent.code) == (404, "not-found")
        alike = [json.dumps({**s.body, "request_id": ""}) for s in (hidden, absent)]
        assert alike[0].replace(there, "…") == alike[1].replace("b9", "…")
        assert call("GET", route, as_="court", path={"id": there}).status == 200
    kept = [t.detail.split(":")[1] for t in world.traces.list(unit=BUREAU) if t.act == "refuse"]
    assert sorted(kept) == ["get_batch", "get_upload"], "those of others, and not those that are not there"


def test_a_batch_shows_its_counts_at_the_top(call: Call, world: World) -> None:
    world.batches.create(_batch("b0"), by="test")
    said = call("GET", "/v1/batches/{id}", as_="court", path={"id": "b0"}).body
    assert check(said, SCHEMAS["Batch"]) == []
    assert {"received", "accepted", "quarantined", "inserted", "status"} <= set(said)


# --- subscriptions ---------------------------------------------------------


def _subscribe(call: Call, as_: str = "bank", **more: Any) -> Any:
    body = {"resource": "claims", "endpoint": "https://receiver.example/in", "duty": DUTY, **more}
    return call("POST", "/v1/subscriptions", as_=as_, body=body)


def _grant(call: Call, **body: Any) -> None:
    path = {"unit": BANK, "code": "claims"}
    assert (
        call(
            "PUT",
            "/v1/grants/{unit}/{code}",
            as_="admin",
            path=path,
            body={"basis": "B-1", "duty": DUTY, **body},
        ).status
        == 200
    )


def test_a_unit_with_a_grant_subscribes_and_gets_its_secret_once(call: Call) -> None:
    """X-06."""
    _grant(call)
    made = _subscribe(call, fields=["claim_no", "amount"], filter="amount > 100")
    assert made.status == 201, made.body
    assert check(made.body, SCHEMAS["NewSubscription"]) == []
    assert made.body["secret"].startswith("whsec_")
    assert made.body["fields"] == ["claim_no", "amount"]
    again = call("GET", "/v1/subscriptions/{id}", as_="bank", path={"id": made.body["id"]}).body
    assert "secret" not in again
    assert "secrets" not in again


def test_without_a_grant_nobody_subscribes_not_even_through_an_administrator(call: Call) -> None:
    assert _subscribe(call).status == 404, "nor is it told that there is such a resource"
    assert _subscribe(call, as_="admin", unit=BANK).status == 403


def test_an_administrator_who_names_no_unit_subscribes_for_the_operator_with_masked_fields(
    call: Call,
) -> None:
    """S-11: and for the operator, too, a case or duty is named."""
    assert _subscribe(call, as_="admin", duty="").status == 403
    said = _subscribe(call, as_="admin")
    assert (said.status, said.body["unit"]) == (201, OPERATOR)
    assert said.body["masks"] == {"debtor_id": "all"}


def test_a_filter_cannot_feel_for_what_a_mask_hides(call: Call) -> None:
    """L-34: else the rows that come would tell the hidden value."""
    _grant(call, fields=["claim_no", "debtor_id"])
    for expression in ("debtor_id = '440300199001011234'", "amount > 1"):
        said = _subscribe(call, filter=expression)
        assert (said.status, said.code) == (400, "invalid-query"), expression
    assert _subscribe(call, filter="claim_no = '1'").status == 201


def test_a_field_outside_the_grant_is_refused(call: Call) -> None:
    _grant(call, fields=["claim_no"])
    assert _subscribe(call, fields=["amount"]).status == 400


def test_a_subscription_pauses_resumes_and_ends(call: Call) -> None:
    _grant(call)
    path = {"id": _subscribe(call).body["id"]}
    states = [
        call(method, f"/v1/subscriptions/{{id}}{act}", as_="bank", path=path).body["status"]
        for method, act in (("POST", "/pause"), ("POST", "/resume"), ("DELETE", ""))
    ]
    assert states == ["paused", "active", "cancelled"]
    said = call("POST", "/v1/subscriptions/{id}/resume", as_="bank", path=path)
    assert (said.status, said.code) == (409, "conflict")


def test_deliveries_of_a_subscription_are_listed(call: Call) -> None:
    _grant(call)
    path = {"id": _subscribe(call).body["id"]}
    said = call("GET", "/v1/subscriptions/{id}/deliveries", as_="bank", path=path)
    assert said.body == {"items": [], "next": None}


def test_only_the_receiving_unit_and_supervisors_see_a_subscription(call: Call) -> None:
    _grant(call)
    path = {"id": _subscribe(call).body["id"]}
    assert call("GET", "/v1/subscriptions/{id}", as_="court", path=path).status == 403
    assert call("GET", "/v1/subscriptions/{id}", as_="auditor", path=path).status == 200
    assert call("POST", "/v1/subscriptions/{id}/pause", as_="auditor", path=path).status == 403
    assert len(call("GET", "/v1/subscriptions", as_="officer").body["items"]) == 1
