"""Trials of quality rules: here, where pyarrow and DuckDB are (C-04)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.errors import BadRequest, NotFound
from huitong.identity.model import OPERATOR
from huitong.web.matters import actor_of
from huitong.web.rules import rule_of
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "try_rule")
def try_rule(ask: Ask[QueryServices]) -> dict[str, Any]:
    from huitong.quality.rulebook.binding import bind
    from huitong.quality.rulebook.cost import cost_of
    from huitong.quality.rulebook.trial import Asked

    acting, services, body = actor_of(ask).unit, ask.services, ask.body
    ask.permit("rule.put", acting)
    book = services.rulebook
    contract = book.known(body["resource"])
    if contract is None:
        raise NotFound("没有该资源", "There is no such resource", resource=body["resource"])
    if bool(body.get("rule")) == bool(body.get("draft")):
        raise BadRequest("请给出 rule 或 draft 之一", "Give either a saved rule or a draft")
    if body.get("rule"):
        rule = book.get(body["rule"], body.get("version", 0))
        if rule.resource != contract.id:
            raise NotFound("该资源没有此规则", "The resource has no such rule", rule=rule.id)
    else:
        rule = rule_of({"id": "trial", **body["draft"], "resource": contract.id})
    asked = Asked(tuple(body.get("rows", ())), body.get("batch", ""), body.get("table", False))
    found = services.trials.run(rule, contract, asked)
    if not asked.rows and acting != (contract.provider or OPERATOR):
        # Values of somebody else's rows go out by a grant and on a ground only; a desk is told which rows.
        found = {**found, "samples": [{**sample, "values": {}} for sample in found["samples"]]}
    # masked values of rows leave: that is a use like any other
    shown = tuple(sorted({name for sample in found["samples"] for name in sample["values"]}))
    services.traces.write(
        Trace("access", ask.by, acting, resource=contract.id, fields=shown, batch=asked.batch,
              count=len(found["samples"]), request=ask.request_id, source=ask.source, path="read",
              masked=shown, detail=f"rule-trial:{rule.id}")
    )  # fmt: skip

    def rows(resource: str) -> int:
        published = services.publications.get(resource)
        return published.rows if published else 0

    return {**found, "cost": cost_of(bind(rule, contract, book.known), rows)}
