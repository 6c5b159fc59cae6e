"""A comparison in parts that dies anywhere ends as one that never died; nobody overtakes it, nothing is left busy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from faulty import Fuse, Killed, fused
from flow_world import csv_text
from test_killed_between_effects import CONTRACT, FIRST, SECOND, UNIT, check_end_state

from huitong.batches.runs import Runs
from huitong.errors import Conflict, NotFound
from huitong.local.platform import Platform, Ports, ports_in
from huitong.ports import WorkflowState

PARTS = 8  # as validation has cut the five rows of the second edition
#: writes of a comparison in so many parts, from the plan to the wake-up of those behind
EFFECTS = 23
RESOURCE = "flow-items"
GUARDED = "customProperties:\n  - {property: guardFloor, value: 0}\n"


class InParts(Platform):
    """Every comparison is cut."""

    fan_out_rows = 1


def work_off(platform: Platform) -> None:
    """Messages leave their queue when they were handled; a state machine starts a task again that died."""
    ports: Any = platform.ports
    while True:
        for queue, step in ((ports.validate_queue, "validate"), (ports.compare_queue, "compare")):
            while queue.sent:
                message, _ = queue.sent[0]
                getattr(platform, step)(message.get("batch_id") or message["resource"])
                queue.sent.pop(0)
        running = ports.workflows.running
        for name, given in running.items():
            platform.compare_in_parts(given)
            ports.workflows.end(name)
        if not running and not ports.compare_queue.sent:
            return


def landed(platform: Platform, folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    batch = platform.ingest(platform.land(folder / name, RESOURCE, UNIT))
    assert batch is not None
    return batch.id


@pytest.fixture(scope="module")
def validated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first edition is published and the second validated."""
    root = tmp_path_factory.mktemp("parts") / "base"
    platform = InParts(ports_in(root))
    platform.contracts.put(CONTRACT + GUARDED, by="test", provider=UNIT)
    landed(platform, root.parent, "first.csv", FIRST)
    work_off(platform)
    platform.validate(landed(platform, root.parent, "second.csv", SECOND))
    platform.ports.register.keep()  # type: ignore[attr-defined]
    return root


@pytest.fixture
def ports(validated_once: Path) -> Iterator[Ports]:
    kept = validated_once.with_name("kept")
    shutil.copytree(validated_once, kept)
    made = ports_in(validated_once)
    made.compare_queue.send({"resource": RESOURCE})
    yield made
    shutil.rmtree(validated_once)
    kept.rename(validated_once)


def check(ports: Ports) -> None:
    second = check_end_state(ports)
    assert not Runs(ports.register).get(RESOURCE).run.busy
    assert second.status == "published"
    catalog = ports.catalog()
    ordinals = [
        (row["_seq"], row["_ordinal"])
        for row in catalog.load_table("huitong.flow_items__changes").scan().to_arrow().to_pylist()
    ]
    assert len(ordinals) == len(set(ordinals)) == 4 + 3


@pytest.mark.parametrize("at", range(EFFECTS + 1))
def test_killed_after_any_effect_the_next_try_completes_it_once(ports: Ports, at: int) -> None:
    """X-08, Q-33: starter, worker or commit; the state machine tries the task again, the queue the message."""
    fuse = Fuse(at, after=True)
    if at:
        with pytest.raises(Killed):
            work_off(InParts(fused(ports, fuse)))
    work_off(InParts(ports))
    check(ports)


def test_there_are_as_many_effects_as_are_tried(ports: Ports) -> None:
    fuse = Fuse(1_000, after=True)
    work_off(InParts(fused(ports, fuse)))
    assert 1_000 - fuse.left == EFFECTS
    check(ports)


def started(ports: Ports) -> dict[str, Any]:
    """The comparison is handed to the state machine; what that was given."""
    assert InParts(ports).compare(RESOURCE) == []
    (given,) = ports.workflows.running.values()  # type: ignore[attr-defined]
    return dict(given)


def test_while_parts_are_compared_following_batches_wait_and_are_woken_in_the_end(
    ports: Ports, tmp_path: Path
) -> None:
    """Q-33: in landing order, whatever wakes the resource meanwhile."""
    platform = InParts(ports)
    given = started(ports)
    third = landed(platform, tmp_path, "third.csv", csv_text([{"item": "009", "amount": "9", "noted": ""}]))
    platform.validate(third)
    assert platform.compare(RESOURCE) == []
    assert len(ports.workflows.started) == 1  # type: ignore[attr-defined]
    platform.compare_in_parts(given)
    ports.workflows.end(next(iter(ports.workflows.running)))  # type: ignore[attr-defined]
    assert {"resource": RESOURCE} in ports.compare_queue.drain()  # type: ignore[attr-defined]
    assert platform.compare(RESOURCE) == []  # the third is handed over now
    (latest,) = ports.workflows.running.values()  # type: ignore[attr-defined]
    # it would delete every row but one: held, and nothing is busy any more
    assert platform.compare_in_parts(latest).status == "held"
    held = platform.batches.get(third).batch
    assert held.preview is not None
    assert (held.preview["current_rows"], held.preview["deleted"]) == (4, 4)
    assert len(held.preview["sample"]["deleted"]) == 4
    assert not Runs(ports.register).get(RESOURCE).run.busy


def test_a_part_done_twice_counts_once_and_leaves_the_first_ones_files(ports: Ports) -> None:
    """Two workers at one part: the first receipt counts."""
    given = started(ports)
    platform = InParts(ports)
    before = {}
    for number in range(PARTS):
        platform.compare_part(given["plan"], number)
        before[number] = _receipts(ports)
        assert platform.compare_part(given["plan"], number)["done"] == "before"
    assert _receipts(ports) == before[PARTS - 1]
    platform.commit_comparison(given["plan"])
    check(ports)


def _receipts(ports: Ports) -> dict[str, bytes]:
    return {o.key: ports.staging.read(o.key) for o in ports.staging.list("parts/") if "/done-" in o.key}


def test_a_commit_before_all_parts_are_done_changes_nothing(ports: Ports) -> None:
    given = started(ports)
    InParts(ports).compare_part(given["plan"], 0)
    with pytest.raises(NotFound):
        InParts(ports).commit_comparison(given["plan"])
    assert [b.status for b in InParts(ports).batches.of_resource(RESOURCE)] == ["validated", "published"]


def test_a_commit_again_and_again_publishes_once(ports: Ports) -> None:
    given = started(ports)
    platform = InParts(ports)
    platform.compare_in_parts(given)
    assert platform.commit_comparison(given["plan"]).status == "published"
    assert platform.commit_comparison(given["plan"]).status == "published"
    check(ports)


ENDINGS: dict[str, Callable[[Any, str], None]] = {
    "failed": lambda flows, name: flows.end(name, "States.Timeout"),
    "vanished": lambda flows, name: flows.ended.update({name: WorkflowState("succeeded")}),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_execution_that_ends_badly_fails_its_batch_and_can_be_replayed(ports: Ports, ending: str) -> None:
    """X-12: nothing is lost, somebody is told, those behind go on; the same batch again is another execution."""
    started(ports)
    platform = InParts(ports)
    (name,) = ports.workflows.running  # type: ignore[attr-defined]
    ENDINGS[ending](ports.workflows, name)
    assert platform.compare(RESOURCE) == []
    failed = platform.batches.of_resource(RESOURCE)[0]
    assert (failed.status, (failed.refusal or {})["code"]) == ("failed", "parts-failed")
    assert "BatchFailed" in [kind for kind, _ in ports.events.published]  # type: ignore[attr-defined]
    platform.batches.move(platform.batches.get(failed.id), "validated", by="test", refusal=None)
    work_off(platform)
    check(ports)
    assert [n.rpartition("-")[2] for n in ports.workflows.started] == ["2", "3"]  # type: ignore[attr-defined]


def test_an_overtaken_execution_publishes_nothing(ports: Ports) -> None:
    """Its commit comes after the batch was failed and replayed: another execution has the resource now."""
    given = started(ports)
    platform = InParts(ports)
    for number in range(PARTS):
        platform.compare_part(given["plan"], number)
    (name,) = ports.workflows.running  # type: ignore[attr-defined]
    ports.workflows.end(name, "Aborted")  # type: ignore[attr-defined]
    platform.compare(RESOURCE)
    failed = platform.batches.of_resource(RESOURCE)[0]
    platform.batches.move(platform.batches.get(failed.id), "validated", by="test", refusal=None)
    platform.compare(RESOURCE)
    assert platform.commit_comparison(given["plan"]).status == "validated"
    assert platform.publications.get(RESOURCE).seq == 1  # type: ignore[union-attr]
    ports.compare_queue.drain()  # type: ignore[attr-defined]
    work_off(platform)
    check(ports)


def test_an_overtaken_execution_is_stopped_at_the_last_moment_too(ports: Ports) -> None:
    """The register write that publishes names the version of the entry: freed meanwhile, it is refused."""
    given = started(ports)
    platform = InParts(ports)
    for number in range(PARTS):
        platform.compare_part(given["plan"], number)
    runs = Runs(ports.register)

    class Meanwhile:
        def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
            def freeing(*args: Any, **kwargs: Any) -> Any:
                done = effect(*args, **kwargs)
                if name == "catalog.commit_table" and runs.get(RESOURCE).run.busy:
                    runs.free(runs.get(RESOURCE))
                return done

            return freeing

        reads = False

    with pytest.raises(Conflict):
        InParts(fused(ports, Meanwhile())).commit_comparison(given["plan"])
    assert platform.publications.get(RESOURCE).seq == 1  # type: ignore[union-attr]
    ports.workflows.end(next(iter(ports.workflows.running)))  # type: ignore[attr-defined]
    ports.compare_queue.send({"resource": RESOURCE})
    work_off(platform)
    check(ports)


def test_a_start_that_never_became_an_execution_is_made_good_by_whoever_looks(ports: Ports) -> None:
    """Killed between the entry and the start: the sweep or any message of the resource starts it."""
    with pytest.raises(Killed):
        InParts(fused(ports, Fuse(3, after=True))).compare(RESOURCE)
    assert Runs(ports.register).get(RESOURCE).run.busy
    assert not ports.workflows.started  # type: ignore[attr-defined]
    InParts(ports).compare(RESOURCE)
    assert len(ports.workflows.started) == 1  # type: ignore[attr-defined]
    run = Runs(ports.register).get(RESOURCE).run
    assert not run.over(ports.clock.now())
    assert run.over(ports.clock.now() + timedelta(hours=3))
