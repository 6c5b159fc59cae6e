"""The status page: each part's state from what is seen (Q-05)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from huitong.local.letter_boxes import MemoryLetterBoxes
from huitong.local.messages import ManualClock, MemoryQueue
from huitong.local.register import MemoryRegister
from huitong.operating.heartbeats import Heartbeats
from huitong.operating.letters import Depth
from huitong.operating.parts import PARTS
from huitong.operating.status import Seen, StatusPage, page

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
FRESH = "2026-06-01T07:59:00.000Z"
STEPS = [step.id for part in PARTS for step in part.steps]
QUEUES = [name for part in PARTS for name in part.queues]


def seen(**changes: Any) -> Seen:
    known: dict[str, Any] = {
        "at": NOW,
        "successes": dict.fromkeys(STEPS, FRESH),
        "depths": {name: Depth(0, dead=0) for name in QUEUES},
        "pulse": {},
        "head": FRESH,
    }
    return Seen(**{**known, **changes})


def part(shown: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for one in shown["parts"] if one["id"] == id)


def test_every_part_is_well_when_nothing_is_wrong() -> None:
    shown = page(seen())
    assert shown["state"] == "ok"
    assert [one["id"] for one in shown["parts"]] == ["aggregation", "governance", "service", "security"]


@pytest.mark.parametrize(
    ("changes", "id", "state"),
    [
        ({"depths": {"ingest": Depth(0, dead=2)}}, "aggregation", "attention"),
        ({"successes": {**dict.fromkeys(STEPS, FRESH), "run_schedule.minute": "2026-06-01T07:00:00.000Z"}}, "governance", "failing"),
        ({"pulse": {"batches": {"ingested": {"count": 1, "oldest": "2026-06-01T05:00:00.000Z"}}}}, "governance", "attention"),
        ({"pulse": {"pushes": {"oldest": "2026-06-01T05:00:00.000Z"}}}, "service", "attention"),
        ({"pulse": {"pushes": {"oldest": "", "suspended": 1}}}, "service", "attention"),
        ({"head": "2026-06-01T01:00:00.000Z"}, "security", "failing"),
        ({"head": ""}, "security", "unknown"),
    ],
)  # fmt: skip
def test_trouble_shows_in_its_part_and_in_no_other(changes: dict[str, Any], id: str, state: str) -> None:
    shown = page(seen(**changes))
    assert {one["id"]: one["state"] for one in shown["parts"] if one["state"] != "ok"} == {id: state}
    assert shown["state"] == state
    assert all(t["zh"] and t["en"] for t in part(shown, id)["troubles"])


def test_two_instances_say_that_they_live_and_the_later_word_counts() -> None:
    """S-26: both write the same item; neither stops the other."""
    register, clock = MemoryRegister(), ManualClock()
    one, other = Heartbeats(register, clock), Heartbeats(register, clock)
    one.succeeded("ingest_file")
    clock.advance(minutes=2)
    other.succeeded("ingest_file")
    late = one.all()["ingest_file"]
    assert late == other.all()["ingest_file"] == "2026-01-05T08:02:00.000Z"
    clock.advance(seconds=-30)
    one.succeeded("ingest_file")  # its clock goes behind: the later word stays
    assert one.all()["ingest_file"] == late


def test_the_page_reads_what_the_steps_and_the_clock_have_left() -> None:
    register, clock = MemoryRegister(), ManualClock()
    beats = Heartbeats(register, clock)
    for step in STEPS:
        beats.succeeded(step)
    boxes = MemoryLetterBoxes({name: MemoryQueue() for name in QUEUES})
    boxes.queues["push"].send({"subscription": "s"})
    shown = StatusPage(register, beats, boxes, clock).show()
    assert shown["state"] == "unknown"  # no signed head yet, and nothing else
    assert part(shown, "service")["queues"][0] == {"name": "push", "waiting": 1, "in_flight": 0, "dead": 0}
