"""The template's HTTP events against the routes that the two Chalice apps really have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = "import app, json; print(json.dumps(sorted([m, p] for p, ms in app.app.routes.items() for m in ms)))"


@pytest.mark.parametrize(("folder", "name"), [("api", "ApiFunction"), ("query_data", "QueryDataFunction")])
def test_events_of_the_template_equal_the_routes_of_the_app(folder: str, name: str) -> None:
    """Chalice finds a route by the template's path: one that the app lacks answers 405, one too few 403."""
    sys.path.insert(0, str(ROOT / "localstack"))
    import artifacts

    resources = artifacts.read_template((ROOT / "template.yaml").read_text())["Resources"]
    events = [e["Properties"] for e in resources[name]["Properties"]["Events"].values()]
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT / "functions" / folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted([e["Method"].upper(), e["Path"]] for e in events) == json.loads(asked.stdout)
