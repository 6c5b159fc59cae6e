"""An environment of its own for LocalStack: ``localstack/host_environment.py`` makes ``.venv-localstack``.

LocalStack needs Python 3.12 or later, the project 3.11, and they share few versions of packages. uv makes the
environment from ``localstack.txt``, every file checked against its hash; neither pip nor ensurepip is needed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDER = ROOT / ".venv-localstack"
LOCK = HERE / "localstack.txt"
PLUGINS = HERE / "host_mode"
OLDEST = (3, 12)
#: In the order in which they are preferred; 3.13 is what the lock file was tried with most.
NAMES = ("python3.13", "python3.12", "python3.14", "python3")
#: So that a script can tell "nothing here can run it" from a failure.
NO_PYTHON = 3


class HostEnvironmentError(Exception):
    """Something the person at the keyboard must do; the message says what, in Chinese and English."""


class NoPython(HostEnvironmentError):
    def __init__(self) -> None:
        super().__init__(
            "本机没有 Python 3.12 或更高版本,LocalStack 无法运行。请安装一个(如 python3.13),"
            "或指明其位置:make up EMULATOR=localstack LOCALSTACK_PYTHON=/path/to/python3.13,"
            "或用 Docker(docs/run-locally.md);或用默认的 MiniStack:make up\n"
            "LocalStack needs Python 3.12 or later and this machine has none. Install one (say python3.13), "
            "or say where it is: make up EMULATOR=localstack LOCALSTACK_PYTHON=/path/to/python3.13; "
            "or use Docker (docs/run-locally.md); or the default, MiniStack: make up"
        )


def interpreter() -> Path:
    """The environment's Python. It is made first if it is missing or its lock file has changed.

    Raises HostEnvironmentError.
    """
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    wanted = _fingerprint()
    if python.exists() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    sys.stderr.write(f"installing LocalStack into {FOLDER.name} …\n")
    if not python.exists():
        _uv("venv", "-q", "--clear", "--no-python-downloads", "--python", str(find_python()), str(FOLDER))
    _uv("pip", "sync", "-q", "--require-hashes", "--python", str(python), str(LOCK))
    _uv("pip", "install", "-q", "--no-deps", "--python", str(python), "-e", str(PLUGINS))
    stamp.write_text(wanted)
    return python


def find_python() -> Path:
    """A Python that can run LocalStack: LOCALSTACK_PYTHON, else on PATH, else of pyenv. Raises NoPython."""
    for path in _candidates():
        found = _version(path)
        if found is not None and found >= OLDEST:
            return path
    raise NoPython


def _candidates() -> Iterator[Path]:
    asked = os.environ.get("LOCALSTACK_PYTHON")
    if asked:
        yield Path(asked)
        return
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    for name in NAMES:
        yield from (folder / name for folder in folders if (folder / name).is_file())
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for name in NAMES[:-1]:
        versions = (home / "versions").glob(f"{name.removeprefix('python')}*/bin/{name}")
        yield from sorted(versions, reverse=True)


def _version(path: Path) -> tuple[int, ...] | None:
    """None for what does not run: a shim of pyenv exists for versions that are not chosen, too."""
    try:
        made = subprocess.run(
            [str(path), "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return tuple(int(part) for part in made.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _fingerprint() -> str:
    said = b"".join(path.read_bytes() for path in (LOCK, PLUGINS / "pyproject.toml"))
    return hashlib.sha256(said + str(PLUGINS).encode()).hexdigest()


def _uv(*arguments: str) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    made = subprocess.run([str(uv), *arguments], capture_output=True, text=True)
    if made.returncode:
        raise HostEnvironmentError(
            f"LocalStack 的环境未能安装 / its environment could not be installed:\n{made.stderr.strip()}"
        )


def main() -> int:
    try:
        print(interpreter())
    except HostEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        return NO_PYTHON if isinstance(error, NoPython) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
