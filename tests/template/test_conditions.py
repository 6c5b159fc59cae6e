"""Both sides of every condition: SAM expands them, cfn-lint finds them sound, and each does what it is for."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from samtranslator.translator.transform import transform
from test_template import ROOT, TEMPLATE, listed

ALL_ON = {
    "DomainName": "api.huitong.example", "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/a1",
    "HostedZoneId": "Z0000000000", "ClientCertificates": "s3://trust/authorities.pem", "Firewall": "BLOCK",
    "ThreatProtection": "ENFORCED", "ReservedForApi": "50", "SecondRegion": "us-west-2",
    "SecondKey": "11111111-2222-3333-4444-555555555555", "AlertEmail": "duty@huitong.example", "MonthlyBudget": "1000",
    "QueryEngine": "auto",
}  # fmt: skip
#: name → parameters, and the partition it would be deployed in
SCENARIOS: dict[str, tuple[dict[str, str], str]] = {
    "local": ({"Stage": "local"}, "aws"),
    "plain": ({}, "aws"),
    "all": (ALL_ON, "aws"),
    "china": ({"Firewall": "COUNT", "MonthlyBudget": "7000"}, "aws-cn"),
}
KEPT_PATHS = 2  # of the API: all of them make cfn-lint slow, and they are alike


def truth(name: str, values: dict[str, Any]) -> bool:
    return bool(decided(TEMPLATE["Conditions"][name], values))


def decided(node: Any, values: dict[str, Any]) -> Any:
    """A condition's value; the template's conditions use nothing else than what stands here."""
    if not isinstance(node, dict):
        return str(node)
    ((key, told),) = node.items()
    if key == "Ref":
        return str(values[told])
    if key == "Condition":
        return truth(told, values)
    parts = [decided(one, values) for one in told]
    return {"Fn::Equals": lambda: parts[0] == parts[1], "Fn::Not": lambda: not parts[0],
            "Fn::And": lambda: all(parts), "Fn::Or": lambda: any(parts)}[key]()  # fmt: skip


NOTHING = object()


def chosen(node: Any, values: dict[str, Any]) -> Any:
    """The document as CloudFormation sees it when conditions are decided."""
    if isinstance(node, list):
        return [made for one in node if (made := chosen(one, values)) is not NOTHING]
    if node == {"Ref": "AWS::NoValue"}:
        return NOTHING
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::If"}:
        condition, yes, no = node["Fn::If"]
        return chosen(yes if truth(condition, values) else no, values)
    return {k: made for k, one in node.items() if (made := chosen(one, values)) is not NOTHING}


@cache
def deployed(scenario: str) -> dict[str, Any]:
    """The plain CloudFormation document of a scenario."""
    given, partition = SCENARIOS[scenario]
    document = copy.deepcopy(TEMPLATE)
    for name, told in document["Parameters"].items():
        told["Default"] = given.get(name, told["Default"])
    values = {name: told["Default"] for name, told in document["Parameters"].items()}
    values["AWS::Partition"] = partition
    for resource in document["Resources"].values():
        for kind, place in (("Function", "CodeUri"), ("LayerVersion", "ContentUri")):
            if resource["Type"] == f"AWS::Serverless::{kind}":
                resource["Properties"][place] = {"Bucket": "artifacts", "Key": "x.zip"}
    body = document["Resources"]["RestApi"]["Properties"]["DefinitionBody"]
    body["paths"] = dict(list(body["paths"].items())[:KEPT_PATHS])
    plain = transform(document, values, SimpleNamespace(load=dict))
    plain["Resources"] = {
        name: told for name, told in plain["Resources"].items()
        if "Condition" not in told or truth(told.pop("Condition"), values)
    }  # fmt: skip
    plain["Conditions"] = {}
    return dict(chosen(plain, values))


def resources(scenario: str, kind: str) -> dict[str, Any]:
    return {
        name: told.get("Properties", {})
        for name, told in deployed(scenario)["Resources"].items()
        if told["Type"] == kind
    }


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_the_scenarios_try_both_sides_of_every_condition() -> None:
    seen: dict[str, set[bool]] = {name: set() for name in TEMPLATE["Conditions"]}
    for given, partition in SCENARIOS.values():
        values = {n: given.get(n, p["Default"]) for n, p in TEMPLATE["Parameters"].items()}
        for name, sides in seen.items():
            sides.add(truth(name, {**values, "AWS::Partition": partition}))
    assert {name for name, sides in seen.items() if sides != {True, False}} == set()


def judged(document: dict[str, Any]) -> list[str]:
    found = lint(json.dumps(document), config=ManualArgs(regions=["us-east-1"], ignore_checks=["W", "I"]))
    return [match.message for match in found]


def test_with_everything_on_the_plain_document_is_sound_and_names_nothing_that_is_not_there() -> None:
    """Written by SAM, which `make lint` does not do. With nothing on, the end-to-end tests deploy it."""
    assert judged(deployed("all")) == []


def test_the_judge_sees_what_is_not_there() -> None:
    document = {
        "Resources": {
            "T": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "K"}, "Nmae": "x"}}
        }
    }
    assert len(judged(document)) == 2


def test_every_parameter_is_used() -> None:
    text = json.dumps({k: v for k, v in TEMPLATE.items() if k not in ("Parameters", "Metadata")})
    unused = [n for n in TEMPLATE["Parameters"] if f'"Ref": "{n}"' not in text and f"${{{n}}}" not in text]
    assert unused == []


def test_the_local_stack_gets_nothing_that_an_emulator_refuses() -> None:
    kinds = {told["Type"] for told in deployed("local")["Resources"].values()}
    assert not {
        k for k in kinds if k.startswith(("AWS::WAFv2", "AWS::Backup", "AWS::Budgets", "AWS::Route53"))
    }
    assert not {"AWS::S3::BucketPolicy", "AWS::Glue::Database", "AWS::ApiGateway::DomainName"} & kinds


# --- rows ------------------------------------------------------------------------------------------


def test_attack_patterns_are_refused_and_told_and_counted_even_without_a_firewall() -> None:
    """S-18, C-40"""
    (acl,) = resources("all", "AWS::WAFv2::WebACL").values()
    groups = {
        rule["Statement"].get("ManagedRuleGroupStatement", {}).get("Name"): rule for rule in acl["Rules"]
    }
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= set(groups)
    assert all(rule.get("OverrideAction", {"None": {}}) == {"None": {}} for rule in acl["Rules"])
    (limit,) = [r for r in acl["Rules"] if "RateBasedStatement" in r["Statement"]]
    assert limit["Action"] == {"Block": {}}
    (counting,) = resources("china", "AWS::WAFv2::WebACL").values()
    assert not [
        r
        for r in counting["Rules"]
        if r.get("Action") == {"Block": {}} or r.get("OverrideAction") == {"None": {}}
    ]
    assert resources("all", "AWS::WAFv2::WebACLAssociation")
    assert deployed("all")["Resources"]["AttackAlarm"]["Properties"]["MetricName"] == "BlockedRequests"
    assert deployed("china")["Resources"]["AttackAlarm"]["Properties"]["MetricName"] == "CountedRequests"
    for scenario in SCENARIOS:
        alarms = deployed(scenario)["Resources"]["RefusedAlarm"]["Properties"]
        assert alarms["AlarmActions"] == [{"Ref": "AlertTopic"}]


def test_logs_of_the_firewall_hold_no_tokens_and_no_queries() -> None:
    """S-24: never logged."""
    (logging,) = resources("all", "AWS::WAFv2::LoggingConfiguration").values()
    assert {"SingleHeader": {"Name": "authorization"}} in logging["RedactedFields"]
    assert {"QueryString": {}} in logging["RedactedFields"]


def test_callers_come_by_tls_and_where_asked_with_certificates_and_no_other_way() -> None:
    """S-22"""
    (domain,) = resources("all", "AWS::ApiGateway::DomainName").values()
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["MutualTlsAuthentication"] == {"TruststoreUri": {"Ref": "ClientCertificates"}}
    closed = {"all": True, "plain": False}
    for scenario, wanted in closed.items():
        (api,) = resources(scenario, "AWS::ApiGateway::RestApi").values()
        endpoint = api["Body"]["x-amazon-apigateway-endpoint-configuration"]
        assert endpoint == {"disableExecuteApiEndpoint": wanted}


def test_keys_turn_by_themselves_and_services_never_hold_the_key_of_the_data() -> None:
    """S-24"""
    for name, key in resources("plain", "AWS::KMS::Key").items():
        assert key.get("EnableKeyRotation") is True or key["KeyUsage"] == "SIGN_VERIFY", name
        for told in key["KeyPolicy"]["Statement"]:
            principal = told["Principal"]
            if principal == {"AWS": "*"}:
                bound = set(told["Condition"]["StringEquals"])
                assert bound == {"kms:CallerAccount", "kms:ViaService"}, name
            assert "Service" not in principal or name == "MessageKey", name


def test_everything_is_copied_to_the_second_site_within_a_quarter_of_an_hour_or_told() -> None:
    """S-25: buckets; the tables by hourly backups, which docs/deploy.md says."""
    buckets = resources("all", "AWS::S3::Bucket")
    for name, bucket in buckets.items():
        (rule,) = bucket["ReplicationConfiguration"]["Rules"]
        target = rule["Destination"]
        assert (rule["Status"], rule["Filter"]) == ("Enabled", {"Prefix": ""}), name
        assert target["ReplicationTime"] == {"Status": "Enabled", "Time": {"Minutes": 15}}
        assert target["Bucket"]["Fn::Sub"].endswith(bucket["BucketName"]["Fn::Sub"] + "-${SecondRegion}")
        assert {
            f"{name.removesuffix('Bucket')}ReplicaLateAlarm",
            f"{name.removesuffix('Bucket')}ReplicaFailedAlarm",
        } <= set(deployed("all")["Resources"])
        assert "ReplicationConfiguration" not in resources("plain", "AWS::S3::Bucket")[name]


def test_tables_are_backed_up_every_hour_sealed_and_locked_and_copied_when_there_is_a_second_site() -> None:
    """S-25"""
    for scenario, copies in (("plain", 0), ("all", 1)):
        (plan,) = resources(scenario, "AWS::Backup::BackupPlan").values()
        (rule,) = plan["BackupPlan"]["BackupPlanRule"]
        assert rule["ScheduleExpression"] == "cron(0 * * * ? *)"
        assert len(rule.get("CopyActions", [])) == copies
        (vault,) = resources(scenario, "AWS::Backup::BackupVault").values()
        assert vault["EncryptionKeyArn"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
        assert vault["LockConfiguration"]["MinRetentionDays"] >= 7
        (selection,) = resources(scenario, "AWS::Backup::BackupSelection").values()
        tables = {r["Fn::GetAtt"][0] for r in selection["BackupSelection"]["Resources"]}
        assert tables == set(resources(scenario, "AWS::DynamoDB::Table"))


def test_the_second_site_has_a_place_for_every_bucket_that_is_copied() -> None:
    """S-25"""
    from test_template import artifacts

    second = artifacts.assembled(ROOT / "infra" / "second-site.yaml")["Resources"]
    there = {
        told["Properties"]["BucketName"]["Fn::Sub"]
        for told in second.values()
        if told["Type"] == "AWS::S3::Bucket"
    }
    here = {
        b["BucketName"]["Fn::Sub"] + "-${AWS::Region}" for b in resources("all", "AWS::S3::Bucket").values()
    }
    assert there == here
    # Replication copies no expiry: rows and identity numbers in plain would lie in the copy for ever (S-16).
    of_staging = resources("all", "AWS::S3::Bucket")["StagingBucket"]["LifecycleConfiguration"]["Rules"]
    assert second["stagingBucket"]["Properties"]["LifecycleConfiguration"]["Rules"] == of_staging
    lock = second["evidenceBucket"]["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Mode": {"Ref": "EvidenceLock"}, "Days": {"Ref": "EvidenceDays"}}


def test_no_function_is_alone_and_none_can_crowd_out_the_api() -> None:
    """S-26, C-35: as many instances as there is work; intake is limited, the API has its own share."""
    for name, function in resources("all", "AWS::Lambda::Function").items():
        share = function.get("ReservedConcurrentExecutions")
        people = name in ("ApiFunction", "QueryDataFunction", "AuthorizeRequestFunction")
        assert (share == {"Ref": "ReservedForApi"}) == people, name
    limited = {
        m["FunctionName"]["Ref"]: m.get("ScalingConfig")
        for m in resources("plain", "AWS::Lambda::EventSourceMapping").values()
    }
    for name in ("IngestFileFunction", "ValidateBatchFunction"):
        assert limited[name] == {"MaximumConcurrency": {"Ref": "IntakeConcurrency"}}
    assert TEMPLATE["Parameters"]["IntakeConcurrency"]["MinValue"] >= 2


#: What a function is told that is no place and no parameter.
SAID_OUTRIGHT = {"POWERTOOLS_LOG_LEVEL", "ARROW_DEFAULT_MEMORY_POOL", "GLUE_DATABASE"}


def test_every_place_that_a_function_knows_is_a_value_of_the_configuration() -> None:
    """Q-08: tables, queues, buckets, keys and addresses come from the stack or from a parameter."""
    for name, function in resources("plain", "AWS::Lambda::Function").items():
        told = function["Environment"]["Variables"]
        outright = {k for k, v in told.items() if not isinstance(v, dict)}
        assert outright <= SAID_OUTRIGHT, name


def test_every_function_every_execution_and_the_gateway_are_traced() -> None:
    for name, function in resources("plain", "AWS::Lambda::Function").items():
        assert function["TracingConfig"] == {"Mode": "Active"}, name
    (stage,) = resources("plain", "AWS::ApiGateway::Stage").values()
    assert stage["TracingEnabled"] is True
    for machine in resources("plain", "AWS::StepFunctions::StateMachine").values():
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_tables_are_opened_by_iam_alone_whatever_the_account_says_of_lake_formation() -> None:
    (database,) = resources("plain", "AWS::Glue::Database").values()
    (right,) = database["DatabaseInput"]["CreateTableDefaultPermissions"]
    assert right["Principal"] == {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    assert right["Permissions"] == ["ALL"]


def test_administrators_come_from_the_networks_that_are_named() -> None:
    """S-18"""
    told = {
        name: function["Environment"]["Variables"].get("ADMIN_NETWORKS")
        for name, function in resources("plain", "AWS::Lambda::Function").items()
    }
    assert {name for name, value in told.items() if value == {"Ref": "AdminNetworks"}} == {
        "ApiFunction", "QueryDataFunction",
    }  # fmt: skip
    pattern = re.compile(TEMPLATE["Parameters"]["AdminNetworks"]["AllowedPattern"])
    assert all(map(pattern.search, ("", "10.0.0.0/8", "10.0.0.0/8,2001:db8::/32")))
    assert not any(map(pattern.search, ("10.0.0.1", "everywhere", "10.0.0.0/8,")))


def test_queries_have_a_limit_a_place_and_a_key_that_who_starts_them_cannot_choose() -> None:
    (group,) = resources("plain", "AWS::Athena::WorkGroup").values()
    told = group["WorkGroupConfiguration"]
    assert told["EnforceWorkGroupConfiguration"] is True
    assert told["BytesScannedCutoffPerQuery"] == {"Ref": "QueryScanBytes"}
    assert told["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def policies_of(scenario: str) -> Iterator[dict[str, Any]]:
    for role in resources(scenario, "AWS::IAM::Role").values():
        for policy in role.get("Policies", []):
            yield from listed(policy["PolicyDocument"]["Statement"])


def test_nobody_may_open_or_erase_what_keeps_the_data() -> None:
    """S-24, S-25: no role schedules the deletion of a key, empties a vault or lifts a lock."""
    never = ("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "backup:Delete", "s3:BypassGovernanceRetention",
             "s3:PutBucketPolicy", "s3:PutObjectRetention", "dynamodb:DeleteTable")  # fmt: skip
    for told in policies_of("all"):
        assert not [a for a in listed(told["Action"]) if a.startswith(never)]


def test_the_gateway_of_a_new_account_may_write_logs_before_the_api_is_made() -> None:
    account = deployed("plain")["Resources"]["GatewayAccount"]["Properties"]
    assert account == {"CloudWatchRoleArn": {"Fn::GetAtt": ["GatewayLogRole", "Arn"]}}
    assert listed(deployed("plain")["Resources"]["RestApi"]["DependsOn"]) == ["GatewayAccount"]
    assert "GatewayAccount" not in deployed("local")["Resources"]


def test_a_budget_tells_at_four_fifths_and_when_the_forecast_is_above_it() -> None:
    assert not resources("plain", "AWS::Budgets::Budget")
    for scenario, currency in (("all", "USD"), ("china", "CNY")):
        (budget,) = resources(scenario, "AWS::Budgets::Budget").values()
        assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "MonthlyBudget"}, "Unit": currency}
        kinds = {n["Notification"]["NotificationType"] for n in budget["NotificationsWithSubscribers"]}
        assert kinds == {"ACTUAL", "FORECASTED"}


def test_the_dashboard_is_json_and_its_widgets_do_not_overlap() -> None:
    (board,) = resources("plain", "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(board["DashboardBody"]["Fn::Sub"])["widgets"]
    places = {(x, w["y"]) for w in widgets for x in range(w["x"], w["x"] + w["width"])}
    assert len(places) == sum(w["width"] for w in widgets)
