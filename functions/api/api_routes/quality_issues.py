"""Quality issues, conflicts between units, scores, ranking, the overdue list, statistics (C-05 to C-16)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.authorize import may
from huitong.identity.model import OPERATOR
from huitong.procedures.calendar import china_day
from huitong.supervision.quality.alerts import ScoreAlert
from huitong.supervision.quality.monthly import shown as measures
from huitong.supervision.quality.policy import IssuePolicy
from huitong.supervision.quality.scores import ranking, scores
from huitong.web.matters import actor_of, given_of, listed, plain, readable, shown, unit_of
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


# --- issues -----------------------------------------------------------------


@serve(routes, "list_quality_issues")
def list_quality_issues(ask: Ask[ApiServices]) -> dict[str, Any]:
    issues, actor, query = ask.services.quality_issues, actor_of(ask), ask.query
    unit = unit_of(ask, "quality.read")
    ask.permit("quality.read", unit)
    officer = query.get("officer", "")
    found = issues.list(
        unit,
        state=query.get("state", ""),
        resource=query.get("resource", ""),
        batch=query.get("batch", ""),
        officer=ask.principal.who if officer == "me" else officer,
        late="late" in query,
    )
    limit, after = query.get("limit", 100), query.get("after", "")
    places = [r.id for r in found]
    start = places.index(after) + 1 if after in places else 0
    page = found[start : start + limit]
    more = page[-1].id if page and start + limit < len(found) else None
    items = [shown(issues.desk, r, actor) for r in page]
    return {"items": items, "counts": issues.counts(found), "next": more}


@serve(routes, "get_quality_issue")
def get_quality_issue(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    desk = ask.services.quality_issues.desk
    return shown(desk, readable(ask, desk, id, "quality.read"), actor_of(ask))


@serve(routes, "step_quality_issue")
def step_quality_issue(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    issues, actor, body = ask.services.quality_issues, actor_of(ask), ask.body
    ask.permit("quality.step", actor.unit)
    readable(ask, issues.desk, id, "quality.read")
    given = given_of(body)
    if given.get("officer") == "me":
        given = {**given, "officer": ask.principal.who}
    record = issues.take(id, body["step"], actor, given, body.get("seen", 0))
    return shown(issues.desk, record, actor)


@serve(routes, "get_quality_policy")
def get_quality_policy(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("quality.read", actor_of(ask).unit)
    return ask.services.quality_issues.policy().as_dict()


@serve(routes, "put_quality_policy")
def put_quality_policy(ask: Ask[ApiServices]) -> dict[str, Any]:
    actor = actor_of(ask)
    ask.permit("quality.policy", actor.unit)
    made = IssuePolicy.of(plain(ask.body))
    return ask.services.quality_issues.set_policy(made, by=ask.by, unit=actor.unit).as_dict()


# --- conflicts --------------------------------------------------------------


@serve(routes, "list_conflicts")
def list_conflicts(ask: Ask[ApiServices]) -> dict[str, Any]:
    return listed(ask, ask.services.conflicts.desk, "quality.read")


@serve(routes, "get_conflict")
def get_conflict(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    desk = ask.services.conflicts.desk
    return shown(desk, readable(ask, desk, id, "quality.read"), actor_of(ask))


@serve(routes, "step_conflict")
def step_conflict(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    conflicts, actor, body = ask.services.conflicts, actor_of(ask), ask.body
    ask.permit("quality.step", actor.unit)
    readable(ask, conflicts.desk, id, "quality.read")
    record = conflicts.take(id, body["step"], actor, given_of(body), body.get("seen", 0))
    return shown(conflicts.desk, record, actor)


# --- scores -----------------------------------------------------------------


@serve(routes, "get_scores")
def get_scores(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit, resource = unit_of(ask, "score.read"), ask.query.get("resource", "")
    ask.permit("score.read", unit)
    month = ask.services.monthly_scores.of(_month(ask), unit)
    units = [{"unit": u, **measures(m)} for u, m in month.units().items()]
    resources = [
        {"resource": id, "unit": r.contract.provider, "title": r.contract.title, **measures(r.measured)}
        for id, r in sorted(month.resources.items())
        if resource in ("", id)
    ]
    return {"month": month.name, "units": units, "resources": resources}


@serve(routes, "get_ranking")
def get_ranking(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("ranking.read")
    month = ask.services.monthly_scores.of(_month(ask))
    names = {u.code: u.name for u in ask.services.units.list()}
    places = ranking({unit: scores(m) for unit, m in month.units().items()})
    items = [
        {"rank": p.rank, "unit": p.unit, "name": names.get(p.unit, ""), **p.scores.as_dict()} for p in places
    ]
    return {"month": month.name, "items": items}


@serve(routes, "list_overdue")
def list_overdue(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit = unit_of(ask, "score.read")
    ask.permit("score.read", unit)
    return {"items": ask.services.overdue.list(unit)}


@serve(routes, "get_exchange_statistics")
def get_exchange_statistics(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit = unit_of(ask, "score.read")
    ask.permit("score.read", unit)
    month = _month(ask)
    lines = ask.services.exchange_statistics.of(month, unit, ask.query.get("resource", ""))
    return {"month": month, "items": lines}


@serve(routes, "list_score_alerts")
def list_score_alerts(ask: Ask[ApiServices]) -> dict[str, Any]:
    alerts, month, unit = ask.services.score_alerts, _month(ask), actor_of(ask).unit
    ask.permit("score.read", unit)
    everything = may(ask.principal, "score.read") and unit in ("", OPERATOR)
    told = [a for a in alerts.fired(month) if everything or a["unit"] == unit]
    return {"month": month, "rules": [a.as_dict() for a in alerts.all()], "items": told}


@serve(routes, "put_score_alert")
def put_score_alert(ask: Ask[ApiServices]) -> dict[str, Any]:
    actor = actor_of(ask)
    ask.permit("quality.policy", actor.unit)
    made = ScoreAlert.of(plain(ask.body))
    return ask.services.score_alerts.put(made, by=ask.by, unit=actor.unit).as_dict()


@serve(routes, "handle_score_alert")
def handle_score_alert(ask: Ask[ApiServices]) -> dict[str, Any]:
    actor, body = actor_of(ask), ask.body
    ask.permit("quality.policy", actor.unit)
    alerts = ask.services.score_alerts
    return alerts.handle(body["month"], body["id"], body["remark"], by=ask.by, unit=actor.unit)


def _month(ask: Ask[ApiServices]) -> str:
    return str(ask.query.get("month") or china_day(ask.services.clock.now()).isoformat()[:7])
