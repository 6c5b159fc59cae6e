"""Corrections, reviews, objections: following and handling them; bulk corrections (L-29 to L-32, L-50)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record
from huitong.tickets.showing import shown
from huitong.tickets.telling import shown as shown_notice
from huitong.web.resources import known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_corrections")
def list_corrections(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("correction.read", ask.unit)
    actor, query = _actor(ask), ask.query
    found = ask.services.corrections.of(actor, kind=query.get("kind", ""), limit=0)
    kept = [r for r in found if query.get("resource", "") in ("", r.content["resource"])]
    kept = [r for r in kept if not query.get("after") or _place(r) < query["after"]]
    page = kept[: query.get("limit", 100)]
    end = _place(page[-1]) if len(page) < len(kept) else None
    return {"items": [_shown(ask, r, actor) for r in page], "next": end}


@serve(routes, "get_correction")
def get_correction(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("correction.read", ask.unit)
    actor = _actor(ask)
    return _shown(ask, ask.services.corrections.get(id, actor), actor)


@serve(routes, "step_correction")
def step_correction(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("correction.step", ask.unit)
    actor, body = _actor(ask), ask.body
    record = ask.services.corrections.take(
        id, body["step"], actor, body.get("given"), seen=body.get("seen", 0)
    )
    return _shown(ask, record, actor)


@serve(routes, "get_correction_record")
def get_correction_record(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.services.area("suspensions").check(ask.principal)
    ask.permit("correction.step", ask.unit)
    doubt = ask.services.corrections.doubt(id, _actor(ask))
    return {"id": id, "key": dict(doubt.key), "wrong": doubt.wrong}


@serve(routes, "get_correction_report")
def get_correction_report(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("correction.read", ask.unit)
    return ask.services.corrections.report(id, _actor(ask))


@serve(routes, "request_bulk_correction")
def request_bulk_correction(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    contract = known_contract(ask, code)
    ask.permit("correction.bulk", contract.provider or OPERATOR)
    actor, bulk = _actor(ask), ask.services.bulk_corrections
    record = bulk.request(actor, contract.id, contract.provider, ask.body)
    return shown(record, bulk.possible(record, actor))


@serve(routes, "list_bulk_corrections")
def list_bulk_corrections(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("correction.read", ask.unit)
    actor, bulk = _actor(ask), ask.services.bulk_corrections
    return {"items": [shown(r, bulk.possible(r, actor)) for r in bulk.of(actor)], "next": None}


@serve(routes, "get_bulk_correction")
def get_bulk_correction(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("correction.read", ask.unit)
    actor, bulk = _actor(ask), ask.services.bulk_corrections
    record = bulk.get(id, actor)
    return shown(record, bulk.possible(record, actor))


@serve(routes, "step_bulk_correction")
def step_bulk_correction(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("correction.bulk", ask.unit)
    actor, body, bulk = _actor(ask), ask.body, ask.services.bulk_corrections
    record = bulk.take(id, body["step"], actor, body.get("given"), seen=body.get("seen", 0))
    return shown(record, bulk.possible(record, actor))


def _place(record: Record) -> str:
    return f"{record.created_at}#{record.id}"


def _actor(ask: Ask[ApiServices]) -> Actor:
    return Actor(ask.principal, ask.unit)


def _shown(ask: Ask[ApiServices], record: Record, actor: Actor) -> dict[str, Any]:
    """Who else was given the record is for its source unit and the platform, not for who filed."""
    receivers = None
    if record.last("correct") and actor.unit in ("", OPERATOR, record.parties["provider"]):
        receivers = [shown_notice(n) for n in ask.services.telling.of_ticket(record)]
    return shown(record, ask.services.corrections.possible(record, actor), receivers)
