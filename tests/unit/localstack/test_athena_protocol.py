"""The Athena endpoint as boto3 meets it: every operation, its shapes, its states and its refusals (issue 5.5)."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from tests.support.athena_world import BUCKET, World, running

from athena_endpoint.errors import StatementFailed
from athena_endpoint.executions import RUNNING_EACH, WAITING_EACH
from athena_endpoint.operations import SPOKEN
from athena_endpoint.product import Shown

MODEL = ServiceModel(Loader().load_service_model("athena", "service-2"), "athena")
ROWS = pa.table(
    {
        "id": [str(n) for n in range(10)],
        "note": [None, "", '他说"好", 再见\n第二行', *["x"] * 7],
        "amount": pa.array([Decimal("1.50")] * 10, pa.decimal128(12, 2)),
        "day": [date(2026, 1, 31)] * 10,
    }
)
SQL = "SELECT * FROM in_07"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(tmp_path) as made:
        made.platform.answers[SQL] = ROWS
        columns = (("id", "varchar", "主键"), ("amount", "decimal(12,2)", ""))
        made.platform.tables = (Shown("in_07", columns), Shown("in_08", (("at", "timestamp(6)", ""),)))
        yield made


@pytest.fixture
def athena(world: World) -> Any:
    return world.client(world.analyst("zhang"))


def ended(athena: Any, id: str) -> dict[str, Any]:
    """The execution once nothing moves any more."""
    while True:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return found


def run(athena: Any, sql: str = SQL, **more: Any) -> dict[str, Any]:
    return ended(athena, athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"])


def reason(athena: Any, sql: str, **more: Any) -> str:
    found = run(athena, sql, **more)
    assert found["Status"]["State"] == "FAILED"
    return str(found["Status"]["StateChangeReason"])


def refused(call: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**asked)
    return str(caught.value.response["Error"]["Code"])


def values(answer: dict[str, Any]) -> list[list[Any]]:
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]


def test_every_answer_has_the_shape_that_the_service_model_gives_it(world: World, athena: Any) -> None:
    """Issue 5.5: botocore's own description of Athena is the judge of each of the operations spoken."""
    id = run(athena)["QueryExecutionId"]
    athena.create_prepared_statement(StatementName="p", WorkGroup="primary", QueryStatement=SQL)
    of_catalog = {"CatalogName": "AwsDataCatalog"}
    of_database = {**of_catalog, "DatabaseName": "huitong"}
    prepared = {"StatementName": "p", "WorkGroup": "primary"}
    asked: dict[str, dict[str, Any]] = {
        "StartQueryExecution": {"QueryString": SQL}, "GetQueryExecution": {"QueryExecutionId": id},
        "BatchGetQueryExecution": {"QueryExecutionIds": [id, "nobody"]},
        "StopQueryExecution": {"QueryExecutionId": id}, "ListQueryExecutions": {},
        "GetQueryResults": {"QueryExecutionId": id}, "GetQueryRuntimeStatistics": {"QueryExecutionId": id},
        "GetWorkGroup": {"WorkGroup": "primary"}, "ListWorkGroups": {}, "CreateWorkGroup": {"Name": "g"},
        "ListTagsForResource": {"ResourceARN": "arn:aws:athena:us-east-1:000000000000:workgroup/g"},
        "DeleteWorkGroup": {"WorkGroup": "g"}, "ListEngineVersions": {},
        "CreatePreparedStatement": {"StatementName": "s", "WorkGroup": "primary", "QueryStatement": SQL},
        "UpdatePreparedStatement": {**prepared, "QueryStatement": SQL}, "GetPreparedStatement": prepared,
        "BatchGetPreparedStatement": {"PreparedStatementNames": ["p", "no"], "WorkGroup": "primary"},
        "ListPreparedStatements": {"WorkGroup": "primary"}, "DeletePreparedStatement": prepared,
        "ListDataCatalogs": {}, "GetDataCatalog": {"Name": "AwsDataCatalog"}, "ListDatabases": of_catalog,
        "GetDatabase": of_database, "ListTableMetadata": of_database,
        "GetTableMetadata": {**of_database, "TableName": "in_07"},
    }  # fmt: skip
    assert set(asked) == set(SPOKEN)
    for name, body in asked.items():
        answer = athena._make_api_call(name, body)
        answer.pop("ResponseMetadata")
        shape = MODEL.operation_model(name).output_shape
        assert set(answer) <= set(shape.members), name
        assert not ParamValidator().validate(answer, shape).has_errors(), (name, answer)


def test_an_operation_that_is_not_spoken_is_an_invalid_request(athena: Any) -> None:
    """Issue 5.5: a client is told so in Athena's own words, never by a stray status."""
    silent = sorted(set(MODEL.operation_names) - set(SPOKEN))
    assert len(silent) > 30
    for name in silent:
        required = MODEL.operation_model(name).input_shape.required_members
        given = dict.fromkeys(required, "x" * 40)
        with pytest.raises(ClientError) as caught:
            _unchecked(athena, name, given)
        assert caught.value.response["Error"]["Code"] == "InvalidRequestException", name


def _unchecked(athena: Any, name: str, given: dict[str, Any]) -> None:
    """A call without the client's own check of its parameters."""
    serializer = athena._serializer
    validator, serializer._param_validator = serializer._param_validator, _Anything()
    try:
        athena._make_api_call(name, given)
    except (TypeError, AttributeError):  # a structure that a text cannot stand for: sent empty
        athena._make_api_call(name, {})
    finally:
        serializer._param_validator = validator


class _Anything:
    def validate(self, params: Any, shape: Any) -> Any:
        return type("Report", (), {"has_errors": lambda self: False})()


def test_a_query_goes_its_way_and_its_rows_come_with_their_types(world: World, athena: Any) -> None:
    done = run(athena, QueryExecutionContext={"Database": "huitong"})
    assert (done["Status"]["State"], done["StatementType"], done["SubstatementType"]) == (
        "SUCCEEDED", "DML", "SELECT",
    )  # fmt: skip
    answer = athena.get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert values(answer)[0] == ["id", "note", "amount", "day"]
    assert values(answer)[1:4] == [
        ["0", None, "1.50", "2026-01-31"],
        ["1", "", "1.50", "2026-01-31"],
        ["2", '他说"好", 再见\n第二行', "1.50", "2026-01-31"],
    ]
    shown = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(c["Type"], c["Precision"], c["Scale"]) for c in shown][2:] == [
        ("decimal", 12, 2),
        ("date", 0, 0),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pages_of_any_size_give_every_row_once_after_one_heading(
    world: World, athena: Any, size: int
) -> None:
    id = run(athena)["QueryExecutionId"]
    rows, token = [], {}
    while True:
        answer = athena.get_query_results(QueryExecutionId=id, MaxResults=size, **token)
        assert len(answer["ResultSet"]["Rows"]) <= size
        rows += values(answer)
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert [row[0] for row in rows] == ["id", *(str(n) for n in range(10))]
    assert world.platform.pages == 3  # of the platform, four rows each: not one for each of the client's


def test_a_result_as_file_has_athenas_form_and_lies_in_the_own_folder(world: World, athena: Any) -> None:
    """S-33: the work group decides the place, whatever the client asked for."""
    elsewhere = {"OutputLocation": "s3://elsewhere/mine/"}
    done = run(athena, WorkGroup="files", ResultConfiguration=elsewhere)
    location = f"s3://{BUCKET}/queries/analysts/zhang/{done['QueryExecutionId']}.csv"
    assert done["ResultConfiguration"]["OutputLocation"] == location
    key = location.removeprefix(f"s3://{BUCKET}/")
    lines = world.s3.objects[key][0].decode()
    assert lines.startswith(
        '"id","note","amount","day"\n"0",,"1.50","2026-01-31"\n"1","","1.50","2026-01-31"\n'
    )
    assert '"2","他说""好"", 再见\n第二行","1.50"' in lines
    assert set(world.s3.objects) == {key, f"{key}.metadata"}


def test_a_client_that_names_its_own_folder_gets_a_file_and_others_get_none(
    world: World, athena: Any
) -> None:
    own = {"OutputLocation": f"s3://{BUCKET}/queries/analysts/zhang/"}
    assert run(athena)["Status"]["State"] == "SUCCEEDED"
    run(athena, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/queries/analysts/li/"})
    assert world.s3.objects == {}
    assert run(athena, ResultConfiguration=own)["ResultConfiguration"]["OutputLocation"].endswith(".csv")
    assert len(world.s3.objects) == 2


def test_what_the_platform_refuses_is_a_failed_query_with_its_reason(world: World, athena: Any) -> None:
    """S-11, Q-39: never rows."""
    world.platform.answers["SELECT 1"] = StatementFailed("须指明案件", "Name a case", code="not-permitted")
    done = run(athena, "SELECT 1")
    assert done["Status"]["State"] == "FAILED"
    assert done["Status"]["StateChangeReason"] == "须指明案件 / Name a case [not-permitted]"
    assert done["Status"]["AthenaError"]["ErrorCategory"] == 2
    id = done["QueryExecutionId"]
    assert refused(athena.get_query_results, QueryExecutionId=id) == "InvalidRequestException"


def test_unload_is_an_export_into_the_own_folder_only(world: World, athena: Any) -> None:
    """C-21, L-38: the file is the platform's, with its mark."""
    import pyarrow.parquet as pq

    own = f"s3://{BUCKET}/queries/analysts/zhang/taken/"
    text = f"UNLOAD ({SQL}) TO '{{}}' WITH (format = 'PARQUET', compression = 'SNAPPY')"
    done = run(athena, text.format(own), WorkGroup="files")
    manifest = done["Statistics"]["DataManifestLocation"]
    listed = world.s3.objects[manifest.removeprefix(f"s3://{BUCKET}/")][0].decode().split()
    assert [uri.startswith(own) for uri in listed] == [True]
    table = pq.read_table(pa.BufferReader(world.s3.objects[listed[0].removeprefix(f"s3://{BUCKET}/")][0]))
    assert table.column_names[-1] == "_mark"
    assert table.num_rows == 10
    assert "HIVE_PATH_ALREADY_EXISTS" in reason(athena, text.format(own), WorkGroup="files")
    others = f"s3://{BUCKET}/queries/analysts/li/"
    for place in (others, "s3://elsewhere/", f"{own}../../li/"):
        assert "unload-location" in reason(athena, text.format(place), WorkGroup="files")
    assert "work group files" in reason(athena, text.format(f"{own}more/"))


def test_one_analyst_neither_sees_nor_stops_anothers_queries(world: World, athena: Any) -> None:
    """S-10, S-33."""
    id = run(athena)["QueryExecutionId"]
    other = world.client(world.analyst("li"))
    for call in (other.get_query_execution, other.get_query_results, other.stop_query_execution):
        assert refused(call, QueryExecutionId=id) == "InvalidRequestException"
    assert other.list_query_executions()["QueryExecutionIds"] == []
    batch = other.batch_get_query_execution(QueryExecutionIds=[id])
    assert batch["QueryExecutions"] == []
    assert batch["UnprocessedQueryExecutionIds"][0]["ErrorCode"] == "QUERY_EXECUTION_NOT_FOUND"
    athena.create_work_group(Name="mine", Tags=[{"Key": "case", "Value": "(2026)粤03破1号"}])
    assert refused(other.get_work_group, WorkGroup="mine") == "InvalidRequestException"


def test_few_queries_run_at_once_others_wait_and_more_are_refused(world: World, athena: Any) -> None:
    """S-34: bounded for each analyst, so that nobody waits for somebody else's."""
    gate, reached = threading.Event(), threading.Semaphore(0)

    def slow() -> pa.Table:
        reached.release()
        gate.wait(20)
        return ROWS

    world.platform.answers["SELECT slow"] = slow
    started = [
        athena.start_query_execution(QueryString="SELECT slow")["QueryExecutionId"]
        for _ in range(RUNNING_EACH + WAITING_EACH)
    ]
    for _ in range(RUNNING_EACH):
        assert reached.acquire(timeout=20)
    states = [athena.get_query_execution(QueryExecutionId=id) for id in started]
    shown = [s["QueryExecution"]["Status"]["State"] for s in states]
    assert shown == ["RUNNING"] * RUNNING_EACH + ["QUEUED"] * WAITING_EACH
    assert refused(athena.start_query_execution, QueryString="SELECT slow") == "TooManyRequestsException"
    other = world.client(world.analyst("li"))
    assert run(other)["Status"]["State"] == "SUCCEEDED"
    for id in started:
        athena.stop_query_execution(QueryExecutionId=id)
        assert ended(athena, id)["Status"]["State"] == "CANCELLED"
    gate.set()
    assert run(athena)["Status"]["State"] == "SUCCEEDED"
    assert len([1 for _, sql, _ in world.platform.asked if sql == "SELECT slow"]) == RUNNING_EACH
    assert world.s3.objects == {}


def test_a_request_token_begins_one_query_only(world: World, athena: Any) -> None:
    asked = {"QueryString": SQL, "ClientRequestToken": "t" * 40}
    first = athena.start_query_execution(**asked)
    assert athena.start_query_execution(**asked)["QueryExecutionId"] == first["QueryExecutionId"]
    assert refused(athena.start_query_execution, **{**asked, "QueryString": "SELECT 2"}) == (
        "InvalidRequestException"
    )
    ended(athena, first["QueryExecutionId"])
    assert len(world.platform.asked) == 1


def test_the_use_comes_from_comment_work_group_or_profile_the_nearest_first(world: World) -> None:
    """S-11: a ground is never mixed of two places."""
    athena = world.client(world.analyst("zhang", duty="case-work", purpose="日常"))
    athena.create_work_group(Name="c1", Tags=[{"Key": "case", "Value": "(2026)粤03破1号"}])

    def used(sql: str, **more: Any) -> dict[str, str]:
        run(athena, sql, **more)
        return {k: v for k, v in world.platform.asked[-1][2].items() if v}

    assert used(SQL) == {"duty": "case-work", "purpose": "日常"}
    assert used(SQL, WorkGroup="c1") == {"case": "(2026)粤03破1号", "purpose": "日常"}
    hint = "-- huitong: grant=g1; purpose=核对\n/* mine */ "
    assert used(hint + SQL, WorkGroup="c1") == {"grant": "g1", "purpose": "核对"}
    asked = len(world.platform.asked)
    assert "[hint]" in reason(athena, "-- huitong: caze=(2026)粤03破1号\n" + SQL)
    assert len(world.platform.asked) == asked


def test_a_key_ends_with_its_credential_for_s3_too(world: World, athena: Any) -> None:
    """S-10: what was withdrawn is withdrawn with the next request."""
    id = run(athena)["QueryExecutionId"]
    assert len(world.iam.keys) == 1
    world.platform.tokens.clear()
    assert refused(athena.get_query_results, QueryExecutionId=id) == "UnrecognizedClientException"
    assert world.iam.keys == {}
    assert refused(athena.list_work_groups) == "UnrecognizedClientException"


def test_pages_end_when_the_platform_no_longer_gives_them(world: World, athena: Any) -> None:
    id = run(athena)["QueryExecutionId"]
    world.platform.results.clear()
    assert refused(athena.get_query_results, QueryExecutionId=id) == "InvalidRequestException"


def test_prepared_statements_and_parameters_are_put_in_as_literals(world: World, athena: Any) -> None:
    text = "SELECT * FROM in_07 WHERE id = ? AND note <> '?' -- ?\n AND day = ?"
    filled = "SELECT * FROM in_07 WHERE id = '7' AND note <> '?' -- ?\n AND day = DATE '2026-01-31'"
    world.platform.answers[filled] = ROWS
    given = ["'7'", "DATE '2026-01-31'"]
    assert run(athena, text, ExecutionParameters=given)["Status"]["State"] == "SUCCEEDED"
    assert run(athena, f"PREPARE p FROM {text}")["Status"]["State"] == "SUCCEEDED"
    assert run(athena, "EXECUTE p USING '7', DATE '2026-01-31'")["Status"]["State"] == "SUCCEEDED"
    assert [sql for _, sql, _ in world.platform.asked] == [filled, filled]
    for wrong in (["'7'"], ["'7'", "1 OR true"], ["'7'", "(SELECT 1)"], ["'7'", "x"]):
        assert "[parameters]" in reason(athena, text, ExecutionParameters=wrong)
    assert run(athena, "DEALLOCATE PREPARE p")["Status"]["State"] == "SUCCEEDED"
    assert "not found" in reason(athena, "EXECUTE p")


def test_what_there_is_is_shown_as_athena_shows_it(world: World, athena: Any) -> None:
    def shown(sql: str) -> list[list[Any]]:
        done = run(athena, sql, WorkGroup="files")
        key = done["ResultConfiguration"]["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        rows = values(athena.get_query_results(QueryExecutionId=done["QueryExecutionId"]))
        assert key.endswith(".txt")
        assert world.s3.objects[key][0].decode() == "".join(f"{row[0]}\n" for row in rows)
        return rows

    assert shown("SHOW DATABASES") == [["huitong"]]
    assert shown("SHOW TABLES IN `huitong` '*7'") == [["in_07"]]
    assert shown("show tables") == [["in_07"], ["in_07$changes"], ["in_08"], ["in_08$changes"]]
    assert shown("SHOW COLUMNS IN huitong.in_07") == [["id".ljust(20)], ["amount".ljust(20)]]
    assert shown('DESCRIBE "in_07";')[1] == ["\t".join(x.ljust(20) for x in ("amount", "decimal(12,2)", ""))]
    assert "not-found" in reason(athena, "DESCRIBE in_09")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT 1", "INSERT INTO in_07 VALUES (1)", "DROP TABLE in_07", "DELETE FROM in_07",
        "MSCK REPAIR TABLE in_07", "EXPLAIN SELECT 1", "SHOW TABLES IN other", "", "-- nothing",
        "UNLOAD (SELECT 1) TO 's3://x/' WITH (format = 'ORC')", "UNLOAD (SELECT 1", "/* open",
    ],
)  # fmt: skip
def test_what_is_not_reading_fails_before_the_platform_is_asked(world: World, athena: Any, sql: str) -> None:
    """S-17."""
    if sql:
        assert " / " in reason(athena, sql, WorkGroup="files")
    else:
        assert refused(_Raw(athena), QueryString="") == "InvalidRequestException"
    assert world.platform.asked == []


class _Raw:
    def __init__(self, athena: Any) -> None:
        self._athena = athena

    def __call__(self, **given: Any) -> None:
        _unchecked(self._athena, "StartQueryExecution", given)


def test_metadata_tell_of_what_the_analyst_may_know_of_in_hives_types(world: World, athena: Any) -> None:
    of = {"CatalogName": "AwsDataCatalog", "DatabaseName": "huitong"}
    one = athena.get_table_metadata(**of, TableName="IN_07")["TableMetadata"]
    assert one["Columns"] == [
        {"Name": "id", "Type": "string", "Comment": "主键"},
        {"Name": "amount", "Type": "decimal(12,2)"},
    ]
    first = athena.list_table_metadata(**of, MaxResults=1)
    rest = athena.list_table_metadata(**of, MaxResults=1, NextToken=first["NextToken"])
    names = [t["Name"] for page in (first, rest) for t in page["TableMetadataList"]]
    assert names == ["in_07", "in_08"]
    assert "NextToken" not in rest
    assert refused(athena.get_table_metadata, **of, TableName="in_09") == "MetadataException"
    assert refused(athena.list_databases, CatalogName="other") == "InvalidRequestException"
    assert refused(athena.list_table_metadata, **of, NextToken="???") == "InvalidRequestException"


def test_glue_tells_the_same_and_lets_nothing_be_written(world: World) -> None:
    """awswrangler looks tables up there."""
    glue = world.client(world.analyst("zhang"), "glue")
    assert [d["Name"] for d in glue.get_databases()["DatabaseList"]] == ["huitong"]
    assert glue.get_database(Name="huitong")["Database"]["Name"] == "huitong"
    found = glue.get_table(DatabaseName="huitong", Name="in_07")["Table"]
    assert [c["Type"] for c in found["StorageDescriptor"]["Columns"]] == ["string", "decimal(12,2)"]
    assert [t["Name"] for t in glue.get_tables(DatabaseName="huitong", Expression="8$")["TableList"]] == [
        "in_08"
    ]
    assert glue.get_partitions(DatabaseName="huitong", TableName="in_07")["Partitions"] == []
    assert refused(glue.get_table, DatabaseName="huitong", Name="in_09") == "EntityNotFoundException"
    assert refused(glue.delete_table, DatabaseName="huitong", Name="temp") == "EntityNotFoundException"
    assert refused(glue.delete_table, DatabaseName="huitong", Name="in_07") == "AccessDeniedException"
    assert refused(glue.create_database, DatabaseInput={"Name": "x"}) == "AccessDeniedException"


def test_keys_are_issued_to_whom_the_platform_knows_and_the_former_pair_ends(world: World) -> None:
    """S-06: bound to the credential; nothing plain lies on the disk but in the analyst's own files."""
    world.platform.tokens["ht_a"] = "zhang"

    def issue(token: str) -> dict[str, str]:
        body = json.dumps({"token": token, "duty": "case-work"}).encode()
        request = urllib.request.Request(
            f"{world.url}/credentials", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            made: dict[str, str] = json.load(answer)
            return made

    with pytest.raises(urllib.error.HTTPError) as caught:
        issue("ht_nobody")
    assert caught.value.code == 403
    first, second = issue("ht_a"), issue("ht_a")
    assert world.keys.find(first["access_key_id"]) is None
    assert list(world.iam.keys) == [second["access_key_id"]]
    policy = json.loads(world.iam.users["huitong-analyst-zhang"])
    assert {s["Resource"] for s in policy["Statement"]} == {
        f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/queries/analysts/zhang/*",
    }  # fmt: skip
    kept = world.folder / "keys.json"
    assert kept.stat().st_mode & 0o077 == 0


def test_another_host_name_is_not_answered(world: World) -> None:
    """A page in a browser could resolve a name of its own to this machine."""
    request = urllib.request.Request(f"{world.url}/health", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    assert caught.value.code == 403


def test_results_go_after_an_hour_and_queries_are_forgotten(tmp_path: Path) -> None:
    """S-16: nothing is kept for longer than the platform keeps a result."""
    at = [1_000_000.0]
    with running(tmp_path, lambda: at[0]) as world:
        world.platform.answers[SQL] = ROWS
        athena = world.client(world.analyst("zhang"))
        id = run(athena, WorkGroup="files")["QueryExecutionId"]
        assert world.storage.remove_older(datetime.now(UTC)) == 0
        assert world.storage.remove_older(datetime.now(UTC) + timedelta(minutes=61)) == 2
        assert world.s3.objects == {}
        at[0] += 3_601
        run(athena)
        assert refused(athena.get_query_execution, QueryExecutionId=id) == "InvalidRequestException"
