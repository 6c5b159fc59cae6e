"""Status, dead letters and keys: for those who operate the deployment (Q-05, S-24)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "get_status")
def get_status(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("status.read")
    shown: dict[str, Any] = ask.services.area("status_page").show()
    return shown


@serve(routes, "list_dead_letters")
def list_dead_letters(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("dead_letter.read")
    return {"items": ask.services.area("dead_letters").counts(), "next": None}


@serve(routes, "get_dead_letters")
def get_dead_letters(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("dead_letter.read")
    most = min(ask.query.get("limit", 100), 100)
    return {"items": ask.services.area("dead_letters").letters(name, most), "next": None}


@serve(routes, "settle_dead_letters")
def settle_dead_letters(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("dead_letter.settle")
    body = ask.body
    settled = ask.services.area("dead_letters").settle(
        name, body.get("ids", ()), body["reason"], by=ask.by, drop=body.get("drop", False)
    )
    return {"items": settled}


@serve(routes, "list_platform_keys")
def list_platform_keys(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("key.read")
    return {"items": ask.services.area("key_rotation").list(), "next": None}


@serve(routes, "rotate_platform_key")
def rotate_platform_key(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("key.rotate")
    made: dict[str, Any] = ask.services.area("key_rotation").rotate(name, ask.body["reason"], by=ask.by)
    return made


@serve(routes, "rotate_subscription_secret")
def rotate_subscription_secret(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    subscriptions = ask.services.subscriptions
    ask.permit("subscription.put", subscriptions.get(id).subscription.unit)
    rotated, secret = subscriptions.rotate(id, by=ask.by, secret=ask.body.get("secret", ""))
    former = [one.until for one in rotated.secrets[1:]]
    return {"id": rotated.id, "secret": secret, "former_until": max(former, default=None)}
