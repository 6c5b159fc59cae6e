"""Deliveries: an address for a file, rows in the body, and what became of them (Q-06, Q-13)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from api_routes.carrying import approval_named, permitted_ticket
from huitong.batches.held import may_be_mended
from huitong.errors import BadRequest, Concealed, NotFound
from huitong.identity.authorize import may
from huitong.intake.rows import put_rows, upload_id_of
from huitong.intake.uploads import no_upload
from huitong.web.resources import delivering_unit, known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "open_upload")
def open_upload(ask: Ask[ApiServices]) -> dict[str, Any]:
    body = ask.body
    contract = known_contract(ask, body["resource"])
    unit = delivering_unit(ask, contract, body.get("unit", ""))
    noting = permitted_ticket(ask, contract, unit)
    upload_id, place = ask.services.uploads.open(
        unit,
        contract.id,
        body["filename"],
        mode=body.get("mode", ""),
        edition=body.get("edition", ""),
        profile=body.get("profile", ""),
        case_no=body.get("case_no", ""),
        ticket=body.get("ticket", ""),
        mends=_mended(ask, unit, contract.id),
        options=body.get("options"),
        by=ask.by,
    )
    noting(upload_id)
    ask.note(correlation=upload_id)
    return {
        "upload_id": upload_id,
        "url": place.url,
        "method": "PUT",
        "headers": dict(place.headers),
        "expires_at": place.expires_at,
        "unit": unit,
        "resource": contract.id,
    }


def _mended(ask: Ask[ApiServices], unit: str, resource: str) -> str:
    """The first delivery of the family that the body names. Raises NotFound, Conflict, BadRequest."""
    named = ask.body.get("mends", "")
    if not named:
        return ""
    if ask.body.get("mode"):
        raise BadRequest("补正交付不声明模式", "What mends another delivery names no mode", field="mode")
    batch = ask.services.batches.get(named).batch
    first = ask.services.batches.get(batch.mends).batch if batch.mends else batch
    if (first.unit, first.resource) != (unit, resource):
        raise NotFound(f"没有批次 {named}", f"There is no batch {named}", batch=named)
    may_be_mended(first)
    return first.id


@serve(routes, "get_upload")
def get_upload(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    upload = ask.services.uploads.get(id)
    if not may(ask.principal, "upload.read", upload.unit):  # not told that there is one
        raise Concealed.like(no_upload(id))
    ask.note(correlation=upload.id)
    stored = ask.services.batches.find(upload.batch_id) if upload.batch_id else None
    return {
        "upload_id": upload.id,
        "unit": upload.unit,
        "resource": upload.resource,
        "filename": upload.filename,
        "status": stored.batch.status if stored else "waiting",
        "batches": [stored.batch.summary()] if stored else [],
    }


@serve(routes, "put_records")
def put_records(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    body, services = ask.body, ask.services
    contract = known_contract(ask, code)
    unit = delivering_unit(ask, contract, body.get("unit", ""))
    key = ask.headers.get("idempotency-key", "").strip() or body.get("edition", "")
    key = key or approval_named(body)  # so that the upload has its id before its rows are taken
    expected = upload_id_of(unit, contract.id, key) if key else ""
    permitted_ticket(ask, contract, unit, expected)(expected)
    upload_id = put_rows(
        services.landing,
        services.uploads,
        unit,
        contract.id,
        body.get("rows", ()),
        deletions=body.get("deletions", ()),
        mode=body.get("mode", ""),
        idempotency_key=key,
        profile=body.get("profile", ""),
        case_no=body.get("case_no", ""),
        ticket=body.get("ticket", ""),
        mends=_mended(ask, unit, contract.id),
        by=ask.by,
    )
    ask.note(correlation=upload_id)
    upload = services.uploads.get(upload_id)
    return {
        "upload_id": upload_id,
        "batch_id": upload.batch_id,
        "unit": unit,
        "resource": contract.id,
        "edition": upload.edition,
        "rows": len(body.get("rows", ())) + len(body.get("deletions", ())),
    }
