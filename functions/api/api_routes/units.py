"""Units, and the credentials of units and persons (S-01)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint

from huitong.identity.credentials import Credential
from huitong.identity.roles import APART
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "put_unit")
def put_unit(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("unit.put")
    body = ask.body
    return ask.services.units.put(body["code"], body["name"], body.get("contact", ""), by=ask.by).as_dict()


@serve(routes, "list_units")
def list_units(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("unit.read")
    return {"items": [unit.as_dict() for unit in ask.services.units.list()], "next": None}


@serve(routes, "get_unit")
def get_unit(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("unit.read", unit)
    return ask.services.units.get(unit).as_dict()


@serve(routes, "issue_credential")
def issue_credential(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("credential.issue")
    body = ask.body
    owner, acts_for = body.get("owner", ""), body.get("acts_for", ())
    if "*" in acts_for or (APART.intersection(body["roles"]) and not owner):
        ask.permit("credential.issue_apart")
    for unit in (body.get("unit", ""), *acts_for):
        if unit not in ("", "*"):
            ask.services.units.get(unit)
    credential, token = ask.services.credentials.issue(
        body["name"],
        body.get("unit", ""),
        body["roles"],
        acts_for=acts_for,
        expires_at=body.get("expires_at", ""),
        by=ask.principal,
        owner=owner,
        accounts=ask.services.accounts if owner else None,
    )
    return {**_shown(credential), "token": token}


@serve(routes, "issue_signing_key")
def issue_signing_key(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("credential.issue")
    credential, key = ask.services.credentials.signing_key(id, by=ask.principal)
    return {**_shown(credential), "key": key}


@serve(routes, "list_credentials")
def list_credentials(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("credential.read")
    shown = [_shown(credential) for credential in ask.services.credentials.list(ask.query.get("unit", ""))]
    return {"items": shown, "next": None}


@serve(routes, "disable_credential")
def disable_credential(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("credential.disable")
    return _shown(ask.services.credentials.disable(id, by=ask.principal))


def _shown(credential: Credential) -> dict[str, Any]:
    return asdict(credential)
