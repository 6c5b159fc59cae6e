"""The catalogue: entries and their procedure, search, conformance (Q-41 … Q-46, X-16, X-17, L-07 … L-14)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.catalog.area import Catalogue, whole
from huitong.catalog.documents import header, summary
from huitong.catalog.model import Entry
from huitong.catalog.search import Filters
from huitong.catalog.tables import interface
from huitong.catalog.visibility import at_desk, sees_record
from huitong.errors import NotFound
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record
from huitong.web.matters import given_of, plain, shown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


def catalogue(ask: Ask[ApiServices]) -> Catalogue:
    found: Catalogue = ask.services.area("catalog")
    return found


def actor(ask: Ask[ApiServices]) -> Actor:
    return Actor(ask.principal, ask.unit)


@serve(routes, "create_entry")
def create_entry(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("entry.write", ask.unit)
    body = ask.body
    record = catalogue(ask).entries.open(
        body["resource"], plain(body.get("content", {})), actor(ask), supervisor=body.get("supervisor", "")
    )
    return _record(ask, record)


@serve(routes, "list_entries")
def list_entries(ask: Ask[ApiServices]) -> dict[str, Any]:
    return listed(ask, catalogue(ask).entries.desk)


def listed(ask: Ask[ApiServices], desk: Any) -> dict[str, Any]:
    """Records of a unit, newest first, or for the desk of all units."""
    limit, state = ask.query.get("limit", 100), ask.query.get("state", "")
    desk_asks = at_desk(ask.principal, ask.unit)
    unit = ask.query.get("unit") or ("" if desk_asks else ask.unit)
    if not desk_asks:
        ask.permit("entry.read", unit)
    if unit:
        found = desk.of_unit(unit, after=ask.query.get("after", ""), limit=limit)
        after = desk.place(found[-1]) if len(found) == limit else None
    else:
        known = {s.name for s in desk.procedure.states}
        found, after = desk.in_state(*([state] if state in known else []), limit=limit), None
    who = _acting(ask)
    return {"items": [shown(desk, r, who) for r in found if state in ("", r.state)], "next": after}


@serve(routes, "get_entry")
def get_entry(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    return _visible(ask, _document(ask, code))


@serve(routes, "get_entry_publication")
def get_entry_publication(ask: Ask[ApiServices], code: str, version: str) -> dict[str, Any]:
    entries = catalogue(ask).entries
    found = entries.shelf.at(code, int(version))
    if found is None:
        raise _none(code)
    return _visible(ask, {**entries.document(found.entry), "supervisor": found.supervisor})


@serve(routes, "get_entry_interface")
def get_entry_interface(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    document = _document(ask, code)
    if not whole(ask.principal, ask.unit, document):
        raise _none(code)
    return interface(document)


@serve(routes, "get_entry_record")
def get_entry_record(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    return _record(ask, _seen(ask, code))


@serve(routes, "put_entry")
def put_entry(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    record = _seen(ask, code)
    ask.permit("entry.write", ask.unit)
    content = plain(ask.body["content"])
    made = catalogue(ask).entries.edit(record.id, content, actor(ask), seen=ask.body.get("seen", 0))
    return _record(ask, made)


@serve(routes, "step_entry")
def step_entry(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    record, body = _seen(ask, code), ask.body
    made = catalogue(ask).entries.take(
        record.id, body["step"], actor(ask), given_of(body), seen=body.get("seen", 0)
    )
    return _record(ask, made)


@serve(routes, "search_catalog")
def search_catalog(ask: Ask[ApiServices]) -> dict[str, Any]:
    area, query = catalogue(ask), ask.query
    found = area.search.find(
        query.get("q", ""), filters(query), lambda document: whole(ask.principal, ask.unit, document)
    )
    items = [summary(document) for _, document in found]
    if query.get("drafts") == "true":
        items += _drafts(ask, query)
    start = (
        int(query["after"]) if query.get("after", "").isascii() and query.get("after", "").isdigit() else 0
    )
    limit = query.get("limit", 50)
    more = start + limit < len(items)
    return {"items": items[start : start + limit], "next": str(start + limit) if more else None,
            "total": len(items)}  # fmt: skip


@serve(routes, "test_conformance")
def test_conformance(ask: Ask[ApiServices]) -> dict[str, Any]:
    """L-13: of one entry, of a unit's, or for the desk of all; drafts as they stand."""
    entries, query = catalogue(ask).entries, ask.query
    if query.get("resource"):
        records, after = [_seen(ask, query["resource"])], None
    else:
        page = listed(ask, entries.desk)
        records, after = [entries.get(r["id"]) for r in page["items"]], page["next"]
    shared = entries.known("")
    items = []
    for record in records:
        found = entries.findings(Entry.from_dict(record.content["entry"]), shared)
        items.append(
            {
                "resource": record.id,
                "state": record.state,
                "conforms": not any(f.severity == "error" for f in found),
                "findings": [f.as_dict() for f in found],
            }
        )
    return {"items": items, "next": after}


# --- shared with the other routes of the catalogue --------------------------


def filters(query: Any) -> Filters:
    flag = query.get("open")
    return Filters(
        unit=query.get("unit", ""),
        kind=query.get("class", ""),
        category=query.get("category", ""),
        share_type=query.get("share_type", ""),
        method=query.get("method", ""),
        frequency=query.get("frequency", ""),
        coverage=query.get("coverage", ""),
        demand=query.get("demand", ""),
        open=None if flag is None else flag == "true",
    )


def _acting(ask: Ask[ApiServices]) -> Actor:
    from huitong.identity.model import OPERATOR

    return Actor(ask.principal, ask.unit or OPERATOR)


def _record(ask: Ask[ApiServices], record: Record) -> dict[str, Any]:
    entries = catalogue(ask).entries
    found = entries.findings(Entry.from_dict(record.content["entry"]))
    return {**shown(entries.desk, record, _acting(ask)), "findings": [f.as_dict() for f in found]}


def _seen(ask: Ask[ApiServices], code: str) -> Record:
    """Raises NotFound also when there is one that the asker may not see."""
    entries = catalogue(ask).entries
    record = entries.desk.find(code)
    if record is None or not sees_record(ask.principal, ask.unit, record):
        raise _none(code)
    return record


def _document(ask: Ask[ApiServices], code: str) -> dict[str, Any]:
    found = catalogue(ask).shown(code)
    if found is None:
        raise _none(code)
    return dict(found)


def _visible(ask: Ask[ApiServices], document: dict[str, Any]) -> dict[str, Any]:
    seen = document if whole(ask.principal, ask.unit, document) else header(document)
    return {**seen, "summary": summary(seen)}


def _drafts(ask: Ask[ApiServices], query: Any) -> list[dict[str, Any]]:
    """What is not published, of the own unit; for the desk, of all."""
    from huitong.catalog.search import Index

    entries, index = catalogue(ask).entries, Index()
    states: dict[str, str] = {}
    if at_desk(ask.principal, ask.unit):
        open_states = [
            s.name for s in entries.desk.procedure.states if s.name not in ("published", "withdrawn")
        ]
        records = entries.desk.in_state(*open_states, limit=1_000)
    else:
        records = entries.desk.of_unit(ask.unit, limit=1_000) if ask.unit else []
    for record in records:
        if record.state not in ("published", "withdrawn"):
            states[record.id] = record.state
            index.put(entries.document(Entry.from_dict(record.content["entry"])))
    found = index.find(query.get("q", ""), filters(query), lambda _: True)
    return [{**summary(d), "state": states[str(d["resource"])]} for _, d in found]


def _none(code: str) -> NotFound:
    return NotFound(f"目录中没有 {code}", f"There is no {code} in the catalogue", resource=code)
