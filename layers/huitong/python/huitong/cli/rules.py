"""``rule list|show|versions|create|put|enable|disable|try|runs|summary|seed`` and ``warning list|handle``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Resource, Since, Unit, Until, client
from huitong.cli.showing import command, note, say, show_json, show_members, show_table

if TYPE_CHECKING:
    from huitong.cli.client import Client

rule = typer.Typer(help="质量规则 / quality rules", no_args_is_help=True)
warning = typer.Typer(help="预警 / warnings of quality rules", no_args_is_help=True)

_LISTED: Final = {
    "id": "规则 rule", "resource": "资源", "origin": "来源 origin", "kind": "类型 kind", "fields": "数据项",
    "severity": "级别 severity", "state": "状态 state", "version": "版本", "owner": "负责 owner",
}  # fmt: skip
_SHOWN: Final = {
    **_LISTED, "parameters": "参数 parameters", "most": "阈值(行)most", "most_percent": "阈值(%)percent",
    "on_breach": "超过时 on breach", "level": "预警级别", "recipient": "预警对象 recipient", "zh": "说明",
    "en": "words", "reason": "理由 reason", "by": "修改人 by", "at": "时间 at",
}  # fmt: skip
_TRIED: Final = {
    "rows": "行数 rows", "violations": "违规 violations", "quarantined_now": "现隔离 quarantined now",
    "quarantined_then": "启用后隔离 then", "newly_quarantined": "新增隔离 newly", "released": "放行 released",
    "breached": "超过阈值 breached", "state": "状态 state", "why": "原因 why", "ms": "毫秒 ms",
}  # fmt: skip
_SUMMARY: Final = {
    "resource": "资源", "rule": "规则 rule", "runs": "次数 runs", "failed": "失败 failed",
    "skipped": "跳过 skipped", "breaches": "超阈值 breaches", "violations": "违规 violations",
    "mean_ms": "平均毫秒 mean ms", "slowest_ms": "最慢毫秒 slowest ms", "last_at": "最近 last",
}  # fmt: skip
_RUN: Final = {
    "rule": "规则 rule", "version": "版本", "state": "状态 state", "rows": "行数", "violations": "违规",
    "breached": "超阈值", "ms": "毫秒 ms", "why": "原因 why",
}  # fmt: skip
_WARNING: Final = {
    "id": "编号 id", "level": "级别 level", "resource": "资源", "batch": "批次 batch", "violations": "违规",
    "recipient": "对象 recipient", "state": "状态 state", "at": "时间 at", "remark": "处理 remark",
}  # fmt: skip
_MEMBERS: Final = (
    "fields", "parameters", "severity", "most", "most_percent", "on_breach", "level", "recipient", "owner",
    "zh", "en",
)  # fmt: skip

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="规则 YAML 或 JSON / a rule")]
Reason = Annotated[str, typer.Option("--reason", help="理由 / reason")]
Seen = Annotated[int, typer.Option("--seen", min=0, help="所见版本 / version that you looked at")]


def register(app: typer.Typer) -> None:
    app.add_typer(rule, name="rule")
    app.add_typer(warning, name="warning")


@rule.command("list")
@command
def listed(
    resource: Resource = "",
    origin: Annotated[str, typer.Option("--origin", help="contract | office")] = "",
    state: Annotated[str, typer.Option("--state", help="draft | enabled | disabled")] = "",
    as_json: Json = False,
) -> None:
    """规则清单:契约的与管理方的 / Rules of contracts and of the office in one list."""
    found = client().get("rules", resource=resource, origin=origin, state=state)
    if as_json:
        show_json(found)
        return
    show_table([{**item, "fields": ", ".join(item["fields"])} for item in found["items"]], _LISTED)
    if found.get("version"):
        note(f"规则集版本 version of the set: {found['version']}")


@rule.command("show")
@command
def show(id: str, as_json: Json = False) -> None:
    """一条规则 / One rule of the office."""
    _told(client().get("rules", id), as_json)


@rule.command("versions")
@command
def versions(id: str, as_json: Json = False) -> None:
    """各版本 / Every version of a rule, with who and why."""
    items = client().get("rules", id, "versions")["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(
            items, {"version": "版本", "state": "状态", "by": "修改人 by", "at": "时间 at", "reason": "理由"}
        )


@rule.command("create")
@command
def create(file: File, reason: Reason, as_json: Json = False) -> None:
    """新建规则(草稿)/ Create a rule, as a draft."""
    _told(client().post("rules", body={**_rules_in(file)[0], "reason": reason}), as_json)


@rule.command("put")
@command
def put(file: File, reason: Reason, seen: Seen = 0, as_json: Json = False) -> None:
    """修改规则 / The next version of a rule."""
    wanted = _rules_in(file)[0]
    body = {name: value for name, value in wanted.items() if name in _MEMBERS}
    _told(client().put("rules", wanted["id"], body={**body, "reason": reason, "seen": seen}), as_json)


@rule.command("enable")
@command
def enable(id: str, reason: Reason, seen: Seen = 0, as_json: Json = False) -> None:
    """启用 / Enable a rule."""
    _told(client().post("rules", id, "enable", body={"reason": reason, "seen": seen}), as_json)


@rule.command("disable")
@command
def disable(id: str, reason: Reason, seen: Seen = 0, as_json: Json = False) -> None:
    """停用 / Disable a rule."""
    _told(client().post("rules", id, "disable", body={"reason": reason, "seen": seen}), as_json)


@rule.command("try")
@command
def try_rule(
    what: Annotated[str, typer.Argument(help="规则编号或文件 / id of a rule, or a file with a draft")],
    resource: Annotated[str, typer.Option("--resource", help="资源 / resource")] = "",
    batch: Annotated[str, typer.Option("--batch", help="过往批次 / a past delivery")] = "",
    rows: Annotated[
        Path | None, typer.Option("--rows", exists=True, help="样例行 JSON / rows as JSON")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="已发布的数据 / the published rows")] = False,
    as_json: Json = False,
) -> None:
    """试运行:不写入任何内容 / What a rule would have done; nothing is written."""
    api, file = client(), Path(what)
    body: dict[str, Any] = {}
    if file.suffix in (".yaml", ".yml", ".json") and file.is_file():
        draft = _rules_in(file)[0]
        resource = resource or draft["resource"]
        body["draft"] = {name: draft[name] for name in ("id", "kind", *_MEMBERS) if name in draft}
    else:
        body["rule"] = what
        resource = resource or api.get("rules", what)["resource"]
    body |= {"resource": resource} | ({"batch": batch} if batch else {}) | ({"table": True} if table else {})
    body |= {"rows": json.loads(rows.read_text(encoding="utf-8"))} if rows else {}
    found = api.post("rule-trials", body=body)
    if as_json:
        show_json(found)
        return
    show_members(found, _TRIED)
    for said in found["said"]:
        say(f"{said['zh']} / {said['en']}")
    samples = [{"source_row": s["source_row"], **s["values"]} for s in found["samples"]]
    if samples:
        show_table(samples, {name: name for name in samples[0]})
    _cost(found["cost"])


@rule.command("runs")
@command
def runs(
    resource: Resource = "",
    batch: Annotated[str, typer.Option("--batch", help="批次 / one delivery")] = "",
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """运行记录 / How the rules went on deliveries, newest first."""
    items = client().get("rule-runs", resource=resource, batch=batch, limit=limit)["items"]
    if as_json:
        show_json({"items": items})
        return
    for kept in items:
        say(f"{kept['batch']}  {kept['at']}  {kept['rules_version']}  {kept['ms']} ms")
        show_table(kept["runs"], _RUN)


@rule.command("summary")
@command
def summary(
    resource: Resource = "",
    rule: Annotated[str, typer.Option("--rule", help="规则编号 / one rule")] = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """运行汇总 / By rule: runs, failures, breaches, durations, of a period or of the newest deliveries."""
    asked = {"resource": resource, "rule": rule, "from": since, "to": until}
    items = client().get("rule-summary", limit=limit, **asked)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _SUMMARY)


@rule.command("seed")
@command
def seed(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="schemas/rules")],
    enable_all: Annotated[bool, typer.Option("--enable", help="同时启用 / enable them, too")] = False,
    as_json: Json = False,
) -> None:
    """载入跨资源规则;已有的不改 / Load rules from files; those that exist stay as they are."""
    api, reason = client(), "initial rules"
    listed = api.get("rules")["items"]
    known = {item["id"] for item in listed if item["origin"] == "office"}
    resources = {item["resource"] for item in listed}
    told = []
    for path in sorted(folder.glob("*.yaml")):
        for wanted in _rules_in(path):
            named = {wanted["resource"], wanted.get("parameters", {}).get("resource", wanted["resource"])}
            if wanted["id"] in known or not named <= resources:
                done = "known" if wanted["id"] in known else "no such resource"
                told.append({"id": wanted["id"], "resource": wanted["resource"], "done": done})
                continue
            told.append(_seeded(api, wanted, reason, enable=enable_all))
    if as_json:
        show_json({"items": told})
    else:
        show_table(told, {"id": "规则 rule", "resource": "资源 resource", "done": "结果 done"})


def _seeded(api: Client, wanted: dict[str, Any], reason: str, *, enable: bool) -> dict[str, Any]:
    """One rule; one that is refused, such as SQL over a resource that is not here yet, stops no other."""
    from huitong.cli.client import Refused  # loads urllib3, which other commands do without

    named = {"id": wanted["id"], "resource": wanted["resource"]}
    try:
        made = api.post("rules", body={**wanted, "reason": reason})
        if enable:
            made = api.post("rules", made["id"], "enable", body={"reason": reason})
    except Refused as refused:
        if refused.problem.get("status") != 400:
            raise
        return {**named, "done": f"refused: {refused}"}
    return {**named, "done": made["state"]}


@warning.command("list")
@command
def warnings(
    unit: Unit = "",
    state: Annotated[str, typer.Option("--state", help="open | taken | closed")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """预警清单 / Warnings that breaches of rules raised."""
    items = client().get("rule-warnings", unit=unit, state=state, limit=limit)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _WARNING)


@warning.command("handle")
@command
def handle(
    id: str,
    state: Annotated[str, typer.Option("--state", help="taken 受理 | closed 办结")],
    remark: Annotated[str, typer.Option("--remark", help="处理情况 / what was done")],
    as_json: Json = False,
) -> None:
    """处理预警 / Take a warning up, or close it."""
    made = client().post("rule-warnings", id, "steps", body={"state": state, "remark": remark})
    if as_json:
        show_json(made)
    else:
        show_members(made, _WARNING)


def _rules_in(file: Path) -> list[dict[str, Any]]:
    """The rules of a file: one, or a list of them under ``rules``."""
    import yaml

    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return list(found["rules"]) if "rules" in found else [found]


def _told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    show_members({**found, "fields": ", ".join(found["fields"])}, _SHOWN)
    _cost(found.get("cost") or {})


def _cost(cost: dict[str, Any]) -> None:
    if cost:
        note(f"代价 cost: {cost['class']} · {cost['zh']} / {cost['en']}")
