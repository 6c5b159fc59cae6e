"""Workflows on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from huitong.aws.errors import codes, translate
from huitong.ports import WorkflowState

_RUNNING: Final = frozenset({"RUNNING", "PENDING_REDRIVE"})


class StepFunctions:
    """:class:`huitong.ports.Workflows` on one state machine."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(given))
        except ClientError as error:
            if "ExecutionAlreadyExists" not in codes(error):
                raise translate(error, what=f"execution {name}") from error
        except BotoCoreError as error:
            raise translate(error, what=f"execution {name}") from error

    def state(self, name: str) -> WorkflowState | None:
        arn = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if "ExecutionDoesNotExist" in codes(error):
                return None
            raise translate(error, what=f"execution {name}") from error
        except BotoCoreError as error:
            raise translate(error, what=f"execution {name}") from error
        status = str(found["status"])
        if status in _RUNNING:
            return WorkflowState("running")
        if status == "SUCCEEDED":
            return WorkflowState("succeeded")
        return WorkflowState("failed", str(found.get("error") or status))
