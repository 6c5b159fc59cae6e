"""``application``, ``dispute``, ``breach``, ``calendar``: who asks for what, and when it is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Resource, Since, Unit, Until, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table
from huitong.errors import BadRequest

application = typer.Typer(help="共享申请 / sharing applications", no_args_is_help=True)
dispute = typer.Typer(help="争议 / disputes", no_args_is_help=True)
breach = typer.Typer(help="逾期 / missed deadlines", no_args_is_help=True)
calendar = typer.Typer(help="工作日历 / calendar of working days", no_args_is_help=True)

_ONE: Final = {
    "id": "编号 id", "state_zh": "状态 state", "state": "", "resource": "资源 resource",
    "receiver": "使用单位 unit",
    "owner": "数源单位 owner", "fields": "字段 fields", "purpose": "用途 purpose", "ends": "止 until",
    "due": "期限 due", "version": "版本 version", "possible": "可办理 possible",
}  # fmt: skip
_LISTED: Final = {
    name: _ONE[name] for name in ("id", "state_zh", "resource", "receiver", "ends", "due", "possible")
}
_BREACH: Final = {
    "procedure": "程序 procedure", "id": "编号 id", "zh": "时限 clock", "unit": "单位 unit",
    "resource": "资源 resource",
    "due": "应于 due", "ended": "实际 ended", "days_late": "逾期工作日 days late",
}  # fmt: skip
_DISPUTE: Final = {
    "application": "申请 application", "resource": "资源 resource", "owner": "数源单位 owner",
    "receiver": "使用单位 unit", "state": "状态 state", "steps": "经过 steps",
}  # fmt: skip
_YEAR: Final = {"year": "年 year", "holidays": "放假 off", "make_up": "补班 work", "source": "依据 notice"}

Names = Annotated[str, typer.Option("--fields", help="字段 / single fields: a,b")]
Reason = Annotated[str, typer.Option("--reason", help="理由 / reason")]
Ends = Annotated[str, typer.Option("--to", help="截止日 / last day, e.g. 2026-12-31")]
Acting = Annotated[str, typer.Option("--unit", help="代表的单位 / unit to act for")]


def register(app: typer.Typer) -> None:
    for name, part in (
        ("application", application),
        ("dispute", dispute),
        ("breach", breach),
        ("calendar", calendar),
    ):
        app.add_typer(part, name=name)


@application.command("file")
@command
def file(
    resource: Annotated[str, typer.Argument(help="资源 / contract id, table or schema name")],
    fields: Names,
    purpose: Annotated[str, typer.Option("--purpose", help="用途 / purpose")],
    matter: Annotated[str, typer.Option("--matter", help="业务事项 / business matter")],
    users: Annotated[str, typer.Option("--users", help="使用人 / accounts or systems: a,b")],
    methods: Annotated[
        str, typer.Option("--methods", help="方式 / sql,read,pull,push,snapshot,export,comparison")
    ],
    ends: Ends,
    reason: Reason,
    unmasked: Annotated[str, typer.Option("--unmasked", help="请求明文的字段 / fields to be plain")] = "",
    row_filter: Annotated[str, typer.Option("--filter", help="行条件 / SQL condition")] = "",
    case_no: Annotated[str, typer.Option("--case", help="案号 / case")] = "",
    duty: Annotated[str, typer.Option("--duty", help="法定职责 / statutory duty")] = "",
    volume: Annotated[int, typer.Option("--volume", min=0, help="每日行数 / rows a day")] = 0,
    frequency: Annotated[str, typer.Option("--frequency", help="频率 / how often")] = "",
    starts: Annotated[str, typer.Option("--from", help="起始日 / first day")] = "",
    licence: Annotated[str, typer.Option("--licence", help="许可协议 / licence agreement")] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """填写申请草稿 / Draft an application; then ``application step ID submit``."""
    asked = {
        "resource": resource, "fields": _names(fields), "unmasked": _names(unmasked), "purpose": purpose,
        "matter": matter, "users": _names(users), "methods": _names(methods), "ends": ends, "reason": reason,
        "row_filter": row_filter, "case_no": case_no, "duty": duty, "volume": volume, "frequency": frequency,
        "starts": starts, "licence": licence,
    }  # fmt: skip
    given = {name: value for name, value in asked.items() if value}
    _told(client().post("applications", body=given, acting=acting), as_json)


@application.command("amend")
@command
def amend(
    id: Annotated[str, typer.Argument(help="在执行的申请 / application in force")],
    reason: Reason,
    ends: Ends = "",
    fields: Names = "",
    more: Annotated[str, typer.Option("--set", help='其他项 / other members as JSON: {"purpose": "…"}')] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """延期或变更 / Extend or change a sharing: a new application that takes its place once decided."""
    given = {"ends": ends, "fields": _names(fields), **_json(more)}
    body = {"amends": id, "reason": reason, **{k: v for k, v in given.items() if v}}
    _told(client().post("applications", body=body, acting=acting), as_json)


@application.command("elsewhere")
@command
def elsewhere(
    at: Annotated[str, typer.Argument(metavar="UNIT", help="外地或上级单位 / the unit elsewhere")],
    wanted: Annotated[str, typer.Argument(metavar="RESOURCE", help="所需资源 / what is wanted")],
    members: Annotated[str, typer.Option("--set", help="申请内容 / members as JSON, or @file")],
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """申请外地或上级单位的数据 / Ask a unit of another area or level; passed on and followed here."""
    body = {"elsewhere": {"unit": at, "resource": wanted}, **_json(members)}
    _told(client().post("applications", body=body, acting=acting), as_json)


@application.command("step")
@command
def step(
    id: str,
    name: Annotated[
        str, typer.Argument(metavar="STEP", help="步骤 / e.g. submit send decide refuse provide")
    ],
    given: Annotated[str, typer.Option("--given", help='内容 / JSON, or @file: {"reason": "…"}')] = "",
    seen: Annotated[int, typer.Option("--seen", min=0, help="所见版本 / version that you looked at")] = 0,
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """办理一步 / Take a step; ``application show`` tells which are possible."""
    body: dict[str, Any] = {"step": name, "given": _json(given)} | ({"seen": seen} if seen else {})
    _told(client().post("applications", id, "steps", body=body, acting=acting), as_json)


@application.command("show")
@command
def show(id: str, acting: Acting = "", as_json: Json = False) -> None:
    """一份申请 / One application, and what you may do with it."""
    _told(client().get("applications", id, acting=acting), as_json)


@application.command("list")
@command
def list_applications(
    unit: Unit = "",
    state: Annotated[str, typer.Option("--state", help="状态 / state")] = "",
    resource: Resource = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """申请列表 / Applications of your unit and to it."""
    found = client().items("applications", limit=limit, unit=unit, state=state, resource=resource)
    if as_json:
        show_json({"items": found})
    else:
        show_table([_flat(one) for one in found], _LISTED)


@application.command("sheet")
@command
def sheet(
    id: str,
    out: Annotated[
        Path | None, typer.Option("--out", help="存为可打印网页 / save as a page for printing")
    ] = None,
    as_json: Json = False,
) -> None:
    """实施单 / The implementation sheet."""
    if out is None:
        found = client().get("applications", id, "sheet")
        show_json(found) if as_json else show_members(found, {name: name for name in found})
        return
    answer = client().answer("GET", "applications", id, "sheet", accept="text/html", format="html")
    out.write_bytes(answer.data)
    note(f"→ {out}")


@dispute.command("list")
@command
def list_disputes(as_json: Json = False) -> None:
    """争议及结果 / Disputes with their stages and results, as published."""
    found = client().get("disputes")["items"]
    for one in [] if as_json else found:
        one["steps"] = " → ".join(f"{s['day']} {s['step']}" for s in one["steps"])
    _listed(found, _DISPUTE, as_json)


@breach.command("list")
@command
def list_breaches(unit: Unit = "", since: Since = "", until: Until = "", as_json: Json = False) -> None:
    """逾期记录 / Missed deadlines."""
    found = client().get("breaches", unit=unit, **{"from": since, "to": until})["items"]
    _listed(found, _BREACH, as_json)


@calendar.command("show")
@command
def show_calendar(year: int, as_json: Json = False) -> None:
    """一年的放假与补班 / A year's holidays and make-up days."""
    found = client().get("calendar", str(year))
    show_json(found) if as_json else show_members(found, _YEAR)


@calendar.command("put")
@command
def put_calendar(
    year: int,
    file: Annotated[Path, typer.Argument(help="CSV: day,kind (holiday 或 make-up)", exists=True)],
    source: Annotated[str, typer.Option("--source", help="通知文号 / number of the notice")] = "",
    as_json: Json = False,
) -> None:
    """维护一年的工作日历 / Set a year's calendar from a CSV file."""
    import csv

    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    kinds: dict[str, list[str]] = {"holiday": [], "make-up": []}
    for number, row in enumerate(rows, 2):
        if row.get("kind") not in kinds or not row.get("day"):
            zh, en = (
                f"第{number}行应为 日期,holiday 或 make-up",
                f"Line {number} is not day,holiday or make-up",
            )
            raise BadRequest(zh, en)
        kinds[str(row["kind"])].append(str(row["day"]))
    body = {"holidays": kinds["holiday"], "make_up": kinds["make-up"], "source": source}
    found = client().put("calendar", str(year), body=body)
    show_json(found) if as_json else say(
        f"{found['year']}: {len(found['holidays'])} + {len(found['make_up'])}"
    )


def _told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(_flat(found), {k: v for k, v in _ONE.items() if v})


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    ticking = [c["due"] for c in found["clocks"].values() if not c["stopped"] and not c["paused"]]
    possible = " ".join(s["step"] for s in found["possible"])
    return {
        **found["content"],
        **found["parties"],
        **found,
        "due": min(ticking, default=""),
        "possible": possible,
    }


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _json(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(Path(text[1:]).read_text("utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise BadRequest("内容不是 JSON 对象", "The content is not a JSON object") from error
    if not isinstance(found, dict):
        raise BadRequest("内容不是 JSON 对象", "The content is not a JSON object")
    return found


def _listed(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, columns)
