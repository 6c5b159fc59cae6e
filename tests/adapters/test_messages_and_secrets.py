"""Queues, events and sealed secrets."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from huitong.aws.events import EventBridge
from huitong.aws.secrets import KmsSecrets
from huitong.aws.sqs import SqsQueue
from huitong.errors import Corrupt, HuitongError, Unavailable


@pytest.fixture
def sqs() -> Any:
    return boto3.client("sqs", region_name="us-east-1")


def queue_like(sqs: Any, resources: dict[str, Any], name: str) -> str:
    wanted = resources[name]["Properties"]
    fifo = wanted.get("FifoQueue", False)
    attributes = {k: str(v).lower() for k, v in wanted.items() if k in ("FifoQueue", "VisibilityTimeout")}
    made = sqs.create_queue(QueueName=f"{name}.fifo" if fifo else name, Attributes=attributes)
    return str(made["QueueUrl"])


def received(sqs: Any, url: str) -> list[Any]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return [(json.loads(m["Body"]), m) for m in answer.get("Messages", [])]


def test_a_message_arrives_as_it_was_sent(sqs: Any, resources: dict[str, Any]) -> None:
    url = queue_like(sqs, resources, "ValidateQueue")
    SqsQueue(sqs, url).send({"batch_id": "b1", "zh": "汇通"})
    assert [body for body, _ in received(sqs, url)] == [{"batch_id": "b1", "zh": "汇通"}]


def test_equal_wake_ups_of_one_resource_are_both_delivered_in_its_group(
    sqs: Any, resources: dict[str, Any]
) -> None:
    url = queue_like(sqs, resources, "CompareQueue")
    queue = SqsQueue(sqs, url)
    queue.send({"resource": "IN-01"}, group="IN-01")
    queue.send({"resource": "IN-01"}, group="IN-01")
    found = received(sqs, url)
    assert [m["Attributes"]["MessageGroupId"] for _, m in found] == ["IN-01", "IN-01"]


def test_a_delayed_message_of_a_fifo_queue_waits_elsewhere(sqs: Any, resources: dict[str, Any]) -> None:
    fifo = queue_like(sqs, resources, "PushQueue")
    waiting = queue_like(sqs, resources, "WaitingQueue")
    queue = SqsQueue(sqs, fifo, waiting=waiting)
    queue.send({"subscription": "s1"}, group="sub:s1", delay=5_000)
    assert received(sqs, fifo) == []
    counts = sqs.get_queue_attributes(QueueUrl=waiting, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
    queue.send({"subscription": "s2"}, group="sub:s2")
    assert [body for body, _ in received(sqs, fifo)] == [{"subscription": "s2"}]


def test_a_postponed_message_comes_again_when_its_pause_is_over(sqs: Any, resources: dict[str, Any]) -> None:
    url = queue_like(sqs, resources, "IngestQueue")
    queue = SqsQueue(sqs, url)
    queue.send({"batch_id": "b1"})
    ((_, message),) = received(sqs, url)
    assert received(sqs, url) == []
    queue.postpone(message["ReceiptHandle"], 0)
    ((_, again),) = received(sqs, url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_missing_queue_is_an_error_of_ours(sqs: Any) -> None:
    with pytest.raises(HuitongError):
        SqsQueue(sqs, "https://sqs.us-east-1.amazonaws.com/123456789012/none").send({})


def test_an_event_reaches_a_rule_of_its_bus(sqs: Any, resources: dict[str, Any]) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.create_event_bus(Name="huitong")
    url = queue_like(sqs, resources, "IngestQueue")
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = resources["AlertRule"]["Properties"]["EventPattern"]
    events.put_rule(Name="alerts", EventBusName="huitong", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alerts", EventBusName="huitong", Targets=[{"Id": "q", "Arn": arn}])
    EventBridge(events, "huitong").publish("BatchFailed", {"batch": "b1"})
    EventBridge(events, "huitong").publish("BatchPublished", {"batch": "b2"})
    assert [(b["detail-type"], b["detail"]) for b, _ in received(sqs, url)] == [
        ("BatchFailed", {"batch": "b1"})
    ]


def test_an_event_that_the_bus_did_not_take_is_unavailable() -> None:
    class Refusing:
        def put_events(self, **_: Any) -> Any:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    with pytest.raises(Unavailable):
        EventBridge(Refusing(), "huitong").publish("BatchPublished", {})


@pytest.fixture
def secrets() -> KmsSecrets:
    kms = boto3.client("kms", region_name="us-east-1")
    return KmsSecrets(kms, kms.create_key()["KeyMetadata"]["Arn"])


def test_a_sealed_secret_opens_in_its_own_context_only(secrets: KmsSecrets) -> None:
    sealed = secrets.seal("whsec_abc", "subscription:s1")
    assert "whsec_abc" not in sealed
    assert secrets.unseal(sealed, "subscription:s1") == "whsec_abc"
    with pytest.raises(Corrupt):
        secrets.unseal(sealed, "subscription:s2")


@pytest.mark.parametrize("broken", ["", "plain", "kms1:", "kms1:***", "kms1:AAAA"])
def test_what_is_no_sealed_secret_is_corrupt(secrets: KmsSecrets, broken: str) -> None:
    with pytest.raises(HuitongError):
        secrets.unseal(broken, "subscription:s1")
