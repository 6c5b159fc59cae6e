"""The ledger and the records of use (C-16, L-34)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint

from huitong.errors import BadRequest
from huitong.identity.authorize import may
from huitong.web.delivered import known_batch
from huitong.web.resources import known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "get_ledger")
def get_ledger(ask: Ask[ApiServices]) -> dict[str, Any]:
    query = ask.query
    supervisor = may(ask.principal, "ledger.read")
    unit = query.get("unit") or ("" if supervisor and not ask.unit else ask.unit)
    if query.get("batch"):
        unit = known_batch(ask, query["batch"], "ledger.read").unit
    ask.permit("ledger.read", unit)
    resource = known_contract(ask, query["resource"]).id if query.get("resource") else ""
    report = ask.services.ledger.report(
        batch=query.get("batch", ""),
        resource=resource,
        unit=unit,
        low=query.get("from", ""),
        high=query.get("to", ""),
    )
    return report.as_dict()


@serve(routes, "list_traces")
def list_traces(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("trace.read")
    query = ask.query
    resource = known_contract(ask, query["resource"]).id if query.get("resource") else ""
    if not resource and not query.get("unit"):
        raise BadRequest("请给出资源或单位", "Name a resource or a unit")
    limit, after = query.get("limit", 100), query.get("after", "")
    low, high = query.get("from", ""), after or query.get("to", "")
    found = ask.services.traces.list(
        resource=resource, unit=query.get("unit", ""), low=low, high=high, limit=limit + 2
    )
    fresh = [trace for trace in found if not after or f"{trace.at}#{trace.id}" < after]
    shown = fresh[:limit]
    return {
        "items": [asdict(trace) for trace in shown],
        "next": f"{shown[-1].at}#{shown[-1].id}" if len(fresh) > limit else None,
    }
