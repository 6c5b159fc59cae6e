"""What each function loads, in a process of its own with the environment of the template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"pyarrow", "duckdb", "pyiceberg", "numpy", "sqlglot", "fastexcel", "open_data_contract_standard"}
ENVIRONMENT = {
    "REGISTER_TABLE": "register",
    "EVIDENCE_TABLE": "evidence",
    "EVIDENCE_BUCKET": "evidence",
    "SIGNING_KEY": "signing",
    "LANDING_BUCKET": "landing",
    "STAGING_BUCKET": "staging",
    "WAREHOUSE_BUCKET": "warehouse",
    "EVENT_BUS": "bus",
    "QUEUE_URL": "http://q/1/own",
    "INGEST_QUEUE_URL": "http://q/1/ingest",
    "VALIDATE_QUEUE_URL": "http://q/1/validate",
    "COMPARE_QUEUE_URL": "http://q/1/compare.fifo",
    "PUSH_QUEUE_URL": "http://q/1/push.fifo",
    "WAITING_QUEUE_URL": "http://q/1/waiting",
    "DEAD_LETTER_QUEUE_URL": "http://q/1/dead.fifo",
    "GLUE_DATABASE": "huitong",
    "SECRETS_KEY": "key",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
}


def loads(code: str, folder: str = ".") -> set[str]:
    """The top-level packages in memory after the code ran."""
    told = "import sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    path = os.pathsep.join([str(ROOT / "layers/huitong/python"), str(ROOT / "functions" / folder)])
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{told}"],
        env={**ENVIRONMENT, "PYTHONPATH": path, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("authorize_request", "import handler; from huitong import wiring; wiring.build_authorizer()"),
        ("api", "import app; from huitong import wiring; wiring.build_api()"),
        ("run_schedule", "import handler; from huitong import wiring; wiring.build_schedule()"),
    ],
)
def test_a_light_function_loads_nothing_heavy(folder: str, code: str) -> None:
    found = loads(code, folder)
    assert "boto3" in found
    assert not found & HEAVY


@pytest.mark.parametrize(
    ("folder", "builder"),
    [
        ("ingest_file", "build_receive"),
        ("validate_batch", "build_validate"),
        ("compare_batch", "build_compare"),
        ("push_changes", "build_push"),
    ],
)
def test_a_data_function_is_wired_without_touching_anything_outside(folder: str, builder: str) -> None:
    assert "boto3" in loads(f"import handler; from huitong import wiring; wiring.{builder}()", folder)


@pytest.mark.parametrize("engine", ["duckdb", "athena"])
def test_the_engine_of_queries_is_chosen_by_configuration(engine: str) -> None:
    code = f"import os; os.environ['QUERY_ENGINE'] = {engine!r}; from huitong import settings; "
    code += "from huitong.wiring import parts; made = parts.engine(settings.QuerySettings.read()); "
    assert loads(code + f"assert made.name == {engine!r}")


def test_runs_on_athena_are_started_for_the_request_that_is_answered() -> None:
    """The token of a run is made of it: the same request starts nothing twice, and a trail finds who asked."""
    code = "import os; os.environ['QUERY_ENGINE'] = 'athena'; from huitong import correlation, settings; "
    code += "from huitong.wiring import parts; made = parts.engine(settings.QuerySettings.read()); "
    code += "entered = correlation.in_request('request-7'); entered.__enter__(); "
    assert loads(code + "assert made._athena._request() == 'request-7'")


def test_errors_of_the_landing_bucket_alone_hide_names_that_people_gave() -> None:
    """S-16."""
    code = (
        "from huitong import settings; from huitong.wiring import parts; s = settings.IngestSettings.read(); "
    )
    code += "landing = parts.bucket(s, s.landing_bucket); staging = parts.bucket(s, s.staging_bucket); "
    code += "assert s.landing_bucket != s.staging_bucket; "
    code += "assert landing._shown('张三/x.csv') == '…/…'; assert staging._shown('a/b') == 'a/b'"
    assert loads(code, "ingest_file")


def test_importing_a_handler_reads_no_environment_and_loads_no_sdk() -> None:
    found = loads("import os; os.environ.clear(); import handler", "validate_batch")
    assert not found & (HEAVY | {"boto3", "botocore"})
