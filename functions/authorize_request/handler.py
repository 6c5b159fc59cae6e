"""Lambda authorizer (TOKEN): whether a bearer token is one of ours.

What its holder may do is decided in the application, which checks the token
again; so the policy covers the whole API, as a cached answer must.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring
from huitong.errors import NotAuthenticated


class Unauthorized(Exception):
    """API Gateway answers 401 to exactly this message, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    log = runtime.logger()
    scheme, _, token = str(event.get("authorizationToken", "")).partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise NotAuthenticated("缺少身份凭证", "No bearer token")
        who = wiring.build_credentials().authenticate(token.strip())
    except NotAuthenticated:
        log.info("refused", extra={"request_id": context.aws_request_id})
        raise Unauthorized from None
    log.info("known", extra={"request_id": context.aws_request_id, "principal": who.id})
    return {
        "principalId": who.id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": _whole_api(event["methodArn"]),
                }
            ],
        },
        "context": {"unit": who.unit, "roles": " ".join(sorted(who.roles))},
    }


def _whole_api(method_arn: str) -> str:
    """``arn:…:api-id/stage/GET/v1/me`` → ``arn:…:api-id/stage/*``."""
    return "/".join(method_arn.split("/")[:2]) + "/*"
