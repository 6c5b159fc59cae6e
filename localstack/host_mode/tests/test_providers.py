"""DynamoDB and Glue by moto under races; CloudFormation's resources; authorizers of an API."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]
Function = Callable[..., str]


@pytest.fixture
def table(client: Client, request: pytest.FixtureRequest) -> str:
    name = request.node.name[:200]
    client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
    )  # fmt: skip
    return name


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "-"}}


def code(call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def race(call: Callable[[int], str], workers: int = 16, rounds: int = 1) -> list[str]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(call, range(workers * rounds)))


def test_of_writers_with_the_same_condition_one_wins(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")

    def put(n: int) -> str:
        item = {**key("k"), "by": {"N": str(n)}}
        return code(
            lambda: dynamodb.put_item(
                TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        )

    told = race(put, rounds=4)
    assert (told.count(""), told.count("ConditionalCheckFailedException")) == (1, 63)


def test_a_counter_raised_under_a_condition_loses_no_step(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key("n"), "n": {"N": "0"}})

    def step(_: int) -> str:
        while True:
            now = dynamodb.get_item(TableName=table, Key=key("n"))["Item"]["n"]["N"]
            told = code(
                lambda now=now: dynamodb.update_item(
                    TableName=table, Key=key("n"), UpdateExpression="SET n = n + :one", ConditionExpression="n = :now",
                    ExpressionAttributeValues={":one": {"N": "1"}, ":now": {"N": now}},
                )
            )  # fmt: skip
            if told != "ConditionalCheckFailedException":
                return told

    assert race(step, workers=8, rounds=4) == [""] * 32
    assert dynamodb.get_item(TableName=table, Key=key("n"))["Item"]["n"] == {"N": "32"}


def test_of_transactions_that_exclude_each_other_one_is_written_and_whole(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")

    def transact(n: int) -> str:
        put = {"TableName": table, "ConditionExpression": "attribute_not_exists(pk)"}
        items = [
            {"Put": {"TableName": table, "Item": {**key(f"own-{n}")}}},
            {"Put": {**put, "Item": {**key("one"), "by": {"N": str(n)}}}},
        ]
        return code(lambda: dynamodb.transact_write_items(TransactItems=items))

    told = race(transact)
    assert (told.count(""), told.count("TransactionCanceledException")) == (1, 15)
    found = dynamodb.scan(TableName=table)["Items"]
    winner = next(item["by"]["N"] for item in found if "by" in item)
    assert sorted(item["pk"]["S"] for item in found) == sorted(["one", f"own-{winner}"])


def test_a_transaction_tells_which_part_failed_and_puts_back_what_it_wrote(
    client: Client, table: str
) -> None:
    dynamodb = client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key("a"), "n": {"S": "text"}})
    check = {"TableName": table, "Key": key("b"), "ConditionExpression": "attribute_exists(pk)"}
    put = {"TableName": table, "Item": key("c")}
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": check}])
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    change = {
        "TableName": table, "Key": key("a"), "UpdateExpression": "SET n = n + :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }  # fmt: skip
    gone = {"TableName": table, "Key": key("a")}
    assert code(lambda: dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": change}]))
    assert dynamodb.scan(TableName=table)["Items"] == [{**key("a"), "n": {"S": "text"}}]
    two = [{"Delete": gone}, {"Put": {"TableName": table, "Item": key("a")}}]
    assert code(lambda: dynamodb.transact_write_items(TransactItems=two)) == "ValidationException"


def test_a_transaction_with_the_same_token_is_written_once(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")
    add = {
        "TableName": table, "Key": key("a"), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }  # fmt: skip
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken="t-1")
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"]["n"] == {"N": "1"}
    other = [{"Delete": {"TableName": table, "Key": key("a")}}]
    told = code(lambda: dynamodb.transact_write_items(TransactItems=other, ClientRequestToken="t-1"))
    assert told == "IdempotentParameterMismatchException"


def test_of_commits_to_the_same_version_of_a_glue_table_one_wins(client: Client) -> None:
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    glue.create_table(DatabaseName="d", TableInput={"Name": "t"})
    version = glue.get_table(DatabaseName="d", Name="t")["Table"]["VersionId"]

    def commit(n: int) -> str:
        said = {"Name": "t", "Parameters": {"by": str(n)}}
        return code(
            lambda: glue.update_table(DatabaseName="d", TableInput=said, VersionId=version, SkipArchive=True)
        )

    told = race(commit)
    assert (told.count(""), told.count("ConcurrentModificationException")) == (1, 15)
    after = glue.get_table(DatabaseName="d", Name="t")["Table"]
    assert after["Parameters"]["by"] == str(told.index(""))
    glue.update_table(DatabaseName="d", TableInput={"Name": "t"})  # no version: no check, as on AWS


def test_every_service_of_localstack_can_be_loaded_by_this_python() -> None:
    """It was made for 3.13; what it misses on 3.12 comes from python_3_12."""
    script = (
        "import importlib, pkgutil\n"
        "from localstack_host_mode import python_3_12\n"
        "python_3_12.install()\n"
        "import localstack.services as services\n"
        "for found in pkgutil.walk_packages(services.__path__, 'localstack.services.'):\n"
        "    importlib.import_module(found.name)\n"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


TEMPLATE = {
    "Resources": {
        "Pool": {
            "Type": "AWS::Cognito::UserPool",
            "Properties": {"MfaConfiguration": "ON", "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
                           "Policies": {"PasswordPolicy": {"MinimumLength": 12}}},
        },
        "Client": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {"UserPoolId": {"Ref": "Pool"}, "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]},
        },
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": "1", "DatabaseInput": {"Name": "of-stack"}},
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/of/stack"}},
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {"LogGroupName": {"Ref": "Group"}, "FilterPattern": "ERROR", "MetricTransformations": [
                {"MetricNamespace": "n", "MetricName": "m", "MetricValue": "1", "DefaultValue": 0}]},
        },
        "Board": {"Type": "AWS::CloudWatch::Dashboard",
                  "Properties": {"DashboardName": "of-stack", "DashboardBody": '{"widgets": []}'}},
        "Work": {
            "Type": "AWS::Athena::WorkGroup",
            "Properties": {"Name": "of-stack", "WorkGroupConfiguration": {"BytesScannedCutoffPerQuery": 10_000_000, "ResultConfiguration": {"ExpectedBucketOwner": "000000000000"}}},
        },
    },
    "Outputs": {
        "Pool": {"Value": {"Ref": "Pool"}}, "Arn": {"Value": {"Fn::GetAtt": ["Pool", "Arn"]}},
        "Client": {"Value": {"Ref": "Client"}}, "Database": {"Value": {"Ref": "Database"}},
    },
}  # fmt: skip


def test_a_stack_makes_changes_and_removes_what_the_free_edition_does_not_know(client: Client) -> None:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    found = cloudformation.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    told = {output["OutputKey"]: output["OutputValue"] for output in found}
    pool = client("cognito-idp").describe_user_pool(UserPoolId=told["Pool"])["UserPool"]
    assert pool["Arn"] == told["Arn"]
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert client("cognito-idp").get_user_pool_mfa_config(UserPoolId=told["Pool"])["MfaConfiguration"] == "ON"
    client("cognito-idp").describe_user_pool_client(UserPoolId=told["Pool"], ClientId=told["Client"])
    assert client("glue").get_database(Name=told["Database"])
    assert client("logs").describe_metric_filters(logGroupName="/of/stack")["metricFilters"]
    assert client("cloudwatch").list_dashboards(DashboardNamePrefix="of-stack")["DashboardEntries"]
    made = client("athena").get_work_group(WorkGroup="of-stack")["WorkGroup"]
    assert made["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    changed = json.dumps(TEMPLATE).replace('"ERROR"', '"FATAL"').replace('": 12}', '": 14}')
    cloudformation.update_stack(StackName="s", TemplateBody=changed)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    filters = client("logs").describe_metric_filters(logGroupName="/of/stack")["metricFilters"]
    assert [found["filterPattern"] for found in filters] == ["FATAL"]
    pool = client("cognito-idp").describe_user_pool(UserPoolId=told["Pool"])["UserPool"]
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 14
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert code(lambda: client("glue").get_database(Name=told["Database"])) == "EntityNotFoundException"


AUTHORIZER = """
CALLS = 0
def handler(event, context):
    global CALLS
    CALLS += 1
    token = event.get("authorizationToken") or event["headers"]["X-Key"]
    if token == "stranger":
        raise Exception("Unauthorized")
    if token == "broken":
        raise ValueError("boom")
    effect = "Deny" if token == "denied" else "Allow"
    path = "secret" if token == "elsewhere" else "*"
    resource = event["methodArn"].rsplit("/", 1)[0] + "/" + path
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": token, "context": {"calls": CALLS, "member": True},
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
SERVICE = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""


@pytest.fixture
def api(
    client: Client, function: Function, endpoint: str
) -> Callable[..., Callable[[str | None], tuple[int, Any]]]:
    def make(**authorizer: Any) -> Callable[[str | None], tuple[int, Any]]:
        gateway = client("apigateway")
        uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
        arn = "arn:aws:lambda:us-east-1:000000000000:function:"
        id = gateway.create_rest_api(name="a")["id"]
        root = gateway.get_resources(restApiId=id)["items"][0]["id"]
        place = gateway.create_resource(restApiId=id, parentId=root, pathPart="open")["id"]
        asked = gateway.create_authorizer(
            restApiId=id, name="z", authorizerUri=uri.format(arn + function(AUTHORIZER)), **authorizer
        )["id"]
        gateway.put_method(
            restApiId=id, resourceId=place, httpMethod="GET", authorizationType="CUSTOM", authorizerId=asked
        )
        gateway.put_integration(
            restApiId=id, resourceId=place, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST",
            uri=uri.format(arn + function(SERVICE)),
        )  # fmt: skip
        gateway.create_deployment(restApiId=id, stageName="v")
        name = authorizer["identitySource"].rpartition(".")[2]

        def call(token: str | None) -> tuple[int, Any]:
            request = urllib.request.Request(f"{endpoint}/_aws/execute-api/{id}/v/open")
            if token is not None:
                request.add_header(name, token)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())

        return call

    return make


@pytest.mark.parametrize(
    "kind",
    [
        {
            "type": "TOKEN",
            "identitySource": "method.request.header.X-Key",
            "identityValidationExpression": "[a-z]+",
        },
        {"type": "REQUEST", "identitySource": "method.request.header.X-Key"},
    ],
)
def test_an_authorizer_is_asked_before_the_function(api: Any, kind: dict[str, str]) -> None:
    call = api(**kind)
    assert call(None)[0] == 401
    assert call("stranger")[0] == 401
    assert call("denied")[0] == 403
    assert call("elsewhere")[0] == 403
    assert call("broken")[0] == 500
    status, told = call("friend")
    assert status == 200
    assert (told["principalId"], told["member"]) == ("friend", "true")
    assert call("friend")[1]["calls"] == told["calls"], "the answer is kept for its time"
    if kind["type"] == "TOKEN":
        assert call("NOT OF THE FORM")[0] == 401


def test_an_authorizer_without_time_to_live_is_asked_each_time(api: Any) -> None:
    call = api(type="TOKEN", identitySource="method.request.header.X-Key", authorizerResultTtlInSeconds=0)
    assert call("friend")[1]["calls"] != call("friend")[1]["calls"]
