"""``returned`` and ``quarantine list|show|preview|replay``: bad rows come back and are mended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from huitong.cli.batches import show_batch
from huitong.cli.options import Json, Limit, Resource, Unit, client
from huitong.cli.showing import command, note, show_json, show_members, show_table

quarantine = typer.Typer(help="隔离区 / rows in quarantine", no_args_is_help=True)

_HELD = {
    "batch": "批次 batch", "resource": "资源 resource", "unit": "单位 unit", "at": "报送时间 delivered",
    "rows": "隔离 rows", "open": "待补正 open", "mended": "已补正 mended", "replayed": "已重放 replayed",
    "expired": "已过期 expired", "ends": "保留至 held until",
}  # fmt: skip
_LINES = {
    "group": "分组 group", "batches": "批次 batches", "rows": "行 rows", "open": "待补正 open",
    "mended": "已补正 mended", "replayed": "已重放 replayed", "expired": "已过期 expired",
}  # fmt: skip
_PREVIEW = {
    "batch": "批次 batch", "open": "待补正 open", "looked_at": "已试 looked at",
    "would_pass": "将通过 would pass",
    "still_bad": "仍有问题 still bad", "unreadable": "无法试 unreadable", "sampled": "抽样 sampled",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("returned")(returned)
    app.add_typer(quarantine, name="quarantine")


@command
def returned(
    id: Annotated[str, typer.Argument(metavar="BATCH", help="批次 / batch")],
    output: Annotated[str, typer.Option("--output", "-o", help="写入文件 / file to write")] = "",
    whole: Annotated[bool, typer.Option("--all", help="全部行,不只是坏行 / all rows")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="等待秒数 / seconds")] = 300,
    unit: Unit = "",
    as_json: Json = False,
) -> None:
    """退回文件:原文件中逐行注明问题 / Your own file back, with what is wrong beside each row."""
    api = client()
    asked = api.post("batches", id, "returned", body={"all": whole} if whole else {}, acting=unit)
    if not asked["ready"]:
        note("  … 正在生成 being made")
    made = _waited(api, id, whole, unit, timeout)
    target = Path(output) if output else _free(Path(Path(made["filename"]).name))
    api.download(made["url"], target, sha256=made["sha256"])
    if as_json:
        show_json({**{k: v for k, v in made.items() if k != "url"}, "file": str(target)})
    else:
        note(f"✓ {target}  {made['rows']} 行 rows")
        if made.get("note_zh"):
            note(f"  {made['note_zh']} / {made['note_en']}")
        note(f"  补正后 then: huitong upload {target} --resource … --mends {id}")


def _free(path: Path) -> Path:
    """A name that is not taken: somebody may be mending the file of before."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in range(2, 1_000))
    return next((p for p in (path, *numbered) if not p.exists()), path)


def _waited(api: Any, id: str, whole: bool, unit: str, timeout: float) -> dict[str, Any]:
    """The file once it is made. Raises Refused, also when the time is over."""
    from huitong.cli.client import Refused  # loads urllib3, which other commands do without

    end, pause = time.monotonic() + timeout, 0.2
    asked = {"all": "true"} if whole else {}
    while True:
        try:
            found: dict[str, Any] = api.get("batches", id, "returned", acting=unit, **asked)
        except Refused as refused:
            if refused.problem.get("status") != 404 or time.monotonic() >= end:
                raise
        else:
            return found
        time.sleep(pause)
        pause = min(pause * 1.4, 3.0)


@quarantine.command("list")
@command
def listed(
    by: Annotated[str, typer.Option("--by", help="batch | rule | unit | age")] = "batch",
    resource: Resource = "",
    unit: Unit = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """隔离的行,按批次、规则、单位或时长 / What is held, by batch, rule, unit or age."""
    items = client().items("quarantine", limit=limit, group=by, resource=resource, unit=unit)
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _HELD if by == "batch" else _LINES)


@quarantine.command("show")
@command
def show(id: str, as_json: Json = False) -> None:
    """一个批次的隔离行 / What is held of a batch."""
    found = client().get("batches", id, "quarantine")
    show_json(found) if as_json else show_members(found, _HELD)


@quarantine.command("preview")
@command
def preview(id: str, as_json: Json = False) -> None:
    """按现行规则预览,不写入 / How many rows would pass by now; nothing is written."""
    found = client().get("batches", id, "quarantine", "preview")
    if as_json:
        show_json(found)
        return
    show_members(found, _PREVIEW)
    show_table(found["by_rule"], {"rule": "规则 rule", "before": "当时 before", "now": "现在 now"})
    if found.get("zh"):
        note(f"  {found['zh']} / {found['en']}")


@quarantine.command("replay")
@command
def replay(id: str, as_json: Json = False) -> None:
    """按现行规则重新处理隔离的行 / Bring the rows again, under the rules as they are now."""
    found = client().post("batches", id, "quarantine", "replay")
    show_json(found) if as_json else show_batch(found)
