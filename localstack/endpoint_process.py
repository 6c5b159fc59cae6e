"""The Athena endpoint as a process beside the stack, and the AWS profiles that lead to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from emulator import HOST, StackError, free_port

START_SECONDS = 30.0
_PROGRAM = "athena.py"


def up(folder: Path, port: int = 0) -> str:
    """Start it on a port (0 = any free one) unless it runs; its address. Raises StackError."""
    with contextlib.suppress(StackError):
        return address(folder)
    port = port or free_port()
    own = folder / "athena"
    own.mkdir(parents=True, exist_ok=True)
    log = own / "endpoint.log"
    kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR") if n in os.environ}
    program = Path(__file__).with_name(_PROGRAM)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(program), "serve", "--port", str(port)],
            env={**kept, "HUITONG_STACK_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise StackError(f"the Athena endpoint did not start; see {log}")
        time.sleep(0.05)
    (own / "endpoint.json").write_text(json.dumps({"pid": process.pid, "port": port}))
    return f"http://{HOST}:{port}"


def down(folder: Path) -> bool:
    """End it; False when none ran. Queries that ran end as the platform ends them."""
    note = folder / "athena" / "endpoint.json"
    if not note.is_file():
        return False
    found = json.loads(note.read_text())
    note.unlink()
    if not _is_ours(found["pid"]):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found["pid"], signal.SIGTERM)
    end = time.monotonic() + 10
    while _is_ours(found["pid"]) and time.monotonic() < end:
        time.sleep(0.05)
    return True


def address(folder: Path) -> str:
    """Where it answers. Raises StackError."""
    note = folder / "athena" / "endpoint.json"
    found = json.loads(note.read_text()) if note.is_file() else None
    if found is None or not _is_ours(found["pid"]) or not _answers(found["port"]):
        raise StackError("the Athena endpoint is not running: make athena")
    return f"http://{HOST}:{found['port']}"


def write_aws_profile(
    place: Path, name: str, made: Mapping[str, str], endpoint: str, stack: str, region: str
) -> dict[str, str]:
    """Two files of the AWS tools' own form, readable for their owner only; the variables that name them.

    Services that are not named go to the stack itself.
    """
    from athena_endpoint.keys import write_private

    section = "default" if name == "default" else f"profile {name}"
    config = (
        f"[{section}]\nregion = {region}\noutput = json\nservices = {name}\nendpoint_url = {stack}\n"
        f"s3 =\n  addressing_style = path\n\n"
        f"[services {name}]\nathena =\n  endpoint_url = {endpoint}\nglue =\n  endpoint_url = {endpoint}\n"
    )
    keys = (
        f"[{name}]\naws_access_key_id = {made['access_key_id']}\n"
        f"aws_secret_access_key = {made['secret_access_key']}\n"
    )
    write_private(place / "config", config)
    write_private(place / "credentials", keys)
    return {
        "AWS_CONFIG_FILE": str(place / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(place / "credentials"),
    }


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _is_ours(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return _PROGRAM.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
