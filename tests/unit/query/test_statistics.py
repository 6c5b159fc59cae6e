"""Statistics about persons without rows about persons, and whose data a query is on record for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.grounds import DUTY, Bound
from tests.support.query_world import PEOPLE, World, other, owner, person

from huitong.audit.disclosed import Disclosures
from huitong.audit.subjects import blind, subject_text
from huitong.contracts.model import Field
from huitong.errors import HuitongError, InvalidQuery, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.local.objects import DiskObjects
from huitong.query.run import DuckDbEngine, Queries
from huitong.sharing.access import Use

KEY = "subjects"
PERSONS = replace(
    PEOPLE,
    fields=tuple(replace(f, semantic="citizen-id") if f.name == "id_no" else f for f in PEOPLE.fields),
)
CASE = "(2026)粤03破7号"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """福田区: 8 persons, 南山区: 3."""
    made = World(tmp_path, PERSONS)
    rows = [person(n, area="福田区") for n in range(8)] + [person(n, area="南山区") for n in range(8, 11)]
    rows[0]["born"] = None
    made.publish(PERSONS, rows)
    disclosures = Disclosures(lambda: KEY, DiskObjects(tmp_path / "evidence"), made.clock)
    engine = DuckDbEngine(made, made.staging, lambda: KEY, disclosures)
    made.queries = Queries(made.register, made.staging, made.resolver, engine, made.clock)
    return made


def figures(world: World, sql: str, who: Principal | None = None) -> list[list[Any]]:
    return [list(row.values()) for row in world.ask(who or other(), sql)]


def test_groups_of_few_persons_are_not_there(world: World) -> None:
    """S-34: five persons at least, whatever the number of rows."""
    world.grant(PERSONS, statistics=True, unmasked=("amount",))
    sql = "SELECT area, count(*) AS n, avg(visits) AS v FROM in_91 GROUP BY area ORDER BY n"
    assert figures(world, sql) == [["福田区", 8, 3.5]]
    assert figures(world, "SELECT count(*) FROM in_91") == [[11]]
    assert figures(world, "SELECT sum(amount) FROM in_91 WHERE area = '南山区'") == []
    assert figures(world, "SELECT count(*) FROM in_91 WHERE visits >= 7") == []
    smaller = Queries(world.register, world.staging, world.resolver, DuckDbEngine(world, world.staging),
                      world.clock, smallest_group=3)  # fmt: skip
    world.queries = smaller
    assert len(figures(world, sql)) == 2, "the size is configured"


def test_five_rows_of_one_person_are_one_person(tmp_path: Path) -> None:
    contract = replace(
        PERSONS, fields=(Field("k", key=1, field_id=9), *(replace(f, key=0) for f in PERSONS.fields))
    )
    world = World(tmp_path, contract)
    world.publish(contract, [{**person(1), "k": f"k{n}"} for n in range(9)])
    world.grant(contract, statistics=True)
    assert figures(world, "SELECT count(*) FROM in_91") == []


def test_a_figure_of_few_is_empty_even_in_a_large_group(world: World) -> None:
    """Else the only one with a value would be told by the group's sum."""
    rows = [person(n, area="福田区", visits=n if n < 2 else None) for n in range(9)]
    world.publish(PERSONS, rows)
    world.grant(PERSONS, statistics=True)
    sql = "SELECT count(*), sum(visits), avg(visits), count(visits), count(DISTINCT area) FROM in_91"
    assert figures(world, sql) == [[9, None, None, None, 1]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM in_91",
        "SELECT area FROM in_91",
        "SELECT area, visits, count(*) FROM in_91 GROUP BY area",
        "SELECT max(visits) FROM in_91",
        "SELECT min(name), count(*) FROM in_91",
        "SELECT array_agg(area), count(*) FROM in_91",
        "SELECT any_value(area), count(*) FROM in_91",
        "SELECT approx_percentile(visits, 0.5), count(*) FROM in_91",
        "SELECT every(visits > 1), count(*) FROM in_91",
        "SELECT geometric_mean(visits), count(*) FROM in_91",
        "SELECT count_if(visits = 3), count(*) FROM in_91",
        "SELECT sum(CASE WHEN visits = 3 THEN visits END) FROM in_91",
        "SELECT sum(visits) FILTER (WHERE visits = 3) FROM in_91",
        "SELECT sum(visits + 0) FROM in_91",
        "SELECT count(*) OVER () FROM in_91",
        "SELECT count(*) FROM in_91 WHERE id_no = '440300199001000001'",
        "SELECT count(*) FROM in_91 WHERE id_no LIKE '44%'",
        "SELECT id_no, count(*) FROM in_91 GROUP BY id_no",
        "SELECT substr(id_no, 1, 4), count(*) FROM in_91 GROUP BY 1",
        "SELECT _source_row, count(*) FROM in_91 GROUP BY 1",
        "SELECT count(*) FROM in_91 WHERE _source_row < 9",
        "SELECT area, count(*) FROM in_91 GROUP BY area HAVING count(*) > 1",
        "SELECT area, count(*) FROM in_91 GROUP BY ROLLUP (area)",
        "SELECT area, count(*) FROM in_91 GROUP BY area ORDER BY sum(visits)",
        "SELECT count(*) FROM in_91 WHERE CAST(area AS integer) = 1",
        "SELECT count(*) FROM in_91 WHERE 1 / visits = 1",
        "SELECT count(*) FROM in_91 FOR VERSION AS OF 1",
        "SELECT count(*) FROM in_91 a CROSS JOIN in_91 b",
        "SELECT count(*) FROM (SELECT * FROM in_91)",
        "SELECT count(*) FROM in_91 WHERE visits = (SELECT max(visits) FROM in_91)",
        "SELECT count(*) FROM in_91 WHERE EXISTS (SELECT 1)",
        "WITH w AS (SELECT * FROM in_91) SELECT count(*) FROM w",
        "SELECT count(*) FROM in_91 UNION ALL SELECT count(*) FROM in_91",
        "SELECT count(*) FROM in_91 AS t (a, b, c)",
        "SELECT t, count(*) FROM in_91 t GROUP BY t",
        "SELECT area AS t, count(*) FROM in_91 t GROUP BY t",
        "SELECT area AS id_no, count(*) FROM in_91 GROUP BY id_no",
        "SELECT count(t) FROM in_91 t",
        "SELECT count(DISTINCT id_no, name) FROM in_91",
        "SELECT count(*) FROM in_91 ORDER BY random()",
    ],
)
def test_what_could_tell_of_a_single_person_is_refused_before_anything_is_read(
    world: World, sql: str
) -> None:
    """S-34."""
    world.grant(PERSONS, statistics=True)
    with pytest.raises((InvalidQuery, NotPermitted)):
        world.queries.run(other(), sql, use=Use("sql", duty=DUTY))


@pytest.mark.parametrize("part", ["changes", "quarantine", "findings"])
def test_statistics_have_no_other_tables(world: World, part: str) -> None:
    world.grant(PERSONS, statistics=True)
    with pytest.raises(HuitongError):
        world.ask(other(), f'SELECT count(*) FROM "in_91${part}"')
    history = world.ask(other(), 'SELECT * FROM "in_91$history"')
    assert history[0]["rows"] is None


def test_analysts_have_statistics_of_persons_only(world: World) -> None:
    analyst = Principal("a", OPERATOR, frozenset({"analyst"}))
    assert figures(world, "SELECT area, count(*) FROM in_91 GROUP BY area", analyst) == [["福田区", 8]]
    with pytest.raises(InvalidQuery):
        figures(world, "SELECT area FROM in_91", analyst)


# --- cases, on the tables themselves


def test_a_case_sees_its_rows_and_those_of_its_persons(world: World) -> None:
    """S-11: by the case's number or by the blind index of a person, in every state and in the log."""
    subject = blind(KEY, "subject", subject_text(person(3)["id_no"]))
    world.grounds.cases[CASE] = Bound(CASE, frozenset({subject}))
    world.grant(PERSONS, case_no=CASE)
    use = Use("sql", case_no=CASE)
    assert [r["visits"] for r in world.ask(other(), "SELECT visits FROM in_91 ORDER BY 1", use=use)] == [3, 7]
    world.publish(PERSONS, [person(3, area="龙岗区"), person(4, area="龙岗区")])
    log = world.ask(other(), 'SELECT _op, visits FROM "in_91$changes" ORDER BY _seq, _ordinal', use=use)
    assert [(r["_op"], r["visits"]) for r in log] == [
        ("insert", 3), ("insert", 7), ("update", 3), ("delete", 7),
    ]  # fmt: skip
    counts = world.ask(other(), 'SELECT * FROM "in_91$history"', use=use)
    assert {r["rows"] for r in counts} == {None}
    blinded = world.ask(other(), "SELECT count(*) AS n FROM in_91 WHERE id_no LIKE '4403%'", use=use)
    assert blinded == [{"n": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM duckdb_views",
        "SELECT sql FROM sqlite_master",
        "SELECT * FROM information_schema.views",
        "SELECT * FROM pg_views",
        "EXPLAIN SELECT * FROM in_91",
        "SELECT getvariable('x') FROM in_91",
        "SELECT no_such_column FROM in_91",
        "SELECT id_no + 1 FROM in_91",
        "SELECT CAST(area AS integer) FROM in_91",
        "SELECT * FROM huitong_0",
        "SELECT __huitong_traced_0 FROM in_91",
        "SELECT __huitong_now FROM in_91",
        "SELECT * FROM __huitong_rows_0",
    ],
)
def test_nothing_that_an_asker_writes_reads_the_text_of_a_view(world: World, sql: str) -> None:
    """The text holds what is derived from the key of the blind indexes."""
    subject = blind(KEY, "subject", subject_text(person(3)["id_no"]))
    world.grounds.cases[CASE] = Bound(CASE, frozenset({subject}))
    world.grant(PERSONS, case_no=CASE)
    with pytest.raises(HuitongError) as refused:
        world.queries.run(other(), sql, use=Use("sql", case_no=CASE))
    told = repr(refused.value.as_dict()).lower()
    assert subject not in told
    assert not any(len(word) > 40 and set(word) <= set("0123456789abcdef") for word in told.split("'"))


# --- evidence


def _disclosed(world: World, sql: str, who: Principal | None = None) -> tuple[set[str], bool] | None:
    found = world.queries.run(who or other(), sql, use=Use("sql", duty=DUTY)).disclosed
    if not found:
        return None
    (one,) = found
    return {s for s, _ in one.subjects.pairs}, one.exact


def _of(*numbers: int) -> set[str]:
    return {blind(KEY, "subject", subject_text(person(n)["id_no"])) for n in numbers}


def test_a_query_of_one_table_is_on_record_for_exactly_the_persons_that_it_gave(world: World) -> None:
    """Q-04: also when the number itself is not granted or masked."""
    world.grant(PERSONS, fields=("area", "visits", "id_no"), row_filter='"visits" < 9')
    assert _disclosed(world, "SELECT area FROM in_91 WHERE visits > 6") == (_of(7, 8), True)
    assert _disclosed(world, "SELECT DISTINCT area FROM in_91 t WHERE t.visits IN (1, 2) ORDER BY 1") == (
        _of(1, 2), True,
    )  # fmt: skip
    assert _disclosed(world, "SELECT visits FROM in_91 FOR VERSION AS OF 1 WHERE visits = 4") == (
        _of(4),
        True,
    )
    assert _disclosed(world, "SELECT area FROM in_91 WHERE visits > 100") == (set(), True)


def test_other_queries_are_on_record_for_all_that_they_could_read_and_figures_for_nobody(
    world: World,
) -> None:
    world.grant(PERSONS, fields=("area", "visits"), row_filter='"visits" < 3')
    everybody = (_of(0, 1, 2), False)
    for sql in (
        "SELECT a.area FROM in_91 a JOIN in_91 b ON a.visits = b.visits WHERE a.visits = 1",
        "SELECT area FROM in_91 WHERE visits = (SELECT max(visits) FROM in_91)",
        "SELECT x.area FROM (SELECT * FROM in_91 WHERE visits = 1) x",
        'SELECT area FROM "in_91$changes" WHERE visits = 1',
    ):
        assert _disclosed(world, sql) == everybody, sql
    assert _disclosed(world, "SELECT area FROM in_91 WHERE visits >= 1 LIMIT 1") == (_of(1, 2), False)
    assert _disclosed(world, "SELECT max(area) FROM in_91 WHERE visits = 1") == (_of(1), True)
    assert _disclosed(world, "SELECT count(*), sum(visits) FROM in_91") is None
    assert _disclosed(world, "SELECT count(*) FROM in_91 WHERE visits = 1") == (_of(1), True)
    world.grant(PERSONS, statistics=True)
    assert _disclosed(world, "SELECT count(*) FROM in_91 WHERE visits < 8") is None


def test_the_owner_too_is_on_record(world: World) -> None:
    found = world.queries.run(owner(), "SELECT area FROM in_91 WHERE visits = 3").disclosed
    assert {s for s, _ in found[0].subjects.pairs} == _of(3)
