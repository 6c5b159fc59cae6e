"""What the apps and the command line load before they do anything (issue 2: light functions stay light)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "pyarrow",
    "duckdb",
    "pyiceberg",
    "sqlglot",
    "yaml",
    "numpy",
    "pydantic",
    "fastexcel",
    "boto3",
    "botocore",
}


def loaded(code: str, *folders: Path) -> set[str]:
    """Top-level modules that a fresh interpreter has after running the code."""
    paths = [str(ROOT / "layers/huitong/python"), *map(str, folders)]
    script = f"import sys; sys.path[:0] = {paths!r}\n{code}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/"
    )
    return set(answer.stdout.split())


def test_the_api_app_loads_nothing_heavy() -> None:
    assert not loaded("import app", ROOT / "functions/api") & HEAVY


def test_the_openapi_description_needs_nothing_heavy() -> None:
    assert not loaded("import huitong.web.openapi as o; o.text()") & HEAVY


@pytest.mark.parametrize("module", ["credentials", "units", "authorize"])
def test_the_authorizer_needs_the_standard_library_only(module: str) -> None:
    known = loaded(f"import huitong.identity.{module}") - set(sys.stdlib_module_names)
    assert {m for m in known if not m.startswith("_")} <= {"huitong", "sitecustomize"}, known


def test_the_command_line_starts_without_what_only_calls_need() -> None:
    heavy = HEAVY | {"urllib3", "chalice", "rich"}
    assert not loaded("import huitong.cli.main") & heavy
