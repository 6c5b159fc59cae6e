"""Who may not use data for now (S-33)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_suspensions")
def list_suspensions(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("suspension.read")
    return {"items": [one.as_dict() for one in ask.services.area("suspensions").all()], "next": None}


@serve(routes, "suspend_use")
def suspend_use(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("suspension.put")
    made = ask.services.area("suspensions").suspend(ask.body["principal"], ask.body["reason"], by=ask.by)
    shown: dict[str, Any] = made.as_dict()
    return shown


@serve(routes, "lift_suspension")
def lift_suspension(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("suspension.put")
    shown: dict[str, Any] = ask.services.area("suspensions").lift(id, ask.body["reason"], by=ask.by).as_dict()
    return shown
