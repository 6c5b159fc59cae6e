"""``unit``, ``grant``, ``credential`` and ``whoami``: who there is and what they may."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.connection import Connection
from huitong.cli.connection import save as write
from huitong.cli.options import Json, Resource, Unit, client
from huitong.cli.showing import command, show_json, show_members, show_table

unit = typer.Typer(help="单位 / units", no_args_is_help=True)
grant = typer.Typer(help="授权 / grants", no_args_is_help=True)
credential = typer.Typer(help="凭证 / credentials", no_args_is_help=True)

_UNIT: Final = {"code": "统一社会信用代码 code", "name": "名称 name", "contact": "联系人 contact"}
_GRANT: Final = {
    "unit": "单位 unit", "resource": "资源 resource", "fields": "字段 fields", "unmasked": "明文 unmasked",
    "row_filter": "行范围 rows", "purpose": "用途 purpose", "starts": "起 from", "ends": "止 until",
    "id": "编号 id", "basis": "批准文号 basis", "case_no": "案号 case", "duty": "职责 duty",
    "methods": "方式 ways", "volume": "日行数 rows a day", "users": "用户 users",
    "clearance": "密级 clearance",
    "statistics": "仅统计 statistics", "given_by": "授权人 given by", "seconded_by": "复核人 second",
    "revoked": "已收回 revoked",
}  # fmt: skip
_CREDENTIAL: Final = {
    "id": "编号 id", "name": "名称 name", "unit": "单位 unit", "roles": "角色 roles",
    "acts_for": "可代表 acts for",
    "expires_at": "到期 expires", "disabled": "已停用 disabled", "token": "令牌(仅显示一次)token, shown once",
}  # fmt: skip

GrantId = Annotated[str, typer.Option("--grant", help="授权编号,缺省直接授权 / id; else the direct grant")]


def register(app: typer.Typer) -> None:
    app.add_typer(unit, name="unit")
    app.add_typer(grant, name="grant")
    app.add_typer(credential, name="credential")
    app.command("whoami")(whoami)


@command
def whoami(as_json: Json = False) -> None:
    """当前身份 / Who the token belongs to."""
    api = client()
    members = {
        "id": "凭证 credential",
        "unit": "单位 unit",
        "roles": "角色 roles",
        "acts_for": "可代表 acts for",
    }
    _told({**api.get("me"), "api_url": api.connection.api_url}, {**members, "api_url": "平台 api"}, as_json)


@unit.command("put")
@command
def put_unit(
    code: str,
    name: str,
    contact: Annotated[str, typer.Option("--contact", help="联系人 / contact")] = "",
    as_json: Json = False,
) -> None:
    """登记单位 / Register a unit, or change its name and contact."""
    _told(client().post("units", body={"code": code, "name": name, "contact": contact}), _UNIT, as_json)


@unit.command("list")
@command
def list_units(as_json: Json = False) -> None:
    """单位列表 / Units."""
    _listed(client().get("units")["items"], _UNIT, as_json)


@grant.command("put")
@command
def put_grant(
    to: Annotated[str, typer.Argument(metavar="UNIT", help="接收单位 / receiving unit")],
    resource: str,
    basis: Annotated[str, typer.Option("--basis", help="批准文号 / number of the recorded decision")],
    fields: Annotated[str, typer.Option("--fields", help="字段,缺省全部 / a,b; all when left out")] = "",
    unmasked: Annotated[str, typer.Option("--unmasked", help="以明文提供的字段 / fields given plain")] = "",
    row_filter: Annotated[
        str, typer.Option("--filter", help="行条件 / SQL expression over the columns")
    ] = "",
    purpose: Annotated[str, typer.Option("--purpose", help="用途 / purpose")] = "",
    case: Annotated[str, typer.Option("--case", help="案号 / the case to which it is bound")] = "",
    duty: Annotated[str, typer.Option("--duty", help="法定职责 / the duty to which it is bound")] = "",
    methods: Annotated[
        str, typer.Option("--methods", help="sql,read,pull,push,snapshot,export,comparison,request")
    ] = "",
    volume: Annotated[int, typer.Option("--volume", min=0, help="每日最多行数 / most rows a day")] = 0,
    users: Annotated[str, typer.Option("--users", help="限于这些用户 / these users only")] = "",
    clearance: Annotated[str, typer.Option("--clearance", help="L1 … L4")] = "",
    statistics: Annotated[bool, typer.Option("--statistics", help="仅统计 / groups of rows only")] = False,
    starts: Annotated[str, typer.Option("--from", help="起始日 / first day")] = "",
    ends: Annotated[str, typer.Option("--to", help="截止日 / last day")] = "",
    as_json: Json = False,
) -> None:
    """授权 / Grant a unit the use of a resource."""
    asked = {
        "fields": _names(fields), "unmasked": _names(unmasked), "row_filter": row_filter, "purpose": purpose,
        "starts": starts, "ends": ends, "basis": basis, "case_no": case, "duty": duty,
        "methods": _names(methods), "volume": volume, "users": _names(users), "clearance": clearance,
        "statistics": statistics,
    }  # fmt: skip
    made = client().put("grants", to, resource, body={name: value for name, value in asked.items() if value})
    _told(made, _GRANT, as_json)


@grant.command("list")
@command
def list_grants(resource: Resource = "", unit: Unit = "", as_json: Json = False) -> None:
    """授权列表 / Grants."""
    _listed(client().get("grants", resource=resource, unit=unit)["items"], _GRANT, as_json)


@grant.command("show")
@command
def show_grant(
    to: Annotated[str, typer.Argument(metavar="UNIT")],
    resource: str,
    id: GrantId = "",
    as_json: Json = False,
) -> None:
    """一项授权 / One grant."""
    _told(client().get("grants", to, resource, grant=id), _GRANT, as_json)


@grant.command("second")
@command
def second_grant(
    to: Annotated[str, typer.Argument(metavar="UNIT")],
    resource: str,
    id: GrantId = "",
    seen: Annotated[str, typer.Option("--seen", help="所复核内容的摘要 / digest of what was looked at")] = "",
    as_json: Json = False,
) -> None:
    """复核授权 / Stand behind a grant as the second person; its L4 fields are plain from then on."""
    _told(client().post("grants", to, resource, "second", grant=id, seen=seen), _GRANT, as_json)


@grant.command("revoke")
@command
def revoke_grant(
    to: Annotated[str, typer.Argument(metavar="UNIT")],
    resource: str,
    id: GrantId = "",
    as_json: Json = False,
) -> None:
    """收回授权 / End a grant at once."""
    _told(client().delete("grants", to, resource, grant=id), _GRANT, as_json)


@credential.command("issue")
@command
def issue(
    name: str,
    role: Annotated[list[str], typer.Option("--role", help="admin source consumer officer analyst auditor")],
    unit: Unit = "",
    acts_for: Annotated[list[str] | None, typer.Option("--acts-for", help="可代表 / a unit, or *")] = None,
    expires: Annotated[str, typer.Option("--expires", help="到期时间 / 2027-01-31T00:00:00.000Z")] = "",
    owner: Annotated[str, typer.Option("--owner", help="责任人账户 / account that answers for it")] = "",
    save: Annotated[str, typer.Option("--save", help="存为连接配置 / profile file to write")] = "",
    as_json: Json = False,
) -> None:
    """发放凭证 / Issue a credential; its token is shown once, or saved as a profile for its holder."""
    asked = {"name": name, "roles": role, "unit": unit, "acts_for": acts_for or [], "expires_at": expires}
    asked |= {"owner": owner}
    api = client()
    made = api.post("credentials", body={key: value for key, value in asked.items() if value})
    if save:
        write(Path(save), Connection(api.connection.api_url, made.pop("token"), made["unit"]))
    _told(made, _CREDENTIAL, as_json)


@credential.command("key")
@command
def signing_key(id: str, as_json: Json = False) -> None:
    """发放签名密钥 / A new key for signed requests; it is shown once, the one before ends."""
    made = client().post("credentials", id, "key")
    _told(made, {**_CREDENTIAL, "key": "密钥(仅显示一次)key, shown once"}, as_json)


@credential.command("list")
@command
def list_credentials(unit: Unit = "", as_json: Json = False) -> None:
    """凭证列表 / Credentials."""
    _listed(client().get("credentials", unit=unit)["items"], _CREDENTIAL, as_json)


@credential.command("disable")
@command
def disable(id: str, as_json: Json = False) -> None:
    """停用凭证 / End a credential at once."""
    _told(client().delete("credentials", id), _CREDENTIAL, as_json)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


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
