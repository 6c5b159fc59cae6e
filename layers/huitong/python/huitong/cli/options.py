"""Options that several commands share, and the client that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from huitong.cli.client import Client

Json = Annotated[
    bool, typer.Option("--json", help="标准输出为一份 JSON / one JSON document on standard output")
]
Unit = Annotated[str, typer.Option("--unit", help="单位(统一社会信用代码)/ unit to act for or to look at")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="最多条数 / at most so many")]
Since = Annotated[str, typer.Option("--from", help="起始日期 / from this day on (2026-01-31)")]
Until = Annotated[str, typer.Option("--to", help="截止日期 / to this day, included")]
Resource = Annotated[str, typer.Option("--resource", help="资源 / contract id, table or schema name")]

# For what data are asked: of commands that read data.
Case = Annotated[str, typer.Option("--case", help="案号 / the case for which the data are used")]
Duty = Annotated[str, typer.Option("--duty", help="法定职责 / the statutory duty for which they are used")]
Purpose = Annotated[str, typer.Option("--purpose", help="用途 / the purpose in words")]
GrantRef = Annotated[
    str, typer.Option("--grant", help="授权编号 / the grant to use, where there are several")
]

_chosen: Final[dict[str, str]] = {}


def choose(profile_file: str) -> None:
    _chosen["profile"] = profile_file


def profile_path() -> str:
    """The profile file that commands use; empty where there is none. It may also say where an emulator is."""
    from huitong.cli.connection import profile_file

    return str(profile_file(_chosen.get("profile", "")) or "")


def unsigned_client() -> Client:
    """For signing in: an address is enough. Raises BadRequest."""
    from huitong.cli.client import Client
    from huitong.cli.connection import find_address

    return Client(find_address(_chosen.get("profile", "")))


def client(*, case: str = "", duty: str = "", purpose: str = "", grant: str = "") -> Client:
    """With what a command says of the use of data. Raises BadRequest without a deployment to talk to."""
    from dataclasses import replace

    from huitong.cli.client import Client
    from huitong.cli.connection import find

    given = {"case": case, "duty": duty, "purpose": purpose, "grant": grant}
    return Client(replace(find(_chosen.get("profile", "")), **{k: v for k, v in given.items() if v}))
