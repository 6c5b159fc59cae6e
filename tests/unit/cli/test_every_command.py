"""What all commands have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from huitong.cli.main import app


def commands(group: Any, path: str = "huitong") -> Iterator[tuple[str, Any]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{path} {name}")
        else:
            yield f"{path} {name}", one


def test_every_command_takes_json_and_says_in_both_languages_what_it_does() -> None:
    found = dict(commands(typer.main.get_command(app)))
    assert len(found) > 150
    assert [path for path, one in found.items() if not any("--json" in p.opts for p in one.params)] == []
    helps = {path: one.help or "" for path, one in found.items()}
    assert [path for path, text in helps.items() if not any("\u4e00" <= c <= "\u9fff" for c in text)] == []
    assert [path for path, text in helps.items() if not any(c.isascii() and c.isalpha() for c in text)] == []
