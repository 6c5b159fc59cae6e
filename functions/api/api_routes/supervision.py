"""Rectification, complaints, changes, new projects, restrictions, the report (L-36, L-45 to L-48)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.errors import BadRequest
from huitong.supervision.desks import KINDS
from huitong.supervision.restrictions import Policy, Restriction
from huitong.web.matters import actor_of, given_of, listed, plain, readable, shown, unit_of
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)

#: What the operator opens; the rest is opened by units.
_OPERATORS = frozenset({"rectifications", "annual-reports"})


def _serve_procedure(path: str, one: str, many: str, opening: str) -> None:
    name = KINDS[path].name

    @serve(routes, f"{opening}_{one}")
    def opened(ask: Ask[ApiServices]) -> dict[str, Any]:
        actor, supervision = actor_of(ask), ask.services.supervision
        ask.permit("supervision.issue" if path in _OPERATORS else "supervision.open", actor.unit)
        return shown(supervision.desks[name], supervision.open(path, actor, plain(ask.body)), actor)

    @serve(routes, f"list_{many}")
    def all_of(ask: Ask[ApiServices]) -> dict[str, Any]:
        return listed(ask, ask.services.supervision.desks[name], "supervision.read")

    @serve(routes, f"get_{one}")
    def one_of(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
        desk = ask.services.supervision.desks[name]
        return shown(desk, readable(ask, desk, id, "supervision.read"), actor_of(ask))

    @serve(routes, f"step_{one}")
    def stepped(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
        actor, supervision = actor_of(ask), ask.services.supervision
        ask.permit("supervision.step", actor.unit)
        readable(ask, supervision.desks[name], id, "supervision.read")
        body = ask.body
        record = supervision.take(name, id, body["step"], actor, given_of(body), body.get("seen", 0))
        return shown(supervision.desks[name], record, actor)


_serve_procedure("rectifications", "rectification", "rectifications", "issue")
_serve_procedure("complaints", "complaint", "complaints", "file")
_serve_procedure("change-notices", "change_notice", "change_notices", "file")
_serve_procedure("compliance-checks", "compliance_check", "compliance_checks", "prepare")
_serve_procedure("annual-reports", "annual_report", "annual_reports", "announce")


@serve(routes, "list_overdue_rectifications")
def list_overdue_rectifications(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("supervision.read")
    supervision, actor = ask.services.supervision, actor_of(ask)
    desk = supervision.desks["rectification"]
    return {"items": [shown(desk, r, actor) for r in supervision.overdue()], "next": None}


# --- the annual report ------------------------------------------------------


@serve(routes, "get_annual_figures")
def get_annual_figures(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("report.annual")
    return dict(ask.services.annual.of(_year(id)))


@serve(routes, "gather_annual_month")
def gather_annual_month(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("report.gather", actor_of(ask).unit)
    return dict(ask.services.figures.gather(_year(id), ask.body["month"]))


@serve(routes, "make_annual_page")
def make_annual_page(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("report.annual")
    from huitong.supervision.rendering import page

    services, year = ask.services, _year(id)
    record = services.supervision.desks["annual_report"].find(id)
    text = page(services.annual.of(year), str(record.content.get("assessment", "")) if record else "")
    return dict(services.documents.keep(text.encode(), "html", "text/html; charset=utf-8"))


def _year(id: str) -> int:
    if not (id.isdecimal() and len(id) == 4 and id >= "2000"):
        raise BadRequest("年度有误", "The report is named by its year, e.g. 2025", id=id)
    return int(id)


# --- restrictions -----------------------------------------------------------


@serve(routes, "list_restrictions")
def list_restrictions(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit = unit_of(ask, "restriction.read")
    ask.permit("restriction.read", unit)
    kept = ask.services.restrictions
    found = [*kept.of_unit(unit), *kept.past(unit)] if unit else kept.all()
    return {"items": [r.as_dict() for r in dict.fromkeys(found)], "next": None}


@serve(routes, "impose_restriction")
def impose_restriction(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("restriction.decide", actor_of(ask).unit)
    body = ask.body
    ask.services.units.get(body["unit"])
    made: Restriction = ask.services.restrictions.impose(
        body["unit"], body["reason"], body["effects"], by=ask.by, acting=actor_of(ask).unit
    )
    return made.as_dict()


@serve(routes, "decide_restriction")
def decide_restriction(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("restriction.decide", actor_of(ask).unit)
    body = ask.body
    return ask.services.restrictions.decide(
        unit, body["id"], body["step"], body["reason"], by=ask.by, acting=actor_of(ask).unit
    ).as_dict()


@serve(routes, "get_restriction_policy")
def get_restriction_policy(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("restriction.read", actor_of(ask).unit)
    return _policy(ask.services.restrictions.policy())


@serve(routes, "put_restriction_policy")
def put_restriction_policy(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("restriction.decide", actor_of(ask).unit)
    body = ask.body
    wanted = Policy(body["automatic"], body["grace_days"], tuple(body["effects"]))
    return _policy(ask.services.restrictions.set_policy(wanted, by=ask.by, unit=actor_of(ask).unit))


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "automatic": policy.automatic,
        "grace_days": policy.grace_days,
        "effects": list(policy.effects),
    }
