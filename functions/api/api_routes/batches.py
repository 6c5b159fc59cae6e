"""Batches: what became of a delivery, and what somebody decides on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chalice.app import Blueprint

from huitong.batches.model import Batch
from huitong.errors import NotPermitted
from huitong.identity.authorize import may
from huitong.intake.uploads import upload_of
from huitong.web.delivered import known_batch
from huitong.web.resources import known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 100


@serve(routes, "list_batches")
def list_batches(ask: Ask[ApiServices]) -> dict[str, Any]:
    limit = ask.query.get("limit", PAGE)
    found: list[Batch] = []
    for batch in _selected(ask):
        found.append(batch)
        if len(found) > limit:
            break
    shown = found[:limit]
    return {
        "items": [batch.summary() for batch in shown],
        "next": _token(shown[-1]) if len(found) > limit else None,
    }


@serve(routes, "get_batch")
def get_batch(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return known_batch(ask, id).summary()


@serve(routes, "release_batch")
def release_batch(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _decides(ask, known_batch(ask, id))
    released: Batch = ask.services.hold.release(id, by=ask.by)
    return released.summary()


@serve(routes, "reject_batch")
def reject_batch(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _decides(ask, known_batch(ask, id))
    rejected: Batch = ask.services.hold.reject(id, by=ask.by, reason=ask.body["reason"])
    return rejected.summary()


@serve(routes, "replay_batch")
def replay_batch(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("batch.replay", known_batch(ask, id).unit)
    return ask.services.replay.replay(id, by=ask.by).summary()


@serve(routes, "process_again")
def process_again(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("batch.replay", known_batch(ask, id).unit)
    return ask.services.again.take(id, by=ask.by).summary()


def _decides(ask: Ask[ApiServices], batch: Batch) -> None:
    """Raises NotPermitted for the unit's own and for whoever delivered the batch: four eyes (S-08)."""
    ask.permit("batch.decide", batch.unit)
    upload = ask.services.uploads.find(upload_of(batch.landing_key))
    if upload is not None and upload.by in (ask.by, ask.principal.id):
        raise NotPermitted(
            "报送人不得审核自己报送的批次", "Whoever delivered a batch does not decide on it", batch=batch.id
        )


def _selected(ask: Ask[ApiServices]) -> Iterator[Batch]:
    """Batches that the query names and the asker may see, newest first, after the token.

    Raises NotPermitted when it names a unit that the asker may not see, NotFound for an unknown resource.
    """
    query, batches = ask.query, ask.services.batches
    supervisor = may(ask.principal, "batch.read")
    unit = query.get("unit") or ("" if supervisor and not ask.unit else ask.unit)
    ask.permit("batch.read", unit)
    resource = known_contract(ask, query["resource"]).id if query.get("resource") else ""
    low, high = query.get("from", ""), query.get("to", "")
    if resource:
        found = batches.of_resource(resource, low=low, high=high)
    elif unit:
        found = batches.of_unit(unit, low=low, high=high)
    else:
        found = [
            b for c in ask.services.contracts.all() for b in batches.of_resource(c.id, low=low, high=high)
        ]
    status, after = query.get("status", ""), query.get("after", "")
    for batch in sorted(found, key=_token, reverse=True):
        fits = (not unit or batch.unit == unit) and (not status or batch.status == status)
        if fits and (not after or _token(batch) < after):
            yield batch


def _token(batch: Batch) -> str:
    return f"{batch.received_at}#{batch.id}"
