"""Which emulator runs, in what environment, and where the two differ; nothing is started here."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "localstack"))
import differences  # noqa: E402
import emulators  # noqa: E402
import host_environment  # noqa: E402


@pytest.fixture(autouse=True)
def _no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMULATOR", "HUITONG_EMULATOR", "LOCALSTACK_PYTHON", "PYENV_ROOT"):
        monkeypatch.delenv(name, raising=False)


def test_ministack_runs_unless_another_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert emulators.chosen().name == "ministack"
    monkeypatch.setenv("EMULATOR", "localstack")
    assert emulators.chosen().name == "localstack"
    monkeypatch.setenv("HUITONG_EMULATOR", "ministack")
    assert emulators.chosen().name == "ministack"
    monkeypatch.setenv("HUITONG_EMULATOR", "moto")
    with pytest.raises(emulators.StackError, match=r"没有这个模拟器 / no such emulator: moto"):
        emulators.chosen()


@pytest.mark.parametrize("name", ["ministack", "localstack"])
def test_an_emulator_sees_nothing_of_the_callers_environment_and_listens_here_only(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-18: functions of MiniStack inherit its environment, so a secret of the caller's must not be in it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of a real account")
    monkeypatch.setenv("AWS_PROFILE", "production")
    made = emulators.environment(emulators.EMULATORS[name], tmp_path, 4567)
    assert made["AWS_SECRET_ACCESS_KEY"] == "test"
    assert "AWS_PROFILE" not in made
    assert "127.0.0.1" in (made.get("GATEWAY_LISTEN"), made.get("BIND_HOST")) or (
        made["GATEWAY_LISTEN"] == made["LOCALSTACK_HOST"] == "127.0.0.1:4567"
    )
    assert not any("0.0.0.0" in value for value in made.values())


def test_an_emulator_that_keeps_nothing_clears_no_folder_of_the_other(tmp_path: Path) -> None:
    ministack, localstack = emulators.MINISTACK, emulators.LOCALSTACK
    assert not localstack.keeps_state
    kept = {
        Path(ministack.settings(ministack.place(tmp_path), 1)[name]) for name in ("STATE_DIR", "S3_DATA_DIR")
    }
    assert not any(path.is_relative_to(localstack.place(tmp_path)) for path in kept)


def test_the_container_has_the_settings_of_the_process(tmp_path: Path) -> None:
    """Q-08: one table of settings, by Docker or without."""
    service = yaml.safe_load((ROOT / "localstack/compose.yaml").read_text())["services"]["localstack"]
    container = {
        name: value.replace("${STACK_PORT:-4566}", "4566") for name, value in service["environment"].items()
    }
    process = emulators.LOCALSTACK.settings(tmp_path, 4566)
    own = {"LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_VOLUME_DIR", "LAMBDA_PROCESS_PYTHON"}
    assert {k: v for k, v in container.items() if k not in own} == {
        k: v for k, v in process.items() if k not in own
    }
    assert container["LOCALSTACK_AUTH_TOKEN"] == "${LOCALSTACK_AUTH_TOKEN:-}"
    assert service["network_mode"] == "host"
    assert container["GATEWAY_LISTEN"].startswith("127.0.0.1:")
    folder = (ROOT / "localstack" / service["build"]["context"]).resolve()
    dockerfile = folder / service["build"]["dockerfile"]
    copied = re.findall(r"^COPY (\S+) ", dockerfile.read_text(), re.M)
    assert copied
    assert all((folder / path).exists() for path in copied)


def test_the_image_and_the_process_are_the_same_version() -> None:
    locked = re.search(
        r"^localstack-core(?:\[\w+\])?==(\S+)", (ROOT / "localstack/localstack.txt").read_text(), re.M
    )
    service = yaml.safe_load((ROOT / "localstack/compose.yaml").read_text())["services"]["localstack"]
    assert locked
    assert service["build"]["args"]["LOCALSTACK_TAG"] == f"${{LOCALSTACK_TAG:-{locked[1]}}}"


def test_every_package_of_localstacks_environment_has_hashes() -> None:
    """S-24."""
    lines = (ROOT / "localstack/localstack.txt").read_text().splitlines()
    packages = [number for number, line in enumerate(lines) if re.match(r"^[a-z0-9].*==", line, re.I)]
    assert len(packages) > 50
    assert all("--hash=sha256:" in lines[number + 1] for number in packages)


def _python(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\n{version}\n")
    made.chmod(0o755)
    return made


def test_a_python_that_can_run_localstack_is_found_on_the_path_or_with_pyenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim for a version that is not chosen fails, and is passed over."""
    shims, home = tmp_path / "shims", tmp_path / "pyenv"
    _python(shims, "python3.13", "exit 127")
    _python(shims, "python3", "echo 3 11")
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(home))
    with pytest.raises(host_environment.NoPython):
        host_environment.find_python()
    of_pyenv = _python(home / "versions/3.12.1/bin", "python3.12", "echo 3 12")
    assert host_environment.find_python() == of_pyenv
    on_path = _python(shims, "python3.12", "echo 3 12")
    assert host_environment.find_python() == on_path
    asked = _python(tmp_path, "mine", "echo 3 14")
    monkeypatch.setenv("LOCALSTACK_PYTHON", str(asked))
    assert host_environment.find_python() == asked
    _python(tmp_path, "mine", "echo 3 9")
    with pytest.raises(host_environment.NoPython):
        host_environment.find_python()


def test_where_there_is_no_such_python_it_is_said_in_both_languages_with_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host_environment, "FOLDER", tmp_path / "env")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert host_environment.main() == host_environment.NO_PYTHON == 3
    told = capsys.readouterr().err
    assert "本机没有 Python 3.12" in told
    assert "LOCALSTACK_PYTHON=/path/to" in told
    with pytest.raises(emulators.StackError, match=r"needs Python 3\.12"):
        emulators.LOCALSTACK.command()


def test_the_differences_are_documented_as_they_are_known() -> None:
    """Q-08: one place; the page shows its table."""
    page = (ROOT / "docs/run-locally.md").read_text()
    _, _, rest = page.partition("this table -->\n")
    assert rest.partition("<!-- /differences -->")[0] == differences.table()
    ids = [known.id for known in differences.DIFFERENCES]
    assert len(ids) == len(set(ids))
    assert all(d.zh and d.en and d.done_zh and d.done_en and d.emulators for d in differences.DIFFERENCES)


def test_a_test_or_a_deployment_that_asks_for_a_difference_asks_for_a_known_one() -> None:
    files = [*(ROOT / "tests/e2e").glob("*.py"), *(ROOT / "localstack").glob("*.py")]
    asked = {
        id for f in files for id in re.findall(r'(?:mark\.differs|_differs|holds)\("([\w-]+)"', f.read_text())
    }
    assert {"no-state", "object-lock"} <= asked
    assert {differences.known(id).id for id in asked} == asked
    with pytest.raises(KeyError):
        differences.holds("nothing of the kind", "ministack")
