"""The template's paths against the routes that the two Chalice apps really have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_template import routes_of

ROOT = Path(__file__).resolve().parents[2]
ASK = "import app, json; print(json.dumps(sorted([m, p] for p, ms in app.app.routes.items() for m in ms)))"


@pytest.mark.parametrize(("folder", "name"), [("api", "ApiFunction"), ("query_data", "QueryDataFunction")])
def test_paths_of_the_template_equal_the_routes_of_the_app(folder: str, name: str) -> None:
    """Chalice finds a route by the template's path: one that the app lacks answers 405, one too few 403."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT / "functions" / folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(map(list, routes_of(name))) == json.loads(asked.stdout)
