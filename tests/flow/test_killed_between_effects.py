"""A step that dies anywhere, and is called again, ends in the same state as one that never died."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty import Fuse, Killed, fused

from huitong.batches.model import Batch
from huitong.local.platform import Platform, Ports, ports_in

UNIT = "1144030000AA01123N"
#: writes to buckets, register, queues and catalogue that take one edition from landing to publication
EFFECTS = 18
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: flow-items
version: 1.0.0
status: active
schema:
  - name: flow_items
    properties:
      - {name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: number, physicalType: "decimal(18,2)"}
      - {name: noted, logicalType: date}
"""
FIRST = (
    "item,amount,noted\n001,1.00,2026-01-01\n002,2.00,2026-01-02\n003,3.00,2026-01-03\n004,4.00,2026-01-04\n"
)
#  001 unchanged, 002 updated, 003 broken (kept as it was), 004 gone, 005 new, 005 again (a duplicate)
SECOND = (
    "item,amount,noted\n001,1.00,2026-01-01\n002,2.50,2026-01-02\n003,x,2026-01-03\n005,5.00,\n005,5.00,\n"
)


def work_off(platform: Platform, messages: list[tuple[str, str]]) -> None:
    """Handle messages as the queues would bring them: one leaves its queue only when it was handled."""
    ports = platform.ports
    while True:
        messages += [("validate", m["batch_id"]) for m in ports.validate_queue.drain()]  # type: ignore[attr-defined]
        messages += [("compare", m["resource"]) for m in ports.compare_queue.drain()]  # type: ignore[attr-defined]
        if not messages:
            return
        step, what = messages[0]
        getattr(platform, step)(what)
        messages.pop(0)


@pytest.fixture(scope="module")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first edition is published and the second has landed."""
    root = tmp_path_factory.mktemp("flow") / "base"
    platform = Platform(ports_in(root))
    platform.contracts.put(CONTRACT, by="test", provider=UNIT)
    for name, text in (("first.csv", FIRST), ("second.csv", SECOND)):
        (root.parent / name).write_text(text)
    work_off(platform, [("ingest", platform.land(root.parent / "first.csv", "flow-items", UNIT))])
    platform.ports.push_queue.drain()  # type: ignore[attr-defined]
    platform.land(root.parent / "second.csv", "flow-items", UNIT)
    platform.ports.register.keep()  # type: ignore[attr-defined]
    return root


@pytest.fixture
def ports(published_once: Path) -> Iterator[Ports]:
    """That state, put back at the same place (files name their own address) for each test."""
    kept = published_once.with_name("kept")
    shutil.copytree(published_once, kept)
    yield ports_in(published_once)
    shutil.rmtree(published_once)
    kept.rename(published_once)


KEY = f"{UNIT}/flow-items/usecond/second.csv"


def run_until_killed(ports: Ports, at: int, *, after: bool) -> str:
    """Take the second edition through all steps, killed at effect ``at``; then once more, unharmed."""
    fuse = Fuse(at, after=after)
    messages = [("ingest", KEY)]
    try:
        work_off(Platform(fused(ports, fuse)), messages)
    except Killed:
        work_off(Platform(ports), messages)
    return fuse.blown


def check_end_state(ports: Ports) -> Batch:
    platform = Platform(ports)
    batches = platform.batches.of_resource("flow-items")
    assert [b.status for b in batches] == ["published", "published"]
    second = batches[0]
    shown = second.summary()
    assert {k: shown[k] for k in ("received", "accepted", "quarantined", "duplicate")} == {
        "received": 5, "accepted": 3, "quarantined": 1, "duplicate": 1,
    }  # fmt: skip
    assert {k: shown[k] for k in ("inserted", "updated", "deleted", "unchanged", "retained")} == {
        "inserted": 1, "updated": 1, "deleted": 1, "unchanged": 1, "retained": 1,
    }  # fmt: skip
    assert shown["balanced"]
    assert rows_now(ports) == [
        ("001", "1.00", "2026-01-01"), ("002", "2.50", "2026-01-02"), ("003", "3.00", "2026-01-03"), ("005", "5.00", None),
    ]  # fmt: skip
    for table in ("flow_items", "flow_items__changes"):
        commits = [
            s.summary["huitong.batch-id"] for s in ports.catalog().load_table(f"huitong.{table}").snapshots()
        ]
        assert sorted(commits) == sorted({b.id for b in batches}), f"one commit per batch in {table}"
    assert {"resource": "flow-items", "seq": 2} in ports.push_queue.drain()  # type: ignore[attr-defined]
    return second


def rows_now(ports: Ports) -> list[tuple[Any, ...]]:
    rows = ports.catalog().load_table("huitong.flow_items").scan().to_arrow().to_pylist()
    shown = [(r["item"], r["amount"], r["noted"]) for r in rows]
    return sorted((i, str(a), None if n is None else n.isoformat()) for i, a, n in shown)


def test_an_edition_that_nobody_disturbs_is_published_with_every_row_accounted_for(ports: Ports) -> None:
    """Q-33, C-13: inserted, updated, deleted and unchanged are right, the broken row is kept as it was served."""
    assert run_until_killed(ports, at=EFFECTS + 1, after=False) == "", (
        "the flow has more effects now: raise EFFECTS"
    )
    check_end_state(ports)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, EFFECTS + 1))
def test_killed_at_any_effect_the_next_try_completes_without_doubling(
    ports: Ports, at: int, after: bool
) -> None:
    """X-08: retry, no loss, no duplicate effect, whatever effect the process died at."""
    assert run_until_killed(ports, at, after=after), "the flow has fewer effects now: lower EFFECTS"
    check_end_state(ports)


def test_the_same_event_five_times_changes_nothing_after_the_first(ports: Ports) -> None:
    """X-08: an event that comes again."""
    work_off(Platform(ports), [("ingest", KEY)] * 5)
    check_end_state(ports)
