"""Writes infra/routes.json, the paths of the REST API, from the table of operations.

``python infra/write_routes.py``          writes the file
``python infra/write_routes.py --check``  fails when the file is behind

template.yaml draws the file in (AWS::Include). Paths stand in the API's definition, not as events of the
functions: SAM makes a statement in the function's policy of every event, and that policy may have 20 KB.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huitong.web.operations import Operation

ROUTES = Path(__file__).resolve().parent / "routes.json"
FUNCTIONS = {"api": "ApiFunction", "query_data": "QueryDataFunction"}
_PLACE = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"


def paths() -> dict[str, dict[str, Any]]:
    """path → method → what the gateway must know of it."""
    from huitong.web.operations import OPERATIONS

    found: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        found.setdefault(operation.path, {})[operation.method.lower()] = _method(operation)
    return found


def _method(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": operation.id}
    if names := re.findall(r"{(\w+)}", operation.path):
        told["parameters"] = [{"name": n, "in": "path", "required": True, "type": "string"} for n in names]
    if operation.public:
        told["security"] = [{"NONE": []}]
    uri = {"Fn::Sub": f"{_PLACE}/${{{FUNCTIONS[operation.app]}.Arn}}/invocations"}
    told["x-amazon-apigateway-integration"] = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
    return told


def written() -> str:
    """The file's text: one line a method, so that a change of a route is a change of a line."""
    blocks = []
    for path, methods in paths().items():
        lines = [f"  {json.dumps(m)}: {json.dumps(told)}" for m, told in methods.items()]
        blocks.append(f"{json.dumps(path)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> int:
    wanted = written()
    if "--check" in sys.argv[1:]:
        behind = not ROUTES.is_file() or ROUTES.read_text() != wanted
        if behind:
            sys.stderr.write("infra/routes.json is behind: run python infra/write_routes.py\n")
        return int(behind)
    ROUTES.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
