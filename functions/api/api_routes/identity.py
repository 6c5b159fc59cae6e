"""Sign-in, sessions, and short-lived tokens of systems."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint

from huitong.errors import BadRequest
from huitong.identity.authorize import may
from huitong.identity.sessions import Session
from huitong.identity.sign_in import Step
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
SHORTEST = 15


@serve(routes, "sign_in")
def sign_in(ask: Ask[ApiServices]) -> dict[str, Any]:
    step = ask.services.sign_in.begin(ask.body["login"], ask.body["password"], source=ask.source)
    return _step(step)


@serve(routes, "answer_sign_in")
def answer_sign_in(ask: Ask[ApiServices]) -> dict[str, Any]:
    step = ask.services.sign_in.answer(ask.body["sign_in"], ask.body["reply"], source=ask.source)
    return _step(step)


@serve(routes, "get_token")
def get_token(ask: Ask[ApiServices]) -> dict[str, Any]:
    body = ask.body
    who = ask.services.credentials.authenticate(f"ht_{body['id']}_{body['secret']}", seen=True)
    session, token = ask.services.sessions.open_system(
        who, minutes=body.get("minutes", SHORTEST), source=ask.source
    )
    return {"token": token, "expires_at": session.ends_at}


@serve(routes, "sign_out")
def sign_out(ask: Ask[ApiServices]) -> dict[str, Any]:
    if not ask.principal.session:
        raise BadRequest("当前未使用会话", "The request was made without a session")
    return _shown(ask.services.sessions.end(ask.principal.session, by=ask.principal))


@serve(routes, "list_sessions")
def list_sessions(ask: Ask[ApiServices]) -> dict[str, Any]:
    holder = ask.query.get("holder") or ask.principal.id
    if holder != ask.principal.id:
        ask.permit("session.others")
    return {"items": [_shown(s) for s in ask.services.sessions.of(holder)], "next": None}


@serve(routes, "end_session")
def end_session(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    others = may(ask.principal, "session.others")
    holder = "" if others else ask.principal.id
    return _shown(ask.services.sessions.end(id, by=ask.principal, holder=holder))


def _step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {"next": step.next}
    for name in ("sign_in", "secret", "address", "token"):
        if getattr(step, name):
            shown[name] = getattr(step, name)
    if step.session:
        shown["session"] = _shown(step.session)
    return shown


def _shown(session: Session) -> dict[str, Any]:
    return asdict(session)
