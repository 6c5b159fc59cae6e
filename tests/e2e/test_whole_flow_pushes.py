"""Pushes on the stack: from a snapshot on, under a grant, through trouble at the receiver (X-06, X-08, C-15)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.town import Town, lines

pytestmark = pytest.mark.e2e
SECRET = "whsec_" + "QUdFTkNZ" * 4


@pytest.fixture
def receiver() -> Iterator[Any]:
    from receiver import Inbox, Receiver, verified_by

    with Receiver(Inbox(verified_by(SECRET))) as made:
        yield made


def subscribe(town: Town, resource: str, receiver: Any, *more: str) -> str:
    """The agency subscribes, granted everything but id_no; names stay masked."""
    town.grant(town.AGENCY, resource, fields=["id", "area", "name", "amount"], purpose="案件办理")
    told = town.huitong("agency")(
        "subscribe", resource, "--endpoint", receiver.url, "--secret", SECRET, *more
    )
    return str(told["id"])


def deliveries(town: Town, subscription: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.huitong("agency")("subscription", "deliveries", subscription)["items"]
    return found


def test_a_subscriber_starts_from_a_snapshot_and_goes_on_without_gap_or_overlap(
    town: Town, receiver: Any
) -> None:
    """The row filter makes changes what they are for this subscriber; masked fields are masked."""
    resource = town.contract("flow-snapshot")
    header, _, elsewhere = lines([6], area="罗湖").partition(b"\n")
    town.deliver(lines(range(1, 6)) + elsewhere, resource)
    subscription = subscribe(town, resource, receiver, "--start", "snapshot", "--filter", "area = '福田'")
    second = [
        lines([1], amount="7.00"), lines([2], area="罗湖"), lines([4, 5]), lines([6]), lines([7]),
    ]  # fmt: skip
    town.deliver(header + b"\n" + b"".join(part.partition(b"\n")[2] for part in second), resource)
    stream = receiver.inbox.stream(subscription)
    town.eventually(lambda: len(stream.events), lambda n: n >= 10)

    ops = [(event["data"]["op"], event["subject"]) for event in stream.events]
    assert ops[:5] == [("snapshot", f"{n:04}") for n in range(1, 6)]
    assert sorted(ops[5:]) == [
        ("delete", "0002"), ("delete", "0003"), ("insert", "0006"), ("insert", "0007"), ("update", "0001"),
    ]  # fmt: skip
    assert sorted(stream.rows) == ["0001", "0004", "0005", "0006", "0007"]
    assert stream.rows["0001"]["amount"] == "7.00"
    assert all(set(row) == {"id", "area", "name", "amount"} for row in stream.rows.values())
    assert "王小" not in json.dumps(stream.events, ensure_ascii=False)
    assert len({event["id"] for event in stream.events}) == 10
    assert (receiver.inbox.refused, stream.repeats) == ([], 0)
    town.eventually(
        lambda: [one["status"] for one in deliveries(town, subscription)],
        lambda found: found == ["acknowledged"] * 2,
    )
    ledger = town.ledger(resource)
    assert (ledger["balanced"], ledger["due"], ledger["acknowledged"]) == (True, 10, 10)


def test_a_receiver_that_fails_twice_gets_everything_once_and_in_order(town: Town, receiver: Any) -> None:
    resource = town.contract("flow-stumble")
    town.deliver(lines(range(1, 3)), resource)
    subscription = subscribe(town, resource, receiver)
    receiver.inbox.troubles += ["error", "no-receipt"]
    town.deliver(lines(range(1, 6)), resource)
    town.deliver(lines(range(1, 9)), resource)
    stream = receiver.inbox.stream(subscription)
    found = town.eventually(
        lambda: deliveries(town, subscription),
        lambda found: [one["status"] for one in found] == ["acknowledged"] * 2,
    )
    assert [event["subject"] for event in stream.events] == [f"{n:04}" for n in range(3, 9)]
    assert [one["attempts"] for one in found] == [3, 1]
    assert [one["receipt"]["count"] for one in found] == [3, 3]
    assert (receiver.inbox.refused, stream.repeats, receiver.inbox.posts) == ([], 0, 4)


def test_a_receiver_that_is_gone_is_suspended_and_repaired_by_a_replay(town: Town, receiver: Any) -> None:
    """X-12: what failed stays visible in the ledger and in the dead-letter queue until it is delivered."""
    resource = town.contract("flow-gone")
    town.deliver(lines(range(1, 3)), resource)
    subscription, agency = subscribe(town, resource, receiver), town.huitong("agency")
    receiver.inbox.troubles.append("gone")
    town.deliver(lines(range(1, 6)), resource)
    town.eventually(
        lambda: agency("subscription", "show", subscription)["status"], lambda status: status == "suspended"
    )
    town.deliver(lines(range(1, 9)), resource)
    ledger = town.ledger(resource)
    assert (ledger["due"], ledger["failed"], ledger["acknowledged"]) == (3, 3, 0)
    assert ledger["balanced"]
    sqs = town.stack.client("sqs")
    queue = next(url for url in sqs.list_queues()["QueueUrls"] if "PushDeadLetters" in url)
    letters = town.eventually(
        lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []),
        lambda found: any(subscription in one["Body"] for one in found),
    )
    told = next(json.loads(one["Body"]) for one in letters if subscription in one["Body"])
    assert (told["sequence"], told["count"], told["http_status"]) == (1, 3, 410)

    agency("subscription", "replay", subscription)
    stream = receiver.inbox.stream(subscription)
    town.eventually(lambda: len(stream.events), lambda n: n >= 6)
    assert [event["subject"] for event in stream.events] == [f"{n:04}" for n in range(3, 9)]
    ledger = town.eventually(lambda: town.ledger(resource), lambda found: found["acknowledged"] == 6)
    assert (ledger["due"], ledger["failed"], ledger["pending"], ledger["balanced"]) == (6, 0, 0, True)
