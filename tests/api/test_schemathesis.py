"""The published description is kept for every role: no 5xx, no undocumented status, no other body (S-36).

Requests are made from the description by schemathesis: once, always the same, then
sent under each role's credential, as made and as somebody would send them who knows
what there is. The apps run in this process, so that every fault has its traceback.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from test_who_may import BODIES, PATH
from tests.support.api_world import COURT, World, event
from tests.support.tickets import ticket_reading

from huitong.identity import matrix
from huitong.identity.model import OPERATOR
from huitong.quality.rulebook.tables import PublishedTables
from huitong.quality.rulebook.trial import Trials
from huitong.warehouse.lakehouse import Lakehouse
from huitong.web import openapi
from huitong.web.operations import OPERATIONS, Operation

EXAMPLES = 2  # made of each operation; each is sent as made and completed, see Made
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
KNOWN = {**BODIES, "QueryBody": {"sql": "SELECT * FROM claims"}}
ROWS = "claim_no,debtor_id,amount\n1,440304190002280012,100.00\n2,440304190002280012,200.00\n"
LAST = ("move_registration", "impose_restriction", "put_suspension", "suspend", "put_unit")
DESK = {"officer", "editor", "reviewer", "auditor", "admin", "security"}


@dataclass(frozen=True)
class Made:
    """A request as schemathesis made it, or ``completed``: with a path and a body of things that exist, or
    ``replaced`` by these altogether."""

    operation: Operation
    case: Case
    how: Literal["made", "completed", "replaced"]


@pytest.fixture(scope="module")
def made() -> list[Made]:
    """Of every operation, in an order in which what ends things comes last."""
    schema = schemathesis.openapi.from_dict(openapi.document())
    described = {(o.method.upper(), o.path): o for o in (r.ok() for r in schema.get_all_operations())}
    found = []
    for operation in sorted(OPERATIONS, key=_order):
        cases = _cases(described[operation.method, operation.path])
        found += [Made(operation, case, "made") for case in cases]
        found += [Made(operation, cases[0], "replaced"), Made(operation, cases[-1], "completed")]
    return found


@pytest.fixture(scope="module")
def judged() -> set[Any]:
    """Answers that were compared with the description already: comparing takes longer than answering."""
    return set()


def _order(operation: Operation) -> tuple[bool, bool, int]:
    """What makes things comes first, what ends them last."""
    makes = operation.method == "POST" and "{" not in operation.path
    return operation.id in LAST, not makes, ("GET", "PUT", "POST", "DELETE").index(operation.method)


def _cases(described: Any) -> list[Case]:
    cases: list[Case] = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(described.as_strategy())
    def take(case: Case) -> None:
        cases.append(case)

    take()
    return cases


@pytest.fixture
def published(world: World, platform: Any, tmp_path: Path) -> None:
    """Rows in a table, and the areas that read tables."""
    ticket_reading(world, platform.ports)
    house = Lakehouse(platform.ports.catalog, "huitong", platform.ports.warehouse)
    tables = PublishedTables(house, world.publications, world.batches)
    world.trials = Trials(world.rulebook, world.batches, world.staging, tables, world.clock)  # type: ignore[attr-defined]
    file = tmp_path / "claims.csv"
    file.write_text(ROWS, encoding="utf-8")
    assert platform.deliver(file, "claims", COURT).status == "published"


@pytest.mark.parametrize("role", [*matrix.ROLES, "first", "nobody"])
def test_every_operation_keeps_its_description(
    role: str,
    made: list[Made],
    judged: set[Any],
    world: World,
    published: None,
    apps: dict[str, Any],
    court_things: dict[str, str],
) -> None:
    """Every role, the first administrator and nobody × every operation × examples."""
    token = _token(world, role)
    failures: dict[tuple[str, str], str] = {}
    for one in made:
        sent = _event(one, token, court_things)
        answer = apps[one.operation.app](sent, None)
        world.clock.advance(seconds=20)  # or bounds of public operations would answer for them
        _remember(one.operation, answer, court_things)
        said = (one.operation.id, answer["statusCode"], answer["body"], answer["headers"].get("Content-Type"))
        if said in judged:  # the same answer to another role
            continue
        judged.add(said)
        for problem in _problems(one.case, sent, answer):
            failures.setdefault(
                (one.operation.id, problem[:60]), f"{problem} ← {sent['body']} {sent['pathParameters']}"
            )
    assert not failures, "\n\n".join(f"{id}: {text[:600]}" for (id, _), text in sorted(failures.items()))


def _token(world: World, role: str) -> str:
    if role == "nobody":
        return ""
    if role == "first":
        return world.tokens["admin"]
    unit = OPERATOR if role in DESK else COURT
    if unit == OPERATOR:
        world.units.put(OPERATOR, "破产署")
    return world.credentials.issue("who", unit, [role], by="test")[1]  # type: ignore[list-item]


def _event(one: Made, token: str, things: dict[str, str]) -> dict[str, Any]:
    operation, case = one.operation, one.case
    path = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    body = case.body if operation.body else None
    query = {name: str(value) for name, value in (case.query or {}).items()}
    headers = {name: str(value) for name, value in (case.headers or {}).items() if name != "Authorization"}
    if one.how != "made":
        path = {name: quote(PATH[name]) for name in path}
        if "id" in path:
            path["id"] = things.get(operation.path.split("/")[2], "x1")
        known = KNOWN.get(operation.body, {})
        body = {**body, **known} if one.how == "completed" and isinstance(body, dict) else known
        headers.pop("Huitong-Unit", None)
        query = query if one.how == "completed" else {}
        query |= {name: PATH["code"] for name in query if name == "resource"}
        query |= {name: COURT for name in query if name == "unit"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    text = json.dumps(body, ensure_ascii=False) if operation.body else None
    return event(
        operation.method, operation.path, path=path or None, query=query or None, body=text, headers=headers
    )


def _remember(operation: Operation, answer: dict[str, Any], things: dict[str, str]) -> None:
    """The id of what was made, for the requests that follow."""
    if operation.method == "POST" and "{" not in operation.path and answer["statusCode"] in (200, 201):
        told = json.loads(answer["body"]) if not answer.get("isBase64Encoded") else {}
        if isinstance(told, dict) and isinstance(told.get("id"), str):
            things[operation.path.split("/")[2]] = told["id"]


def _problems(case: Case, sent: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    content = answer["body"]
    raw = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
    url = "http://test" + re.sub(r"{(\w+)}", lambda m: (sent["pathParameters"] or {})[m[1]], sent["resource"])
    response = Response(
        status_code=answer["statusCode"],
        headers={name.lower(): [value] for name, value in answer["headers"].items()},
        content=raw,
        request=requests.Request(sent["httpMethod"], url).prepare(),
        elapsed=0.0,
        verify=False,
    )
    try:
        case.validate_response(response, checks=CHECKS)
    except (Failure, FailureGroup) as failed:
        for each in failed.exceptions if isinstance(failed, FailureGroup) else [failed]:
            yield f"{answer['statusCode']} {type(each).__name__} {each}"
