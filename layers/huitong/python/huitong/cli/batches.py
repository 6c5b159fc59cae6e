"""``batch show|list|release|reject|replay``, ``findings`` and ``ledger``."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Resource, Since, Unit, Until, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

batch = typer.Typer(help="批次 / batches", no_args_is_help=True)

_MEMBERS: Final = {
    "id": "批次 batch",
    "resource": "资源 resource",
    "unit": "单位 unit",
    "filename": "文件 file",
    "edition": "版本 edition",
    "mode": "方式 mode",
    "status": "状态 status",
    "decision": "结论 decision",
    "received": "接收 received",
    "accepted": "合格 accepted",
    "quarantined": "隔离 quarantined",
    "duplicate": "重复 duplicate",
    "inserted": "新增 inserted",
    "updated": "更新 updated",
    "deleted": "删除 deleted",
    "unchanged": "未变 unchanged",
    "received_at": "接收时间 received at",
    "published_at": "发布时间 published at",
    "duplicate_of": "与之重复 duplicate of",
    "released_by": "放行人 released by",
}
_COLUMNS: Final = {
    "id": "批次 batch", "resource": "资源", "status": "状态 status", "received": "接收", "accepted": "合格",
    "quarantined": "隔离", "duplicate": "重复", "inserted": "新增", "updated": "更新", "deleted": "删除",
    "unchanged": "未变", "received_at": "接收时间",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    app.add_typer(batch, name="batch")
    app.command("findings")(findings)
    app.command("ledger")(ledger)


def show_batch(found: dict[str, Any]) -> None:
    """A batch for people: counts, quality, and why it is held or refused."""
    show_members(found, _MEMBERS)
    quality = found.get("quality") or {}
    if found.get("received"):
        show_members(quality, {"score": "质量得分 score", "by_rule": "按规则 by rule"})
    for reason in (found.get("refusal"), found.get("preview")):
        if reason:
            say(f"原因 reason: {reason.get('zh', '')} / {reason.get('en', '')}")
            for one in reason.get("problems") or ():
                say(f"  - {one.get('zh', '')} / {one.get('en', '')}")


@batch.command("show")
@command
def show(id: str, as_json: Json = False) -> None:
    """一个批次 / One batch."""
    _told(client().get("batches", id), as_json)


@batch.command("list")
@command
def listed(
    resource: Resource = "",
    unit: Unit = "",
    status: Annotated[str, typer.Option("--status", help="例如 held")] = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """批次列表,新的在前 / Batches, newest first."""
    query = {"resource": resource, "status": status, "from": since, "to": until}
    items = client().items("batches", limit=limit, unit=unit, **query)
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _COLUMNS)


@batch.command("release")
@command
def release(id: str, as_json: Json = False) -> None:
    """放行被暂挂的批次 / Release a held batch."""
    _told(client().post("batches", id, "release"), as_json)


@batch.command("reject")
@command
def reject(
    id: str,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    as_json: Json = False,
) -> None:
    """驳回被暂挂的批次 / Reject a held batch."""
    _told(client().post("batches", id, "reject", body={"reason": reason}), as_json)


@batch.command("replay")
@command
def replay(id: str, as_json: Json = False) -> None:
    """重放失败的批次 / Set a failed batch moving again."""
    _told(client().post("batches", id, "replay"), as_json)


@batch.command("again")
@command
def again(id: str, as_json: Json = False) -> None:
    """按现行契约重新处理最新的交付 / Take the newest delivery in again by the present contract."""
    _told(client().post("batches", id, "again"), as_json)


@command
def findings(id: str, limit: Limit = 1_000, as_json: Json = False) -> None:
    """批次的质量问题 / What is wrong with the rows of a batch."""
    items = client().items("batches", id, "findings", limit=limit)
    if as_json:
        show_json({"items": items})
        return
    columns = {
        "source_row": "行 row",
        "column": "字段 column",
        "rule": "规则 rule",
        "value": "值 value",
        "zh": "说明",
        "en": "",
    }
    show_table(items, columns)


@command
def ledger(
    batch_id: Annotated[str, typer.Option("--batch", help="批次 / batch")] = "",
    resource: Resource = "",
    unit: Unit = "",
    since: Since = "",
    until: Until = "",
    as_json: Json = False,
) -> None:
    """对账 / The ledger, and whether it balances (exit status 1 when it does not)."""
    query = {"batch": batch_id, "resource": resource, "from": since, "to": until}
    report = client().get("ledger", unit=unit, **query)
    if as_json:
        show_json(report)
    else:
        counts = {k: v for k, v in report.items() if isinstance(v, int | str | bool) and v != ""}
        show_members(counts, {name: name for name in counts})
    if not report["balanced"]:
        note("✗ 账目不平 / the ledger does not balance")
        raise SystemExit(1)


def _told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_batch(found)
