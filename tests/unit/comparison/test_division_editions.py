"""Real code tables, edition by edition: the counts of their README, and every cell of every edition."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.compare_world import CompareWorld

from huitong.contracts.model import Contract, Field

DATA = Path(__file__).resolve().parents[3] / "../shared/data/divisions"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data/divisions is not beside the repository"
)

LINE = re.compile(r"\| (areas|streets) \| (\S+) \| (\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|")


@dataclass(frozen=True)
class Step:
    earlier: str
    later: str
    rows_before: int
    rows_after: int
    inserted: int
    updated: int
    deleted: int


def steps(table: str) -> list[Step]:
    found = [m.groups() for m in LINE.finditer((DATA / "README.md").read_text(encoding="utf-8"))]
    return [Step(a, b, *map(int, numbers)) for name, a, b, *numbers in found if name == table]


def edition(table: str, name: str) -> list[dict[str, str]]:
    with (DATA / f"{table}-{name}.csv").open(encoding="utf-8", newline="") as stream:
        return [{k: v or None for k, v in line.items()} for line in csv.DictReader(stream)]


@pytest.mark.parametrize("table", ["areas", "streets"])
def test_each_edition_changes_what_the_readme_says_and_stays_readable(tmp_path: Path, table: str) -> None:
    """Q-33: exact counts on real data; the table as of each edition equals its file in every cell."""
    known = steps(table)
    assert len(known) == 4
    names = list(edition(table, known[0].earlier)[0])
    fields = tuple(Field(n, key=int(n == "code"), field_id=7 + i) for i, n in enumerate(names))
    world = CompareWorld(
        tmp_path, Contract(id="divisions", version=1, title="区划", table=table, fields=fields)
    )
    world.deliver(edition(table, known[0].earlier))

    for step in known:
        batch = world.deliver(edition(table, step.later))
        done = batch.counts
        assert batch.status == "published"
        assert (done.inserted, done.updated, done.deleted) == (step.inserted, step.updated, step.deleted)
        assert done.unchanged == step.rows_after - step.inserted - step.updated
        assert world.publications.at("divisions").rows == step.rows_after

    for seq, name in enumerate([known[0].earlier, *(s.later for s in known)], start=1):
        assert world.rows(seq) == sorted(edition(table, name), key=lambda r: r["code"])
    logged = [c["_op"] for c in world.read("changes")]
    assert logged.count("update") == sum(s.updated for s in known)
    assert logged.count("delete") == sum(s.deleted for s in known)
