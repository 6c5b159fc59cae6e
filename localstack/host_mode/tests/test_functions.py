"""Functions as LocalStack runs them with the executor ``process``."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import zipped

Client = Callable[[str], Any]
Function = Callable[..., str]


def invoke(client: Client, name: str, event: Any = None, **more: Any) -> dict[str, Any]:
    made = client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail", **more
    )
    return {
        "told": json.loads(made["Payload"].read()),
        "error": made.get("FunctionError"),
        "log": base64.b64decode(made.get("LogResult", "")).decode(),
    }


def test_a_function_runs_with_its_layers_its_variables_and_no_other(
    client: Client, function: Function
) -> None:
    """Of two layers with the same module the later one counts; function code comes before both."""
    layers = [
        client("lambda").publish_layer_version(
            LayerName=f"layer-{n}",
            Content={
                "ZipFile": zipped(
                    {"python/which.py": f"layer = {n}", "python/handler.py": "raise SystemError"}
                )
            },
        )["LayerVersionArn"]
        for n in (1, 2)
    ]
    name = function(
        "import os, which\ndef handler(event, context):\n    return which.layer, dict(os.environ), os.getcwd()",
        layers=tuple(layers), Environment={"Variables": {"MINE": "1"}},
    )  # fmt: skip
    layer, seen, folder = invoke(client, name)["told"]
    assert layer == 2
    assert (seen["MINE"], seen["PASSED"], seen["AWS_EXECUTION_ENV"]) == (
        "1",
        "for functions",
        "AWS_Lambda_python3.13",
    )
    assert "SECRET_OF_LOCALSTACK" not in seen
    assert seen["LAMBDA_TASK_ROOT"] == folder
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_the_tail_and_cloudwatch_have_what_was_printed_and_a_report(
    client: Client, function: Function
) -> None:
    """In the log group that LoggingConfig names."""
    name = function(
        "print('cold')\ndef handler(event, context):\n    print('warm')\n",
        LoggingConfig={"LogGroup": "/own/group"},
    )
    first, second = invoke(client, name)["log"], invoke(client, name)["log"]
    assert first.startswith("cold\nSTART RequestId: ")
    assert "Init Duration" in first
    assert "Init Duration" not in second
    report = second.splitlines()[-1]
    assert "Memory Size: 256 MB\tMax Memory Used: " in report
    assert int(report.split("Max Memory Used: ")[1].split()[0]) > 5
    logs = client("logs")
    for _ in range(100):
        kept = logs.filter_log_events(logGroupName="/own/group")["events"] if _has(logs, "/own/group") else []
        if sum("REPORT" in event["message"] for event in kept) == 2:
            return
        time.sleep(0.1)
    pytest.fail(f"in CloudWatch: {kept}")


def _has(logs: Any, group: str) -> bool:
    return bool(logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])


def test_after_a_timeout_or_a_crash_the_next_call_has_a_new_process(
    client: Client, function: Function
) -> None:
    name = function(
        "import os, time\n"
        "def handler(event, context):\n"
        "    if event == 'hang': time.sleep(60)\n"
        "    if event == 'crash': os._exit(7)\n"
        "    return os.getpid()",
        Timeout=2,
    )
    first = invoke(client, name)["told"]
    hung = invoke(client, name, "hang")
    assert (hung["error"], hung["told"]["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert hung["told"]["errorMessage"].endswith("Task timed out after 2.00 seconds")
    second = invoke(client, name)["told"]
    crashed = invoke(client, name, "crash")
    assert crashed["told"]["errorType"] == "Runtime.ExitError"
    assert crashed["told"]["errorMessage"].endswith("Runtime exited with error: exit status 7")
    assert len({first, second, invoke(client, name)["told"]}) == 3


def test_a_function_that_cannot_be_imported_says_so_to_its_caller_and_its_log(
    client: Client, function: Function
) -> None:
    told = invoke(client, function("import nothing_of_the_kind"))
    assert (told["error"], told["told"]["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert "nothing_of_the_kind" in told["log"]


def test_an_answer_above_the_limit_is_an_error(client: Client, function: Function) -> None:
    name = function("def handler(event, context): return 'x' * event")
    assert len(invoke(client, name, 6_000_000)["told"]) == 6_000_000
    assert invoke(client, name, 7_000_000)["told"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_calls_at_once_run_side_by_side_each_in_its_own_process(client: Client, function: Function) -> None:
    name = function(
        "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return event, os.getpid()"
    )
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda n: invoke(client, name, n)["told"], range(6)))
    assert [n for n, _ in told] == list(range(6))
    assert len({pid for _, pid in told}) > 1


def test_a_runtime_that_is_not_python_is_refused_with_a_reason(client: Client) -> None:
    client("lambda").create_function(
        FunctionName="node", Runtime="nodejs22.x", Handler="a.b", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zipped({"a.js": ""})},
    )  # fmt: skip
    for _ in range(100):
        state = client("lambda").get_function_configuration(FunctionName="node")
        if state["State"] != "Pending":
            break
        time.sleep(0.1)
    assert state["State"] == "Failed"
    assert "runs Python, not nodejs22.x" in state["StateReason"]


def test_a_queue_feeds_a_function_which_fails_single_messages(client: Client, function: Function) -> None:
    sqs = client("sqs")
    queue, dead = (sqs.create_queue(QueueName=n)["QueueUrl"] for n in ("work", "dead"))
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "1"})
    name = function(
        "def handler(event, context):\n"
        "    bad = [r['messageId'] for r in event['Records'] if r['body'] == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': id} for id in bad]}",
        Timeout=1,
    )
    source = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(
        EventSourceArn=source, FunctionName=name, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    for body in ("good", "bad", "good"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    found = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    assert [message["Body"] for message in found] == ["bad"]
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"]
    assert set(left.values()) == {"0"}
