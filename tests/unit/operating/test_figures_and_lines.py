"""What functions tell of themselves: each row counted once, one id for a delivery, no value of a person (Q-05, S-16)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from huitong import correlation, runtime, telemetry
from huitong.batches.following import correlation_of, following
from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import Batches
from huitong.delivery.model import Delivery
from huitong.errors import Unavailable
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.register import MemoryRegister
from huitong.operating.metrics import ALARMS, METRICS, OF_EVENTS

UPLOAD = "u0123456789abcdef"
KEY = f"1144030000AA01019J/claims/{UPLOAD}/张三的债权.csv"
BATCH = Batch("b1", "claims", "1144030000AA01019J", "full", "received", KEY, filename="张三的债权.csv")


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> Counter[str]:
        total: Counter[str] = Counter()
        for line in capsys.readouterr().out.splitlines():
            told = json.loads(line)
            for metric in () if "_aws" not in told else told["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                total[metric["Name"]] += sum(told[metric["Name"]])
        return total

    return read


def moved(*, replay: bool = False) -> None:
    batches = Batches(MemoryRegister(), ManualClock(), told=telemetry.batch_moved)
    stored = batches.create(BATCH, by="t")
    counts = Counts(received=10, unread=10)
    stored = batches.move(stored, "ingested", by="t", counts=counts)
    if replay:
        stored = batches.move(stored, "failed", by="t")
        stored = batches.move(stored, "ingested", by="t")
    counts = Counts(received=10, accepted=8, quarantined=2, withheld=8)
    stored = batches.move(stored, "validated", by="t", counts=counts, quality=Quality(missing=2, warnings=1))
    stored = batches.move(stored, "held", by="t")
    stored = batches.move(stored, "validated", by="t")
    batches.move(stored, "published", by="t", counts=replace(counts, inserted=5, unchanged=3, withheld=0))


@pytest.mark.parametrize("replay", [False, True])
def test_rows_are_counted_once_however_often_a_batch_comes_by(figures: Any, replay: bool) -> None:
    moved(replay=replay)
    assert figures() == {
        "RowsReceived": 10, "RowsAccepted": 8, "RowsQuarantined": 2, "Findings": 3, "RowsPublished": 5,
        "BatchesPublished": 1, "BatchesHeld": 1,
    }  # fmt: skip


def test_figures_have_the_deployment_as_dimension_and_ids_only_beside(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "huitong-test")  # the stack's name, by the template
    telemetry.measure({"RowsReceived": 1}, resource="claims")
    telemetry.measure({"StepDuration": 2.5}, "ingest_file")
    plain, stepped = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert plain["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert plain["resource"] == "claims"
    assert sorted(stepped["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["service", "step"]
    assert stepped["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Huitong"


def test_a_figure_without_a_name_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        telemetry.measure({"RowsLost": 1})


def test_deliveries_and_events_count(figures: Any) -> None:
    sent = Delivery("s1", 1, "claims", "u", "changes", "inline", 1, 1, 1, 1, "o", "d", 1, "t")
    telemetry.delivery_told(sent, "u1")
    telemetry.delivery_told(replace(sent, attempts=1, reason="no-answer"), "u1")
    telemetry.delivery_told(replace(sent, attempts=2, state="acknowledged"), "u1")
    bus = MemoryEvents()
    with correlation.following(UPLOAD):
        for kind in OF_EVENTS:
            telemetry.ToldEvents(bus).publish(kind, {"batch": "b1", "name": "张三"})
    assert bus.published[0][1] == {"correlation": UPLOAD, "batch": "b1", "name": "张三"}
    found = figures()
    assert (found["DeliveriesAcknowledged"], found["DeliveryAttemptsFailed"]) == (1, 1)
    assert all(found[name] == 1 for name in OF_EVENTS.values())


def test_alarms_are_on_figures_that_exist_and_say_what_is_wrong_in_both_languages() -> None:
    assert {alarm.metric for alarm in ALARMS} <= set(METRICS)
    assert all(alarm.zh and alarm.en for alarm in ALARMS)
    assert {"LedgerImbalances", "EvidenceFailures", "OldestPendingPush", "DeliveriesFailed",
            "RequestsRefused"} <= {alarm.metric for alarm in ALARMS}  # fmt: skip


def test_a_batch_has_the_id_of_its_upload_and_any_other_object_one_of_its_own() -> None:
    assert correlation_of(BATCH) == UPLOAD == BATCH.summary()["correlation"]
    plain = replace(BATCH, landing_key="u/claims/a.csv", landing_version="1")
    other = replace(plain, landing_version="2")
    assert correlation_of(plain) == correlation_of(replace(plain, id="b2"))
    assert len({correlation_of(plain), correlation_of(other), UPLOAD}) == 3


def test_what_is_sent_while_working_on_a_batch_carries_its_id_and_nothing_afterwards() -> None:
    queue = MemoryQueue()
    with following(BATCH):
        queue.send({})
    queue.send({})
    assert queue.followed == [UPLOAD, ""]


def test_a_failure_is_told_without_the_name_of_the_file() -> None:
    """People choose names of files: 张三的债权.csv."""
    error = Unavailable(f"不可读:{KEY}", f"Cannot be read: {KEY}", key=KEY, batch="b1", file="张三的债权.csv")
    told = json.dumps(runtime.described(error), ensure_ascii=False)
    assert "张三" not in told
    assert UPLOAD in told
    assert "b1" in told


class Context:
    aws_request_id = "r-1"
    function_name = "f"


@pytest.mark.parametrize("carried", [True, False])
def test_a_message_is_worked_on_under_the_id_that_it_carries_or_that_the_register_knows(
    carried: bool,
) -> None:
    seen: list[str] = []
    handler = runtime.consumer(
        lambda _message: seen.append(correlation.current()),  # type: ignore[func-returns-value]
        give_up=lambda *_: None,
        queue=lambda _: None,  # type: ignore[arg-type, return-value]
        first_pause=lambda: 1,
        step="validate_batch",
        follow=lambda message: f"of-{message['batch_id']}",
    )
    attributes = {"correlation": {"stringValue": UPLOAD}} if carried else {}
    record = {
        "messageId": "m", "receiptHandle": "h", "body": '{"batch_id": "b1"}', "eventSourceARN": "arn:q",
        "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": attributes,
    }  # fmt: skip
    handler({"Records": [record]}, Context())
    assert seen == [UPLOAD if carried else "of-b1"]
    assert correlation.current() == ""
