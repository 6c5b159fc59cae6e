"""Handlers: what they make of their events, over services that only remember."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from huitong import wiring
from huitong.batches.model import Batch
from huitong.errors import NotAuthenticated, Unavailable
from huitong.identity.model import Principal

ROOT = Path(__file__).resolve().parents[3]
BATCH = Batch(
    id="b1", resource="IN-01", unit="U", mode="full", status="ingested", landing_key="U/IN-01/f.csv"
)


class Context:
    aws_request_id = "r-1"
    function_name = "f"


def loaded(folder: str) -> ModuleType:
    path = ROOT / "functions" / folder / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Remembering:
    """Any method call is kept; ``fails`` is raised by all."""

    def __init__(self, answers: dict[str, Any] | None = None, fails: Exception | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._answers, self._fails = answers or {}, fails

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            self.calls.append((name, *args, *([named] if named else [])))
            if self._fails:
                raise self._fails
            return self._answers.get(name)

        return call


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(**by_name: Any) -> None:
        for name, service in by_name.items():
            monkeypatch.setattr(wiring, name, lambda *_, service=service: service)

    monkeypatch.setattr(wiring, "followed", lambda _message: "")
    monkeypatch.setattr(wiring, "succeeded", lambda _step: None)
    return put


def message(body: Any, receives: int = 1) -> dict[str, Any]:
    record = {
        "messageId": "m1",
        "receiptHandle": "h1",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "eventSourceARN": "arn:q",
    }
    return {"Records": [record]}


def landed(key: str, version: str = "v1") -> dict[str, Any]:
    named = {"bucket": {"name": "landing"}, "object": {"key": key, "versionId": version}}
    return {"Records": [{"eventTime": "2026-01-05T08:00:00.123Z", "s3": named}]}


def test_a_landed_object_is_received_under_its_real_name_on_both_emulators(services: Any) -> None:
    receive = Remembering({"object_landed": BATCH})
    services(build_receive=receive)
    handler = loaded("ingest_file").handler
    assert handler(message(landed("U/IN-01/a%2Bb+c%20%E6%B1%87.csv")), Context()) == {"batchItemFailures": []}
    assert receive.calls == [("object_landed", "U/IN-01/a+b c 汇.csv", "v1", "2026-01-05T08:00:00.123Z")]


def test_the_test_event_of_s3_is_no_delivery(services: Any) -> None:
    receive = Remembering()
    services(build_receive=receive)
    answer = loaded("ingest_file").handler(
        message({"Service": "Amazon S3", "Event": "s3:TestEvent"}), Context()
    )
    assert answer == {"batchItemFailures": []}
    assert receive.calls == []


def test_a_replayed_batch_is_resumed(services: Any) -> None:
    receive = Remembering({"resume": BATCH})
    services(build_receive=receive)
    loaded("ingest_file").handler(message({"batch_id": "b1"}), Context())
    assert receive.calls == [("resume", "b1")]


@pytest.mark.parametrize(
    ("folder", "builder", "body", "noted"),
    [
        ("ingest_file", "build_receive", {"batch_id": "b1"}, ("of_batch", "b1")),
        ("ingest_file", "build_receive", landed("U/IN-01/f.csv"), ("of_object", "U/IN-01/f.csv")),
        ("validate_batch", "build_validate", {"batch_id": "b1"}, ("of_batch", "b1")),
        ("compare_batch", "build_compare", {"resource": "IN-01"}, ("at_head_of", "IN-01")),
        ("push_changes", "build_push", {"subscription": "s1"}, ("of_step", "push_changes")),
    ],
)
def test_a_step_that_fails_for_good_is_noted(
    services: Any, folder: str, builder: str, body: Any, noted: tuple[str, str]
) -> None:
    failures = Remembering()
    services(**{builder: Remembering(fails=Unavailable("忙", "busy"))}, build_failures=failures)
    answer = loaded(folder).handler(message(body, receives=5), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [call[:2] for call in failures.calls] == [noted]


PLAN = f"parts/IN-01/{BATCH.id}/1/plan-00.json"


@pytest.mark.parametrize(
    ("folder", "builder", "event", "answer", "notes"),
    [
        ("compare_part", "build_compare_part", {"plan": PLAN, "number": 3}, {"part": 3}, []),
        ("commit_comparison", "build_commit_comparison", {"plan": PLAN}, BATCH, ["commit_comparison"]),
    ],
)
def test_a_comparison_in_parts_is_followed_and_its_commit_says_that_it_works(
    services: Any,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    builder: str,
    event: Any,
    answer: Any,
    notes: Any,
) -> None:
    """Q-05. A worker has no right to write that it works (S-08)."""
    service, named, noted = Remembering({"run": answer}), list[Any](), list[str]()
    services(**{builder: service})
    monkeypatch.setattr(wiring, "followed", lambda names: named.append(dict(names)) or "u1")
    monkeypatch.setattr(wiring, "succeeded", noted.append)
    loaded(folder).handler(event, Context())
    assert service.calls == [("run", *event.values())]
    assert [(n["resource"], n["batch_id"], n.get("part")) for n in named] == [
        ("IN-01", BATCH.id, event.get("number"))
    ]
    assert noted == notes


def test_a_publication_is_planned_and_a_subscription_sent_to(services: Any) -> None:
    push, queue = Remembering({"plan": ["s1"], "send": None}), Remembering()
    told: list[str] = []
    followed: list[str] = []
    services(
        build_push=push,
        push_queue=queue,
        build_after_publication=(told.append,),
        build_following=followed.append,
    )
    handler = loaded("push_changes").handler
    handler(message({"resource": "IN-01", "seq": 3}), Context())
    handler(message({"subscription": "s1"}), Context())
    assert push.calls == [("plan", "IN-01", 3), ("send", "s1")]
    assert followed == ["IN-01"]
    assert told == ["IN-01"]  # who follows publications is told of them, not of sendings
    assert queue.calls == []


@pytest.mark.parametrize(("again", "wakes"), [(0.2, 1), (59.5, 60), (61.0, None), (None, None)])
def test_a_short_pause_is_slept_in_the_waiting_queue_and_a_long_one_left_to_the_clock(
    services: Any, again: float | None, wakes: int | None
) -> None:
    queue = Remembering()
    services(build_push=Remembering({"send": again}), push_queue=queue)
    loaded("push_changes").handler(message({"subscription": "s1"}), Context())
    expected = [("send", {"subscription": "s1"}, {"group": "sub:s1", "delay": wakes})] if wakes else []
    assert queue.calls == expected


def test_what_waited_is_handed_on_in_its_group(services: Any) -> None:
    queue = Remembering()
    services(push_queue=queue)
    body = {"message": {"subscription": "s1"}, "group": "sub:s1"}
    loaded("push_changes").handler(message(body), Context())
    assert queue.calls == [("send", {"subscription": "s1"}, {"group": "sub:s1"})]


ARN = "arn:aws:execute-api:us-east-1:1:api1/local/GET/v1/batches/b1"


def test_a_known_token_opens_the_whole_api_since_the_answer_is_cached(services: Any) -> None:
    who = Principal("c1", "U", frozenset({"source", "admin"}))
    credentials = Remembering({"look": who})
    services(build_authorizer=credentials)
    event = {"type": "TOKEN", "authorizationToken": "Bearer ht_c1_secret", "methodArn": ARN}
    answer = loaded("authorize_request").handler(event, Context())
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == (
        "Allow",
        "arn:aws:execute-api:us-east-1:1:api1/local/*",
    )
    assert (answer["principalId"], answer["context"]) == ("c1", {"unit": "U", "roles": "admin source"})
    assert credentials.calls == [("look", "Bearer ht_c1_secret")]


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Bearer wrong"])
def test_any_other_token_is_unauthorized_and_not_logged(
    services: Any, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    services(build_authorizer=Remembering(fails=NotAuthenticated("无效", "invalid")))
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        loaded("authorize_request").handler({"authorizationToken": header, "methodArn": ARN}, Context())
    assert "wrong" not in capsys.readouterr().out


def test_the_clock_runs_the_job_it_names(services: Any) -> None:
    schedule = Remembering({"run": {"woken": []}})
    services(build_schedule=schedule)
    assert loaded("run_schedule").handler({"job": "hour"}, Context()) == {"woken": []}
    assert schedule.calls == [("run", "hour")]
