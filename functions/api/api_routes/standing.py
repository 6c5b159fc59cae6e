"""Registration, agreements, lists, docking, joint tests, gates (Q-02, Q-40, Q-47 to Q-51)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.errors import BadRequest, NotFound, NotPermitted
from huitong.identity.model import OPERATOR
from huitong.sharing.switches import Level
from huitong.standing.desks import KINDS
from huitong.standing.lacking import SWITCHES, ways_over
from huitong.standing.registration import Officer, Registration, credit_code_warnings
from huitong.web.matters import actor_of, given_of, listed, plain, readable, shown, unit_of
from huitong.web.resources import askable_contract, known_contract
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


# --- registration -----------------------------------------------------------


@serve(routes, "get_registration")
def get_registration(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("standing.read", unit)
    ask.services.units.get(unit)
    return _registration(ask.services.registrations.find(unit) or Registration(unit))


@serve(routes, "put_registration")
def put_registration(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("registration.put", unit)
    body = dict(ask.body)
    officers = {duty: Officer(**officer) for duty, officer in body.pop("officers", {}).items()}
    wanted = Registration(unit, **body, officers=officers)
    return _registration(ask.services.registrations.put(wanted, by=ask.by, acting=actor_of(ask).unit))


@serve(routes, "move_registration")
def move_registration(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("registration.move", actor_of(ask).unit)
    body = ask.body
    return _registration(
        ask.services.registrations.move(
            unit, body["state"], reason=body["reason"], by=ask.by, acting=actor_of(ask).unit
        )
    )


@serve(routes, "list_registration_changes")
def list_registration_changes(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("standing.read", unit)
    changes = ask.services.registrations.history(unit)
    return {"items": [asdict(c) for c in changes], "next": None}


def _registration(found: Registration) -> dict[str, Any]:
    zh, en = found.kind
    warnings = [p.as_dict() for p in credit_code_warnings(found.unit)]
    return {**found.as_dict(), "kind_zh": zh, "kind_en": en, "unnamed": found.unnamed, "warnings": warnings}


# --- procedures -------------------------------------------------------------


def _serve_procedure(path: str, one: str, many: str, opening: str) -> None:
    name = KINDS[path].name

    @serve(routes, f"{opening}_{one}")
    def opened(ask: Ask[ApiServices]) -> dict[str, Any]:
        actor, standing = actor_of(ask), ask.services.standing
        ask.permit("standing.open", actor.unit)
        record = standing.open(path, actor, plain(ask.body))
        return shown(standing.desks[name], record, actor)

    @serve(routes, f"list_{many}")
    def all_of(ask: Ask[ApiServices]) -> dict[str, Any]:
        return listed(ask, ask.services.standing.desks[name], "standing.read")

    @serve(routes, f"get_{one}")
    def one_of(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
        desk = ask.services.standing.desks[name]
        return shown(desk, readable(ask, desk, id, "standing.read"), actor_of(ask))

    @serve(routes, f"step_{one}")
    def stepped(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
        actor, standing = actor_of(ask), ask.services.standing
        ask.permit("standing.step", actor.unit)
        readable(ask, standing.desks[name], id, "standing.read")
        body = ask.body
        record = standing.take(name, id, body["step"], actor, given_of(body), body.get("seen", 0))
        return shown(standing.desks[name], record, actor)


_serve_procedure("agreements", "agreement", "agreements", "draft")
_serve_procedure("share-lists", "share_list", "share_lists", "propose")
_serve_procedure("dockings", "docking", "dockings", "propose")
_serve_procedure("joint-tests", "joint_test", "joint_tests", "record")
_serve_procedure("outside-exchanges", "outside_exchange", "outside_exchanges", "file")


# --- docking ----------------------------------------------------------------


@serve(routes, "list_docking_log")
def list_docking_log(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _docking(ask, id)
    return {"items": [asdict(e) for e in ask.services.docking.log(id, limit=1_000)], "next": None}


@serve(routes, "add_docking_log")
def add_docking_log(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _docking(ask, id, "standing.step")
    body = ask.body
    return asdict(ask.services.docking.say(id, actor_of(ask), people=body["people"], text=body["text"]))


@serve(routes, "list_docking_work")
def list_docking_work(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _docking(ask, id)
    return {"items": [asdict(w) for w in ask.services.docking.work(id)], "next": None}


@serve(routes, "add_docking_work")
def add_docking_work(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _docking(ask, id, "standing.step")
    return asdict(ask.services.docking.add(id, actor_of(ask), **ask.body))


@serve(routes, "move_docking_work")
def move_docking_work(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    _docking(ask, id, "standing.step")
    body = ask.body
    moved = ask.services.docking.move(
        id, body["number"], actor_of(ask), body["state"], remark=body.get("remark", "")
    )
    return asdict(moved)


def _docking(ask: Ask[ApiServices], id: str, rule: str = "standing.read") -> None:
    readable(ask, ask.services.standing.desks["docking"], id, "standing.read")
    if rule != "standing.read":
        ask.permit(rule, actor_of(ask).unit)


# --- gates, documents, controls ---------------------------------------------


@serve(routes, "get_gate")
def get_gate(ask: Ask[ApiServices]) -> dict[str, Any]:
    interface, gates = ask.query.get("interface", "sql"), ask.services.gates
    if "resource" not in ask.query:
        raise BadRequest("请给出资源", "Name the resource")
    unit = ask.query.get("unit") or actor_of(ask).unit
    ask.permit("standing.read", unit)
    contract = askable_contract(ask, ask.query["resource"])
    if interface == "share":
        ask.permit("standing.read", contract.provider or OPERATOR)
        problems = gates.lacks_to_share(contract)
    else:
        problems = gates.lacks(unit, contract, interface, ask.query.get("version", ""))
    return {
        "open": not problems,
        "unit": unit,
        "resource": contract.id,
        "interface": interface,
        "strict": gates.strict,
        "problems": [p.as_dict() for p in problems],
    }


@serve(routes, "open_document")
def open_document(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("standing.open", actor_of(ask).unit)
    document, ticket = ask.services.documents.open(ask.body["filename"])
    return {
        "document": document,
        "url": ticket.url,
        "headers": dict(ticket.headers),
        "method": "PUT",
        "expires_at": ticket.expires_at,
    }


@serve(routes, "get_document")
def get_document(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    """Its key is a secret of 128 bits that parties find in their record."""
    ask.permit("standing.open", actor_of(ask).unit)
    return asdict(ask.services.documents.get(id))


@serve(routes, "list_interfaces")
def list_interfaces(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit, named = unit_of(ask, "interface.read"), ask.query.get("resource", "")
    ask.permit("interface.read", unit)
    services = ask.services
    contracts = [known_contract(ask, named)] if named else services.contracts.all()
    return {"items": services.controls.interfaces(contracts, unit), "next": None}


@serve(routes, "switch_interface")
def switch_interface(ask: Ask[ApiServices], unit: str, code: str, name: str) -> dict[str, Any]:
    services = ask.services
    contract = known_contract(ask, code)
    ask.permit("interface.switch", actor_of(ask).unit)
    level = _level(ask)
    if level == "source" and actor_of(ask).unit != contract.provider:
        raise NotPermitted(
            "只有数源单位或管理方可以开关接口", "Only its source unit or the operator switches it"
        )
    if name not in SWITCHES:
        raise NotFound(f"没有接口 {name}", f"There is no interface {name}", known=list(SWITCHES))
    if not services.grants.of(unit, contract.id):
        raise NotFound("没有该授权", "There is no such grant", unit=unit, resource=contract.id)
    creates, replaces = services.grants.switched(
        unit, contract.id, ways_over(name), shut=ask.body["state"] == "closed",
        level=level, by=ask.by, reason=ask.body["reason"],
    )  # fmt: skip
    told = Trace(
        "rights",
        actor=ask.by,
        unit=unit,
        resource=contract.id,
        request=ask.request_id,
        detail=f"interface:{name}:{ask.body['state']}:{ask.body['reason']}"[:128],
        source=ask.source,
    )
    services.traces.commit(told, creates=creates, replaces=replaces)
    return {"items": services.controls.interfaces([contract], unit), "next": None}


def _level(ask: Ask[ApiServices]) -> Level:
    """At which level the asker switches: what it closes is opened by the same or a higher one."""
    if ask.principal.has("security"):
        return "security"
    return "operator" if actor_of(ask).unit in ("", OPERATOR) else "source"


@serve(routes, "get_controls")
def get_controls(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("standing.read", unit)
    return ask.services.controls.of(unit, askable_contract(ask, code))
