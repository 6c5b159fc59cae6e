"""A sharing on the deployed stack, from the application to its end, and what stays on record of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.town import DUTY, Town, lines

from huitong.audit.chain import SHARDS, partition

pytestmark = pytest.mark.e2e
SECRET = "whsec_" + "SE9VU0lO" * 4
FIELDS = ["id", "area", "name", "id_no", "amount"]


@pytest.fixture
def receiver() -> Iterator[Any]:
    from receiver import Inbox, Receiver, verified_by

    with Receiver(Inbox(verified_by(SECRET))) as made:
        yield made


@pytest.fixture(scope="module")
def resource(town: Town) -> str:
    """Published with three rows; the housing bureau passes every gate and has no grant yet."""
    made = town.contract("flow-sharing")
    town.share(made, town.HOUSING, "push", "pull")
    assert town.deliver(lines(range(1, 4)), made)["status"] == "published"
    return made


def applied(town: Town, resource: str) -> str:
    """An application filed, reviewed by another, decided by the owner, provided; its id."""
    asked = {
        "resource": resource, "fields": [*FIELDS], "purpose": "核查", "matter": "购房资格审核", "duty": DUTY,
        "users": ["system"], "methods": ["push", "pull"], "reason": "依法执行",
        "ends": (datetime.now(UTC) + timedelta(days=90)).date().isoformat(),
    }  # fmt: skip
    status, filed = town.api("housing-applicant").call("POST", "/v1/applications", asked)
    assert status == 201, filed
    path = f"/v1/applications/{filed['id']}/steps"
    approved = {"approved": ["id", "name", "id_no", "amount"], "refused": {"area": "超出所需"}}
    assert town.api("housing-applicant").call("POST", path, {"step": "submit"})[0] == 200
    assert town.api("housing-applicant").call("POST", path, {"step": "send"})[0] == 403
    for who, step, given in (
        ("housing-approver", "send", {}),
        ("court-approver", "decide", approved),
        ("court-approver", "provide", {}),
    ):
        status, told = town.api(who).call("POST", path, {"step": step, "given": given})
        assert status == 200, told
    assert told["state"] == "active"
    return str(filed["id"])


def refusals(town: Town, resource: str) -> list[dict[str, Any]]:
    status, found = town.api("auditor").call("GET", f"/v1/evidence?resource={resource}&act=refuse")
    assert status == 200, found
    items: list[dict[str, Any]] = found["items"]
    return items


def test_an_application_becomes_a_masked_push_and_its_end_stops_every_call(
    town: Town, resource: str, receiver: Any
) -> None:
    """X-19, L-24, L-25, Q-55, S-10: within a minute, and on record."""
    housing = town.api("housing")
    asked = {"resource": resource, "endpoint": receiver.url, "secret": SECRET, "start": "snapshot"}
    assert housing.call("POST", "/v1/subscriptions", asked, Huitong_Duty=DUTY)[0] in (403, 404)  # no grant
    application = applied(town, resource)
    status, made = housing.call("POST", "/v1/subscriptions", asked, Huitong_Duty=DUTY)
    assert status == 201, made
    stream = receiver.inbox.stream(made["id"])
    town.eventually(lambda: len(stream.rows), lambda n: n == 3)
    assert all(set(row) == {"id", "name", "id_no", "amount"} for row in stream.rows.values())
    assert "王小" not in json.dumps(stream.events, ensure_ascii=False)
    assert "19900101" not in json.dumps(stream.events)
    subscription = f"/v1/subscriptions/{made['id']}"
    town.eventually(lambda: housing.call("GET", subscription)[1]["outstanding"], lambda n: n == 0)

    path, given = f"/v1/applications/{application}/steps", {"reason": "不再需要"}
    began = time.monotonic()
    assert town.api("housing-approver").call("POST", path, {"step": "give_up", "given": given})[0] == 200
    changes = f"/v1/resources/{resource}/changes"
    town.eventually(lambda: housing.call("GET", changes, Huitong_Duty=DUTY)[0], lambda status: status == 403)
    assert time.monotonic() - began < 60
    assert housing.call("GET", subscription)[1]["status"] == "cancelled"
    assert housing.call("POST", f"{subscription}/resume")[0] in (403, 409)
    posts = receiver.inbox.posts
    town.deliver(lines(range(1, 8)), resource)
    town.eventually(lambda: town.ledger(resource)["pending"], lambda n: n == 0)
    assert (receiver.inbox.posts, len(stream.rows)) == (posts, 3)
    assert [one["unit"] for one in refusals(town, resource)][:1] == [town.HOUSING]


def test_a_correction_reaches_who_was_given_the_wrong_value(town: Town, receiver: Any) -> None:
    """Q-52, Q-53, L-49: by the ordinary flow, acknowledged, closed."""
    resource = town.contract("flow-corrected")
    town.share(resource, town.HOUSING, "push")
    town.grant(town.HOUSING, resource, fields=["id", "amount"], methods=["push"])
    town.deliver(lines(range(1, 4), amount="1.50"), resource)
    housing, court = town.huitong("housing"), town.huitong("court")
    told = housing(
        "subscribe", resource, "--endpoint", receiver.url, "--secret", SECRET, "--start", "snapshot"
    )
    stream = receiver.inbox.stream(told["id"])
    town.eventually(lambda: len(stream.rows), lambda n: n == 3)
    asked = ("--key", "id=0002", "--fields", "amount", "--wrong", "少计")
    ticket = housing("correction", "file", resource, *asked)["id"]
    for step in (("accept",), ("examine", "--given", "finding=属实")):
        court("correction", "step", ticket, *step)
    right = lines([1, 3], amount="1.50") + lines([2], amount="9.50").partition(b"\n")[2]
    town.deliver(right, resource, ticket=ticket)
    town.eventually(lambda: stream.rows["0002"]["amount"], lambda amount: amount == "9.50")

    def notices() -> list[dict[str, Any]]:
        items = housing("notice", "list", "--unread")["items"]
        return [n for n in items if n["kind"] == "correction_notice.tell" and resource in n["zh"]]

    notice = town.eventually(notices, lambda found: len(found) == 1)[0]
    assert court("correction", "show", ticket)["state"] == "corrected"
    housing("notice", "ack", notice["id"])
    town.eventually(lambda: court("correction", "show", ticket)["state"], lambda state: state == "closed")
    assert housing("correction", "report", ticket)["result"] == "corrected"


def test_the_end_of_a_case_stops_its_queries(town: Town) -> None:
    """Q-56, Q-57, S-11: the court's publication opens the case, and ends what was approved for it."""
    import demo_data as made_up

    schemas = made_up.SCHEMAS
    for id in ("IN-01", "IN-12"):
        town.huitong()("contract", "put", str(schemas / f"{id}.yaml"))
    town.done("POST", "/v1/units", {"code": made_up.FIRM, "name": "示例律师事务所"})
    town.share("IN-12", made_up.FIRM, provider=town.POLICE)
    town.deliver(made_up.as_csv(made_up.cases(range(1, 3))), "IN-01")
    town.deliver(made_up.as_csv(made_up.vehicles(range(1, 11))), "IN-12", "police")
    lawyer, number = town.api("lawyer"), made_up.case_no(1)
    town.eventually(lambda: len(lawyer.call("GET", "/v1/cases")[1]["items"]), lambda n: n == 2)
    query = {"sql": "SELECT plate_no FROM in_12", "case_no": number, "purpose": "核对财产"}
    assert lawyer.call("POST", "/v1/queries", query)[0] in (403, 404)
    body = {
        "resource": "IN-12", "fields": ["plate_no", "id_no"], "purpose": "核对财产", "case_no": number,
        "persons": [{"id_no": made_up.citizen_id(1), "relation": "debtor", "name": "甲001"}],
    }  # fmt: skip
    status, asked = lawyer.call("POST", "/v1/requests", body)
    assert status == 201, asked
    for who, step in (("partner", {"step": "check"}),
                      ("police-approver", {"step": "approve", "given": {"unmasked": ["plate_no"]}})):  # fmt: skip
        status, told = town.api(who).call("POST", f"/v1/requests/{asked['id']}/steps", step)
        assert status == 200, told
    status, found = lawyer.call("POST", "/v1/queries", query)
    assert (status, found["rows"]) == (200, [{"plate_no": "粤B00001"}])
    assert lawyer.call("POST", "/v1/queries", {"sql": query["sql"], "purpose": "核对财产"})[0] == 403

    closed = made_up.cases(range(1, 2), stage="80")[0] | {"stage_time": "2026-01-04T10:00:00+08:00"}
    town.deliver(made_up.as_csv([closed]), "IN-01", mode="increment")
    town.eventually(lambda: lawyer.call("POST", "/v1/queries", query)[0], lambda status: status == 403)
    town.eventually(
        lambda: lawyer.call("GET", f"/v1/requests/{asked['id']}")[1]["state"], lambda state: state == "ended"
    )


def test_the_chain_verifies_and_a_record_changed_in_the_table_is_named(town: Town) -> None:
    """S-13, S-14: by whoever gets at the table itself."""
    auditor = town.huitong("auditor")
    assert auditor("audit", "verify")["findings"] == []
    table, dynamodb = town.stack.outputs["EvidenceTable"], town.stack.client("dynamodb")

    def entries(shard: int) -> list[Any]:
        return list(dynamodb.query(
            TableName=table, KeyConditionExpression="pk = :chain", FilterExpression="attribute_exists(body)",
            ExpressionAttributeValues={":chain": {"S": partition(shard)}}, ConsistentRead=True,
        )["Items"])  # fmt: skip

    shard, held = next((n, found) for n in range(SHARDS) if (found := entries(n)))
    item = held[len(held) // 2]
    entry = json.loads(item["body"]["S"])
    forged = {**entry, "record": {**entry["record"], "actor": "somebody-else"}}
    dynamodb.put_item(TableName=table, Item={**item, "body": {"S": json.dumps(forged, ensure_ascii=False)}})
    try:
        (finding,) = auditor("audit", "verify", "--shard", str(shard), status=1)["findings"]
        assert (finding["kind"], finding["shard"], finding["n"]) == ("changed", shard, entry["n"])
        assert finding["id"] == entry["record"]["id"]
    finally:
        dynamodb.put_item(TableName=table, Item=item)
    assert auditor("audit", "verify", "--shard", str(shard))["findings"] == []


def test_a_signed_head_cannot_be_deleted_nor_its_term_shortened_by_the_account_itself(town: Town) -> None:
    """S-13: object lock; whoever may do everything in the account may not do this."""
    bucket, s3 = town.stack.outputs["EvidenceBucket"], town.stack.client("s3")
    heads = town.eventually(
        lambda: s3.list_object_versions(Bucket=bucket, Prefix="heads/").get("Versions", []), bool
    )
    newest = max(
        heads, key=lambda head: head["LastModified"]
    )  # an emulator forgets older locks when it stops
    named = {"Bucket": bucket, "Key": newest["Key"], "VersionId": newest["VersionId"]}
    before = s3.get_object(**named)["Body"].read()
    with pytest.raises(ClientError) as refused:
        s3.delete_object(**named)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
    with pytest.raises(ClientError):
        s3.put_object_retention(**named, Retention=sooner)
    assert s3.get_object(**named)["Body"].read() == before
