"""What AWS tells about one call: the error as JSON, and the lines that CloudWatch keeps. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from localstack_host_mode.process import Outcome


@dataclass(frozen=True, slots=True)
class Function:
    """What the words need of a function's configuration."""

    version: str
    memory_mb: int
    seconds: int
    answer_bytes: int


def answer(request: str, outcome: Outcome, function: Function) -> tuple[bytes, bool]:
    """The payload that the caller gets, and whether it is an error."""
    if outcome.kind == "response" and len(outcome.body) <= function.answer_bytes:
        return outcome.body, False
    if outcome.kind in ("error", "init_error"):
        return outcome.body, True
    kind, message = _failure(request, outcome, function)
    return json.dumps({"errorType": kind, "errorMessage": message}).encode(), True


def logs(request: str, outcome: Outcome, begun: Outcome | None, function: Function) -> str:
    """START, what was printed, END, REPORT. ``begun``: the import that happened for this call."""
    before = begun.logs if begun is not None and begun is not outcome else b""
    printed = outcome.logs.decode(errors="replace")
    if printed and not printed.endswith("\n"):
        printed += "\n"
    if outcome.dead and outcome.kind != "init_error":
        kind, message = _failure(request, outcome, function)
        printed += f"{message}\n" + ("" if kind == "Sandbox.Timedout" else f"{kind}\n")
    spent = outcome.seconds * 1000
    report = [
        f"REPORT RequestId: {request}",
        f"Duration: {spent:.2f} ms",
        f"Billed Duration: {math.ceil(spent)} ms",
        f"Memory Size: {function.memory_mb} MB",
        f"Max Memory Used: {outcome.peak_mb} MB",
    ]
    if begun is not None:
        report.append(f"Init Duration: {begun.seconds * 1000:.2f} ms")
    return (
        before.decode(errors="replace")
        + f"START RequestId: {request} Version: {function.version}\n{printed}END RequestId: {request}\n"
        + "\t".join(report)
        + "\t\n"
    )


def _failure(request: str, outcome: Outcome, function: Function) -> tuple[str, str]:
    if outcome.kind == "response":
        limit = function.answer_bytes
        return (
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
        )
    if outcome.kind == "timeout":
        words = f"Task timed out after {function.seconds:.2f} seconds"
        return "Sandbox.Timedout", f"RequestId: {request} Error: {words}"
    return "Runtime.ExitError", f"RequestId: {request} Error: Runtime exited with error: {outcome.detail}"
