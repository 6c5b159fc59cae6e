"""Two instances of every function at once, and one of them lost: nothing accepted is lost or done twice (S-26)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from faulty import Fuse, Killed, fused
from flow_world import Flow, csv_text

from huitong.errors import Conflict, Fault


def rows(low: int, high: int, amount: str = "1.00") -> str:
    return csv_text([{"item": f"{n:03}", "amount": amount} for n in range(low, high)])


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Flow, Flow]:
    """Two processes: their own services and caches over common registers, buckets and tables."""
    first = Flow(tmp_path)
    first.lakehouse.ensure(
        first.contracts.get(first.resource)
    )  # the tests' catalogue makes no namespace twice
    return first, Flow(None, "", ports=first.ports)


def both(one: Callable[[], object], other: Callable[[], object]) -> None:
    """At the same moment in two threads; who comes second is shown the message again, as by the queue."""
    start = Barrier(2)

    def tried(work: Callable[[], object]) -> None:
        start.wait()
        for _ in range(8):
            try:
                work()
                return
            except (Conflict, Fault):
                continue
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(tried, one), pool.submit(tried, other)]:
            done.result()


def test_both_take_the_same_message_at_each_step_and_it_is_done_once(pair: tuple[Flow, Flow]) -> None:
    one, other = pair
    for edition, (text, told) in enumerate(((rows(0, 9), (9, 0, 0, 0)), (rows(1, 10, "2.00"), (1, 8, 1, 0)))):
        key = one.put(text, edition=str(edition))
        both(lambda key=key: one.ingest(key), lambda key=key: other.ingest(key))  # type: ignore[misc]
        (batch, *rest) = [b for b in one.batches.of_resource(one.resource) if b.landing_key == key]
        assert rest == []
        both(lambda id=batch.id: one.validate(id), lambda id=batch.id: other.validate(id))  # type: ignore[misc]
        both(one.compare, other.compare)
        assert one.now(batch).status == "published"
        assert one.told(batch) == told
    assert [p.seq for p in one.publications.list(one.resource)] == [1, 2]
    assert len(one.rows()) == 9
    one.check()
    one.check_heads()


def test_they_share_the_work_of_different_batches_and_keep_the_order(pair: tuple[Flow, Flow]) -> None:
    one, other = pair
    keys = [one.put(rows(0, 3 + n, f"{n}.00"), edition=str(n)) for n in range(4)]
    both(lambda: [one.ingest(k) for k in keys[::2]], lambda: [other.ingest(k) for k in keys[1::2]])
    ids = [b.id for b in one.batches.of_resource(one.resource)]
    both(lambda: [one.validate(id) for id in ids[:2]], lambda: [other.validate(id) for id in ids[2:]])
    both(one.compare, other.compare)
    published = one.publications.list(one.resource)
    landed = sorted(one.batches.of_resource(one.resource), key=lambda b: b.order)
    assert [p.batch_id for p in published] == [b.id for b in landed]
    assert {str(value) for value in one.values("amount").values()} == {"3.00"}
    one.check()


def _through(flow: Flow, key: str) -> None:
    batch = flow.ingest(key)
    assert batch is not None
    flow.validate(batch.id)
    flow.compare()


@pytest.mark.parametrize("effect", [1, 3, 5, 7, 9, 12])
def test_the_loss_of_one_in_the_middle_is_made_good_by_the_other(
    pair: tuple[Flow, Flow], effect: int
) -> None:
    """The message that it held comes again to the other; what it had done stands, what not is done."""
    one, other = pair
    text = rows(0, 6)
    key = one.put(text)
    dying = Flow(None, "", ports=fused(one.ports, Fuse(effect, after=True)))
    with pytest.raises(Killed):
        _through(dying, key)
    batch = other.ingest(key)
    assert batch is not None
    other.validate(batch.id)
    other.compare()
    assert other.now(batch).status == "published"
    assert other.told(batch) == (6, 0, 0, 0)
    other.check()
