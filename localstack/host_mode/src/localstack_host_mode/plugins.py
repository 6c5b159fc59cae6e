"""What LocalStack loads: entry points only, so that it starts no slower than without this package."""

from __future__ import annotations

from typing import Any

from localstack.runtime import hooks
from localstack.services.cloudformation.resource_provider import CloudFormationResourceProviderPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> Any:
        from localstack_host_mode.executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    from localstack_host_mode.dynamodb import service

    return service()


@aws_provider(api="dynamodbstreams", name="moto")
def dynamodbstreams() -> Service:
    from localstack_host_mode.moto_service import service

    return service("dynamodbstreams", lock_of="dynamodb")


@aws_provider(api="glue", name="moto")
def glue() -> Service:
    from localstack_host_mode.glue import service

    return service()


@aws_provider(api="cognito-idp", name="moto")
def cognito_idp() -> Service:
    from localstack_host_mode.moto_service import service

    return service("cognito-idp")


@aws_provider(api="athena", name="moto")
def athena() -> Service:
    from localstack_host_mode.moto_service import service

    return service("athena")


class UserPoolPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Cognito::UserPool"

    def load(self) -> None:
        from localstack_host_mode.resources import UserPool

        self.factory = UserPool


class UserPoolClientPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Cognito::UserPoolClient"

    def load(self) -> None:
        from localstack_host_mode.resources import UserPoolClient

        self.factory = UserPoolClient


class GlueDatabasePlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Glue::Database"

    def load(self) -> None:
        from localstack_host_mode.resources import GlueDatabase

        self.factory = GlueDatabase


class WorkGroupPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Athena::WorkGroup"

    def load(self) -> None:
        from localstack_host_mode.resources import WorkGroup

        self.factory = WorkGroup


class DashboardPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::CloudWatch::Dashboard"

    def load(self) -> None:
        from localstack_host_mode.resources import Dashboard

        self.factory = Dashboard


class MetricFilterPlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::Logs::MetricFilter"

    def load(self) -> None:
        from localstack_host_mode.resources import MetricFilter

        self.factory = MetricFilter


@hooks.on_runtime_create()
def python_3_12() -> None:
    """Give LocalStack what it misses on Python 3.12."""
    from localstack_host_mode import python_3_12

    python_3_12.install()


@hooks.on_infra_start()
def host_mode() -> None:
    """Put authorizers in front of REST APIs, and mend what stands in the way of a deployment."""
    from localstack_host_mode import authorizer, mended

    authorizer.install()
    mended.install()
