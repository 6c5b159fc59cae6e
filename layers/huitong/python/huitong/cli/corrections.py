"""``correction``, ``objection``, ``review``, ``bulk-correction`` and ``notice``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Case, Duty, GrantRef, Json, Limit, Resource, client
from huitong.cli.showing import command, note, show_json, show_members, show_table

correction = typer.Typer(help="数据校核 / corrections of records", no_args_is_help=True)
objection = typer.Typer(help="异议 / objections to records", no_args_is_help=True)
review = typer.Typer(help="向平台申请核查 / reviews by the platform", no_args_is_help=True)
bulk = typer.Typer(help="批量更正 / bulk corrections", no_args_is_help=True)
notice = typer.Typer(help="通知 / notices to the own unit", no_args_is_help=True)

TICKET: Final = {
    "id": "编号 id", "procedure": "类别 kind", "resource": "资源 resource", "fields": "字段 fields",
    "state": "状态 state", "parties": "各方 parties", "clocks": "时限 clocks", "possible": "可办理 possible",
    "receivers": "取得错误值的单位 receivers", "version": "版次 version",
}  # fmt: skip
_LISTED: Final = {n: TICKET[n] for n in ("id", "procedure", "resource", "state", "possible")}
_NOTICE: Final = {
    "id": "编号 id", "at": "时间 at", "kind": "类别 kind", "zh": "内容", "due": "期限 due",
    "must_acknowledge": "须确认 acknowledge", "read_at": "已读 read",
}  # fmt: skip

Given = Annotated[list[str] | None, typer.Option("--given", help="办理内容 / content, name=value; repeat")]
Seen = Annotated[int, typer.Option("--seen", help="所见版次 / version that was looked at")]
Key = Annotated[list[str] | None, typer.Option("--key", help="主键 / member=value of the key; repeat")]


def register(app: typer.Typer) -> None:
    app.add_typer(correction, name="correction")
    app.add_typer(objection, name="objection")
    app.add_typer(review, name="review")
    app.add_typer(bulk, name="bulk-correction")
    app.add_typer(notice, name="notice")
    for group, kind, path in (
        (correction, "", "corrections"),
        (objection, "objection", "objections"),
        (review, "review", "reviews"),
    ):
        group.command("file")(_filing(path))
        group.command("list")(_listing(kind))
        group.command("show")(show)
        group.command("step")(step)
        group.command("record")(record)
        group.command("report")(report)


def pairs(texts: list[str] | None) -> dict[str, Any]:
    """``name=value`` texts as members; several of one name are a list."""
    found: dict[str, Any] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text}: name=value")
        before = found.get(name)
        found[name] = (
            value if before is None else [*(before if isinstance(before, list) else [before]), value]
        )
    return found


def _filing(path: str) -> Callable[..., None]:
    @command
    def file(
        resource: str,
        fields: Annotated[str, typer.Option("--fields", help="所疑字段 / fields in doubt: a,b")],
        wrong: Annotated[str, typer.Option("--wrong", help="错在何处 / what is wrong; kept sealed")],
        key: Key = None,
        batch: Annotated[str, typer.Option("--batch", help="批次 / the record's _batch_id")] = "",
        row: Annotated[int, typer.Option("--row", help="行号 / the record's _source_row")] = 0,
        gap: Annotated[bool, typer.Option("--gap", help="应有而无 / the record is missing")] = False,
        found_on: Annotated[str, typer.Option("--found-on", help="发现日期 / day of finding")] = "",
        evidence: Annotated[str, typer.Option("--evidence", help="凭据编号 / document number")] = "",
        subject_proof: Annotated[
            str, typer.Option("--identity-proof", help="代当事人提出时的身份凭据 / for the person concerned")
        ] = "",
        case: Case = "",
        duty: Duty = "",
        grant: GrantRef = "",
        as_json: Json = False,
    ) -> None:
        """就一条记录提出 / File it for one record, named by its key or by its place."""
        asked: dict[str, Any] = {
            "fields": [name.strip() for name in fields.split(",") if name.strip()],
            "wrong": wrong,
            "key": pairs(key),
            "batch_id": batch,
            "source_row": row,
            "gap": gap,
            "found_on": found_on,
            "evidence": evidence,
            "by_subject": bool(subject_proof),
            "identity_proof": subject_proof,
        }
        body = {name: value for name, value in asked.items() if value}
        api = client(case=case, duty=duty, grant=grant)
        told(api.post("resources", resource, path, body=body), TICKET, as_json)

    return file


def _listing(kind: str) -> Callable[..., None]:
    @command
    def listed(resource: Resource = "", limit: Limit = 100, as_json: Json = False) -> None:
        """列表 / Those of the own unit, newest first."""
        items = client().items("corrections", kind=kind, resource=resource, limit=limit)
        several(items, _LISTED, as_json)

    return listed


@command
def show(id: str, as_json: Json = False) -> None:
    """查看 / One of them."""
    told(client().get("corrections", id), TICKET, as_json)


@command
def step(id: str, name: str, given: Given = None, seen: Seen = 0, as_json: Json = False) -> None:
    """办理 / Take a step: accept, refuse, examine, confirm, withdraw …"""
    body = {"step": name, "given": pairs(given), "seen": seen}
    told(client().post("corrections", id, "steps", body=body), TICKET, as_json)


@command
def record(id: str, as_json: Json = False) -> None:
    """所涉记录 / Which record, and what is said to be wrong."""
    told(client().get("corrections", id, "record"), {"key": "主键 key", "wrong": "错处 wrong"}, as_json)


@command
def report(id: str, as_json: Json = False) -> None:
    """办结报告 / The closing report."""
    members = {
        "ticket": "编号 id", "resource": "资源 resource", "fields": "字段 fields", "result": "结果 result",
        "working_days": "用时(工作日)working days", "closed_at": "办结 closed",
        "correction": "更正 correction",
    }  # fmt: skip
    told(client().get("corrections", id, "report"), members, as_json)


@bulk.command("request")
@command
def request_bulk(
    resource: str,
    what: Annotated[str, typer.Option("--what", help="更正内容 / what is to be corrected")],
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    rows: Annotated[int, typer.Option("--rows", help="约多少行 / about so many rows")] = 0,
    as_json: Json = False,
) -> None:
    """申请批量更正 / Apply for a bulk correction."""
    body = {"what": what, "reason": reason, **({"rows": rows} if rows else {})}
    told(client().post("resources", resource, "bulk-corrections", body=body), TICKET, as_json)


@bulk.command("list")
@command
def list_bulk(as_json: Json = False) -> None:
    """列表 / Bulk corrections."""
    several(client().get("bulk-corrections")["items"], _LISTED, as_json)


@bulk.command("show")
@command
def show_bulk(id: str, as_json: Json = False) -> None:
    """查看 / One bulk correction."""
    told(client().get("bulk-corrections", id), TICKET, as_json)


@bulk.command("step")
@command
def step_bulk(id: str, name: str, given: Given = None, seen: Seen = 0, as_json: Json = False) -> None:
    """办理 / Take a step: approve (designated=, decision=), refuse, recheck (result=)."""
    body = {"step": name, "given": pairs(given), "seen": seen}
    told(client().post("bulk-corrections", id, "steps", body=body), TICKET, as_json)


@notice.command("list")
@command
def list_notices(
    unread: Annotated[bool, typer.Option("--unread", help="只列未读 / unread ones only")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """通知列表 / Notices to the own unit, newest first."""
    items = client().items("notices", unread="true" if unread else "", limit=limit)
    several(items, _NOTICE, as_json)


@notice.command("ack")
@command
def acknowledge(
    id: str,
    remark: Annotated[str, typer.Option("--remark", help="说明 / a remark")] = "",
    as_json: Json = False,
) -> None:
    """确认通知 / Acknowledge a notice; of a correction: the own copies are corrected."""
    body = {"remark": remark} if remark else {}
    told(client().post("notices", id, "acknowledge", body=body), _NOTICE, as_json)


def told(found: dict[str, Any], members: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, members)


def several(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    elif not items:
        note("(没有记录 nothing)")
    else:
        show_table(items, columns)
