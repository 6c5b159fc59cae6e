"""``audit`` and ``suspension``: the evidence, who received a person's data, verification."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Resource, Since, Unit, Until, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

audit = typer.Typer(help="留痕 / evidence", no_args_is_help=True)
suspension = typer.Typer(help="暂停使用 / suspended use", no_args_is_help=True)
_SHARDS: Final = 16
_USES: Final = {
    "at": "时间 at", "act": "行为 act", "unit": "单位 unit", "actor": "人员 actor",
    "resource": "资源 resource", "fields": "字段 fields", "path": "途径 path", "grant": "授权 grant",
    "case_no": "案号 case",
    "purpose": "用途 purpose", "count": "行数 rows", "id": "编号 id",
}  # fmt: skip
_SUSPENDED: Final = {
    "principal": "主体 principal", "at": "时间 at", "by": "操作人 by", "reason": "理由 reason",
    "lifted": "已恢复 lifted",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    app.add_typer(audit, name="audit")
    app.add_typer(suspension, name="suspension")


@audit.command("list")
@command
def search(
    unit: Unit = "",
    resource: Resource = "",
    actor: Annotated[str, typer.Option("--actor", help="人员或系统 / person or system")] = "",
    act: Annotated[str, typer.Option("--act", help="行为 / query, share, download …")] = "",
    case_no: Annotated[str, typer.Option("--case-no", help="案号 / case")] = "",
    path: Annotated[str, typer.Option("--path", help="途径 / sql, push, pull, export …")] = "",
    grant: Annotated[str, typer.Option("--grant", help="授权 / grant")] = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """查询留痕 / Search the evidence, newest first."""
    asked = {"resource": resource, "actor": actor, "act": act, "case_no": case_no, "path": path,
             "grant": grant, "from": since, "to": until}  # fmt: skip
    items = client().items("evidence", limit=limit, **({"unit": unit} if unit else {}), **asked)
    _listed(items, _USES, as_json)


@audit.command("recipients")
@command
def recipients(
    resource: Resource = "",
    key: Annotated[list[str], typer.Option("--key", help="主键 字段=值 / key field=value")] = [],  # noqa: B006
    field: Annotated[list[str], typer.Option("--field", help="只看这些字段 / only these fields")] = [],  # noqa: B006
    since: Since = "",
    until: Until = "",
    as_json: Json = False,
) -> None:
    """谁收到过此人或此记录 / Who received a person's data (asks for the number) or a record."""
    body: dict[str, Any] = {"fields": field, "from": since, "to": until}
    if resource:
        body |= {"resource": resource, "key": dict(part.partition("=")[::2] for part in key)}
    else:  # never an argument: the shell's history and the list of processes would show it
        body["id_no"] = (
            getpass.getpass("证件号码 / identity number: ")
            if sys.stdin.isatty()
            else sys.stdin.readline().strip()
        )
    found = client().post("evidence", "recipients", body={k: v for k, v in body.items() if v})
    _listed(found["items"], _USES, as_json)


@audit.command("verify")
@command
def verify(
    shard: Annotated[int, typer.Option("--shard", help="分片 0–15;缺省全部 / one chain; all without")] = -1,
    first: Annotated[int, typer.Option("--from", min=0, help="自此序号之后 / after this number")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="至此序号 / up to this number; 0 = the end")] = 0,
    file: Annotated[Path | None, typer.Option("--file", help="离线核验导出目录 / an export, offline")] = None,
    as_json: Json = False,
) -> None:
    """核验留痕链 / Verify the chains: tells the first changed, removed, inserted, moved or cut-off record.

    Exit status 0 when all is whole, 1 when something is found.
    """
    if file is not None:
        _told(_offline(file), as_json)
        return
    api, findings, count = client(), [], 0
    for one in range(_SHARDS) if shard < 0 else (shard,):
        after = str(first)
        while after:
            size = min(2_000, last - int(after)) if last else 2_000
            if size <= 0:
                break
            page = api.get("evidence", "verification", shard=one, after=after, limit=size)
            count += page["count"]
            findings += [page["finding"]] if page.get("finding") else []
            after = page["next"] or ""
    _told({"entries": count, "findings": findings}, as_json)


@audit.command("export")
@command
def export(folder: Path, as_json: Json = False) -> None:
    """导出留痕链与签名链头 / Export all chains and signed heads, to be verified elsewhere."""
    api = client()
    (folder / "heads").mkdir(parents=True, exist_ok=True)
    heads = 0
    for n, item in enumerate(_pages(api, "evidence", "heads", limit=100)):
        (folder / "heads" / f"{n:08}.json").write_bytes(item["text"].encode())
        heads = n + 1
    count = 0
    for shard in range(_SHARDS):
        with (folder / f"chain-{shard:02}.ndjson").open("w", encoding="utf-8") as target:
            for entry in _pages(api, "evidence", "entries", shard=shard, limit=1_000):
                target.write(json.dumps(entry, ensure_ascii=False) + "\n")
                count += 1
    if as_json:
        show_json({"entries": count, "heads": heads, "folder": str(folder)})
    else:
        note(f"{count} 条记录 entries, {heads} 个链头 heads → {folder}")


@suspension.command("list")
@command
def list_suspensions(as_json: Json = False) -> None:
    """暂停名单 / Whose use was suspended."""
    _listed(client().get("suspensions")["items"], _SUSPENDED, as_json)


@suspension.command("put")
@command
def suspend(principal: str, reason: Annotated[str, typer.Option("--reason")], as_json: Json = False) -> None:
    """暂停数据使用 / Suspend somebody's use of data."""
    _one(client().post("suspensions", body={"principal": principal, "reason": reason}), as_json)


@suspension.command("lift")
@command
def lift(principal: str, reason: Annotated[str, typer.Option("--reason")], as_json: Json = False) -> None:
    """恢复数据使用 / Let somebody use data again."""
    _one(client().post("suspensions", principal, "lift", body={"reason": reason}), as_json)


def _pages(api: Any, *path: str, limit: int, **query: Any) -> Iterator[Any]:
    after = ""
    while True:
        page = api.get(*path, after=after, limit=limit, **query)
        yield from page["items"]
        after = page["next"] or ""
        if not after:
            return


def _offline(folder: Path) -> dict[str, Any]:
    from huitong.audit.checking import check_export
    from huitong.audit.signatures import fits

    def entries() -> Iterator[dict[str, Any]]:
        for path in sorted(folder.glob("chain-*.ndjson")):
            with path.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines)

    heads = [(p.name, p.read_bytes()) for p in sorted((folder / "heads").glob("*.json"))]
    return check_export(entries(), heads, fits)


def _told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    for one in () if as_json else found["findings"]:
        say(f"✗ 分片 {one['shard']} 第 {one['n']} 条 {one['at']} {one['id']}: {one['zh']} / {one['en']}")
    if not as_json:
        say(f"{found['entries']} 条记录 entries, {len(found['findings'])} 处问题 findings")
    if found["findings"]:
        raise typer.Exit(1)


def _one(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, _SUSPENDED)


def _listed(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, columns)
