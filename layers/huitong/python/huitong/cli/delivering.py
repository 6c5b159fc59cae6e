"""``upload`` and ``profile put|get|list``: deliver a file, and say how files are read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.batches import show_batch
from huitong.cli.options import Json, Unit, client
from huitong.cli.showing import (
    HELD,
    REFUSED,
    UNFINISHED,
    command,
    fail,
    note,
    show_json,
    show_members,
    show_table,
)

profile = typer.Typer(help="导入方案 / import profiles", no_args_is_help=True)

MOVING: Final = frozenset({"waiting", "received", "ingested", "validated"})
_EXIT: Final = {"published": 0, "duplicate": 0, "superseded": 0, "held": HELD}
_LAYOUT: Final = ("format", "encoding", "delimiter", "quote", "sheet", "header_row")
_SLOWEST: Final = 2.0


def register(app: typer.Typer) -> None:
    app.command("upload")(upload)
    app.add_typer(profile, name="profile")


@command
def upload(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX, JSON, Parquet, .gz, .zip")
    ],
    resource: Annotated[str, typer.Option("--resource", help="资源 / contract id, table or schema name")],
    unit: Unit = "",
    mode: Annotated[str, typer.Option("--mode", help="full 全量 | increment 增量 | deletion 删除清单")] = "",
    edition: Annotated[str, typer.Option("--edition", help="版本 / declared edition")] = "",
    import_profile: Annotated[str, typer.Option("--profile", help="导入方案 / saved import profile")] = "",
    case_no: Annotated[str, typer.Option("--case", help="案号 / case it was obtained for")] = "",
    correction: Annotated[str, typer.Option("--ticket", help="校核单号 / correction that it carries")] = "",
    mends: Annotated[str, typer.Option("--mends", help="补正的批次 / batch whose bad rows it brings")] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="例如 gb18030")] = "",
    delimiter: Annotated[str, typer.Option("--delimiter", help="分隔符")] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="工作表名或序号 / name or position")] = "",
    header_row: Annotated[int, typer.Option("--header-row", min=0, help="表头行号 / row of the header")] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="等到有结果 / wait for the result")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="等待秒数 / seconds")] = 600,
    as_json: Json = False,
) -> None:
    """报送一个文件 / Deliver a file. With --wait: 0 published, 1 rejected or failed, 3 held, 4 not done."""
    api = client()
    options = {"encoding": encoding, "delimiter": delimiter, "sheet": sheet}
    options |= {"header_row": str(header_row)} if header_row else {}
    asked = {
        "resource": resource, "filename": file.name, "unit": unit, "mode": mode, "edition": edition,
        "profile": import_profile, "case_no": case_no, "ticket": correction,
        "mends": mends,
        "options": {k: v for k, v in options.items() if v},
    }  # fmt: skip
    ticket = api.post("uploads", body={name: value for name, value in asked.items() if value})
    note(
        f"上传 uploading {file.name} ({file.stat().st_size:,} bytes)"
        f" → {ticket['resource']} · {ticket['upload_id']}"
    )
    api.upload(ticket, file)
    if wait:
        _end(_waited(lambda: api.get("uploads", ticket["upload_id"]), timeout), as_json)
        return
    told = {"upload_id": ticket["upload_id"], "unit": ticket["unit"], "resource": ticket["resource"]}
    if as_json:
        show_json({**told, "status": "waiting"})
    else:
        show_members(told, {"upload_id": "上传 upload", "resource": "资源 resource", "unit": "单位 unit"})


def _waited(look: Callable[[], dict[str, Any]], timeout: float) -> dict[str, Any]:
    """The upload once it moves no more, or as it is when the time is over."""
    end, pause, seen = time.monotonic() + timeout, 0.1, ""
    while True:
        found = look()
        if found["status"] != seen:
            seen = found["status"]
            note(f"  … {seen}")
        if seen not in MOVING or time.monotonic() >= end:
            return found
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 1.4, _SLOWEST)


def _end(found: dict[str, Any], as_json: bool) -> None:
    if not found["batches"]:
        detail = "等待超时,文件尚未被接收 / the file was not taken yet when the waiting time was over"
        fail({"code": "unfinished", "status": 0, "detail": detail, "problems": []}, as_json, UNFINISHED)
    batch = {**found["batches"][-1], "upload_id": found["upload_id"]}
    if as_json:
        show_json(batch)
    else:
        show_batch(batch)
    status = UNFINISHED if batch["status"] in MOVING else _EXIT.get(batch["status"], REFUSED)
    if status:
        raise SystemExit(status)


@profile.command("put")
@command
def put(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON, docs/deliver.md")],
    resource: Annotated[str, typer.Option("--resource", help="资源 / resource")],
    name: Annotated[str, typer.Option("--name", help="方案名称 / its name")] = "default",
    unit: Unit = "",
    as_json: Json = False,
) -> None:
    """保存导入方案 / Save an import profile."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{file} 不是 JSON / is no JSON: {error}", param_hint="FILE") from error
    api = client()
    source = unit or _provider(api, resource)
    made = api.put("profiles", source, resource, name, body=settings)
    if as_json:
        show_json(made)
    else:
        note(f"✓ {made['unit']} {made['resource']} {made['name']}")


@profile.command("get")
@command
def get(
    resource: str,
    name: Annotated[str, typer.Option("--name", help="方案名称 / its name")] = "default",
    unit: Unit = "",
    as_json: Json = False,
) -> None:
    """查看导入方案 / One import profile."""
    del as_json  # a profile is JSON either way
    api = client()
    show_json(api.get("profiles", unit or _provider(api, resource), resource, name))


@profile.command("list")
@command
def listed(
    resource: Annotated[str, typer.Option("--resource", help="资源 / resource")] = "",
    unit: Unit = "",
    as_json: Json = False,
) -> None:
    """导入方案列表 / Import profiles of a unit or resource."""
    items = client().get("profiles", resource=resource, unit=unit)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(
            items,
            {"unit": "单位 unit", "resource": "资源 resource", "name": "名称 name", "mode": "方式 mode"},
        )


def _provider(api: Any, resource: str) -> str:
    """The unit that delivers a resource: the one acted for, else the contract's provider."""
    acted: str = api.connection.unit or api.get("contracts", resource)["provider"]
    return acted
