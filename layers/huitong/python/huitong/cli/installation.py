"""``bootstrap``, ``processing stop|start``: with rights on AWS, for those who keep a deployment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from huitong.cli.options import Json
from huitong.cli.showing import command, note, show_json

processing = typer.Typer(help="停止与恢复处理 / stop and start all processing", no_args_is_help=True)

Stack = Annotated[str, typer.Option("--stack", help="CloudFormation 栈名 / name of the stack")]
Region = Annotated[str, typer.Option("--region", help="AWS 区域 / region")]
Endpoint = Annotated[str, typer.Option("--endpoint", help="模拟器地址 / an emulator's address")]


def register(app: typer.Typer) -> None:
    app.command("bootstrap")(bootstrap)
    app.add_typer(processing, name="processing")


@command
def bootstrap(
    profile: Annotated[Path, typer.Argument(help="写入的连接配置 / profile file to write")],
    stack: Stack = "huitong",
    region: Region = "",
    endpoint: Endpoint = "",
    api_url: Annotated[
        str, typer.Option("--api-url", help="自有域名等 / where the API is, if elsewhere")
    ] = "",
    as_json: Json = False,
) -> None:
    """首位管理员 / The first administrator; the token of an earlier call works no more."""
    from huitong.aws.backup.site import Site
    from huitong.aws.dynamodb import DynamoRegister
    from huitong.identity.credentials import bootstrap_admin
    from huitong.ports import SystemClock

    site = Site.at(stack, endpoint=endpoint, region=region)
    kept = DynamoRegister(site.client("dynamodb"), site.outputs["RegisterTable"])
    token = bootstrap_admin(kept, SystemClock())
    told: dict[str, Any] = {"api_url": api_url or site.outputs["ApiUrl"], "token": token, "unit": ""}
    profile.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(profile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump({**told, **({"endpoint": endpoint} if endpoint else {})}, target, indent=1)
    if as_json:
        show_json({"profile": str(profile), "api_url": told["api_url"]})
    else:
        note(f"✓ {profile} → {told['api_url']}")


@processing.command("stop")
@command
def stop(
    stack: Stack = "huitong", region: Region = "", endpoint: Endpoint = "", as_json: Json = False
) -> None:
    """停止处理 / No queue is read and no schedule starts; the API answers and what arrives waits."""
    from huitong.aws.backup.site import Site

    _told(Site.at(stack, endpoint=endpoint, region=region).stop(), as_json)


@processing.command("start")
@command
def start(
    stack: Stack = "huitong", region: Region = "", endpoint: Endpoint = "", as_json: Json = False
) -> None:
    """恢复处理 / Every queue is read and every schedule starts again."""
    from huitong.aws.backup.site import Site

    _told(Site.at(stack, endpoint=endpoint, region=region).start(), as_json)


def _told(done: dict[str, int], as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        note(f"✓ 时钟作业 schedules {done['schedules']}, 队列 queues {done['mappings']}")
