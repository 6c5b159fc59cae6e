"""What every route does around its own work: who asks, is the request sound, how are errors answered.

The Lambda authorizer ran before where there is one; the token is checked here
again, since not every gateway enforces it (L-34, S-36).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast

from chalice.app import Blueprint, Chalice, Request, Response

from huitong import correlation
from huitong.errors import BadRequest, HuitongError, InvalidQuery, NotFound, TooLarge
from huitong.identity.authorize import permit
from huitong.identity.model import Principal
from huitong.ports import timestamp
from huitong.runtime import described
from huitong.sharing.access import Path_, Use
from huitong.web.asking import acting, keep_refusal, proven
from huitong.web.checking import check
from huitong.web.operations import ARROW, BY_ID, PATHS, Operation
from huitong.web.problems import PROBLEM_TYPE, own_problem, problem
from huitong.web.schemas import SCHEMAS
from huitong.web.services import CommonServices
from huitong.web.using import use_of

S = TypeVar("S", bound=CommonServices)
_NOBODY: Final = Principal("", "", frozenset())
_REFUSED: Final = frozenset({401, 403, 429})
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Ask(Generic[S]):
    """A sound, authenticated request."""

    services: S
    principal: Principal
    unit: str  # the unit it is made for; empty for staff without one
    declared: str  # that unit, if a header named it
    body: Any
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    request_id: str
    source: str = ""  # address that the gateway saw
    noted: dict[str, str] = field(default_factory=dict)

    def note(self, **ids: str) -> None:
        """Ids for the request's log line: ``correlation`` is the delivery that it begins or asks about."""
        self.noted.update(ids)

    def permit(self, operation: str, unit: str = "") -> None:
        """Raises NotPermitted unless the asker may do the operation on something of the unit."""
        permit(self.principal, operation, unit)

    def use(self, path: Path_) -> Use:
        """For what the asker uses data on this way out, as it declares it. Raises BadRequest."""
        return use_of(path, self.headers, self.body)

    @property
    def by(self) -> str:
        """How histories name the asker: the person where one is known."""
        return self.principal.who


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is more than a JSON body with the operation's status. Bytes are JSON already."""

    body: Any
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class ServiceApp(Chalice, Generic[S]):
    """A Chalice app whose services are built at the first request."""

    def __init__(self, name: str, build: Callable[[], S]) -> None:
        super().__init__(name, configure_logs=False)
        self._build = build
        self.api.binary_types = [ARROW]

    @cached_property
    def services(self) -> S:
        return self._build()

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Like Chalice, but answers that it makes by itself are problem details, too."""
        context_of = event.get("requestContext", {})
        request_id = str(context_of.get("requestId", ""))
        if context_of.get("resourcePath") not in self.routes:
            return _own_answer(404, request_id)
        made: dict[str, Any] = super().__call__(event, context)
        kind = made["headers"].get("Content-Type", "")
        return (
            made
            if made["statusCode"] < 400 or kind == PROBLEM_TYPE
            else _own_answer(made["statusCode"], request_id)
        )


Handler = Callable[..., Any]


def serve(routes: Blueprint, id: str) -> Callable[[Handler], Handler]:
    """Register ``handler(ask, **path parameters)`` for an operation of the table on a blueprint."""
    operation = BY_ID[id]

    def register(handler: Handler) -> Handler:
        def view(**path: str) -> Response:
            return _answered(routes, operation, handler, path)

        view.__name__ = id
        routes.route(operation.path, methods=[operation.method], name=id, content_types=[])(view)
        return handler

    return register


def _answered(routes: Blueprint, operation: Operation, handler: Handler, path: Mapping[str, str]) -> Response:
    request: Request = routes.current_request
    request_id = str(request.context.get("requestId", ""))
    source = str(request.context.get("identity", {}).get("sourceIp", ""))
    trace = str(request.headers.get("x-amzn-trace-id", ""))[:128]
    log: dict[str, Any] = {"operation": operation.id, "request_id": request_id, "source": source, **path}
    log |= {"trace": trace} if trace else {}
    noted: dict[str, str] = {}
    started = time.monotonic()
    services: Any = None  # bare operations work without: they answer even when nothing else does
    principal, declared, unit = _NOBODY, "", ""
    try:
        if not operation.bare:
            services = cast(ServiceApp[Any], routes.current_app).services
        if operation.public and services is not None:
            services.bounds.take(operation.id, source, operation.per_minute)
        elif not operation.public:
            principal = proven(request, operation, path, services)
            log["principal"] = principal.id
            services.admin_networks.admit(principal, source)
            declared, unit = acting(request, operation, principal)
            log["unit"] = unit
        _check_path(path)
        ask: Ask[Any] = Ask(
            services=services,
            principal=principal,
            unit=unit,
            declared=declared,
            query=_query(request, operation),
            body=_body(request, operation),
            headers=request.headers,
            request_id=request_id,
            source=source,
            noted=noted,
        )
        with correlation.in_request(request_id):
            response = _shaped(handler(ask, **path), operation)
    except Exception as error:  # noqa: BLE001 (the one boundary: Chalice would log texts, which can hold values)
        status, body, headers = _answer_to(error, request_id)
        response = Response(body, {"Content-Type": PROBLEM_TYPE, **headers}, status)
        log |= _told(error)
        keep_refusal(
            services,
            error,
            principal=principal,
            unit=unit,
            operation=operation.id,
            source=source,
            request_id=request_id,
        )
    response.headers |= {"X-Request-Id": request_id, "Cache-Control": "no-store"}
    log |= noted
    log |= {"status": response.status_code, "ms": round((time.monotonic() - started) * 1000, 1)}
    _write(log)
    return response


def _answer_to(error: Exception, request_id: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    if isinstance(error, HuitongError):
        return problem(error, request_id)
    return 500, own_problem(500, request_id), {}


def _told(error: Exception) -> dict[str, Any]:
    """What a log line says of an error: of a query, whose text can name persons, the rules alone (S-16)."""
    if isinstance(error, InvalidQuery):
        return {"code": error.code, "rules": sorted({p.rule for p in error.problems})}
    if isinstance(error, HuitongError):
        return {"code": error.code, "error": error.en}
    return described(error)


def _check_path(path: Mapping[str, str]) -> None:
    for name, value in path.items():
        if check(value, PATHS[name]):
            raise NotFound("没有此地址", "There is no such address", name=name)


def _query(request: Request, operation: Operation) -> dict[str, Any]:
    known = operation.query or {}
    given: dict[str, Any] = {}
    for name, value in (request.query_params or {}).items():
        if name in known and known[name]["type"] == "integer" and re.fullmatch(r"\d{1,15}", value):
            given[name] = int(value)
        else:
            given[name] = value
    schema = {"type": "object", "properties": known, "additionalProperties": False}
    problems = check(given, schema)
    if problems:
        raise BadRequest("查询参数有误", "The query parameters are not valid", problems=problems)
    return given


def _body(request: Request, operation: Operation) -> Any:
    if not operation.body:
        return None
    raw = request.raw_body
    raw = raw.encode() if isinstance(raw, str) else raw
    if len(raw) > operation.most_body:
        most = operation.most_body
        raise TooLarge(f"请求正文超过 {most} 字节", f"The body has more than {most} bytes", most=most)
    value = _parsed(raw)
    problems = check(value, SCHEMAS[operation.body])
    if problems:
        raise BadRequest("请求正文有误", "The body is not valid", problems=problems)
    return value


def _parsed(raw: bytes) -> Any:
    try:
        value = json.loads(raw, parse_constant=_no_constant, parse_float=Decimal)
        if _SURROGATE.search(raw):  # half of a pair would pass here and fail wherever it is stored
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest("请求正文不是有效的 JSON", "The body is not valid JSON") from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _shaped(made: Any, operation: Operation) -> Response:
    answer = made if isinstance(made, Answer) else Answer(made)
    body = answer.body
    if answer.media == "application/json":
        if isinstance(body, bytes):
            body = body.decode()
        else:
            body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(body, {"Content-Type": answer.media, **answer.headers}, operation.status)


def _own_answer(status: int, request_id: str) -> dict[str, Any]:
    body = json.dumps(own_problem(status, request_id), ensure_ascii=False)
    headers = {"Content-Type": PROBLEM_TYPE, "X-Request-Id": request_id}
    return {"statusCode": status, "headers": headers, "multiValueHeaders": {}, "body": body}


def _write(log: Mapping[str, Any]) -> None:
    """One JSON line on standard error, never a value of a body."""
    level = "ERROR" if log["status"] >= 500 else "INFO"
    line = {"level": level, "timestamp": timestamp(datetime.now(UTC)), "service": "api", **log}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
    if log["status"] in _REFUSED or log["status"] >= 500:  # successes are counted by the gateway
        from huitong.telemetry import measure  # loads what only refusals and faults need here

        counted = "RequestsRefused" if log["status"] in _REFUSED else "RequestsFailed"
        measure({counted: 1}, operation=str(log["operation"]))
