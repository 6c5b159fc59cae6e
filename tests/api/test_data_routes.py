"""Queries, changes, snapshots and findings over really published tables (C-11, X-06, Q-04, Q-22)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, Said, World
from tests.support.grounds import DUTY

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.local.platform import Platform
from huitong.sharing.grants import Grant
from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS

ARROW = "application/vnd.apache.arrow.stream"
FIRST = "claim_no,debtor_id,amount\n001,440300199001011234,10.50\n002,440300199001015678,20\n003,x,30\n,y,1\n"
SECOND = "claim_no,debtor_id,amount\n001,440300199001011234,11.50\n002,440300199001015678,20\n004,z,40\n"


@pytest.fixture
def first(platform: Platform, tmp_path: Path) -> Batch:
    return _deliver(platform, tmp_path, "first", FIRST)


@pytest.fixture
def editions(first: Batch, platform: Platform, tmp_path: Path) -> list[Batch]:
    return [first, _deliver(platform, tmp_path, "second", SECOND)]


def _deliver(platform: Platform, folder: Path, name: str, text: str) -> Batch:
    file = folder / f"{name}.csv"
    file.write_text(text)
    return platform.deliver(file, "claims", COURT)


def _sql(call: Call, sql: str, as_: str = "court", **more: Any) -> Said:
    headers, duty = more.pop("headers", {}), more.pop("duty", "")
    return call("POST", "/v1/queries", as_=as_, body={"sql": sql, **more}, headers=headers, duty=duty)


def test_a_query_gives_columns_rows_and_their_number(first: Batch, call: Call, world: World) -> None:
    """C-11."""
    table = world.contracts.get("claims").table
    said = _sql(call, f"SELECT claim_no, amount FROM {table} ORDER BY claim_no")
    assert said.status == 200, said.body
    assert check(said.body, SCHEMAS["Query"]) == []
    assert [c["name"] for c in said.body["columns"]] == ["claim_no", "amount"]
    assert said.body["rows"] == [
        {"claim_no": "001", "amount": "10.50"},
        {"claim_no": "002", "amount": "20.00"},
        {"claim_no": "003", "amount": "30.00"},
    ]
    assert said.body["total_rows"] == 3


def test_pages_of_a_query_join_without_gap_or_overlap(first: Batch, call: Call, world: World) -> None:
    table = world.contracts.get("claims").table
    page = _sql(call, f"SELECT claim_no FROM {table} ORDER BY 1", limit=2).body
    seen = page["rows"]
    path = {"id": page["query_id"]}
    while page["next"]:
        query = {"after": page["next"], "limit": "2"}
        page = call("GET", "/v1/queries/{id}", as_="court", path=path, query=query).body
        seen += page["rows"]
    assert [row["claim_no"] for row in seen] == ["001", "002", "003"]


def test_a_result_belongs_to_its_asker(call: Call) -> None:
    id = _sql(call, "SELECT 1 AS one").body["query_id"]
    assert call("GET", "/v1/queries/{id}", as_="bureau", path={"id": id}).status == 404


def test_csv_and_arrow_say_the_same_as_json(first: Batch, call: Call, world: World) -> None:
    sql = f"SELECT claim_no, amount FROM {world.contracts.get('claims').table} ORDER BY claim_no"
    csv = _sql(call, sql, format="csv")
    assert csv.headers["Content-Type"].startswith("text/csv")
    assert csv.body == "claim_no,amount\r\n001,10.50\r\n002,20.00\r\n003,30.00\r\n"
    arrow = _sql(call, sql, format="arrow", headers={"Accept": ARROW})
    assert arrow.headers["Content-Type"] == ARROW
    rows = pyarrow.ipc.open_stream(io.BytesIO(arrow.body)).read_all().to_pylist()
    assert [row["claim_no"] for row in rows] == ["001", "002", "003"]
    assert arrow.headers["Huitong-Total-Rows"] == "3"


def test_arrow_without_the_header_that_the_gateway_needs_is_refused(call: Call) -> None:
    said = _sql(call, "SELECT 1 AS one", format="arrow")
    assert (said.status, said.code) == (400, "bad-request")


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE claims",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
        "INSERT INTO claims SELECT 1",
    ],
)
def test_anything_but_one_permitted_select_is_refused(sql: str, call: Call) -> None:
    said = _sql(call, sql)
    assert (said.status, said.code) == (400, "invalid-query")


def test_a_grant_bounds_every_path_alike(editions: list[Batch], call: Call, world: World) -> None:
    """Fields, masks and rows of a grant hold for SQL, changes and snapshot."""
    contract = world.contracts.get("claims")
    sql = f"SELECT * FROM {contract.table}"
    routes = ("/v1/resources/{code}/changes", "/v1/resources/{code}/snapshot")
    assert _sql(call, sql, as_="bank").status == 404
    for route in routes:
        assert call("GET", route, as_="bank", path={"code": "claims"}).status == 404
    world.grants.put(
        Grant(BANK, "claims", fields=("claim_no", "debtor_id"), row_filter="claim_no < '003'", duty=DUTY),
        contract,
        by="x",
    )
    assert _sql(call, sql, as_="bank").status == 403, "without a case or duty"
    rows = _sql(call, sql, as_="bank", duty=DUTY).body["rows"]
    assert {row["claim_no"] for row in rows} == {"001", "002"}
    for route in routes:
        assert call("GET", route, as_="bank", path={"code": "claims"}).status == 403
        said = call("GET", route, as_="bank", path={"code": "claims"}, duty=DUTY)
        assert said.status == 200, said.body
        rows += [event["data"]["row"] for event in said.body["items"]]
    shown = [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows]
    assert {tuple(row) for row in shown} == {("claim_no", "debtor_id")}
    assert {row["claim_no"] for row in shown} == {"001", "002"}
    assert not any("199001" in str(row["debtor_id"]) for row in shown)


def test_changes_are_events_in_order_and_the_cursor_goes_on(editions: list[Batch], call: Call) -> None:
    """X-06."""
    path, seen, after = {"code": "claims"}, [], ""
    for _ in range(20):
        query = {"limit": "2", **({"after": after} if after else {})}
        page = call("GET", "/v1/resources/{code}/changes", as_="court", path=path, query=query).body
        assert check(page, SCHEMAS["Changes"]) == []
        seen += [(event["type"].rpartition(".")[2], event["subject"]) for event in page["items"]]
        after = page["next"]
        if not page["has_more"]:
            break
    assert seen[:3] == [("inserted", "001"), ("inserted", "002"), ("inserted", "003")]
    assert sorted(seen[3:]) == [("deleted", "003"), ("inserted", "004"), ("updated", "001")]


def test_a_snapshot_continues_with_what_comes_after_it(
    first: Batch, platform: Platform, tmp_path: Path, call: Call
) -> None:
    path = {"code": "claims"}
    page = call("GET", "/v1/resources/{code}/snapshot", as_="court", path=path).body
    assert len(page["items"]) == 3
    _deliver(platform, tmp_path, "second", SECOND)
    after = call(
        "GET", "/v1/resources/{code}/changes", as_="court", path=path, query={"after": page["next"]}
    ).body
    assert sorted(e["subject"] for e in after["items"]) == ["001", "003", "004"]


def test_a_forged_cursor_is_refused(first: Batch, call: Call) -> None:
    path = {"code": "claims"}
    for after in ("x", "AAAA", "é"):
        said = call("GET", "/v1/resources/{code}/changes", as_="court", path=path, query={"after": after})
        assert said.status == 400


def test_findings_name_row_rule_and_reason(first: Batch, call: Call) -> None:
    """Q-22."""
    assert first.counts.quarantined == 1
    said = call("GET", "/v1/batches/{id}/findings", as_="court", path={"id": first.id})
    assert said.status == 200, said.body
    assert check(said.body, SCHEMAS["Findings"]) == []
    assert said.body["total"] == len(said.body["items"]) >= 1
    found = said.body["items"][0]
    assert (found["source_row"], found["column"]) == (5, "claim_no")
    assert found["zh"]
    assert found["en"]


def test_findings_come_in_pages(first: Batch, platform: Platform, tmp_path: Path, call: Call) -> None:
    rows = "".join(f",{n},1\n" for n in range(7))
    batch = _deliver(platform, tmp_path, "bad", f"claim_no,debtor_id,amount\n001,a,1\n{rows}")
    seen, after = [], ""
    for _ in range(10):
        query = {"limit": "3", **({"after": after} if after else {})}
        page = call("GET", "/v1/batches/{id}/findings", as_="court", path={"id": batch.id}, query=query).body
        seen += [item["source_row"] for item in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == list(range(3, 10))


def test_a_batch_without_findings_has_an_empty_list(platform: Platform, tmp_path: Path, call: Call) -> None:
    batch = _deliver(platform, tmp_path, "good", SECOND)
    said = call("GET", "/v1/batches/{id}/findings", as_="court", path={"id": batch.id})
    assert said.body == {"items": [], "next": None, "total": 0}


def test_every_reading_leaves_one_record_of_use(first: Batch, call: Call, world: World) -> None:
    """Q-04, S-12: who, which resource, which fields, how many rows; never a value."""
    table = world.contracts.get("claims").table
    _sql(call, f"SELECT claim_no FROM {table} WHERE claim_no = '001'")
    call("GET", "/v1/resources/{code}/changes", as_="court", path={"code": "claims"})
    call("GET", "/v1/resources/{code}/snapshot", as_="court", path={"code": "claims"})
    traces: list[Trace] = world.traces.list(resource="claims")
    used = [(t.act, t.unit, t.count) for t in traces if t.path]
    assert sorted(used) == [
        ("download", COURT, 3),
        ("query", COURT, 1),
        ("share", COURT, 3),
    ]
    said = call("GET", "/v1/traces", as_="auditor", query={"resource": "claims", "limit": "2"})
    assert len(said.body["items"]) == 2
    rest = call("GET", "/v1/traces", as_="auditor", query={"resource": "claims", "after": said.body["next"]})
    assert len(rest.body["items"]) == len(traces) - 2
    assert "'001'" not in str(said.body)


def test_an_auditor_sees_records_of_use_but_no_data(first: Batch, call: Call, world: World) -> None:
    """S-07 in part."""
    table = world.contracts.get("claims").table
    for who in ("auditor", "admin"):
        assert _sql(call, f"SELECT * FROM {table}", as_=who, duty=DUTY).status == 403
        for way in ("changes", "snapshot"):
            said = call("GET", f"/v1/resources/{{code}}/{way}", as_=who, path={"code": "claims"}, duty=DUTY)
            assert said.status == 403
    assert call("GET", "/v1/traces", as_="auditor", query={"unit": BUREAU}).status == 200


@pytest.fixture(autouse=True)
def _services_before_apps(platform: Platform) -> None:
    """The apps take their services when they are made, after the platform filled them in."""
