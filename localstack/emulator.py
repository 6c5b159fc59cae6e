"""An emulator of AWS as a child process with a clean environment: start, look, stop."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import emulators
from emulators import EMULATORS, HOST, REGION, Emulator, StackError

__all__ = ["HOST", "REGION", "Running", "StackError", "free_port", "running", "start", "stop"]
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int
    name: str = "ministack"

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def emulator(self) -> Emulator:
        return EMULATORS[self.name]


def running(folder: Path) -> Running | None:
    """The emulator that keeps its state in the folder, if it runs and answers."""
    found = _noted(folder)
    return found if found and _is_ours(found) and _answers(found) else None


def start(folder: Path, port: int = 0) -> Running:
    """Start the chosen one on a port (0 = any free one) and wait until it answers. Raises StackError."""
    emulator = emulators.chosen()
    found = running(folder)
    if found:
        if found.emulator is not emulator:
            title = found.emulator.title
            raise StackError(f"{title} 正在运行 / {title} runs here: make down first")
        return found
    command = emulator.command()
    port = port or free_port()
    if _taken(port):
        raise StackError(f"port {port} is in use: choose another, e.g. make up STACK_PORT=4577")
    place = emulator.place(folder)
    if not emulator.keeps_state:  # what is left of a run that is over is of no use to the next one
        shutil.rmtree(place, ignore_errors=True)
    for name in ("state", "objects", "tmp"):
        (place / name).mkdir(parents=True, exist_ok=True)
    log = folder / "emulator.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=emulators.environment(emulator, folder, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    made = Running(process.pid, port, emulator.name)
    end = time.monotonic() + emulator.seconds
    while not _answers(made):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise StackError(f"the emulator did not start; see {log}")
        time.sleep(0.05)
    (folder / "emulator.json").write_text(json.dumps(asdict(made)))
    return made


def stop(folder: Path) -> Emulator | None:
    """End it so that it keeps its state, if it can; which one it was, None if none ran. Raises StackError."""
    found = _noted(folder)
    if found is None:
        return None
    (folder / "emulator.json").unlink()
    if not _is_ours(found):
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while _is_ours(found):
        if time.monotonic() > end:
            os.kill(found.pid, signal.SIGKILL)
            raise StackError(
                "the emulator did not stop by itself and was ended; state since the start is lost"
            )
        time.sleep(0.05)
    return found.emulator


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _noted(folder: Path) -> Running | None:
    note = folder / "emulator.json"
    return Running(**json.loads(note.read_text())) if note.is_file() else None


def _answers(found: Running) -> bool:
    try:
        with urllib.request.urlopen(found.endpoint + found.emulator.health, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_ours(found: Running) -> bool:
    """Whether the process is a live emulator; a number may have passed to another program since."""
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(found.pid, os.WNOHANG)  # it may be our own child, ended but not yet collected
    try:
        return found.emulator.mark in Path(f"/proc/{found.pid}/cmdline").read_bytes()
    except OSError:
        return False
