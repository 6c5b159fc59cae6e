"""Commands that every procedure has: open, list, show, take a step. Contents as ``--set name=value``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.options import Json, Limit, Unit, client
from huitong.cli.showing import command, show_json, show_members, show_table
from huitong.errors import BadRequest

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="内容项,列表以逗号分隔 / name=value; lists are separated by commas"),
]
Content = Annotated[str, typer.Option("--content", help="内容文件 / JSON file with the content, - = stdin")]
File = Annotated[str, typer.Option("--document", help="附件,上传并计算摘要 / a file to upload and to digest")]
Acting = Annotated[str, typer.Option("--as", help="代表的单位 / unit to act for")]
_LISTS: Final = frozenset(
    {"resources", "contacts", "our_testers", "their_testers", "service_providers", "effects"}
)
_ONE: Final = {
    "id": "编号 id", "state_zh": "状态 state", "state": "", "parties": "各方 parties",
    "content": "内容 content", "clocks": "时限 clocks", "created_at": "提出 created",
    "version": "版本 version", "steps": "可办理 possible",
}  # fmt: skip
_LISTED: Final = {
    "id": "编号 id",
    "state_zh": "状态 state",
    "parties": "各方 parties",
    "steps": "可办理 possible",
}


@dataclass(frozen=True, slots=True)
class Noun:
    """``path`` in the API; ``integers``: members of the content that are numbers."""

    path: str
    opening: str
    zh: str
    en: str
    integers: tuple[str, ...] = ()


def commands(noun: Noun) -> typer.Typer:
    """The four commands of a procedure."""
    part = typer.Typer(help=f"{noun.zh} / {noun.en}", no_args_is_help=True)

    @part.command(noun.opening, help=f"提出{noun.zh} / Open: {noun.en}.")
    @command
    def opened(
        settings: Set = None,
        content: Content = "",
        document: File = "",
        acting: Acting = "",
        as_json: Json = False,
    ) -> None:
        body = content_of(settings or (), content, noun.integers)
        body |= uploaded(document, acting) if document else {}
        told(client().post(noun.path, body=body, acting=acting), as_json)

    @part.command("list", help=f"{noun.zh}列表 / List: {noun.en}.")
    @command
    def all_of(
        state: Annotated[str, typer.Option("--state", help="状态 / state")] = "",
        unit: Unit = "",
        limit: Limit = 100,
        as_json: Json = False,
    ) -> None:
        listed(client().items(noun.path, limit=limit, unit=unit, state=state), as_json)

    @part.command("show", help=f"查看{noun.zh} / Show one: {noun.en}.")
    @command
    def show(id: str, acting: Acting = "", as_json: Json = False) -> None:
        told(client().get(noun.path, id, acting=acting), as_json)

    @part.command("step", help=f"办理{noun.zh} / Take a step: {noun.en}.")
    @command
    def step(
        id: str,
        name: Annotated[
            str, typer.Argument(metavar="STEP", help="步骤,见 show / one of those that show lists")
        ],
        settings: Set = None,
        content: Content = "",
        document: File = "",
        seen: Annotated[int, typer.Option("--seen", help="所见版本 / the version that was looked at")] = 0,
        acting: Acting = "",
        as_json: Json = False,
    ) -> None:
        given = content_of(settings or (), content)
        given |= uploaded(document, acting) if document else {}
        told(stepped(noun.path, id, name, given, acting=acting, seen=seen), as_json)

    return part


def stepped(
    path: str, id: str, step: str, given: dict[str, Any], *, acting: str = "", seen: int = 0
) -> dict[str, Any]:
    body = {"step": step, "given": given, "seen": seen}
    answered: dict[str, Any] = client().post(path, id, "steps", body=body, acting=acting)
    return answered


def content_of(settings: Iterable[str], file: str, integers: Iterable[str] = ()) -> dict[str, Any]:
    """The members of a content. Raises BadRequest for what is neither name=value nor JSON."""
    made: dict[str, Any] = {}
    if file:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        try:
            made = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise BadRequest("内容不是 JSON 对象", "The content is no JSON object", file=file) from error
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or (name in integers and not value.isdecimal()):
            raise BadRequest(f"--set {setting}:须为 名称=值", f"--set {setting}: give name=value")
        if name in integers:
            made[name] = int(value)
        else:
            made[name] = [v.strip() for v in value.split(",") if v.strip()] if name in _LISTS else value
    return made


def uploaded(file: str, acting: str) -> dict[str, str]:
    """A document put to the platform: its key there and the digest that the platform took."""
    path, api = Path(file), client()
    if not path.is_file():
        raise BadRequest(f"没有文件 {file}", f"There is no file {file}")
    ticket = api.post("documents", body={"filename": path.name}, acting=acting)
    api.upload(ticket, path)
    kept = api.get("documents", ticket["document"].partition("/")[2], acting=acting)
    return {"document": kept["document"], "digest": kept["sha256"]}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def told(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_members(with_steps(found), {k: v or k for k, v in _ONE.items()})


def listed(items: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json({"items": items})
    else:
        show_table([with_steps(i) for i in items], _LISTED)


def with_steps(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "steps": " ".join(s["step"] for s in record.get("possible", ()))}
