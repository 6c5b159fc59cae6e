"""The local stack with what Lambda runs (issue 5: what runs here is what is deployed there)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "localstack"))
import packaged  # noqa: E402

HERE = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def test_without_a_package_the_sources_run_in_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(packaged.SELECTED, raising=False)
    assert packaged.tree() is None
    assert packaged.parameters() == {}
    assert packaged.python(tmp_path) == sys.executable


def test_a_package_runs_in_its_python_that_sees_no_other_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(packaged.SELECTED, f"{HERE}-x86_64")
    assert packaged.parameters() == {"PythonRuntime": HERE}
    asked = "import sys; print(sys.version_info[:2], [p for p in sys.path if 'packages' in p], sys.argv[1])"
    program = tmp_path / "program.py"
    program.write_text(asked)
    said = subprocess.run(
        [packaged.python(tmp_path / "stack"), str(program), "one argument"],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path / "packages")},
    )  # fmt: skip
    assert said.stdout.strip() == f"{sys.version_info[:2]} [] one argument"


@pytest.mark.parametrize("ask", [packaged.tree, lambda: packaged.python(Path("/nowhere"))])
def test_what_was_not_built_or_cannot_run_is_told(ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(packaged.SELECTED, "python3.99-x86_64")
    with pytest.raises(packaged.PackageError):
        ask()  # type: ignore[operator]
