"""Evidence is found by unit, person, resource, case and period, archived or just written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from huitong.audit.archive import Archive, Manifest
from huitong.audit.disclosed import Disclosures
from huitong.audit.search import Evidence, Scope, Wanted
from huitong.audit.trace import Trace, Traces
from huitong.errors import Corrupt
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister

ALL = Scope(everything=True)


class World:
    def __init__(self, root: Path) -> None:
        self.clock, self.register, self.store = ManualClock(), MemoryRegister(), DiskObjects(root)
        self.traces = Traces(self.register, self.clock)
        self.archive = Archive(self.register, self.store, self.clock)
        self.evidence = Evidence(self.register, self.store)
        self.disclosures = Disclosures(lambda: "k", self.store, self.clock)

    def use(self, persons: list[str], act: Any = "query", **more: Any) -> str:
        self.clock.advance(minutes=1)
        pairs = [(self.disclosures.subject(p), f"{p:>032}") for p in persons]
        trace = Trace(act, more.pop("actor", "c1"), more.pop("unit", "U1"), **more)
        return self.traces.write(trace, self.disclosures.of_pairs(pairs)).id

    def found(self, scope: Scope = ALL, **wanted: str) -> list[str]:
        return [t.id for t in self.evidence.search(Wanted(**wanted), scope).items]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_use_is_found_by_each_of_its_sides_before_and_after_it_is_archived(world: World) -> None:
    """Q-04: a supervisor lists all uses of a resource, a unit, a user or a case for a chosen period."""
    one = world.use(["1"], resource="IN-01", case_no="K1", path="sql", fields=("name",))
    two = world.use(["2"], unit="U2", actor="c2", resource="IN-02", path="push", act="share")
    for _ in range(2):
        assert world.found() == [two, one]
        assert world.found(unit="U2") == world.found(actor="c2") == world.found(act="share") == [two]
        assert world.found(resource="IN-01") == world.found(case_no="K1") == world.found(path="sql") == [one]
        assert world.found(low="2026-01-05", high="2026-01-05T08:01") == [one]
        assert world.found(low="2026-01-06") == world.found(unit="U3") == []
        assert world.archive.run()["archived"] in (2, 0)
    three = world.use(["3"])
    assert world.found() == [three, two, one]  # archive and what came since, in one answer


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    ids = [world.use([f"{n}"]) for n in range(7)]
    world.archive.run()
    ids += [world.use([f"{n}"]) for n in range(4)]
    seen, after = [], ""
    while True:
        page = world.evidence.search(Wanted(after=after), ALL, limit=3)
        seen += [t.id for t in page.items]
        if not (after := page.next):
            break
    assert seen == ids[::-1]


def test_a_unit_sees_its_own_uses_and_a_provider_those_of_its_resources(world: World) -> None:
    """L-35."""
    one = world.use(["1"], unit="U1", resource="IN-01")
    two = world.use(["1"], unit="U2", resource="IN-02")
    assert world.found(Scope(units=("U1",))) == [one]
    assert world.found(Scope(units=("U3",), resources=("IN-02",))) == [two]
    assert world.found(Scope()) == []
    assert world.found(Scope(units=("",), resources=("",))) == []  # what has no unit or resource is nobody's


def test_who_received_a_persons_data_is_told_over_all_ways(world: World) -> None:
    """Q-04, L-44: deliveries, queries and exports; few persons in place, many as an object."""
    many = [f"{n}" for n in range(200)]
    pushed = world.use(
        many,
        act="share",
        path="push",
        unit="U2",
        resource="IN-01",
        fields=("name", "id"),
        grant="g1",
        masked=("id",),
    )
    world.archive.run()
    asked = world.use(["7", "9"], path="sql", resource="IN-01", fields=("name",), case_no="K1")
    exported = world.use(many, act="download", path="export", unit="U3", resource="IN-01", fields=("debt",))
    world.use(["8"], path="sql", resource="IN-01", fields=("name",))
    for _ in range(2):
        seven = world.disclosures.subject("7")
        found = world.evidence.recipients(subject=seven)
        assert [r.id for r in found] == [exported, asked, pushed]
        assert (found[2].unit, found[2].grant, found[2].fields, found[2].masked) == (
            "U2",
            "g1",
            ("name", "id"),
            ("id",),
        )
        assert [r.id for r in world.evidence.recipients(record=f"{'7':>032}", fields=["name"])] == [
            asked,
            pushed,
        ]
        assert [r.fields for r in world.evidence.recipients(subject=seven, fields=["id"])] == [("id",)]
        assert world.evidence.recipients(subject=world.disclosures.subject("201")) == []
        assert [r.id for r in world.evidence.recipients(subject=seven, high=found[2].at)] == [pushed]
        world.archive.run()
    assert world.evidence.recipients() == []


def test_many_small_files_become_few_and_nothing_is_lost(world: World) -> None:
    ids = []
    for n in range(30):
        ids.append(world.use([f"{n % 3}"]))
        world.archive.run()
    assert len(Manifest.read(world.register)[0].records) < 10
    assert world.found() == ids[::-1]
    assert len(world.evidence.recipients(subject=world.disclosures.subject("1"))) == 10


def test_a_list_of_subjects_that_was_changed_is_not_archived(world: World) -> None:
    """S-13: the digest of the list stands in the record."""
    world.use([f"{n}" for n in range(60)])
    (listed,) = world.store.list("subjects/")
    with world.store.local(listed.key) as path:
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Corrupt):
        world.archive.run()
