"""Import profiles: how the files of a unit for a resource are read (Q-14)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.errors import BadRequest
from huitong.intake.profiles import ImportProfile
from huitong.web.resources import delivering_unit, known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_profiles")
def list_profiles(ask: Ask[ApiServices]) -> dict[str, Any]:
    resource, unit = "", ask.query.get("unit") or ask.unit
    if ask.query.get("resource"):
        contract = known_contract(ask, ask.query["resource"])
        resource, unit = contract.id, unit or contract.provider
    if not unit:
        raise BadRequest("请给出单位或资源", "Name a unit or a resource")
    ask.permit("profile.read", unit)
    return {"items": [_shown(p) for p in ask.services.profiles.list(unit, resource)], "next": None}


@serve(routes, "put_profile")
def put_profile(ask: Ask[ApiServices], unit: str, code: str, name: str) -> dict[str, Any]:
    ask.permit("profile.put", unit)
    contract = known_contract(ask, code)
    delivering_unit(ask, contract, unit)
    profile = ImportProfile.read(unit, contract.id, {**ask.body, "name": name})
    return _shown(ask.services.profiles.save(profile, contract, by=ask.by))


@serve(routes, "get_profile")
def get_profile(ask: Ask[ApiServices], unit: str, code: str, name: str) -> dict[str, Any]:
    ask.permit("profile.read", unit)
    return _shown(ask.services.profiles.get(unit, known_contract(ask, code).id, name))


def _shown(profile: ImportProfile) -> dict[str, Any]:
    shown = profile.as_dict()
    layout = shown.pop("layout")
    return {**shown, **layout}
