"""The whole flow as its users drive it: by the command line, by HTTP, or by an object in the bucket."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
import zipfile
from collections import Counter

import pyarrow.ipc
import pytest
from tests.support.town import DUTY, Api, Town, lines

pytestmark = pytest.mark.e2e
ARROW = "application/vnd.apache.arrow.stream"


def test_an_object_that_simply_appears_is_taken(town: Town) -> None:
    """X-08: also when the next edition takes its place under the same name."""
    resource = town.contract("flow-direct")
    for number, (rows, changed) in enumerate(((range(1, 6), (5, 0, 0)), (range(2, 8), (2, 0, 1))), start=1):
        town.land(f"{town.COURT}/{resource}/cases.csv", lines(rows))
        batches = town.eventually(
            lambda: town.batches(resource=resource, status="published"),
            lambda found, number=number: len(found) == number,
        )
        assert tuple(batches[0][name] for name in ("inserted", "updated", "deleted")) == changed
    rows = town.sql("SELECT id FROM flow_direct ORDER BY 1")
    assert [row["id"] for row in rows] == [f"{n:04}" for n in range(2, 8)]
    assert town.ledger(resource)["balanced"]


def test_a_held_edition_is_served_only_when_an_officer_lets_it_go(town: Town) -> None:
    """C-14, Q-33: the guard; nobody decides on a delivery of the own unit."""
    resource = town.contract("flow-held")
    count = "SELECT count(*) AS n FROM flow_held"
    assert town.deliver(lines(range(1, 101)), resource, edition="1")["status"] == "published"

    rejected = town.deliver(lines(range(1, 41)), resource, edition="2")
    assert (rejected["status"], rejected["deleted"]) == ("held", 0)
    assert rejected["preview"]["zh"]
    assert rejected["preview"]["en"]
    for who in ("court", "court-officer", "agency"):
        refused = town.huitong(who)("batch", "release", rejected["id"], status=1)
        assert refused["code"] in ("not-permitted", "not-found"), who
    assert town.sql(count) == [{"n": 100}]
    told = town.huitong("officer")("batch", "reject", rejected["id"], "--reason", "导出不完整")
    assert (told["status"], town.sql(count)) == ("rejected", [{"n": 100}])

    released = town.deliver(lines(range(1, 31)), resource, edition="3")
    assert (released["status"], town.sql(count)) == ("held", [{"n": 100}])
    town.huitong("officer")("batch", "release", released["id"])
    done = town.eventually(
        lambda: town.admin.call("GET", f"/v1/batches/{released['id']}")[1],
        lambda batch: batch["status"] == "published",
    )
    assert (done["deleted"], town.sql(count)) == (70, [{"n": 30}])
    ledger = town.ledger(resource)
    assert (ledger["balanced"], ledger["deleted"]) == (True, 70)


def test_rows_by_api_under_one_key_are_one_batch_and_deletions_delete(town: Town) -> None:
    """Q-06: JSON rows; a call that is repeated for safety changes nothing."""
    resource = town.contract("flow-rows")
    court, path = town.api("court"), f"/v1/resources/{resource}/records"
    rows = [{"id": f"{n:04}", "area": "南山", "amount": "2.00"} for n in range(1, 11)]
    taken = [
        court.call("POST", path, {"rows": rows, "mode": "increment"}, Idempotency_Key="k-1") for _ in range(3)
    ]
    assert [status for status, _ in taken] == [202] * 3
    assert len({told["upload_id"] for _, told in taken}) == 1
    first = town.ended(taken[0][1]["upload_id"])
    assert (first["status"], first["inserted"]) == ("published", 10)
    assert len(town.batches(resource=resource)) == 1

    other = court.call("POST", path, {"rows": rows[:1], "mode": "increment"}, Idempotency_Key="k-1")
    assert other[0] in (409, 422), other
    status, told = court.call(
        "POST", path, {"rows": [{**rows[0], "area": "罗湖"}], "deletions": [{"id": "0009"}, {"id": "0010"}],
                       "mode": "increment"}, Idempotency_Key="k-2"
    )  # fmt: skip
    assert status == 202, told
    second = town.ended(told["upload_id"])
    assert (second["updated"], second["deleted"], second["inserted"]) == (1, 2, 0)
    assert town.sql("SELECT area, count(*) AS n FROM flow_rows GROUP BY 1 ORDER BY n") == [
        {"area": "罗湖", "n": 1},
        {"area": "南山", "n": 7},
    ]
    assert town.ledger(resource)["balanced"]


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def macro_workbook() -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, ["id", "area", "name", "id_no", "amount"])
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\0" * 64)
    return buffer.getvalue()


def test_poisoned_files_of_one_unit_stop_nobody_else(town: Town) -> None:
    """X-12, Q-22: each is refused in words that a clerk understands, and the others' rows flow."""
    poisoned, healthy = town.contract("flow-poison", town.POLICE), town.contract("flow-healthy")
    police, bucket = town.huitong("police"), town.stack.outputs["LandingBucket"]
    api = town.api("police")
    uploads = {
        "archive.too-large": api.put_file(
            zipped(**{"a.csv": b"A" * 30_000_000}), poisoned, town.POLICE, "a.zip"
        ),
        "file.macros": api.put_file(macro_workbook(), poisoned, town.POLICE, "macros.xlsx"),
        "file.empty": api.put_file(b"", poisoned, town.POLICE, "empty.csv"),
        "columns.missing": api.put_file(b"a,b\n1,2\n", poisoned, town.POLICE, "other.csv"),
    }
    town.land(f"{town.POLICE}/no-such-resource/a.csv", lines(range(2)))
    town.land(f"{town.POLICE}/{healthy}/a.csv", lines(range(2)))
    town.land("stray.csv", b"x")
    good = town.deliver(lines(range(1, 21)), healthy)
    assert (good["status"], good["inserted"]) == ("published", 20)

    refused = {rule: town.ended(upload) for rule, upload in uploads.items()}
    direct = town.eventually(
        lambda: [b for b in town.batches("police", unit=town.POLICE) if b["filename"] == "a.csv"],
        lambda found: len(found) == 2 and all(b["status"] == "rejected" for b in found),
    )
    refused |= {b["refusal"]["problems"][0]["rule"]: b for b in direct}
    assert {"unit.foreign", "resource.unknown"} < set(refused)
    for rule, batch in refused.items():
        told = police("batch", "show", batch["id"])
        assert told["status"] == "rejected", rule
        assert told["refusal"]["problems"][0]["rule"] == rule
        assert any("\u4e00" <= char <= "\u9fff" for char in told["refusal"]["zh"]), rule
        assert told["refusal"]["en"], rule
        people = police.run("batch", "show", batch["id"]).stdout
        assert told["refusal"]["zh"] in people
        kept = town.stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{town.POLICE}/")["Contents"]
        assert any(o["Key"].endswith(batch["filename"]) for o in kept)
    assert town.ledger(healthy)["balanced"]
    assert town.ledger(poisoned)["balanced"]

    broken = lines(range(1, 21)).replace(b",1.50", b",viel", 1).replace(b"0002,", b",", 1)
    partly = town.deliver(broken, poisoned, "police", filename="broken.csv")
    assert (partly["status"], partly["quarantined"], partly["inserted"]) == ("published", 2, 18)
    findings = police("findings", partly["id"])["items"]
    assert {(f["source_row"], f["column"]) for f in findings} == {(2, "amount"), (3, "id")}
    assert all(f["zh"] and f["en"] for f in findings)


def test_an_event_that_comes_five_times_more_changes_nothing(town: Town) -> None:
    """X-12: the queue may deliver as often as it likes."""
    resource = town.contract("flow-again")
    key = f"{town.COURT}/{resource}/cases.csv"
    version = town.land(key, lines(range(1, 11)))
    town.eventually(
        lambda: town.batches(resource=resource, status="published"), lambda found: len(found) == 1
    )
    batches, ledger = town.batches(resource=resource), town.ledger(resource)
    told = {
        "Records": [
            {
                "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "eventTime": "2026-01-01T00:00:00.000Z",
                "s3": {"bucket": {"name": town.stack.outputs["LandingBucket"]},
                       "object": {"key": key, "versionId": version}},
            }
        ]
    }  # fmt: skip
    sqs, queue = town.stack.client("sqs"), town.stack.outputs["IngestQueue"]
    for _ in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(told))
    marker = town.deliver(lines([1]), town.contract("flow-again-marker"))  # behind them in the queue
    assert marker["status"] == "published"
    waiting = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    town.eventually(
        lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=waiting)["Attributes"],
        lambda found: all(int(found[name]) == 0 for name in waiting),
    )
    assert town.batches(resource=resource) == batches
    assert town.ledger(resource) == ledger
    assert town.sql('SELECT count(*) AS n FROM "flow_again$changes"') == [{"n": 10}]


def test_strangers_and_other_units_are_refused_at_the_gateway_and_in_the_application(town: Town) -> None:
    """L-34, S-36: what the authorizer said counts for a while at the gateway, so the application checks, too."""
    resource = town.contract("flow-who")
    batch = town.deliver(lines(range(3)), resource)
    url = town.stack.api_url
    for token in ("", "ht_x_y", town.admin.token[:-1] + "!"):
        assert Api(url, token).call("GET", f"/v1/batches/{batch['id']}")[0] in (401, 403), token
    functions = town.stack.client("lambda").list_functions()["Functions"]
    name = next(f["FunctionName"] for f in functions if "-ApiFunction-" in f["FunctionName"])
    event = {
        "httpMethod": "GET", "path": f"/v1/batches/{batch['id']}", "pathParameters": {"id": batch["id"]},
        "resource": "/v1/batches/{id}", "queryStringParameters": None,
        "multiValueQueryStringParameters": None, "body": None, "isBase64Encoded": False,
        "stageVariables": None, "multiValueHeaders": {},
        "requestContext": {"resourcePath": "/v1/batches/{id}", "httpMethod": "GET", "requestId": "r",
                           "identity": {"sourceIp": "127.0.0.1"}},
    }  # fmt: skip

    def past_the_gateway(token: str) -> int:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        made = town.stack.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps({**event, "headers": headers}).encode()
        )
        return int(json.loads(made["Payload"].read())["statusCode"])

    assert [past_the_gateway(t) for t in ("", "ht_x_y", town.api("court").token)] == [401, 401, 200]
    assert past_the_gateway(town.api("police").token) == 404  # nor is it told that there is one

    police = town.api("police")
    assert police.call("GET", "/v1/me", Huitong_Unit=town.COURT)[0] == 403
    body = {"resource": resource, "filename": "a.csv", "unit": town.COURT}
    assert police.call("POST", "/v1/uploads", body)[0] in (403, 404)
    assert police.call("POST", "/v1/uploads", {**body, "unit": town.POLICE})[0] in (403, 404)
    assert police.call("POST", f"/v1/resources/{resource}/records", {"rows": [{"id": "1"}]})[0] in (403, 404)
    assert police.call("GET", f"/v1/batches?unit={town.COURT}")[0] == 403
    assert {b["unit"] for b in town.batches("court")} == {town.COURT}
    assert town.COURT not in {b["unit"] for b in town.batches("police")}


def test_an_analyst_sees_by_sql_what_the_grant_lets_through(town: Town) -> None:
    """C-11, S-10: as of, changes, masks, rows, forms; and nothing but one SELECT."""
    resource = town.contract("flow-sql")
    first = town.deliver(lines(range(1, 6)) + lines([6], area="罗湖").partition(b"\n")[2], resource)
    town.deliver(lines(range(1, 7), amount="9.99"), resource)
    town.share(resource, town.HOUSING)
    town.grant(
        town.HOUSING,
        resource,
        fields=["id", "area", "name", "id_no"],
        row_filter="area = '福田'",
        purpose="核查",
    )
    analyst = town.huitong("housing")

    now = analyst("sql", "SELECT * FROM flow_sql ORDER BY id")
    shown = [{k: v for k, v in row.items() if not k.startswith("_")} for row in now["rows"]]
    assert [row["id"] for row in shown] == [f"{n:04}" for n in range(1, 7)]
    assert set(shown[0]) == {"id", "area", "name", "id_no"}
    assert not any("王小" in row["name"] or "19900101" in row["id_no"] for row in shown)
    then = f"SELECT count(*) AS n FROM flow_sql FOR VERSION AS OF '{first['id']}'"
    assert analyst("sql", then)["rows"] == [{"n": 5}]  # the sixth was in another area then
    changes = town.sql('SELECT _op, count(*) AS n FROM "flow_sql$changes" GROUP BY 1')
    assert {row["_op"]: row["n"] for row in changes} == {"insert": 6, "update": 6}
    seen = analyst("sql", 'SELECT _op, id FROM "flow_sql$changes"')["rows"]
    assert Counter(row["_op"] for row in seen) == {"insert": 6}
    for refused in (
        "SELECT amount FROM flow_sql",
        "DROP TABLE flow_sql",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM 's3://huitong-warehouse-000000000000/x.parquet'",
        'SELECT * FROM "flow_sql$quarantine"',
        "SELECT * FROM flow_who",
    ):
        told = analyst("sql", refused, status=1)
        assert told["code"] in ("invalid-query", "not-found"), refused

    sql = "SELECT id, area FROM flow_sql ORDER BY id"
    text = analyst.run("sql", sql, "--format", "csv").stdout
    assert list(csv.reader(io.StringIO(text)))[:2] == [["id", "area"], ["0001", "福田"]]
    request = urllib.request.Request(
        f"{town.stack.api_url}/v1/queries", json.dumps({"sql": sql, "format": "arrow"}).encode(),
        {"authorization": f"Bearer {town.api('housing').token}", "content-type": "application/json",
         "accept": ARROW, "huitong-duty": DUTY},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        table = pyarrow.ipc.open_stream(answer.read()).read_all()
    assert table.to_pylist() == [{k: row[k] for k in ("id", "area")} for row in shown]


def test_the_clock_finds_the_books_balanced(town: Town) -> None:
    """C-16: both jobs, started by hand as the clock would."""
    for job, members in (("minute", {"woken", "failed", "wakes"}), ("hour", {"late", "imbalances"})):
        made = town.stack.client("lambda").invoke(
            FunctionName=town.stack.outputs["RunSchedule"], Payload=json.dumps({"job": job}).encode()
        )
        told = json.loads(made["Payload"].read())
        assert members <= set(told), told
        assert not told.get("imbalances")
        assert not told.get("failed")
    made = town.stack.client("lambda").invoke(
        FunctionName=town.stack.outputs["RunSchedule"], Payload=b'{"job": "never"}'
    )
    assert "FunctionError" in made
