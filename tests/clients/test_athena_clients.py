"""PyAthena, awswrangler, SQLAlchemy and the AWS CLI, unchanged, against the local stack (issue 5.5).

Their own behaviour is the judge. Needs .venv-athena: `make test-athena`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.conftest import GIVEN, Analyst, issued
from tests.support.town import DUTY, Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # forty queries by thirty clients
SELECT = "SELECT id, note, name, day, moment, amount, flag, big FROM huitong.analysts"
#: A hint as the first comment names the ground of each query.
HINTED = f"-- huitong: duty={DUTY}; purpose=核对\n{SELECT}"
#: What these libraries do to a result of Athena, anywhere: empty text for null, a number with a null as float.
TEXTS_FOR_NULL = ("arrow table", "ArrowCursor", "AsyncArrowCursor", "AioArrowCursor")
FLOATS = ("pandas unload",)


@pytest.fixture(scope="module")
def read(analyst: Analyst) -> dict[str, Any]:
    """What each client gave."""
    reader = str(__file__).replace("test_athena_clients.py", "reader.py")
    group(analyst, "taken", "--configuration", "ManagedQueryResultsConfiguration={Enabled=false}")
    done = analyst.run("python", reader, HINTED, SELECT, analyst.variables["ATHENA_RESULTS"], "taken")
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def group(analyst: Analyst, name: str, *more: str) -> None:
    """A work group that says what its queries are for, made by the AWS CLI."""
    tags = ("--tags", f"Key=duty,Value={DUTY}", "Key=purpose,Value=核对")
    made = analyst.run("aws", "athena", "create-work-group", "--name", name, *tags, *more)
    assert made.returncode == 0, made.stderr


def as_read_by(name: str) -> list[list[Any]]:
    rows = [list(row) for row in GIVEN]
    if name in TEXTS_FOR_NULL:
        rows[1][1] = ""
    if name == "arrow table":  # decimals and moments stay text there
        rows[1][5] = ""
    if name in FLOATS:
        rows[0][7] = 9007199254740992
    return rows


def test_every_client_reads_the_same_masked_rows(read: dict[str, Any]) -> None:
    """Issue 5.5, L-38: dates, moments, decimals, booleans, long numbers, nulls, Chinese, quotes, line breaks."""
    assert len(read) >= 30
    assert {name: rows for name, rows in read.items() if rows != as_read_by(name)} == {}


def test_each_query_left_one_record(read: dict[str, Any], analyst: Analyst, town: Town) -> None:
    """Q-04: of each query one record, with its ground; of each file taken away one more."""
    athena = analyst.client("athena")
    ran = [
        one
        for name in ("primary", "files", "taken")
        for ids in [athena.list_query_executions(WorkGroup=name)["QueryExecutionIds"]]
        for one in athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
        if one["Status"]["State"] == "SUCCEEDED" and one["StatementType"] == "DML"
    ]
    unloads = [one for one in ran if one["SubstatementType"] == "UNLOAD"]
    assert len(ran) == len(read)
    assert len(unloads) == 3
    for act, count in (("query", len(ran)), ("download", len(unloads))):
        query = f"/v1/evidence?resource=analysts&unit={town.HOUSING}&act={act}&limit=100"
        status, found = town.api("auditor").call("GET", query)
        assert (status, len(found["items"])) == (200, count), act
        assert {one["duty"] for one in found["items"]} == {DUTY}
        assert {one["purpose"] for one in found["items"]} == {"核对"}


def test_without_a_ground_no_client_gets_a_row_and_a_work_group_can_name_it(analyst: Analyst) -> None:
    """S-11: refused by the platform, told by Athena's own state; the AWS CLI makes the work group."""
    group(analyst, "case-work")
    assert "请指明授权所属的案件、职责" in _read_by(analyst, "")
    assert _read_by(analyst, "", work_group="case-work") == "3 rows"
    gone = analyst.run("aws", "athena", "delete-work-group", "--work-group", "case-work")
    assert gone.returncode == 0


def _read_by(analyst: Analyst, hint: str, work_group: str = "primary") -> str:
    program = """
import sys
from pyathena import connect
from pyathena.error import OperationalError
try:
    cursor = connect(work_group=sys.argv[1], poll_interval=0.05).cursor()
    print(len(cursor.execute(sys.argv[2]).fetchall()), "rows")
except OperationalError as error:
    print(error)
"""
    done = analyst.run("python", "-c", program, work_group, hint + SELECT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.differs("no-iam")
def test_a_second_analyst_gets_nothing_by_any_way(analyst: Analyst, stranger: Analyst, read: Any) -> None:
    """S-10, S-33: neither the table, nor its name, nor the files of the first."""
    assert "没有表 analysts" in _read_by(stranger, f"-- huitong: duty={DUTY}\n")
    tables = stranger.client("athena").list_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="huitong"
    )
    assert tables["TableMetadataList"] == []
    bucket, _, prefix = analyst.variables["ATHENA_RESULTS"].removeprefix("s3://").partition("/")
    mine = analyst.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert mine
    for call in (
        lambda s3: s3.get_object(Bucket=bucket, Key=mine[0]["Key"]),
        lambda s3: s3.list_objects_v2(Bucket=bucket, Prefix=prefix),
        lambda s3: s3.put_object(Bucket=bucket, Key=f"{prefix}x.csv", Body=b""),
        lambda s3: s3.delete_object(Bucket=bucket, Key=mine[0]["Key"]),
    ):
        with pytest.raises(ClientError) as caught:
            call(stranger.client("s3"))
        assert caught.value.response["Error"]["Code"] in ("AccessDenied", "403")
    for key in ("queries/", "contracts/", ""):
        with pytest.raises(ClientError):
            analyst.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)


def test_awswrangler_finds_tables_and_tells_why_it_makes_none(analyst: Analyst) -> None:
    program = f"""
import json, awswrangler as wr
told = {{"types": wr.catalog.get_table_types(database="huitong", table="analysts")}}
told["described"] = wr.athena.describe_table("analysts", database="huitong", workgroup="files")["Type"].tolist()
try:
    wr.athena.read_sql_query({HINTED!r}, database="huitong")
except wr.exceptions.QueryFailed as error:
    told["ctas"] = str(error)
print(json.dumps(told, ensure_ascii=False))
"""
    done = analyst.run("python", "-c", program)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert {n: told["types"][n] for n in ("name", "amount", "day")} == {
        "name": "string", "amount": "decimal(12,2)", "day": "date",
    }  # fmt: skip
    assert "secret" not in told["types"]
    assert told["described"] == list(told["types"].values())
    assert "ctas_approach=False" in told["ctas"]


def test_a_profile_that_signs_its_requests_serves_as_well(town: Town, endpoint: Path) -> None:
    """S-01: no token is needed where a system has a signing key."""
    town.api("agency")
    listed = town.admin.call("GET", "/v1/credentials")[1]
    mine = next(c for c in listed["items"] if c["name"] == "agency")
    made = town.done("POST", f"/v1/credentials/{mine['id']}/key", {})
    signing = {"api_url": town.stack.api_url, "credential": mine["id"], "key": made["key"]}
    agency = issued(town, endpoint, "agency", signing)
    assert agency.variables["ATHENA_RESULTS"].endswith(f"/{mine['id']}/")
    found = agency.client("athena").list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert [one["Name"] for one in found] == ["huitong"]
    assert "analysts" in [
        one["Name"]
        for one in agency.client("athena").list_table_metadata(
            CatalogName="AwsDataCatalog", DatabaseName="huitong"
        )["TableMetadataList"]
    ]


@pytest.mark.differs("no-iam")
def test_a_withdrawn_credential_ends_both_services(town: Town, stranger: Analyst) -> None:
    """S-10: the next request of Athena's finds out, and the pair ends for S3, too."""
    who = town.api("police").call("GET", "/v1/me")[1]["id"]
    bucket, _, prefix = stranger.variables["ATHENA_RESULTS"].removeprefix("s3://").partition("/")
    assert stranger.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"] == 0
    town.done("DELETE", f"/v1/credentials/{who}")
    with pytest.raises(ClientError) as caught:
        stranger.client("athena").list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="huitong")
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
    with pytest.raises(ClientError) as caught:
        stranger.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    assert caught.value.response["Error"]["Code"] in (
        "InvalidAccessKeyId",
        "AccessDenied",
        "InvalidClientTokenId",
    )
