"""``contract put|get|list`` and ``resources``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huitong.cli.options import Json, Unit, client
from huitong.cli.showing import command, show_json, show_members, show_table

contract = typer.Typer(help="数据模型 / data contracts", no_args_is_help=True)

_COLUMNS = {
    "id": "编号 id",
    "version": "版本",
    "title": "名称 title",
    "table": "表 table",
    "provider": "数源单位 provider",
}


def register(app: typer.Typer) -> None:
    app.add_typer(contract, name="contract")
    app.command("resources")(resources)


@contract.command("put")
@command
def put(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="ODCS 3 YAML")],
    provider: Annotated[str, typer.Option("--provider", help="数源单位 / source unit")] = "",
    as_json: Json = False,
) -> None:
    """登记数据模型或其新版本 / Register a contract or its next version."""
    body = {"document": file.read_text(encoding="utf-8")}
    made = client().post("contracts", body={**body, "provider": provider} if provider else body)
    if as_json:
        show_json(made)
    else:
        show_table([made], _COLUMNS)


@contract.command("get")
@command
def get(
    code: str,
    version: Annotated[int, typer.Option("--version", min=0, help="0 = 最新 / latest")] = 0,
    as_json: Json = False,
) -> None:
    """数据模型的内容 / One contract: its text, or with --json its fields."""
    path = ("contracts", code, "versions", str(version)) if version else ("contracts", code)
    found = client().get(*path)
    if as_json:
        show_json(found)
    else:
        print(found["document"])


@contract.command("list")
@command
def listed(as_json: Json = False) -> None:
    """全部数据模型 / All contracts that you may see."""
    items = client().get("contracts")["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _COLUMNS)


@command
def resources(
    code: Annotated[str, typer.Argument(help="留空列出全部 / empty lists all")] = "",
    unit: Unit = "",
    as_json: Json = False,
) -> None:
    """可用资源及其字段 / Resources that you may use, and their columns."""
    if not code:
        items = client().get("resources", acting=unit)["items"]
        if as_json:
            show_json({"items": items})
        else:
            show_table(items, {**_COLUMNS, "frequency": "更新周期"})
        return
    found = client().get("resources", code, acting=unit)
    if as_json:
        show_json(found)
        return
    show_members(found, {**_COLUMNS, "publication": "最近发布 publication", "row_filter": "行范围 rows"})
    show_table(
        found["columns"],
        {
            "name": "字段 field",
            "title": "名称 title",
            "type": "类型 type",
            "key": "主键 key",
            "masked": "脱敏 masked",
        },
    )
