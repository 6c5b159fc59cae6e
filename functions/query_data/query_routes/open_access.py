"""Rows without sign-in, and a person's own rows (C-23, S-31, S-32)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.errors import Conflict, NotPermitted
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 50


@serve(routes, "read_open_resource")
def read_open_resource(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract = ask.services.contracts.find(code)
    release = ask.services.releases.shown(contract, code)
    page = ask.services.open_reading.page(
        ask.services.contracts.get(release.resource),
        release,
        ask.query.get("after", ""),
        ask.query.get("limit", PAGE),
    )
    ask.services.traces.write(
        Trace(
            "access", "public", "", release.resource, fields=page.fields, seq=page.seq, count=len(page.rows),
            request=ask.request_id, path="read", source=ask.source, detail="open",
        )
    )  # fmt: skip
    return {
        "items": list(page.rows),
        "next": page.next or None,
        "seq": page.seq,
        "fields": list(page.fields),
    }


@serve(routes, "read_own_record")
def read_own_record(ask: Ask[QueryServices]) -> dict[str, Any]:
    """Each use leaves evidence before anything is shown; code and number stand nowhere."""
    body, services = ask.body, ask.services
    number = body["number"].strip().upper()
    try:
        record, resources = services.subject_requests.redeem(body["code"], number)
    except Conflict:  # somebody else uses it at this moment: it is one time's
        raise NotPermitted("授权码或证件号码不正确", "The code or the number is not right") from None
    shown = []
    for resource in resources:
        contract = services.contracts.get(resource)
        rows = services.open_reading.own(contract, number)
        fields = tuple(f.name for f in contract.fields)
        subjects = services.disclosures.of_pairs([(services.subject_requests.blind(number), "")])
        services.traces.write(
            Trace(
                "access", f"subject:{record.id}", "", resource, fields=fields, count=len(rows),
                request=ask.request_id, path="request", source=ask.source, detail=record.id,
            ),
            subjects,
        )  # fmt: skip
        titles = [{"name": f.name, "title": f.title} for f in contract.fields]
        shown.append({"resource": resource, "title": contract.title, "columns": titles, "rows": rows})
    return {"request": record.id, "resources": shown}


@serve(routes, "list_expired_items")
def list_expired_items(ask: Ask[QueryServices]) -> dict[str, Any]:
    ask.permit("open.read")
    items = []
    for release in ask.services.releases.all():
        contract = ask.services.contracts.find(release.resource)
        if contract is not None:
            expired = ask.services.open_reading.expired(contract)
            items.append({"resource": contract.id, "until": contract.publish_until, "expired": expired})
    return {"items": items, "next": None}
