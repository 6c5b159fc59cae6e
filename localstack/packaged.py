"""The stack with what Lambda runs: folders of ``make package`` instead of the sources.

``HUITONG_PACKAGE=python3.13-x86_64`` deploys ``build/package/python3.13-x86_64/tree``. On LocalStack
functions then run in a bare Python of that version, which sees nothing but the package. MiniStack
runs them in its own, so for it only a package of this Python makes sense.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SELECTED = "HUITONG_PACKAGE"


class PackageError(Exception):
    """Something the person at the keyboard must do."""


def tree() -> Path | None:
    """The folder with functions/ and layers/ as packaged; None for the sources. Raises PackageError."""
    name = os.environ.get(SELECTED)
    if not name:
        return None
    found = ROOT / "build/package" / name / "tree"
    if not found.is_dir():
        raise PackageError(f"没有这个包 / there is no such package: {found}. make package")
    return found


def parameters() -> dict[str, str]:
    """What the template is told of a package."""
    return {"PythonRuntime": _runtime()} if _runtime() else {}


def _runtime() -> str:
    return os.environ.get(SELECTED, "").partition("-")[0]


def python(folder: Path) -> str:
    """What runs a function: this interpreter for the sources; for a package a script in ``folder`` that
    starts a Python of its version without site-packages. Raises PackageError."""
    version = _runtime().removeprefix("python")
    if not version:
        return sys.executable
    asked = "from infra.packaging import interpreters, plan; import platform, sys; "
    asked += "print(interpreters.find(sys.argv[1], platform.machine()))"
    found = subprocess.run(
        [sys.executable, "-c", asked, version], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    if not found:
        raise PackageError(f"no Python {version} here: PACKAGE_PYTHON=/path/to/python{version}")
    script = folder / "bare-python"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec "{found}" -I -S "$@"\n')
    script.chmod(0o755)
    return str(script)
