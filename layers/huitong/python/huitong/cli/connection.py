"""Which deployment the command line talks to, and as whom."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from huitong.errors import BadRequest

#: What a profile may say of the use of data.
USE: Final = ("case", "duty", "purpose", "grant")
PROFILE: Final = Path(".stack") / "profile.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """``api_url`` is what comes before ``/v1``; ``unit`` is acted for unless a command names another.

    ``case``, ``duty``, ``purpose`` and ``grant`` say for what data are asked unless a command does.
    With a ``key`` requests are signed as ``credential`` with the ``algorithm``, and ``token`` is not sent.
    """

    api_url: str
    token: str
    unit: str = ""
    case: str = ""
    duty: str = ""
    purpose: str = ""
    grant: str = ""
    credential: str = ""
    key: str = ""
    algorithm: str = "HUITONG-HMAC-SM3"


def find(named: str = "", environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Connection:
    """The connection to use: the environment's address and token, else a profile file.

    The file is the one named, else that of ``HUITONG_PROFILE``, else
    ``.stack/profile.json`` in the current folder or one above it, or beside
    the virtual environment. Raises BadRequest when there is none or it is not one.
    """
    url, token = environ.get("HUITONG_API_URL", ""), environ.get("HUITONG_TOKEN", "")
    if url and token and not named:
        return Connection(url.rstrip("/"), token, environ.get("HUITONG_UNIT", ""), **_use_in(environ))
    chosen = named or environ.get("HUITONG_PROFILE", "")
    for path in [Path(chosen)] if chosen else _usual(start or Path.cwd()):
        if path.is_file():
            found = _read(path)
            said = {name: value for name, value in _use_in(environ).items() if value}
            return replace(
                found, api_url=url.rstrip("/") or found.api_url, token=token or found.token, **said
            )
    looked = chosen or str(PROFILE)
    raise BadRequest(
        f"没有找到连接配置 {looked};请先运行 make up,或设置 HUITONG_API_URL 与 HUITONG_TOKEN",
        f"No profile {looked}: run `make up`, or set HUITONG_API_URL and HUITONG_TOKEN",
    )


def profile_file(named: str = "", environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file that :func:`find` reads, if there is one."""
    chosen = named or environ.get("HUITONG_PROFILE", "")
    usual = [Path(chosen)] if chosen else _usual(Path.cwd())
    return next((path for path in usual if path.is_file()), None)


def _use_in(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ.get(f"HUITONG_{name.upper()}", "") for name in USE}


def find_address(named: str = "", environ: Mapping[str, str] = os.environ) -> Connection:
    """Where to sign in: as :func:`find`, but an address is enough. Raises BadRequest."""
    url = environ.get("HUITONG_API_URL", "")
    return Connection(url.rstrip("/"), "") if url and not named else replace(find(named, environ), token="")


def save(path: Path, connection: Connection) -> None:
    """A profile file that only its owner reads."""
    told = {"api_url": connection.api_url, "token": connection.token, "unit": connection.unit}
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(told, stream)


def _usual(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents, Path(sys.prefix).parent):
        yield folder / PROFILE


def _read(path: Path) -> Connection:
    try:
        raw = dict(json.loads(path.read_text(encoding="utf-8")))
        said = {name: str(raw.get(name, "")) for name in ("unit", *USE)}
        said |= {name: str(raw[name]) for name in ("credential", "key", "algorithm") if name in raw}
        token = str(raw.get("token", "") if said.get("key") else raw["token"])
        return Connection(str(raw["api_url"]).rstrip("/"), token, **said)
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest(
            f"连接配置 {path} 须有 api_url 与 token",
            f"The profile {path} must be JSON with api_url and token",
        ) from error
