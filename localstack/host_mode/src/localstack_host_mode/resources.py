"""CloudFormation resources that LocalStack's free edition does not know, by this package's services."""

from __future__ import annotations

import re
from typing import Any

from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

Request = ResourceRequest[dict[str, Any]]
Progress = ProgressEvent[dict[str, Any]]


def _done(request: Request, model: dict[str, Any]) -> Progress:
    return ProgressEvent(OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)


def _numbers(value: Any) -> Any:
    """CloudFormation passes numbers and booleans as text; the services want them as they are."""
    if isinstance(value, dict):
        return {key: _numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class UserPool(ResourceProvider[dict[str, Any]]):
    TYPE = "AWS::Cognito::UserPool"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {
            name: {} for name in ("UserPoolId", "UserPoolName", "Arn", "ProviderName", "ProviderURL")
        },
        "primaryIdentifier": ["/properties/UserPoolId"],
        "readOnlyProperties": [
            f"/properties/{n}" for n in ("UserPoolId", "Arn", "ProviderName", "ProviderURL")
        ],
    }

    def create(self, request: Request) -> Progress:
        client, model = request.aws_client_factory.cognito_idp, request.desired_state
        said = _numbers({k: v for k, v in model.items() if k in _POOL})
        name = model.get("UserPoolName") or f"{request.stack_name}-{request.logical_resource_id}"
        made = client.create_user_pool(PoolName=name, **said)["UserPool"]
        model |= {"UserPoolId": made["Id"], "UserPoolName": name, "Arn": made["Arn"]}
        region = made["Arn"].split(":")[3]
        model |= {"ProviderName": f"cognito-idp.{region}.amazonaws.com/{made['Id']}"}
        model |= {"ProviderURL": "https://" + model["ProviderName"]}
        self._second_factor(client, model)
        return _done(request, model)

    def update(self, request: Request) -> Progress:
        client, before = request.aws_client_factory.cognito_idp, request.previous_state or {}
        model = {**request.desired_state, **{n: before[n] for n in ("UserPoolId", "Arn") if n in before}}
        said = _numbers({k: v for k, v in model.items() if k in _POOL - {"UsernameConfiguration", "Schema"}})
        client.update_user_pool(UserPoolId=model["UserPoolId"], **said)
        self._second_factor(client, model)
        return _done(request, model)

    def delete(self, request: Request) -> Progress:
        request.aws_client_factory.cognito_idp.delete_user_pool(
            UserPoolId=request.previous_state["UserPoolId"]
        )
        return _done(request, {})

    def _second_factor(self, client: Any, model: dict[str, Any]) -> None:
        if "MfaConfiguration" in model:
            software = "SOFTWARE_TOKEN_MFA" in model.get("EnabledMfas", ())
            client.set_user_pool_mfa_config(
                UserPoolId=model["UserPoolId"],
                MfaConfiguration=model["MfaConfiguration"],
                SoftwareTokenMfaConfiguration={"Enabled": software},
            )


class UserPoolClient(ResourceProvider[dict[str, Any]]):
    TYPE = "AWS::Cognito::UserPoolClient"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {name: {} for name in ("UserPoolId", "ClientId", "ClientName", "ClientSecret", "Name")},
        "primaryIdentifier": ["/properties/ClientId"],
        "readOnlyProperties": [f"/properties/{n}" for n in ("ClientId", "ClientSecret", "Name")],
    }

    def create(self, request: Request) -> Progress:
        model = request.desired_state
        said = _numbers({k: v for k, v in model.items() if k in _CLIENT})
        said["ClientName"] = model.get("ClientName") or request.logical_resource_id
        client = request.aws_client_factory.cognito_idp
        made = client.create_user_pool_client(UserPoolId=model["UserPoolId"], **said)["UserPoolClient"]
        model |= {"ClientId": made["ClientId"], "Name": said["ClientName"]}
        if "ClientSecret" in made:
            model["ClientSecret"] = made["ClientSecret"]
        return _done(request, model)

    def update(self, request: Request) -> Progress:
        model = {**request.desired_state, "ClientId": request.previous_state["ClientId"]}
        said = _numbers({k: v for k, v in model.items() if k in _CLIENT - {"GenerateSecret"}})
        request.aws_client_factory.cognito_idp.update_user_pool_client(
            UserPoolId=model["UserPoolId"], ClientId=model["ClientId"], **said
        )
        return _done(request, model)

    def delete(self, request: Request) -> Progress:
        model = request.previous_state
        request.aws_client_factory.cognito_idp.delete_user_pool_client(
            UserPoolId=model["UserPoolId"], ClientId=model["ClientId"]
        )
        return _done(request, {})


class GlueDatabase(ResourceProvider[dict[str, Any]]):
    TYPE = "AWS::Glue::Database"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {"DatabaseName": {}, "CatalogId": {}, "DatabaseInput": {}},
        "primaryIdentifier": ["/properties/DatabaseName"],
        "readOnlyProperties": ["/properties/DatabaseName"],
    }

    def create(self, request: Request) -> Progress:
        model = request.desired_state
        name = (
            model["DatabaseInput"].get("Name")
            or f"{request.stack_name}-{request.logical_resource_id}".lower()
        )
        said = {**model["DatabaseInput"], "Name": name}
        request.aws_client_factory.glue.create_database(DatabaseInput=said)
        return _done(request, model | {"DatabaseName": name})

    def update(self, request: Request) -> Progress:
        model = request.desired_state
        name = request.previous_state["DatabaseName"]
        said = {**model["DatabaseInput"], "Name": name}
        request.aws_client_factory.glue.update_database(Name=name, DatabaseInput=said)
        return _done(request, model | {"DatabaseName": name})

    def delete(self, request: Request) -> Progress:
        request.aws_client_factory.glue.delete_database(Name=request.previous_state["DatabaseName"])
        return _done(request, {})


_POOL = {
    "AccountRecoverySetting", "AdminCreateUserConfig", "AliasAttributes", "AutoVerifiedAttributes",
    "DeletionProtection", "DeviceConfiguration", "EmailConfiguration", "LambdaConfig", "Policies", "Schema",
    "UserPoolAddOns", "UserPoolTier", "UsernameAttributes", "UsernameConfiguration",
    "VerificationMessageTemplate",
}  # fmt: skip
_CLIENT = {
    "AccessTokenValidity", "AuthSessionValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient",
    "AllowedOAuthScopes", "CallbackURLs", "DefaultRedirectURI", "EnableTokenRevocation", "ExplicitAuthFlows",
    "GenerateSecret", "IdTokenValidity", "LogoutURLs", "PreventUserExistenceErrors", "ReadAttributes",
    "RefreshTokenValidity", "SupportedIdentityProviders", "TokenValidityUnits", "WriteAttributes",
}  # fmt: skip
