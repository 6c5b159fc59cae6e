"""What every queue-driven function does around its one call of a service.

Messages are wake-ups: the register is the truth, so a message that fails is
shown again after a growing pause, and on its last receive the step is given up:
the failure is noted (``give_up``) and SQS moves the message to the dead-letter
queue, from where the batch can be replayed.

Logs are JSON (Powertools) with request, message, batch, resource and unit
ids; never bodies, secrets or values of persons. The text of an unforeseen error
is left out for that reason: its type and the place in the code are enough.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, Final, Protocol

from huitong.batches.model import Batch
from huitong.errors import Fault, HuitongError

Message = Mapping[str, Any]
Answer = dict[str, Any]

#: Receives before a queue gives a message to its dead-letter queue; a test compares the template.
MAX_RECEIVES: Final = 5
_LONGEST_PAUSE: Final = 3600
_LOGGED: Final = ("batch_id", "resource", "seq", "subscription", "group")


class Pausing(Protocol):
    def postpone(self, receipt: str, seconds: int) -> None: ...


class Unforeseen(Fault):
    """A bug or a fault nobody translated; stands in for it in registers and logs."""

    code = "unforeseen"


def consumer(
    work: Callable[[Message], Mapping[str, Any] | None],
    *,
    give_up: Callable[[Message, HuitongError], None],
    queue: Callable[[str], Pausing],
    first_pause: Callable[[], int],
) -> Callable[[Mapping[str, Any], Any], Answer]:
    """A Lambda handler for SQS with partial batch answers.

    ``work`` does one message and answers what to log; ``give_up`` notes that a
    message is not tried again; ``queue`` gives the queue of an event source ARN.
    """

    def handler(event: Mapping[str, Any], context: Any) -> Answer:
        failed: list[dict[str, str]] = []
        log = logger()
        log.append_keys(request_id=context.aws_request_id, function=context.function_name)
        for record in event.get("Records", ()):
            if not _one(record, log, work, give_up, queue, first_pause):
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    return handler


def _one(
    record: Mapping[str, Any],
    log: Any,
    work: Callable[[Message], Mapping[str, Any] | None],
    give_up: Callable[[Message, HuitongError], None],
    queue: Callable[[str], Pausing],
    first_pause: Callable[[], int],
) -> bool:
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    known: dict[str, Any] = {"message_id": record["messageId"], "receive": receives}
    message: Message = {}
    try:
        message = json.loads(record["body"])
        known |= {k: message[k] for k in _LOGGED if k in message}
        log.info("done", extra={**known, "result": dict(work(message) or {})})
        return True
    except Exception as error:  # noqa: BLE001 (the one boundary: whatever it is, the message must stay)
        problem = as_problem(error)
        log.error("failed", extra={**known, **described(error)})
    try:
        if receives >= MAX_RECEIVES:
            give_up(message, problem)
        else:
            pause = min(first_pause() * 6 ** (receives - 1), _LONGEST_PAUSE)
            queue(record["eventSourceARN"]).postpone(record["receiptHandle"], pause)
    except Exception as error:  # noqa: BLE001 (the message comes again anyway, later)
        log.error("failure not noted", extra={**known, **described(error)})
    return False


def as_problem(error: Exception) -> HuitongError:
    """The error itself, or what may be kept of one that nobody foresaw."""
    if isinstance(error, HuitongError):
        return error
    kind = type(error).__name__
    return Unforeseen(f"未预见的错误 {kind}", f"An unforeseen error: {kind}", kind=kind, at=_place(error))


def described(error: Exception) -> dict[str, Any]:
    """Fields for a log line, without the text of an unforeseen error."""
    problem = as_problem(error)
    return {"error": problem.code, "text": problem.en, "where": dict(problem.where), "at": _place(error)}


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{f.filename.rpartition('/python/')[2]}:{f.lineno} {f.name}" for f in reversed(frames))


@cache
def logger() -> Any:
    """The process's structured logger. Service and level come from Powertools' own variables."""
    from aws_lambda_powertools import Logger

    return Logger(utc=True)


def of_batch(batch: Batch) -> dict[str, Any]:
    """What a log line says of a batch: ids, state and counts."""
    counts = {k: v for k, v in asdict(batch.counts).items() if v}
    return {
        "batch_id": batch.id,
        "resource": batch.resource,
        "unit": batch.unit,
        "status": batch.status,
        "counts": counts,
    }
