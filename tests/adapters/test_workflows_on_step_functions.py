"""Executions on Step Functions: started once by name, and how they stand."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from huitong.aws.workflows import StepFunctions
from huitong.errors import Fault, Unavailable
from huitong.ports import WorkflowState

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:compare"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:compare:b1-1"


@pytest.fixture
def client() -> Any:
    return boto3.client("stepfunctions", region_name="us-east-1")


@pytest.fixture
def machine(client: Any) -> str:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}}
    made = client.create_state_machine(
        name="compare", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/machine"
    )
    return str(made["stateMachineArn"])


def test_a_name_starts_one_execution_however_often_it_is_asked_for(client: Any, machine: str) -> None:
    """X-08: also with other input, and after its end."""
    flows = StepFunctions(client, machine)
    assert flows.state("b1-1") is None
    flows.start("b1-1", {"plan": "p"})
    flows.start("b1-1", {"plan": "p"})
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"] == "b1-1"
    assert flows.state("b1-1") == WorkflowState("running")
    client.stop_execution(executionArn=execution["executionArn"])
    flows.start("b1-1", {"plan": "other"})
    assert len(client.list_executions(stateMachineArn=machine)["executions"]) == 1
    assert flows.state("b1-1") == WorkflowState("failed", "ABORTED")


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        ("RUNNING", "", WorkflowState("running")),
        ("PENDING_REDRIVE", "", WorkflowState("running")),
        ("SUCCEEDED", "", WorkflowState("succeeded")),
        ("FAILED", "States.ExceedToleratedFailureThreshold", WorkflowState("failed", "States.ExceedToleratedFailureThreshold")),
        ("TIMED_OUT", "", WorkflowState("failed", "TIMED_OUT")),
    ],
)  # fmt: skip
def test_states_are_told_without_the_words_of_the_cause(
    client: Any, status: str, error: str, state: WorkflowState
) -> None:
    answer = {"executionArn": EXECUTION, "stateMachineArn": ARN, "status": status, "startDate": 1}
    with Stubber(client) as stub:
        more = {"error": error, "cause": "张三 440300199001010000"} if error else {}
        stub.add_response("describe_execution", {**answer, **more}, {"executionArn": EXECUTION})
        assert StepFunctions(client, ARN).state("b1-1") == state


@pytest.mark.parametrize(("code", "fault"), [("ThrottlingException", Unavailable), ("AccessDenied", Fault)])
def test_faults_of_the_service_are_ours(client: Any, code: str, fault: type[Exception]) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("start_execution", code)
        stub.add_client_error("describe_execution", code)
        with pytest.raises(fault):
            StepFunctions(client, ARN).start("b1-1", {})
        with pytest.raises(fault):
            StepFunctions(client, ARN).state("b1-1")
