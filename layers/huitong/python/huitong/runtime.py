"""What every queue-driven function does around its one call of a service.

Messages are wake-ups: the register is the truth, so a message that fails is
shown again after a growing pause, and on its last receive the step is given up:
the failure is noted (``give_up``) and SQS moves the message to the dead-letter
queue, from where the batch can be replayed.

Logs are JSON (Powertools) with request, message, batch, resource and unit
ids, and the id of the delivery (:mod:`huitong.correlation`); never bodies, secrets,
names of files or values of persons. The text of an unforeseen error is left out
for that reason: its type and the place in the code are enough.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from huitong import correlation, unnamed
from huitong.batches.following import correlation_of
from huitong.batches.model import Batch
from huitong.errors import Corrupt, Fault, HuitongError
from huitong.telemetry import logger, measure

Message = Mapping[str, Any]
Answer = dict[str, Any]

#: Receives before a queue gives a message to its dead-letter queue; a test compares the template.
MAX_RECEIVES: Final = 5
_LONGEST_PAUSE: Final = 3600
_LOGGED: Final = ("batch_id", "resource", "seq", "subscription", "group", "returned", "let_go", "execution")


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
    step: str = "step",
    follow: Callable[[Message], str] = lambda _message: "",
    succeeded: Callable[[str], None] = lambda _step: None,
) -> Callable[[Mapping[str, Any], Any], Answer]:
    """A Lambda handler for SQS with partial batch answers.

    ``work`` does one message and answers what to log; ``give_up`` notes that a
    message is not tried again; ``queue`` gives the queue of an event source ARN;
    ``follow`` finds the delivery of a message that does not carry it;
    ``succeeded`` notes for the status page that the ``step`` works.
    """
    doing = _Step(step, work, give_up, queue, first_pause, follow)

    def handler(event: Mapping[str, Any], context: Any) -> Answer:
        failed: list[dict[str, str]] = []
        log = logger()
        log.append_keys(request_id=context.aws_request_id, function=context.function_name)
        for record in event.get("Records", ()):
            if not doing.one(record, log):
                failed.append({"itemIdentifier": record["messageId"]})
        if not failed:
            _noted(succeeded, step, log)
        return {"batchItemFailures": failed}

    return handler


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    work: Callable[[Message], Mapping[str, Any] | None]
    give_up: Callable[[Message, HuitongError], None]
    queue: Callable[[str], Pausing]
    first_pause: Callable[[], int]
    follow: Callable[[Message], str]

    def one(self, record: Mapping[str, Any], log: Any) -> bool:
        """Whether the message is done."""
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        known: dict[str, Any] = {"message_id": record["messageId"], "receive": receives}
        trace = record["attributes"].get("AWSTraceHeader")
        known |= {"trace": trace} if trace else {}
        message: Message = {}
        began, problem = time.monotonic(), None
        carried = record.get("messageAttributes", {}).get(correlation.MEMBER, {}).get("stringValue", "")
        with correlation.following(carried):
            try:
                message = json.loads(record["body"])
                known |= {k: v for k, v in unnamed.message(message).items() if k in _LOGGED}
                with correlation.following(carried or self.follow(message)):
                    known["correlation"] = correlation.current()
                    log.info("done", extra={**known, "result": dict(self.work(message) or {})})
            except Exception as error:  # noqa: BLE001 (the one boundary: whatever it is, the message must stay)
                problem = as_problem(error)
                log.error("failed", extra={**known, **described(error)})
            measure({"StepDuration": _since(began), "StepFailures": 1 if problem else 0}, self.name)
            if problem is not None:
                self._failed(record, message, problem, receives, log, known)
        return problem is None

    def _failed(
        self,
        record: Mapping[str, Any],
        message: Message,
        problem: HuitongError,
        receives: int,
        log: Any,
        known: Mapping[str, Any],
    ) -> None:
        try:
            if receives >= MAX_RECEIVES:
                self.give_up(message, problem)
            else:
                pause = min(self.first_pause() * 6 ** (receives - 1), _LONGEST_PAUSE)
                self.queue(record["eventSourceARN"]).postpone(record["receiptHandle"], pause)
        except Exception as error:  # noqa: BLE001 (the message comes again anyway, later)
            log.error("failure not noted", extra={**known, **described(error)})


def clockwork(
    job: str,
    work: Callable[[], Mapping[str, Any]],
    context: Any,
    succeeded: Callable[[str], None],
) -> dict[str, Any]:
    """What every function that the clock starts does around its one call. Raises what the work raises:
    the clock's service tries again, and the function's own alarm tells."""
    done = _told(job, work, context, {"job": job}, result="done")
    _noted(succeeded, job, logger())
    return done


class TryAgain(Exception):
    """What a workflow's task ends with when another attempt may help; no values of persons in its text."""


class GiveUp(Exception):
    """What a workflow's task ends with when no attempt will help."""


def task(
    step: str,
    work: Callable[[Message], Mapping[str, Any]],
    *,
    names: Callable[[Message], Mapping[str, Any]] = lambda _event: {},
    follow: Callable[[Message], str] = lambda _names: "",
    succeeded: Callable[[str], None] = lambda _step: None,
) -> Callable[[Mapping[str, Any], Any], Answer]:
    """A Lambda handler for a task of a state machine; ``work`` answers ids and counts.

    ``names`` are the ids in an event, for every line, and ``follow`` finds the delivery by them.
    Raises TryAgain or GiveUp with a code and a place: what a workflow keeps of an error can be read by
    whoever may see executions.
    """

    def handler(event: Mapping[str, Any], context: Any) -> Answer:
        known: dict[str, Any] = {"step": step}

        def followed() -> Mapping[str, Any]:
            known.update(names(event))
            known["correlation"] = follow(known)
            with correlation.following(known["correlation"]):
                return work(event)

        try:
            done = _told(step, followed, context, known, result="result")
        except Exception as error:  # noqa: BLE001 (the one boundary: no text of an error goes on)
            problem = as_problem(error)
            ending = GiveUp if isinstance(problem, Corrupt) or type(problem) is Fault else TryAgain
            raise ending(f"{problem.code} at {_place(error)}") from None
        _noted(succeeded, step, logger())
        return done

    return handler


def _told(
    step: str, work: Callable[[], Mapping[str, Any]], context: Any, known: Mapping[str, Any], *, result: str
) -> dict[str, Any]:
    """One call, with a line in the log and its figures; the line has what is ``known`` by then, and what
    the work answers as ``result``. Raises what the work raises."""
    log, began = logger(), time.monotonic()
    log.append_keys(request_id=context.aws_request_id, function=context.function_name)
    try:
        done = dict(work())
    except Exception as error:
        log.error("failed", extra={**known, **described(error)})
        measure({"StepDuration": _since(began), "StepFailures": 1}, step)
        raise
    log.info("done", extra={**known, result: done})
    measure({"StepDuration": _since(began), "StepFailures": 0}, step)
    return done


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def _noted(succeeded: Callable[[str], None], step: str, log: Any) -> None:
    try:
        succeeded(step)
    except HuitongError as error:  # the work is done; the status page is a minute older
        log.error("success not noted", extra=described(error))


def as_problem(error: Exception) -> HuitongError:
    """The error itself, or what may be kept of one that nobody foresaw."""
    if isinstance(error, HuitongError):
        return error
    kind = type(error).__name__
    return Unforeseen(f"未预见的错误 {kind}", f"An unforeseen error: {kind}", kind=kind, at=_place(error))


def described(error: Exception) -> dict[str, Any]:
    """Fields for a log line, without the text of an unforeseen error."""
    problem = as_problem(error)
    where = {n: _shown(n, v) for n, v in problem.where.items() if n != "file"}
    text = problem.en
    for name, value in problem.where.items():
        if isinstance(value, str) and value:
            text = text.replace(value, _shown(name, value))
    text = unnamed.text(text)
    return {"error": problem.code, "text": text, "where": where, "at": _place(error)}


def _shown(name: str, value: Any) -> Any:
    """A member of an error's ``where`` without what people named."""
    if not isinstance(value, str) or name == "file":
        return "…" if isinstance(value, str) else value
    return unnamed.code(value) if name in ("unit", "resource") else unnamed.text(value)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{f.filename.rpartition('/python/')[2]}:{f.lineno} {f.name}" for f in reversed(frames))


def of_batch(batch: Batch) -> dict[str, Any]:
    """What a log line says of a batch: ids, state and counts."""
    counts = {k: v for k, v in asdict(batch.counts).items() if v}
    ids = {"correlation": correlation_of(batch), "batch_id": batch.id}
    of = unnamed.members({"resource": batch.resource, "unit": batch.unit})
    return {**ids, **of, "status": batch.status, "counts": counts}
