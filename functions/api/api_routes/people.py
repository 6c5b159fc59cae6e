"""Accounts of people, and the posts and statutory duties of units (S-01, S-06, Q-60, L-40)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.accounts import Account
from huitong.identity.duties import Duty
from huitong.identity.posts import Post
from huitong.identity.roles import read
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
_INTERNAL = ("epoch", "credentials")


@serve(routes, "create_account")
def create_account(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("account.put")
    body = ask.body
    unit = body.get("unit", "")
    for named in (unit, *body.get("acts_for", ())):
        if named:
            ask.services.units.get(named)
    account, password = ask.services.accounts.create(
        body["login"],
        body["name"],
        unit,
        read(body["roles"]),
        post=body.get("post", ""),
        contact=body.get("contact", ""),
        acts_for=body.get("acts_for", ()),
        by=ask.principal,
    )
    return {**_shown(account), "password": password}


@serve(routes, "list_accounts")
def list_accounts(ask: Ask[ApiServices]) -> dict[str, Any]:
    ask.permit("account.read")
    accounts = ask.services.accounts.list(ask.query.get("unit", ""))
    return {"items": [_shown(account) for account in accounts], "next": None}


@serve(routes, "get_account")
def get_account(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.read")
    account = ask.services.accounts.get(id)
    failed, until = ask.services.accounts.lock(account)
    return {**_shown(account), "failed": failed, "locked_until": until}


@serve(routes, "put_roles")
def put_roles(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.put")
    for named in ask.body.get("acts_for", ()):
        ask.services.units.get(named)
    changed = ask.services.accounts.set_roles(
        id,
        read(ask.body["roles"]),
        acts_for=ask.body.get("acts_for"),
        post=ask.body.get("post"),
        by=ask.principal,
    )
    return _shown(changed)


@serve(routes, "disable_account")
def disable_account(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.put")
    return _shown(ask.services.accounts.disable(id, ask.body["reason"], by=ask.principal))


@serve(routes, "enable_account")
def enable_account(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.put")
    return _shown(ask.services.accounts.enable(id, by=ask.principal))


@serve(routes, "unlock_account")
def unlock_account(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.put")
    return _shown(ask.services.accounts.unlock(id, by=ask.principal))


@serve(routes, "reset_account")
def reset_account(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    ask.permit("account.put")
    account, password = ask.services.accounts.reset(id, by=ask.principal)
    return {**_shown(account), "password": password}


@serve(routes, "list_posts")
def list_posts(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("post.read", unit)
    return {"items": [post.as_dict() for post in ask.services.posts.of_unit(unit)], "next": None}


@serve(routes, "put_post")
def put_post(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("post.put", unit)
    ask.services.units.get(unit)
    texts = {name: tuple(ask.body.get(name, ())) for name in ("duties", "skills", "roles")}
    post = Post(unit, code, **{**ask.body, **texts})
    return ask.services.posts.put(post, by=ask.principal).as_dict()


@serve(routes, "delete_post")
def delete_post(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("post.put", unit)
    return ask.services.posts.delete(unit, code, by=ask.principal).as_dict()


@serve(routes, "list_duties")
def list_duties(ask: Ask[ApiServices], unit: str) -> dict[str, Any]:
    ask.permit("duty.read", unit)
    return {"items": [duty.as_dict() for duty in ask.services.duties.of_unit(unit)], "next": None}


@serve(routes, "put_duty")
def put_duty(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("duty.put", unit)
    ask.services.units.get(unit)
    duty = Duty(unit, code, **{**ask.body, "posts": tuple(ask.body.get("posts", ()))})
    return ask.services.duties.put(duty, by=ask.principal).as_dict()


@serve(routes, "delete_duty")
def delete_duty(ask: Ask[ApiServices], unit: str, code: str) -> dict[str, Any]:
    ask.permit("duty.put", unit)
    return ask.services.duties.delete(unit, code, by=ask.principal).as_dict()


def _shown(account: Account) -> dict[str, Any]:
    return {name: value for name, value in account.as_dict().items() if name not in _INTERNAL}
