"""Known vulnerabilities of what is deployed, and an honest answer where nobody could be asked.

A mirror of a package index often serves no advisories, and an audit against it finds
nothing: that looks like a clean bill. So the source of advisories is first asked about
a package whose weakness is known since 2019; only one that knows it is believed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from infra.packaging.locks import Pin

SOURCES: Final = ("pypi", "osv")
#: Its weakness is CVE-2019-10906; not one of ours.
CANARY: Final = "jinja2==2.10"
ACCEPTED: Final = Path(__file__).with_name("accepted.txt")
NOT_SCANNED: Final = 3  # exit status


@dataclass(frozen=True, slots=True)
class Finding:
    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """``source`` is "" when no source of advisories could be asked: then ``findings`` says nothing.
    ``unasked`` are packages that the source does not know."""

    source: str
    findings: tuple[Finding, ...] = ()
    unasked: tuple[str, ...] = ()


class Asking(Protocol):
    """The packages' entries in pip-audit's report from a source; None when it could not be reached."""

    def __call__(self, source: str, requirements: Sequence[str]) -> list[dict[str, Any]] | None: ...


def pip_audit(source: str, requirements: Sequence[str]) -> list[dict[str, Any]] | None:
    """See Asking."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(requirements))
        listed.flush()
        done = subprocess.run(  # noqa: S603
            [
                *(
                    sys.executable,
                    "-m",
                    "pip_audit",
                    "--requirement",
                    listed.name,
                    "--disable-pip",
                    "--no-deps",
                ),
                *("--vulnerability-service", source, "--format", "json", "--progress-spinner", "off"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return None


def audit(pins: Iterable[Pin], ask: Asking = pip_audit) -> Audit:
    """What the first source that can be believed knows of these packages."""
    wanted = sorted({f"{pin.name}=={pin.version}" for pin in pins})
    for source in SOURCES:
        if not any(_findings(ask(source, [CANARY]) or [])):
            continue
        told = _asked_one_by_version(source, wanted, ask)
        if told is not None:
            unasked = tuple(f"{d['name']}: {d['skip_reason']}" for d in told if d.get("skip_reason"))
            return Audit(source, tuple(_findings(told)), unasked)
    return Audit("")


def _asked_one_by_version(source: str, wanted: Sequence[str], ask: Asking) -> list[dict[str, Any]] | None:
    """pip-audit takes one version of a package at a time; a lock can have two, for two Pythons."""
    told: list[dict[str, Any]] = []
    rest = list(wanted)
    while rest:
        first: dict[str, str] = {}
        for one in rest:
            first.setdefault(one.partition("==")[0], one)
        answer = ask(source, list(first.values()))
        if answer is None:
            return None
        told += answer
        rest = [one for one in rest if one not in first.values()]
    return told


def _findings(told: Iterable[dict[str, Any]]) -> list[Finding]:
    return [
        Finding(
            d["name"], d["version"], v["id"], tuple(v.get("aliases", ())), tuple(v.get("fix_versions", ()))
        )
        for d in told
        for v in d.get("vulns", ())
    ]


def accepted(text: str, today: date) -> set[str]:
    """Ids in lines "ID until YYYY-MM-DD why"; from that day on a line counts no more."""
    found = set()
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) >= 4 and words[1] == "until" and date.fromisoformat(words[2]) > today:
            found.add(words[0])
    return found


def report(found: Audit, allowed: set[str]) -> tuple[int, str]:
    """Exit status and text: 0 nothing known, 1 something, 3 nobody could be asked."""
    if not found.source:
        return NOT_SCANNED, (
            "NOT SCANNED: no source of advisories can be reached from here (asked: "
            f"{', '.join(SOURCES)}; neither knew the weakness of {CANARY}). Nothing is known about "
            "vulnerabilities; run `make audit` where there is a network.\n"
            "未扫描:此处无法访问漏洞库,不能说明没有漏洞;请在有网络的环境运行 make audit。"
        )
    open_ones = [f for f in found.findings if not allowed & {f.id, *f.aliases}]
    lines = [f"advisories of {found.source}: {len(found.findings)} found, {len(open_ones)} not accepted"]
    lines += [
        f"  {f.package} {f.version}: {f.id} {' '.join(f.aliases)}; fixed in {_listed(f.fixed_in)}"
        for f in open_ones
    ]
    lines += [f"  NOT ASKED {one}" for one in found.unasked]
    return (1 if open_ones or found.unasked else 0), "\n".join(lines)


def _listed(versions: Sequence[str]) -> str:
    return ", ".join(versions) or "none yet"
