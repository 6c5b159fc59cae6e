"""Subscriptions: who is sent what of which resource, and what became of each delivery (X-06, X-12)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.contracts.model import Contract
from huitong.delivery.model import Subscription
from huitong.errors import BadRequest, NotPermitted
from huitong.identity.authorize import may
from huitong.identity.model import OPERATOR, Principal
from huitong.sharing.access import Access
from huitong.sharing.decide import access_for
from huitong.web.resources import contract_named, known_contract, knows, unknown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "subscribe")
def subscribe(ask: Ask[ApiServices]) -> dict[str, Any]:
    body = ask.body
    unit = body.get("unit", "") or ask.unit or (OPERATOR if ask.principal.has("admin") else "")
    if not unit:
        raise BadRequest("请给出接收单位", "Name the receiving unit")
    ask.permit("subscription.put", unit)
    contract = contract_named(ask, body["resource"])
    access = _access_of(ask, contract, unit)
    ask.services.gates.check_exchange(unit, contract, "push")
    subscription, secret = ask.services.subscriptions.create(
        unit,
        access,
        body["endpoint"],
        by=ask.by,
        fields=tuple(body.get("fields", ())),
        row_filter=_filter(body.get("filter", ""), contract, access),
        secret=body.get("secret", ""),
        start=body.get("start", "now"),
    )
    return {**subscription.summary(), "secret": secret}


@serve(routes, "list_subscriptions")
def list_subscriptions(ask: Ask[ApiServices]) -> dict[str, Any]:
    supervisor = may(ask.principal, "subscription.read")
    unit = ask.query.get("unit") or ("" if supervisor and not ask.unit else ask.unit)
    ask.permit("subscription.read", unit)
    resource = known_contract(ask, ask.query["resource"]).id if ask.query.get("resource") else ""
    subscriptions = ask.services.subscriptions
    found = subscriptions.of_unit(unit) if unit else subscriptions.all()
    return {"items": [s.summary() for s in found if resource in ("", s.resource)], "next": None}


@serve(routes, "get_subscription")
def get_subscription(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return _allowed(ask, id, "subscription.read").summary()


@serve(routes, "cancel_subscription")
def cancel_subscription(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _allowed(ask, id, "subscription.put")
    return ask.services.subscriptions.cancel(id, by=ask.by).summary()


@serve(routes, "pause_subscription")
def pause_subscription(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _allowed(ask, id, "subscription.put")
    return ask.services.subscriptions.pause(id, by=ask.by).summary()


@serve(routes, "resume_subscription")
def resume_subscription(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _allowed(ask, id, "subscription.put")
    return ask.services.subscriptions.resume(id, by=ask.by).summary()


@serve(routes, "replay_subscription")
def replay_subscription(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _allowed(ask, id, "subscription.put")
    ask.services.redelivery.replay(id, by=ask.by)
    return ask.services.subscriptions.get(id).subscription.summary()


@serve(routes, "list_deliveries")
def list_deliveries(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _allowed(ask, id, "subscription.read")
    limit, after = ask.query.get("limit", 100), ask.query.get("after", "0")
    if not after.isdecimal():
        raise BadRequest("after 不是续页标记", "after is no token of this list")
    found = ask.services.deliveries.of_subscription(id, after=int(after), limit=limit + 1)
    shown = [stored.delivery for stored in found[:limit]]
    return {
        "items": [delivery.summary() for delivery in shown],
        "next": str(shown[-1].n) if len(found) > limit else None,
    }


def _allowed(ask: Ask[ApiServices], id: str, operation: str) -> Subscription:
    found = ask.services.subscriptions.get(id).subscription
    ask.permit(operation, found.unit)
    return found


def _access_of(ask: Ask[ApiServices], contract: Contract, unit: str) -> Access:
    """What the unit itself may have, whoever subscribes for it."""
    system = Principal("", unit, frozenset({"consumer"}))
    access = access_for(system, contract, ask.services.grants, use=ask.use("push"))
    if access is None and not knows(ask, contract):
        raise unknown(ask.body["resource"])
    if access is None or access.gives != "rows":
        raise NotPermitted(
            f"单位 {unit} 没有资源 {contract.id} 的授权",
            f"Unit {unit} has no grant for resource {contract.id}",
            unit=unit,
            resource=contract.id,
        )
    return access


def _filter(expression: str, contract: Contract, access: Access) -> str:
    """The canonical filter. It may read plain, granted fields only: else it would tell what a mask hides."""
    if not expression:
        return ""
    from huitong.sharing.row_filter import canonical_filter  # brings a parser of SQL

    return canonical_filter(expression, contract, access)
