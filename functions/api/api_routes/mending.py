"""Quarantine: what is held, and bringing it again (C-07, C-13)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.batches.model import Batch
from huitong.batches.quarantine import Quarantine, shown
from huitong.errors import NotFound
from huitong.identity.authorize import may
from huitong.quality.returning.give_back import GiveBack
from huitong.web.delivered import known_batch, own_delivery
from huitong.web.resources import known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 100


@serve(routes, "make_returned_file")
def make_returned_file(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    """Made where deliveries may be read; asking again changes nothing."""
    batch, whole = own_delivery(ask, id), bool(ask.body.get("all"))
    desk: GiveBack = ask.services.area("give_back")
    desk.check(batch)
    ready = desk.find(batch, whole=whole) is not None
    if not ready:
        _desk(ask).ingest_queue.send({"returned": batch.id, "all": whole})
    return {"batch": batch.id, "ready": ready}


@serve(routes, "list_quarantine")
def list_quarantine(ask: Ask[ApiServices]) -> dict[str, Any]:
    query, desk = ask.query, _desk(ask)
    unit = query.get("unit") or ("" if may(ask.principal, "batch.read") and not ask.unit else ask.unit)
    ask.permit("batch.read", unit)
    resource = known_contract(ask, query["resource"]).id if query.get("resource") else ""
    by = query.get("group", "batch")
    if by != "batch":
        lines = desk.grouped(by, resource, unit)
        return {"items": [_line(line) for line in lines], "next": None}
    found = [h for h in desk.listed(resource, unit) if _after(h) < (query.get("after") or "\uffff")]
    limit = query.get("limit", PAGE)
    items = found[:limit]
    following = _after(items[-1]) if len(found) > limit else None
    return {"items": [_shown(ask, holding) for holding in items], "next": following}


@serve(routes, "get_batch_quarantine")
def get_batch_quarantine(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    batch = known_batch(ask, id)
    stored = ask.services.batches.holdings.find(_first(ask, batch))
    if stored is None:
        raise NotFound(f"批次 {id} 没有隔离行", f"Batch {id} left nothing in quarantine", batch=id)
    return _shown(ask, stored.holding)


@serve(routes, "replay_quarantine")
def replay_quarantine(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    batch = _first(ask, known_batch(ask, id))
    ask.permit("quarantine.replay", batch.unit)
    contract = ask.services.contracts.get(batch.resource)
    return _desk(ask).replay(batch, contract, by=ask.by).summary()


def _first(ask: Ask[ApiServices], batch: Batch) -> Batch:
    """The delivery that holds the rows, also where one that mended it is named."""
    return ask.services.batches.get(batch.mends).batch if batch.mends else batch


def _desk(ask: Ask[ApiServices]) -> Quarantine:
    desk: Quarantine = ask.services.area("quarantine")
    return desk


def _shown(ask: Ask[ApiServices], holding: Any) -> dict[str, Any]:
    contract = ask.services.contracts.find(holding.resource)
    return shown(holding, _desk(ask).ends(holding, contract).isoformat() if contract else "")


def _line(line: Any) -> dict[str, Any]:
    names = ("group", "batches", "rows", "open", "mended", "replayed", "expired")
    return {name: getattr(line, name) for name in names}


def _after(holding: Any) -> str:
    return f"{holding.at}#{holding.batch}"
