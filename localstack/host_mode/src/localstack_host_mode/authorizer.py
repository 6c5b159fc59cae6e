"""Lambda authorizers (TOKEN and REQUEST) of REST APIs, which LocalStack's free edition never asks."""

from __future__ import annotations

import fnmatch
import json
import logging
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.apigateway.next_gen.execute_api import handlers
from localstack.services.apigateway.next_gen.execute_api.context import RestApiInvocationContext
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    AccessDeniedError,
    AuthorizerConfigurationError,
    UnauthorizedError,
)
from localstack.services.apigateway.next_gen.execute_api.helpers import (
    get_lambda_function_arn_from_invocation_uri,
)
from localstack.utils.aws.client_types import ServicePrincipal

LOG = logging.getLogger(__name__)
DENIED = "User is not authorized to access this resource"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an authorizer said, as long as it counts."""

    policy: dict[str, Any]
    shown: dict[str, Any]  # $context.authorizer
    until: float


class LambdaAuthorizers:
    """A handler of the gateway, after the route is found and before anything is called."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Verdict] = {}
        self._lock = threading.Lock()

    def __call__(self, chain: Any, context: RestApiInvocationContext, response: Response) -> None:
        """Raises UnauthorizedError, AccessDeniedError, AuthorizerConfigurationError."""
        method = context.resource_method or {}
        if method.get("authorizationType") != "CUSTOM":
            return
        container = context.deployment.rest_api
        authorizer = container.authorizers.get(method.get("authorizerId"))
        if authorizer is None or authorizer["type"] not in ("TOKEN", "REQUEST"):
            raise AuthorizerConfigurationError()
        arn = method_arn(context)
        event = (
            token_event(authorizer, context)
            if authorizer["type"] == "TOKEN"
            else request_event(authorizer, context)
        )
        verdict = self._verdict(authorizer, context, {**event, "methodArn": arn})
        allowed = allows(verdict.policy, arn)
        if not allowed:
            explicit = " with an explicit deny" if allowed is False else ""
            raise AccessDeniedError(DENIED + explicit)
        context.context_variables["authorizer"] = dict(verdict.shown)

    def _verdict(
        self, authorizer: dict[str, Any], context: RestApiInvocationContext, event: dict[str, Any]
    ) -> Verdict:
        seconds = float(authorizer.get("authorizerResultTtlInSeconds", 300))
        identity = event.get("authorizationToken") or json.dumps(event.get("identitySource"))
        place = (context.api_id or "", context.stage or "", authorizer["id"], identity)
        now = time.monotonic()
        with self._lock:
            found = self._known.get(place)
            if found and found.until > now:
                return found
            self._known = {known: v for known, v in self._known.items() if v.until > now}
        made = ask(
            authorizer, context, {k: v for k, v in event.items() if k != "identitySource"}, now + seconds
        )
        if seconds > 0 and identity:
            with self._lock:
                self._known[place] = made
        return made


def token_event(authorizer: dict[str, Any], context: RestApiInvocationContext) -> dict[str, Any]:
    """Raises UnauthorizedError without asking anybody when there is no token, or none of the right form."""
    token = _source(authorizer.get("identitySource") or "method.request.header.Authorization", context)
    form = authorizer.get("identityValidationExpression")
    if not token or (form and not re.fullmatch(form, token)):
        raise UnauthorizedError("Unauthorized")
    return {"type": "TOKEN", "authorizationToken": token}


def request_event(authorizer: dict[str, Any], context: RestApiInvocationContext) -> dict[str, Any]:
    """Raises UnauthorizedError when one of the identity sources is missing."""
    sources = [part.strip() for part in (authorizer.get("identitySource") or "").split(",") if part.strip()]
    given = [_source(part, context) for part in sources]
    if not all(given):
        raise UnauthorizedError("Unauthorized")
    request = context.invocation_request
    headers = request["headers"]
    return {
        "type": "REQUEST",
        "identitySource": given,
        "resource": context.resource["path"],
        "path": request["path"],
        "httpMethod": request["http_method"],
        "headers": dict(headers),
        "multiValueHeaders": {name: headers.getlist(name) for name in set(headers.keys())},
        "queryStringParameters": request["query_string_parameters"],
        "multiValueQueryStringParameters": request["multi_value_query_string_parameters"],
        "pathParameters": request["path_parameters"],
        "stageVariables": context.stage_variables or {},
        "requestContext": {
            "resourcePath": context.resource["path"],
            "httpMethod": request["http_method"],
            "path": context.context_variables["path"],
            "accountId": context.account_id,
            "apiId": context.api_id,
            "stage": context.stage,
            "requestId": context.context_variables["requestId"],
            "identity": {"sourceIp": context.context_variables["identity"]["sourceIp"]},
        },
    }


def ask(
    authorizer: dict[str, Any], context: RestApiInvocationContext, event: dict[str, Any], until: float
) -> Verdict:
    """Call the function. Raises UnauthorizedError if it says so, else AuthorizerConfigurationError."""
    client = connect_to(region_name=context.region, aws_access_key_id=context.account_id).lambda_
    client = client.request_metadata(service_principal=ServicePrincipal.apigateway)
    made = client.invoke(
        FunctionName=get_lambda_function_arn_from_invocation_uri(authorizer["authorizerUri"]),
        Payload=json.dumps(event).encode(),
    )
    told = json.loads(made["Payload"].read() or b"null")
    if made.get("FunctionError"):
        if isinstance(told, dict) and told.get("errorMessage") == "Unauthorized":
            raise UnauthorizedError("Unauthorized")
        LOG.warning("authorizer %s failed: %s", authorizer.get("name"), told)
        raise AuthorizerConfigurationError()
    try:
        policy, principal = told["policyDocument"], told["principalId"]
    except (KeyError, TypeError):
        LOG.warning("authorizer %s answered no policy: %s", authorizer.get("name"), told)
        raise AuthorizerConfigurationError() from None
    shown = {name: _text(value) for name, value in (told.get("context") or {}).items()}
    return Verdict(policy, {**shown, "principalId": principal}, until)


def allows(policy: dict[str, Any], arn: str) -> bool | None:
    """True, None when no statement is about it, False when one forbids it."""
    found: bool | None = None
    for statement in _many(policy.get("Statement")):
        about = any(_fits(action, "execute-api:Invoke") for action in _many(statement.get("Action")))
        if about and any(_fits(resource, arn) for resource in _many(statement.get("Resource"))):
            if statement.get("Effect") == "Deny":
                return False
            found = True
    return found


def method_arn(context: RestApiInvocationContext) -> str:
    """The called method with the path as it was sent."""
    request = context.invocation_request
    place = f"{context.api_id}/{context.stage}/{request['http_method']}/{request['path'].lstrip('/')}"
    return f"arn:aws:execute-api:{context.region}:{context.account_id}:{place}"


def install() -> None:
    """Once, before the first request."""
    handlers.preprocess_request.append(LambdaAuthorizers())


def _source(expression: str, context: RestApiInvocationContext) -> str:
    """``method.request.header.X``, ``method.request.querystring.x``, ``stageVariables.x``, ``context.x``."""
    request = context.invocation_request
    place, _, name = expression.removeprefix("method.request.").partition(".")
    if place == "header":
        return str(request["headers"].get(name, ""))
    if place == "querystring":
        return str(request["query_string_parameters"].get(name, ""))
    if place == "stageVariables":
        return str((context.stage_variables or {}).get(name, ""))
    return str((context.context_variables or {}).get(name, ""))


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _fits(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _text(value: Any) -> str:
    """As the gateway passes on what an authorizer adds: always text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
