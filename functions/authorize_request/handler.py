"""Lambda authorizer (TOKEN): whether a credential, session or signature could be one of ours.

What its holder may do is decided in the application, which checks everything
again, the body's digest and the nonce of a signed request included; so the
policy covers the whole API, as a cached answer must.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import wiring
from huitong.errors import NotAuthenticated
from huitong.identity.model import Principal
from huitong.telemetry import logger


class Unauthorized(Exception):
    """API Gateway answers 401 to exactly this message, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    log = logger()
    try:
        who = _asker(str(event.get("authorizationToken", "")))
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


def _asker(header: str) -> Principal:
    """Raises NotAuthenticated."""
    return wiring.build_authorizer().look(header)


def _whole_api(method_arn: str) -> str:
    """``arn:…:api-id/stage/GET/v1/me`` → ``arn:…:api-id/stage/*``."""
    return "/".join(method_arn.split("/")[:2]) + "/*"
