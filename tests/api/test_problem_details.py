"""Refusals as RFC 9457 problem details, and what a body may be (S-17, S-36)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.api_world import Call, World, event

from huitong.errors import Unavailable
from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS


def test_a_refusal_has_every_member_in_both_languages(call: Call) -> None:
    said = call("GET", "/v1/batches/{id}", as_="court", path={"id": "b404"})
    assert said.status == 404
    assert said.headers["Content-Type"] == "application/problem+json"
    assert check(said.body, SCHEMAS["Problem"]) == []
    assert said.body["title"] == "Not Found"
    assert said.body["detail"] == f"{said.body['zh']} / {said.body['en']}"
    assert said.body["request_id"] == said.headers["X-Request-Id"] == "r-1"


def test_every_fault_of_a_body_is_told_at_once(call: Call) -> None:
    body = {"filename": 7, "mode": "sometimes", "color": "red"}
    said = call("POST", "/v1/uploads", as_="court", body=body)
    assert (said.status, said.code) == (400, "bad-request")
    assert {p["where"]["path"] for p in said.body["problems"]} == {
        "$.resource",
        "$.filename",
        "$.mode",
        "$.color",
    }


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{'a': 1}",
        '{"a": NaN}',
        "[" * 100_000,
        '{"sql": "\\ud800"}',
        "1" * 5_000,
    ],
)
def test_what_is_no_json_object_is_refused(body: str, call: Call) -> None:
    assert call("POST", "/v1/queries", as_="court", body=body).status == 400


def test_a_body_beyond_its_limit_is_refused(call: Call) -> None:
    said = call("POST", "/v1/units", as_="admin", body={"code": "x", "name": "n" * 300_000})
    assert (said.status, said.code) == (413, "too-large")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"unknown": "1"},
        {"from": "yesterday"},
        {"status": "lost"},
        {"unit": "not a unit"},
        {"resource": "../x"},
    ],
)
def test_a_wrong_query_parameter_is_refused(query: dict[str, str], call: Call) -> None:
    assert call("GET", "/v1/batches", as_="officer", query=query).status == 400


@pytest.mark.parametrize("id", ["../x", "a b", "a#b", "x" * 200, ""])
def test_a_path_that_no_id_can_be_is_not_found(id: str, call: Call) -> None:
    assert call("GET", "/v1/batches/{id}", as_="officer", path={"id": id}).status == 404


def test_a_fault_tells_the_caller_nothing_of_the_inside(call: Call, world: World, monkeypatch: Any) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable(
            "表 huitong-register 限流", "Table huitong-register was throttled", table="huitong-register"
        )

    monkeypatch.setattr(world.units, "list", fail)
    said = call("GET", "/v1/units", as_="admin")
    assert (said.status, said.code) == (503, "unavailable")
    assert "huitong-register" not in json.dumps(said.body)
    assert said.headers["Retry-After"] == "2"


def test_a_bug_is_answered_with_problem_details_too(
    call: Call, world: World, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(world.units, "list", fail)
    said = call("GET", "/v1/units", as_="admin")
    assert (said.status, said.code) == (500, "fault")
    assert "secret detail" not in json.dumps(said.body)
    assert said.headers["Content-Type"] == "application/problem+json"
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert (line["level"], line["status"]) == ("ERROR", 500)


def test_a_method_that_an_address_lacks_is_a_problem_of_its_own(apps: Any) -> None:
    said = apps["api"](event("DELETE", "/v1/health"), None)
    assert said["statusCode"] == 405
    assert json.loads(said["body"])["code"] == "method-not-allowed"


def test_an_unknown_address_is_not_found(apps: Any) -> None:
    said = apps["api"](event("GET", "/v1/nothing"), None)
    assert said["statusCode"] == 404
    assert json.loads(said["body"])["code"] == "not-found"


def test_a_request_writes_one_line_without_its_body(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """S-12 in part, S-16: who, what, from where, how it ended; no value of a body."""
    call("POST", "/v1/units", as_="admin", body={"code": "x" * 18, "name": "张三的单位"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert len(lines) == 1
    assert lines[0]["operation"] == "put_unit"
    assert lines[0]["status"] == 400
    assert lines[0]["source"] == "10.0.0.9"
    assert "张三" not in json.dumps(lines, ensure_ascii=False)
