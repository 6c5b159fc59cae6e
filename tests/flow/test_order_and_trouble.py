"""Messages that repeat, overtake and interleave; editions that wait, come late, or died on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from faulty import Fuse, Killed, Meddling, fused
from flow_world import AMOUNT, KEY, UNIT, Flow, contract

from huitong.batches.sweep import Sweep
from huitong.errors import Conflict, Unavailable
from huitong.intake.rows import put_rows

BASE = "item,amount\n" + "".join(f"{n},{n}\n" for n in range(40))

#: A contract that holds nothing.
FREE = contract(KEY, AMOUNT, custom={"maxDeletedPercent": "100", "maxUpdatedPercent": "100"})


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path)


def edition(*rows: tuple[Any, Any]) -> str:
    return "item,amount\n" + "".join(f"{k},{v}\n" for k, v in rows)


def items(*numbers: int, amount: int = 0) -> str:
    return edition(*((n, amount or n) for n in numbers))


# --- landing order ----------------------------------------------------------


def test_two_editions_of_one_second_are_published_in_the_order_of_their_landing(flow: Flow) -> None:
    """Q-33: the moment of S3's event has milliseconds, the object itself does not."""
    keys = [flow.put(items(1, 2, 3, amount=n)) for n in (1, 2, 3)]
    times = ["2026-01-05T08:00:00.100Z", "2026-01-05T08:00:00.250Z", "2026-01-05T08:00:00.999Z"]
    batches = [flow.ingest(k, at) for k, at in reversed(list(zip(keys, times, strict=True)))]
    assert [b.received_at for b in batches if b] == times[::-1]
    flow.work_off()
    assert [flow.now(b).seq for b in batches if b] == [3, 2, 1]
    assert flow.values("amount") == {"1": 3, "2": 3, "3": 3}
    flow.check()


def test_landed_at_one_moment_the_upload_that_was_opened_first_comes_first(flow: Flow) -> None:
    """Ids of uploads and the order of batches follow the time of opening where landing times are equal."""
    opened = []
    for _ in range(20):
        flow.ports.clock.advance(microseconds=700)  # type: ignore[attr-defined]
        opened.append(flow.opened())
    assert sorted(opened) == opened
    for n, key in enumerate(opened[:4], 1):
        flow.ports.landing.put(key, items(1, amount=n).encode())
    batches = [
        flow.ingest(k, "2026-01-05T08:00:09.000Z") for k in (opened[2], opened[0], opened[3], opened[1])
    ]
    flow.work_off()
    assert [flow.now(b).seq for b in batches if b] == [3, 1, 4, 2]
    assert flow.values("amount") == {"1": 4}


def test_rows_of_the_api_are_applied_in_the_order_of_their_calls(flow: Flow) -> None:
    """Also with idempotency keys, whose ids have no order of their own, landed within one millisecond."""
    ids = []
    for n in range(1, 9):
        flow.ports.clock.advance(milliseconds=2)  # type: ignore[attr-defined]
        ids.append(
            put_rows(
                flow.ports.landing, flow.uploads, UNIT, flow.resource, [{"item": "1", "amount": str(n)}],
                mode="increment", idempotency_key=f"call {n}" if n % 2 else "", by="test",
            )
        )  # fmt: skip
    for id in reversed(ids):
        flow.ingest(flow.uploads.get(id).key, "2026-01-05T08:00:00.000Z")
    flow.work_off()
    assert flow.values("amount") == {"1": 8}
    assert [c["amount"] for c in flow.changes()] == list(range(1, 9))
    flow.check()


def test_what_an_event_says_about_time_must_be_a_time(flow: Flow) -> None:
    for said in ("", "now", "2026-01-05T08:00:00", "2026-13-05T08:00:00Z"):
        batch = flow.ingest(flow.put(items(1), edition=said), said)
        assert batch is not None
        assert batch.received_at.endswith("Z")
        assert batch.received_at != said


def test_a_key_as_long_as_s3_allows_is_still_in_order(flow: Flow) -> None:
    """The register's sort keys hold 1,024 bytes."""
    key = f"{UNIT}/{flow.resource}/{'汇' * 30}/{'通' * 70}.csv"
    key = key.replace("/汇", "/" + "汇/" * 120)
    flow.ports.landing.put(key, items(1).encode())
    batch = flow.ingest(key)
    assert batch is not None
    assert len(f"{batch.order}#{batch.id}".encode()) < 1024


# --- repeated and reordered messages ----------------------------------------


def test_every_message_twice_and_in_any_order_ends_in_the_same_state(tmp_path: Path) -> None:
    """X-08: events, wake-ups, all of them again at the end, shuffled."""
    random, flow = Random(5), Flow(tmp_path, FREE)
    keys = [flow.put(items(*range(n, 30 + n), amount=7 if n % 2 else 0)) for n in range(4)]
    batches = [flow.ingest(k) for k in keys]
    flow.work_off()
    state, changes = flow.rows(), flow.changes()
    calls: list[Callable[[], Any]] = []
    for key, batch in zip(keys, batches, strict=True):
        assert batch is not None
        calls += [lambda k=key: flow.ingest(k), lambda b=batch: flow.validate(b.id), flow.compare] * 2
    random.shuffle(calls)
    for call in calls:
        call()
    flow.work_off()
    assert (flow.rows(), flow.changes()) == (state, changes)
    assert [flow.now(b).seq for b in batches if b] == [1, 2, 3, 4]
    flow.check()


def test_an_edition_whose_event_comes_after_a_newer_one_is_published_is_superseded(flow: Flow) -> None:
    older, newer = flow.put(items(1, 2)), flow.put(items(2, 3, amount=9))
    second = flow.ingest(newer)
    flow.work_off()
    first = flow.ingest(older)
    flow.work_off()
    assert first is not None
    assert second is not None
    assert (flow.now(first).status, flow.now(second).status) == ("superseded", "published")
    assert flow.values("amount") == {"2": 9, "3": 9}
    flow.check()


def test_an_increment_that_comes_late_changes_only_what_later_ones_left_alone(flow: Flow) -> None:
    flow.published(items(1, 2, 3, 4))
    late = flow.put("item,amount,_op\n1,10,\n2,10,\n3,,delete\n8,10,\n", mode="increment")
    flow.published("item,amount,_op\n1,20,\n3,20,\n8,,delete\n9,20,\n", mode="increment")
    batch = flow.ingest(late)
    flow.work_off()
    assert batch is not None
    assert flow.told(batch) == (0, 1, 0, 0)
    assert flow.now(batch).counts.withheld == 3
    assert flow.values("amount") == {"1": 20, "2": 10, "3": 20, "4": 4, "9": 20}
    flow.check()


def test_an_edition_that_comes_late_leaves_alone_what_later_increments_said(flow: Flow) -> None:
    flow.published(items(1, 2, 3, 4))
    late = flow.put(edition((1, 10), (2, 10), (5, 10), (6, 10)))
    flow.published("item,amount,_op\n1,20,\n3,20,\n5,,delete\n7,20,\n", mode="increment")
    flow.published("item\n6\n", mode="deletion")
    batch = flow.ingest(late)
    flow.work_off()
    assert batch is not None
    assert flow.values("amount") == {"1": 20, "2": 10, "3": 20, "7": 20}
    assert flow.told(batch) == (0, 1, 1, 0)
    flow.check()


def test_a_delivery_under_the_name_of_the_table_belongs_to_the_resource(flow: Flow) -> None:
    """One resource, one history, whichever of its names stands in the key."""
    flow.published(items(1, 2))
    flow.ports.landing.put(f"{UNIT}/flow_items/direct.csv", items(2, 3).encode())
    batch = flow.ingest(f"{UNIT}/flow_items/direct.csv", "2030-01-01T00:00:00Z")
    flow.work_off()
    assert batch is not None
    assert (batch.resource, flow.now(batch).seq) == (flow.resource, 2)
    assert sorted(flow.values("amount")) == ["2", "3"]
    flow.check()


def test_a_repeat_of_an_edition_that_turns_out_unreadable_is_read_for_itself(flow: Flow) -> None:
    """The first was announced with a wrong profile; the second is the same file, announced rightly."""
    first = flow.put(items(1, 2), profile="none-such")
    second = flow.put(items(1, 2))
    dying = Flow(None, "", ports=fused(flow.ports, Fuse(1, after=True)))
    with pytest.raises(Killed):
        dying.ingest(first)
    assert [b.status for b in flow.batches.of_resource(flow.resource)] == ["received"]
    done = flow.ingest(second)
    flow.ingest(first)
    flow.work_off()
    assert done is not None
    assert flow.now(done).status == "published"
    assert sorted(b.status for b in flow.batches.of_resource(flow.resource)) == ["published", "rejected"]
    flow.check()


# --- two at once ------------------------------------------------------------

EFFECTS_OF_TWO = 15


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6, 8, 10, 12, EFFECTS_OF_TWO])
def test_a_comparison_within_another_neither_doubles_nor_loses(tmp_path: Path, at: int) -> None:
    """The queue gives a resource to one worker; should it not, the second runs through right before effect ``at``."""
    flow = Flow(tmp_path, FREE)
    flow.published(items(*range(6)))
    first = flow.checked(items(*range(1, 7), amount=5))
    second = flow.checked("item,amount,_op\n1,,delete\n2,7,\n8,8,\n", mode="increment")
    meddling = Meddling(at, lambda: Flow(None, "", ports=flow.ports).compare())
    with suppress(Conflict):
        Flow(None, "", ports=fused(flow.ports, meddling)).compare()
    assert meddling.left <= 0, "there are fewer effects now: lower EFFECTS_OF_TWO"
    flow.compare()
    assert (flow.now(first).seq, flow.now(second).seq) == (2, 3)
    assert flow.values("amount") == {"2": 7, "3": 5, "4": 5, "5": 5, "6": 5, "8": 8}
    flow.check()
    flow.check_heads()
    flow.published(items(1, 2, 3))
    flow.check()


# --- held editions ----------------------------------------------------------


def test_while_an_edition_is_held_what_is_served_stays_and_release_publishes_it(flow: Flow) -> None:
    flow.published(BASE)
    before = flow.rows()
    held = flow.published(items(1, 2))
    assert held.status == "held"
    assert (flow.rows(), flow.compare()) == (before, [])
    flow.check()
    for _ in range(2):
        flow.hold.release(held.id, by="officer")
        flow.work_off()
    assert flow.told(held) == (0, 0, 38, 2)
    assert sorted(flow.values("amount")) == ["1", "2"]
    flow.check()


def test_a_rejected_edition_leaves_everything_and_the_next_is_compared_with_what_is_served(
    flow: Flow,
) -> None:
    flow.published(BASE)
    held = flow.published(items(1, 2))
    flow.hold.reject(held.id, by="officer", reason="half a file")
    with pytest.raises(Conflict):
        flow.hold.release(held.id, by="officer")
    after = flow.published(BASE + "40,40\n")
    assert flow.told(after) == (1, 0, 0, 40)
    again = flow.published(items(1, 2))
    assert again.status == "held", "what was rejected may be delivered again"
    flow.check()


def test_a_newer_edition_passes_a_held_one_whose_release_then_publishes_nothing(flow: Flow) -> None:
    flow.published(BASE)
    held = flow.published(items(1, 2))
    newer = flow.published(BASE + "40,40\n")
    assert flow.told(newer) == (1, 0, 0, 40)
    flow.hold.release(held.id, by="officer")
    flow.work_off()
    assert flow.now(held).status == "superseded"
    assert len(flow.rows()) == 41
    flow.check()


def test_an_increment_passes_a_held_edition_and_is_not_undone_by_its_release(flow: Flow) -> None:
    flow.published(BASE)
    held = flow.published(items(1, 2, 3))
    flow.published("item,amount,_op\n1,100,\n2,,delete\n77,77,\n", mode="increment")
    flow.hold.release(held.id, by="officer")
    flow.work_off()
    assert flow.values("amount") == {"1": 100, "3": 3, "77": 77}
    flow.check()


def test_a_released_edition_and_one_that_landed_after_it_keep_their_order(flow: Flow) -> None:
    flow.published(BASE)
    held = flow.published(items(1, 2))
    newer = flow.checked(items(1, 2, 3))
    flow.hold.release(held.id, by="officer")
    flow.compare()
    assert (flow.now(held).seq, flow.now(newer).seq) == (2, 3)
    assert flow.told(newer) == (1, 0, 0, 2)
    flow.check()


# --- batches that stand still -----------------------------------------------


@pytest.mark.parametrize("stuck_in", ["received", "ingested"])
def test_a_batch_that_died_lets_the_later_ones_go_and_its_replay_overrides_nothing(
    flow: Flow, stuck_in: str
) -> None:
    """X-08: no wake-up helps it; the sweep gives it up, what landed after it is published."""
    flow.published(items(1, 2))
    stuck = flow.stuck(items(1, amount=50), stuck_in)
    later = flow.checked(items(1, 2, 3, amount=9))
    assert flow.compare() == []
    sweep = Sweep(
        lambda: [flow.resource],
        flow.ports.register,
        flow.batches,
        flow.replays,
        flow.failures,
        flow.ports.clock,
    )
    for _ in range(5):
        flow.ports.clock.advance(minutes=20)  # type: ignore[attr-defined]
        sweep.run()
        flow.ingest_queue.drain()
        flow.ports.validate_queue.drain()  # type: ignore[attr-defined]
    flow.work_off()
    assert (flow.now(stuck).status, flow.now(later).status) == ("failed", "published")
    flow.check()
    flow.replays.replay(stuck.id, by="admin")
    flow.work_off()
    assert flow.now(stuck).status == "superseded"
    assert flow.values("amount") == {"1": 9, "2": 9, "3": 9}
    flow.check()


def test_a_failed_increment_that_is_replayed_adds_only_what_nobody_said_since(flow: Flow) -> None:
    flow.published(items(1, 2))
    failed = flow.stuck(items(1, 3, amount=50), "ingested", mode="increment")
    flow.failures.of_batch(failed.id, Unavailable("坏", "broken"))
    flow.published(items(1, 4, amount=9), mode="increment")
    flow.replays.replay(failed.id, by="admin")
    flow.work_off()
    assert flow.values("amount") == {"1": 9, "2": 2, "3": 50, "4": 9}
    assert (flow.told(failed), flow.now(failed).counts.withheld) == ((1, 0, 0, 0), 1)
    flow.check()


def test_a_failed_delivery_that_came_again_is_not_applied_a_second_time_by_its_replay(flow: Flow) -> None:
    flow.published(items(1, 2))
    failed = flow.stuck(items(1, 3, amount=50), "received", mode="increment")
    flow.failures.of_batch(failed.id, Unavailable("坏", "broken"))
    again = flow.published(items(1, 3, amount=50), mode="increment")
    assert (again.status, flow.told(again)) == ("published", (1, 1, 0, 0))
    flow.replays.replay(failed.id, by="admin")
    flow.work_off()
    assert flow.told(failed) == (0, 0, 0, 0)
    assert len(flow.changes()) == 4
    flow.check()


# --- anything, at random ----------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_any_sequence_of_deliveries_ends_in_what_their_landing_order_says(tmp_path: Path, seed: int) -> None:
    """Q-33: editions, increments and deletions, steps in any order, against a plain account of the same."""
    random, flow = Random(seed), Flow(tmp_path, FREE)
    landed: list[tuple[str, str, list[tuple[str, str, str]]]] = []
    for _ in range(12):
        mode = random.choice(["full", "increment", "increment", "deletion"])
        keys = sorted(random.sample("abcdefghijkl", random.randint(1, 12)))
        ops = ["delete" if mode == "increment" and random.random() < 0.3 else "upsert" for _ in keys]
        rows = [(k, str(random.randint(1, 3)), op) for k, op in zip(keys, ops, strict=True)]
        head = "item,amount,_op\n" if mode == "increment" else "item,amount\n"
        body = "".join(f"{k},{v},{op}\n" if mode == "increment" else f"{k},{v}\n" for k, v, op in rows)
        landed.append((flow.put(head + body, mode=mode, edition=str(len(landed))), mode, rows))
    events = [key for key, _, _ in landed for _ in range(random.randint(1, 2))]
    for place in range(len(events) - 1):  # neighbours overtake each other
        if random.random() < 0.5:
            events[place], events[place + 1] = events[place + 1], events[place]
    for key in events:
        flow.ingest(key)
        if random.random() < 0.6:
            flow.work_off()
    flow.work_off()
    expected: dict[str, str] = {}
    for _, mode, rows in landed:
        if mode == "full":
            expected = {k: v for k, v, _ in rows}
        for k, v, op in rows:
            if mode == "deletion" or op == "delete":
                expected.pop(k, None)
            else:
                expected[k] = v
    assert {k: str(v.normalize()) for k, v in flow.values("amount").items()} == expected
    flow.check()
    flow.check_heads()
