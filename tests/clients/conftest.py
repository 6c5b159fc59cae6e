"""A stack with the Athena endpoint beside it, one resource of many types, and two analysts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.e2e.conftest import (  # noqa: F401 - fixtures, and the marker "differs"
    api,
    eventually,
    pytest_collection_modifyitems,
    stack,
    town,
)
from tests.support.town import Town

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: analysts
version: 1.0.0
status: active
name: 分析
schema:
  - name: analysts
    properties:
      - {name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}
      - {name: note, logicalType: string}
      - name: name
        logicalType: string
        classification: L3
        customProperties: [{property: mask, value: name}]
      - {name: day, logicalType: date}
      - {name: moment, logicalType: timestamp}
      - {name: amount, logicalType: number, physicalType: "decimal(12,2)"}
      - {name: flag, logicalType: boolean}
      - {name: big, logicalType: integer}
      - {name: secret, logicalType: string}
"""
FIELDS = ["id", "note", "name", "day", "moment", "amount", "flag", "big"]
DELIVERED = """id,note,name,day,moment,amount,flag,big,secret
1,"他说""好"", 再见
第二行",王小明,2026-01-31,2026-01-31T08:09:10.123456Z,1.50,true,9007199254740993,x
2,,李四,,,,,,x
3,=1+1,张三丰,1999-12-31,2000-01-01T00:00:00Z,-0.01,false,-1,x
"""
#: What the analyst is given: names masked.
GIVEN = [
    ["1", '他说"好", 再见\n第二行', "王**", "2026-01-31", "2026-01-31T08:09:10.123456+00:00", "1.50", True,
     9007199254740993],
    ["2", None, "李*", None, None, None, None, None],
    ["3", "=1+1", "张**", "1999-12-31", "2000-01-01T00:00:00+00:00", "-0.01", False, -1],
]  # fmt: skip


@dataclass(frozen=True)
class Analyst:
    """Somebody with a key pair, as the command gave it."""

    variables: Mapping[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A program of .venv-athena with nothing of AWS in its environment but the analyst's own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        program = CLIENTS / words[0]
        return subprocess.run(
            [str(program), *words[1:]], capture_output=True, text=True, check=False, timeout=800,
            env={**kept, **self.variables, "AWS_EC2_METADATA_DISABLED": "true"},
        )  # fmt: skip

    def client(self, service: str) -> Any:
        lines = Path(self.variables["AWS_SHARED_CREDENTIALS_FILE"]).read_text().splitlines()
        keys = dict(line.split(" = ") for line in lines if " = " in line)
        endpoint = self.variables[f"AWS_ENDPOINT_URL_{service.upper()}"]
        return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)


CLIENTS = ROOT / ".venv-athena" / "bin"


@pytest.fixture(scope="session")
def resource(town: Town) -> str:  # noqa: F811
    """Published; the housing bureau has a grant under a duty, with names masked; the police has none."""
    body = {"document": CONTRACT, "provider": town.COURT}
    assert town.admin.call("POST", "/v1/contracts", body)[0] == 201
    town.share("analysts", town.HOUSING)
    town.grant(town.HOUSING, "analysts", fields=FIELDS, methods=["sql", "export"])
    assert town.deliver(DELIVERED.encode(), "analysts")["status"] == "published"
    return "analysts"


@pytest.fixture(scope="session")
def endpoint(stack: Any, resource: str) -> Iterator[Path]:  # noqa: F811
    """The endpoint runs; the folder of the stack."""
    import endpoint_process

    endpoint_process.up(stack.folder)
    try:
        yield stack.folder
    finally:
        endpoint_process.down(stack.folder)


def issued(town: Town, folder: Path, who: str, known: Mapping[str, str] | None = None) -> Analyst:  # noqa: F811
    """`athena.py credentials`, as an analyst runs it; the profile names no use of data."""
    profile = folder / f"{who}.json"
    known = known or {"api_url": town.stack.api_url, "token": town.api(who).token}
    profile.write_text(json.dumps(known))
    done = subprocess.run(
        [sys.executable, str(ROOT / "localstack/athena.py"), "credentials", "--profile-file", str(profile),
         "--name", who],
        capture_output=True, text=True, check=True, env={**os.environ, "HUITONG_STACK_DIR": str(folder)},
    )  # fmt: skip
    lines = [line.removeprefix("export ") for line in done.stdout.splitlines() if line.startswith("export ")]
    return Analyst(dict(line.split("=", 1) for line in lines))


@pytest.fixture(scope="session")
def analyst(town: Town, endpoint: Path) -> Analyst:  # noqa: F811
    return issued(town, endpoint, "housing")


@pytest.fixture(scope="session")
def stranger(town: Town, endpoint: Path) -> Analyst:  # noqa: F811
    return issued(town, endpoint, "police")
