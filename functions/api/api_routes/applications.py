"""Sharing applications, their disputes and missed deadlines (X-19, L-16 to L-28)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.authorize import may
from huitong.identity.model import OPERATOR
from huitong.procedures.model import Record
from huitong.sharing.applications import Asker
from huitong.sharing.implementation_sheets import printable
from huitong.web.matters import actor_of, given_of, plain, shown
from huitong.web.resources import askable_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)


@serve(routes, "file_application")
def file_application(ask: Ask[ApiServices]) -> dict[str, Any]:
    asker, body = _asker(ask), dict(plain(ask.body))
    ask.permit("application.file", asker.unit)
    ask.services.units.get(asker.unit)
    if body.get("resource"):
        body["resource"] = askable_contract(ask, body["resource"]).id
    return _shown(ask, ask.services.applications.file(asker, body))


@serve(routes, "list_applications")
def list_applications(ask: Ask[ApiServices]) -> dict[str, Any]:
    applications, query = ask.services.applications, ask.query
    supervisor = may(ask.principal, "application.read")
    unit = query.get("unit") or ("" if supervisor and ask.unit in ("", OPERATOR) else ask.unit)
    ask.permit("application.read", unit)
    limit, state = query.get("limit", 100), query.get("state", "")
    resource = askable_contract(ask, query["resource"]).id if query.get("resource") else ""
    after = None
    if unit:
        found, after = applications.of_unit(unit, after=query.get("after", ""), limit=limit)
        if supervisor and unit != ask.unit:  # a draft is its unit's own
            found = [r for r in found if r.last("send")]
    else:
        known = {s.name for s in applications.desk.procedure.states}
        found = applications.sent(*([state] if state in known else []), limit=limit)
    kept = [r for r in found if state in ("", r.state) and resource in ("", r.content["resource"])]
    return {"items": [_shown(ask, r) for r in kept], "next": after}


@serve(routes, "get_application")
def get_application(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return _shown(ask, _readable(ask, id))


@serve(routes, "step_application")
def step_application(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("application.step")
    _readable(ask, id)
    body = ask.body
    given, seen = given_of(body), body.get("seen", 0)
    return _shown(ask, ask.services.applications.take(_asker(ask), id, body["step"], given, seen=seen))


@serve(routes, "get_application_sheet")
def get_application_sheet(ask: Ask[ApiServices], id: str) -> Any:
    sheet = ask.services.applications.sheets.latest(_readable(ask, id).id)
    if ask.query.get("format") == "html":
        return Answer(printable(sheet), "text/html; charset=utf-8")
    return sheet


@serve(routes, "list_disputes")
def list_disputes(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("data.read")
    return {"items": ask.services.applications.disputes(), "next": None}


@serve(routes, "list_breaches")
def list_breaches(ask: Ask[ApiServices]) -> dict[str, Any]:
    supervisor = may(ask.principal, "breach.read")
    unit = ask.query.get("unit") or ("" if supervisor and ask.unit in ("", OPERATOR) else ask.unit)
    ask.permit("breach.read", unit)
    low, high = ask.query.get("from", "")[:10], ask.query.get("to", "")[:10]
    found = ask.services.applications.breaches(low, high)
    return {"items": [b.as_dict() for b in found if unit in ("", b.unit)], "next": None}


def _asker(ask: Ask[ApiServices]) -> Asker:
    return Asker(ask.principal, actor_of(ask).unit)


def _readable(ask: Ask[ApiServices], id: str) -> Record:
    supervisor = may(ask.principal, "application.read")
    return ask.services.applications.get(_asker(ask), id, supervisor=supervisor)


def _shown(ask: Ask[ApiServices], record: Record) -> dict[str, Any]:
    return shown(ask.services.applications.desk, record, actor_of(ask))
