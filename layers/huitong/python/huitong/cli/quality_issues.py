"""``issue``, ``conflict``, ``score``, ``ranking``, ``overdue``, ``statistics``, ``report quality``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.matters import Acting, Content, Set, content_of, listed, stepped, told
from huitong.cli.options import Json, Limit, Resource, Unit, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

Month = Annotated[str, typer.Option("--month", help="月份 / a month, e.g. 2026-01")]
State = Annotated[str, typer.Option("--state", help="状态 / state")]
StepName = Annotated[str, typer.Argument(metavar="STEP", help="步骤,见 show / one of those that show lists")]
Seen = Annotated[int, typer.Option("--seen", help="所见版本 / the version that was looked at")]

issue = typer.Typer(help="质量问题 / quality issues", no_args_is_help=True)
conflict = typer.Typer(help="多元校核差异 / conflicts between units", no_args_is_help=True)
score = typer.Typer(help="质量评分 / scores", no_args_is_help=True)
_ISSUE: Final = {
    "id": "编号 id", "state_zh": "状态 state", "resource": "资源 resource", "rule": "规则 rule",
    "column": "数据项 field", "remaining": "未整改 open", "due": "期限 due", "officer": "承办 officer",
}  # fmt: skip
_SCORE: Final = {
    "unit": "单位 unit", "resource": "资源 resource", "completeness": "完整", "conformity": "规范",
    "timeliness": "及时", "consistency": "一致", "logic": "逻辑", "quality": "质量 quality",
    "total": "总分 total",
}  # fmt: skip
_RANK: Final = {
    "rank": "名次 rank", "unit": "单位 unit", "name": "名称 name", "total": "总分 total",
    "provision": "提供", "timeliness": "及时", "quality": "质量",
}  # fmt: skip
_OVERDUE: Final = {
    "zh": "事项 duty", "kind": "类别 kind", "unit": "单位 unit", "resource": "资源 resource", "id": "编号 id",
    "due": "期限 due", "days": "逾期工作日 days", "restricted": "已限制 restricted",
}  # fmt: skip
_STATISTICS: Final = {
    "period": "期间 period", "unit": "单位 unit", "resource": "资源 resource", "direction": "方向",
    "batches": "批次", "received": "行数 rows", "changes": "变更", "events": "推送", "queries": "查询",
    "pulls": "拉取", "rows": "取得行数",
}  # fmt: skip
_ALERT: Final = {"id": "编号 id", "metric": "指标 metric", "kind": "条件 kind", "value": "值 value",
                 "scope": "范围", "enabled": "启用"}  # fmt: skip


def register(app: typer.Typer) -> None:
    from huitong.cli.supervision import report

    app.add_typer(issue, name="issue")
    app.add_typer(conflict, name="conflict")
    app.add_typer(score, name="score")
    app.command("ranking")(ranking)
    app.command("overdue")(overdue)
    app.command("statistics")(statistics)
    report.command("quality")(quality)


@issue.command("list")
@command
def issues(
    unit: Unit = "",
    state: State = "",
    resource: Resource = "",
    batch: Annotated[str, typer.Option("--batch", help="批次 / batch")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="只看我的 / only mine")] = False,
    late: Annotated[bool, typer.Option("--late", help="只看逾期 / only overdue")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """质量问题列表 / Quality issues of a unit, or of all for the operator's desk."""
    more = {"officer": "me" if mine else "", "late": "yes" if late else ""}
    found = client().get(
        "quality-issues", unit=unit, state=state, resource=resource, batch=batch, limit=limit, **more
    )
    if as_json:
        show_json(found)
        return
    show_table([_line(i) for i in found["items"]], _ISSUE)
    note(" ".join(f"{k}={v}" for k, v in found["counts"].items() if v))


@issue.command("show")
@command
def show_issue(id: str, acting: Acting = "", as_json: Json = False) -> None:
    """查看质量问题 / One issue and what may be done."""
    told(client().get("quality-issues", id, acting=acting), as_json)


@issue.command("step")
@command
def step_issue(
    id: str,
    name: StepName,
    settings: Set = None,
    content: Content = "",
    seen: Seen = 0,
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """办理质量问题 / Take a step: assign, report, dispute, confirm, return, uphold, reject, close."""
    given = content_of(settings or (), content)
    told(stepped("quality-issues", id, name, given, acting=acting, seen=seen), as_json)


@issue.command("policy")
@command
def issue_policy(
    content: Content = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """查看或设定办理期限 / Show the time limits, or set them (--set days=5)."""
    body = content_of(settings or (), content, ("days", "warning_percent", "rectify_days"))
    kept = client().put("quality-policy", body=body) if body else client().get("quality-policy")
    if as_json:
        show_json(kept)
    else:
        show_members(kept, {name: name for name in kept})


@conflict.command("list")
@command
def conflicts(unit: Unit = "", state: State = "", limit: Limit = 100, as_json: Json = False) -> None:
    """差异列表 / Conflicts."""
    listed(client().items("conflicts", limit=limit, unit=unit, state=state), as_json)


@conflict.command("show")
@command
def show_conflict(id: str, acting: Acting = "", as_json: Json = False) -> None:
    """查看差异 / One conflict and what may be done."""
    told(client().get("conflicts", id, acting=acting), as_json)


@conflict.command("records")
@command
def conflict_records(id: str, acting: Acting = "", as_json: Json = False) -> None:
    """差异记录(掩码)/ The differing records, masked."""
    found = client().get("conflicts", id, "records", acting=acting)
    if as_json:
        show_json(found)
    else:
        names = {"batch_id": "批次 batch", "source_row": "行 row", "own": "本方 own", "theirs": "对方 theirs"}
        show_table(found["items"], names)


@conflict.command("step")
@command
def step_conflict(
    id: str,
    name: StepName,
    settings: Set = None,
    content: Content = "",
    seen: Seen = 0,
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """办理差异 / Decide: mine, theirs, both (with --set reason=…)."""
    given = content_of(settings or (), content)
    told(stepped("conflicts", id, name, given, acting=acting, seen=seen), as_json)


@score.command("show")
@command
def show_scores(month: Month = "", unit: Unit = "", resource: Resource = "", as_json: Json = False) -> None:
    """评分 / Scores of units and resources for a month."""
    found = client().get("scores", month=month, unit=unit, resource=resource)
    if as_json:
        show_json(found)
        return
    show_table([*found["units"], *found["resources"]], _SCORE)


@score.command("alerts")
@command
def alerts(month: Month = "", as_json: Json = False) -> None:
    """预警规则与预警 / Rules of alerts, and what they told of."""
    found = client().get("score-alerts", month=month)
    if as_json:
        show_json(found)
        return
    show_table(found["rules"], _ALERT)
    show_table(found["items"], {"id": "预警 alert", "value": "评分 score", "state": "处置 state"})


@score.command("alert")
@command
def put_alert(settings: Set = None, content: Content = "", as_json: Json = False) -> None:
    """设定预警 / Keep a rule: --set id=… --set metric=quality --set kind=below --set value=90."""
    kept = client().put("score-alerts", body=content_of(settings or (), content, ("value",)))
    if as_json:
        show_json(kept)
    else:
        show_members(kept, _ALERT)


@score.command("handled")
@command
def handled(
    month: str,
    id: str,
    remark: Annotated[str, typer.Option("--remark", help="处置情况 / what was done")],
    as_json: Json = False,
) -> None:
    """处置预警 / Note what was done about an alert."""
    done = client().post("score-alerts", body={"month": month, "id": id, "remark": remark})
    if as_json:
        show_json(done)
    else:
        show_members(done, {name: name for name in done})


@command
def ranking(month: Month = "", as_json: Json = False) -> None:
    """绩效排名 / Units ranked for a month."""
    _told(client().get("ranking", month=month), _RANK, as_json)


@command
def overdue(unit: Unit = "", as_json: Json = False) -> None:
    """电子监察清单 / What is overdue now."""
    _told(client().get("overdue", unit=unit), _OVERDUE, as_json)


@command
def statistics(month: Month = "", unit: Unit = "", resource: Resource = "", as_json: Json = False) -> None:
    """交换统计 / What units provided and obtained."""
    _told(
        client().get("exchange-statistics", month=month, unit=unit, resource=resource), _STATISTICS, as_json
    )


@command
def quality(
    unit: str,
    month: str,
    format: Annotated[str, typer.Option("--format", help="json | xlsx | pdf")] = "pdf",
    out: Annotated[str, typer.Option("--out", help="保存为 / save as")] = "",
    as_json: Json = False,
) -> None:
    """质量月报 / A unit's monthly report, to a file or as its address."""
    found = client().get("reports", "quality", unit, month, format=format)
    if out and format != "json":
        client().download(found["url"], Path(out), sha256=found["sha256"])
        found = {**{name: value for name, value in found.items() if name != "url"}, "file": out}
    if as_json or format == "json":
        show_json(found)
    else:
        say(out or found["url"])


def _line(item: dict[str, Any]) -> dict[str, Any]:
    return {**item["content"], **item, "due": item["clocks"]["mend"]["due"]}


def _told(found: dict[str, Any], names: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_table(found["items"], names)
