"""Writes the HTTP events of template.yaml from the table of operations.

``python infra/write_routes.py``          rewrites what stands between the markers
``python infra/write_routes.py --check``  fails when the template is behind
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huitong.web.operations import Operation

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
INDENT = " " * 8


def events(app: str) -> list[str]:
    from huitong.web.operations import OPERATIONS

    return [f"{INDENT}{_event(o)}" for o in OPERATIONS if o.app == app]


def _event(operation: Operation) -> str:
    open_to_all = ", Auth: {Authorizer: NONE}" if operation.public else ""
    return (
        f"{_name(operation.id)}: {{Type: Api, Properties: {{RestApiId: !Ref RestApi, "
        f'Method: {operation.method.lower()}, Path: "{operation.path}"{open_to_all}}}}}'
    )


def written(text: str) -> str:
    """The template's text with the events of both apps brought up to date."""
    for app in ("api", "query_data"):
        start, end = f"{INDENT}# routes of {app}\n", f"{INDENT}# end of routes of {app}\n"
        head, _, rest = text.partition(start)
        _, _, tail = rest.partition(end)
        text = head + start + "".join(f"{line}\n" for line in events(app)) + end + tail
    return text


def _name(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))


def main() -> int:
    now = TEMPLATE.read_text()
    wanted = written(now)
    if "--check" in sys.argv[1:]:
        if now != wanted:
            sys.stderr.write("template.yaml lacks routes: run python infra/write_routes.py\n")
        return int(now != wanted)
    TEMPLATE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
