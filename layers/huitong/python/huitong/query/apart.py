"""A query in a process of its own: what does not end by itself is ended, whatever it is doing (S-34).

An interrupt reaches DuckDB between vectors; one expression over one vector of long texts can take minutes,
and nothing in the process stops it. So a helper, started once and idle without threads, forks for each query,
and the kernel's alarm ends that child at its time. Its memory is bounded apart from ours, too.

The child gets text and names of local files, nothing else, and leaves an Arrow file and its answer.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from huitong.errors import Fault, HuitongError, Problem
from huitong.query.engine import Outcome, Task, carried_out, too_much_memory, too_slow

#: Beyond the query's own time, for interrupts to do it in order.
GRACE: Final = 2.0
#: Until the helper itself is given up: it may still be starting.
_START: Final = 20.0
_LENGTH: Final = 8
_CODE: Final = (
    "import json, sys; sys.path[:0] = json.loads(sys.argv[1]); from huitong.query.apart import serve; serve()"
)
_ONE: Final = threading.Lock()
_kept: list[subprocess.Popen[bytes]] = []


def warm() -> None:
    """Start the helper, unless it is there. Returns at once."""
    with _ONE:
        _helper()


def carried_out_apart(task: Task) -> Outcome:
    """:func:`huitong.query.engine.carried_out` in a child. Raises the same, and LimitExceeded for a child
    that was ended by its time or its memory."""
    answer = Path(f"{task.target}.answer")
    with _ONE:
        status = _asked(task)
    if status == -signal.SIGALRM:
        raise too_slow(task.limits)
    if status < 0:  # killed by the kernel or by an allocation that failed within a library
        raise too_much_memory(task.limits)
    if status != 0 or not answer.is_file():
        raise Fault("查询进程异常结束", "The process of the query ended without an answer", status=status)
    found = pickle.loads(answer.read_bytes())  # noqa: S301 (written by our own child a moment ago)
    if isinstance(found, Outcome):
        return found
    kind, zh, en, problems, where = found
    raise kind(zh, en, problems=problems, **where)


def _asked(task: Task) -> int:
    """The status of the child: 0, or minus the signal that ended it."""
    sent = pickle.dumps(task)
    for attempt in range(2):
        helper = _helper()
        try:
            _send(helper, sent)
            return _status(helper, task.limits.seconds + GRACE + _START)
        except (BrokenPipeError, EOFError):
            _end(helper)
            if attempt:
                raise Fault("查询进程不可用", "The process for queries is not there") from None
        except TimeoutError:
            _end(helper)
            raise too_slow(task.limits) from None
    raise AssertionError("unreachable")


def _helper() -> subprocess.Popen[bytes]:
    if _kept and _kept[0].poll() is None:
        return _kept[0]
    _kept.clear()
    made = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", _CODE, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    _kept.append(made)
    return made


def _send(helper: subprocess.Popen[bytes], sent: bytes) -> None:
    if helper.stdin is None:
        raise BrokenPipeError
    helper.stdin.write(len(sent).to_bytes(_LENGTH, "big") + sent)
    helper.stdin.flush()


def _status(helper: subprocess.Popen[bytes], seconds: float) -> int:
    """One line. Raises TimeoutError, and EOFError when the helper is gone."""
    if helper.stdout is None:
        raise EOFError
    line, end = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([helper.stdout], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimeoutError
        more = os.read(helper.stdout.fileno(), 64)
        if not more:
            raise EOFError
        line += more
    return int(line)


def _end(helper: subprocess.Popen[bytes]) -> None:
    """The helper and its child: they are a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(helper.pid, signal.SIGKILL)
    helper.wait()
    for pipe in (helper.stdin, helper.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    _kept.clear()


# --- in the helper ---------------------------------------------------------


def serve() -> None:
    """Fork for each task that comes, until the pipe is closed."""
    source, out = sys.stdin.buffer, os.dup(1)
    os.dup2(2, 1)  # nothing else may write between the answers
    while head := source.read(_LENGTH):
        task = pickle.loads(source.read(int.from_bytes(head, "big")))  # noqa: S301 (from our parent)
        child = os.fork()
        if child == 0:
            _child(task)
        _, status = os.waitpid(child, 0)
        os.write(out, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _child(task: Task) -> None:
    """Never returns. The alarm's default ends the process, in the middle of whatever it computes."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, task.limits.seconds + GRACE)
    code = 1
    try:
        _leave(task, _answer(task))
        code = 0
    finally:
        os._exit(code)  # no clean-up of what the helper owns


def _answer(task: Task) -> Outcome | tuple[type[HuitongError], str, str, Sequence[Problem], dict[str, Any]]:
    try:
        return carried_out(task)
    except HuitongError as error:
        return type(error), error.zh, error.en, error.problems, error.where


def _leave(task: Task, answer: Any) -> None:
    Path(f"{task.target}.answer").write_bytes(pickle.dumps(answer))
