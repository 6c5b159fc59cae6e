"""The one place where text becomes SQL identifiers and literals."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A column or table name as an SQL identifier."""
    if "\x00" in name:
        raise ValueError("an identifier holds no NUL")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    if "\x00" in text:
        raise ValueError("a literal holds no NUL")
    return "'" + text.replace("'", "''") + "'"
