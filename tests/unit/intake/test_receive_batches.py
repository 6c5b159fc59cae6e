"""From a landed object to a registered batch."""

from __future__ import annotations

from typing import Any

import pytest

from huitong.batches.register import batch_id
from huitong.errors import Conflict, NotFound, Unavailable
from huitong.intake.rows import put_rows

FILE = "claim_id,creditor,creditor_id,amount,filed\nA1,张三,44030119900307001X,10.50,2026-01-02\nA2,李四,,,\n".encode()
UNIT, RESOURCE = "11440300MB2C0001XX", "IN-90"


def test_a_landed_file_becomes_an_ingested_batch_that_says_where_each_row_came_from(intake: Any) -> None:
    """Q-01, Q-12: unit, resource, batch and source row are known of every row."""
    batch = intake.land(FILE)

    assert (batch.status, batch.unit, batch.resource, batch.mode) == ("ingested", UNIT, RESOURCE, "full")
    assert (batch.counts.received, batch.counts.unread) == (2, 2)
    assert batch.counts.balanced(batch.mode)
    assert batch.contract_version == 3
    assert batch.order.startswith(f"{batch.received_at}#{batch.received_at}#{batch.landing_key}#")
    assert intake.rows(batch) == [
        {
            "claim_id": "A1",
            "creditor": "张三",
            "creditor_id": "44030119900307001X",
            "amount": "10.50",
            "filed": "2026-01-02",
            "_source_row": 2,
        },
        {
            "claim_id": "A2",
            "creditor": "李四",
            "creditor_id": None,
            "amount": None,
            "filed": None,
            "_source_row": 3,
        },
    ]
    assert intake.queue.drain() == [{"batch_id": batch.id}]


def test_a_repeated_event_changes_nothing(intake: Any) -> None:
    batch = intake.land(FILE)
    staged = [(i.key, i.etag) for i in intake.staging.list("")]

    again = intake.receive.object_landed(batch.landing_key, "")

    assert again == batch
    assert [(i.key, i.etag) for i in intake.staging.list("")] == staged
    assert len(intake.batches.of_resource(RESOURCE)) == 1


def test_the_same_content_again_is_a_duplicate_with_its_rows_counted(intake: Any) -> None:
    first = intake.land(FILE)
    second = intake.land(FILE, name="again.csv")

    assert (second.status, second.duplicate_of) == ("duplicate", first.id)
    assert second.id.startswith(first.id[:24] + "-")
    assert (second.counts.received, second.counts.duplicate) == (2, 2)
    assert second.counts.balanced(second.mode)
    assert intake.receive.object_landed(second.landing_key, "") == second
    assert [m["batch_id"] for m in intake.queue.drain()] == [first.id]


def test_the_same_content_under_another_edition_is_another_batch(intake: Any) -> None:
    first = intake.upload(FILE, edition="2026-01")
    second = intake.upload(FILE, edition="2026-02")

    assert first.status == second.status == "ingested"
    assert first.id != second.id
    assert first.id == batch_id(UNIT, RESOURCE, first.sha256, "2026-01")


def test_a_file_that_was_rejected_for_an_unknown_resource_can_be_delivered_again(
    intake: Any, refused: Any
) -> None:
    contract = intake.contracts.known.pop(RESOURCE)
    first = intake.land(FILE)
    assert refused(first)["rule"] == "resource.unknown"

    intake.contracts.known[RESOURCE] = contract
    second = intake.land(FILE, name="again.csv")
    third = intake.land(FILE, name="third.csv")

    assert second.status == "ingested"
    assert (third.status, third.duplicate_of) == ("duplicate", second.id)


def test_a_foreign_unit_is_refused_and_its_file_kept(intake: Any, refused: Any) -> None:
    batch = intake.land(FILE, unit="91440300000000000X")

    assert refused(batch)["rule"] == "unit.foreign"
    assert intake.landing.read(batch.landing_key) == FILE
    assert intake.queue.drain() == []
    assert [kind for kind, _ in intake.events.published] == ["BatchRejected"]


def test_an_object_outside_any_unit_and_resource_is_reported_and_kept(intake: Any) -> None:
    intake.landing.put("stray.csv", FILE)

    assert intake.receive.object_landed("stray.csv", "") is None
    kind, detail = intake.events.published[0]
    assert (kind, detail["rule"], detail["ending"]) == ("DeliveryRefused", "object.key", "csv")
    assert "stray" not in str(detail)  # S-16
    assert intake.landing.read("stray.csv") == FILE


def test_an_object_that_is_gone_is_reported(intake: Any) -> None:
    assert intake.receive.object_landed(f"{UNIT}/{RESOURCE}/gone.csv", "") is None
    assert intake.events.published[0][1]["rule"] == "object.missing"


def test_what_the_upload_says_goes_before_the_profile_and_the_contract(intake: Any) -> None:
    intake.profile(mode="increment")

    assert intake.land(FILE).mode == "increment"
    assert intake.upload(FILE, mode="full", edition="2").mode == "full"


def test_a_named_profile_that_does_not_exist_is_refused(intake: Any, refused: Any) -> None:
    assert refused(intake.upload(FILE, profile="nowhere"))["rule"] == "profile.unknown"


def test_an_upload_knows_the_batch_that_it_became(intake: Any) -> None:
    batch = intake.upload(FILE, case_no="(2026)粤03破1号")

    upload = intake.uploads.get(batch.landing_key.split("/")[2])
    assert upload.batch_id == batch.id
    assert batch.case_no == "(2026)粤03破1号"


def test_rows_of_the_api_land_like_a_file_and_their_batch_is_known_beforehand(intake: Any) -> None:
    """Q-06."""
    id = put_rows(
        intake.landing,
        intake.uploads,
        UNIT,
        RESOURCE,
        [{"claim_id": "A1", "creditor": "张三", "amount": 10}],
        deletions=[{"claim_id": "A9"}],
        by="system",
    )
    upload = intake.uploads.get(id)
    batch = intake.receive.object_landed(upload.key, "")

    assert batch.id == upload.batch_id
    assert batch.mode == "increment"
    assert [(r["claim_id"], r["amount"], r["_op"], r["_source_row"]) for r in intake.rows(batch)] == [
        ("A1", "10", "upsert", 1),
        ("A9", None, "delete", 2),
    ]


def test_rows_without_an_idempotency_key_are_never_taken_for_a_repeat(intake: Any) -> None:
    row = [{"claim_id": "A1", "creditor": "张三"}]
    ids = [put_rows(intake.landing, intake.uploads, UNIT, RESOURCE, row, by="system") for _ in range(2)]

    batches = [intake.receive.object_landed(intake.uploads.get(id).key, "") for id in ids]
    assert [b.status for b in batches] == ["ingested", "ingested"]


def test_rows_with_the_same_idempotency_key_land_once(intake: Any) -> None:
    def send(name: str) -> str:
        row = {"claim_id": "A1", "creditor": name}
        return put_rows(
            intake.landing, intake.uploads, UNIT, RESOURCE, [row], idempotency_key="k-1", by="system"
        )

    assert send("张三") == send("张三")
    assert len(list(intake.landing.list(UNIT))) == 1
    with pytest.raises(Conflict):
        send("李四")


def test_a_fault_of_the_store_is_raised_and_the_next_call_completes(intake: Any) -> None:
    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(intake.staging, name)

        def put_file(self, *_: Any, **__: Any) -> None:
            raise Unavailable("存储不可用", "The store is unavailable")

    key = intake.put(FILE)
    with pytest.raises(Unavailable):
        intake.service(staging=Failing()).object_landed(key, "")
    assert [s.batch.status for s in intake.batches.in_flight(RESOURCE)] == ["received"]

    assert intake.receive.object_landed(key, "").status == "ingested"


def test_a_failed_batch_is_read_again_on_replay(intake: Any) -> None:
    key = intake.put(FILE)
    batch = intake.receive.object_landed(key, "")
    stored = intake.batches.get(batch.id)
    failed = intake.batches.move(stored, "failed", by="test", staging=())

    again = intake.receive.resume(failed.batch.id)

    assert again.status == "ingested"
    assert again.staging == batch.staging
    with pytest.raises(NotFound):
        intake.receive.resume("b0")


class Killed(BaseException):
    """The function is gone, between two effects."""


class Effects:
    """Counts the effects of every port and kills before the n-th."""

    def __init__(self, allowed: int) -> None:
        self.left = allowed

    def of(self, port: Any, *names: str) -> Any:
        effects = self

        class Watched:
            def __getattr__(self, name: str) -> Any:
                method = getattr(port, name)
                if name not in names:
                    return method

                def call(*args: Any, **kwargs: Any) -> Any:
                    if effects.left == 0:
                        raise Killed
                    effects.left -= 1
                    return method(*args, **kwargs)

                return call

        return Watched()


@pytest.mark.parametrize("data", [FILE, b"", FILE + b"A3,x\n"], ids=["good", "refused", "ragged"])
def test_after_a_kill_between_any_two_effects_the_next_call_completes(intake: Any, data: bytes) -> None:
    id, _ = intake.uploads.open(UNIT, RESOURCE, "claims.csv", by="clerk")
    key = intake.uploads.get(id).key
    intake.landing.put(key, data)
    kills = 0
    for allowed in range(20):
        effects = Effects(allowed)
        service = intake.service(
            batches=effects.of(intake.batches, "create", "move"),
            uploads=effects.of(intake.uploads, "became"),
            staging=effects.of(intake.staging, "put_file"),
            validate_queue=effects.of(intake.queue, "send"),
            events=effects.of(intake.events, "publish"),
        )
        try:
            done = service.object_landed(key, "")
        except Killed:
            kills += 1
            continue
        break
    assert kills >= 3
    assert done.status == ("ingested" if data else "rejected")
    assert intake.uploads.get(id).batch_id == done.id
    assert len(intake.batches.of_resource(RESOURCE)) == 1
    if data:
        assert {"batch_id": done.id} in intake.queue.drain()
        assert done.counts.received == len(data.splitlines()) - 1
    else:
        assert "BatchRejected" in [kind for kind, _ in intake.events.published]


def test_a_repeat_that_overtakes_its_unfinished_original_finishes_it(intake: Any) -> None:
    key = intake.put(FILE)
    effects = Effects(1)
    with pytest.raises(Killed):
        intake.service(batches=effects.of(intake.batches, "create", "move")).object_landed(key, "")

    repeat = intake.land(FILE, name="again.csv")

    assert (repeat.status, repeat.counts.duplicate) == ("duplicate", 2)
    assert intake.batches.get(repeat.duplicate_of).batch.status == "ingested"
