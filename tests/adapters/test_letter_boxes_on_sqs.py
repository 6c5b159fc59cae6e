"""Dead letters on SQS: shown without being lost, sent back in order with their delivery's id."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from huitong import correlation
from huitong.aws.letter_boxes import SqsLetterBoxes
from huitong.aws.sqs import SqsQueue
from huitong.errors import NotFound


@pytest.fixture
def sqs() -> Any:
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


@pytest.fixture
def urls(sqs: Any) -> dict[str, str]:
    fifo = {"FifoQueue": "true"}
    names = {"ingest": {}, "ingest-dead": {}, "compare.fifo": fifo, "compare-dead.fifo": fifo}
    return {n: sqs.create_queue(QueueName=n, Attributes=a)["QueueUrl"] for n, a in names.items()}


@pytest.fixture
def boxes(sqs: Any, urls: dict[str, str]) -> SqsLetterBoxes:
    return SqsLetterBoxes(
        sqs,
        {"ingest": urls["ingest"], "compare": urls["compare.fifo"]},
        {"ingest": urls["ingest-dead"], "compare": urls["compare-dead.fifo"], "events": urls["ingest-dead"]},
    )


def test_letters_are_read_and_lie_there_again(sqs: Any, urls: dict[str, str], boxes: SqsLetterBoxes) -> None:
    with correlation.following("u1"):
        for n in range(13):
            SqsQueue(sqs, urls["ingest-dead"]).send({"batch_id": f"b{n}"})
    letters = boxes.read("ingest", 100)
    assert {letter.body["batch_id"] for letter in letters} == {f"b{n}" for n in range(13)}
    assert {letter.correlation for letter in letters} == {"u1"}
    assert boxes.depths()["ingest"].dead == 13
    boxes.put_back(letters)
    assert len(boxes.read("ingest", 100)) == 13
    assert boxes.depths()["compare"].dead == 0


def test_a_letter_goes_back_in_its_group_with_its_delivery(
    sqs: Any, urls: dict[str, str], boxes: SqsLetterBoxes
) -> None:
    with correlation.following("u1"):
        SqsQueue(sqs, urls["compare-dead.fifo"]).send({"resource": "IN-01"}, group="IN-01")
    (letter,) = boxes.read("compare", 10)
    boxes.return_to_queue(letter)
    assert boxes.depths()["compare"].dead == 0
    (back,) = sqs.receive_message(
        QueueUrl=urls["compare.fifo"], MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
    )["Messages"]
    assert json.loads(back["Body"]) == {"resource": "IN-01"}
    assert back["Attributes"]["MessageGroupId"] == "IN-01"
    assert back["MessageAttributes"]["correlation"]["StringValue"] == "u1"


def test_what_is_no_json_and_what_has_no_queue_is_still_a_letter(
    sqs: Any, urls: dict[str, str], boxes: SqsLetterBoxes
) -> None:
    sqs.send_message(QueueUrl=urls["ingest-dead"], MessageBody="张三")
    (letter,) = boxes.read("events", 10)
    assert letter.shown()["message"] == {}
    with pytest.raises(NotFound):
        boxes.return_to_queue(letter)
    boxes.remove(letter)
    assert boxes.depths()["events"].dead == 0
    with pytest.raises(NotFound):
        boxes.read("none", 1)
