"""Queue consumers: partial answers, growing pauses, giving up, and logs without values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import pytest

from huitong import correlation, runtime
from huitong.errors import Conflict, HuitongError, Unavailable


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the real logger writes."""
    from aws_lambda_powertools import Logger

    stream = StringIO()
    made = Logger(service=f"test-{id(stream)}", stream=stream, utc=True)
    monkeypatch.setattr(runtime, "logger", lambda: made)
    return stream


class Context:
    aws_request_id = "r-1"
    function_name = "validate"


class Queue:
    def __init__(self) -> None:
        self.pauses: list[tuple[str, int]] = []

    def postpone(self, receipt: str, seconds: int) -> None:
        self.pauses.append((receipt, seconds))


def records(*bodies: Any, receives: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{n}",
                "receiptHandle": f"h{n}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "eventSourceARN": "arn:aws:sqs:us-east-1:1:ValidateQueue",
            }
            for n, body in enumerate(bodies, 1)
        ]
    }


class Step:
    """A step whose work fails as told, and which remembers."""

    def __init__(self, fail: Callable[[Mapping[str, Any]], Exception | None] = lambda _: None) -> None:
        self.fail, self.done, self.given_up = fail, [], []  # type: ignore[var-annotated]
        self.queue = Queue()
        self.handler = runtime.consumer(
            self.work, give_up=self.give_up, queue=lambda _: self.queue, first_pause=lambda: 5
        )

    def work(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        problem = self.fail(message)
        if problem:
            raise problem
        self.done.append(message)
        return {"status": "validated"}

    def give_up(self, message: Mapping[str, Any], problem: HuitongError) -> None:
        self.given_up.append((message, problem))


def failing(problem: Exception) -> Step:
    return Step(lambda _: problem)


def test_done_messages_are_answered_with_no_failures() -> None:
    step = Step()
    assert step.handler(records({"batch_id": "b1"}, {"batch_id": "b2"}), Context()) == {
        "batchItemFailures": []
    }
    assert [m["batch_id"] for m in step.done] == ["b1", "b2"]


def test_one_failing_message_does_not_stop_the_others_of_its_batch() -> None:
    step = Step(lambda m: Unavailable("忙", "busy") if m["batch_id"] == "b1" else None)
    answer = step.handler(records({"batch_id": "b1"}, {"batch_id": "b2"}), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [m["batch_id"] for m in step.done] == ["b2"]
    assert step.queue.pauses == [("h1", 5)]


@pytest.mark.parametrize(("receives", "pause"), [(1, 5), (2, 30), (3, 180), (4, 1080)])
def test_pauses_grow_with_each_receive(receives: int, pause: int) -> None:
    step = failing(Unavailable("忙", "busy"))
    step.handler(records({"batch_id": "b1"}, receives=receives), Context())
    assert step.queue.pauses == [("h1", pause)]
    assert step.given_up == []


def test_the_last_receive_gives_up_and_lets_the_message_go_to_the_dead_letters() -> None:
    step = failing(Conflict("先有", "first"))
    answer = step.handler(records({"batch_id": "b1"}, receives=runtime.MAX_RECEIVES), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    ((message, problem),) = step.given_up
    assert (message["batch_id"], problem.code) == ("b1", "conflict")
    assert step.queue.pauses == []


def test_a_body_that_is_no_json_is_a_failed_message_not_a_crash() -> None:
    step = Step()
    assert step.handler(records("{not json"), Context())["batchItemFailures"]


def test_an_unforeseen_error_keeps_its_kind_and_loses_its_text(log: StringIO) -> None:
    """S-16: texts of foreign errors may quote values of persons."""
    step = failing(ValueError("could not convert 440301199001011234"))
    step.handler(records({"batch_id": "b1"}, receives=runtime.MAX_RECEIVES), Context())
    ((_, problem),) = step.given_up
    assert problem.where["kind"] == "ValueError"
    assert "440301199001011234" not in json.dumps(problem.as_dict())
    logged = log.getvalue()
    assert "ValueError" in logged
    assert "440301199001011234" not in logged


def test_a_failure_that_cannot_be_noted_still_leaves_the_message(log: StringIO) -> None:
    step = failing(Unavailable("忙", "busy"))

    def give_up(*_: Any) -> None:
        raise Unavailable("忙", "the register is busy, too")

    handler = runtime.consumer(step.work, give_up=give_up, queue=lambda _: step.queue, first_pause=lambda: 5)
    answer = handler(records({"batch_id": "b1"}, receives=runtime.MAX_RECEIVES), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "failure not noted" in log.getvalue()


def test_every_message_leaves_one_line_with_its_ids(log: StringIO) -> None:
    Step().handler(records({"batch_id": "b1", "rows": [{"name": "张三"}]}), Context())
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["request_id"], told["batch_id"], told["message_id"]) == ("r-1", "b1", "m1")
    assert "张三" not in line


def test_a_task_of_a_workflow_leaves_its_ids_and_its_delivery_whether_it_ends_well_or_not(
    log: StringIO,
) -> None:
    """Q-05: one id through every hop, comparisons in parts too."""
    told: list[str] = []

    def work(event: Mapping[str, Any]) -> dict[str, Any]:
        told.append(correlation.current())
        if event["number"]:
            raise Unavailable("忙", "busy")
        return {"changed": 2}

    handler = runtime.task(
        "compare_part",
        work,
        names=lambda event: {"batch_id": "b1", "part": event["number"]},
        follow=lambda names: f"u-of-{names['batch_id']}",
        succeeded=told.append,
    )
    handler({"number": 0}, Context())
    with pytest.raises(runtime.TryAgain):
        handler({"number": 1}, Context())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["message"], line["part"]) for line in lines] == [("done", 0), ("failed", 1)]
    assert {line["batch_id"] for line in lines} == {"b1"}
    assert {line["correlation"] for line in lines} == {"u-of-b1"}
    assert {line["request_id"] for line in lines} == {"r-1"}
    assert told == ["u-of-b1", "compare_part", "u-of-b1"]  # noted once: what failed did not succeed


def test_a_task_whose_delivery_cannot_be_looked_up_is_tried_again(log: StringIO) -> None:
    def missing(_names: Mapping[str, Any]) -> str:
        raise Unavailable("忙", "busy")

    with pytest.raises(runtime.TryAgain):
        runtime.task("compare_part", lambda _: {}, names=lambda _: {"batch_id": "b1"}, follow=missing)(
            {}, Context()
        )
    assert json.loads(log.getvalue())["batch_id"] == "b1"
