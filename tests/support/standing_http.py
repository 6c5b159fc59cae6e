"""The steps that make a sharing complete, over HTTP: for end-to-end tests and demonstrations.

``call(method, path, body, unit)`` makes one request, as somebody who may act for
``unit``, and gives the JSON of the answer; it raises when the answer is a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

OPERATOR = "1144030000AA01123N"
DIGEST = "5f" * 32
DUTIES = ("leader", "sharing", "technical", "resources")

Call = Callable[[str, str, Any, str], Any]


def complete_over_http(
    call: Call, unit: str, provider: str, resource: str, interfaces: Sequence[str] = ("push", "pull")
) -> None:
    """All that the gates ask for before ``unit`` may have a resource of ``provider``."""
    officers = {duty: {"name": "李四", "post": "处长"} for duty in DUTIES}
    for one in (unit, provider):
        call("PUT", f"/v1/units/{one}/standing", {"officers": officers}, one)
    signed_over_http(call, provider, OPERATOR, "sharing", [resource])
    signed_over_http(call, provider, unit, "security", [])
    if "comparison" in interfaces:
        signed_over_http(call, provider, unit, "licence", [resource], volume=100_000)
    docking = {"method": "API", "security_terms": "TLS, SM4", "contacts": ["王五"]}
    confirmed_over_http(call, "share-lists", unit, {"resources": [resource]})
    confirmed_over_http(call, "dockings", unit, {"resources": [resource], **docking})
    for interface in interfaces:
        test = {
            "resource": resource, "interface": interface, "interface_version": "1", "result": "passed",
            "tested_on": _day(-1), "our_testers": ["甲"], "their_testers": ["乙"], "document": "T-1",
            "digest": DIGEST,
        }  # fmt: skip
        confirmed_over_http(call, "joint-tests", unit, test)


def signed_over_http(
    call: Call, first: str, second: str, kind: str, resources: Sequence[str], **more: Any
) -> Any:
    """An agreement that both sides signed."""
    body = {
        "kind": kind, "first": first, "second": second, "resources": list(resources), "starts": _day(-30),
        "ends": _day(700), "document": "A-1", "digest": DIGEST, **more,
    }  # fmt: skip
    made = call("POST", "/v1/agreements", body, first)
    for step, side in (("sign_first", first), ("countersign_second", second)):
        given = {"signatory": "张三", "post": "局长", "signed_on": _day(-1), "digest": DIGEST}
        made = call("POST", f"/v1/agreements/{made['id']}/steps", {"step": step, "given": given}, side)
    return made


def confirmed_over_http(call: Call, path: str, unit: str, content: dict[str, Any]) -> Any:
    """What the unit put forward and the operator confirmed."""
    made = call("POST", f"/v1/{path}", {"counterpart": OPERATOR, **content}, unit)
    return call("POST", f"/v1/{path}/{made['id']}/steps", {"step": "confirm"}, OPERATOR)


def _day(away: int) -> str:
    return (datetime.now(UTC) + timedelta(days=away)).date().isoformat()
