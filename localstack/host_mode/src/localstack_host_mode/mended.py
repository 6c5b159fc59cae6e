"""Small repairs of LocalStack itself, each where a stack would otherwise see what AWS would not do."""

from __future__ import annotations

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment


def install() -> None:
    ExecutionEnvironment.get_log_group_name = log_group_name


def log_group_name(environment: ExecutionEnvironment) -> str:
    """A function with ``LoggingConfig`` writes to the log group named there; LocalStack takes the default."""
    configured = environment.function_version.config.logging_config or {}
    return configured.get("LogGroup") or f"/aws/lambda/{environment.function_version.id.function_name}"
