"""Regular expressions of contracts (ECMA, as ODCS says) for the quality engine (RE2).

RE2 is not asked itself, since only DuckDB and Arrow bring it and neither belongs into the function that
registers contracts: a scan refuses what RE2 lacks, Python's ``re`` judges the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MAX_LENGTH = 1000
_MAX_REPEAT = 1000  # RE2's own limit, nested repetitions multiplied
_GROUP = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|[imsU]*(?:-[imsU]+)?[:)])")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_OPENING = re.compile(r"\[\^?\]?")
_UNICODE_CLASS = re.compile(
    r"[pP](?:\{\^?(?:[CLMNPSZ][a-z]?|Han|Latin|Greek|Cyrillic|Hiragana|Katakana|Hangul|Bopomofo|Common)\}"
    r"|[CLMNPSZ])"
)
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})")
_CLASSES_AND_CONTROLS = frozenset("dDsSwWaftnrv")
_ASSERTIONS = frozenset("AbBz")


class _Unfit(Exception):
    """Carries the reason; never leaves this module."""


@dataclass(slots=True)
class _Scan:
    """State while going through a pattern once."""

    in_class: bool = False
    repeated: bool = False  # the last token repeats the one before it
    last: int = 1  # how often the last piece repeats, inner repetitions multiplied
    outer: list[int] = field(default_factory=lambda: [1])  # largest so far, one for each open group
    re2: list[str] = field(default_factory=list)
    python: list[str] = field(default_factory=list)


def to_re2(pattern: str) -> tuple[str, str]:
    """The pattern as RE2 takes it, and why it cannot be used (short English; empty when it can)."""
    if len(pattern) > _MAX_LENGTH:
        return "", f"longer than {_MAX_LENGTH} characters"
    scan = _Scan()
    at = 0
    try:
        while at < len(pattern):
            at += _in_class(scan, pattern, at) if scan.in_class else _outside(scan, pattern, at)
        re.compile("".join(scan.python))
    except (_Unfit, re.error, OverflowError, RecursionError) as error:
        return "", str(error)
    return "".join(scan.re2), ""


def _take(scan: _Scan, length: int, re2: str, python: str | None = None) -> int:
    scan.re2.append(re2)
    scan.python.append(re2 if python is None else python)
    return length


def _outside(scan: _Scan, pattern: str, at: int) -> int:
    char = pattern[at]
    repeat = _REPEAT.match(pattern, at)
    if char in "*+?" or repeat:
        text = repeat.group() if repeat else char
        _repeat(scan, text, max((int(n or 0) for n in repeat.groups()), default=1) if repeat else 1, at)
        return _take(scan, len(text), text)
    scan.repeated = False
    scan.outer[-1] = max(scan.outer[-1], scan.last)
    scan.last = 1
    if char == "\\":
        return _escape(scan, pattern, at)
    if char == "[":
        scan.in_class = True
        opening = _OPENING.match(pattern, at)
        text = opening.group() if opening else char  # "]" first in a class is an ordinary character there
        return _take(scan, len(text), text)
    if char == "(":
        return _group(scan, pattern, at)
    if char == ")" and len(scan.outer) > 1:
        scan.last = scan.outer.pop()
    return _take(scan, 1, char)


def _repeat(scan: _Scan, text: str, times: int, at: int) -> None:
    if scan.repeated and text != "?":
        raise _Unfit(f"stacked repetition {text!r} at {at + 1}")
    scan.repeated = not scan.repeated
    scan.last *= max(times, 1)
    if scan.last > _MAX_REPEAT:
        raise _Unfit(f"more than {_MAX_REPEAT} repetitions at {at + 1}")


def _group(scan: _Scan, pattern: str, at: int) -> int:
    if not pattern.startswith("(?", at):
        scan.outer.append(1)
        return _take(scan, 1, "(")
    found = _GROUP.match(pattern, at)
    if not found:
        raise _Unfit(f"lookaround or unknown group at {at + 1}")
    text = found.group()
    if text.endswith(")"):  # flags change what matches, not whether it compiles
        return _take(scan, len(text), text, "")
    scan.outer.append(1)
    if "<" in text:
        return _take(scan, len(text), "(?P<" + text.split("<", 1)[1])
    return _take(scan, len(text), text, "(?:")


def _in_class(scan: _Scan, pattern: str, at: int) -> int:
    char = pattern[at]
    if char == "\\":
        return _escape(scan, pattern, at)
    if char == "]":
        scan.in_class = False
    if pattern.startswith("[:", at):
        raise _Unfit(f"POSIX class at {at + 1}")
    return _take(scan, 1, char, f"\\{char}" if char in "[&~|" else char)


def _escape(scan: _Scan, pattern: str, at: int) -> int:
    if at + 1 == len(pattern):
        raise _Unfit("ends with a backslash")
    char = pattern[at + 1]
    for form in (_UNICODE_CLASS, _HEX):
        if found := form.match(pattern, at + 1):
            return _take(scan, 1 + len(found.group()), f"\\{found.group()}", "x")
    if char in _CLASSES_AND_CONTROLS or (char in _ASSERTIONS and not scan.in_class):
        return _take(scan, 2, f"\\{char}", "\\Z" if char == "z" else f"\\{char}")
    if not char.isascii():
        return _take(scan, 2, char)
    if char.isalnum():
        kind = "back reference" if char.isdigit() or char == "k" else "escape"
        raise _Unfit(f"{kind} \\{char} at {at + 1}")
    return _take(scan, 2, f"\\{char}", re.escape(char))
