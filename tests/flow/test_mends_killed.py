"""A delivery of mended rows, and a replay, that die anywhere and are called again: the same end, nothing twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import Fuse, Killed, fused
from flow_world import AMOUNT, KEY, UNIT, Flow, contract
from test_mended_rows import held, mended, rules
from test_quarantine_replayed import quarantine

from huitong.local.platform import Ports, ports_in

DOCUMENT = contract(KEY, f"{AMOUNT}, required: true")
FIRST = "item,amount\n001,1.00\n002,zwei\n003,3.00\n004,vier\n"
MENDED = mended((3, "002", "2.00"), (5, "004", "immer noch"), (9, "007", "7.00"))
#: Effects from the landed file, or the request, to the published batch: a test below holds them.
EFFECTS = {"mended": 19, "replayed": 13}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first delivery published, one with newer data after it, and the mended file landed."""
    root = tmp_path_factory.mktemp("killed") / "platform"
    flow = Flow(None, DOCUMENT, ports=ports_in(root))
    first = flow.ingest(_put(flow, "ufirst/f.csv", FIRST))
    assert first is not None
    flow.work_off()
    id, _ = flow.uploads.open(UNIT, flow.resource, "m.csv", mends=first.id, by="test")
    flow.ports.landing.put(flow.uploads.get(id).key, MENDED.encode())
    flow.ports.register.keep()  # type: ignore[attr-defined]
    (root / "ids").write_text(f"{first.id} {flow.uploads.get(id).key}")
    return root


def _put(flow: Flow, name: str, text: str) -> str:
    key = f"{UNIT}/{flow.resource}/{name}"
    flow.ports.landing.put(key, text.encode())
    return key


@pytest.fixture
def ports(prepared: Path) -> Iterator[Ports]:
    kept = prepared.with_name("kept")
    shutil.copytree(prepared, kept)
    yield ports_in(prepared)
    shutil.rmtree(prepared)
    kept.rename(prepared)


def bring(kind: str, ports: Ports, root: Path) -> None:
    """Everything that a repeated event or request and waiting messages do."""
    flow = Flow(None, "", ports=ports)
    first, key = (root / "ids").read_text().split()
    if kind == "mended":
        flow.ingest(key)
    else:
        desk = quarantine(flow)
        batch = desk.replay(flow.batches.get(first).batch, flow.contracts.get(flow.resource), by="officer")
        flow.receive.resume(batch.id)
    flow.work_off()
    for stored in flow.batches.in_flight(flow.resource):
        flow.validate(stored.batch.id)
    flow.compare()


def check(kind: str, ports: Ports, root: Path) -> None:
    flow = Flow(None, "", ports=ports)
    first = flow.batches.get((root / "ids").read_text().split()[0]).batch
    (second,) = [b for b in flow.batches.of_resource(flow.resource) if b.mends == first.id]
    figures = held(flow, first)
    if kind == "mended":
        assert (second.counts.accepted, second.counts.quarantined) == (1, 2)
        assert rules(flow, second) == {3: ["type"], 4: ["mend.not-held"]}
        assert figures == {"open": 1, "mended": 1, "replayed": 0, "expired": 0}
        assert sorted(flow.values("amount")) == ["001", "002", "003"]
    else:
        assert (second.status, second.counts.accepted) == ("rejected", 0)
        assert figures == {"open": 2, "mended": 0, "replayed": 0, "expired": 0}
    flow.check()


@pytest.mark.parametrize("kind", ["mended", "replayed"])
def test_nobody_disturbs_and_the_effects_are_those_that_are_counted(
    kind: str, ports: Ports, prepared: Path
) -> None:
    fuse = Fuse(10_000, after=False)
    bring(kind, fused(ports, fuse), prepared)
    assert 10_000 - fuse.left == EFFECTS[kind], "raise or lower EFFECTS"
    check(kind, ports, prepared)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, EFFECTS["mended"] + 1))
def test_mended_rows_killed_at_any_effect_are_taken_once(
    at: int, after: bool, ports: Ports, prepared: Path
) -> None:
    """X-08, C-13: whatever effect the process died at."""
    try:
        bring("mended", fused(ports, Fuse(at, after=after)), prepared)
    except Killed:
        bring("mended", ports, prepared)
    check("mended", ports, prepared)
    bring("mended", ports, prepared)  # and the event once more
    check("mended", ports, prepared)


@pytest.mark.parametrize("at", range(1, EFFECTS["replayed"] + 1))
def test_a_replay_killed_at_any_effect_ends_as_one_batch(at: int, ports: Ports, prepared: Path) -> None:
    """X-08, C-07."""
    try:
        bring("replayed", fused(ports, Fuse(at, after=bool(at % 4 == 1))), prepared)
    except Killed:
        bring("replayed", ports, prepared)
    check("replayed", ports, prepared)
