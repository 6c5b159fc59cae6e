"""``huitong`` as in a terminal, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import typer.testing
from typer.testing import CliRunner, Result

from huitong.cli import main

__all__ = ["Result", "invoke"]

# Put together once: for some 250 commands that takes longer than most of them run.
typer.testing._get_command = cache(typer.main.get_command)  # type: ignore[attr-defined]


def invoke(arguments: Sequence[str], *, stdin: str = "", env: Mapping[str, str] | None = None) -> Result:
    """What a command printed, and its exit status. The platform answers in the same process: its figures,
    which Lambda takes from what is printed, stay out."""
    quiet = {"POWERTOOLS_METRICS_DISABLED": "true", **(env or {})}
    return CliRunner().invoke(main.app, list(arguments), input=stdin, env=quiet)
