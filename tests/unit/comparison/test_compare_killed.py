"""A comparison that dies after any effect, or whose answer was lost, is completed once by the next run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.support.compare_world import CompareWorld, claim, counts, of

from huitong.errors import Conflict, UnknownCommitState

EFFECTS = {"put_file", "create", "replace", "write", "send", "publish"}


class Killed(BaseException):
    """The process is gone: nothing in the product may catch it."""


class Fuse:
    """Counts effects of all ports and kills right after one of them."""

    def __init__(self, world: CompareWorld, after: int) -> None:
        self.left = after
        self.names: list[str] = []
        self._world = world
        self._plain = {n: getattr(world, n) for n in ("register", "events", "push_queue", "warehouse")}
        self._catalog = world.catalog

    def __enter__(self) -> Fuse:
        for name, port in self._plain.items():
            setattr(self._world, name, _Fused(port, name, self))

        def catalog() -> Any:
            made = self._catalog()
            made.commit_table = self.around("commit_table", made.commit_table)
            return made

        self._world.catalog = catalog
        self._world.connect()
        return self

    def __exit__(self, *_: object) -> None:
        for name, port in self._plain.items():
            setattr(self._world, name, port)
        self._world.catalog = self._catalog
        self._world.connect()

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*args: Any, **kwargs: Any) -> Any:
            result = effect(*args, **kwargs)
            self.names.append(name)
            self.left -= 1
            if self.left == 0:
                raise Killed(name)
            return result

        return burning


class _Fused:
    def __init__(self, port: Any, name: str, fuse: Fuse) -> None:
        self._port, self._name, self._fuse = port, name, fuse

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        return self._fuse.around(f"{self._name}.{attribute}", value) if attribute in EFFECTS else value


def killed_run(world: CompareWorld, after: int) -> list[str]:
    """Run, killed after some effect; the effects that were made."""
    fuse = Fuse(world, after)
    with fuse, suppress(Killed):
        world.compare.run("IN-90")
    return fuse.names


EDITION_EFFECTS = [
    "warehouse.put_file",  # change log
    "commit_table",  # of the change log
    "warehouse.put_file",  # rows that are kept
    "commit_table",  # of the current table
    "register.write",  # pointer, history, batch
    "push_queue.send",
    "events.publish",
    "register.replace",  # announced
]


def first_and_second(world: CompareWorld) -> tuple[str, str]:
    """A published edition, and one that inserts, updates, deletes and retains, ready to be compared."""
    first = world.deliver([claim(n) for n in range(5)])
    second = world.land([claim(0), claim(1, creditor="new"), claim(7)], quarantined=[claim(2)])
    world.push_queue.sent.clear()
    world.events.published.clear()
    return first.id, second


def check_second(world: CompareWorld, first: str, second: str) -> None:
    batch = world.batch(second)
    assert (batch.status, batch.seq) == ("published", 2)
    assert counts(batch) == of(inserted=1, updated=1, deleted=2, unchanged=1, retained=1)
    assert batch.counts.balanced("full")
    assert world.rows() == [claim(0), claim(1, creditor="new"), claim(2), claim(7)]
    assert [(c["_seq"], c["_ordinal"]) for c in world.read("changes")] == [
        *((1, n) for n in range(1, 6)), *((2, n) for n in range(1, 5)),
    ]  # fmt: skip
    assert world.commits("current") == world.commits("changes") == [first, second]
    assert {"resource": "IN-90", "seq": 2} in world.push_queue.drain()
    assert "BatchPublished" in [kind for kind, _ in world.events.published]


def test_the_effects_of_a_publication_come_in_the_agreed_order(world: CompareWorld) -> None:
    first, second = first_and_second(world)

    assert killed_run(world, after=1000) == EDITION_EFFECTS
    check_second(world, first, second)


@pytest.mark.parametrize("after", range(1, len(EDITION_EFFECTS) + 1))
def test_killed_after_any_effect_the_next_run_completes_without_doubling(
    world: CompareWorld, after: int
) -> None:
    """Q-33, X-08: no loss and no double effect, wherever the function died."""
    first, second = first_and_second(world)
    assert killed_run(world, after) == EDITION_EFFECTS[:after]

    world.compare.run("IN-90")

    check_second(world, first, second)


def test_a_run_that_finds_everything_done_does_nothing(world: CompareWorld) -> None:
    first, second = first_and_second(world)
    world.compare.run("IN-90")

    assert killed_run(world, after=1000) == []
    check_second(world, first, second)


@pytest.mark.parametrize("after", [2, 3, 4])
def test_a_batch_overtaken_after_its_commits_leaves_no_trace_in_what_is_served(
    world: CompareWorld, after: int
) -> None:
    """It committed, died before the register write, and a batch that landed earlier came first."""
    _, second = first_and_second(world)
    killed_run(world, after)
    earlier = world.land([claim(n) for n in range(4)], order=15)

    moved = world.compare.run("IN-90")

    assert [b.id for b in moved] == [earlier, second]
    assert counts(world.batch(earlier)) == of(deleted=1, unchanged=4)
    assert counts(world.batch(second)) == of(inserted=1, updated=1, deleted=1, unchanged=1, retained=1)
    assert [(c["_seq"], c["_op"]) for c in world.read("changes")] == [
        *([(1, "insert")] * 5), (2, "delete"), (3, "update"), (3, "insert"), (3, "delete"),
    ]  # fmt: skip
    assert world.rows(seq=2) == [claim(n) for n in range(4)]
    assert world.rows() == [claim(0), claim(1, creditor="new"), claim(2), claim(7)]


@pytest.mark.parametrize("after", [2, 3])
def test_a_first_batch_that_failed_after_its_commits_does_not_shine_through(
    world: CompareWorld, after: int
) -> None:
    broken = world.land([claim(1)])
    assert killed_run(world, after)[-1] == "commit_table"
    world.batches.move(world.batches.get(broken), "failed", by="test")

    world.deliver([claim(2)])

    assert world.rows() == [claim(2)]
    assert [c["claim_no"] for c in world.read("changes")] == ["C0002"]


def test_a_commit_whose_answer_was_lost_is_found(world: CompareWorld) -> None:
    first, second = first_and_second(world)
    catalog = lost_answers(world, UnknownCommitState("?", "?"), landed=True)

    world.compare.run("IN-90")

    assert catalog.lost == 2
    check_second(world, first, second)


def test_a_commit_that_did_not_land_is_tried_by_the_next_run(world: CompareWorld) -> None:
    first, second = first_and_second(world)
    lost_answers(world, UnknownCommitState("?", "?"), landed=False)
    with pytest.raises(UnknownCommitState):
        world.compare.run("IN-90")
    assert world.rows() == [claim(n) for n in range(5)]

    world.catalog = world.catalog.plain  # type: ignore[attr-defined]
    world.connect()
    world.compare.run("IN-90")

    check_second(world, first, second)


def test_of_two_runs_at_once_one_publishes_and_the_other_is_told(world: CompareWorld) -> None:
    """Two batches of one resource never interleave, even if the queue's order should fail."""
    first, second = first_and_second(world)
    slow = CompareWorld.__new__(CompareWorld)
    slow.__dict__.update(world.__dict__)
    slow.connect()
    entered = slow.publications.entry

    def overtaken(*args: Any) -> Any:
        world.compare.run("IN-90")
        return entered(*args)

    slow.publications.entry = overtaken  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        slow.compare.run("IN-90")

    check_second(world, first, second)


class LostAnswers:
    def __init__(self, plain: Callable[[], Any], error: Exception, landed: bool) -> None:
        self.plain, self.error, self.landed, self.lost = plain, error, landed, 0

    def __call__(self) -> Any:
        made = self.plain()
        commit = made.commit_table

        def losing(*args: Any, **kwargs: Any) -> Any:
            self.lost += 1
            if self.landed:
                commit(*args, **kwargs)
            raise self.error

        made.commit_table = losing
        return made


def lost_answers(world: CompareWorld, error: Exception, *, landed: bool) -> LostAnswers:
    world.catalog = catalog = LostAnswers(world.catalog, error, landed)
    world.connect()
    return catalog
