"""Who takes part in the demo: each person and system with an own credential, by command line or HTTP.

The ``huitong`` command runs in this process, which saves an interpreter's start for each of its many calls.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from typer.testing import CliRunner

from demo_data import AGENCY, BAR, CIVIL, COURT, DATA, FIRM, HOUSING, POLICE
from huitong.cli import main as command_line

BEGAN = time.perf_counter()
UNITS = {
    COURT: "深圳市中级人民法院", POLICE: "深圳市公安局", BAR: "深圳市律师协会",
    AGENCY: "深圳市破产事务管理署", HOUSING: "深圳市住房和建设局", CIVIL: "深圳市民政局",
    DATA: "深圳市政务服务和数据管理局", FIRM: "示例律师事务所",
}  # fmt: skip
#: name → unit, roles. Nobody has two roles that must stay apart, nobody decides on an own request.
PEOPLE: dict[str, tuple[str, Sequence[str]]] = {
    "court": (COURT, ["source"]), "police": (POLICE, ["source"]), "bar": (BAR, ["source"]),
    "civil": (CIVIL, ["source"]), "agency": (AGENCY, ["source", "consumer"]),
    "housing": (HOUSING, ["consumer"]),
    "officer": (AGENCY, ["officer"]), "editor": (AGENCY, ["editor"]), "reviewer": (AGENCY, ["reviewer"]),
    "agency-approver": (AGENCY, ["approver"]), "data-approver": (DATA, ["approver"]),
    "police-approver": (POLICE, ["approver"]), "housing-applicant": (HOUSING, ["applicant"]),
    "housing-approver": (HOUSING, ["approver"]), "lawyer": (FIRM, ["case_officer"]),
    "partner": (FIRM, ["approver"]), "auditor": ("", ["auditor"]),
}  # fmt: skip


def say(zh: str, en: str) -> None:
    print(f"[{time.perf_counter() - BEGAN:5.1f} s] {zh} / {en}", flush=True)


def stop(what: str, told: Any) -> NoReturn:
    """Something that had to work did not."""
    sys.exit(f"\n{what}\n{told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, indent=1)}")


@dataclass(frozen=True)
class Person:
    """A person or system: a profile file with its token, and what it does."""

    name: str
    unit: str
    id: str
    profile: Path

    def huitong(self, *words: str, exit_code: int = 0, stdin: str = "") -> dict[str, Any]:
        """One command, and the JSON that it tells. Another exit status than expected ends the demo."""
        asked = ["--profile-file", str(self.profile), *words]
        done = CliRunner().invoke(command_line.app, [*asked, "--json"], input=stdin or None)
        try:
            answer: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        except ValueError:
            stop(
                f"{self.name}: huitong {' '.join(words)}", f"{done.stdout}\n{done.stderr}\n{done.exception!r}"
            )
        if done.exit_code != exit_code and not (exit_code == 0 and "received" in answer):
            stop(f"{self.name}: huitong {' '.join(words)} → {done.exit_code}", answer or repr(done.exception))
        return answer

    def refused(self, *words: str) -> str:
        """A command that must be refused; in which words."""
        answer = self.huitong(*words, exit_code=1)
        return str(answer.get("zh", ""))

    def call(self, method: str, path: str, body: Any = None, unit: str = "") -> Any:
        """One request as a system would make it, for ``unit`` where it may act for others."""
        known = json.loads(self.profile.read_text())
        sent = {"authorization": f"Bearer {known['token']}", "content-type": "application/json"}
        sent |= {"huitong-unit": unit} if unit else {}
        request = urllib.request.Request(
            f"{known['api_url']}/v1/{quote(path.removeprefix('/v1/').lstrip('/'), safe='/?=&%')}",
            data=json.dumps(body).encode() if body is not None else None,
            headers=sent,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            stop(f"{self.name}: {method} {path} → {error.code}", error.read().decode())


@dataclass
class Cast:
    """Everybody, the first administrator among them; and what was checked on the way."""

    first: Person
    folder: Path
    people: dict[str, Person] = field(default_factory=dict)
    batches: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def enter(self) -> None:
        """Units are registered and everybody is given a credential."""
        for code, name in UNITS.items():
            self.first.call("POST", "units", {"code": code, "name": name, "contact": "0755-00000000"})
        api_url = json.loads(self.first.profile.read_text())["api_url"]
        for name, (unit, roles) in PEOPLE.items():
            made = self.first.call("POST", "credentials", {"name": name, "roles": roles, "unit": unit})
            profile = self.folder / f"{name}.json"
            profile.write_text(json.dumps({"api_url": api_url, "token": made["token"], "unit": unit}))
            profile.chmod(0o600)
            self.people[name] = Person(name, unit, made["id"], profile)

    def check(self, fine: bool, zh: str, en: str) -> None:
        """Something that must be so; if not, the demo goes on and ends with status 1."""
        say(f"{'✓' if fine else '✗'} {zh}", en)
        if not fine:
            self.missed.append(f"{zh} / {en}")

    def deliver(
        self, who: str, what: str, resource: str, name: str, content: bytes, *options: str
    ) -> dict[str, Any]:
        """A file, followed until it moves no more. A rejected or held batch is no end of the demo."""
        file = self.folder / name
        file.write_bytes(content)
        batch = self[who].huitong("upload", str(file), "--resource", resource, "--wait", *options)
        self.batches.append((what, batch))
        say(f"{what}:{brief(batch)}", f"{resource} {name} → {batch['status']}")
        return batch


def brief(batch: dict[str, Any]) -> str:
    names = (
        "received",
        "accepted",
        "quarantined",
        "duplicate",
        "inserted",
        "updated",
        "deleted",
        "unchanged",
    )
    return " ".join(f"{name} {batch[name]}" for name in names if batch[name])
