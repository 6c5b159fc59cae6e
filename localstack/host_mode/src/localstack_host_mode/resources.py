"""CloudFormation resources that LocalStack's free edition does not know, each over a service that it does."""

from __future__ import annotations

from typing import Any, ClassVar

from localstack.aws.spec import load_service
from localstack.services.cloudformation.provider_utils import convert_request_kwargs
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

Model = dict[str, Any]
Request = ResourceRequest[Model]
Progress = ProgressEvent[Model]


class Resource(ResourceProvider[Model]):
    """What they share: say ``service``, ``identifier`` and what is read only, then make, change, remove."""

    TYPE: ClassVar[str]
    service: ClassVar[str]
    identifier: ClassVar[str]
    read_only: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.SCHEMA = {
            "typeName": cls.TYPE,
            "properties": {name: {} for name in (cls.identifier, *cls.read_only)},
            "primaryIdentifier": [f"/properties/{cls.identifier}"],
            "readOnlyProperties": [f"/properties/{name}" for name in cls.read_only],
        }

    def create(self, request: Request) -> Progress:
        model = dict(request.desired_state)
        model |= self.make(
            self._client(request), model, f"{request.stack_name}-{request.logical_resource_id}"
        )
        return self._done(request, model)

    def update(self, request: Request) -> Progress:
        before = request.previous_state or {}
        kept = {name: before[name] for name in (self.identifier, *self.read_only) if name in before}
        model = {**request.desired_state, **kept}
        self.change(self._client(request), model)
        return self._done(request, model)

    def delete(self, request: Request) -> Progress:
        self.remove(self._client(request), request.previous_state or request.desired_state)
        return self._done(request, {})

    def make(self, client: Any, model: Model, name: str) -> Model:
        """Create it; what the model gains. ``name`` is for one that has none."""
        raise NotImplementedError

    def change(self, client: Any, model: Model) -> None:
        raise NotImplementedError

    def remove(self, client: Any, model: Model) -> None:
        raise NotImplementedError

    def _client(self, request: Request) -> Any:
        return getattr(request.aws_client_factory, self.service)

    def _done(self, request: Request, model: Model) -> Progress:
        return ProgressEvent(
            OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context
        )


class UserPool(Resource):
    TYPE = "AWS::Cognito::UserPool"
    service, identifier = "cognito_idp", "UserPoolId"
    read_only = ("UserPoolId", "Arn", "ProviderName", "ProviderURL")

    def make(self, client: Any, model: Model, name: str) -> Model:
        name = model.get("UserPoolName") or name
        made = client.create_user_pool(**_said("cognito-idp", "CreateUserPool", {**model, "PoolName": name}))[
            "UserPool"
        ]
        self._second_factor(client, {**model, "UserPoolId": made["Id"]})
        place = f"cognito-idp.{made['Arn'].split(':')[3]}.amazonaws.com/{made['Id']}"
        told = {"Arn": made["Arn"], "ProviderName": place, "ProviderURL": f"https://{place}"}
        return {"UserPoolId": made["Id"], "UserPoolName": name, **told}

    def change(self, client: Any, model: Model) -> None:
        client.update_user_pool(**_said("cognito-idp", "UpdateUserPool", model))
        self._second_factor(client, model)

    def remove(self, client: Any, model: Model) -> None:
        client.delete_user_pool(UserPoolId=model["UserPoolId"])

    def _second_factor(self, client: Any, model: Model) -> None:
        if "MfaConfiguration" in model:
            client.set_user_pool_mfa_config(
                UserPoolId=model["UserPoolId"],
                MfaConfiguration=model["MfaConfiguration"],
                SoftwareTokenMfaConfiguration={
                    "Enabled": "SOFTWARE_TOKEN_MFA" in model.get("EnabledMfas", ())
                },
            )


class UserPoolClient(Resource):
    TYPE = "AWS::Cognito::UserPoolClient"
    service, identifier = "cognito_idp", "ClientId"
    read_only = ("ClientId", "ClientSecret", "Name")

    def make(self, client: Any, model: Model, name: str) -> Model:
        said = _said("cognito-idp", "CreateUserPoolClient", {"ClientName": name, **model})
        made = client.create_user_pool_client(**said)["UserPoolClient"]
        secret = {"ClientSecret": made["ClientSecret"]} if "ClientSecret" in made else {}
        return {"ClientId": made["ClientId"], "Name": said["ClientName"], **secret}

    def change(self, client: Any, model: Model) -> None:
        client.update_user_pool_client(**_said("cognito-idp", "UpdateUserPoolClient", model))

    def remove(self, client: Any, model: Model) -> None:
        client.delete_user_pool_client(UserPoolId=model["UserPoolId"], ClientId=model["ClientId"])


class GlueDatabase(Resource):
    TYPE = "AWS::Glue::Database"
    service, identifier = "glue", "DatabaseName"
    read_only = ("DatabaseName",)

    def make(self, client: Any, model: Model, name: str) -> Model:
        name = model["DatabaseInput"].get("Name") or name.lower()
        client.create_database(DatabaseInput={**model["DatabaseInput"], "Name": name})
        return {"DatabaseName": name}

    def change(self, client: Any, model: Model) -> None:
        name = model["DatabaseName"]
        client.update_database(Name=name, DatabaseInput={**model["DatabaseInput"], "Name": name})

    def remove(self, client: Any, model: Model) -> None:
        client.delete_database(Name=model["DatabaseName"])


class WorkGroup(Resource):
    TYPE = "AWS::Athena::WorkGroup"
    service, identifier = "athena", "Name"

    def make(self, client: Any, model: Model, name: str) -> Model:
        del name  # it must have one
        said = {**model, "Configuration": model.get("WorkGroupConfiguration", {})}
        client.create_work_group(**_said("athena", "CreateWorkGroup", said))
        return {}

    def change(self, client: Any, model: Model) -> None:
        """moto cannot change one: it is made anew; queries that were asked are gone with the old one."""
        self.remove(client, model)
        self.make(client, model, "")

    def remove(self, client: Any, model: Model) -> None:
        client.delete_work_group(WorkGroup=model["Name"], RecursiveDeleteOption=True)


class Dashboard(Resource):
    TYPE = "AWS::CloudWatch::Dashboard"
    service, identifier = "cloudwatch", "DashboardName"

    def make(self, client: Any, model: Model, name: str) -> Model:
        name = model.get("DashboardName") or name
        client.put_dashboard(DashboardName=name, DashboardBody=model["DashboardBody"])
        return {"DashboardName": name}

    def change(self, client: Any, model: Model) -> None:
        self.make(client, model, "")

    def remove(self, client: Any, model: Model) -> None:
        client.delete_dashboards(DashboardNames=[model["DashboardName"]])


class MetricFilter(Resource):
    TYPE = "AWS::Logs::MetricFilter"
    service, identifier = "logs", "FilterName"

    def make(self, client: Any, model: Model, name: str) -> Model:
        name = model.get("FilterName") or name
        rows = [_transformation(row) for row in model["MetricTransformations"]]
        client.put_metric_filter(
            logGroupName=model["LogGroupName"],
            filterName=name,
            filterPattern=model["FilterPattern"],
            metricTransformations=rows,
        )
        return {"FilterName": name}

    def change(self, client: Any, model: Model) -> None:
        """moto keeps the old one beside the new one of the same name."""
        self.remove(client, model)
        self.make(client, model, "")

    def remove(self, client: Any, model: Model) -> None:
        client.delete_metric_filter(logGroupName=model["LogGroupName"], filterName=model["FilterName"])


def _transformation(row: Model) -> Model:
    """The API writes in small letters what the template writes in capitals."""
    said = {name[0].lower() + name[1:]: value for name, value in row.items() if name != "Dimensions"}
    if "defaultValue" in said:
        said["defaultValue"] = float(said["defaultValue"])
    if "Dimensions" in row:
        said["dimensions"] = {d["Key"]: d["Value"] for d in row["Dimensions"]}
    return said


def _said(service: str, operation: str, model: Model) -> Model:
    """What of a template the operation takes, typed as it wants it: CloudFormation passes numbers as text."""
    shape = load_service(service).operation_model(operation).input_shape
    return dict(convert_request_kwargs(model, shape))
