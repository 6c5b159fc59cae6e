"""``catalog``: the catalogue as a whole: workbooks, exports, editions, views, data elements, duties."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.catalog import HIT, RECORD, Given, catalog, given_of, json_of, listed, shown, told
from huitong.cli.options import Json, Unit, client
from huitong.cli.showing import command, note, say, show_json, show_table

view = typer.Typer(help="目录视图 / views", no_args_is_help=True)
edition = typer.Typer(help="目录版本 / numbered editions", no_args_is_help=True)
element = typer.Typer(help="数据元 / data elements", no_args_is_help=True)
duty = typer.Typer(help="目录更新事项 / duties to update the catalogue", no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
Out = Annotated[str, typer.Option("--out", help="写入文件 / file to write")]

_EDITION: Final = {
    "id": "版本 edition", "at": "时间 at", "by": "发布人 by", "entries": "条目 entries", "note": "说明 note",
}  # fmt: skip
_VIEW: Final = {"id": "编号 id", "zh": "名称", "en": "name", "group_by": "分组 by", "fixed": "固定 fixed"}
_ELEMENT: Final = {"id": "标识符 id", "title": "名称 title", "type": "类型 type", "kind": "类别 kind"}


def register(app: typer.Typer) -> None:
    app.add_typer(catalog, name="catalog")
    for name, part in (("view", view), ("edition", edition), ("element", element), ("duty", duty)):
        catalog.add_typer(part, name=name)


# --- workbooks and exports ---------------------------------------------------


@catalog.command("template")
@command
def template(out: Out = "catalogue-template.xlsx", as_json: Json = False) -> None:
    """下载导入模板 / An empty workbook to fill."""
    _saved(client().get("catalog", "template"), out, as_json)


@catalog.command("import")
@command
def imported(
    file: File,
    all_or_none: Annotated[
        bool, typer.Option("--all", help="有错则不导入 / nothing if a row is wrong")
    ] = False,
    out: Out = "",
    as_json: Json = False,
) -> None:
    """批量导入 / Entries from a workbook; --out takes it back with its errors (then exit status 1)."""
    sent = base64.b64encode(file.read_bytes()).decode()
    body = {"workbook": sent, "option": "all" if all_or_none else "rows"}
    report = client().post("catalog", "import", body=body)
    told = report.pop("workbook")
    if out:
        Path(out).write_bytes(base64.b64decode(told["content"]))
    if as_json:
        show_json({**report, "file": out})
    else:
        counts = ("rows", "created", "edited", "unchanged", "refused", "waiting")
        say(" ".join(f"{name}={report[name]}" for name in counts))
        for one in report["problems"]:
            note(f"  第 {one['where']['row']} 行: {one['rule']} {one['zh']} / {one['en']}")
    if report["problems"]:
        raise typer.Exit(1)


@catalog.command("export")
@command
def export(
    form: Annotated[str, typer.Option("--format", help="json dcat workbook")] = "json",
    which: Annotated[str, typer.Option("--edition", help="2026.1 或 current")] = "current",
    out: Out = "",
    open_only: Annotated[bool, typer.Option("--open", help="仅开放目录 / the open catalogue alone")] = False,
    as_json: Json = False,
) -> None:
    """导出目录 / An edition as JSON, DCAT (JSON-LD) or workbook."""
    path = ("open", "catalogue") if open_only else ("catalog", "export")
    asked: dict[str, Any] = {} if open_only else {"format": form, "edition": which}
    if form == "workbook" and not open_only:
        _saved(client().get(*path, **asked)["workbook"], out or "catalogue.xlsx", as_json)
        return
    pages = list(_pages(path, asked))
    made = _joined(pages) if form == "dcat" or open_only else [i for page in pages for i in page["items"]]
    text = json.dumps(made, ensure_ascii=False, indent=1)
    if out:
        Path(out).write_text(text, encoding="utf-8")
        show_json({"file": out}) if as_json else note(out)
    else:
        print(text)


def _pages(path: tuple[str, ...], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = client().get(*path, **asked, after=after, limit=200)
        yield page
        after = page["next"] or ""
        if not after:
            return


def _joined(pages: list[dict[str, Any]]) -> dict[str, Any]:
    """One JSON-LD document: nodes of the same id become one."""
    nodes: dict[str, dict[str, Any]] = {}
    for page in pages:
        for node in page["dcat"]["@graph"]:
            kept = nodes.setdefault(node["@id"], {})
            for name, value in node.items():
                both = isinstance(value, list) and isinstance(kept.get(name), list)
                kept[name] = [*kept[name], *(v for v in value if v not in kept[name])] if both else value
    return {"@context": pages[0]["dcat"]["@context"], "@graph": list(nodes.values())}


# --- editions ----------------------------------------------------------------


@edition.command("publish")
@command
def publish_edition(
    about: Annotated[str, typer.Option("--note", help="说明 / note")] = "", as_json: Json = False
) -> None:
    """发布目录版本 / Number what is published now."""
    told(client().post("catalog", "editions", body={"note": about}), _EDITION, as_json)


@edition.command("list")
@command
def list_editions(as_json: Json = False) -> None:
    """目录版本列表 / Editions."""
    listed(client().get("catalog", "editions")["items"], _EDITION, as_json)


@edition.command("get")
@command
def get_edition(id: str, as_json: Json = False) -> None:
    """一个版本的条目 / The entries of an edition."""
    items = client().items("catalog", "editions", id)
    heads = {"resource": "编号", "code": "代码", "title": "名称", "edition": "第几次发布"}
    listed(items, heads, as_json)


@edition.command("diff")
@command
def diff(
    id: Annotated[str, typer.Argument(help="2026.2 或 current")],
    since: Annotated[str, typer.Option("--from", help="缺省为上一版 / default: the one before")] = "",
    as_json: Json = False,
) -> None:
    """版本比较 / What changed from one edition to another."""
    found = client().get("catalog", "editions", id, "difference", **{"from": since})
    if as_json:
        show_json(found)
        return
    rows = [{"resource": one["resource"], "kind": "+ 新增"} for one in found["added"]]
    rows += [{"resource": one["resource"], "kind": "- 移除"} for one in found["removed"]]
    for one in found["changed"]:
        rows += [
            {"resource": one["resource"], "kind": "~ 变更", "path": ".".join(c["path"]), **_ends(c)}
            for c in one["changes"]
        ]
    heads = {"kind": "变化", "resource": "编号", "path": "元素", "before": "原值", "after": "新值"}
    show_table(rows, heads)


def _ends(change: dict[str, Any]) -> dict[str, Any]:
    return {"before": change.get("before"), "after": change.get("after")}


# --- views, elements, duties -------------------------------------------------


@view.command("list")
@command
def list_views(as_json: Json = False) -> None:
    """视图列表 / Views."""
    listed(client().get("catalog", "views")["items"], _VIEW, as_json)


@view.command("get")
@command
def get_view(id: str, as_json: Json = False) -> None:
    """按视图看目录 / The catalogue in a view: department theme demand open, or an own one."""
    found = client().get("catalog", "views", id)
    if as_json:
        show_json(found)
        return
    for group in found["groups"]:
        say(f"## {group['title']}")
        show_table(group["entries"], HIT)


@view.command("put")
@command
def put_view(
    id: str,
    zh: Annotated[str, typer.Option("--zh", help="中文名称")],
    en: Annotated[str, typer.Option("--en", help="English name")],
    group_by: Annotated[str, typer.Option("--group-by", help="provider kind theme demand …")],
    filters: Annotated[str, typer.Option("--filters", help="JSON: unit share_type open …")] = "{}",
    as_json: Json = False,
) -> None:
    """增改视图 / Add or change a view."""
    body = {"zh": zh, "en": en, "group_by": group_by, "filters": json_of(filters)}
    told(client().put("catalog", "views", id, body=body), _VIEW, as_json)


@view.command("remove")
@command
def remove_view(id: str, as_json: Json = False) -> None:
    """删除视图 / Remove a view."""
    told(client().delete("catalog", "views", id), _VIEW, as_json)


@element.command("list")
@command
def list_elements(as_json: Json = False) -> None:
    """数据元列表 / Registered data elements."""
    listed(client().get("catalog", "elements")["items"], _ELEMENT, as_json)


@element.command("put")
@command
def put_element(
    id: str,
    title: str,
    type: Annotated[str, typer.Argument(help="string integer decimal double boolean date timestamp")],
    kind: Annotated[str, typer.Option("--kind", help="content identifier technical")] = "content",
    semantic: Annotated[str, typer.Option("--semantic", help="citizen-id uscc …")] = "",
    as_json: Json = False,
) -> None:
    """登记数据元 / Register a data element."""
    body = {"title": title, "type": type, "kind": kind, "semantic": semantic}
    told(client().put("catalog", "elements", id, body=body), _ELEMENT, as_json)


@element.command("seed")
@command
def seed_elements(as_json: Json = False) -> None:
    """由数据模型登记 / Register what the contracts' fields lack."""
    listed(client().post("catalog", "elements", "seed")["items"], _ELEMENT, as_json)


@duty.command("register")
@command
def register_duty(
    unit: Annotated[str, typer.Argument(help="责任单位 / the unit that must update")],
    change: Annotated[str, typer.Argument(help="law function")],
    document: Annotated[str, typer.Argument(help="法规或文件 / the law or document")],
    resource: Annotated[list[str] | None, typer.Option("--resource", help="涉及资源 / resource")] = None,
    as_json: Json = False,
) -> None:
    """登记法规或职能变化 / Register a change; 15 working days start."""
    body = {"unit": unit, "change": change, "document": document, "resources": resource or []}
    shown(client().post("catalog", "duties", body=body), as_json)


@duty.command("list")
@command
def list_duties(unit: Unit = "", as_json: Json = False) -> None:
    """目录更新事项 / Duties."""
    listed(client().get("catalog", "duties", unit=unit)["items"], RECORD, as_json)


@duty.command("get")
@command
def get_duty(id: str, as_json: Json = False) -> None:
    """一项更新事项 / One duty."""
    shown(client().get("catalog", "duties", id), as_json)


@duty.command("step")
@command
def step_duty(id: str, name: str, given: Given = None, as_json: Json = False) -> None:
    """办理 / complete (--given entries='["IN-01"]'), release (--given reason=…)."""
    body = {"step": name, "given": given_of(given)}
    shown(client().post("catalog", "duties", id, "steps", body=body), as_json)


def _saved(file: dict[str, Any], out: str, as_json: bool) -> None:
    Path(out).write_bytes(base64.b64decode(file["content"]))
    show_json({"file": out}) if as_json else note(out)
