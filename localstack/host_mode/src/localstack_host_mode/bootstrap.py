"""Runs one Lambda function in a process of its own: ``python bootstrap.py IN OUT LIFE``.

It is started with the function's interpreter, which need not have LocalStack nor this package, so it uses the
standard library alone, and as little of it as can be: the function's cold start pays for it.
Frames in both directions are a line of JSON with ``size``, then so many bytes. What the function prints goes
to one pipe that is standard output and error; when the answer is written, all that was printed lies in it.
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import sys
import threading
import time
import traceback
from decimal import Decimal
from typing import Any

#: Set by the executor, taken away before the function's code is imported.
PATH_VARIABLE = "_HOST_MODE_PATH"


class Context:
    """The second argument of a handler, as AWS makes it."""

    def __init__(self, call: dict[str, Any]) -> None:
        self.aws_request_id = call["request_id"]
        self.invoked_function_arn = call["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = None
        self.tenant_id = None
        self._deadline = call["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._deadline - time.time()) * 1000), 0)

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


class Lines(logging.Formatter):
    """AWS's plain form of a record of the root logger."""

    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = self.request_id
        return super().format(record)


class NoHandler(Exception):
    """The function cannot be imported; ``kind`` is AWS's name for why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main() -> None:
    source, target, life = (int(number) for number in sys.argv[1:4])
    for handle in (source, target, life):
        os.set_inheritable(handle, False)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    sys.argv = [sys.argv[0]]
    sys.path[:1] = json.loads(os.environ.pop(PATH_VARIABLE))
    lines = _set_up_logging()
    with open(source, "rb") as calls, open(target, "wb") as answers:
        try:
            handler = _load(os.environ["_HANDLER"])
        except NoHandler as error:
            print(f"[ERROR] {error.kind}: {error}", flush=True)
            _send(
                answers,
                "init_error",
                _told(error.kind, str(error), traceback.extract_tb(error.__traceback__)),
            )
            return
        except Exception as error:  # whatever the function's module raises
            _send(answers, "init_error", _failed(error, ""))
            return
        _send(answers, "ready", b"")
        while True:
            line = calls.readline()
            if not line:
                return
            call = json.loads(line)
            body = calls.read(call["size"])
            lines.request_id = call["request_id"]
            _send(answers, *_answer(handler, call, body))


def _answer(handler: Any, call: dict[str, Any], body: bytes) -> tuple[str, bytes]:
    os.environ["_X_AMZN_TRACE_ID"] = call["trace_id"]
    try:
        result = handler(json.loads(body or b"{}"), Context(call))
    except Exception as error:  # the function's own failure is its answer
        return "error", _failed(error, call["request_id"])
    try:
        return "response", json.dumps(result, ensure_ascii=False, default=_plain).encode()
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        message = f"Unable to marshal response: {error}"
        print(f"[ERROR] Runtime.MarshalError: {message}")
        return "error", _told("Runtime.MarshalError", message, [], call["request_id"])


def _load(name: str) -> Any:
    place, dot, attribute = name.rpartition(".")
    if not dot:
        raise NoHandler("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(place.replace("/", "."))
    except SyntaxError as error:
        message = f"Syntax error in module '{place}': {error}"
        raise NoHandler("Runtime.UserCodeSyntaxError", message) from error
    except ImportError as error:
        raise NoHandler("Runtime.ImportModuleError", f"Unable to import module '{place}': {error}") from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        message = f"Handler '{attribute}' missing on module '{place}'"
        raise NoHandler("Runtime.HandlerNotFound", message) from error


def _failed(error: Exception, request_id: str) -> bytes:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    kind = type(error).__name__
    lines = "".join(traceback.format_list(frames))
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{lines}")
    return _told(kind, str(error), frames, request_id)


def _told(kind: str, message: str, frames: list[traceback.FrameSummary], request_id: str = "") -> bytes:
    told = {"errorMessage": message, "errorType": kind, "requestId": request_id}
    return json.dumps({**told, "stackTrace": traceback.format_list(frames)}, ensure_ascii=False).encode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _send(answers: io.BufferedWriter, kind: str, body: bytes) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in logging.getLogger().handlers:
        stream.flush()
    answers.write(json.dumps({"kind": kind, "size": len(body)}).encode() + b"\n" + body)
    answers.flush()


def _set_up_logging() -> Lines:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    form = Lines(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    form.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(form)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "WARNING").upper())
    return form


def _end_with_parent(life: int) -> None:
    """The other end is LocalStack's and closes with it, however that ended."""
    os.read(life, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
