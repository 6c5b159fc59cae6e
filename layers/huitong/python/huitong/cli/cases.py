"""``case``, ``request`` and ``verify``: cases, requests for information in them, comparison without release.

Numbers and names of persons are read from files (``-`` = standard input), never from the command line,
which other users of a machine can see.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Case, Duty, GrantRef, Json, Limit, Purpose, Unit, client
from huitong.cli.showing import command, show_json, show_members, show_table
from huitong.errors import BadRequest

case = typer.Typer(help="案件 / cases", no_args_is_help=True)
request = typer.Typer(help="查询核对申请 / requests for information in a case", no_args_is_help=True)

_CASE: Final = {
    "case_no": "案号 case", "stage": "阶段 stage", "stage_zh": "", "usable": "可查询 usable",
    "administrator": "管理人 administrator", "flag": "异常 flag", "ended": "终止 ended",
    "end_due": "将于 ends on", "retain_until": "保存至 kept until", "relations": "相关人 persons",
}  # fmt: skip
_CASES: Final = {n: _CASE[n] for n in ("case_no", "stage", "stage_zh", "usable", "flag", "ended")}
_MEMBER: Final = {"id": "成员 member", "unit": "单位 unit", "by": "经办 by", "at": "自 since",
                  "ended_at": "止 until"}  # fmt: skip
_RECORD: Final = {
    "id": "编号 id", "state_zh": "状态 state", "case_no": "案号 case", "stage": "阶段 stage",
    "resource": "资源 resource", "purpose": "用途 purpose", "mode": "方式 mode", "due": "期限 due",
    "version": "版本 version", "possible": "可办理 possible",
}  # fmt: skip
_RECORDS: Final = {n: _RECORD[n] for n in ("id", "state_zh", "case_no", "resource", "due", "possible")}

Reason = Annotated[str, typer.Option("--reason", help="理由 / reason")]
Seen = Annotated[int, typer.Option("--seen", min=0, help="所见版本 / version that you looked at")]
Acting = Annotated[str, typer.Option("--unit", help="代表的单位 / unit to act for")]


def register(app: typer.Typer) -> None:
    app.add_typer(case, name="case")
    app.add_typer(request, name="request")
    app.command("verify")(verify)


# --- cases


@case.command("list")
@command
def list_cases(
    stage: Annotated[str, typer.Option("--stage", help="阶段 / only in this stage")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """案件列表 / Cases to which you are bound; all for supervisors."""
    _listed(client().items("cases", limit=limit, stage=stage), _CASES, as_json)


@case.command("show")
@command
def show_case(case_no: str, as_json: Json = False) -> None:
    """一个案件 / One case: its stages, team and findings."""
    found = client().get("cases", case_no)
    _told(found, _CASE, as_json)
    if not as_json:
        show_table(
            found["history"], {"stage": "阶段 stage", "stage_time": "时间 time", "source": "来源 source"}
        )
        show_table([m for m in found["team"] if not m["ended_at"]], _MEMBER)


@case.command("add")
@command
def add_member(
    case_no: str,
    member: Annotated[str, typer.Argument(help="账号、凭证或单位 / account, credential or unit")],
    unit: Annotated[str, typer.Argument(help="其单位 / its unit")],
    as_json: Json = False,
) -> None:
    """加入办案组 / Bind somebody to a case."""
    _told(client().post("cases", case_no, "team", body={"id": member, "unit": unit}), _MEMBER, as_json)


@case.command("remove")
@command
def remove_member(case_no: str, member: str, as_json: Json = False) -> None:
    """移出办案组 / Somebody is no longer bound to a case."""
    _told(client().delete("cases", case_no, "team", member), _MEMBER, as_json)


@case.command("correct")
@command
def correct(
    case_no: str,
    stage: str,
    reason: Reason,
    stage_time: Annotated[str, typer.Option("--at", help="阶段时间 / time of the stage")] = "",
    as_json: Json = False,
) -> None:
    """提出阶段更正 / Propose another stage; a second person confirms it."""
    body = {"stage": stage, "reason": reason, **({"stage_time": stage_time} if stage_time else {})}
    _told(_flat(client().post("cases", case_no, "corrections", body=body)), _RECORD, as_json)


@case.command("corrections")
@command
def list_corrections(as_json: Json = False) -> None:
    """阶段更正列表 / Corrections of stages."""
    _listed([_flat(r) for r in client().items("stage-corrections")], _RECORDS, as_json)


@case.command("decide")
@command
def decide(
    id: str,
    step: Annotated[str, typer.Argument(help="confirm 或 drop / confirm or drop")],
    reason: Reason = "",
    seen: Seen = 0,
    as_json: Json = False,
) -> None:
    """复核阶段更正 / Confirm or drop a correction."""
    body = _step(step, {"reason": reason}, seen)
    _told(_flat(client().post("stage-corrections", id, "steps", body=body)), _RECORD, as_json)


# --- requests


@request.command("file")
@command
def file(
    resource: str,
    fields: Annotated[str, typer.Option("--fields", help="字段 / fields: a,b")],
    purpose: Purpose,
    case_no: Case = "",
    duty: Duty = "",
    persons: Annotated[
        str, typer.Option("--persons", help="被查询人 CSV(id_no,relation,name)/ CSV file, - = standard input")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="query 查询 / verification 核对")] = "query",
    mode: Annotated[
        str, typer.Option("--mode", help="interface 接口 / subscription 经市平台订阅")
    ] = "interface",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """提出申请 / File a request; the own unit checks it, the source unit decides."""
    asked = {
        "resource": resource, "fields": [f.strip() for f in fields.split(",") if f.strip()],
        "purpose": purpose, "case_no": case_no, "duty": duty, "kind": kind, "mode": mode,
        "persons": [_filled(row) for row in _rows(persons)] if persons else [],
    }  # fmt: skip
    made = client().post("requests", body={k: v for k, v in asked.items() if v}, acting=acting)
    _told(_flat(made), _RECORD, as_json)


@request.command("list")
@command
def list_requests(
    unit: Unit = "",
    case_no: Case = "",
    state: Annotated[str, typer.Option("--state", help="状态 / only in this state")] = "",
    as_json: Json = False,
) -> None:
    """申请列表 / Requests of a unit and to it."""
    found = client().items("requests", unit=unit, case_no=case_no, state=state)
    _listed([_flat(r) for r in found], _RECORDS, as_json)


@request.command("show")
@command
def show_request(id: str, as_json: Json = False) -> None:
    """一份申请的状态 / One request and its state."""
    found = client().get("requests", id)
    _told(_flat(found) if not as_json else found, _RECORD, as_json)


@request.command("step")
@command
def step(
    id: str,
    name: Annotated[str, typer.Argument(help="check stop approve refuse answer receive close withdraw")],
    reason: Reason = "",
    note: Annotated[str, typer.Option("--note", help="说明 / note")] = "",
    fields: Annotated[str, typer.Option("--fields", help="批准的字段 / fields that are approved")] = "",
    unmasked: Annotated[str, typer.Option("--unmasked", help="明文字段 / fields given plain")] = "",
    ends: Annotated[str, typer.Option("--to", help="截止日 / last day")] = "",
    seen: Seen = 0,
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """办理 / Take a step of a request."""
    named = {key: [f.strip() for f in text.split(",")] for key, text in
             (("fields", fields), ("unmasked", unmasked)) if text}  # fmt: skip
    body = _step(name, {"reason": reason, "note": note, "ends": ends, **named}, seen)
    _told(_flat(client().post("requests", id, "steps", body=body, acting=acting)), _RECORD, as_json)


@request.command("persons")
@command
def persons(id: str, as_json: Json = False) -> None:
    """被查询人 / Who is asked about, for the two units; the look is on record."""
    names = {"id_no": "证件号码 number", "name": "姓名 name", "relation": "关系 relation"}
    _listed(client().get("requests", id, "persons")["items"], names, as_json)


# --- comparison


@command
def verify(
    resource: str,
    claims: Annotated[str, typer.Argument(help="CSV 或 JSON 文件 / file, - = standard input")],
    keys: Annotated[str, typer.Option("--key", help="CSV 中的主键列 / key columns of the CSV: a,b")] = "",
    case_no: Case = "",
    duty: Duty = "",
    purpose: Purpose = "",
    grant: GrantRef = "",
    as_json: Json = False,
) -> None:
    """数据不落地比对 / Compare claims: agree, differ or unknown for each claimed field."""
    items = _claims(_text(claims), [k.strip() for k in keys.split(",") if k.strip()])
    api = client(case=case_no, duty=duty, purpose=purpose, grant=grant)
    found = api.post("resources", resource, "verifications", body={"items": items})["items"]
    if as_json:
        show_json({"items": found})
        return
    fields = list(dict.fromkeys(name for one in found for name in one))
    rows = [{"row": n, **one} for n, one in enumerate(found, start=1)]
    show_table(rows, {"row": "行 row", **{name: name for name in fields}})


def _claims(text: str, keys: list[str]) -> list[dict[str, Any]]:
    """JSON: a list of {key, claimed}; CSV: the key columns are named, the others are claimed where filled."""
    if text.lstrip().startswith("["):
        try:
            found: list[dict[str, Any]] = json.loads(text)
        except ValueError as error:
            raise BadRequest("不是有效的 JSON", "It is no valid JSON") from error
        return found
    if not keys:
        raise BadRequest("CSV 须以 --key 指明主键列", "For a CSV name the key columns: --key")
    return [
        {
            "key": {k: row.get(k) or "" for k in keys},
            "claimed": {k: v for k, v in row.items() if k and k not in keys and v},
        }
        for row in csv.DictReader(io.StringIO(text))
    ]


def _text(name: str) -> str:
    """A file's text; - = standard input. Raises BadRequest."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"读不到文件 {name}", f"The file {name} cannot be read") from error


def _rows(name: str) -> list[dict[str, str]]:
    return [dict(row) for row in csv.DictReader(io.StringIO(_text(name)))]


def _filled(row: dict[str, str]) -> dict[str, str]:
    return {k: v.strip() for k, v in row.items() if k and v and v.strip()}


def _step(name: str, given: dict[str, Any], seen: int) -> dict[str, Any]:
    kept = {k: v for k, v in given.items() if v}
    return {"step": name, "given": kept, **({"seen": seen} if seen else {})}


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record as one row: its content, when its clocks end, and what may be done."""
    due = [c["due"] for c in record["clocks"].values() if not c["stopped"]]
    possible = [s["step"] for s in record["possible"]]
    return {**record["content"], **record, "due": min(due, default=""), "possible": possible}


def _told(found: dict[str, Any], members: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, members)


def _listed(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, columns)
