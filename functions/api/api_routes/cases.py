"""Cases: the register, who is bound to a case, corrections of stages (S-11, Q-39)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote

from chalice.app import Blueprint

from huitong.cases.model import Case
from huitong.cases.stages import BY_CODE, USABLE
from huitong.errors import NotFound
from huitong.identity.model import Role
from huitong.web.matters import actor_of, given_of, listed, shown
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
_SUPERVISORS: Final[tuple[Role, ...]] = ("admin", "officer", "auditor")


@serve(routes, "list_cases")
def list_cases(ask: Ask[ApiServices]) -> dict[str, Any]:
    cases, limit = ask.services.cases, ask.query.get("limit", 100)
    stage, after = ask.query.get("stage", ""), ask.query.get("after", "")
    if ask.principal.has(*_SUPERVISORS):
        found = cases.all(stage=stage, after=after, limit=limit)
        following = _place(found[-1], stage) if len(found) == limit else None
    else:
        own = [c for c in cases.of(ask.principal, ask.unit) if stage in ("", c.stage) and c.case_no > after]
        found, following = own[:limit], own[limit - 1].case_no if len(own) > limit else None
    return {"items": [_told(case) for case in found], "next": following}


@serve(routes, "get_case")
def get_case(ask: Ask[ApiServices], case_no: str) -> dict[str, Any]:
    case = _readable(ask, unquote(case_no))
    relations: dict[str, int] = {}
    for relation in case.subjects.values():
        relations[relation] = relations.get(relation, 0) + 1
    cases = ask.services.cases
    team = [asdict(m) for m in cases.team(case.case_no)]
    return {**_told(case), "relations": relations, "team": team, "findings": cases.findings(case.case_no)}


@serve(routes, "add_case_member")
def add_case_member(ask: Ask[ApiServices], case_no: str) -> dict[str, Any]:
    ask.permit("case.team")
    ask.services.units.get(ask.body["unit"])
    made = ask.services.cases.add(
        unquote(case_no), ask.body["id"], ask.body["unit"], by=ask.principal, acting=ask.unit
    )
    return asdict(made)


@serve(routes, "remove_case_member")
def remove_case_member(ask: Ask[ApiServices], case_no: str, member: str) -> dict[str, Any]:
    ask.permit("case.team")
    return asdict(ask.services.cases.remove(unquote(case_no), member, by=ask.principal, acting=ask.unit))


@serve(routes, "propose_stage_correction")
def propose_stage_correction(ask: Ask[ApiServices], case_no: str) -> dict[str, Any]:
    ask.permit("case.correct")
    body, actor, corrections = ask.body, actor_of(ask), ask.services.stage_corrections
    made = corrections.propose(
        unquote(case_no), body["stage"], body.get("stage_time", ""), body["reason"], actor
    )
    return shown(corrections.desk, made, actor)


@serve(routes, "list_stage_corrections")
def list_stage_corrections(ask: Ask[ApiServices]) -> dict[str, Any]:
    return listed(ask, ask.services.stage_corrections.desk, "case.correct")


@serve(routes, "step_stage_correction")
def step_stage_correction(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("case.correct")
    body, actor, corrections = ask.body, actor_of(ask), ask.services.stage_corrections
    made = corrections.take(id, body["step"], actor, given_of(body), body.get("seen", 0))
    return shown(corrections.desk, made, actor)


def _readable(ask: Ask[ApiServices], case_no: str) -> Case:
    """Raises NotFound also when there is one that is not the asker's."""
    case = ask.services.cases.find(case_no)
    supervisor = ask.principal.has(*_SUPERVISORS)
    if case is None or not (supervisor or ask.services.cases.in_team(case, ask.principal, ask.unit)):
        raise NotFound("没有该案件", "There is no such case")
    return case


def _told(case: Case) -> dict[str, Any]:
    """The case without its persons."""
    told = case.as_dict()
    for name in ("subjects", "named", "seen", "present"):
        del told[name]
    usable = case.stage in USABLE and case.present and not case.ended
    return {**told, "stage_zh": BY_CODE[case.stage].zh, "usable": usable}


def _place(case: Case, stage: str) -> str:
    return case.case_no if stage else f"{case.stage}#{case.case_no}"
