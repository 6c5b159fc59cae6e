"""Requests for information or verification in a case (Q-56 to Q-59)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.cases.numbers import canonical
from huitong.errors import NotPermitted
from huitong.procedures.model import Record
from huitong.tickets.request_content import Asked, Person
from huitong.web.matters import actor_of, given_of, listed, readable, shown
from huitong.web.resources import askable_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "file_request")
def file_request(ask: Ask[ApiServices]) -> dict[str, Any]:
    actor, body = actor_of(ask), ask.body
    ask.permit("request.file", actor.unit)
    persons = tuple(
        Person(p["id_no"], p.get("relation", "debtor"), p.get("name", "")) for p in body.get("persons", ())
    )
    asked = Asked(
        askable_contract(ask, body["resource"]),
        tuple(dict.fromkeys(body["fields"])),
        body["purpose"],
        case_no=body.get("case_no", ""),
        duty=body.get("duty", ""),
        kind=body.get("kind", "query"),
        mode=body.get("mode", "interface"),
        persons=persons,
    )
    return _shown(ask, ask.services.requests.file(asked, actor))


@serve(routes, "list_requests")
def list_requests(ask: Ask[ApiServices]) -> dict[str, Any]:
    found = listed(ask, ask.services.requests.desk, "request.read")
    case_no = canonical(ask.query.get("case_no", ""))
    if case_no:
        found["items"] = [r for r in found["items"] if r["content"]["case_no"] == case_no]
    return found


@serve(routes, "get_request")
def get_request(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return _shown(ask, readable(ask, ask.services.requests.desk, id, "request.read"))


@serve(routes, "step_request")
def step_request(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("request.step")
    readable(ask, ask.services.requests.desk, id, "request.read")
    body = ask.body
    made = ask.services.requests.take(
        id, body["step"], actor_of(ask), given_of(body), seen=body.get("seen", 0)
    )
    return _shown(ask, made)


@serve(routes, "get_request_persons")
def get_request_persons(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.services.area("suspensions").check(ask.principal)
    record = readable(ask, ask.services.requests.desk, id, "request.read")
    actor = actor_of(ask)
    if actor.unit not in record.parties.values():
        raise NotPermitted("无权查看被查询人", "You may not see who is asked about", request=id)
    return {"items": ask.services.requests.persons(id, actor, request=ask.request_id)}


def _shown(ask: Ask[ApiServices], record: Record) -> dict[str, Any]:
    return shown(ask.services.requests.desk, record, actor_of(ask))
