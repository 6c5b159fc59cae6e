"""The OpenAPI description, made from the table of operations (S-36, S-37)."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from huitong import __version__
from huitong.web.operations import ARROW, OPERATIONS, PATHS, Operation
from huitong.web.problems import PROBLEM_TYPE
from huitong.web.schemas import SCHEMAS, ref

_PROBLEMS = ("400", "401", "403", "404", "409", "413", "422", "429", "500", "503")
_BARE_PROBLEMS = ("500", "503")


def document() -> dict[str, Any]:
    """The whole description as JSON-ready values."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Huitong 汇通",
            "version": __version__,
            "description": "政务数据共享:报送、校验、比对、发布、推送、查询。 "
            "Sharing of government data: deliver, check, compare, publish, push, query.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"signed": []}],
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "ht_<id>_<secret> or hs_<id>_<secret>",
                },
                "signed": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "HUITONG-HMAC-SM3 or HUITONG-HMAC-SHA256, see docs/identity.md",
                },
            },
            "responses": {
                "Problem": {
                    "description": "问题说明 problem details (RFC 9457)",
                    "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
                }
            },
        },
    }  # fmt: skip


def text() -> str:
    """The description as it stands in infra/openapi.json."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": f"{operation.zh} {operation.en}",
        "tags": [operation.path.split("/")[2]],
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): {
                "description": operation.en,
                "content": {media: _content(operation, media) for media in operation.media},
            },
            **{
                status: {"$ref": "#/components/responses/Problem"}
                for status in (_BARE_PROBLEMS if operation.bare else _PROBLEMS)
            },
        },
    }
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": ref(operation.body)}},
        }
    if operation.public:
        described["security"] = []
    else:
        described["x-huitong-rule"] = operation.rule
    described["x-huitong-function"] = operation.app
    return described


def _content(operation: Operation, media: str) -> dict[str, Any]:
    if media == "application/json":
        return {"schema": ref(operation.answer)}
    return {"schema": {"type": "string", **({"format": "binary"} if media == ARROW else {})}}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": PATHS[name]}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in (operation.query or {}).items()
    ]
    headers = [] if operation.public else ["Huitong-Unit"]
    headers += [operation.idempotent_by] if operation.idempotent_by else []
    parameters += [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string", "maxLength": 128}}
        for name in headers
    ]
    return parameters


if __name__ == "__main__":
    sys.stdout.write(text())
