"""Athena through boto3, against moto."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import requests
from botocore.stub import Stubber

from huitong.aws.athena import AthenaQueries
from huitong.errors import Fault, HuitongError, InvalidQuery, Unavailable

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
    run = queries.start("SELECT 1")
    execution = athena.get_query_execution(QueryExecutionId=run)["QueryExecution"]
    assert execution["Query"] == "SELECT 1"
    assert execution["QueryExecutionContext"]["Database"] == "huitong"
    assert execution["WorkGroup"] == "primary"
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/q/")


def test_the_answer_comes_without_its_heading_and_with_types(queries: AthenaQueries) -> None:
    _prepare()
    run = queries.start("SELECT 1")
    assert queries.progress(run).state == "succeeded"
    assert queries.columns(run) == [("a", "varchar"), ("d", "decimal(12,2)")]
    assert list(queries.rows(run)) == [["x", "1.50"], [None, None]]


def test_a_stopped_query_is_cancelled(queries: AthenaQueries) -> None:
    run = queries.start("SELECT 1")
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
            AthenaQueries(athena, workgroup="primary", database="x").start("SELECT 1")
