"""What a whole delivery leaves behind in the functions' logs, and what those who operate see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.town import CONTRACT, Town, lines

pytestmark = pytest.mark.e2e
NAME, NUMBER, BAD = "欧阳不留痕", "440300199912310987", "贰佰圆整未知"
SECRET = "whsec_" + "QUdFTkNZ" * 4
FUNCTIONS = ("ApiLog", "IngestFileLog", "ValidateBatchLog", "CompareBatchLog", "PushChangesLog")


@pytest.fixture
def receiver() -> Iterator[Any]:
    from receiver import Inbox, Receiver, verified_by

    with Receiver(Inbox(verified_by(SECRET))) as made:
        yield made


def lines_of(town: Town) -> dict[str, list[dict[str, Any]]]:
    """Log group → its lines; those of our logger with their members."""
    logs = town.stack.client("logs")
    found: dict[str, list[dict[str, Any]]] = {}
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                texts = (text for event in events["events"] for text in event["message"].splitlines())
                found.setdefault(name, []).extend(map(_line, texts))
    return found


def _line(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    return {**(told if isinstance(told, dict) else {}), "_text": text}


def _of(found: dict[str, list[dict[str, Any]]], group: str) -> list[dict[str, Any]]:
    return [line for name, lines in found.items() if group in name for line in lines]


def test_one_id_finds_every_line_of_a_delivery_and_none_holds_a_value(town: Town, receiver: Any) -> None:
    """Q-05, S-16: from the request that announced it to the receipt of its push, across five functions."""
    resource = town.contract("log-flow")
    town.grant(town.AGENCY, resource, fields=["id", "area", "name", "amount"], purpose="案件办理")
    told = town.huitong("agency")("subscribe", resource, "--endpoint", receiver.url, "--secret", SECRET)
    content = f"id,area,name,id_no,amount\n0001,福田,{NAME},{NUMBER},1.50\n0002,福田,{NAME},{NUMBER},{BAD}\n"
    upload = town.api("court").put_file(content.encode(), resource, town.COURT, f"{NAME}的债权.csv")
    batch = town.ended(upload)
    assert (batch["status"], batch["quarantined"], batch["correlation"]) == ("published", 1, upload)

    def acknowledged(found: dict[str, list[dict[str, Any]]]) -> bool:
        return any(line.get("state") == "acknowledged" for line in _mine(found, "PushChangesLog"))

    def _mine(found: dict[str, list[dict[str, Any]]], group: str) -> list[dict[str, Any]]:
        return [line for line in _of(found, group) if line.get("correlation") == upload]

    found = town.eventually(lambda: lines_of(town), acknowledged)
    for group in FUNCTIONS:
        mine = _mine(found, group)
        assert mine, group
        assert all(line["request_id"] for line in mine if "_aws" not in line), mine
    steps = [
        line for group in FUNCTIONS[1:] for line in _mine(found, group) if line.get("message") == "batch"
    ]
    assert [line["status"] for line in steps] == ["received", "ingested", "validated", "published"]
    assert {line["batch_id"] for line in steps} == {batch["id"]}
    assert {line["unit"] for line in steps} == {town.COURT}
    (sent,) = [line for line in _mine(found, "PushChangesLog") if line.get("state") == "acknowledged"]
    assert (sent["subscription"], sent["batch_id"]) == (told["id"], batch["id"])

    written = [line["_text"] for lines in found.values() for line in lines]
    leaks = [
        text
        for text in written
        for value in (NAME, NUMBER, BAD, SECRET)
        if value in text or json.dumps(value)[1:-1] in text
    ]
    assert leaks == []
    figures = [text for text in written if '"CloudWatchMetrics"' in text]
    for name in (
        "RowsReceived",
        "RowsQuarantined",
        "RowsPublished",
        "StepDuration",
        "DeliveriesAcknowledged",
    ):
        assert any(f'"{name}"' in text for text in figures), name


def test_a_delivery_compared_in_parts_is_followed_through_every_worker_and_its_commit(town: Town) -> None:
    """Q-05: the workers and the commit of a comparison in parts are hops, too, and show on the status page."""
    document = CONTRACT.format(id="log-parts", table="log_parts")
    document += "customProperties:\n  - {property: fanOutRows, value: 8}\n"
    town.done("POST", "/v1/contracts", {"document": document, "provider": town.COURT})
    upload = town.api("court").put_file(lines(range(1, 9)), "log-parts", town.COURT)
    batch = town.ended(upload)
    assert batch["status"] == "published"

    def done(found: dict[str, list[dict[str, Any]]], group: str) -> list[dict[str, Any]]:
        mine = (line for line in _of(found, group) if line.get("correlation") == upload)
        return [line for line in mine if line.get("message") == "done"]

    found = town.eventually(lambda: lines_of(town), lambda found: bool(done(found, "CommitComparisonLog")))
    workers = done(found, "ComparePartLog")
    assert {line["part"] for line in workers} == set(range(workers[0]["result"]["of"]))
    assert {line["batch_id"] for line in (*workers, *done(found, "CommitComparisonLog"))} == {batch["id"]}
    page = json.loads(town.huitong("officer").run("status", "--json").stdout)
    steps = {step["id"]: step["last_success"] for part in page["parts"] for step in part["steps"]}
    assert steps["commit_comparison"]


def test_the_status_page_knows_who_works_and_a_dead_letter_is_settled(town: Town) -> None:
    """Q-05, L-34: the letter is shown by its ids, sent again with a reason, and the record names who did it."""
    resource = town.contract("letter-flow")
    assert town.deliver(b"id,area,name,id_no,amount\n0001,a,b,c,1\n", resource)["status"] == "published"
    page = town.huitong("officer").run("status", "--json")
    parts = {part["id"]: part for part in json.loads(page.stdout)["parts"]}
    assert parts["aggregation"]["steps"][0]["last_success"]
    assert parts["governance"]["steps"][1]["last_success"]

    sqs = town.stack.client("sqs")
    (url,) = sqs.list_queues(QueueNamePrefix="huitong-CompareDeadLetters")["QueueUrls"]
    body = json.dumps({"resource": resource, "name": NAME})
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=resource, MessageDeduplicationId="1")
    officer = town.huitong("officer")
    (letter,) = officer("dead-letters", "show", "compare")["items"]
    assert letter["message"] == {"resource": resource}
    told = officer("dead-letters", "replay", "compare", letter["id"], "--reason", "已修复")
    assert told["items"][0]["became"] == "returned-to-queue"
    assert officer("dead-letters", "show", "compare")["items"] == []
    assert town.huitong("court")("dead-letters", "list", status=1)["code"] == "not-permitted"
