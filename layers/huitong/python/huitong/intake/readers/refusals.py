"""How a reader says no: what, where, by which rule, and what to do."""

from __future__ import annotations

from typing import Any

from huitong.errors import Problem, UnreadableFile


def refusal(
    rule: str, zh: str, en: str, *, advice: tuple[str, str] = ("", ""), **where: Any
) -> UnreadableFile:
    """An UnreadableFile with one problem; ``advice`` is (zh, en)."""
    found = {name: value for name, value in where.items() if value not in (None, "")}
    return UnreadableFile(zh, en, problems=[Problem(rule, zh, en, found, *advice)], **found)
