"""``sign-in``, ``sign-out``, ``session``, ``account``, ``post`` and ``duty``: people and what they may."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Unit, client, unsigned_client
from huitong.cli.showing import command, note, show_json, show_members, show_table

account = typer.Typer(help="账户 / accounts of people", no_args_is_help=True)
session = typer.Typer(help="会话 / sessions", no_args_is_help=True)
post = typer.Typer(help="岗位 / posts", no_args_is_help=True)
duty = typer.Typer(help="法定职责 / statutory duties", no_args_is_help=True)

_ACCOUNT: Final = {
    "id": "编号 id", "login": "登录名 login", "name": "姓名 name", "unit": "单位 unit", "roles": "角色 roles",
    "post": "岗位 post", "state": "状态 state", "reason": "原因 reason", "last_used": "最近使用 last use",
    "failed": "失败次数 failed", "locked_until": "锁定至 locked until",
    "password": "临时密码(仅显示一次)temporary password, shown once",
}  # fmt: skip
_SESSION: Final = {
    "id": "编号 id", "kind": "类别 kind", "holder": "持有者 holder", "created": "开始 since",
    "last_seen": "最近 last seen", "ends_at": "止 until", "source": "来源 source",
}  # fmt: skip
_POST: Final = {
    "code": "代码 code", "zh": "名称 zh", "en": "name en", "roles": "角色 roles", "duties": "职责 duties",
    "division": "分工 division", "skills": "技能 skills", "staff": "人员 staff",
}  # fmt: skip
_DUTY: Final = {
    "code": "代码 code", "zh": "名称 zh", "en": "name en", "basis": "法律依据 basis", "starts": "起 from",
    "ends": "止 until", "posts": "岗位 posts",
}  # fmt: skip

Roles = Annotated[
    list[str],
    typer.Option("--role", help="角色[:起[:止]] / role, with a period: officer:2026-01-01:2026-06-30"),
]
PostOption = Annotated[str, typer.Option("--post", help="岗位 / post of the unit")]
ActsFor = Annotated[list[str] | None, typer.Option("--acts-for", help="可代表的单位 / a unit to act for")]
Reason = Annotated[str, typer.Option("--reason", help="原因 / why")]


def register(app: typer.Typer) -> None:
    app.add_typer(account, name="account")
    app.add_typer(session, name="session")
    app.add_typer(post, name="post")
    app.add_typer(duty, name="duty")
    app.command("sign-in")(sign_in)
    app.command("sign-out")(sign_out)
    app.command("token")(token)


@command
def sign_in(
    login: str,
    save: Annotated[str, typer.Option("--save", help="存为连接配置 / profile file to write")] = "",
    as_json: Json = False,
) -> None:
    """登录 / Sign in with password and one-time code.

    HUITONG_PASSWORD and HUITONG_TOTP_SECRET stand in for typing, in scripts.
    """
    from huitong.cli.connection import save as write

    api = unsigned_client()
    password = os.environ.get("HUITONG_PASSWORD") or typer.prompt("密码 password", hide_input=True)
    step = api.post("sign-in", body={"login": login, "password": password})
    while step["next"] != "done":
        reply = _reply(step)
        step = api.post("sign-in", "answer", body={"sign_in": step["sign_in"], "reply": reply})
    if save:
        write(Path(save), replace(api.connection, token=step["token"]))
        note(f"已存入 saved: {save}")
    if as_json:
        show_json(step)
    else:
        show_members(
            {**step["session"], "token": "" if save else step["token"]}, {**_SESSION, "token": "令牌 token"}
        )


def _reply(step: dict[str, Any]) -> str:
    if step["next"] == "new_password":
        chosen = os.environ.get("HUITONG_NEW_PASSWORD")
        return chosen or str(typer.prompt("新密码 new password", hide_input=True, confirmation_prompt=True))
    if step["next"] == "setup":
        note(f"验证器密钥 secret for the authenticator: {step['secret']}\n{step['address']}")
    secret = os.environ.get("HUITONG_TOTP_SECRET") if step["next"] == "code" else step["secret"]
    if secret and os.environ.get("HUITONG_PASSWORD"):
        from datetime import UTC, datetime

        from huitong.identity.totp import code

        return code(secret, datetime.now(UTC))
    return str(typer.prompt("验证码 code"))


@command
def sign_out(as_json: Json = False) -> None:
    """退出 / End the session in use."""
    _told(client().post("sign-out"), _SESSION, as_json)


@command
def token(
    minutes: Annotated[int, typer.Option("--minutes", min=15, max=60, help="有效分钟 / how long")] = 15,
    as_json: Json = False,
) -> None:
    """短期令牌 / Change the credential in use for a token of some minutes."""
    api = client()
    _, id, secret = (*api.connection.token.split("_", 2), "", "", "")[:3]
    made = unsigned_client().post("token", body={"id": id, "secret": secret, "minutes": minutes})
    _told(made, {"token": "令牌 token", "expires_at": "到期 expires"}, as_json)


@session.command("list")
@command
def list_sessions(
    holder: Annotated[str, typer.Option("--holder", help="账户或凭证 / account or credential")] = "",
    as_json: Json = False,
) -> None:
    """会话列表 / Open sessions; own when no holder is named."""
    _listed(client().get("sessions", holder=holder)["items"], _SESSION, as_json)


@session.command("end")
@command
def end_session(id: str, as_json: Json = False) -> None:
    """结束会话 / End a session at once."""
    _told(client().delete("sessions", id), _SESSION, as_json)


@account.command("create")
@command
def create_account(
    login: str,
    name: str,
    role: Roles,
    unit: Unit = "",
    held: PostOption = "",
    contact: Annotated[str, typer.Option("--contact", help="联系方式 / contact")] = "",
    acts_for: ActsFor = None,
    as_json: Json = False,
) -> None:
    """开设账户 / Make an account; its temporary password is shown once."""
    asked = {
        "login": login, "name": name, "roles": _roles(role), "unit": unit, "post": held, "contact": contact,
        "acts_for": acts_for or [],
    }  # fmt: skip
    _told(client().post("accounts", body={k: v for k, v in asked.items() if v}), _ACCOUNT, as_json)


@account.command("list")
@command
def list_accounts(unit: Unit = "", as_json: Json = False) -> None:
    """账户列表与最近使用 / All accounts with their last use."""
    shown = {name: _ACCOUNT[name] for name in ("id", "login", "name", "unit", "roles", "state", "last_used")}
    _listed(client().get("accounts", unit=unit)["items"], shown, as_json)


@account.command("show")
@command
def show_account(id: str, as_json: Json = False) -> None:
    """一个账户 / One account."""
    _told(client().get("accounts", id), _ACCOUNT, as_json)


@account.command("roles")
@command
def put_roles(
    id: str, role: Roles, held: PostOption = "", acts_for: ActsFor = None, as_json: Json = False
) -> None:
    """授予、变更、收回角色 / Replace the roles of an account; its sessions end."""
    asked: dict[str, Any] = {"roles": _roles(role)}
    asked |= {"post": held} if held else {}
    asked |= {"acts_for": acts_for} if acts_for is not None else {}
    _told(client().put("accounts", id, "roles", body=asked), _ACCOUNT, as_json)


@account.command("disable")
@command
def disable_account(id: str, reason: Reason, as_json: Json = False) -> None:
    """停用账户 / Disable an account at once."""
    _told(client().post("accounts", id, "disable", body={"reason": reason}), _ACCOUNT, as_json)


@account.command("enable")
@command
def enable_account(id: str, as_json: Json = False) -> None:
    """启用账户 / Enable an account again."""
    _told(client().post("accounts", id, "enable"), _ACCOUNT, as_json)


@account.command("unlock")
@command
def unlock_account(id: str, as_json: Json = False) -> None:
    """解锁账户 / Forget the failed sign-ins of an account."""
    _told(client().post("accounts", id, "unlock"), _ACCOUNT, as_json)


@account.command("reset")
@command
def reset_account(id: str, as_json: Json = False) -> None:
    """重置密码与验证器 / A new temporary password, and no second factor."""
    _told(client().post("accounts", id, "reset"), _ACCOUNT, as_json)


@post.command("put")
@command
def put_post(
    unit: str,
    code: str,
    zh: str,
    en: str,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="绑定角色 / role bound to the post")
    ] = None,
    duties: Annotated[list[str] | None, typer.Option("--duty", help="职责 / what its holder does")] = None,
    skill: Annotated[list[str] | None, typer.Option("--skill", help="技能 / required skill")] = None,
    division: Annotated[str, typer.Option("--division", help="分工 / division of labour")] = "",
    staff: Annotated[int, typer.Option("--staff", help="人员配备 / how many hold it")] = 1,
    as_json: Json = False,
) -> None:
    """登记岗位 / Register a post of a unit."""
    body = {
        "zh": zh, "en": en, "roles": role or [], "duties": duties or [], "skills": skill or [],
        "division": division, "staff": staff,
    }  # fmt: skip
    _told(client().put("units", unit, "posts", code, body=body), _POST, as_json)


@post.command("list")
@command
def list_posts(unit: str, as_json: Json = False) -> None:
    """岗位列表 / Posts of a unit."""
    _listed(client().get("units", unit, "posts")["items"], _POST, as_json)


@post.command("delete")
@command
def delete_post(unit: str, code: str, as_json: Json = False) -> None:
    """撤销岗位 / Remove a post that nobody holds."""
    _told(client().delete("units", unit, "posts", code), _POST, as_json)


@duty.command("put")
@command
def put_duty(
    unit: str,
    code: str,
    zh: str,
    en: str,
    basis: Annotated[str, typer.Option("--basis", help="法律依据 / law and article")],
    starts: Annotated[str, typer.Option("--from", help="起始日 / first day")] = "",
    ends: Annotated[str, typer.Option("--to", help="截止日 / last day")] = "",
    held: Annotated[list[str] | None, typer.Option("--post", help="岗位 / only holders of this post")] = None,
    as_json: Json = False,
) -> None:
    """登记法定职责 / Register a statutory duty of a unit."""
    body = {"zh": zh, "en": en, "basis": basis, "starts": starts, "ends": ends, "posts": held or []}
    _told(client().put("units", unit, "duties", code, body=body), _DUTY, as_json)


@duty.command("list")
@command
def list_duties(unit: str, as_json: Json = False) -> None:
    """法定职责列表 / Statutory duties of a unit."""
    _listed(client().get("units", unit, "duties")["items"], _DUTY, as_json)


@duty.command("delete")
@command
def delete_duty(unit: str, code: str, as_json: Json = False) -> None:
    """撤销法定职责 / End a statutory duty at once."""
    _told(client().delete("units", unit, "duties", code), _DUTY, as_json)


def _roles(given: list[str]) -> list[dict[str, str]]:
    """``officer:2026-01-01:2026-06-30`` → role, from, to."""
    names = ("role", "from", "to")
    return [
        {name: value for name, value in zip(names, one.split(":", 2), strict=False) if value} for one in given
    ]


def _told(found: dict[str, Any], members: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, members)


def _listed(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, columns)
