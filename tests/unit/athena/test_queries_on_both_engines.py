"""Every query of a corpus, on DuckDB and as Athena gets it: both texts give the same, and Athena takes its own.

Q-08, C-38: any query can run on Athena by configuration, with the same projection.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trino_query_parser")

from tests.support.athena_conformance import faults
from tests.support.athena_local import LocalAthena, same_rows
from tests.support.grounds import DUTY
from tests.support.query_world import FOR_DUTY, PEOPLE, World, other, owner, person
from tests.unit.query.test_query_functions import SECTIONS
from tests.unit.query.test_query_functions import _documented as documented
from tests.unit.query.test_query_functions import _query as statement

from huitong.audit.disclosed import Disclosures
from huitong.errors import InvalidQuery, LimitExceeded, Unavailable
from huitong.identity.model import Principal
from huitong.query.athena import AthenaEngine
from huitong.query.athena_text import athena_sql, unreadable
from huitong.query.binding import nested_columns
from huitong.query.choice import EitherEngine, choose
from huitong.query.limits import Limits
from huitong.query.parse import check
from huitong.query.run import DuckDbEngine, Queries
from huitong.sharing.access import Use
from huitong.sharing.row_filter import canonical_filter

_KEY = "k" * 43
_WITH_PERSONS = replace(
    PEOPLE, fields=tuple(replace(f, subject="yes") if f.name == "id_no" else f for f in PEOPLE.fields)
)

#: What people ask; {t} is the table.
QUERIES = [
    "SELECT * FROM in_91 ORDER BY id_no",
    "SELECT area, count(*) AS n, sum(visits) FROM in_91 GROUP BY area HAVING count(*) > 1 ORDER BY 1",
    "SELECT DISTINCT area FROM in_91 WHERE name LIKE '张%' AND born BETWEEN DATE '1990-01-01' AND DATE '1990-01-09'",
    "SELECT count(DISTINCT area), min(born), max(seen), avg(visits) FROM in_91",
    "SELECT a.id_no, b.visits FROM in_91 a JOIN in_91 b ON a.id_no = b.id_no AND a.visits < b.visits + 1",
    "SELECT name, row_number() OVER (PARTITION BY area ORDER BY visits DESC) AS place FROM in_91",
    "WITH a AS (SELECT area, max(visits) AS v FROM in_91 GROUP BY 1) SELECT * FROM a WHERE v > 1",
    "SELECT date_trunc('month', born) AS m, count(*) FROM in_91 GROUP BY 1 ORDER BY 1",
    "SELECT format_datetime(seen, 'yyyy-MM-dd') AS d FROM in_91 ORDER BY id_no",
    "SELECT date_add('day', 3, born), date_diff('day', born, DATE '2026-01-01') FROM in_91 ORDER BY id_no",
    "SELECT born + INTERVAL '1' DAY, seen - INTERVAL '2' HOUR FROM in_91 ORDER BY id_no",
    "SELECT regexp_extract(id_no, '^(\\d{6})', 1), split_part(name, '人', 1) FROM in_91 ORDER BY id_no",
    "SELECT try_cast(id_no AS bigint), coalesce(nullif(area, '福田区'), 'x') FROM in_91 ORDER BY id_no",
    "SELECT CASE WHEN visits > 2 THEN 'many' ELSE 'few' END AS k, count_if(visits > 1) FROM in_91 GROUP BY 1",
    "SELECT id_no FROM in_91 WHERE visits IN (SELECT max(visits) FROM in_91)",
    "SELECT id_no FROM in_91 UNION SELECT id_no FROM in_91 FOR VERSION AS OF 1 ORDER BY 1 LIMIT 3",
    "SELECT id_no FROM in_91 EXCEPT SELECT id_no FROM in_91 FOR VERSION AS OF 1",
    "SELECT array_join(array_agg(name ORDER BY id_no), ',') FROM in_91 GROUP BY area ORDER BY 1",
    "SELECT x FROM in_91 CROSS JOIN UNNEST(ARRAY[visits, visits + 1]) AS u(x) ORDER BY x",
    "SELECT lag(visits) OVER (ORDER BY id_no) AS earlier, visits FROM in_91 ORDER BY id_no",
    "SELECT amount / 3, visits / 2, visits % 2 FROM in_91 ORDER BY id_no",
    'SELECT _op, id_no, _before.visits FROM "in_91$changes" WHERE _op <> \'insert\' ORDER BY _seq, _ordinal',
    'SELECT _op, array_join(_changed_columns, \' \') AS c FROM "in_91$changes" ORDER BY _seq, _ordinal',
    'SELECT seq, batch_id FROM "in_91$history" ORDER BY seq',
    "SELECT table_name FROM information_schema.tables ORDER BY 1",
    "SELECT 1 AS one, 'x''y' AS \"as\"",
]  # fmt: skip

#: Rows that grants show; their fields are masked as the contract says.
GRANTS = {
    "every field": "",
    "rows by area": "area = '南山区' AND visits >= 1",
    "rows by functions": "substr(id_no, 1, 4) = '4403' AND year(born) < 2000"
    " AND (visits > 0 OR area LIKE '福%') AND coalesce(try_cast(case_no AS bigint), 0) = 0"
    " AND regexp_like(name, '张')",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    (tmp_path / "world").mkdir(exist_ok=True)
    made.publish(PEOPLE, [person(n) for n in range(4)])
    made.publish(PEOPLE, [person(0), person(1, visits=9, area="福田区"), *(person(n) for n in range(3, 7))])
    return made


@pytest.fixture
def athena(world: World, tmp_path: Path) -> LocalAthena:
    def rows(name: str, snapshot: int) -> str:
        which = "changes" if name.endswith("__changes") else "current"
        with world.relation(PEOPLE, which, snapshot) as (sql, _):
            return sql

    return LocalAthena(rows, tmp_path / "s3")


def _queries(world: World, engine: Any) -> Queries:
    return Queries(world.register, world.staging, world.resolver, engine, world.clock)


def _rows(
    queries: Queries, who: Principal, sql: str, use: Use = FOR_DUTY
) -> tuple[Any, list[dict[str, Any]]]:
    """The result and its rows. What the stand-in for Athena says is raised as it is: a text that fails there."""
    result = queries.run(who, sql, use=use)
    return result, queries.page(result.id, who).rows


def _or_refused(queries: Queries, sql: str) -> list[dict[str, Any]]:
    """The rows for the one with the grant; where a masked field is computed with, that it is refused."""
    try:
        return _rows(queries, other(), sql)[1]
    except InvalidQuery:
        return [{"refused": True}]


@pytest.mark.parametrize("sql", QUERIES)
def test_the_owner_gets_the_same_from_both(world: World, athena: LocalAthena, sql: str) -> None:
    _, here = _rows(world.queries, owner(), sql)
    _, there = _rows(_queries(world, AthenaEngine(athena, "db")), owner(), sql)
    assert athena.executed == 1
    assert same_rows(here, there)


@pytest.mark.parametrize("granted", GRANTS)
def test_masks_and_row_filters_are_the_same_on_both(world: World, athena: LocalAthena, granted: str) -> None:
    row_filter = canonical_filter(GRANTS[granted], PEOPLE)
    world.grant(fields=tuple(f.name for f in PEOPLE.fields), row_filter=row_filter)
    shapes = list(GRANTS)
    for number, sql in enumerate(QUERIES):
        if "$changes" not in sql and number % len(shapes) != shapes.index(granted):
            continue  # each shape of grant has its share of the queries, and all have the change log
        here = _or_refused(world.queries, sql)
        there = _or_refused(_queries(world, AthenaEngine(athena, "db")), sql)
        assert same_rows(here, there), sql


@pytest.mark.parametrize("section", SECTIONS)
def test_every_function_of_the_documentation_has_a_text_that_athena_takes(
    world: World, athena: LocalAthena, section: str
) -> None:
    """What has no twin on Athena is no function of ours: the list judges each, and both texts give the same."""
    every = [e for s, e, _ in documented() if s == section]
    apart = [e for e in every if e.startswith("grouping")]
    together = ", ".join(f"{e} AS r{n}" for n, e in enumerate(e for e in every if e not in apart))
    for sql in (statement(section, together), *(statement(section, e) for e in apart)):
        nested = nested_columns(check(sql), [])
        plain = ", ".join(
            f"{e} AS r{n}" for n, e in enumerate(every) if f"r{n}" not in nested and not _varies(e)
        )
        assert faults(athena_sql(check(sql), [], "db")) == []
        if apart or not plain:
            continue
        here = _rows(world.queries, owner(), statement(section, plain))[1]
        there = _rows(_queries(world, AthenaEngine(athena, "db")), owner(), statement(section, plain))[1]
        assert same_rows(here, there)


def _varies(example: str) -> bool:
    return any(name in example for name in ("rand", "now", "current_", "localtime"))


# --- choice of engine, and evidence ----------------------------------------------


def _either(world: World, athena: LocalAthena, setting: Any, **more: Any) -> Queries:
    known = Disclosures(lambda: _KEY, world.staging, world.clock)
    there = AthenaEngine(athena, "db", known, request=lambda: "request-1")
    here = DuckDbEngine(world, world.staging, lambda: _KEY, known)
    return _queries(world, EitherEngine(setting, here, there, **more))


@pytest.mark.parametrize(
    ("setting", "above", "sql", "engine", "reason"),
    [
        ("duckdb", 0, "SELECT id_no FROM in_91", "duckdb", "configured"),
        ("athena", 99, "SELECT id_no FROM in_91", "athena", "configured"),
        ("auto", 99, "SELECT id_no FROM in_91", "duckdb", "small"),
        ("auto", 4, "SELECT id_no FROM in_91", "athena", "size:IN-91"),
        ("auto", 6, "SELECT id_no FROM in_91", "duckdb", "small"),
        ("auto", 6, 'SELECT a.id_no FROM in_91 a JOIN "in_91$changes" b ON a.id_no = b.id_no', "athena", "size:IN-91"),
        ("athena", 0, "SELECT 1", "duckdb", "small"),
        ("athena", 0, 'SELECT count(*) FROM "in_91$findings"', "duckdb", "only-here:in_91$findings cannot be read on Athena"),
        ("athena", 0, 'SELECT _before FROM "in_91$changes"', "duckdb", "only-here:lists or rows in the result: _before"),
    ],
)  # fmt: skip
def test_a_query_runs_where_configuration_and_size_say_and_the_answer_says_why(
    world: World, athena: LocalAthena, setting: str, above: int, sql: str, engine: str, reason: str
) -> None:
    """C-38."""
    result, rows = _rows(_either(world, athena, setting, above_rows=above), owner(), sql)
    assert (result.engine, result.engine_reason) == (engine, reason)
    assert result.as_dict()["engine_reason"] == reason
    assert (athena.executed > 0) == (engine == "athena")
    assert len(rows) == result.total_rows


@pytest.mark.parametrize(
    ("engine", "above", "setting", "expected"),
    [
        ("duckdb", 0, "athena", ("duckdb", "contract:IN-91")),
        ("athena", 0, "auto", ("athena", "contract:IN-91")),
        ("athena", 0, "duckdb", ("duckdb", "configured")),
        ("", 5, "auto", ("athena", "size:IN-91")),
        ("", 6, "auto", ("duckdb", "small")),
    ],
)
def test_a_contract_says_where_its_resource_is_computed(
    world: World, athena: LocalAthena, engine: Any, above: int, setting: str, expected: tuple[str, str]
) -> None:
    """Custom properties ``engine`` and ``athenaAboveRows``."""
    world.contracts.known = (replace(PEOPLE, engine=engine, athena_above_rows=above),)
    result, _ = _rows(_either(world, athena, setting), owner(), "SELECT id_no FROM in_91")
    assert (result.engine, result.engine_reason) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM in_91 WHERE visits > 3",
        "SELECT count(*) FROM in_91",
        "SELECT count(*) FROM in_91 WHERE area = '福田区'",
        "SELECT a.name FROM in_91 a JOIN in_91 b ON a.area = b.area",
        'SELECT _op FROM "in_91$changes"',
        "SELECT area FROM in_91 UNION ALL SELECT area FROM in_91 FOR VERSION AS OF 1",
    ],
)
def test_evidence_names_the_same_persons_and_records_on_both(
    world: World, athena: LocalAthena, sql: str
) -> None:
    """S-11, S-16: whose data left is on record whatever computed it, and the key never leaves."""
    world.grant(fields=("name", "area", "visits"), row_filter="\"area\" = '福田区'")
    here, _ = _rows(_either(world, athena, "duckdb"), other(), sql)
    there, _ = _rows(_either(world, athena, "athena"), other(), sql)
    assert (here.engine, there.engine) == ("duckdb", "athena")
    assert here.disclosed == there.disclosed
    assert here.carried == there.carried
    assert not any(_KEY in text or "hmac" in text.lower() for text in athena.texts)
    assert sorted(athena.forgotten) == sorted(athena.tokens.values())


def test_persons_of_a_case_are_looked_for_where_the_key_is(world: World, athena: LocalAthena) -> None:
    """The key of the blind indexes must not stand in a text that Athena keeps: such a query runs here."""
    known = Disclosures(lambda: _KEY, world.staging, world.clock)
    one = known.subject(person(1)["id_no"])
    table = world.resolver.resolve(check("SELECT * FROM in_91").tables[0], owner(), "", FOR_DUTY)
    bound = replace(
        table, contract=_WITH_PERSONS, access=replace(table.access, case_no="c", subjects=frozenset({one}))
    )  # type: ignore[type-var, union-attr]
    refusal = unreadable(bound)
    assert refusal is not None
    assert "key stays here" in refusal.en
    assert choose("athena", [bound], unreadable).engine == "duckdb"


def test_statistics_hold_the_smallest_group_on_athena_too(world: World, athena: LocalAthena) -> None:
    """S-34: groups of too few persons are not there, whichever engine counts."""
    world.grant(fields=("area", "visits"), statistics=True)
    use = Use("sql", duty=DUTY)
    sql = "SELECT area, count(*) AS n, avg(visits) AS mean FROM in_91 GROUP BY area"
    for smallest, groups in ((2, 2), (5, 0)):
        found = []
        for engine in (DuckDbEngine(world, world.staging), AthenaEngine(athena, "db")):
            queries = Queries(
                world.register, world.staging, world.resolver, engine, world.clock, smallest_group=smallest
            )
            found.append(_rows(queries, other(), sql, use)[1])
        assert same_rows(*found)
        assert len(found[0]) == groups


def test_nothing_is_answered_when_the_evidence_fails(world: World, athena: LocalAthena) -> None:
    class Broken:
        def of_batches(self, *_: Any) -> Any:
            raise Unavailable("证据不可用", "The evidence bucket is not there")

    with pytest.raises(Unavailable):
        _rows(_queries(world, AthenaEngine(athena, "db", Broken())), owner(), "SELECT name FROM in_91")


def test_a_query_that_fails_leaves_no_rows_and_no_persons_in_athenas_place(
    world: World, athena: LocalAthena
) -> None:
    """S-16: what the evidence is made of are numbers of persons in plain, in a file that Athena wrote."""

    class Broken:
        def of_batches(self, *_: Any) -> Any:
            raise Unavailable("证据不可用", "The evidence bucket is not there")

    sql = "SELECT name FROM in_91"
    with pytest.raises(Unavailable):
        _rows(_queries(world, AthenaEngine(athena, "db", Broken())), owner(), sql)
    assert len(athena.tokens) == 2
    known = Disclosures(lambda: _KEY, world.staging, world.clock)
    with pytest.raises(LimitExceeded):
        _queries(world, AthenaEngine(athena, "db", known)).run(
            owner(), sql, limits=Limits(rows=1), use=FOR_DUTY
        )
    assert len(athena.tokens) == 4
    assert sorted(athena.forgotten) == sorted(athena.tokens.values())


def test_a_repeated_request_does_not_start_a_second_run(world: World, athena: LocalAthena) -> None:
    queries = _queries(world, AthenaEngine(athena, "db", request=lambda: "request-1"))
    for _ in range(2):
        _rows(queries, owner(), "SELECT name FROM in_91")
    assert athena.executed == 1
