"""template.yaml: what must hold for every queue, function, policy and bucket."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from huitong import settings
from huitong.contracts.odcs import parse
from huitong.runtime import MAX_RECEIVES
from huitong.web.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
import artifacts  # noqa: E402

TEMPLATE = artifacts.assembled(ROOT / "template.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GLOBALS = TEMPLATE["Globals"]["Function"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: r.get("Properties", {}) for name, r in RESOURCES.items() if r["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
DEAD_LETTERS = {name for name in QUEUES if name.endswith("DeadLetters")}
SOURCES = {name: q for name, q in QUEUES.items() if name not in DEAD_LETTERS}
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def consumers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, function in FUNCTIONS.items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                yield name, event["Properties"]["Queue"]["Fn::GetAtt"][0], event["Properties"]


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in function.get("Policies", ()):
        yield from policy["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", SOURCES)
def test_every_queue_gives_up_into_a_dead_letter_queue_of_its_kind(name: str) -> None:
    redrive = SOURCES[name]["RedrivePolicy"]
    dead = QUEUES[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    assert redrive["maxReceiveCount"] == MAX_RECEIVES
    assert dead.get("FifoQueue", False) == SOURCES[name].get("FifoQueue", False)
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("name", QUEUES)
def test_every_queue_is_sealed_with_our_own_key(name: str) -> None:
    """S-24"""
    assert QUEUES[name]["KmsMasterKeyId"] == {"Ref": "MessageKey"}


def watched(namespace: str, metric: str) -> set[str]:
    """Logical ids that an alarm on the metric names, which ends at the topic."""
    return {
        value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value["Ref"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        and alarm["AlarmActions"] == [{"Ref": "AlertTopic"}]
        for value in [alarm["Dimensions"][0]["Value"]]
    }


def test_every_dead_letter_queue_raises_an_alarm_and_every_other_when_messages_grow_old() -> None:
    assert watched("AWS/SQS", "ApproximateNumberOfMessagesVisible") == DEAD_LETTERS
    assert watched("AWS/SQS", "ApproximateAgeOfOldestMessage") == set(SOURCES)


def test_every_function_raises_an_alarm_when_it_fails_or_is_throttled() -> None:
    assert watched("AWS/Lambda", "Errors") == watched("AWS/Lambda", "Throttles") == set(FUNCTIONS)


def test_every_table_raises_an_alarm_when_it_throttles() -> None:
    tables = set(of_type("AWS::DynamoDB::Table"))
    assert (
        watched("AWS/DynamoDB", "ReadThrottleEvents")
        == watched("AWS/DynamoDB", "WriteThrottleEvents")
        == tables
    )


def test_what_runs_by_the_clock_and_gives_up_ends_in_a_dead_letter_queue() -> None:
    """Nobody waits for its answer: a run that fails, and an event that finds no function, are kept."""
    dead = {"Fn::GetAtt": ["EventDeadLetters", "Arn"]}
    for name, function in FUNCTIONS.items():
        clocks = [e for e in function.get("Events", {}).values() if e["Type"] == "Schedule"]
        if clocks:
            assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"] == dead, (
                name
            )
        for event in clocks:
            assert event["Properties"]["DeadLetterConfig"] == {"Arn": dead}, name
    for rule in of_type("AWS::Events::Rule").values():
        assert all(target["DeadLetterConfig"] == {"Arn": dead} for target in rule["Targets"])


def test_no_message_comes_again_while_its_function_may_still_run() -> None:
    for name, queue, _ in consumers():
        timeout, seen = FUNCTIONS[name]["Timeout"], QUEUES[queue]["VisibilityTimeout"]
        assert seen >= timeout + 60 if QUEUES[queue].get("FifoQueue") else seen >= 6 * timeout, (name, queue)


def test_every_consumer_answers_for_each_message_and_takes_fifo_messages_one_by_one() -> None:
    assert len(list(consumers())) == 5
    for name, queue, event in consumers():
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert not QUEUES[queue].get("FifoQueue") or event["BatchSize"] == 1, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_folder_logical_id_and_handler_agree(name: str) -> None:
    folder = ROOT / FUNCTIONS[name]["CodeUri"]
    words = folder.name.split("_")
    assert name == "".join(w.capitalize() for w in words) + "Function"
    module, attribute = FUNCTIONS[name].get("Handler", GLOBALS["Handler"]).split(".")
    tree = ast.parse((folder / f"{module}.py").read_text())
    bound = {
        target.id
        for node in tree.body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name)
    } | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert attribute in bound


def test_every_function_folder_is_deployed() -> None:
    folders = {p.name for p in (ROOT / "functions").iterdir() if p.is_dir() and list(p.glob("*.py"))}
    assert folders == {Path(f["CodeUri"]).name for f in FUNCTIONS.values()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_logs_to_a_group_of_its_own_that_ends_some_day(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == name.removesuffix("Function") + "Log"
    assert RESOURCES[group]["Properties"]["RetentionInDays"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_policy_names_all_actions_or_all_resources(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        assert not any("*" in action for action in listed(statement["Action"])), statement
        for resource in listed(statement["Resource"]):
            text = resource if isinstance(resource, str) else str(next(iter(resource.values())))
            assert text != "*", statement
            assert not text.endswith(":*"), statement


def test_only_the_steps_of_the_flow_and_housekeeping_write_to_the_warehouse() -> None:
    writers = {
        name
        for name, function in FUNCTIONS.items()
        for s in statements(function)
        if "s3:PutObject" in listed(s["Action"]) and "WarehouseBucket" in str(s["Resource"])
    }
    assert writers == {
        "ValidateBatchFunction", "CompareBatchFunction", "MaintainTablesFunction",
        "ComparePartFunction", "CommitComparisonFunction",
    }  # fmt: skip


ENVIRONMENTS = {
    "IngestFileFunction": settings.IngestSettings,
    "ValidateBatchFunction": settings.ValidateSettings,
    "CompareBatchFunction": settings.CompareSettings,
    "ComparePartFunction": settings.PartSettings,
    "CommitComparisonFunction": settings.CommitSettings,
    "MaintainTablesFunction": settings.MaintenanceSettings,
    "PushChangesFunction": settings.PushSettings,
    "ArchiveEvidenceFunction": settings.ArchiveSettings,
    "RunScheduleFunction": settings.ScheduleSettings,
    "AuthorizeRequestFunction": settings.AuthorizerSettings,
    "ApiFunction": settings.ApiSettings,
    "QueryDataFunction": settings.QuerySettings,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_told_all_that_its_settings_ask_for_and_nothing_else(name: str) -> None:
    own = set(FUNCTIONS[name].get("Environment", {}).get("Variables", {}))
    told = own | {v for v in GLOBALS["Environment"]["Variables"] if not v.startswith("POWERTOOLS")}
    known = {f.name.upper(): f.default is MISSING for f in fields(ENVIRONMENTS[name])}
    assert {v for v, needed in known.items() if needed} <= told
    assert own <= set(known)


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_every_bucket_is_versioned_encrypted_closed_and_speaks_tls_only(name: str) -> None:
    bucket = RESOURCES[name]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"]
    policies = of_type("AWS::S3::BucketPolicy").values()
    (policy,) = [p["PolicyDocument"] for p in policies if p["Bucket"] == {"Ref": name}]
    assert {s["Effect"] for s in policy["Statement"]} == {"Deny"}
    arn = {"Fn::GetAtt": [name, "Arn"]}
    assert {s["Sid"]: s["Condition"] for s in policy["Statement"]} == {
        "OnlyTls": TLS_ONLY,
        "OnlyModernTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        "OnlyByKey": only("s3:x-amz-server-side-encryption", "aws:kms"),
        "OnlyByOurKey": only(
            "s3:x-amz-server-side-encryption-aws-kms-key-id", {"Fn::GetAtt": ["DataKey", "Arn"]}
        ),
    }
    assert all(
        s["Resource"] == [arn, {"Fn::Sub": ["${Bucket}/*", {"Bucket": arn}]}] for s in policy["Statement"]
    )


def only(key: str, value: Any) -> dict[str, Any]:
    return {"StringNotEquals": {key: value}, "Null": {key: "false"}}


@pytest.mark.parametrize("name", QUEUES)
def test_every_queue_speaks_tls_only(name: str) -> None:
    """S-22. One policy a queue: a second one would replace the first."""
    (policy,) = [
        p["PolicyDocument"] for p in of_type("AWS::SQS::QueuePolicy").values() if {"Ref": name} in p["Queues"]
    ]
    told = [s.get("Fn::If", [None, s])[1] for s in policy["Statement"]]
    (deny,) = [s for s in told if s["Effect"] == "Deny"]
    assert (deny["Condition"], deny["Action"]) == (TLS_ONLY, "sqs:*")
    assert all(s["Resource"] == {"Fn::GetAtt": [name, "Arn"]} for s in told)


def test_what_holds_data_outlives_its_stack() -> None:
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"):
        for name in of_type(kind):
            assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain", name
            assert RESOURCES[name]["DeletionPolicy"].startswith("Retain"), name


def test_the_register_can_be_restored_and_forgets_what_expires() -> None:
    table = RESOURCES["RegisterTable"]["Properties"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    for told in of_type("AWS::DynamoDB::Table").values():
        own = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "DataKey"}}
        assert told["SSESpecification"] == own
        assert told["DeletionProtectionEnabled"] == {"Fn::If": ["OnAws", True, False]}


def test_evidence_is_locked_for_five_years_and_its_table_only_grows() -> None:
    """S-14, L-33: no function may delete or update it, the bucket's lock cannot be set shorter."""
    assert TEMPLATE["Parameters"]["EvidenceDays"]["MinValue"] == settings.SHORTEST_RETENTION >= 5 * 365.25
    bucket = RESOURCES["EvidenceBucket"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    lock = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Mode": {"Ref": "EvidenceLock"}, "Days": {"Ref": "EvidenceDays"}}
    assert not any("Expiration" in str(rule) for rule in bucket["LifecycleConfiguration"]["Rules"])
    table = RESOURCES["EvidenceTable"]["Properties"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert "TimeToLiveSpecification" not in table
    for name, function in FUNCTIONS.items():
        for statement in statements(function):
            if "EvidenceTable" in str(statement["Resource"]):
                assert set(listed(statement["Action"])) <= {
                    "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}, name  # fmt: skip
            if "EvidenceBucket" in str(statement["Resource"]):
                assert set(listed(statement["Action"])) <= {
                    "s3:GetObject", "s3:PutObject", "s3:ListBucket"}, name  # fmt: skip


def routes_of(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The methods of the API's definition that call a function."""
    paths = RESOURCES["RestApi"]["Properties"]["DefinitionBody"]["paths"]
    return {
        (method.upper(), path): told
        for path, methods in paths.items()
        for method, told in methods.items()
        if f"${{{name}.Arn}}" in told["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    }


@pytest.mark.parametrize(("app", "name"), [("api", "ApiFunction"), ("query_data", "QueryDataFunction")])
def test_the_gateway_has_exactly_the_routes_of_the_table_of_operations(app: str, name: str) -> None:
    wanted = {(o.method, o.path): o.public for o in OPERATIONS if o.app == app}
    found = routes_of(name)
    assert set(found) == set(wanted)
    for route, told in found.items():
        assert (told.get("security") == [{"NONE": []}]) == wanted[route], route


def test_strangers_reach_public_operations_only_and_withdrawal_counts_within_a_minute() -> None:
    """S-10; which operations are public is in the table of operations."""
    auth = RESOURCES["RestApi"]["Properties"]["Auth"]
    assert auth["Authorizers"][auth["DefaultAuthorizer"]]["Identity"]["ReauthorizeEvery"] <= 60


def test_the_policy_of_each_function_has_one_statement_for_the_whole_api() -> None:
    """A function's policy may have 20 KB: a statement for each path would not fit."""
    asked = {
        p["FunctionName"]["Ref"]
        for p in of_type("AWS::Lambda::Permission").values()
        if p["Principal"] == "apigateway.amazonaws.com"
    }
    assert asked == {"ApiFunction", "QueryDataFunction"}
    for name in asked:
        assert "Events" not in FUNCTIONS[name]


def test_a_dead_letter_queue_of_deliveries_is_told_to_the_push_function() -> None:
    told = FUNCTIONS["PushChangesFunction"]["Environment"]["Variables"]
    assert told["DEAD_LETTER_QUEUE_URL"] == {"Ref": "PushDeadLetters"}


def test_data_functions_have_room_on_disk_and_light_ones_no_heavy_layer() -> None:
    heavy = {n for n, f in FUNCTIONS.items() if {"Ref": "DataDependenciesLayer"} in f["Layers"]}
    assert heavy == {n for n, f in FUNCTIONS.items() if f.get("EphemeralStorage", {}).get("Size") == 10240}
    assert not heavy & {"ApiFunction", "AuthorizeRequestFunction", "RunScheduleFunction"}


def test_no_resource_lies_in_a_folder_whose_objects_are_deleted_after_days() -> None:
    """X-12: else its staged rows would go, and with their keys the rows that an edition has to keep."""
    rules = RESOURCES["StagingBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    folders = {r["Prefix"].partition("/")[0] for r in rules if "ExpirationInDays" in r}
    assert "parts" in folders
    for folder in folders:
        text = f"""apiVersion: v3.1.0
kind: DataContract
id: {folder}
version: 1.0.0
status: active
schema:
  - name: elsewhere
    properties:
      - {{name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1}}
"""
        assert parse(text).id == "elsewhere", folder


def test_benchmarks_run_as_the_functions_do() -> None:
    from benchmarks.measure import POOL

    variables = GLOBALS["Environment"]["Variables"]
    assert {name: variables[name] for name in POOL} == POOL
