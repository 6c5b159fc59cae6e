"""One child process that holds one Lambda function: start, call, end. Knows nothing of LocalStack."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
#: How long at most the end of a process or its memory goes unnoticed while a call runs.
LOOK_SECONDS = 0.05
#: What is kept of one call's output.
LOG_BYTES = 16 * 1024 * 1024

Ending = Literal["ready", "init_error", "response", "error", "timeout", "crash", "memory"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call, or the import of the function, ended."""

    kind: Ending
    body: bytes  # what the function answered, or its error as JSON
    logs: bytes
    seconds: float
    peak_mb: int
    detail: str = ""  # of a crash: "exit status 3", "signal: killed"

    @property
    def dead(self) -> bool:
        return self.kind not in ("ready", "response", "error")


class FunctionProcess:
    """Use from one thread, but for :meth:`kill`, which any thread may call at any time."""

    def __init__(
        self,
        interpreter: str,
        environment: Mapping[str, str],
        folder: Path,
        *,
        memory_mb: int = 0,
        kept: Sequence[int] = (),
    ) -> None:
        """``memory_mb``: end the process when it holds more; 0 = never. Raises OSError."""
        self._memory_mb = memory_mb
        call_out, self._calls = os.pipe()
        self._answers, answer_in = os.pipe()
        self._logs, log_in = os.pipe()
        life_out, self._life = os.pipe()
        theirs = (call_out, answer_in, life_out)
        try:
            self._process = subprocess.Popen(
                [interpreter, str(BOOTSTRAP), *map(str, theirs)],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log_in,
                stderr=log_in,
                pass_fds=(*theirs, *kept),
                start_new_session=True,  # a group of its own: it is ended with all that it started
            )
        except OSError:
            self._close()
            raise
        finally:
            for handle in (*theirs, log_in):
                os.close(handle)
        for handle in (self._calls, self._answers, self._logs):
            os.set_blocking(handle, False)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self, seconds: float) -> Outcome:
        """The end of importing the function."""
        return self._exchange(b"", seconds)

    def call(self, header: Mapping[str, object], body: bytes, seconds: float) -> Outcome:
        """One invocation. A process that failed to answer has been ended when this returns."""
        line = json.dumps({**header, "size": len(body)}).encode() + b"\n"
        return self._exchange(line + body, seconds)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End it, and give back what it held. Not while another thread waits for an answer."""
        self.kill()
        self._close()

    def _close(self) -> None:
        for handle in (self._calls, self._answers, self._logs, self._life):
            with contextlib.suppress(OSError):
                os.close(handle)

    def _exchange(self, sent: bytes, seconds: float) -> Outcome:
        began = time.monotonic()
        waiting, answer, logs = memoryview(sent), bytearray(), bytearray()
        peak = 0
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._answers, selectors.EVENT_READ)
            pipes.register(self._logs, selectors.EVENT_READ)
            if waiting:
                pipes.register(self._calls, selectors.EVENT_WRITE)
            ending: Ending | None = None
            while ending is None:
                left = began + seconds - time.monotonic()
                ready = {key.fd for key, _ in pipes.select(max(min(left, LOOK_SECONDS), 0))}
                if self._calls in ready:
                    waiting = self._write(waiting, pipes)
                if self._logs in ready and not _read(self._logs, logs, LOG_BYTES):
                    pipes.unregister(self._logs)
                ended = self._answers in ready and not _read(self._answers, answer)
                told = _frame(answer)
                if told is not None:
                    ending, body = told
                elif ended or not (ready or self.alive):
                    ending, body = "crash", b""
                elif left <= 0:
                    ending, body = "timeout", b""
                else:
                    now, most = memory_of(self.pid)
                    peak = max(peak, most)
                    if self._memory_mb and now > self._memory_mb:
                        ending, body = "memory", b""
        peak = max(peak, memory_of(self.pid)[1])
        detail = self._ended(ending) if ending not in ("ready", "response", "error") else ""
        _read(self._logs, logs, LOG_BYTES)
        return Outcome(ending, body, bytes(logs), time.monotonic() - began, peak, detail)

    def _write(self, waiting: memoryview, pipes: selectors.BaseSelector) -> memoryview:
        try:
            waiting = waiting[os.write(self._calls, waiting) :]
        except BrokenPipeError:  # it ended; the answer's pipe tells how
            waiting = waiting[len(waiting) :]
        except BlockingIOError:
            return waiting
        if not waiting:
            pipes.unregister(self._calls)
        return waiting

    def _ended(self, ending: Ending) -> str:
        if ending in ("crash", "init_error"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)  # it is about to end by itself: learn how
        self.kill()
        code = self._process.returncode
        if code >= 0:
            return f"exit status {code}"
        return "signal: " + signal.strsignal(-code).lower() if signal.strsignal(-code) else f"signal: {-code}"


def memory_of(pid: int) -> tuple[int, int]:
    """What the process holds now, without mapped files, and held at most, in MB; 0 where nobody tells."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    found = {
        name: int(kib) // 1024 for name, kib in re.findall(r"^(RssAnon|RssShmem|VmHWM):\s+(\d+)", told, re.M)
    }
    return found.get("RssAnon", 0) + found.get("RssShmem", 0), found.get("VmHWM", 0)


def _read(handle: int, target: bytearray, limit: int = 0) -> bool:
    """Take all there is now; False when the other end is closed."""
    while True:
        try:
            part = os.read(handle, 1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not part:
            return False
        if not limit or len(target) < limit:
            target += part


def _frame(data: bytearray) -> tuple[Ending, bytes] | None:
    line, newline, rest = data.partition(b"\n")
    if not newline:
        return None
    header = json.loads(bytes(line))
    if len(rest) < header["size"]:
        return None
    return header["kind"], bytes(rest)
