"""Events judged by the CloudEvents library, values as JSON readers get them."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from tests.support.push_world import ALL, CHANGED_AT, CONTRACT, History, row, table

from huitong.contracts.model import Contract, Field
from huitong.delivery.events import EventMaker, array_of, encoded, link_event, numbered
from huitong.delivery.model import Position
from huitong.sharing.access import Access


def stream(*rows: dict[str, Any]) -> Generator[pa.RecordBatch, None, None]:
    yield pa.RecordBatch.from_pylist(list(rows))


def change(**more: Any) -> dict[str, Any]:
    return {
        "_seq": 7,
        "_ordinal": 3,
        "_op": "insert",
        "_changed_columns": [],
        "_changed_at": CHANGED_AT,
        "_batch_id": "b7",
        "_unit": "11440300MB2C000001",
        "_source_row": 4,
        "_case_no": None,
        "_before": None,
        **more,
    }


def events_of_every_kind() -> list[dict[str, Any]]:
    history = History()
    history.publish(table(row("1"), row("2")))
    history.publish(table(row("1", amount="2.00"), row("3")))
    maker = EventMaker(CONTRACT, ALL)
    changes = [p.event for p in maker.changes(history.changes(CONTRACT, ALL, Position(1), 2))]
    snapshot = [p.event for p in maker.snapshot(history.snapshot(CONTRACT, ALL, 2))]
    link = link_event("T-01", "changes", 2, 1, 9, now=CHANGED_AT, data={"count": 9})
    return [*changes, *snapshot, link]


def test_every_event_is_a_cloud_event_for_the_receivers_library() -> None:
    """Standard: CloudEvents 1.0 in JSON, read back by the cloudevents package."""
    kinds = set()
    for event in events_of_every_kind():
        read = JSONFormat().read(CloudEvent, encoded(numbered(event, 12)))
        assert read.get_id() == event["id"]
        assert read.get_source() == "/v1/resources/T-01"
        assert read.get_specversion() == "1.0"
        assert read.get_subject() == event["subject"]
        assert read.get_time() == CHANGED_AT
        assert read.get_extension("sequence") == "0000000012"
        assert read.get_data() == json.loads(encoded(event))["data"]
        kinds.add(read.get_type())
    assert kinds == {
        "cn.huitong.record.inserted",
        "cn.huitong.record.updated",
        "cn.huitong.record.deleted",
        "cn.huitong.record.snapshot",
        "cn.huitong.changes.available",
    }


def test_a_message_is_a_batch_for_the_receivers_library() -> None:
    body = array_of([encoded(event) for event in events_of_every_kind()])
    for single in json.loads(body):
        assert JSONFormat().read(CloudEvent, json.dumps(single)).get_id() == single["id"]


def test_ids_of_all_events_differ() -> None:
    ids = [event["id"] for event in events_of_every_kind()]
    assert len(ids) == len(set(ids))


def test_a_deletion_carries_the_key_and_the_last_row() -> None:
    history = History()
    history.publish(table(row("1", name="张三")))
    history.publish({})
    maker = EventMaker(CONTRACT, ALL)
    (placed,) = maker.changes(history.changes(CONTRACT, ALL, Position(2), 2))
    event = json.loads(encoded(placed.event))
    assert event["subject"] == "1"
    assert event["data"]["row"] == {"id": "1", "city": "SZ", "name": "张三", "amount": "1.00"}
    assert "before" not in event["data"]


TYPED = Contract(
    id="T-02",
    version=1,
    title="",
    fields=(
        Field("k", key=1),
        Field("n", type="integer"),
        Field("d", type="decimal", precision=38, scale=10),
        Field("f", type="double"),
        Field("b", type="boolean"),
        Field("day", type="date"),
        Field("at", type="timestamp"),
    ),
)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("k", "000123456789012345", "000123456789012345"),
        ("k", '龘\u2028\u0000"\\', '龘\u2028\u0000"\\'),
        ("n", 2**53 + 1, 2**53 + 1),
        ("d", Decimal("12345678901234567890.1234567890"), "12345678901234567890.1234567890"),
        ("d", Decimal("0E-10"), "0.0000000000"),
        ("f", 0.1, 0.1),
        ("f", float("nan"), "nan"),
        ("f", float("-inf"), "-inf"),
        ("b", False, False),
        ("day", date(2026, 2, 28), "2026-02-28"),
        ("at", datetime(2026, 2, 28, 1, 2, 3, 4, tzinfo=UTC), "2026-02-28T01:02:03.000004Z"),
        ("n", None, None),
    ],
)
def test_values_come_out_as_they_went_in(field: str, value: object, shown: object) -> None:
    access = Access("T-02", tuple(f.name for f in TYPED.fields))
    given = {f.name: None for f in TYPED.fields} | {"k": "1", field: value}
    (placed,) = EventMaker(TYPED, access).changes(stream(change(**given)))
    assert json.loads(encoded(placed.event))["data"]["row"][field] == shown


TWO_KEYS = Contract(
    id="T-03",
    version=1,
    title="",
    fields=(Field("b", key=2), Field("a", key=1), Field("x")),
)


def subject(access: Access, **values: object) -> str:
    (placed,) = EventMaker(TWO_KEYS, access).changes(stream(change(x="1", **values)))
    return str(placed.event["subject"])


def test_composite_keys_cannot_be_confused() -> None:
    access = Access("T-03", ("b", "a", "x"))
    assert subject(access, a="p", b="q") == "p|q"
    assert subject(access, a="p|q", b="r") != subject(access, a="p", b="q|r")
    assert subject(access, a="p\\", b="|q") != subject(access, a="p", b="\\|q")


@pytest.mark.parametrize(
    "access",
    [Access("T-03", ("b", "a", "x"), {"a": "all"}), Access("T-03", ("b", "x"))],
    ids=["masked", "not granted"],
)
def test_a_key_that_may_not_be_seen_is_not_in_the_subject(access: Access) -> None:
    assert subject(access, a="secret", b="q") == "T-03:7:3"
    assert subject(access, a="secret", b="q", _blind="~d1") == "~d1"


def test_a_case_number_is_an_attribute_where_there_is_one() -> None:
    """Q-01."""
    access = Access("T-03", ("b", "a", "x"))
    case = "(2026)粤03破1号"
    (placed,) = EventMaker(TWO_KEYS, access).changes(stream(change(a="1", b="2", x="", _case_no=case)))
    assert placed.event["caseno"] == case
