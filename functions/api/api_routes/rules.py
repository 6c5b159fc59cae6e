"""Quality rules: one list of the contract's and the office's, versions, runs, warnings (C-04, C-06, C-30)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.contracts.model import Contract
from huitong.errors import BadRequest, NotFound
from huitong.identity.authorize import may
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.listing import of_contract, of_office
from huitong.quality.rulebook.model import OfficeRule
from huitong.web.delivered import known_batch
from huitong.web.matters import actor_of
from huitong.web.rules import rule_of
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_rules")
def list_rules(ask: Ask[ApiServices]) -> dict[str, Any]:
    named = ask.query.get("resource", "")
    found = [_contract(ask, named)] if named else ask.services.contracts.all()
    if named and not may(ask.principal, "rule.read", found[0].provider):
        raise _none(named)
    seen = [c for c in found if may(ask.principal, "rule.read", c.provider)]
    origin, state = ask.query.get("origin", ""), ask.query.get("state", "")
    items: list[dict[str, Any]] = []
    for contract in seen:
        items += of_contract(contract) if origin in ("", "contract") else []
        if origin in ("", "office"):
            items += [of_office(r) for r in ask.services.rulebook.listed(contract.id)]
    shown = [item for item in items if state in ("", item["state"])]
    version = {"version": ask.services.rulebook.of(found[0]).version} if named else {}
    return {"items": shown, "next": None, **version}


@serve(routes, "create_rule")
def create_rule(ask: Ask[ApiServices]) -> dict[str, Any]:
    change = _change(ask)
    contract = _contract(ask, ask.body["resource"])
    rule = rule_of({**ask.body, "resource": contract.id})
    return of_office(ask.services.rulebook.create(rule, change))


@serve(routes, "get_rule")
def get_rule(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return of_office(_readable(ask, ask.services.rulebook.get(id)))


@serve(routes, "list_rule_versions")
def list_rule_versions(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    found = ask.services.rulebook.versions(id)
    _readable(ask, found[-1])
    return {"items": [of_office(r) for r in found], "next": None}


@serve(routes, "put_rule")
def put_rule(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    change = _change(ask)
    before = ask.services.rulebook.get(id)
    wanted = rule_of({**before.as_dict(), **ask.body}).as_dict()
    changes = {name: wanted[name] for name in ask.body if name not in ("reason", "seen")}
    return of_office(ask.services.rulebook.put(id, changes, change))


@serve(routes, "enable_rule")
def enable_rule(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return of_office(ask.services.rulebook.move(id, "enabled", _change(ask)))


@serve(routes, "disable_rule")
def disable_rule(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    return of_office(ask.services.rulebook.move(id, "disabled", _change(ask)))


# --- runs and warnings ------------------------------------------------------


@serve(routes, "list_rule_runs")
def list_rule_runs(ask: Ask[ApiServices]) -> dict[str, Any]:
    monitor = ask.services.rule_monitor
    if batch := ask.query.get("batch", ""):
        known_batch(ask, batch, "rule.read")
        found = monitor.of_batch(batch)
        return {"items": [found] if found else [], "next": None}
    contract = _asked_contract(ask)
    return {"items": monitor.of_resource(contract.id, limit=ask.query.get("limit", 50)), "next": None}


@serve(routes, "get_rule_summary")
def get_rule_summary(ask: Ask[ApiServices]) -> dict[str, Any]:
    """Of one resource, or of all that the asker may read."""
    asked = ask.query
    named = asked.get("resource")
    found = [_asked_contract(ask)] if named else ask.services.contracts.all()
    seen = [c.id for c in found if may(ask.principal, "rule.read", c.provider)]
    items = ask.services.rule_monitor.summary(
        seen, rule=asked.get("rule", ""), since=asked.get("from", ""), until=asked.get("to", ""),
        limit=asked.get("limit", 50),
    )  # fmt: skip
    return {"items": items, "next": None}


@serve(routes, "list_rule_warnings")
def list_rule_warnings(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit = ask.query.get("unit") or ("" if may(ask.principal, "warning.read") else ask.unit)
    ask.permit("warning.read", unit)
    found = ask.services.rule_monitor.warnings(
        recipient=unit, state=ask.query.get("state", ""), limit=ask.query.get("limit", 100)
    )
    return {"items": [w.as_dict() for w in found], "next": None}


@serve(routes, "handle_rule_warning")
def handle_rule_warning(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    monitor, body = ask.services.rule_monitor, ask.body
    ask.permit("warning.handle", monitor.warning(id).recipient)
    acting = actor_of(ask).unit
    return monitor.handle(id, body["state"], body["remark"], by=ask.by, unit=acting).as_dict()


def _change(ask: Ask[ApiServices]) -> Change:
    acting = actor_of(ask).unit
    ask.permit("rule.put", acting)
    return Change(ask.by, acting, ask.body["reason"], ask.body.get("seen", 0))


def _readable(ask: Ask[ApiServices], rule: OfficeRule) -> OfficeRule:
    """Raises NotFound also when there is one that the asker may not read."""
    if not may(ask.principal, "rule.read", _contract(ask, rule.resource).provider):
        raise NotFound(f"没有规则 {rule.id}", f"There is no rule {rule.id}", rule=rule.id)
    return rule


def _asked_contract(ask: Ask[ApiServices]) -> Contract:
    if not ask.query.get("resource"):
        raise BadRequest("请指明资源", "Name a resource")
    contract = _contract(ask, ask.query["resource"])
    if not may(ask.principal, "rule.read", contract.provider):
        raise _none(ask.query["resource"])
    return contract


def _contract(ask: Ask[ApiServices], name: str) -> Contract:
    found = ask.services.rulebook.known(name)
    if found is None:
        raise _none(name)
    return found


def _none(name: str) -> NotFound:
    """The same for what does not exist and what the asker may not know of."""
    return NotFound(f"没有资源 {name}", f"There is no resource {name}", resource=name)
