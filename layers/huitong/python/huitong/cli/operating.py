"""``status``, ``dead-letters list|show|replay|drop``, ``keys list|rotate``, ``subscription rotate``."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, client
from huitong.cli.showing import REFUSED, command, note, say, show_json, show_members, show_table
from huitong.cli.subscriptions import subscription

letters = typer.Typer(help="死信 / messages that were given up", no_args_is_help=True)
keys = typer.Typer(help="密钥 / keys", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="理由,留痕 / why, for the record")]
Ids = Annotated[list[str] | None, typer.Argument(help="消息编号;不填为全部 / ids of messages; none = all")]

_LETTER: Final = {
    "id": "消息 message", "sent_at": "时间 sent", "correlation": "交付 delivery", "message": "内容 ids",
}  # fmt: skip
_SETTLED: Final = {"id": "消息 message", "correlation": "交付 delivery", "became": "结果 result"}
_STATES: Final = {"ok": "正常", "attention": "注意", "failing": "故障", "unknown": "未知"}


def register(app: typer.Typer) -> None:
    app.command("status")(status)
    app.add_typer(letters, name="dead-letters")
    app.add_typer(keys, name="keys")


@command
def status(as_json: Json = False) -> None:
    """运行状态 / The state of each part. Exit 0 when nothing needs anybody, 1 otherwise."""
    page = client().get("status")
    if as_json:
        show_json(page)
    else:
        _show(page)
    if page["state"] in ("attention", "failing"):
        raise SystemExit(REFUSED)


def _show(page: dict[str, Any]) -> None:
    say(f"{_state(page['state'])}  {page['version']}  {page['at']}")
    for part in page["parts"]:
        say(f"\n{part['zh']} {part['en']}: {_state(part['state'])}")
        for queue in part["queues"]:
            dead = "" if queue["dead"] is None else f", 死信 dead {queue['dead']}"
            moving = f"等待 waiting {queue['waiting']}, 处理中 in flight {queue['in_flight']}"
            say(f"  {queue['name']}: {moving}{dead}")
        for step in part["steps"]:
            say(f"  {step['zh']} {step['en']}: {step['last_success'] or '尚无 never'}")
        for trouble in part["troubles"]:
            note(f"  ! {trouble['zh']} / {trouble['en']}")
    if page["tables"]:
        say("")
        columns = {
            "resource": "资源 resource",
            "seq": "发布 seq",
            "published_at": "时间 at",
            "rows": "行 rows",
        }
        show_table(page["tables"], columns)
    say(f"\n证据链签名 chains signed: {page['evidence'].get('last_head') or '尚无 never'}")


def _state(state: str) -> str:
    return f"{_STATES[state]} {state}"


@letters.command("list")
@command
def listed(as_json: Json = False) -> None:
    """各死信队列 / Dead-letter queues and how much lies in each."""
    items = client().get("dead-letters")["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, {"box": "队列 queue", "dead": "死信 dead", "waiting": "等待 waiting"})


@letters.command("show")
@command
def shown(
    queue: Annotated[str, typer.Argument(help="ingest, validate, compare, push, …")],
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """一个队列的死信,仅编号 / Letters of a queue: ids, never values."""
    items = client().get("dead-letters", queue, limit=min(limit, 100))["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _LETTER)


@letters.command("replay")
@command
def replay(queue: str, ids: Ids = None, reason: Reason = "", as_json: Json = False) -> None:
    """重放 / Send letters again: a failed batch moves, a suspended subscription goes on."""
    _settle(queue, ids, reason, False, as_json)


@letters.command("drop")
@command
def drop(
    queue: str, ids: Annotated[list[str], typer.Argument()], reason: Reason = "", as_json: Json = False
) -> None:
    """清除 / Remove letters that nobody needs any more."""
    _settle(queue, ids, reason, True, as_json)


def _settle(queue: str, ids: list[str] | None, reason: str, drop: bool, as_json: bool) -> None:
    body = {"ids": ids or [], "reason": reason, "drop": drop}
    items = client().post("dead-letters", queue, "settle", body=body)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _SETTLED)


@keys.command("list")
@command
def key_list(as_json: Json = False) -> None:
    """平台密钥与版本 / Keys of the platform and their versions; never a key."""
    items = client().get("platform-keys")["items"]
    if as_json:
        show_json({"items": items})
    else:
        told = [{**one, "versions": len(one["versions"])} for one in items]
        show_table(told, {"name": "密钥 key", "zh": "用途", "en": "for", "rotates": "可更换 rotates",
                          "versions": "版本数 versions"})  # fmt: skip


@keys.command("rotate")
@command
def key_rotate(
    name: Annotated[str, typer.Argument(help="evidence")], reason: Reason = "", as_json: Json = False
) -> None:
    """更换平台密钥 / A new version of a key; what was made under former ones stays good."""
    made = client().post("platform-keys", name, "rotate", body={"reason": reason})
    if as_json:
        show_json(made)
    else:
        note(f"✓ {made['name']}: 第 {len(made['versions'])} 版 version {len(made['versions'])}")


@subscription.command("rotate")
@command
def rotate(
    id: str,
    secret: Annotated[str, typer.Option("--secret", help="签名密钥 / whsec_…; made when left out")] = "",
    as_json: Json = False,
) -> None:
    """更换订阅密钥 / A new signing secret; for a day messages are signed with the former one, too."""
    made = client().post("subscriptions", id, "secret", body={"secret": secret} if secret else {})
    if as_json:
        show_json(made)
    else:
        show_members(made, {"id": "订阅 subscription", "secret": "密钥(仅显示一次)secret, shown once",
                            "former_until": "旧密钥有效至 former one until"})  # fmt: skip
