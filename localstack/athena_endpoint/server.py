"""The HTTP side: signed requests of the two services in, answers in their JSON protocol out.

Werkzeug, because it reads requests within limits, and its test client needs no port.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import OperationNotFoundError, ServiceModel
from botocore.validate import ParamValidator
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from athena_endpoint import signatures
from athena_endpoint.errors import ApiError, StatementFailed, invalid
from athena_endpoint.glue import Glue
from athena_endpoint.keys import Analyst, Keys
from athena_endpoint.operations import Athena
from athena_endpoint.product import KeyEnded, Product
from athena_endpoint.storage import Storage
from huitong.cli.connection import USE, Connection

HEALTH: Final = "/health"
CREDENTIALS: Final = "/credentials"
_TARGETS: Final = {"AmazonAthena": "athena", "AWSGlue": "glue"}
_MOST_BYTES: Final = 1 << 20
_JSON: Final = "application/x-amz-json-1.1"
#: Pages in a browser must not reach it by a name that they resolve to this machine.
_HOSTS: Final = ("127.0.0.1", "localhost")
_MEMBERS: Final = ("token", "credential", "key", "algorithm", "unit", *USE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that a request needs. ``api_url`` tells where the platform is; ``now`` the time in UTC."""

    api_url: Callable[[], str]
    keys: Keys
    athena: Athena
    storage: Storage
    product: Callable[[Connection], Product] = Product
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class App:
    """A WSGI application."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._operations = {
            "athena": endpoint.athena.operation,
            "glue": Glue(endpoint.athena.catalogue).operation,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.monotonic()
        request = HttpRequest(environ)
        request.max_content_length = _MOST_BYTES
        what = request.headers.get("x-amz-target", request.path)
        try:
            response = self._answer(request)
        except ApiError as error:
            response = _refusal(error)
        except HTTPException as error:
            response = _refusal(ApiError("InvalidRequestException", error.name, error.code or 400))
        except Exception as fault:  # noqa: BLE001 - the server's outermost frame: the fault is told by name only
            _log(level="ERROR", operation=what[:100], fault=type(fault).__name__)
            response = _refusal(ApiError("InternalServerException", "端点出错 / The endpoint failed", 500))
        taken = round((time.monotonic() - began) * 1000)
        _log(level="INFO", operation=what[:100], status=response.status_code, ms=taken)
        return response(environ, start_response)

    def _answer(self, request: HttpRequest) -> Response:
        if request.host.rpartition(":")[0] not in _HOSTS and request.host not in _HOSTS:
            raise ApiError("AccessDeniedException", "This endpoint is for this machine only", 403)
        if request.path == HEALTH:
            return _json({"service": "athena", "results": self._endpoint.storage.bucket})
        if request.path == CREDENTIALS and request.method == "POST":
            return _json(self._issue(request))
        if request.path != "/" or request.method != "POST":
            raise ApiError("UnknownOperationException", "POST / only", 404)
        return self._operation(request)

    # --- operations of AWS ---

    def _operation(self, request: HttpRequest) -> Response:
        prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
        service = _TARGETS.get(prefix)
        if service is None:
            raise ApiError("UnknownOperationException", "No operation of Athena or Glue is named")
        caller = self._caller(request, service)
        try:
            model = _model(service).operation_model(name)
        except OperationNotFoundError:
            raise ApiError("UnknownOperationException", f"There is no operation {name[:100]}") from None
        asked = _object(request.get_data())
        if model.input_shape is not None:
            report = ParamValidator().validate(asked, model.input_shape)
            if report.has_errors():
                raise _malformed(service, report.generate_report())
        operation = self._operations[service](name)
        try:
            return _json(operation(caller, asked), _JSON)
        except KeyEnded as ended:
            self._endpoint.keys.revoke(caller.access_key)
            raise ApiError("UnrecognizedClientException", ended.reason, 403) from ended

    def _caller(self, request: HttpRequest, service: str) -> Analyst:
        signed = signatures.Request(
            request.method,
            request.path,
            request.query_string.decode("latin-1"),
            {name.lower(): value for name, value in request.headers.items()},
            request.get_data(),
        )
        said = signatures.claim(signed)
        analyst = self._endpoint.keys.find(said.access_key)
        if analyst is None:
            raise ApiError(
                "UnrecognizedClientException",
                "访问密钥无效或已失效,请重新签发 / The access key is not valid, or has ended: issue another",
                403,
            )
        signatures.check(said, signed, analyst.secret, (service,), self._endpoint.now())
        return analyst

    # --- keys ---

    def _issue(self, request: HttpRequest) -> dict[str, Any]:
        """A key pair for whom the platform says the token (or signing key) belongs to."""
        if request.mimetype != "application/json":
            raise invalid("须为 JSON", "Send JSON")
        body = _object(request.get_data())
        given = {name: body.get(name, "") for name in _MEMBERS if body.get(name)}
        if not all(isinstance(value, str) for value in given.values()):
            raise invalid("成员须为文字", "Members are texts")
        connection = Connection(self._endpoint.api_url(), given.pop("token", ""), **given)
        try:
            principal = str(self._endpoint.product(connection).me()["id"])
        except StatementFailed as failed:
            raise ApiError("AccessDeniedException", failed.reason, 403) from failed
        analyst = self._endpoint.keys.issue(connection, principal)
        return {
            "access_key_id": analyst.access_key,
            "secret_access_key": analyst.secret,
            "principal": principal,
            "results": self._endpoint.storage.uri(analyst.own),
        }


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("SerializationException", "The body is not a JSON object")
    return found


def _malformed(service: str, report: str) -> ApiError:
    """The report names members and types; values of a query are not in it."""
    lines = (
        "; ".join(line for line in report.splitlines() if "value" not in line.lower()) or "invalid parameter"
    )
    if service == "glue":
        return ApiError("InvalidInputException", lines)
    return invalid("参数有误", lines)


def _json(content: Mapping[str, Any], kind: str = "application/json") -> Response:
    return Response(json.dumps(content, ensure_ascii=False), 200, mimetype=kind)


def _refusal(error: ApiError) -> Response:
    body = {"__type": error.code, "Message": error.message, "message": error.message, **error.members}
    headers = {"x-amzn-ErrorType": error.code}
    return Response(json.dumps(body, ensure_ascii=False), error.status, headers, mimetype=_JSON)


def _log(**members: Any) -> None:
    """One line a request: never texts of queries, keys or values."""
    sys.stderr.write(json.dumps(members) + "\n")
