"""The catalogue as a whole: editions, views, workbooks, DCAT, elements, duties (Q-43, Q-44, X-18, L-09)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from chalice.app import Blueprint

from api_routes.catalog import actor, catalogue, listed
from huitong.catalog import dcat, workbook
from huitong.catalog.area import whole
from huitong.catalog.documents import header, summary
from huitong.catalog.editions import CURRENT
from huitong.catalog.elements import Element
from huitong.catalog.procedure import DUTY
from huitong.catalog.views import View, filters_of, grouped
from huitong.catalog.visibility import sees_record
from huitong.errors import BadRequest, NotFound
from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record
from huitong.web.matters import given_of, shown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
#: Entries of one answer: an answer of the gateway holds 6 MB.
MOST = 200
_PUBLISHER = (OPERATOR, "深圳市破产事务管理署")


@serve(routes, "publish_edition")
def publish_edition(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("edition.publish", ask.unit)
    made = catalogue(ask).editions.publish(actor(ask), note=ask.body.get("note", ""))
    return made.as_dict()


@serve(routes, "list_editions")
def list_editions(ask: Ask[ApiServices]) -> dict[str, Any]:
    return {"items": [e.as_dict() for e in catalogue(ask).editions.all()], "next": None}


@serve(routes, "get_edition")
def get_edition(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    editions = catalogue(ask).editions
    head = None if name == CURRENT else editions.get(name).as_dict()
    page, after = _page(ask, _seen(ask, editions.documents(name)))
    return {"edition": head, "items": page, "next": after}


@serve(routes, "compare_editions")
def compare_editions(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    from huitong.catalog.difference import difference

    editions = catalogue(ask).editions
    before = ask.query.get("from", "")
    if not before:
        before = editions.get(name).previous if name != CURRENT else _latest(ask)
    old = {d["resource"]: d for d in _seen(ask, editions.documents(before))} if before else {}
    new = {d["resource"]: d for d in _seen(ask, editions.documents(name))}
    return {"from": before, "to": name, **difference(old, new).as_dict()}


@serve(routes, "list_views")
def list_views(ask: Ask[ApiServices]) -> dict[str, Any]:
    return {"items": [v.as_dict() for v in catalogue(ask).views.all()], "next": None}


@serve(routes, "get_view")
def get_view(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    area = catalogue(ask)
    view = area.views.get(name)
    found = area.search.find("", filters_of(view), lambda d: whole(ask.principal, ask.unit, d))
    groups = grouped(view, [document for _, document in found])
    for group in groups:
        group["entries"] = [summary(document) for document in group["entries"]]
    return {**view.as_dict(), "groups": groups}


@serve(routes, "put_view")
def put_view(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("view.put", ask.unit)
    body = ask.body
    view = View(name, body["zh"], body["en"], body["group_by"], body.get("filters", {}))
    return catalogue(ask).views.put(view, actor(ask)).as_dict()


@serve(routes, "remove_view")
def remove_view(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("view.put", ask.unit)
    return catalogue(ask).views.remove(name, actor(ask)).as_dict()


@serve(routes, "get_catalog_template")
def get_catalog_template(_ask: Ask[ApiServices]) -> dict[str, Any]:
    return _file("catalogue-template.xlsx", workbook.template())


@serve(routes, "import_catalog")
def import_catalog(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("entry.write", ask.unit)
    try:
        data = base64.b64decode(ask.body["workbook"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("工作簿须以 base64 传送", "The workbook is sent as base64") from error
    report = catalogue(ask).imports.run(data, actor(ask), option=ask.body.get("option", "rows"))
    return {**report.as_dict(), "workbook": _file("catalogue-import.xlsx", report.workbook())}


@serve(routes, "export_catalog")
def export_catalog(ask: Ask[ApiServices]) -> dict[str, Any]:
    edition = ask.query.get("edition", CURRENT)
    page, after = _page(ask, _seen(ask, catalogue(ask).editions.documents(edition)))
    made: dict[str, Any] = {"edition": edition, "next": after}
    kind = ask.query.get("format", "json")
    if kind == "dcat":
        return {**made, "dcat": _dcat(ask, edition, page)}
    if kind == "workbook":
        return {**made, "workbook": _file(f"catalogue-{edition}.xlsx", workbook.export(page))}
    return {**made, "items": page}


@serve(routes, "get_open_catalog")
def get_open_catalog(ask: Ask[ApiServices]) -> dict[str, Any]:
    """L-53: only what is open, without what is for departments (contacts, conditions)."""
    documents = catalogue(ask).editions.documents(CURRENT)
    page, after = _page(ask, [_public(d) for d in documents if d.get("open")])
    return {"edition": CURRENT, "items": page, "next": after, "dcat": _dcat(ask, CURRENT, page)}


@serve(routes, "list_elements")
def list_elements(ask: Ask[ApiServices]) -> dict[str, Any]:
    known = catalogue(ask).entries.elements.all()
    return {"items": [known[id].as_dict() for id in sorted(known)], "next": None}


@serve(routes, "put_element")
def put_element(ask: Ask[ApiServices], name: str) -> dict[str, Any]:
    ask.permit("element.put", ask.unit)
    body = {**ask.body, "synonyms": tuple(ask.body.get("synonyms", ()))}
    return catalogue(ask).entries.elements.put(Element(id=name, **body), by=ask.by).as_dict()


@serve(routes, "seed_elements")
def seed_elements(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("element.put", ask.unit)
    made = catalogue(ask).entries.elements.seed(ask.services.contracts.all(), by=ask.by)
    return {"items": [e.as_dict() for e in made], "next": None}


@serve(routes, "register_duty")
def register_duty(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("duty.register", ask.unit)
    body = ask.body
    record = catalogue(ask).duties.register(
        body["unit"],
        body["change"],
        body["document"],
        actor(ask),
        resources=body.get("resources", ()),
        note=body.get("note", ""),
    )
    return _duty(ask, record)


@serve(routes, "list_catalog_duties")
def list_catalog_duties(ask: Ask[ApiServices]) -> dict[str, Any]:
    return listed(ask, catalogue(ask).duties.desk)


@serve(routes, "get_catalog_duty")
def get_catalog_duty(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return _duty(ask, _seen_duty(ask, id))


@serve(routes, "step_catalog_duty")
def step_catalog_duty(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    record, body = _seen_duty(ask, id), ask.body
    made = catalogue(ask).duties.take(
        record.id, body["step"], actor(ask), given_of(body), seen=body.get("seen", 0)
    )
    return _duty(ask, made)


# --- within ------------------------------------------------------------------


def _duty(ask: Ask[ApiServices], record: Record) -> dict[str, Any]:
    return shown(catalogue(ask).duties.desk, record, Actor(ask.principal, ask.unit or OPERATOR))


def _seen_duty(ask: Ask[ApiServices], id: str) -> Record:
    record = catalogue(ask).duties.desk.find(id)
    if record is None or not sees_record(ask.principal, ask.unit, record):
        raise NotFound(f"没有{DUTY.zh} {id}", f"There is no {DUTY.en} {id}", id=id)
    return record


def _seen(ask: Ask[ApiServices], documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the asker may see of each."""
    return [d if whole(ask.principal, ask.unit, d) else header(d) for d in documents]


def _public(document: dict[str, Any]) -> dict[str, Any]:
    hidden = {
        "contacts", "metadata_contacts", "share_condition", "condition", "methods", "service", "elements",
        "references", "exceptions", "supervisor", "demands",
    }  # fmt: skip
    return {k: v for k, v in document.items() if k not in hidden}


def _page(
    ask: Ask[ApiServices], documents: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], str | None]:
    after, limit = ask.query.get("after", ""), min(ask.query.get("limit", MOST), MOST)
    left = sorted((d for d in documents if str(d["resource"]) > after), key=lambda d: str(d["resource"]))
    page = left[:limit]
    return page, str(page[-1]["resource"]) if len(left) > limit else None


def _dcat(ask: Ask[ApiServices], edition: str, page: list[dict[str, Any]]) -> dict[str, Any]:
    editions = catalogue(ask).editions
    head = None if edition == CURRENT else editions.get(edition)
    host = ask.headers.get("host", "") or "huitong.local"
    return dcat.catalog(
        page,
        base=f"https://{host}/v1/catalog",
        edition=edition,
        previous=head.previous if head else _latest(ask),
        issued=head.at if head else "",
        publisher=_PUBLISHER,
    )


def _latest(ask: Ask[ApiServices]) -> str:
    latest = catalogue(ask).editions.latest()
    return latest.id if latest else ""


def _file(name: str, data: bytes) -> dict[str, Any]:
    return {"filename": name, "media": workbook.MEDIA, "content": base64.b64encode(data).decode()}
