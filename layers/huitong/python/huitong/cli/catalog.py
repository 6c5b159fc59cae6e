"""``catalog``: the catalogue of resources: search, entries and their procedure, the seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Resource, Unit, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

catalog = typer.Typer(help="资源目录 / the catalogue of resources", no_args_is_help=True)

HIT: Final = {
    "resource": "编号 resource", "code": "代码 code", "title": "名称 title", "provider_name": "提供方 unit",
    "how_zh": "获取方式 how", "frequency_zh": "更新周期", "state": "状态 state",
}  # fmt: skip
RECORD: Final = {"id": "编号 resource", "state_zh": "状态 state", "version": "版次 version"}
Seen = Annotated[int, typer.Option("--seen", min=0, help="所见版次,0 为任意 / version looked at; 0 = any")]
Given = Annotated[
    list[str] | None, typer.Option("--given", help="步骤内容 / content of the step: name=text or name=JSON")
]


# --- finding -----------------------------------------------------------------


@catalog.command("search")
@command
def search(
    words: Annotated[list[str] | None, typer.Argument(help="检索词 / words")] = None,
    unit: Unit = "",
    share_type: Annotated[str, typer.Option("--share-type", help="1 2 3")] = "",
    method: Annotated[str, typer.Option("--method", help="query interface front_end bulk other")] = "",
    category: Annotated[str, typer.Option("--category", help="类目编码 / class code or its beginning")] = "",
    frequency: Annotated[str, typer.Option("--frequency", help="daily …")] = "",
    demand: Annotated[str, typer.Option("--demand", help="需求 / demand or item of Q/BAAS 003")] = "",
    drafts: Annotated[bool, typer.Option("--drafts", help="含未发布 / also what is not published")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """检索目录 / Search the catalogue: names, items, units, codes."""
    asked = {
        "q": " ".join(words or ()), "unit": unit, "share_type": share_type, "method": method,
        "category": category, "frequency": frequency, "demand": demand, "drafts": "true" if drafts else "",
    }  # fmt: skip
    found = client().get("catalog", "search", **asked, limit=limit)
    listed(found["items"], HIT, as_json)


@catalog.command("get")
@command
def get(
    resource: str,
    publication: Annotated[int, typer.Option("--publication", min=0, help="第几次发布 / which time")] = 0,
    as_json: Json = False,
) -> None:
    """已发布的条目 / A published entry with its items."""
    path = ("publications", str(publication)) if publication else ()
    found = client().get("catalog", "entries", resource, *path)
    if as_json:
        show_json(found)
        return
    show_members(
        {**found, **found["summary"]}, {**HIT, "abstract": "摘要 abstract", "edition": "发布次数 edition"}
    )
    items = [{"name": name, **one} for name, one in found.get("items", {}).items()]
    heads = {
        "name": "字段 field",
        "title": "名称 title",
        "letter": "类型",
        "level": "级别",
        "element": "数据元",
    }
    show_table(items, heads)


@catalog.command("interface")
@command
def interface(resource: str, as_json: Json = False) -> None:
    """接口说明文档 / The interface description: operations and Table Schema, as JSON."""
    del as_json
    show_json(client().get("catalog", "entries", resource, "interface"))


@catalog.command("conformance")
@command
def conformance(resource: Resource = "", unit: Unit = "", as_json: Json = False) -> None:
    """符合性测试 / Each failed rule of each entry; exit status 1 when an entry does not conform."""
    items = client().items("catalog", "conformance", resource=resource, unit=unit)
    if as_json:
        show_json({"items": items})
    else:
        rows = [{"resource": one["resource"], **f} for one in items for f in one["findings"]]
        heads = {"resource": "编号", "severity": "程度", "rule": "规则 rule", "item": "信息项", "zh": "问题"}
        show_table(rows, heads)
    if not all(one["conforms"] for one in items):
        raise typer.Exit(1)


# --- entries under way -------------------------------------------------------


@catalog.command("draft")
@command
def draft(
    resource: str,
    content: Annotated[str, typer.Option("--content", help="JSON 或 @文件 / JSON, or @file")] = "{}",
    supervisor: Annotated[str, typer.Option("--supervisor", help="监督单位 / supervising unit")] = "",
    as_json: Json = False,
) -> None:
    """编目 / Draft the entry of a resource; the rest is taken from its contract."""
    body: dict[str, Any] = {"resource": resource, "content": json_of(content)}
    made = client().post(
        "catalog", "entries", body={**body, **({"supervisor": supervisor} if supervisor else {})}
    )
    shown(made, as_json)


@catalog.command("edit")
@command
def edit(
    resource: str,
    content: Annotated[str, typer.Argument(help="JSON 或 @文件;null 清除 / JSON or @file; null clears")],
    seen: Seen = 0,
    as_json: Json = False,
) -> None:
    """保存草稿 / Save content of a draft."""
    body = {"content": json_of(content), "seen": seen}
    shown(client().put("catalog", "entries", resource, body=body), as_json)


@catalog.command("step")
@command
def step(resource: str, name: str, given: Given = None, seen: Seen = 0, as_json: Json = False) -> None:
    """办理 / Take a step: submit review return agree consent confirm publish revise withdraw …"""
    body = {"step": name, "given": given_of(given), "seen": seen}
    shown(client().post("catalog", "entries", resource, "steps", body=body), as_json)


@catalog.command("record")
@command
def record(resource: str, as_json: Json = False) -> None:
    """办理情况 / Where an entry stands, what is wrong with it, what can be done."""
    shown(client().get("catalog", "entries", resource, "record"), as_json)


@catalog.command("list")
@command
def list_entries(
    unit: Unit = "",
    state: Annotated[str, typer.Option("--state", help="状态 / state")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """办理中的条目 / Entries under way."""
    listed(client().get("catalog", "entries", unit=unit, state=state, limit=limit)["items"], RECORD, as_json)


@catalog.command("seed")
@command
def seed(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="schemas/catalog/entries.yaml")],
    as_json: Json = False,
) -> None:
    """由数据模型和种子文件编目 / Draft entries for registered contracts; what exists is left as it is."""
    import yaml

    from huitong.cli.client import Refused

    api, raw = client(), yaml.safe_load(file.read_text(encoding="utf-8"))
    known = {one["id"] for one in api.get("catalog", "elements")["items"]}
    for one in raw.get("elements", ()):
        if one["id"] not in known:
            api.put("catalog", "elements", one["id"], body={k: v for k, v in one.items() if k != "id"})
    api.post("catalog", "elements", "seed")
    made: list[str] = []
    left: list[str] = []
    for resource, content in raw["entries"].items():
        try:
            api.post("catalog", "entries", body={"resource": resource, "content": content})
            made.append(resource)
        except Refused as refused:
            if refused.problem.get("code") not in ("conflict", "not-found"):
                raise
            left.append(resource)
    if as_json:
        show_json({"made": made, "left": left})
    else:
        say(f"新建 {len(made)} 条,未动 {len(left)} 条 / {len(made)} drafted, {len(left)} left")
        note(" ".join(left))


# --- shared ------------------------------------------------------------------


def json_of(text: str) -> Any:
    """JSON, or that of a file named with ``@``. Raises BadRequest."""
    from huitong.errors import BadRequest

    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (ValueError, OSError) as error:
        raise BadRequest("内容不是 JSON", "The content is not JSON") from error


def given_of(pairs: list[str] | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for pair in pairs or ():
        name, _, value = pair.partition("=")
        try:
            made[name] = json.loads(value) if value[:1] in '{["tf' else value
        except ValueError:
            made[name] = value
    return made


def shown(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_members(found, RECORD)
    say("可办理 possible: " + ", ".join(f"{s['step']} {s['zh']}" for s in found["possible"]))
    for one in found.get("findings", ()):
        note(f"  [{one['severity']}] {one['rule']} {one['zh']} / {one['en']}")


def told(found: dict[str, Any], members: dict[str, str], as_json: bool) -> None:
    show_json(found) if as_json else show_members(found, members)


def listed(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    show_json({"items": items}) if as_json else show_table(items, columns)
