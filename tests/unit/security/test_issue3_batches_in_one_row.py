"""A batch of personal rows stays a batch when it is packed into few rows (C-19, C-22, S-33)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.grounds import DUTY
from tests.support.query_world import PEOPLE, World, other, person

from huitong.audit.disclosed import Disclosures
from huitong.errors import NotPermitted
from huitong.local.objects import DiskObjects
from huitong.query.run import DuckDbEngine, Queries, QueryResult
from huitong.sharing.access import Use
from huitong.sharing.volume import Volumes

PERSONS = replace(
    PEOPLE,
    fields=tuple(replace(f, semantic="citizen-id") if f.name == "id_no" else f for f in PEOPLE.fields),
)
ROWS = 130
#: A value of one further row each: 101 of them.
PICKED = ", ".join(f"max(area) FILTER (WHERE visits = {n}) AS a{n}" for n in range(101))
SUMMED = ", ".join(f"sum(CASE WHEN visits = {n} THEN visits END) AS a{n}" for n in range(101))
ASIDE = ", ".join(f"lead(area, {n}) OVER (ORDER BY visits) AS a{n}" for n in range(101))
ASKED = ", ".join(f"(SELECT area FROM in_91 WHERE visits = {n}) AS a{n}" for n in range(59))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, PERSONS)
    made.publish(PERSONS, [person(n) for n in range(ROWS)])
    made.grant(PERSONS)
    disclosures = Disclosures(lambda: "key", DiskObjects(tmp_path / "evidence"), made.clock)
    engine = DuckDbEngine(made, made.staging, lambda: "key", disclosures)
    made.queries = Queries(made.register, made.staging, made.resolver, engine, made.clock)
    return made


def run(world: World, sql: str) -> QueryResult:
    return world.queries.run(other(), sql, use=Use("sql", duty=DUTY))


def take(world: World, result: QueryResult) -> None:
    (access,) = result.accesses
    Volumes(world.register, world.clock).take(other().unit, access, result.carried["IN-91"], query=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT array_agg(id_no) AS x FROM in_91",
        "SELECT listagg(name, ',') WITHIN GROUP (ORDER BY name) AS x FROM in_91",
        "SELECT max(area, 130) AS x FROM in_91",
        "SELECT array_agg(area) OVER () AS x FROM in_91 LIMIT 1",
        "SELECT area, cardinality(x) AS n, x FROM (SELECT area, array_agg(visits) AS x FROM in_91 GROUP BY area)",
        f"SELECT {PICKED} FROM in_91",
        f"SELECT {SUMMED} FROM in_91",
        f"SELECT {ASIDE} FROM in_91 LIMIT 1",
        f"SELECT {ASKED} FROM (VALUES 1, 2) AS v (n)",
        "SELECT a.name AS x, b.name AS y FROM in_91 a JOIN in_91 b ON a.visits = b.visits + 65",
    ],
)
def test_a_table_packed_into_few_rows_needs_a_licence(world: World, sql: str) -> None:
    result = run(world, sql)
    assert result.total_rows <= 100
    with pytest.raises(NotPermitted):
        take(world, result)


@pytest.mark.parametrize(
    ("sql", "records"),
    [
        ("SELECT * FROM in_91 WHERE visits < 3", 3),
        ("SELECT count(*) AS n, avg(visits) AS v FROM in_91", 1),
        ("SELECT area, count(*) AS n FROM in_91 GROUP BY area", 2),
        ("SELECT max(visits) AS n FROM in_91", 2),
        ("SELECT array_agg(visits) AS x FROM in_91 WHERE visits < 7", 7),
        ("SELECT a.name FROM in_91 a WHERE visits = (SELECT max(visits) FROM in_91)", 3),
    ],
)
def test_what_is_no_batch_needs_none(world: World, sql: str, records: int) -> None:
    result = run(world, sql)
    take(world, result)
    assert result.carried == {"IN-91": records}
