"""The published description is what both apps do (S-36, S-37)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import Call

from huitong.identity.authorize import RULES
from huitong.web import openapi
from huitong.web.operations import OPERATIONS, PATHS
from huitong.web.schemas import AREAS, SCHEMAS

PUBLISHED = Path(__file__).resolve().parents[2] / "infra" / "openapi.json"


def test_the_file_is_what_the_table_says_now() -> None:
    """Regenerate it with ``python -m huitong.web.openapi > infra/openapi.json``."""
    assert PUBLISHED.read_text(encoding="utf-8") == openapi.text()


@pytest.mark.parametrize("name", ["api", "query_data"])
def test_the_description_lists_exactly_the_routes_of_each_app(name: str, apps: dict[str, Any]) -> None:
    served = {(method, path) for path, methods in apps[name].routes.items() for method in methods}
    assert served == {(o.method, o.path) for o in OPERATIONS if o.app == name}


def test_every_operation_has_schemas_for_body_answers_and_problems() -> None:
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            good = [status for status in operation["responses"] if status < "300"]
            assert len(good) == 1, operation
            assert all("schema" in c for c in operation["responses"][good[0]]["content"].values())
            assert any(status >= "400" for status in operation["responses"])
            if operation.get("requestBody"):
                assert operation["requestBody"]["content"]["application/json"]["schema"]
            named = re.findall(r"{(\w+)}", path)
            assert [p["name"] for p in operation["parameters"] if p["in"] == "path"] == named, (method, path)


def test_every_reference_of_the_description_leads_somewhere() -> None:
    text = openapi.text()
    schemas = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert schemas <= set(SCHEMAS)
    assert schemas | {"Problem"} == set(SCHEMAS), "schemas that nothing uses"


def test_no_two_areas_name_a_schema_alike() -> None:
    """The later one would describe the answers of both."""
    names = [name for area in AREAS for name in area]
    assert sorted(names) == sorted(SCHEMAS)


def test_every_operation_names_a_rule_that_exists() -> None:
    assert {o.rule for o in OPERATIONS if not o.public} <= set(RULES)


def test_operation_ids_and_routes_are_unique() -> None:
    assert len({o.id for o in OPERATIONS}) == len({(o.method, o.path) for o in OPERATIONS}) == len(OPERATIONS)


def test_every_path_parameter_is_described() -> None:
    assert {name for o in OPERATIONS for name in re.findall(r"{(\w+)}", o.path)} == set(PATHS)


def test_anybody_can_read_the_description_and_the_health(call: Call) -> None:
    assert call("GET", "/v1/openapi.json").body == json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert call("GET", "/v1/health").body["status"] == "ok"
