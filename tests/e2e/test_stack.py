"""The packaged template on the local stack, from outside."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.town import Api

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
UNIT = "1144030000AA01019J"
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: stack-check
version: 1.0.0
status: active
schema:
  - name: stack_check
    properties:
      - {name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}
      - {name: amount, logicalType: integer}
"""


def test_the_api_answers_and_describes_itself_to_anybody(api: Any) -> None:
    assert api.as_nobody().call("GET", "/v1/health")[0] == 200
    status, description = api.as_nobody().call("GET", "/v1/openapi.json")
    assert status == 200
    assert description["openapi"].startswith("3.")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/batches", "/v1/resources/IN-01/changes"])
def test_strangers_are_refused(api: Any, path: str) -> None:
    assert api.as_nobody().call("GET", path)[0] == 401


def test_the_profile_is_for_its_owner_only_and_works(stack: Any, api: Any) -> None:
    assert stat.S_IMODE(stack.profile.stat().st_mode) == 0o600
    told = json.loads(stack.profile.read_text())
    assert (told["api_url"], told["token"]) == (stack.api_url, stack.token)
    assert api.call("GET", "/v1/me")[1]["acts_for"] == ["*"]


def test_deploying_again_changes_nothing_and_keeps_the_token(stack: Any) -> None:
    sys.path.insert(0, str(ROOT / "localstack"))
    import stack as local_stack

    again = local_stack.deploy(stack.folder, stack.endpoint)
    assert again.deployed.changed is False
    assert again.token == stack.token


def test_a_delivery_is_published_and_a_second_edition_compared_with_it(
    api: Any, eventually: Callable[..., Any]
) -> None:
    assert api.call("POST", "/v1/units", {"code": UNIT, "name": "单位"})[0] == 201
    status, contract = api.call("POST", "/v1/contracts", {"document": CONTRACT, "provider": UNIT})
    assert status == 201, contract

    def deliver(content: bytes, edition: str) -> Any:
        upload = api.put_file(content, "stack-check", UNIT, edition=edition)
        done = eventually(
            lambda: api.call("GET", f"/v1/uploads/{upload}")[1],
            lambda u: u["status"] in ("published", "held", "rejected", "failed"),
        )
        return done["batches"][0]

    first = deliver(b"id,amount\n001,1\n002,2\n003,3\n", "1")
    assert (first["status"], first["inserted"]) == ("published", 3)
    second = deliver(b"id,amount\n001,1\n002,5\n004,4\n", "2")
    assert (second["inserted"], second["updated"], second["deleted"], second["unchanged"]) == (1, 1, 1, 1)
    status, ledger = api.call("GET", "/v1/ledger?resource=stack-check")
    assert (status, ledger["balanced"]) == (200, True)


@pytest.mark.differs("no-state")
def test_state_outlives_a_clean_stop(stack: Any, api: Any) -> None:
    sys.path.insert(0, str(ROOT / "localstack"))
    import stack as local_stack

    before = api.call("GET", "/v1/batches?resource=stack-check")[1]["items"]
    stack.stop()
    port = int(stack.endpoint.rpartition(":")[2])
    again = local_stack.up(stack.folder, port)
    assert (again.endpoint, again.token, again.api_url) == (stack.endpoint, stack.token, stack.api_url)
    assert api.call("GET", "/v1/batches?resource=stack-check")[1]["items"] == before
    body = {"name": "source", "roles": ["source"], "unit": UNIT}
    owner = Api(stack.api_url, api.call("POST", "/v1/credentials", body)[1]["token"])
    status, rows = owner.call("POST", "/v1/queries", {"sql": "SELECT count(*) AS n FROM stack_check"})
    assert (status, rows["rows"]) == (200, [{"n": 3}]), rows


def test_the_clock_jobs_run_and_find_nothing_wrong(stack: Any) -> None:
    for job in ("minute", "hour"):
        answer = stack.client("lambda").invoke(
            FunctionName=stack.outputs["RunSchedule"], Payload=json.dumps({"job": job}).encode()
        )
        told = json.loads(answer["Payload"].read())
        assert "errorMessage" not in told, told
        assert not told.get("failed")
        assert not told.get("imbalances")
