"""Status, dead letters, keys and secrets through the API: who may, and what they get (Q-05, S-24, L-34)."""

from __future__ import annotations

import json

import pytest
from tests.support.api_world import BANK, COURT, Call, World

from huitong.operating.letters import Letter

REASON = {"reason": "接收方已修复"}
SETTLE = "/v1/dead-letters/{name}/settle"


@pytest.mark.parametrize("who", ["admin", "officer", "auditor"])
def test_staff_of_the_operator_see_each_parts_state(call: Call, world: World, who: str) -> None:
    world.heartbeats.succeeded("ingest_file")
    said = call("GET", "/v1/status", as_=who)
    assert said.status == 200
    assert [part["id"] for part in said.body["parts"]] == ["aggregation", "governance", "service", "security"]
    (step,) = said.body["parts"][0]["steps"]
    assert (step["id"], bool(step["last_success"])) == ("ingest_file", True)


@pytest.mark.parametrize("path", ["/v1/status", "/v1/dead-letters", "/v1/platform-keys"])
@pytest.mark.parametrize("who", ["court", "bank"])
def test_units_see_nothing_of_the_machine_room(call: Call, who: str, path: str) -> None:
    assert call("GET", path, as_=who).status == 403


def test_an_auditor_may_look_at_states_and_keys_but_settles_and_rotates_nothing(call: Call) -> None:
    assert call("GET", "/v1/platform-keys", as_="auditor").status == 200
    for path, name in ((SETTLE, "push"), ("/v1/platform-keys/{name}/rotate", "evidence")):
        assert call("POST", path, as_="auditor", path={"name": name}, body=REASON).status == 403


def test_letters_are_counted_shown_and_sent_again_with_a_reason(call: Call, world: World) -> None:
    world.boxes.dead["compare"] = [Letter("compare", "m1", {"resource": "claims"}, group="claims")]
    boxes = {one["box"]: one["dead"] for one in call("GET", "/v1/dead-letters", as_="officer").body["items"]}
    assert (boxes["compare"], boxes["ingest"]) == (1, 0)
    path = {"name": "compare"}
    (letter,) = call("GET", "/v1/dead-letters/{name}", as_="officer", path=path).body["items"]
    assert letter["message"] == {"resource": "claims"}
    assert call("POST", SETTLE, as_="officer", path=path, body={}).status == 400
    done = call("POST", SETTLE, as_="officer", path=path, body={**REASON, "ids": ["m1"]})
    assert (done.status, done.body["items"][0]["became"]) == (200, "returned-to-queue")
    assert world.queues["compare"].sent[-1] == ({"resource": "claims"}, "claims")
    assert call("GET", "/v1/dead-letters/{name}", as_="officer", path={"name": "none"}).status == 404


def test_a_key_gets_a_version_and_nobody_is_shown_it(call: Call) -> None:
    path = {"name": "evidence"}
    made = call("POST", "/v1/platform-keys/{name}/rotate", as_="admin", path=path, body=REASON)
    assert (made.status, [one["version"] for one in made.body["versions"]]) == (200, [1, 2])
    assert "sealed" not in json.dumps(made.body)
    fixed = call(
        "POST", "/v1/platform-keys/{name}/rotate", as_="admin", path={"name": "subjects"}, body=REASON
    )
    assert fixed.status == 400


def test_a_receivers_secret_is_rotated_without_a_gap(call: Call, world: World) -> None:
    """S-24: for a day messages are signed with both, so that the receiver changes when it likes."""
    body = {"resource": "claims", "endpoint": "https://receiver.example/in", "unit": COURT}
    made = call("POST", "/v1/subscriptions", as_="admin", body=body)
    assert made.status == 201, made.body
    path = {"id": made.body["id"]}
    assert call("POST", "/v1/subscriptions/{id}/secret", as_="bank", path=path, body={}).status in (403, 404)
    rotated = call("POST", "/v1/subscriptions/{id}/secret", as_="admin", path=path, body={})
    assert rotated.status == 200, rotated.body
    kept = world.subscriptions.get(made.body["id"]).subscription
    assert world.subscriptions.signing_secrets(kept) == [rotated.body["secret"], made.body["secret"]]
    assert rotated.body["former_until"]
    world.clock.advance(days=2)
    assert world.subscriptions.signing_secrets(kept) == [rotated.body["secret"]]
    assert BANK not in json.dumps(rotated.body)


def test_the_line_of_a_request_has_the_id_of_the_delivery_that_it_begins(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    """Q-05: the same id as in the lines of all functions that follow."""
    body = {"resource": "claims", "filename": "张三的债权.csv"}
    made = call("POST", "/v1/uploads", as_="court", body=body)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if '"open_upload"' in line]
    assert [line["correlation"] for line in told] == [made.body["upload_id"]]
    assert "张三" not in json.dumps(told, ensure_ascii=False)


def test_refusals_and_faults_are_counted_and_answers_are_not(
    call: Call, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    call("GET", "/v1/status", as_="bank")
    call("GET", "/v1/status", as_="officer")
    call("GET", "/v1/batches/{id}", as_="officer", path={"id": "x1"})  # 404: nobody was refused

    def broken() -> None:
        raise ZeroDivisionError

    world.status_page.show = broken
    call("GET", "/v1/status", as_="officer")
    written = capsys.readouterr().out
    assert (written.count('"RequestsRefused":[1'), written.count('"RequestsFailed":[1')) == (1, 1)
