"""``rectification``, ``complaint``, ``change-notice``, ``compliance``, ``restriction``, ``report annual``."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.matters import Noun, commands, listed
from huitong.cli.options import Json, Unit, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

NOUNS: Final = {
    "complaint": Noun("complaints", "file", "投诉", "complaints"),
    "change-notice": Noun("change-notices", "file", "系统变更备案", "planned changes of source systems"),
    "compliance": Noun("compliance-checks", "prepare", "新建项目合规检查", "checks of new projects"),
    "annual-report": Noun("annual-reports", "announce", "年度报告", "annual reports", ("year",)),
}
_RESTRICTION: Final = {
    "id": "编号 id", "unit": "单位 unit", "state": "状态 state", "reason_zh": "原因", "reason_en": "reason",
    "effects": "限制 effects", "since": "起 since", "ended_at": "止 ended",
}  # fmt: skip
_POLICY: Final = {
    "automatic": "自动 automatic",
    "grace_days": "宽限日 days of grace",
    "effects": "限制 effects",
}
_FIGURE: Final = {"zh": "指标", "en": "figure", "value": "数值 value", "note": "说明 note"}

rectification = commands(Noun("rectifications", "issue", "整改通知", "rectification notices"))
restriction = typer.Typer(help="单位限制 / restrictions of units", no_args_is_help=True)
report = typer.Typer(help="报告 / reports", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="理由 / reason")]
Effects = Annotated[str, typer.Option("--effects", help="限制内容 / grants,derived")]


def register(app: typer.Typer) -> None:
    app.add_typer(rectification, name="rectification")
    for name, noun in NOUNS.items():
        app.add_typer(commands(noun), name=name)
    app.add_typer(restriction, name="restriction")
    app.add_typer(report, name="report")


@rectification.command("overdue")
@command
def overdue(as_json: Json = False) -> None:
    """逾期整改 / Rectification notices whose time limit has passed."""
    listed(client().get("overdue-rectifications")["items"], as_json)


@restriction.command("list")
@command
def restrictions(unit: Unit = "", as_json: Json = False) -> None:
    """限制名单 / Restrictions in force or proposed; of one unit also those that ended."""
    items = client().get("restrictions", unit=unit)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _RESTRICTION)


@restriction.command("impose")
@command
def impose(unit: str, reason: Reason, effects: Effects = "grants,derived", as_json: Json = False) -> None:
    """限制单位 / Restrict a unit by decision."""
    body = {"unit": unit, "reason": reason, "effects": effects.split(",")}
    _told(client().post("restrictions", body=body), _RESTRICTION, as_json)


@restriction.command("confirm")
@command
def confirm(unit: str, id: str, reason: Reason, as_json: Json = False) -> None:
    """确认拟定的限制 / Put a proposed restriction in force."""
    _told(_decided(unit, id, "confirm", reason), _RESTRICTION, as_json)


@restriction.command("lift")
@command
def lift(unit: str, id: str, reason: Reason, as_json: Json = False) -> None:
    """解除限制 / Lift a restriction. One for arrears comes back while they last."""
    _told(_decided(unit, id, "lift", reason), _RESTRICTION, as_json)


@restriction.command("policy")
@command
def policy(
    automatic: Annotated[bool | None, typer.Option("--automatic/--by-decision", help="自动或经决定")] = None,
    grace: Annotated[int | None, typer.Option("--grace-days", min=0, help="宽限日 / days of grace")] = None,
    effects: Effects = "",
    as_json: Json = False,
) -> None:
    """限制办法 / When units in arrears are restricted: shows it, or sets what is given."""
    api = client()
    found = api.get("restriction-policy")
    changes = {
        "automatic": automatic,
        "grace_days": grace,
        "effects": effects.split(",") if effects else None,
    }
    wanted = {**found, **{k: v for k, v in changes.items() if v is not None}}
    _told(api.put("restriction-policy", body=wanted) if wanted != found else found, _POLICY, as_json)


@report.command("annual")
@command
def annual(
    year: Annotated[str, typer.Argument(help="年度 / year")],
    count: Annotated[
        bool, typer.Option("--count/--no-count", help="补齐未统计的月份 / count missing months")
    ] = True,
    made: Annotated[str, typer.Option("--as", help="workbook 工作簿 | page 打印稿 / make a file, too")] = "",
    as_json: Json = False,
) -> None:
    """年度共享报告的数据 / The figures of a year's report; counts the months that are missing."""
    api = client()
    found = api.get("annual-reports", year, "figures")
    for month in found["missing"] if count else ():
        note(f"统计 counting {month}")
        api.post("annual-reports", year, "months", body={"month": int(month[-2:])})
    found = api.get("annual-reports", year, "figures") if count else found
    file = api.post("annual-reports", year, made) if made else None
    if as_json:
        show_json({**found, **({"file": file} if file else {})})
        return
    show_table([{**line, "value": _value(line["value"])} for line in found["summary"]], _FIGURE)
    if found["missing"]:
        note(f"未统计月份 not counted: {' '.join(found['missing'])}")
    if file:
        say(f"{file['document']}\n{file['url']}")


def _value(value: Any) -> str:
    return "未统计 not counted" if value is None else str(value)


def _decided(unit: str, id: str, step: str, reason: str) -> dict[str, Any]:
    body = {"id": id, "step": step, "reason": reason}
    answered: dict[str, Any] = client().post("restrictions", unit, "steps", body=body)
    return answered


def _told(found: dict[str, Any], members: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, members)
