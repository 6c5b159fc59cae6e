"""Errors as problem details (RFC 9457): one table for both apps."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from huitong.errors import Fault, HuitongError

PROBLEM_TYPE: Final = "application/problem+json"

#: What Chalice itself may answer before or around a view.
OWN: Final = {
    400: ("bad-request", "请求有误", "The request is not valid"),
    404: ("not-found", "没有此地址", "There is no such address"),
    405: ("method-not-allowed", "此地址不支持该方法", "The address does not take this method"),
    415: ("unsupported-media-type", "不支持的内容类型", "The content type is not supported"),
    500: ("fault", "平台内部错误,已记录", "The platform failed; the fault is recorded"),
}
_TRY_AGAIN: Final = "2"


def problem(error: HuitongError, request_id: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers. A fault's details go to the log, not to the caller."""
    if isinstance(error, Fault):
        zh, en = "平台暂时无法完成,请稍后重试", "The platform cannot do this now; try again later"
        body = _body(error.status, error.code, zh, en, request_id)
        headers = {"Retry-After": _TRY_AGAIN} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return error.status, body, headers
    body = _body(error.status, error.code, error.zh, error.en, request_id)
    body["problems"] = [p.as_dict() for p in error.problems]
    if error.where:
        body["where"] = dict(error.where)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers = {"Retry-After": "60"}
    return error.status, body, headers


def own_problem(status: int, request_id: str) -> dict[str, Any]:
    """The body for an answer that Chalice made by itself."""
    code, zh, en = OWN.get(status, OWN[500])
    return _body(status, code, zh, en, request_id)


def _body(status: int, code: str, zh: str, en: str, request_id: str) -> dict[str, Any]:
    return {
        "type": f"urn:huitong:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{zh} / {en}",
        "code": code,
        "zh": zh,
        "en": en,
        "problems": [],
        "request_id": request_id,
    }
