"""What a query is for: said by the query's first comments, by its work group, or by the credentials.

A ground (case, duty, grant) is never mixed of two places: the nearest place that
names any of the three names them all. What is said is enforced by the platform.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from athena_endpoint.errors import StatementFailed

#: What may be said, as the command line calls it.
NAMES: Final = ("case", "duty", "grant", "purpose", "unit")
GROUND: Final = ("case", "duty", "grant")

_HINT: Final = re.compile(r"\s*huitong\s*[::](.*)", re.DOTALL | re.IGNORECASE)


def said_in(sql: str) -> dict[str, str]:
    """The members of ``-- huitong: case=…; purpose=…`` among the comments before the statement.

    Raises StatementFailed on a member that does not exist: a ground that is
    misspelt must not be left out.
    """
    found: dict[str, str] = {}
    for comment in leading_comments(sql)[0]:
        hint = _HINT.fullmatch(comment)
        for part in re.split("[;;]", hint[1]) if hint else ():
            name, _, value = part.partition("=")
            if not name.strip():
                continue
            if name.strip().lower() not in NAMES or not value.strip():
                known = ", ".join(NAMES)
                raise StatementFailed(
                    f"注释 huitong: 只能写 {known}", f"A comment huitong: says some of {known}", code="hint"
                )
            found[name.strip().lower()] = value.strip()
    return found


def leading_comments(sql: str) -> tuple[list[str], str]:
    """The comments before the statement, without their signs; and the rest."""
    found, rest = [], sql.lstrip()
    while rest.startswith(("--", "/*")):
        if rest.startswith("--"):
            line, _, rest = rest.partition("\n")
            found.append(line[2:].strip())
        else:
            block, end, rest = rest[2:].partition("*/")
            if not end:
                raise StatementFailed("注释没有结束", "A comment does not end", code="syntax")
            found.append(block.strip())
        rest = rest.lstrip()
    return found, rest


def merged(*places: Mapping[str, str]) -> dict[str, str]:
    """What holds, of places from the nearest to the farthest."""
    made = dict.fromkeys(NAMES, "")
    ground: Mapping[str, str] = next((p for p in places if any(p.get(n) for n in GROUND)), {})
    for name in NAMES:
        if name in GROUND:
            made[name] = ground.get(name, "")
        else:
            made[name] = next((p[name] for p in places if p.get(name)), "")
    return made
