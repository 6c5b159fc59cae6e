"""``open``, ``subject``, ``statement`` and ``assessment``: what is public, and what persons may ask."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from huitong.cli.corrections import TICKET, Given, Seen, pairs, several, told
from huitong.cli.options import Json, Limit, client, unsigned_client
from huitong.cli.showing import command, show_json, show_table

open_ = typer.Typer(help="公开数据 / what is public", no_args_is_help=True)
subject = typer.Typer(help="个人信息主体请求 / requests of data subjects", no_args_is_help=True)
statement = typer.Typer(help="自主申报与投诉 / what persons declare, complaints", no_args_is_help=True)
assessment = typer.Typer(help="个人信息保护影响评估 / impact assessments", no_args_is_help=True)

_CHECK: Final = {"resource": "资源 resource", "released": "已公开 public", "problems": "问题 problems"}
_REQUEST: Final = {**TICKET, "kind": "类别 kind"}
_ASSESSMENT: Final = {
    "id": "编号 id", "application": "申请 application", "resource": "资源 resource",
    "conclusion": "结论 conclusion", "at": "时间 at",
}  # fmt: skip
#: A number of a person is asked for without echo when it is not in a pipe.
Number = Annotated[
    str, typer.Option("--number", help="证件号码 / identity number", prompt=True, hide_input=True)
]


def register(app: typer.Typer) -> None:
    app.add_typer(open_, name="open")
    app.add_typer(subject, name="subject")
    app.add_typer(statement, name="statement")
    app.add_typer(assessment, name="assessment")


@open_.command("list")
@command
def list_open(as_json: Json = False) -> None:
    """公开资源 / Public resources; no sign-in."""
    columns = {"id": "资源 resource", "title": "名称 title", "provider_name": "提供方 provider"}
    several(unsigned_client().get("open", "resources")["items"], columns, as_json)


@open_.command("read")
@command
def read_open(resource: str, limit: Limit = 50, as_json: Json = False) -> None:
    """公开数据 / Rows of a public resource; no sign-in."""
    pages = list(unsigned_client().pages("open", "resources", resource, limit=limit, most=200))
    rows = [row for page in pages for row in page["items"]]
    if as_json:
        show_json({"items": rows})
    else:
        show_table(rows, {name: name for name in pages[0]["fields"]})


@open_.command("own")
@command
def read_own(
    code: Annotated[str, typer.Option("--code", help="授权码 / authorisation code")],
    number: Number,
    as_json: Json = False,
) -> None:
    """查阅本人信息 / A person's own rows, by authorisation code, as JSON; no sign-in."""
    del as_json
    show_json(unsigned_client().post("open", "own-record", body={"code": code, "number": number}))


@open_.command("check")
@command
def check_open(resource: str, as_json: Json = False) -> None:
    """核对公开规则 / What the rules of publication say of a resource."""
    told(client().get("open", "resources", resource, "check"), _CHECK, as_json)


@open_.command("release")
@command
def release(
    resource: str,
    basis: Annotated[str, typer.Option("--basis", help="依据 / decision that it rests on")],
    as_json: Json = False,
) -> None:
    """准予公开 / Make a resource public."""
    members = {"resource": "资源 resource", "fields": "字段 fields", "by": "经办 by", "at": "时间 at"}
    told(client().post("open", "resources", resource, "release", body={"basis": basis}), members, as_json)


@open_.command("withdraw")
@command
def withdraw(resource: str, as_json: Json = False) -> None:
    """停止公开 / End the publication of a resource at once."""
    told(client().delete("open", "resources", resource, "release"), _CHECK, as_json)


@open_.command("expired")
@command
def expired(as_json: Json = False) -> None:
    """公示到期清单 / How many items have ended."""
    columns = {"resource": "资源 resource", "until": "截止字段 until", "expired": "已到期 expired"}
    several(client().get("open", "expired")["items"], columns, as_json)


@subject.command("request")
@command
def request(
    kind: Annotated[str, typer.Argument(help="access correction deletion explanation")],
    number: Number,
    proof: Annotated[str, typer.Option("--identity-proof", help="身份凭据编号 / proof of identity")],
    agreement: Annotated[str, typer.Option("--agreement", help="授权书编号 / signed agreement")],
    resource: Annotated[list[str] | None, typer.Option("--resource", help="资源 / resources; repeat")] = None,
    wish: Annotated[str, typer.Option("--wish", help="请求内容 / what is asked for")] = "",
    as_json: Json = False,
) -> None:
    """登记请求 / Register a request; the number is not kept."""
    asked: dict[str, Any] = {
        "kind": kind, "number": number, "identity_proof": proof, "agreement": agreement,
        "resources": resource or [], "wish": wish,
    }  # fmt: skip
    body = {name: value for name, value in asked.items() if value}
    told(client().post("subject-requests", body=body), _REQUEST, as_json)


@subject.command("list")
@command
def list_requests(as_json: Json = False) -> None:
    """请求列表 / Requests."""
    columns = {name: _REQUEST[name] for name in ("id", "kind", "state", "possible")}
    several(client().get("subject-requests")["items"], columns, as_json)


@subject.command("show")
@command
def show_request(id: str, as_json: Json = False) -> None:
    """查看 / One request."""
    told(client().get("subject-requests", id), _REQUEST, as_json)


@subject.command("step")
@command
def step_request(id: str, name: str, given: Given = None, seen: Seen = 0, as_json: Json = False) -> None:
    """办理 / Take a step: approve (basis=), refuse (reason=), answer (answer=)."""
    body = {"step": name, "given": pairs(given), "seen": seen}
    told(client().post("subject-requests", id, "steps", body=body), _REQUEST, as_json)


@subject.command("code")
@command
def code(id: str, as_json: Json = False) -> None:
    """发放授权码 / An authorisation code for the person; shown once."""
    members = {"id": "请求 request", "code": "授权码(仅显示一次)code", "expires_at": "有效至 until"}
    told(client().post("subject-requests", id, "code"), members, as_json)


@statement.command("declare")
@command
def declare(
    kind: Annotated[str, typer.Argument(help="self_declared complaint")],
    text: Annotated[str, typer.Option("--text", help="内容 / the statement; kept sealed")],
    evidence: Annotated[str, typer.Option("--evidence", help="凭据编号 / document number")],
    truth: Annotated[bool, typer.Option("--truth", help="声明内容真实 / it is declared to be true")] = False,
    about: Annotated[str, typer.Option("--about", help="关于 / a resource, a case")] = "",
    as_json: Json = False,
) -> None:
    """提交 / Hand in what a person declares, or a complaint."""
    body = {"kind": kind, "text": text, "evidence": evidence, "truth_declared": truth}
    told(client().post("statements", body=body | ({"about": about} if about else {})), TICKET, as_json)


@statement.command("list")
@command
def list_statements(as_json: Json = False) -> None:
    """列表 / Statements."""
    several(client().get("statements")["items"], {n: TICKET[n] for n in ("id", "state", "possible")}, as_json)


@statement.command("show")
@command
def show_statement(id: str, as_json: Json = False) -> None:
    """查看 / One statement."""
    told(client().get("statements", id), TICKET, as_json)


@statement.command("text")
@command
def text(id: str, as_json: Json = False) -> None:
    """内容 / The statement itself; on record."""
    told(client().get("statements", id, "text"), {"text": "内容 text"}, as_json)


@statement.command("step")
@command
def step_statement(id: str, name: str, given: Given = None, seen: Seen = 0, as_json: Json = False) -> None:
    """办理 / Take a step: note (result=), reject (reason=)."""
    body = {"step": name, "given": pairs(given), "seen": seen}
    told(client().post("statements", id, "steps", body=body), TICKET, as_json)


@assessment.command("put")
@command
def put_assessment(
    application: str,
    resource: str,
    purpose: Annotated[str, typer.Option("--purpose", help="目的 / purpose")],
    necessity: Annotated[str, typer.Option("--necessity", help="必要性 / necessity")],
    risks: Annotated[str, typer.Option("--risks", help="风险 / risks")],
    measures: Annotated[str, typer.Option("--measures", help="保护措施 / measures")],
    conclusion: Annotated[str, typer.Option("--conclusion", help="结论 / acceptable, not acceptable …")],
    as_json: Json = False,
) -> None:
    """登记影响评估 / Keep an impact assessment of a sharing."""
    body = {
        "application": application, "resource": resource, "purpose": purpose, "necessity": necessity,
        "risks": risks, "measures": measures, "conclusion": conclusion,
    }  # fmt: skip
    told(client().post("assessments", body=body), _ASSESSMENT, as_json)


@assessment.command("list")
@command
def list_assessments(
    application: Annotated[str, typer.Option("--application", help="申请 / of this application")] = "",
    as_json: Json = False,
) -> None:
    """影响评估列表 / Impact assessments."""
    several(client().get("assessments", application=application)["items"], _ASSESSMENT, as_json)
