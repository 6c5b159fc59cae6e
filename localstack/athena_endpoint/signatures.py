"""AWS signatures (SigV4), checked with the signer of botocore itself (S-01)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from athena_endpoint.errors import ApiError

#: A signature is good so long before and after its time stamp.
SKEW: Final = timedelta(minutes=5)

_HEADER: Final = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[A-Za-z0-9_]{1,128})/(?P<day>\d{8})/(?P<region>[a-z0-9-]{1,32})"
    r"/(?P<service>[a-z0-9-]{1,32})/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;_-]{1,2000}), *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What was signed: header names in lower case, ``path`` and ``query`` as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to have signed, and what of the request."""

    access_key: str
    day: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str


def claim(request: Request) -> Claim:
    """Raises ApiError when there is no signature, or none that can be read."""
    header = request.headers.get("authorization", "")
    if not header:
        raise ApiError("MissingAuthenticationTokenException", "The request is not signed")
    found = _HEADER.fullmatch(header.strip())
    if found is None:
        raise ApiError("IncompleteSignatureException", "The Authorization header is not a SigV4 signature")
    names = tuple(found["headers"].split(";"))
    return Claim(found["key"], found["day"], found["region"], found["service"], names, found["signature"])


def check(said: Claim, request: Request, secret: str, services: tuple[str, ...], now: datetime) -> None:
    """Raises ApiError unless the holder of the secret signed this very request, for this service, now."""
    stamp = request.headers.get("x-amz-date", "")
    of_aws = {name for name in request.headers if name.startswith("x-amz-")}  # the operation is one of them
    if {"host", "x-amz-date", *of_aws} - set(said.headers) or said.service not in services:
        raise _not_valid("host and every x-amz- header must be signed, for this service")
    if request.headers.get("x-amz-content-sha256", _digest(request.body)) != _digest(request.body):
        raise _not_valid("the body is not the one that was signed")
    if not stamp.startswith(said.day) or abs(_moment(stamp) - now) > SKEW:
        raise _not_valid("the time stamp is too old or too new")
    if not hmac.compare_digest(_signature(said, request, secret, stamp), said.signature):
        raise _not_valid("check the secret access key")


def _signature(said: Claim, request: Request, secret: str, stamp: str) -> str:
    auth = SigV4Auth(Credentials(said.access_key, secret), said.service, said.region)
    query = f"?{request.query}" if request.query else ""
    made = AWSRequest(
        method=request.method,
        url=f"http://{request.headers.get('host', '')}{request.path}{query}",
        headers={name: request.headers.get(name, "") for name in said.headers},
        data=request.body,
    )
    made.context["timestamp"] = stamp
    return str(auth.signature(auth.string_to_sign(made, auth.canonical_request(made)), made))


def _moment(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _not_valid("x-amz-date is not a time") from None


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _not_valid(why: str) -> ApiError:
    return ApiError("InvalidSignatureException", f"The signature is not valid: {why}", 403)
