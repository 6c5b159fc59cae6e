"""Data contracts and the resources that they describe (Q-20)."""

from __future__ import annotations

import json
from typing import Any

from chalice.app import Blueprint

from huitong.contracts.model import Contract
from huitong.sharing.access import Access
from huitong.web.resources import contract_named, described, known_contract, knows, unknown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "put_contract")
def put_contract(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("contract.put")
    put = ask.services.contracts.put
    return _full(put(ask.body["document"], by=ask.by, provider=ask.body.get("provider", "")))


@serve(routes, "list_contracts")
def list_contracts(ask: Ask[ApiServices]) -> dict[str, Any]:
    return {"items": [_brief(c) for c in ask.services.contracts.all() if knows(ask, c)], "next": None}


@serve(routes, "get_contract")
def get_contract(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    return _with_text(ask, known_contract(ask, code))


@serve(routes, "get_contract_version")
def get_contract_version(ask: Ask[ApiServices], code: str, version: str) -> dict[str, Any]:
    return _with_text(ask, known_contract(ask, code, int(version)))


@serve(routes, "list_resources")
def list_resources(ask: Ask[ApiServices]) -> dict[str, Any]:
    pairs = ((c, described(ask, c)) for c in ask.services.contracts.all())
    return {"items": [_resource(c, a) for c, a in pairs if a is not None], "next": None}


@serve(routes, "get_resource")
def get_resource(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    contract = contract_named(ask, code)
    access = described(ask, contract)
    if access is None:
        raise unknown(code)
    found = ask.services.publications.get(contract.id)
    published = (
        {"seq": found.seq, "batch_id": found.batch_id, "published_at": found.published_at} if found else None
    )
    return {**_resource(contract, access), "publication": published}


def _brief(contract: Contract) -> dict[str, Any]:
    names = (
        "id",
        "version",
        "title",
        "table",
        "provider",
        "provider_name",
        "direction",
        "share_type",
        "frequency",
        "mode",
    )
    return {name: getattr(contract, name) for name in names}


def _full(contract: Contract) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(contract.to_json())
    return {**shown, "document": ""}


def _with_text(ask: Ask[ApiServices], contract: Contract) -> dict[str, Any]:
    return {**_full(contract), "document": ask.services.contracts.document(contract)}


def _resource(contract: Contract, access: Access) -> dict[str, Any]:
    shown = [f for f in contract.fields if f.name in access.fields]
    columns = [
        {
            "name": f.name,
            "title": f.title,
            "type": f.type,
            "key": bool(f.key),
            "masked": f.name in access.masks,
        }
        for f in shown
    ]
    return {**_brief(contract), "columns": columns, "row_filter": access.row_filter}
