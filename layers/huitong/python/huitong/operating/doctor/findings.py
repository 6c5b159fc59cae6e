"""What a check says, and the exit status of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from huitong.operating.doctor.facts import Unseen

Severity = Literal["ok", "unknown", "warning", "error"]
_EXIT: Final[dict[Severity, int]] = {"ok": 0, "unknown": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """``about``: the thing it is about; ``do_*``: what somebody should do."""

    check: str
    severity: Severity
    zh: str
    en: str
    about: str = ""
    do_zh: str = ""
    do_en: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value != ""}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that a check found, before it has the check's name."""

    zh: str
    en: str
    about: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Advice:
    zh: str
    en: str


def exit_status(findings: Iterable[Finding]) -> int:
    """0 = nothing to do, 1 = warnings, 2 = something is broken. What could not be checked is no reason."""
    return max((_EXIT[finding.severity] for finding in findings), default=0)


def unseen(check: str, why: Unseen) -> Finding:
    return Finding(check, "unknown", f"此处无法检查:{why.zh}", f"Not checkable here: {why.en}")


def told(check: str, wrongs: Iterable[Wrong], advice: Advice, fine: tuple[str, str]) -> Iterator[Finding]:
    """One finding for each wrong thing, or one that says that all is well."""
    some = False
    for wrong in wrongs:
        some = True
        yield Finding(check, wrong.severity, wrong.zh, wrong.en, wrong.about, advice.zh, advice.en)
    if not some:
        yield Finding(check, "ok", fine[0], fine[1])
