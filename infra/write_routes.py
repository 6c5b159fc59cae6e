"""Writes the paths of the REST API in template.yaml from the table of operations.

``python infra/write_routes.py``          rewrites what stands between the markers
``python infra/write_routes.py --check``  fails when the template is behind

Paths stand in the API's definition, not as events of the functions: SAM makes a
statement in the function's policy of every event, and that policy may have 20 KB.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huitong.web.operations import Operation

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
INDENT = " " * 10
START, END = f"{INDENT}# routes\n", f"{INDENT}# end of routes\n"
FUNCTIONS = {"api": "ApiFunction", "query_data": "QueryDataFunction"}


def paths() -> list[str]:
    """One line a path and one a method, as flow mappings."""
    from huitong.web.operations import OPERATIONS

    lines: list[str] = []
    seen: set[str] = set()
    for path in dict.fromkeys(o.path for o in OPERATIONS):
        lines.append(f'{INDENT}"{path}":')
        for operation in (o for o in OPERATIONS if o.path == path):
            lines.append(f"{INDENT}  {operation.method.lower()}: {_method(operation, seen)}")
    return lines


def _method(operation: Operation, seen: set[str]) -> str:
    parts = [f"operationId: {operation.id}"]
    if names := re.findall(r"{(\w+)}", operation.path):
        listed = ", ".join(f"{{name: {n}, in: path, required: true, type: string}}" for n in names)
        parts.append(f"parameters: [{listed}]")
    if operation.public:
        parts.append("security: [{NONE: []}]")
    return f"{{{', '.join(parts)}, x-amazon-apigateway-integration: {_integration(operation.app, seen)}}}"


def _integration(app: str, seen: set[str]) -> str:
    """The whole integration where a function is first named, its YAML alias after."""
    if app in seen:
        return f"*to-{app}"
    seen.add(app)
    place = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"
    uri = f'!Sub "{place}/${{{FUNCTIONS[app]}.Arn}}/invocations"'
    return f"&to-{app} {{type: aws_proxy, httpMethod: POST, uri: {uri}}}"


def written(text: str) -> str:
    """The template's text with the paths brought up to date."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return head + START + "".join(f"{line}\n" for line in paths()) + END + tail


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
