"""infra/lint_rules: each rule fires on a template that breaks it, and none on one that keeps them all."""

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load
from cfnlint.rules import CloudFormationLintRule
from cfnlint.template import Template

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "infra" / "lint_rules"
sys.path.insert(0, str(RULES))
ALL: dict[str, CloudFormationLintRule] = {
    made.id: made
    for name in ("lambda_functions", "messages", "storage", "rights")
    for kind in vars(importlib.import_module(name)).values()
    if isinstance(kind, type) and issubclass(kind, CloudFormationLintRule) and kind is not CloudFormationLintRule
    for made in [kind()]
}  # fmt: skip


def tls(resource: str, action: str) -> dict[str, Any]:
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": action, "Resource": {"Ref": resource},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    return {"Statement": [deny]}


def alarm(namespace: str, metric: str, dimension: Any) -> dict[str, Any]:
    told = {"Namespace": namespace, "MetricName": metric, "AlarmActions": [{"Ref": "Topic"}]}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**told, "Dimensions": [{"Value": dimension}]}}


def kept(kind: str, **properties: Any) -> dict[str, Any]:
    policies = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Type": kind, **policies, "Properties": properties}


def queue(**more: Any) -> dict[str, Any]:
    told = {"MessageRetentionPeriod": 1_209_600, "KmsMasterKeyId": {"Ref": "Key"}, **more}
    return {"Type": "AWS::SQS::Queue", "Properties": told}


def good(folder: Path) -> dict[str, Any]:
    """A small template that keeps every rule, with its code."""
    (folder / "functions/do_it").mkdir(parents=True)
    (folder / "functions/do_it/handler.py").write_text("def handler(event, context): ...\n")
    dead = {"Fn::GetAtt": ["Dead", "Arn"]}
    from_events = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": dead}
    dead_policy = tls("Dead", "sqs:*")
    dead_policy["Statement"].append({**from_events, "Action": "sqs:SendMessage"})
    source = {"Queue": {"Fn::GetAtt": ["Work", "Arn"]}, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    function = {
        "CodeUri": "functions/do_it/", "Handler": "handler.handler", "Timeout": 10,
        "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
        "EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": dead}}},
        "Policies": [{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}}]}],
        "Events": {
            "Clock": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)", "DeadLetterConfig": {"Arn": dead}}},
            "Work": {"Type": "SQS", "Properties": source},
        },
    }  # fmt: skip
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    resources = {
        "Key": kept("AWS::KMS::Key"),
        "DoItFunction": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30, "KmsKeyId": {"Ref": "Key"}}},
        "Errors": alarm("AWS/Lambda", "Errors", {"Ref": "DoItFunction"}),
        "Throttles": alarm("AWS/Lambda", "Throttles", {"Ref": "DoItFunction"}),
        "Work": queue(VisibilityTimeout=60, RedrivePolicy={"deadLetterTargetArn": dead, "maxReceiveCount": 5}),
        "Dead": queue(),
        "WorkPolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Work"}], "PolicyDocument": tls("Work", "sqs:*")}},
        "DeadPolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Dead"}], "PolicyDocument": dead_policy}},
        "Deep": alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"Fn::GetAtt": ["Dead", "QueueName"]}),
        "Late": alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", {"Fn::GetAtt": ["Work", "QueueName"]}),
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": tls("Topic", "sns:Publish")}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Arn": {"Ref": "Topic"}, "DeadLetterConfig": {"Arn": dead}}]}},
        "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Tracing": {"Enabled": True}, "Logging": {"Destinations": [{"Ref": "Log"}]}}},
        **{f"Machine{end}": alarm("AWS/States", f"Executions{end}", {"Ref": "Machine"}) for end in ("Failed", "TimedOut", "Aborted")},
        "Bucket": kept("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"}, BucketEncryption={"Key": {"Ref": "Key"}},
                       PublicAccessBlockConfiguration=dict.fromkeys(closed, True),
                       LifecycleConfiguration={"Rules": [{"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}]}),
        "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": tls("Bucket", "s3:*")}},
        "Table": kept("AWS::DynamoDB::Table", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                      SSESpecification={"KMSMasterKeyId": {"Ref": "Key"}}, DeletionProtectionEnabled=True),
        "Reads": alarm("AWS/DynamoDB", "ReadThrottleEvents", {"Ref": "Table"}),
        "Writes": alarm("AWS/DynamoDB", "WriteThrottleEvents", {"Ref": "Table"}),
    }  # fmt: skip
    interface = {"ParameterGroups": [{"Label": {"default": "Where"}, "Parameters": ["Stage"]}]}
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Metadata": {"AWS::CloudFormation::Interface": interface},
        "Parameters": {"Stage": {"Type": "String", "Description": "Name of the stage"}},
        "Resources": resources,
    }


def judged(document: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    """Rule → its messages."""
    cfn = Template(str(folder / "template.json"), document, ["us-east-1"])
    found = {id: [match.message for match in one.match(cfn)] for id, one in ALL.items()}
    return {id: messages for id, messages in found.items() if messages}


def test_a_template_that_keeps_the_rules_passes_them(tmp_path: Path) -> None:
    assert judged(good(tmp_path), tmp_path) == {}


Change = Callable[[dict[str, Any]], object]
of = "Properties"
BAD: list[tuple[str, str, Change]] = [
    ("E9101", "a run that fails is lost", lambda r: r["DoItFunction"][of].pop("EventInvokeConfig")),
    ("E9101", "finds no function", lambda r: r["DoItFunction"][of]["Events"]["Clock"][of].pop("DeadLetterConfig")),
    ("E9102", "no alarm on Errors", lambda r: r.pop("Errors")),
    ("E9102", "no alarm on Throttles", lambda r: r["Throttles"][of].pop("AlarmActions")),
    ("E9103", "logs to no group", lambda r: r["DoItFunction"][of].pop("LoggingConfig")),
    ("E9103", "no KmsKeyId", lambda r: r["Log"][of].pop("KmsKeyId")),
    ("E9103", "no RetentionInDays", lambda r: r["Log"][of].pop("RetentionInDays")),
    ("E9104", "needs 60 s", lambda r: r["Work"][of].update(VisibilityTimeout=59)),
    ("E9104", "needs 70 s", lambda r: [r[q][of].update(FifoQueue=True) for q in ("Work", "Dead")] and r["DoItFunction"][of]["Events"]["Work"][of].update(BatchSize=1)),
    ("E9105", "whole batches", lambda r: r["DoItFunction"][of]["Events"]["Work"][of].pop("FunctionResponseTypes")),
    ("E9105", "use up their receives", lambda r: [r[q][of].update(FifoQueue=True, VisibilityTimeout=70) for q in ("Work", "Dead")]),
    ("E9106", "one name", lambda r: r["DoItFunction"][of].update(CodeUri="functions/do_that/")),
    ("E9106", "has no main", lambda r: r["DoItFunction"][of].update(Handler="handler.main")),
    ("E9106", "there is no", lambda r: r["DoItFunction"][of].update(Handler="app.handler")),
    ("E9111", "no dead-letter queue", lambda r: r["Work"][of].pop("RedrivePolicy")),
    ("E9111", "not of one kind", lambda r: r["Dead"][of].update(FifoQueue=True)),
    ("E9111", "before fourteen days", lambda r: r["Dead"][of].update(MessageRetentionPeriod=345_600)),
    ("E9112", "no alarm on its messages", lambda r: r.pop("Deep")),
    ("E9112", "age of its oldest message", lambda r: r.pop("Late")),
    ("E9113", "Work may be reached without TLS", lambda r: r["WorkPolicy"][of].update(PolicyDocument={"Statement": []})),
    ("E9113", "Work has 0 policies", lambda r: r.pop("WorkPolicy")),
    ("E9113", "Work has 2 policies", lambda r: r.update(Second=copy.deepcopy(r["WorkPolicy"]))),
    ("E9113", "Work is not sealed", lambda r: r["Work"][of].update(KmsMasterKeyId="alias/aws/sqs")),
    ("E9113", "Topic is not sealed", lambda r: r["Topic"][of].clear()),
    ("E9113", "Topic may be reached", lambda r: r.pop("TopicPolicy")),
    ("E9114", "does not arrive is lost", lambda r: r["Rule"][of]["Targets"][0].pop("DeadLetterConfig")),
    ("E9114", "does not let EventBridge send", lambda r: r["DeadPolicy"][of]["PolicyDocument"]["Statement"].pop()),
    ("E9115", "no alarm on ExecutionsFailed", lambda r: r.pop("MachineFailed")),
    ("E9115", "no alarm on ExecutionsTimedOut", lambda r: r.pop("MachineTimedOut")),
    ("E9115", "no alarm on ExecutionsAborted", lambda r: r["MachineAborted"][of].pop("AlarmActions")),
    ("E9115", "is not traced", lambda r: r["Machine"][of].pop("Tracing")),
    ("E9115", "does not log", lambda r: r["Machine"][of].pop("Logging")),
    ("E9115", "no right to log", lambda r: r["Machine"][of].update(Policies=[{"Statement": []}])),
    ("E9121", "not versioned", lambda r: r["Bucket"][of].pop("VersioningConfiguration")),
    ("E9121", "not encrypted", lambda r: r["Bucket"][of].update(BucketEncryption={"SSEAlgorithm": "AES256"})),
    ("E9121", "opened to the public", lambda r: r["Bucket"][of]["PublicAccessBlockConfiguration"].update(BlockPublicPolicy=False)),
    ("E9121", "without TLS", lambda r: r.pop("BucketPolicy")),
    ("E9121", "broken uploads", lambda r: r["Bucket"][of].pop("LifecycleConfiguration")),
    ("E9122", "point in time", lambda r: r["Table"][of].pop("PointInTimeRecoverySpecification")),
    ("E9122", "not encrypted", lambda r: r["Table"][of].update(SSESpecification={"SSEEnabled": True})),
    ("E9122", "by mistake", lambda r: r["Table"][of].pop("DeletionProtectionEnabled")),
    ("E9122", "WriteThrottleEvents", lambda r: r.pop("Writes")),
    ("E9123", "deleted with its stack (DeletionPolicy)", lambda r: r["Bucket"].pop("DeletionPolicy")),
    ("E9131", "may do s3:*", lambda r: r["DoItFunction"][of]["Policies"][0]["Statement"][0].update(Action="s3:*")),
    ("E9131", "Extra may do s3:Get*", lambda r: r.update(Extra={"Type": "AWS::IAM::Policy", of: {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": {"Ref": "Bucket"}}]}}})),
    ("E9131", "Extra may do s3:GetObject on *", lambda r: r.update(Extra={"Type": "AWS::IAM::Role", of: {"Policies": [{"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}]}})),
    ("E9131", "s3:GetObject on *", lambda r: r["DoItFunction"][of]["Policies"][0]["Statement"][0].update(Resource="*")),
]  # fmt: skip


@pytest.mark.parametrize(("id", "message", "change"), BAD, ids=[f"{id}-{told}" for id, told, _ in BAD])
def test_a_rule_fires_where_it_is_broken(id: str, message: str, change: Change, tmp_path: Path) -> None:
    document = good(tmp_path)
    change(document["Resources"])
    assert any(message in one for one in judged(document, tmp_path).get(id, [])), judged(document, tmp_path)


def test_a_parameter_without_words_or_group_is_found(tmp_path: Path) -> None:
    document = good(tmp_path)
    document["Parameters"] = {"Stage": {"Type": "String"}, "Other": {"Type": "String", "Description": "x"}}
    assert judged(document, tmp_path) == {
        "E9132": ["Stage has no description", "Other stands in 0 groups of parameters, not in one"]
    }


def test_every_rule_is_tried(tmp_path: Path) -> None:
    assert {id for id, _, _ in BAD} | {"E9132"} == set(ALL)


def test_the_one_action_without_a_resource_may_be_allowed_on_all(tmp_path: Path) -> None:
    document = good(tmp_path)
    policy = document["Resources"]["DoItFunction"][of]["Policies"][0]["Statement"]
    policy.append({"Effect": "Allow", "Action": "logs:CreateLogDelivery", "Resource": "*"})
    assert judged(document, tmp_path) == {}


def test_our_template_keeps_them_all() -> None:
    """S-22, S-24, S-25, C-40: for every queue, function, bucket, table, topic and policy."""
    path = ROOT / "template.yaml"
    cfn = Template(str(path), load(str(path)), ["us-east-1"])
    assert cfn.transform() == []
    assert [match.message for one in ALL.values() for match in one.match(cfn)] == []


def test_cfn_lint_itself_finds_and_runs_them(tmp_path: Path) -> None:
    document = good(tmp_path)
    document["Resources"].pop("Errors")
    path = tmp_path / "template.json"
    path.write_text(json.dumps(document))
    command = [Path(sys.executable).with_name("cfn-lint"), "-a", RULES, "-t", path, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = {m["Rule"]["Id"] for m in json.loads(done.stdout) if m["Rule"]["Id"].startswith("E91")}
    assert (ours, done.returncode != 0) == ({"E9102"}, True)
