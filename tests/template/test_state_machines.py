"""State machines: tasks are tried again and end in time, nothing is tolerated, and who is told when one fails."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest
from test_least_privilege import reached
from test_template import FUNCTIONS, QUEUES, RESOURCES, ROOT, listed, of_type, statements

from huitong import runtime
from huitong.batches.runs import Run
from huitong.comparison.fan_out import FanOut
from huitong.comparison.parts import FOLDER
from huitong.errors import Corrupt, Unavailable

MACHINES = of_type("AWS::Serverless::StateMachine")
FILES = {
    path.name: json.loads(path.read_text()) for path in (ROOT / "infra/state_machines").glob("*.asl.json")
}


def tasks(states: dict[str, Any]) -> list[dict[str, Any]]:
    found = [s for s in states.values() if s["Type"] == "Task"]
    for state in states.values():
        if state["Type"] == "Map":
            found += tasks(state["ItemProcessor"]["States"])
    return found


def test_each_definition_is_deployed_and_each_name_in_it_is_given() -> None:
    assert len(MACHINES) == len(FILES)
    for machine in MACHINES.values():
        assert machine["Definition"] in FILES.values()
        named = set(re.findall(r"\$\{(\w+)\}", json.dumps(machine["Definition"])))
        assert named == set(machine["DefinitionSubstitutions"])


@pytest.mark.parametrize("name", FILES)
def test_every_task_is_tried_again_unless_hopeless_and_outlasts_its_function(name: str) -> None:
    """X-08: faults of Lambda, kills and timeouts included."""
    longest = max(f.get("Timeout", 0) for f in FUNCTIONS.values())
    found = tasks(FILES[name]["States"])
    assert len(found) == 2
    for task in found:
        hopeless, others = task["Retry"]
        assert hopeless == {"ErrorEquals": [runtime.GiveUp.__name__], "MaxAttempts": 0}
        assert others["ErrorEquals"] == ["States.ALL"]
        assert others["MaxAttempts"] >= 5
        assert others["BackoffRate"] > 1
        assert longest < task["TimeoutSeconds"] < FILES[name]["TimeoutSeconds"]


@pytest.mark.parametrize("name", FILES)
def test_maps_are_distributed_and_tolerate_nothing(name: str) -> None:
    (mapped,) = [s for s in FILES[name]["States"].values() if s["Type"] == "Map"]
    assert mapped["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert mapped["ToleratedFailureCount"] == 0
    assert "ToleratedFailurePercentage" not in mapped
    assert mapped["MaxConcurrency"] <= 500  # half of the concurrency that an account has
    assert mapped["ResultSelector"] == {"all": True}  # a thousand results are nobody's business


def test_the_resource_is_busy_longer_than_an_execution_can_last() -> None:
    (longest,) = [f.default for f in fields(FanOut) if f.name == "longest"]
    assert FILES["compare_in_parts.asl.json"]["TimeoutSeconds"] < longest.total_seconds()


def test_names_of_executions_are_what_may_be_asked_for_and_what_step_functions_takes() -> None:
    name = Run(batch="b" + "0" * 31, attempt=10**9).name
    assert re.fullmatch(r"b[0-9a-f]{31}-[0-9]+", name)
    assert len(name) <= 80
    (asked,) = [
        s
        for s in statements(FUNCTIONS["CompareBatchFunction"])
        if "states:DescribeExecution" in listed(s["Action"])
    ]
    assert asked["Resource"]["Fn::Sub"].endswith("-compare-in-parts:b*")


def test_executions_that_end_badly_are_told_to_the_comparison() -> None:
    """X-12: through the queue of the resource's comparisons, whose policy lets that rule alone."""
    (rule,) = [
        r for r in of_type("AWS::Events::Rule").values() if r["EventPattern"]["source"] == ["aws.states"]
    ]
    assert set(rule["EventPattern"]["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    (target,) = rule["Targets"]
    queue = QUEUES[target["Arn"]["Fn::GetAtt"][0]]
    assert queue["FifoQueue"] is queue["ContentBasedDeduplication"] is True
    assert target["DeadLetterConfig"]
    assert json.loads(target["InputTransformer"]["InputTemplate"].replace("<name>", "b1-1")) == {
        "execution": "b1-1"
    }


@pytest.mark.parametrize("name", MACHINES)
def test_machines_are_traced_logged_without_data_and_watched(name: str) -> None:
    machine = MACHINES[name]
    assert machine["Tracing"] == {"Enabled": True}
    assert machine["Logging"]["IncludeExecutionData"] is False
    (group,) = machine["Logging"]["Destinations"]
    assert RESOURCES[group["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]]["Properties"][
        "RetentionInDays"
    ]
    watched = [a for a in of_type("AWS::CloudWatch::Alarm").values() if a.get("Namespace") == "AWS/States"]
    ends = {a["MetricName"] for a in watched if a["Dimensions"][0]["Value"] == {"Ref": name}}
    assert ends == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


def test_workers_write_data_and_receipts_the_commit_writes_metadata() -> None:
    """S-08: a worker cannot change what is served."""
    assert reached("ComparePartFunction", "s3:PutObject", "WarehouseBucket") == ["*/data/*"]
    assert reached("ComparePartFunction", "s3:PutObject", "StagingBucket") == [f"{FOLDER}/*"]
    assert reached("CommitComparisonFunction", "s3:PutObject", "WarehouseBucket") == ["*/metadata/*"]
    assert reached("CommitComparisonFunction", "s3:GetObject", "WarehouseBucket") == ["*/metadata/*"]
    actions = {a for s in statements(FUNCTIONS["ComparePartFunction"]) for a in listed(s["Action"])}
    assert not any(
        a.startswith(("glue:", "sqs:", "events:", "dynamodb:Put", "dynamodb:Del")) for a in actions
    )


class Context:
    aws_request_id = "r"
    function_name = "f"


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (Unavailable("张三", "x"), runtime.TryAgain),
        (ValueError("张三 440300199001010000"), runtime.TryAgain),
        (Corrupt("张三", "y"), runtime.GiveUp),
    ],
)
def test_what_a_task_ends_with_says_whether_to_try_again_and_no_values(
    error: Exception, ending: type[Exception]
) -> None:
    """S-19: an execution's history is read by people who may not see rows."""

    def failing(_: Any) -> Any:
        raise error

    with pytest.raises(ending) as raised:
        runtime.task("part", failing)({}, Context())
    assert "张三" not in str(raised.value)
    assert raised.value.__suppress_context__
