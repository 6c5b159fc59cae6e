"""Date formats of contracts: JDK patterns (as ODCS says) or strptime, to strptime."""

from __future__ import annotations

import re
from typing import Final

#: Words for what is accepted anyway (GB/T 7408.1).
_STANDARD: Final = frozenset({"", "date", "date-time", "datetime", "iso", "iso8601", "iso-8601", "timestamp"})
_LETTERS: Final = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MM": "%m",
    "M": "%m",
    "dd": "%d",
    "d": "%d",
    "HH": "%H",
    "H": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%f",
    "SSSSSS": "%f",
    "XXX": "%z",
    "xxx": "%z",
    "XX": "%z",
    "X": "%z",
    "Z": "%z",
}
_STRPTIME = re.compile(r"(?:%[YymdHMSfzjbB%-]|[^%])+")
_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']")


def to_strptime(text: str) -> str | None:
    """``yyyy/MM/dd`` → ``%Y/%m/%d``; empty for a word that means the standard form; None when unknown."""
    text = text.strip()
    if text.lower() in _STANDARD:
        return ""
    if "%" in text:
        return text if _STRPTIME.fullmatch(text) else None
    parts: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if not token:
            return None
        at = token.end()
        if token.group(1) is not None:
            parts.append(token.group(1) or "'")
        elif token.group(2):
            directive = _LETTERS.get(token.group())
            if directive is None:
                return None
            parts.append(directive)
        else:
            parts.append(token.group())
    result = "".join(parts)
    return result if "%" in result else None


def has_time(strptime: str) -> bool:
    return "%H" in strptime
