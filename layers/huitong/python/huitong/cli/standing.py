"""What units agree on: ``agreement``, ``share-list``, ``docking``, ``joint-test``, ``gate`` and others."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.matters import Acting, File, Noun, commands, stepped, today, told, uploaded
from huitong.cli.options import Json, Resource, Unit, client
from huitong.cli.registers import unit as unit_commands
from huitong.cli.showing import command, say, show_json, show_members, show_table
from huitong.errors import BadRequest

NOUNS: Final = {
    "agreement": Noun("agreements", "draft", "协议", "agreements", ("volume",)),
    "share-list": Noun("share-lists", "propose", "共享清单", "lists of resources to share"),
    "docking": Noun("dockings", "propose", "对接记录", "docking records"),
    "joint-test": Noun("joint-tests", "record", "联调测试", "joint tests"),
    "outside-exchange": Noun("outside-exchanges", "file", "平台外共享", "sharing outside the platform"),
}
_REGISTRATION: Final = {
    "unit": "单位 unit", "kind_zh": "类型 kind", "address": "地址 address", "region": "区划 division",
    "role": "角色 role", "officers": "职责人员 officers", "unnamed": "未登记 unnamed", "state": "状态 state",
    "reason": "原因 reason", "warnings": "提示 warnings",
}  # fmt: skip
_CHANGE: Final = {"at": "时间 at", "by": "经办 by", "what": "事项 what", "old": "原 old", "new": "新 new"}
_WORK: Final = {
    "number": "序号 number", "title": "事项 title", "owner": "责任单位 owner", "person": "责任人 person",
    "state": "状态 state", "due": "期限 due",
}  # fmt: skip
_LOG: Final = {"at": "时间 at", "unit": "单位 unit", "people": "参加人员 people", "text": "内容 text"}
_INTERFACE: Final = {
    "resource": "资源 resource", "owner": "提供 owner", "partner": "使用 partner",
    "interface": "接口 interface", "version": "版本 version", "state": "状态 state",
    "closed_by": "关闭方 closed by", "joint_test": "联调 test", "ends": "止 until",
}  # fmt: skip

Reason = Annotated[str, typer.Option("--reason", help="理由 / reason")]

gate = typer.Typer(help="开通条件 / gates", no_args_is_help=True)
sharing = typer.Typer(help="共享的控制 / controls of a sharing", no_args_is_help=True)
interface = typer.Typer(help="接口登记 / registry of interfaces", no_args_is_help=True)
agreement = commands(NOUNS["agreement"])
docking = commands(NOUNS["docking"])


def register(app: typer.Typer) -> None:
    made = {"agreement": agreement, "docking": docking}
    for name, noun in NOUNS.items():
        app.add_typer(made.get(name) or commands(noun), name=name)
    app.add_typer(gate, name="gate")
    app.add_typer(sharing, name="sharing")
    app.add_typer(interface, name="interface")


@unit_commands.command("register")
@command
def register_unit(
    code: str,
    officer: Annotated[
        list[str] | None,
        typer.Option(
            "--officer",
            help="职责=姓名[/职务[/电话]] / duty=name[/post[/phone]]; leader sharing technical resources",
        ),
    ] = None,
    address: Annotated[str, typer.Option("--address", help="地址 / address")] = "",
    region: Annotated[str, typer.Option("--region", help="行政区划代码 / division code")] = "",
    role: Annotated[str, typer.Option("--role", help="角色 / role")] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """登记单位信息与职责人员 / Register a unit's address and its four officers; what is left out stays."""
    api = client()
    before = api.get("units", code, "standing", acting=acting)
    kept = {name: before[name] for name in ("address", "region", "role") if before[name]}
    given = {"address": address, "region": region, "role": role}
    named = {**before["officers"], **dict(_officer(text) for text in officer or ())}
    body = {**kept, **{k: v for k, v in given.items() if v}, "officers": named}
    _shown(api.put("units", code, "standing", body=body, acting=acting), as_json)


@unit_commands.command("standing")
@command
def standing(code: str, acting: Acting = "", as_json: Json = False) -> None:
    """单位登记信息 / What is registered of a unit."""
    _shown(client().get("units", code, "standing", acting=acting), as_json)


@unit_commands.command("changes")
@command
def changes(code: str, acting: Acting = "", as_json: Json = False) -> None:
    """登记变更记录 / Changes of a unit's registration."""
    _table(client().get("units", code, "standing", "changes", acting=acting)["items"], _CHANGE, as_json)


@unit_commands.command("state")
@command
def state(
    code: str,
    wanted: Annotated[str, typer.Argument(metavar="STATE", help="active suspended closed")],
    reason: Annotated[str, typer.Option("--reason", help="理由 / reason")],
    as_json: Json = False,
) -> None:
    """停用、恢复或注销单位 / Suspend a unit, set it active, close it."""
    body = {"state": wanted, "reason": reason}
    _shown(client().post("units", code, "standing", "state", body=body), as_json)


@agreement.command("sign")
@command
def sign(
    id: str,
    signatory: Annotated[str, typer.Option("--signatory", help="签署人 / who signs")],
    post: Annotated[str, typer.Option("--post", help="职务 / post")],
    digest: Annotated[str, typer.Option("--digest", help="所签文件的摘要 / digest of what is signed")] = "",
    document: File = "",
    signed_on: Annotated[str, typer.Option("--on", help="签署日期 / day")] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """签署协议(先签或会签)/ Sign, first or second, with the digest of what was read."""
    found = client().get("agreements", id, acting=acting)
    possible = [s["step"] for s in found["possible"] if "sign_" in s["step"]]
    if not possible:
        raise BadRequest("本单位现在不能签署", "There is nothing for your unit to sign now", id=id)
    read = digest or (uploaded(document, acting)["digest"] if document else "")
    given = {"signatory": signatory, "post": post, "signed_on": signed_on or today(), "digest": read}
    told(stepped("agreements", id, possible[0], given, acting=acting, seen=found["version"]), as_json)


@docking.command("log")
@command
def log(
    id: str,
    people: Annotated[str, typer.Option("--people", help="参加人员 / who spoke")] = "",
    text: Annotated[str, typer.Option("--text", help="内容 / about what")] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """沟通记录;给出内容则新增 / Communications; adds one when a text is given."""
    if text:
        body = {"people": people, "text": text}
        client().post("dockings", id, "log", body=body, acting=acting)
    _table(client().get("dockings", id, "log", acting=acting)["items"], _LOG, as_json)


@docking.command("work")
@command
def work(
    id: str,
    add: Annotated[str, typer.Option("--add", help="新增工作项 / title of a new item")] = "",
    owner: Annotated[str, typer.Option("--owner", help="责任单位 / unit that does it")] = "",
    person: Annotated[str, typer.Option("--person", help="责任人 / who does it")] = "",
    number: Annotated[int, typer.Option("--number", help="序号 / item to set")] = 0,
    wanted: Annotated[str, typer.Option("--state", help="open under_way done dropped")] = "",
    acting: Acting = "",
    as_json: Json = False,
) -> None:
    """对接工作项 / Work items: list them, add one, set the state of one."""
    api = client()
    if add:
        body = {"title": add, "owner": owner, **({"person": person} if person else {})}
        api.post("dockings", id, "work", body=body, acting=acting)
    elif number:
        api.put("dockings", id, "work", body={"number": number, "state": wanted}, acting=acting)
    _table(api.get("dockings", id, "work", acting=acting)["items"], _WORK, as_json)


@gate.command("check")
@command
def check(
    resource: str,
    unit: Unit = "",
    way: Annotated[
        str,
        typer.Option("--interface", help="share sql read export request pull push snapshot comparison"),
    ] = "sql",
    as_json: Json = False,
) -> None:
    """开通条件核对 / What lacks before something is shared or enabled; exit status 1 while something does."""
    found = client().get("gates", resource=resource, unit=unit, interface=way)
    if as_json:
        show_json(found)
    else:
        say("✓ 可以开通 / nothing lacks" if found["open"] else "✗ 尚缺 / lacks:")
        for one in found["problems"]:
            say(f"  - {one['zh']} / {one['en']}\n    → {one['advice_zh']} / {one['advice_en']}")
    if not found["open"]:
        raise typer.Exit(1)


@sharing.command("controls")
@command
def controls(unit: str, resource: str, as_json: Json = False) -> None:
    """一项共享的事前、事中、事后控制 / Controls before, during and after one sharing, as JSON."""
    del as_json
    show_json(client().get("sharings", unit, resource, "controls"))


@interface.command("list")
@command
def interfaces(unit: Unit = "", resource: Resource = "", as_json: Json = False) -> None:
    """接口登记簿 / The registry of interfaces."""
    _table(client().get("interfaces", unit=unit, resource=resource)["items"], _INTERFACE, as_json)


@interface.command("close")
@command
def close(unit: str, resource: str, name: str, reason: Reason, as_json: Json = False) -> None:
    """关闭接口或方式,立即生效 / Close push, pull, read, comparison, sql, export or request at once."""
    _switched("closed", unit, resource, name, reason, as_json)


@interface.command("open")
@command
def open_again(unit: str, resource: str, name: str, reason: Reason, as_json: Json = False) -> None:
    """重新开放,须同级或更高级 / Open again what one's own level or a lower one closed; a suspended push then
    waits for `subscription resume`."""
    _switched("open", unit, resource, name, reason, as_json)


def _switched(state: str, unit: str, resource: str, name: str, reason: str, as_json: bool) -> None:
    body = {"state": state, "reason": reason}
    _table(client().post("interfaces", unit, resource, name, body=body)["items"], _INTERFACE, as_json)


def _officer(text: str) -> tuple[str, dict[str, str]]:
    duty, sign, rest = text.partition("=")
    if not sign:
        raise BadRequest(f"--officer {text}:须为 职责=姓名", f"--officer {text}: give duty=name/post/phone")
    return duty, {k: v for k, v in zip(("name", "post", "phone"), rest.split("/"), strict=False) if v}


def _shown(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(found, _REGISTRATION)


def _table(items: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, columns)
