"""What is public, requests of data subjects, statements and assessments (C-23, C-25, Q-62, S-31, S-32)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.errors import BadRequest, Problem
from huitong.identity.model import OPERATOR
from huitong.open_access.publication_rules import open_check
from huitong.procedures.deciding import Actor
from huitong.tickets.showing import shown
from huitong.web.resources import askable_contract, contract_named
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_open_resources")
def list_open_resources(ask: Ask[ApiServices]) -> dict[str, Any]:
    items = []
    for release in ask.services.releases.all():
        contract = ask.services.contracts.find(release.resource)
        if contract is None or open_check(contract):
            continue
        fields = [
            {"name": f.name, "title": f.title, "type": f.type}
            for f in contract.fields
            if f.name in release.fields and f.level == "L1"
        ]
        known = {"id": contract.id, "title": contract.title, "provider_name": contract.provider_name}
        items.append({**known, "fields": fields, "released_at": release.at})
    return {"items": items, "next": None}


@serve(routes, "check_open_resource")
def check_open_resource(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    ask.permit("open.read")
    return _checked(ask, code)


@serve(routes, "release_open_resource")
def release_open_resource(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    ask.permit("open.release")
    contract = contract_named(ask, code)
    release = ask.services.releases.release(
        contract, by=ask.by, unit=ask.unit or OPERATOR, basis=ask.body["basis"]
    )
    return release.as_dict()


@serve(routes, "withdraw_open_resource")
def withdraw_open_resource(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    ask.permit("open.release")
    ask.services.releases.withdraw(contract_named(ask, code).id, by=ask.by, unit=ask.unit or OPERATOR)
    return _checked(ask, code)


def _checked(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    contract = contract_named(ask, code)
    released = any(r.resource == contract.id for r in ask.services.releases.all())
    problems = [p.as_dict() for p in open_check(contract)]
    return {"resource": contract.id, "released": released, "problems": problems}


# --- data subjects -----------------------------------------------------------


@serve(routes, "open_subject_request")
def open_subject_request(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("subject.desk")
    body = dict(ask.body)
    number = body.pop("number")
    body["resources"] = _readable_by_subjects(ask, body.get("resources", []))
    given = {name: value for name, value in body.items() if value}
    return _request(ask, ask.services.subject_requests.open(_desk(ask), number, given))


@serve(routes, "list_subject_requests")
def list_subject_requests(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("subject.desk")
    found = ask.services.subject_requests.desk.in_state(limit=0)
    return {"items": [_request(ask, r) for r in reversed(found)], "next": None}


@serve(routes, "get_subject_request")
def get_subject_request(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("subject.desk")
    return _request(ask, ask.services.subject_requests.desk.get(id))


@serve(routes, "step_subject_request")
def step_subject_request(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("subject.desk")
    body = ask.body
    taken = ask.services.subject_requests.take(
        id, body["step"], _desk(ask), body.get("given"), seen=body.get("seen", 0)
    )
    return _request(ask, taken)


@serve(routes, "issue_subject_code")
def issue_subject_code(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("subject.desk")
    code, until = ask.services.subject_requests.issue(id, _desk(ask))
    return {"id": id, "code": code, "expires_at": until}


def _readable_by_subjects(ask: Ask[ApiServices], names: list[str]) -> list[str]:
    """Resources about persons that may be shared at all: who informed on somebody is never told."""
    ids, problems = [], []
    for name in names:
        contract = ask.services.contracts.find(name)
        if contract is None or contract.share_type == "3" or not contract.subject_fields:
            zh, en = f"资源 {name} 不能供本人查阅", f"Resource {name} cannot be read by its subjects"
            problems.append(Problem("subject.resource", zh, en, {"field": "resources"}))
        else:
            ids.append(contract.id)
    if problems:
        raise BadRequest("资源有误", "The resources are not valid", problems=problems)
    return ids


def _request(ask: Ask[ApiServices], record: Any) -> dict[str, Any]:
    found = shown(record, ask.services.subject_requests.desk.possible(record, _desk(ask)))
    found.pop("subject", None)
    return found


def _desk(ask: Ask[ApiServices]) -> Actor:
    return Actor(ask.principal, ask.unit or OPERATOR)


# --- statements and assessments ------------------------------------------------


@serve(routes, "declare_statement")
def declare_statement(ask: Ask[ApiServices]) -> dict[str, Any]:
    body = dict(ask.body)
    text, actor = body.pop("text"), _desk(ask)
    ask.permit("statement.file", actor.unit)
    return _statement(ask, ask.services.statements.declare(actor, text, body), actor)


@serve(routes, "list_statements")
def list_statements(ask: Ask[ApiServices]) -> dict[str, Any]:
    actor = _desk(ask)
    ask.permit("statement.file", actor.unit)
    return {"items": [_statement(ask, r, actor) for r in ask.services.statements.of(actor)], "next": None}


@serve(routes, "get_statement")
def get_statement(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    actor = _desk(ask)
    ask.permit("statement.file", actor.unit)
    return _statement(ask, ask.services.statements.get(id, actor), actor)


@serve(routes, "get_statement_text")
def get_statement_text(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    actor = _desk(ask)
    ask.permit("statement.file", actor.unit)
    return {"id": id, "text": ask.services.statements.text(id, actor)}


@serve(routes, "step_statement")
def step_statement(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    actor, body = _desk(ask), ask.body
    ask.permit("statement.file", actor.unit)
    record = ask.services.statements.take(
        id, body["step"], actor, body.get("given"), seen=body.get("seen", 0)
    )
    return _statement(ask, record, actor)


@serve(routes, "put_assessment")
def put_assessment(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit = ask.unit or OPERATOR
    ask.permit("assessment.put", unit)
    askable_contract(ask, ask.body["resource"])
    return ask.services.assessments.put(ask.body, by=ask.by, unit=unit)


@serve(routes, "list_assessments")
def list_assessments(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("assessment.read", ask.unit)
    query, kept = ask.query, ask.services.assessments
    found = kept.of_application(query["application"]) if query.get("application") else kept.all()
    items = [a for a in found if query.get("resource", "") in ("", a["resource"])]
    staff = ask.principal.has("officer", "admin", "auditor")
    return {"items": [a for a in items if staff or a["unit"] == ask.unit], "next": None}


def _statement(ask: Ask[ApiServices], record: Any, actor: Actor) -> dict[str, Any]:
    return shown(record, ask.services.statements.desk.possible(record, actor))
