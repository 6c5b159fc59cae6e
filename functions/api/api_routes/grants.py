"""Grants: which unit may have what of which resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.identity.authorize import may
from huitong.ports import Item
from huitong.sharing.grants import DIRECT, Grant
from huitong.web.resources import known_contract, knows, unknown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
_TEXTS: Final = ("purpose", "starts", "ends", "basis", "case_no", "duty", "clearance")


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
    return {"items": [_shown(g) for g in found], "next": None}


@serve(routes, "put_grant")
def put_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.put", unit)
    ask.services.units.get(unit)
    contract = known_contract(ask, code)
    body = ask.body
    ask.services.gates.check_ways(unit, contract, body.get("methods", ()))
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
        methods=tuple(body.get("methods", ())),
        users=tuple(body.get("users", ())),
        volume=body.get("volume", 0),
        statistics=body.get("statistics", False),
        **{name: body.get(name, "") for name in _TEXTS},
    )
    given, creates, replaces = ask.services.grants.prepared(grant, contract, by=ask.by)
    _commit(ask, given, "put", creates, replaces)
    return _shown(given)


@serve(routes, "second_grant")
def second_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    """S-30: L4 fields of a grant are plain only once a second person stands behind it."""
    ask.permit("grant.put", unit)
    contract, seen = known_contract(ask, code), ask.query.get("seen", "")
    grant, item = ask.services.grants.second(unit, contract.id, _id(ask), by=ask.by, seen=seen)
    _commit(ask, grant, f"second:{grant.digest}", (), (item,))
    return _shown(grant)


@serve(routes, "get_grant")
def get_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.read", unit)
    return _shown(ask.services.grants.get(unit, _resource(ask, unit, code), _id(ask)))


@serve(routes, "revoke_grant")
def revoke_grant(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("grant.put", unit)
    grants = ask.services.grants
    item = grants.end_item(grants.get(unit, known_contract(ask, code).id, _id(ask)), by=ask.by, reason="")
    ended = Grant.from_dict(item.body)
    _commit(ask, ended, "end", (), (item,))
    return _shown(ended)


def _resource(ask: Ask[ApiServices], unit: str, code: str) -> str:
    """A resource that the asker may know of, or of which the unit has or had a grant. Raises NotFound."""
    found = ask.services.contracts.find(code)
    if found is None or not (knows(ask, found) or ask.services.grants.of(unit, found.id)):
        raise unknown(code)
    return str(found.id)


def _shown(grant: Grant) -> dict[str, Any]:
    """With the digest that a second person names."""
    return {**grant.as_dict(), "digest": grant.digest}


def _id(ask: Ask[ApiServices]) -> str:
    """Which of a unit's grants; none named = the direct one."""
    found = str(ask.query.get("grant", ""))
    return "" if found == DIRECT else found


def _commit(
    ask: Ask[ApiServices], grant: Grant, what: str, creates: Sequence[Item], replaces: Sequence[Item]
) -> None:
    """The right and its evidence in one write (S-08, L-34)."""
    told = Trace(
        "rights",
        actor=ask.by,
        unit=grant.unit,
        resource=grant.resource,
        fields=grant.fields,
        case_no=grant.case_no,
        duty=grant.duty,
        purpose=grant.purpose,
        grant=grant.ref,
        request=ask.request_id,
        detail=f"grant:{what}:{grant.basis}"[:128],
        source=ask.source,
    )
    ask.services.traces.commit(told, creates=creates, replaces=replaces)
