"""The embedded AWS emulator (MiniStack) as a child process with a clean environment."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

REGION = "us-east-1"
HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 20.0


class StackError(Exception):
    """Something the person at the keyboard must do; the message says what."""


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def running(folder: Path) -> Running | None:
    """The emulator that keeps its state in the folder, if it runs and answers."""
    note = folder / "emulator.json"
    if not note.is_file():
        return None
    found = Running(**json.loads(note.read_text()))
    return found if _is_ours(found.pid) and _answers(found.port) else None


def start(folder: Path, port: int = 0) -> Running:
    """Start it on a port (0 = any free one) and wait until it answers. Raises StackError."""
    found = running(folder)
    if found:
        return found
    port = port or free_port()
    if _taken(port):
        raise StackError(f"port {port} is in use: choose another, e.g. make up STACK_PORT=4577")
    for name in ("state", "objects", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    log = folder / "emulator.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=folder,
            env=_environment(folder, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise StackError(f"the emulator did not start; see {log}")
        time.sleep(0.05)
    made = Running(process.pid, port)
    (folder / "emulator.json").write_text(json.dumps(asdict(made)))
    return made


def stop(folder: Path) -> bool:
    """End it so that it keeps its state; False when none ran."""
    note = folder / "emulator.json"
    if not note.is_file():
        return False
    found = Running(**json.loads(note.read_text()))
    note.unlink()
    if not _is_ours(found.pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while _is_ours(found.pid):
        if time.monotonic() > end:
            os.kill(found.pid, signal.SIGKILL)
            raise StackError(
                "the emulator did not stop by itself and was ended; state since the start is lost"
            )
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Functions inherit all of it, so nothing of the caller's may be in it but what is needed to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {
        **kept,
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "objects"),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AUTH": "true",  # policies are evaluated: each function has its own role's rights, as on AWS
    }


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_ours(pid: int) -> bool:
    """Whether the process is a live emulator; a number may have passed to another program since."""
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)  # it may be our own child, ended but not yet collected
    try:
        return b"ministack" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
