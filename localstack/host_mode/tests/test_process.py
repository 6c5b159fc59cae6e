"""One function in one process, without LocalStack."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localstack_host_mode.bootstrap import PATH_VARIABLE
from localstack_host_mode.process import FunctionProcess, Outcome

Start = Callable[..., FunctionProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[FunctionProcess] = []

    def begin(
        source: str, *, handler: str = "code.handler", memory_mb: int = 0, **environment: str
    ) -> FunctionProcess:
        (tmp_path / "code.py").write_text(textwrap.dedent(source))
        known = {
            "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_LOG_STREAM_NAME": "s", "_HANDLER": handler, PATH_VARIABLE: json.dumps([str(tmp_path)]),
        }  # fmt: skip
        made = FunctionProcess(sys.executable, {**known, **environment}, tmp_path, memory_mb=memory_mb)
        started.append(made)
        return made

    yield begin
    for process in started:
        process.close()


def call(process: FunctionProcess, event: Any = None, seconds: float = 20) -> Outcome:
    header = {"request_id": "r-1", "arn": "arn:f", "trace_id": "Root=1", "deadline": 4e9}
    return process.call(header, json.dumps(event).encode(), seconds)


def ends(pid: int) -> bool:
    """Whether a process ends within ten seconds; one that ended may not have been collected yet."""
    waiting = threading.Event()
    for _ in range(200):
        try:
            if "Z (zombie)" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        waiting.wait(0.05)
    return False


def told(outcome: Outcome) -> Any:
    return json.loads(outcome.body)


def test_a_call_answers_with_what_the_handler_returned_and_all_that_was_printed(start: Start) -> None:
    process = start("""
        import logging, os, sys
        print("imported")
        def handler(event, context):
            print("out", event["n"])
            sys.stderr.write("err\\n")
            os.write(1, b"raw\\n")
            logging.getLogger("x").warning("logged")
            return {"n": event["n"] + 1, "id": context.aws_request_id, "字": "汇通",
                    "left": context.get_remaining_time_in_millis() > 0}
    """)
    ready = process.wait_until_ready(20)
    assert (ready.kind, ready.logs) == ("ready", b"imported\n")
    outcome = call(process, {"n": 1})
    assert (outcome.kind, told(outcome)) == ("response", {"n": 2, "id": "r-1", "字": "汇通", "left": True})
    lines = outcome.logs.decode().splitlines()
    assert lines[:3] == ["out 1", "err", "raw"]
    assert lines[3].startswith("[WARNING]\t")
    assert lines[3].endswith("Z\tr-1\tlogged")
    assert outcome.peak_mb > 5
    assert call(process, {"n": 5}).kind == "response", "the process lives on"


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import nothing_of_the_kind", "code.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "code.handler", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "code.handler", "Runtime.HandlerNotFound"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName"),
        ("raise ValueError('no')", "code.handler", "ValueError"),
    ],
)
def test_a_function_that_cannot_be_imported_says_why(
    start: Start, source: str, handler: str, kind: str
) -> None:
    outcome = start(source, handler=handler).wait_until_ready(20)
    assert (outcome.kind, told(outcome)["errorType"]) == ("init_error", kind)
    assert outcome.dead


def test_what_a_handler_raises_is_its_answer_and_the_process_lives_on(start: Start) -> None:
    process = start("""
        def handler(event, context):
            if event:
                raise KeyError("gone")
            return {1, 2}
    """)
    process.wait_until_ready(20)
    failed = told(call(process, 1))
    assert (failed["errorType"], failed["errorMessage"]) == ("KeyError", "'gone'")
    assert 'raise KeyError("gone")' in "".join(failed["stackTrace"])
    assert "bootstrap" not in "".join(failed["stackTrace"])
    assert told(call(process, 0))["errorType"] == "Runtime.MarshalError"
    assert process.alive


@pytest.mark.parametrize(
    ("way", "detail"), [("sys.exit(3)", "exit status 3"), ("os.kill(os.getpid(), 9)", "signal: killed")]
)
def test_a_crash_is_told_with_how_it_ended_and_what_was_printed_before(
    start: Start, way: str, detail: str
) -> None:
    process = start(f"""
        import os, sys
        def handler(event, context):
            print("before", flush=True)
            {way}
    """)
    process.wait_until_ready(20)
    outcome = call(process)
    assert (outcome.kind, outcome.detail, outcome.logs) == ("crash", detail, b"before\n")


def test_time_that_is_over_ends_the_process_and_all_that_it_started(start: Start, tmp_path: Path) -> None:
    process = start("""
        import subprocess, time
        def handler(event, context):
            child = subprocess.Popen(["sleep", "600"])
            print(child.pid, flush=True)
            time.sleep(600)
    """)
    process.wait_until_ready(20)
    outcome = call(process, seconds=1)
    assert outcome.kind == "timeout"
    assert 1 <= outcome.seconds < 10
    assert ends(int(outcome.logs))


def test_a_function_that_holds_more_than_its_memory_is_ended(start: Start) -> None:
    process = start(
        """
        import time
        def handler(event, context):
            held = b"x" * (event * 1024 * 1024)
            time.sleep(1)
            return len(held)
        """,
        memory_mb=128,
    )
    process.wait_until_ready(20)
    assert call(process, 20).kind == "response"
    outcome = call(process, 300)
    assert (outcome.kind, outcome.detail) == ("memory", "signal: killed")
    assert outcome.peak_mb > 128


def test_six_megabytes_in_and_out_and_a_flood_of_lines_block_nothing(start: Start) -> None:
    process = start("""
        def handler(event, context):
            for n in range(20_000):
                print("x" * 100)
            return event
    """)
    process.wait_until_ready(20)
    event = "汇" * 2_000_000
    outcome = call(process, event, seconds=60)
    assert told(outcome) == event
    assert len(outcome.logs) == 20_000 * 101


def test_a_function_sees_no_variable_but_its_own(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the parent")
    process = start("import os\ndef handler(event, context): return dict(os.environ)", OWN="1")
    process.wait_until_ready(20)
    seen = told(call(process))
    assert (seen["OWN"], seen["_X_AMZN_TRACE_ID"]) == ("1", "Root=1")
    assert "SECRET" not in seen
    assert PATH_VARIABLE not in seen


def test_the_package_itself_is_not_on_the_path_of_a_function(start: Start) -> None:
    process = start("import sys\ndef handler(event, context): return sys.path[0], 'settings' in sys.modules")
    process.wait_until_ready(20)
    path, leaked = told(call(process))
    assert not path.endswith("localstack_host_mode")
    assert not leaked


def test_another_thread_may_end_it_while_a_call_waits(start: Start) -> None:
    process = start("import time\ndef handler(event, context): time.sleep(600)")
    process.wait_until_ready(20)
    threading.Timer(0.3, process.kill).start()
    assert call(process, seconds=60).kind == "crash"


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """However that ended: LocalStack may be killed."""
    (tmp_path / "code.py").write_text("import time\ndef handler(event, context): time.sleep(600)")
    script = textwrap.dedent(f"""
        import json, os, pathlib
        from localstack_host_mode.process import FunctionProcess
        made = FunctionProcess({sys.executable!r}, {{"_HANDLER": "code.handler",
            {PATH_VARIABLE!r}: json.dumps([{str(tmp_path)!r}])}}, pathlib.Path({str(tmp_path)!r}))
        made.wait_until_ready(20)
        print(made.pid, flush=True)
        os.kill(os.getpid(), 9)
    """)
    pid = int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).stdout)
    assert ends(pid)
