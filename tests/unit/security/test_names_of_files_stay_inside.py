"""Names of files and folders, which people choose, reach no event, notice, alert or log line (S-16)."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from huitong import correlation, runtime, telemetry, unnamed
from huitong.batches.failure import Failures
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.errors import NotFound, Unavailable
from huitong.identity.model import OPERATOR
from huitong.intake.receive import Receive
from huitong.intake.uploads import Uploads
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices

UNIT, UPLOAD = "1144030000AA01019J", "u0123456789abcdef"
NAME = "张三"
#: Keys that may appear in the landing bucket, and what may be told of each.
KEYS = {
    f"{UNIT}/claims/{UPLOAD}/{NAME}债权.xlsx": {"unit": UNIT, "resource": "claims", "upload": UPLOAD},
    f"{UNIT}/claims/{NAME}.xlsx": {"unit": UNIT, "resource": "claims"},
    f"{UNIT}/claims/{NAME}/{NAME}.xlsx": {"unit": UNIT, "resource": "claims"},
    f"{UNIT}/{NAME}.xlsx": {"unit": UNIT},
    f"{NAME}/{NAME}/{NAME}.xlsx": {},
    f"440301199001010011/13798765432/{NAME}.xlsx": {},
    f"{NAME}.xlsx": {},
    f"{UNIT}/claims/{UPLOAD}/{NAME}": {"unit": UNIT, "resource": "claims", "upload": UPLOAD},
    f"{UNIT}/claims/list.{NAME}": {"unit": UNIT, "resource": "claims"},
}
SECRETS = (NAME, "440301199001010011", "13798765432")


def names(told: Any) -> list[str]:
    text = json.dumps(told, ensure_ascii=False, default=str)
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize(("key", "known"), KEYS.items())
def test_an_object_that_cannot_be_registered_is_told_by_ids(key: str, known: dict[str, str]) -> None:
    events, register, clock = MemoryEvents(), MemoryRegister(), ManualClock()
    notices = Notices(register, clock)
    failures = Failures(Batches(register, clock), events, notices=notices)
    busy = Unavailable(f"服务暂不可用:{unnamed.key(key)}", f"A service is unavailable: {unnamed.key(key)}")
    failures.of_object(key, busy, "v1")
    notices.announce(events)
    (kind, told), (_, announced) = events.published
    assert kind == "StepGivenUp"
    assert {name: told[name] for name in ("unit", "resource", "upload") if name in told} == known
    assert (told["bucket"], told["version"]) == ("landing", "v1")
    assert told["object"] == correlation.of_object(key, "v1")
    (notice,) = notices.of_unit(OPERATOR)
    assert notice.about == f"object:{told['object']}"
    assert names([told, announced, notice.as_dict()]) == []


@pytest.mark.parametrize("key", [k for k in KEYS if k.startswith(UNIT)])
def test_a_fault_that_quotes_a_key_is_noted_without_its_name(key: str) -> None:
    clock, register = ManualClock(), MemoryRegister()
    notices = Notices(register, clock)
    failures = Failures(Batches(register, clock), MemoryEvents(), notices=notices)
    failures.of_object(key, Unavailable(f"不可读:{key}", f"Cannot be read: {key}"), "v1")
    (notice,) = notices.of_unit(OPERATOR)
    assert names(notice.as_dict()) == []
    assert UNIT in notice.zh


@pytest.mark.parametrize("key", KEYS)
def test_an_object_that_is_gone_or_lies_nowhere_is_refused_by_ids(key: str, tmp_path: Any) -> None:
    events, register, clock = MemoryEvents(), MemoryRegister(), ManualClock()
    landing = DiskObjects(tmp_path)
    parts: dict[str, Any] = {
        "landing": landing, "staging": landing, "contracts": None, "profiles": None,
        "uploads": Uploads(register, landing, clock), "batches": Batches(register, clock),
        "validate_queue": MemoryQueue(), "events": events, "clock": clock,
    }  # fmt: skip
    assert Receive(**parts).object_landed(key, "v1") is None
    ((kind, told),) = events.published
    assert (kind, told["rule"], told["version"]) == ("DeliveryRefused", "object.missing", "v1")
    assert names(told) == []


def test_of_a_message_that_was_given_up_ids_alone_are_told() -> None:
    events, register, clock = MemoryEvents(), MemoryRegister(), ManualClock()
    failures = Failures(Batches(register, clock), events)
    message = {"subscription": "s1", "note": NAME, "reason": NAME, "Records": [{"key": NAME}], "seq": 3}
    failures.of_step("push_changes", message, Unavailable("忙", "busy"))
    failures.of_step("push_changes", {"message": message, "group": "sub:s1"}, Unavailable("忙", "busy"))
    assert [told["message"] for _, told in events.published] == [
        {"subscription": "s1", "seq": 3},
        {"subscription": "s1", "seq": 3, "group": "sub:s1"},
    ]


@pytest.mark.parametrize("key", [k for k in KEYS if k.startswith(UNIT)])
def test_a_log_line_of_a_fault_shows_no_part_of_a_key_that_people_chose(key: str) -> None:
    error = Unavailable(f"不可读:{key}", f"Cannot be read: {key}", key=key, file=key.rpartition("/")[2])
    told = runtime.described(error)
    assert names(told) == []
    assert UNIT in told["text"]


def test_a_unit_or_resource_that_is_a_folder_of_somebodys_is_told_to_no_bus_and_no_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever lies three deep in the landing bucket becomes a batch, if only a rejected one."""
    lines = StringIO()
    made = Logger(service=f"test-{id(lines)}", stream=lines, utc=True)
    monkeypatch.setattr(telemetry, "logger", lambda: made)
    events = MemoryEvents()
    batch = Batch("b1", NAME, NAME, "full", "rejected", f"{NAME}/{NAME}/{NAME}.csv")
    telemetry.ToldEvents(events).publish("BatchRejected", {"unit": NAME, "resource": NAME, "batch": "b1"})
    telemetry.batch_moved(batch, "received")
    error = NotFound(f"没有资源 {NAME}", f"There is no resource {NAME}", resource=NAME)
    ((_, told),) = events.published
    assert (told["unit"], told["batch"]) == ("…", "b1")
    assert names([told, runtime.of_batch(batch), runtime.described(error)]) == []
    written = lines.getvalue()
    assert written.count('"b1"') == 2
    assert NAME not in written
    assert json.dumps(NAME)[1:-1] not in written


def test_units_and_resources_that_are_none_of_a_persons_are_told_as_they_are() -> None:
    told = {"unit": UNIT, "resource": "IN-07", "count": 3}
    assert unnamed.members(told) == told
    assert unnamed.members({"rule": "r"}) == {"rule": "r"}


def test_the_kind_of_a_file_is_told_where_it_is_one_that_is_known() -> None:
    assert unnamed.landed(f"{UNIT}/claims/{NAME}.XLSX")["ending"] == "xlsx"
    assert unnamed.landed(f"{UNIT}/claims/a.zhangsan")["ending"] == ""
