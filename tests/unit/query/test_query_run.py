"""Queries over a small world: what each asker sees, states in time, limits, pages."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.query_world import FOR_DUTY, OTHER, OWNER, PEOPLE, World, officer, other, owner, person

from huitong.errors import BadRequest, HuitongError, InvalidQuery, LimitExceeded, NotFound, NotPermitted
from huitong.identity.model import Principal, Role
from huitong.query.engine import Pairs, Task, carried_out
from huitong.query.limits import Limits
from huitong.sharing.access import Use

FORBIDDEN_OF_GRANT = ("4403001990", "张人", "1001.50", "1003.50", "破1号", "福田区")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three editions: 0-4; 1-4 and 7; 1 moved away and 3 grown older, 2 and 4 gone."""
    made = World(tmp_path_factory.mktemp("world"))
    made.publish(PEOPLE, [person(n) for n in range(5)])
    made.publish(PEOPLE, [person(n) for n in range(1, 5)] + [person(7)])
    made.publish(PEOPLE, [person(1, area="罗湖区"), person(3, visits=33), person(7)])
    made.grant(fields=("name", "area", "visits"), row_filter="\"area\" = '南山区'", starts="2026-01-01")
    return made


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


# --- what is there ---------------------------------------------------------


def test_the_owner_sees_every_cell_as_it_was_delivered(world: World) -> None:
    rows = world.ask(owner(), "SELECT * FROM in_91 ORDER BY id_no")
    assert column(rows, "id_no") == ["440300199001000001", "440300199001000003", "440300199001000007"]
    assert rows[1]["amount"] == "1003.50"
    assert rows[1]["born"] == "1990-01-04"
    assert rows[1]["seen"] == "2026-01-01T08:03:00Z"
    assert rows[1]["_unit"] == OWNER


@pytest.mark.parametrize(
    "name", ["in_91", "IN_91", '"IN-91"', '"in-91"', "huitong.in_91", '"huitong"."in_91"']
)
def test_a_table_goes_by_its_name_and_by_the_id_of_the_resource(world: World, name: str) -> None:
    assert world.ask(owner(), f"SELECT count(*) AS n FROM {name}") == [{"n": 3}]


@pytest.mark.parametrize(
    ("as_of", "people"),
    [
        ("FOR VERSION AS OF 1", [0, 1, 2, 3, 4]),
        ("FOR VERSION AS OF 'bin_910002'", [1, 2, 3, 4, 7]),
        ("FOR VERSION AS OF 8000000000000000030", [1, 7, 33]),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2026-01-05 09:00:00 UTC'", [0, 1, 2, 3, 4]),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2026-01-05 18:59:59 Asia/Shanghai'", [1, 2, 3, 4, 7]),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2030-01-01 00:00:00'", [1, 7, 33]),
        ("", [1, 7, 33]),
    ],
)
def test_a_table_can_be_read_as_of_any_publication(world: World, as_of: str, people: list[int]) -> None:
    """Time travel by batch, number, snapshot and moment (issue 2.6, 2.8)."""
    assert column(world.ask(owner(), f"SELECT visits FROM in_91 {as_of} ORDER BY 1"), "visits") == people


@pytest.mark.parametrize(
    "as_of",
    ["FOR VERSION AS OF 9", "FOR VERSION AS OF 'nope'", "FOR VERSION AS OF 7000000000000000000",
     "FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00'"],
)  # fmt: skip
def test_a_state_that_never_was_is_not_found(world: World, as_of: str) -> None:
    with pytest.raises(NotFound):
        world.ask(owner(), f"SELECT * FROM in_91 {as_of}")


def test_two_states_can_be_compared_in_one_query(world: World) -> None:
    rows = world.ask(
        owner(),
        "SELECT b.area AS before, a.area AS now FROM in_91 a JOIN in_91 FOR VERSION AS OF 2 b"
        " ON a.id_no = b.id_no WHERE a.area <> b.area",
    )
    assert rows == [{"before": "南山区", "now": "罗湖区"}]


def test_the_change_log_tells_each_change_with_the_row_before(world: World) -> None:
    rows = world.ask(owner(), 'SELECT * FROM "in_91$changes" WHERE _seq = 3 ORDER BY _ordinal')
    assert [(r["_op"], r["_changed_columns"], r["visits"]) for r in rows] == [
        ("update", ["area"], 1), ("delete", [], 2), ("update", ["visits"], 33), ("delete", [], 4),
    ]  # fmt: skip
    assert rows[2]["_before"]["visits"] == 3


def test_the_history_shows_each_publication_with_its_counts(world: World) -> None:
    rows = world.ask(owner(), 'SELECT seq, batch_id, rows, inserted, deleted FROM "in_91$history" ORDER BY 1')
    assert [tuple(r.values()) for r in rows] == [
        (1, "bin_910001", 5, 5, 0), (2, "bin_910002", 5, 1, 1), (3, "bin_910003", 3, 0, 2),
    ]  # fmt: skip


def test_a_table_before_its_first_publication_is_empty_and_has_its_columns(world: World) -> None:
    assert world.ask(owner(), "SELECT k, v FROM in_92") == []
    assert world.ask(owner(), 'SELECT count(_before) AS n FROM "in_92$changes"') == [{"n": 0}]
    assert world.ask(owner(), 'SELECT seq FROM "in_92$history"') == []


def test_the_catalogue_lists_what_the_asker_may_see_and_no_more(world: World) -> None:
    sql = "SELECT table_name FROM information_schema.tables ORDER BY 1"
    assert column(world.ask(owner(), sql), "table_name")[:2] == ["in_91", "in_91$changes"]
    assert set(column(world.ask(other(), sql), "table_name")) == {"in_91", "in_91$changes", "in_91$history"}
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE column_name NOT LIKE '\\_%' ESCAPE '\\'"
    rows = world.ask(other(), columns)
    assert {r["column_name"]: r["data_type"] for r in rows} == {
        "name": "varchar", "area": "varchar", "visits": "bigint",
    }  # fmt: skip


# --- what is not -----------------------------------------------------------


PROBES = [
    "SELECT * FROM in_91",
    "SELECT t FROM in_91 t",
    'SELECT * FROM "in_91$changes"',
    'SELECT _before FROM "in_91$changes"',
    "SELECT * FROM in_91 FOR VERSION AS OF 1",
    "SELECT max(name), min(area), array_agg(name), listagg(name, ',') WITHIN GROUP (ORDER BY name) FROM in_91",
    "SELECT a.*, b.* FROM in_91 a JOIN in_91 b ON a.area = b.area",
    'SELECT a.*, c.* FROM in_91 a FULL JOIN "in_91$changes" c ON a.visits = c.visits',
    "SELECT x.* FROM (SELECT * FROM in_91) AS x WHERE EXISTS (SELECT 1 FROM in_91 WHERE name = x.name)",
    "WITH in_91 AS (SELECT * FROM in_91) SELECT * FROM in_91",
    "SELECT upper(name), reverse(name), name || area, substr(name, 2) FROM in_91",
    "SELECT * FROM in_91 WHERE area = '福田区' OR true",
    "SELECT * FROM in_91 UNION SELECT * FROM in_91 FOR VERSION AS OF 1",
    "SELECT *, lag(name) OVER (ORDER BY visits), first_value(area) OVER () FROM in_91",
    "SELECT cast(area AS integer) FROM in_91 FOR VERSION AS OF 1",
    "SELECT cast(name AS date) FROM in_91 FOR VERSION AS OF 1",
    "SELECT 1 / (visits - 2) FROM in_91 FOR VERSION AS OF 1",
    "SELECT date_parse(area, '%Y') FROM in_91 FOR VERSION AS OF 1",
    'SELECT * FROM "in_91$history"',
    "SELECT id_no FROM in_91",
    "SELECT amount FROM in_91 WHERE id_no LIKE '4403%'",
    'SELECT _before.id_no FROM "in_91$changes"',
    "SELECT count(*) FROM in_91 WHERE case_no IS NOT NULL",
    "SELECT area FROM in_91 ORDER BY amount",
    "SELECT _case_no FROM in_91",
    'SELECT * FROM "in_91$findings"',
    'SELECT * FROM "in_91$quarantine"',
]


@pytest.mark.parametrize("sql", PROBES)
def test_no_query_shows_a_cell_outside_of_the_grant(world: World, sql: str) -> None:
    """L-23, S-30: neither a row that the filter keeps back, nor a field, nor what a mask hides, in result or error."""
    try:
        told = json.dumps(world.ask(other(), sql), ensure_ascii=False)
    except HuitongError as error:
        told = json.dumps(error.as_dict(), ensure_ascii=False) + str(error.__cause__ or "")
    for hidden in FORBIDDEN_OF_GRANT:
        assert hidden not in told.replace(sql, "")


def test_a_condition_never_runs_on_a_row_outside_of_the_filter(world: World) -> None:
    """An error would tell of the row: only 福田区 has even numbers, and none of them may divide by zero."""
    rows = world.ask(
        other(), "SELECT 10 / (visits % 2) AS x FROM in_91 FOR VERSION AS OF 1 WHERE 1 / (visits % 2) = 1"
    )
    assert rows == [{"x": 10}, {"x": 10}]


def test_an_update_of_a_field_outside_of_the_grant_is_no_change(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(PEOPLE, [person(1), person(3)])
    world.publish(PEOPLE, [person(1, amount=Decimal("7.00")), person(3, visits=4)])
    world.grant(fields=("area", "visits"))
    rows = world.ask(other(), 'SELECT _op, _changed_columns, visits FROM "in_91$changes" WHERE _seq = 2')
    assert rows == [{"_op": "update", "_changed_columns": ["visits"], "visits": 4}]


def test_a_row_that_leaves_the_filter_is_a_deletion_for_the_asker(world: World) -> None:
    rows = world.ask(
        other(), 'SELECT _op, area, visits FROM "in_91$changes" WHERE _seq = 3 ORDER BY _ordinal'
    )
    assert rows == [
        {"_op": "delete", "area": "南山区", "visits": 1},
        {"_op": "update", "area": "南山区", "visits": 33},
    ]


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM in_92", 'SELECT * FROM "in_92$history"', 'SELECT 1 FROM "IN-92$findings"']
)
def test_a_table_that_may_not_be_seen_is_reported_like_one_that_is_not_there(world: World, sql: str) -> None:
    with pytest.raises(NotFound) as hidden:
        world.ask(other(), sql)
    with pytest.raises(NotFound) as absent:
        world.ask(other(), sql.replace("92", "99"))
    assert hidden.value.as_dict() == json.loads(json.dumps(absent.value.as_dict()).replace("99", "92"))


def test_staff_see_all_rows_masked_and_auditors_none(world: World) -> None:
    """S-30: L3 and L4 leave masked; S-34: analysis shows masked data only."""
    rows = world.ask(officer(), "SELECT * FROM in_91 ORDER BY visits")
    assert [r["id_no"][:4] + r["id_no"][-2:] for r in rows] == ["440301", "440307", "440303"]
    assert all("*" in r["id_no"] and "*" in r["name"] and set(r["amount"]) == {"*"} for r in rows)
    with pytest.raises(NotPermitted, match="case or a statutory duty"):
        world.ask(officer(), "SELECT * FROM in_91", use=Use("sql"))
    roles: tuple[Role, ...] = ("admin", "security", "auditor")
    for role in roles:  # S-07: not even together with a role that reads, or for a unit that may
        both = Principal("a", "", frozenset({role, "officer"}), acts_for=("*",))
        with pytest.raises(NotPermitted, match="reads no business data"):
            world.ask(both, "SELECT * FROM in_91", acting_unit=OWNER)


def test_who_acts_for_a_unit_sees_what_the_unit_sees(world: World) -> None:
    admin = Principal("agent", "", frozenset({"consumer"}), acts_for=(OWNER, OTHER))
    assert world.ask(admin, "SELECT name FROM in_91", acting_unit=OTHER)[0]["name"].startswith("张*")
    assert world.ask(admin, "SELECT id_no FROM in_91", acting_unit=OWNER)[0]["id_no"].isdigit()
    with pytest.raises(NotFound):
        world.ask(admin, "SELECT id_no FROM in_91", acting_unit="91440300NOBODY0009")
    with pytest.raises(NotFound):
        world.ask(other(), "SELECT id_no FROM in_91", acting_unit=OWNER)


def test_findings_and_quarantine_are_for_the_owner_and_masked_for_staff(tmp_path: Path) -> None:
    """C-13: the source unit reads what to mend; rows keep their numbers in the file."""
    world = World(tmp_path)
    finding = {
        "batch_id": "b1", "resource": "IN-91", "unit": OWNER, "source_row": 7, "column": "id_no",
        "rule": "gb11643", "criterion": "format", "severity": "error", "value": "4403************0X", "zh": "错", "en": "bad",
    }  # fmt: skip
    row = {"_batch_id": "b1", "_unit": OWNER, "_resource": "IN-91", "_source_row": 7,
           "_received_at": datetime(2026, 1, 1, tzinfo=UTC), "_rules": ["gb11643"], "id_no": "44030019900101000X",
           "name": "张三丰", "other": "x"}  # fmt: skip
    world.reject(PEOPLE, [finding], [row], "b1")
    world.reject(PEOPLE, [{**finding, "source_row": 9}], [{**row, "_source_row": 9, "area": "a"}], "b2")
    world.grant()
    sql = 'SELECT _source_row, _rules, id_no, name, area, visits FROM "in_91$quarantine" ORDER BY 1'
    plain = world.ask(owner(), sql)
    assert plain[0] == {
        "_source_row": 7, "_rules": ["gb11643"], "id_no": "44030019900101000X", "name": "张三丰", "area": None, "visits": None,
    }  # fmt: skip
    masked = world.ask(officer(), sql)
    assert [r["_source_row"] for r in masked] == [7, 9]
    assert masked[0]["id_no"].endswith("0X")
    assert "*" in masked[0]["id_no"]
    found = "SELECT rule, source_row FROM \"in_91$findings\" WHERE criterion = 'format' ORDER BY 2"
    assert [r["source_row"] for r in world.ask(owner(), found)] == [7, 9]
    with pytest.raises(NotFound):
        world.ask(other(), sql)


# --- limits and errors -----------------------------------------------------


def test_a_query_that_takes_too_long_is_stopped(world: World) -> None:
    sql = "SELECT count(*) FROM UNNEST(sequence(1, 100000)) a (x) CROSS JOIN UNNEST(sequence(1, 100000)) b (y) WHERE x * y % 7 = 9"
    with pytest.raises(LimitExceeded) as stopped:
        world.ask(owner(), sql, limits=Limits(seconds=0.3))
    assert stopped.value.where["limit"] == "seconds"


def test_a_query_whose_evidence_takes_too_long_is_stopped_and_told_so(tmp_path: Path) -> None:
    """S-34: whose data it gave is found within its time, too; it is no fault of the platform."""
    endless = "SELECT sha256(range::VARCHAR) AS subject, range::VARCHAR AS record FROM range(1000000000)"
    pairs = Pairs("people", True, endless, str(tmp_path / "pairs.parquet"))
    task = Task((), (), "SELECT 1 AS n", Limits(seconds=0.3), str(tmp_path / "result"), (pairs,))
    with pytest.raises(LimitExceeded):
        carried_out(task)


@pytest.mark.parametrize(
    "sql",
    ["SELECT cardinality(sequence(1, 400000000))",
     "SELECT cardinality(array_agg(DISTINCT x * 1000 + y)) FROM UNNEST(sequence(1, 10000)) a (x)"
     " CROSS JOIN UNNEST(sequence(1, 1000)) b (y)"],
)  # fmt: skip
def test_a_query_that_needs_too_much_memory_is_refused_and_the_process_lives(world: World, sql: str) -> None:
    with pytest.raises(LimitExceeded) as stopped:
        world.ask(owner(), sql, limits=Limits(memory_mb=64, temp_mb=16))
    assert stopped.value.where["limit"] == "memory_mb"
    assert world.ask(owner(), "SELECT 1 AS x") == [{"x": 1}]


def test_a_result_beyond_its_rows_is_an_error_and_never_cut(world: World) -> None:
    sql = "SELECT x FROM UNNEST(sequence(1, 1000)) a (x)"
    with pytest.raises(LimitExceeded) as stopped:
        world.ask(owner(), sql, limits=Limits(rows=999))
    assert stopped.value.where["limit"] == "rows"
    assert len(world.ask(owner(), sql, limits=Limits(rows=1000))) == 1000


def test_a_result_beyond_its_bytes_is_an_error(world: World) -> None:
    sql = "SELECT to_hex(sha256(to_utf8(cast(x AS varchar)))) FROM UNNEST(sequence(1, 100000)) a (x)"
    with pytest.raises(LimitExceeded) as stopped:
        world.ask(owner(), sql, limits=Limits(result_bytes=100_000))
    assert stopped.value.where["limit"] == "result_bytes"


@pytest.mark.parametrize(
    ("sql", "tells"),
    [
        ("SELECT nope FROM in_91", "nope"),
        ("SELECT x.area FROM in_91", "x"),
        ("SELECT abs(area) FROM in_91", "abs"),
        ("SELECT cast(area AS date) FROM in_91", "try_cast"),
        ("SELECT sum(visits) * 9223372036854775807 * 9 FROM in_91", "out of range"),
    ],
)
def test_a_wrong_query_is_explained_without_values(world: World, sql: str, tells: str) -> None:
    with pytest.raises(InvalidQuery) as wrong:
        world.ask(owner(), sql)
    assert tells in wrong.value.en
    assert "区" not in wrong.value.en
    assert "huitong_" not in str(wrong.value)


def test_queries_of_several_threads_do_not_disturb_each_other(world: World) -> None:
    seen: list[list[dict[str, Any]]] = []
    threads = [
        threading.Thread(
            target=lambda n=n: seen.append(world.ask(owner(), f"SELECT {n} AS n, count(*) AS c FROM in_91"))
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["n"] for rows in seen for row in rows) == [0, 1, 2, 3]


# --- stored results --------------------------------------------------------


def test_a_result_is_read_page_by_page_in_its_order(world: World) -> None:
    result = world.queries.run(owner(), "SELECT x FROM UNNEST(sequence(1, 45000)) a (x) ORDER BY x DESC")
    assert result.total_rows == 45_000
    after: str | None = ""
    seen: list[int] = []
    while after is not None:
        page = world.queries.page(result.id, owner(), after=after, limit=9_999)
        seen += column(page.rows, "x")
        after = page.next
    assert seen == list(range(45_000, 0, -1))


def test_a_page_ends_before_it_is_too_large_for_an_answer(world: World) -> None:
    sql = "SELECT rpad('汇', 9000, '通') AS t FROM UNNEST(sequence(1, 2500)) a (x)"
    result = world.queries.run(owner(), sql)
    for form in ("json", "csv", "arrow"):
        page = world.queries.page(result.id, owner(), limit=2_500, format=form)
        assert 0 < len(page.body) < 28_000_000
        assert page.next is not None
        assert 0 < int(page.next) < 2_500


@pytest.mark.parametrize("after", ["x", "-1", "9", "1.5"])
def test_a_cursor_that_is_none_is_refused(world: World, after: str) -> None:
    result = world.queries.run(owner(), "SELECT 1 AS x")
    with pytest.raises(BadRequest):
        world.queries.page(result.id, owner(), after=after)


def test_a_result_comes_as_csv_and_arrow_too(world: World) -> None:
    result = world.queries.run(owner(), "SELECT area, amount, born FROM in_91 ORDER BY visits LIMIT 1")
    page = world.queries.page(result.id, owner(), format="csv")
    assert page.body.decode() == "area,amount,born\r\n罗湖区,1001.50,1990-01-02\r\n"
    assert page.media_type.startswith("text/csv")
    arrow = world.queries.page(result.id, owner(), format="arrow")
    table = pa.ipc.open_stream(io.BytesIO(arrow.body)).read_all()
    assert table.schema.field("amount").type == pa.decimal128(12, 2)
    assert result.columns[1] == {"name": "amount", "type": "decimal(12,2)"}


def test_two_columns_of_one_name_stay_two_columns(world: World) -> None:
    assert world.ask(owner(), "SELECT 1 AS x, 2 AS x, 3 AS x") == [{"x": 1, "x_1": 2, "x_2": 3}]


def test_a_result_is_for_the_one_who_asked_and_only_for_an_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.queries.run(owner(), "SELECT 1 AS x")
    with pytest.raises(NotFound):
        world.queries.page(result.id, other())
    with pytest.raises(NotFound):
        world.queries.whole(result.id, other()).__enter__()
    assert world.queries.page(result.id, owner()).rows == [{"x": 1}]
    world.clock.advance(hours=1)
    with pytest.raises(NotFound):
        world.queries.page(result.id, owner())


def test_a_result_is_gone_when_the_grant_is(tmp_path: Path) -> None:
    """S-10: whether access still holds is asked again for each page."""
    world = World(tmp_path)
    world.publish(PEOPLE, [person(1)])
    world.grant(fields=("area",))
    result = world.queries.run(other(), "SELECT area FROM in_91", use=FOR_DUTY)
    assert world.queries.page(result.id, other()).rows == [{"area": "南山区"}]
    world.grant(fields=("area", "visits"))
    with pytest.raises(NotFound, match="has changed"):
        world.queries.page(result.id, other())
    world.grants.revoke(OTHER, PEOPLE.id)
    with pytest.raises(NotPermitted, match="No grant is in force"):
        world.queries.page(result.id, other())


def test_the_register_holds_no_text_of_a_query(world: World) -> None:
    """S-16: a query may name a person."""
    result = world.queries.run(owner(), "SELECT count(*) AS n FROM in_91 WHERE name = '张人003'")
    item = world.register.get(f"QUERY#{result.id}", "QUERY")
    assert item is not None
    assert "张人003" not in json.dumps(dict(item.body), ensure_ascii=False)
    assert item.expires > 0
