"""What the API, the schedule and the sending of deliveries load stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"pyarrow", "duckdb", "numpy", "pyiceberg", "sqlglot", "pydantic", "boto3", "botocore"}
LIGHT = [
    "accounts",
    "endpoints",
    "entitlement",
    "model",
    "pull",
    "push",
    "replay",
    "sending",
    "subscriptions",
    "sweep",
]


@pytest.mark.parametrize("module", LIGHT)
def test_a_light_module_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, huitong.delivery.{module}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_env()
    )
    assert not HEAVY.intersection(done.stdout.split())


def _env() -> dict[str, str]:
    from huitong import ports

    root = ports.__file__.rpartition("/huitong/")[0]
    return {"PYTHONPATH": root, "PATH": ""}
