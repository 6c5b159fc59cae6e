"""Grants: which unit may have what of which resource."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.authorize import may
from huitong.sharing.grants import Grant
from huitong.web.resources import contract_named, known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_grants")
def list_grants(ask: Ask[ApiServices]) -> dict[str, Any]:
    grants, query = ask.services.grants, ask.query
    supervisor = may(ask.principal, "grant.read")
    unit = query.get("unit") or ("" if supervisor and not ask.unit else ask.unit)
    ask.permit("grant.read", unit)
    resource = known_contract(ask, query["resource"]).id if query.get("resource") else ""
    if unit:
        found = [g for g in grants.of_unit(unit) if resource in ("", g.resource)]
    else:
        every = [resource] if resource else [c.id for c in ask.services.contracts.all()]
        found = [g for one in every for g in grants.of_resource(one)]
    return {"items": [g.as_dict() for g in found], "next": None}


@serve(routes, "put_grant")
def put_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.put", unit)
    ask.services.units.get(unit)
    contract = contract_named(ask, code)
    body = ask.body
    row_filter = body.get("row_filter", "")
    if row_filter:
        from huitong.sharing.row_filter import canonical_filter  # brings a parser of SQL

        row_filter = canonical_filter(row_filter, contract)
    grant = Grant(
        unit,
        contract.id,
        fields=tuple(body.get("fields", ())),
        unmasked=tuple(body.get("unmasked", ())),
        masks=body.get("masks", {}),
        row_filter=row_filter,
        purpose=body.get("purpose", ""),
        starts=body.get("starts", ""),
        ends=body.get("ends", ""),
    )
    return ask.services.grants.put(grant, contract, by=ask.by).as_dict()


@serve(routes, "get_grant")
def get_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.read", unit)
    return ask.services.grants.get(unit, contract_named(ask, code).id).as_dict()


@serve(routes, "revoke_grant")
def revoke_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.put", unit)
    return ask.services.grants.revoke(unit, contract_named(ask, code).id).as_dict()
