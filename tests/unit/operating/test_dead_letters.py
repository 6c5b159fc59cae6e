"""Dead letters: shown by ids alone, sent again or dropped with a reason on record (L-34, S-16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.batches.replay import Replay
from huitong.errors import BadRequest, Conflict, NotFound
from huitong.local.letter_boxes import MemoryLetterBoxes
from huitong.local.messages import ManualClock, MemoryQueue
from huitong.local.register import MemoryRegister
from huitong.operating.dead_letters import DeadLetters
from huitong.operating.letters import Letter

UPLOAD = "u0123456789abcdef"
KEY = f"1144030000AA01019J/claims/{UPLOAD}/张三的债权.csv"
LANDED = {"Records": [{"s3": {"object": {"key": KEY.replace("/", "%2F"), "versionId": "v1"}}}]}


class Resumed:
    """Stands in for the subscriptions' replay: remembers, or says that there is nothing to do."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def replay(self, id: str, *, by: str) -> None:
        if id in self.ids:
            raise Conflict("已恢复", "it goes on already")
        self.ids.append(id)


class Desk:
    def __init__(self) -> None:
        self.register, self.clock = MemoryRegister(), ManualClock()
        self.traces = Traces(self.register, self.clock)
        self.batches = Batches(self.register, self.clock, self.traces)
        self.queues = {name: MemoryQueue() for name in ("ingest", "validate", "compare", "push")}
        self.boxes = MemoryLetterBoxes(self.queues)
        self.resumed = Resumed()
        replay = Replay(self.batches, *(self.queues[n] for n in ("ingest", "validate", "compare")))
        self.letters = DeadLetters(
            self.boxes,
            self.batches,
            replay,
            self.resumed,
            self.traces,
            self.clock,  # type: ignore[arg-type]
        )

    def put(self, box: str, body: dict[str, Any], id: str = "m1", **more: str) -> None:
        self.boxes.dead.setdefault(box, []).append(Letter(box, id, body, **more))

    def failed(self) -> Batch:
        batch = Batch("b1", "claims", "u", "full", "received", KEY)
        stored = self.batches.create(batch, by="test")
        stored = self.batches.move(stored, "ingested", by="test")
        return self.batches.move(stored, "failed", by="test").batch

    def records(self) -> list[dict[str, Any]]:
        return [dict(i.body) for i in self.register.query("OPERATING", prefix="LETTER#")]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_letter_is_shown_without_the_name_of_the_file_and_with_its_delivery(desk: Desk) -> None:
    desk.put("ingest", LANDED)
    (shown,) = desk.letters.letters("ingest")
    assert shown["correlation"] == UPLOAD
    assert shown["message"] == {"object": f"1144030000AA01019J/claims/{UPLOAD}/…"}
    assert "张三" not in json.dumps(shown, ensure_ascii=False)
    assert desk.boxes.shown == 1  # it lies there again for the next one who looks


def test_members_that_may_be_anything_are_not_shown(desk: Desk) -> None:
    desk.put("push", {"subscription": "s1", "reason": "no-answer", "name": "张三", "unit": "王五 110"})
    (shown,) = desk.letters.letters("push")
    assert shown["message"] == {"subscription": "s1", "reason": "no-answer"}


def test_a_failed_batch_is_set_moving_and_its_letter_goes(desk: Desk) -> None:
    batch = desk.failed()
    desk.put("validate", {"batch_id": batch.id})
    (done,) = desk.letters.settle("validate", [], "数据库已恢复", by="officer")
    assert done["became"] == "batch-replayed"
    assert desk.batches.get(batch.id).batch.status == "ingested"
    assert desk.queues["validate"].sent == [({"batch_id": batch.id}, "")]
    assert desk.boxes.dead["validate"] == []


def test_a_suspended_subscription_goes_on_and_one_that_does_already_is_settled(desk: Desk) -> None:
    told = {"subscription": "s1", "sequence": 4, "reason": "no-answer"}
    desk.put("push", told, "m1")
    desk.put("push", told, "m2")
    done = desk.letters.settle("push", [], "接收方已修复", by="officer")
    assert [one["became"] for one in done] == ["subscription-resumed", "settled-before"]
    assert desk.boxes.dead["push"] == []


def test_any_other_letter_goes_back_to_its_queue_in_its_group(desk: Desk) -> None:
    desk.put("compare", {"resource": "claims"}, group="claims")
    (done,) = desk.letters.settle("compare", ["m1"], "重试", by="officer")
    assert done["became"] == "returned-to-queue"
    assert desk.queues["compare"].sent == [({"resource": "claims"}, "claims")]


def test_reason_person_and_letter_are_on_record_before_anything_moves(desk: Desk) -> None:
    desk.put("ingest", LANDED)
    desk.letters.settle("ingest", ["m1"], "误投", by="officer-7", drop=True)
    (kept,) = desk.records()
    assert (kept["by"], kept["reason"], kept["what"], kept["id"]) == ("officer-7", "误投", "dropped", "m1")
    (trace,) = desk.traces.list(unit="")
    assert (trace.actor, trace.detail) == ("officer-7", "letter:dropped:ingest:m1")
    assert desk.queues["ingest"].sent == []


def test_without_a_reason_or_for_letters_that_are_not_there_nothing_happens(desk: Desk) -> None:
    desk.put("compare", {"resource": "claims"})
    with pytest.raises(BadRequest):
        desk.letters.settle("compare", [], "  ", by="officer")
    with pytest.raises(NotFound):
        desk.letters.settle("compare", ["m1", "m9"], "x", by="officer")
    with pytest.raises(NotFound):
        desk.letters.settle("nothing", [], "x", by="officer")
    assert len(desk.boxes.dead["compare"]) == 1
    assert desk.records() == []
    assert desk.queues["compare"].sent == []


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("u1/claims/张三/x.csv", "u1/claims/…/…"),
        ("u1/claims/440301199001010011/x.csv", "u1/claims/…/…"),
        ("张三/x.csv", "…/…"),
        ("x.csv", "…"),
    ],
)
def test_a_folder_that_somebody_named_is_not_shown(key: str, shown: str) -> None:
    """S-16: objects may simply appear in the landing bucket, under any key; and a name is a word."""
    body = {"Records": [{"s3": {"object": {"key": key}}}], "reason": "张三", "group": "u1:claims"}
    assert Letter("ingest", "m1", body).shown()["message"] == {"object": shown, "group": "u1:claims"}
