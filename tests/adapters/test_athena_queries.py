"""Athena through boto3, against moto."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.stub import Stubber

from huitong.aws.athena import AthenaQueries
from huitong.errors import Fault, HuitongError, InvalidQuery, Unavailable
from huitong.local.objects import DiskObjects

_TOKEN = "t" * 64
_ROWS = {
    "ResultSetMetadata": {
        "ColumnInfo": [
            {"Name": "a", "Type": "varchar"},
            {"Name": "d", "Type": "decimal", "Precision": 12, "Scale": 2},
        ]
    },
    "Rows": [
        {"Data": [{"VarCharValue": "a"}, {"VarCharValue": "d"}]},
        {"Data": [{"VarCharValue": "x"}, {"VarCharValue": "1.50"}]},
        {"Data": [{}, {}]},
    ],
}


@pytest.fixture
def athena() -> Any:
    return boto3.client("athena", region_name="us-east-1")


@pytest.fixture
def queries(athena: Any) -> AthenaQueries:
    return AthenaQueries(athena, workgroup="primary", database="huitong", output="s3://results/q/")


def _prepare() -> None:
    url = "http://motoapi.amazonaws.com/moto-api/static/athena/query-results"
    requests.post(
        url,
        json={"results": [{"rows": _ROWS["Rows"], "column_info": _ROWS["ResultSetMetadata"]["ColumnInfo"]}]},
        timeout=5,
    )


def test_a_query_is_started_in_its_workgroup_and_database(queries: AthenaQueries, athena: Any) -> None:
    run = queries.start("SELECT 1", _TOKEN)
    execution = athena.get_query_execution(QueryExecutionId=run)["QueryExecution"]
    assert execution["Query"] == "SELECT 1"
    assert execution["QueryExecutionContext"]["Database"] == "huitong"
    assert execution["WorkGroup"] == "primary"
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/q/")


def test_the_answer_comes_without_its_heading_and_with_types(queries: AthenaQueries) -> None:
    _prepare()
    run = queries.start("SELECT 1", _TOKEN)
    assert queries.progress(run).state == "succeeded"
    assert queries.columns(run) == [("a", "varchar"), ("d", "decimal(12,2)")]
    assert list(queries.rows(run)) == [["x", "1.50"], [None, None]]


def test_a_stopped_query_is_cancelled(queries: AthenaQueries) -> None:
    run = queries.start("SELECT 1", _TOKEN)
    queries.stop(run)
    assert queries.progress(run).state == "cancelled"


@pytest.mark.parametrize(
    ("code", "ours"),
    [("InvalidRequestException", InvalidQuery), ("TooManyRequestsException", Unavailable), ("Odd", Fault)],
)
def test_errors_are_ours(athena: Any, code: str, ours: type[HuitongError]) -> None:
    with Stubber(athena) as stub:
        stub.add_client_error("start_query_execution", code, http_status_code=400)
        with pytest.raises(ours):
            AthenaQueries(athena, workgroup="primary", database="x").start("SELECT 1", _TOKEN)


def test_the_same_request_is_the_same_run(athena: Any) -> None:
    """A start that is repeated after a lost answer costs nothing: the token goes with it."""
    with Stubber(athena) as stub:
        wanted = {
            "QueryString": "SELECT 1",
            "ClientRequestToken": _TOKEN,
            "QueryExecutionContext": {"Database": "x"},
            "WorkGroup": "primary",
        }
        stub.add_response("start_query_execution", {"QueryExecutionId": "r1"}, wanted)
        assert AthenaQueries(athena, workgroup="primary", database="x").start("SELECT 1", _TOKEN) == "r1"


@pytest.mark.parametrize(("category", "ours"), [(1, "system"), (2, "user"), (3, "other")])
def test_whose_fault_a_failed_run_is_comes_from_athena(athena: Any, category: int, ours: str) -> None:
    status = {
        "State": "FAILED",
        "StateChangeReason": "X",
        "AthenaError": {"ErrorCategory": category, "Retryable": True},
    }
    execution = {"QueryExecutionId": "r", "Status": status, "Statistics": {"DataScannedInBytes": 12}}
    with Stubber(athena) as stub:
        stub.add_response("get_query_execution", {"QueryExecution": execution})
        found = AthenaQueries(athena, workgroup="primary", database="x").progress("r")
    assert (found.state, found.category, found.retryable, found.scanned_bytes) == ("failed", ours, True, 12)


def test_rows_of_many_pages_come_once_each_without_the_heading(athena: Any) -> None:
    def page(first: int, rows: int, token: str, heading: bool) -> dict[str, Any]:
        cells = [{"Data": [{"VarCharValue": str(n)}]} for n in range(first, first + rows)]
        head = [{"Data": [{"VarCharValue": "a"}]}] if heading else []
        more = {"NextToken": token} if token else {}
        return {"ResultSet": {"Rows": head + cells}, **more}

    with Stubber(athena) as stub:
        asked = {"QueryExecutionId": "r", "MaxResults": 1000}
        stub.add_response("get_query_results", page(0, 2, "t1", True), asked)
        stub.add_response("get_query_results", page(2, 3, "t2", False), {**asked, "NextToken": "t1"})
        stub.add_response("get_query_results", page(5, 1, "", False), {**asked, "NextToken": "t2"})
        rows = list(AthenaQueries(athena, workgroup="primary", database="x").rows("r"))
    assert rows == [[str(n)] for n in range(6)]


def test_files_of_a_fetched_result_are_deleted_where_they_are_ours(athena: Any, tmp_path: Path) -> None:
    bucket = DiskObjects(tmp_path)
    for name in ("q/r1.csv", "q/r1.csv.metadata", "q/r2.csv"):
        bucket.put(name, b"x")
    output = bucket.uri("q/")
    known = AthenaQueries(athena, workgroup="primary", database="x", output=output, results=bucket)
    known.forget("r1")
    assert [o.key for o in bucket.list("q/")] == ["q/r2.csv"]
    AthenaQueries(athena, workgroup="primary", database="x").forget("r2")
    assert [o.key for o in bucket.list("q/")] == ["q/r2.csv"]
