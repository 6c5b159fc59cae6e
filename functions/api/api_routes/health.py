"""Whether the API answers, what it offers, and who is asking."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong import __version__
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "get_health")
def get_health(_ask: Ask[ApiServices]) -> dict[str, Any]:
    return {"status": "ok", "version": __version__}


@serve(routes, "get_openapi")
def get_openapi(_ask: Ask[ApiServices]) -> dict[str, Any]:
    from huitong.web.openapi import document  # only this route needs it

    return document()


@serve(routes, "get_me")
def get_me(ask: Ask[ApiServices]) -> dict[str, Any]:
    who = ask.principal
    return {
        "id": who.id,
        "unit": who.unit,
        "roles": sorted(who.roles),
        "acts_for": list(who.acts_for),
        "acting_unit": ask.unit,
    }
