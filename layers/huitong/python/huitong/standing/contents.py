"""What records of standing must say: every fault at once, beyond the form that the API checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from huitong.errors import Problem

AGREEMENT_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "sharing": ("共享协商一致", "agreement with the source unit (Q-02)"),
    "licence": ("许可协议", "licence for queries in batches: volume and dates (C-19)"),
    "security": ("数据安全协议", "security agreement (L-39)"),
}
#: Interfaces of the platform that a partner connects to, and their version. It rises when the form of
#: requests or messages changes so that a partner must change, too; then joint tests are to be made anew.
INTERFACES: Final[Mapping[str, str]] = {"push": "1", "pull": "1", "read": "1", "comparison": "1"}
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")


def day_of(text: str) -> date | None:
    """The day that a text names (``2026-01-31``), or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def agreement_problems(given: Mapping[str, Any]) -> list[Problem]:
    kind, resources = given["kind"], given.get("resources", ())
    problems = _documented(given)
    problems += _period(str(given["starts"]), str(given["ends"]))
    if kind in ("sharing", "licence") and not resources:
        problems.append(_problem("resources", "须列明资源范围", "It must name the resources it covers"))
    if kind == "licence" and not given.get("volume"):
        problems.append(_problem("volume", "许可协议须约定每日数据量", "A licence names its rows a day"))
    return problems


def docking_problems(given: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for name in ("resources", "method", "security_terms", "contacts"):
        if not given.get(name):
            problems.append(_problem(name, f"对接记录须有 {name}", f"A docking record needs {name}"))
    if given.get("revises") and not str(given.get("evaluation", "")).strip():
        zh = "修订须附重新评估"
        problems.append(_problem("evaluation", zh, "A revision needs the re-evaluation (Q-54)"))
    return problems


def test_problems(given: Mapping[str, Any], today: date) -> list[Problem]:
    problems = _documented(given)
    if given["interface"] not in INTERFACES:
        known = " ".join(INTERFACES)
        problems.append(_problem("interface", f"接口须为:{known}", f"interface is one of: {known}"))
    for name in ("our_testers", "their_testers"):
        if not [t for t in given.get(name, ()) if str(t).strip()]:
            problems.append(
                _problem(name, "双方测试人员均须登记", f"{name}: testers of both sides are named")
            )
    day = day_of(str(given["tested_on"]))
    if day is None or day > today:
        problems.append(_problem("tested_on", "测试日期有误", "tested_on is not a day up to today"))
    return problems


def outside_problems(given: Mapping[str, Any]) -> list[Problem]:
    problems = _documented(given)
    for name in ("resources", "reason"):
        if not given.get(name):
            problems.append(_problem(name, f"须填写 {name}", f"{name} is missing"))
    return problems


def _documented(given: Mapping[str, Any]) -> list[Problem]:
    problems = []
    if not str(given.get("document", "")).strip():
        problems.append(_problem("document", "须附文件", "It needs its document"))
    if not _DIGEST.fullmatch(str(given.get("digest", ""))):
        zh = "摘要须为64位十六进制(SM3 或 SHA-256)"
        problems.append(_problem("digest", zh, "digest is 64 hexadecimal digits (SM3 or SHA-256)"))
    return problems


def _period(starts: str, ends: str) -> list[Problem]:
    low, high = day_of(starts), day_of(ends)
    problems = []
    for name, day in (("starts", low), ("ends", high)):
        if day is None:
            problems.append(_problem(name, f"{name} 不是日期", f"{name} is not a day"))
    if low and high and high < low:
        problems.append(_problem("ends", "结束早于开始", "It ends before it starts"))
    return problems


def _problem(field: str, zh: str, en: str) -> Problem:
    return Problem(f"standing.{field}", zh, en, {"field": field})
