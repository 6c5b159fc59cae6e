"""``subscribe`` and ``subscription list|show|pause|resume|replay|cancel|deliveries``."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Case, Duty, GrantRef, Json, Limit, Purpose, Resource, Unit, client
from huitong.cli.showing import command, show_json, show_members, show_table

subscription = typer.Typer(help="订阅 / subscriptions", no_args_is_help=True)

_MEMBERS: Final = {
    "id": "订阅 subscription",
    "resource": "资源 resource",
    "unit": "单位 unit",
    "endpoint": "地址 endpoint",
    "status": "状态 status",
    "reason": "原因 reason",
    "fields": "字段 fields",
    "row_filter": "行范围 rows",
    "acked": "已确认 acknowledged",
    "outstanding": "未确认 outstanding",
    "secret": "密钥(仅显示一次)secret, shown once",
}


def register(app: typer.Typer) -> None:
    app.command("subscribe")(subscribe)
    app.add_typer(subscription, name="subscription")


@command
def subscribe(
    resource: str,
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="接收地址 / https address that takes the pushes")
    ],
    unit: Unit = "",
    fields: Annotated[str, typer.Option("--fields", help="字段,以逗号分隔 / a,b")] = "",
    row_filter: Annotated[
        str, typer.Option("--filter", help="行条件 / SQL expression over the columns")
    ] = "",
    start: Annotated[str, typer.Option("--start", help="now 从现在起 | snapshot 先取现有数据")] = "now",
    secret: Annotated[str, typer.Option("--secret", help="签名密钥 / whsec_…; made when left out")] = "",
    case: Case = "",
    duty: Duty = "",
    purpose: Purpose = "",
    grant: GrantRef = "",
    as_json: Json = False,
) -> None:
    """订阅变更 / Subscribe to the changes of a resource."""
    asked = {
        "resource": resource, "endpoint": endpoint, "unit": unit, "filter": row_filter, "start": start,
        "secret": secret, "fields": [name.strip() for name in fields.split(",") if name.strip()],
    }  # fmt: skip
    api = client(case=case, duty=duty, purpose=purpose, grant=grant)
    _told(api.post("subscriptions", body={k: v for k, v in asked.items() if v}), as_json)


@subscription.command("list")
@command
def listed(resource: Resource = "", unit: Unit = "", as_json: Json = False) -> None:
    """订阅列表 / Subscriptions."""
    items = client().get("subscriptions", resource=resource, unit=unit)["items"]
    if as_json:
        show_json({"items": items})
    else:
        names = ("id", "resource", "unit", "endpoint", "status", "acked", "outstanding")
        show_table(items, {name: _MEMBERS[name] for name in names})


@subscription.command("show")
@command
def show(id: str, as_json: Json = False) -> None:
    """一项订阅 / One subscription."""
    _told(client().get("subscriptions", id), as_json)


@subscription.command("pause")
@command
def pause(id: str, as_json: Json = False) -> None:
    """暂停推送 / Pause pushes."""
    _told(client().post("subscriptions", id, "pause"), as_json)


@subscription.command("resume")
@command
def resume(id: str, as_json: Json = False) -> None:
    """恢复推送 / Resume pushes."""
    _told(client().post("subscriptions", id, "resume"), as_json)


@subscription.command("replay")
@command
def replay(id: str, as_json: Json = False) -> None:
    """重推失败的投递 / Send failed deliveries again."""
    _told(client().post("subscriptions", id, "replay"), as_json)


@subscription.command("cancel")
@command
def cancel(id: str, as_json: Json = False) -> None:
    """退订 / End a subscription."""
    _told(client().delete("subscriptions", id), as_json)


@subscription.command("deliveries")
@command
def deliveries(id: str, limit: Limit = 100, as_json: Json = False) -> None:
    """推送记录 / What was sent, and its receipts."""
    items = client().items("subscriptions", id, "deliveries", limit=limit)
    if as_json:
        show_json({"items": items})
        return
    columns = {
        "n": "序号 n", "kind": "内容 kind", "seq": "发布 seq", "count": "条数 count", "status": "状态 status",
        "attempts": "次数 attempts", "acknowledged_at": "确认时间 acknowledged", "reason": "原因 reason",
    }  # fmt: skip
    show_table(items, columns)


def _told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, _MEMBERS)
