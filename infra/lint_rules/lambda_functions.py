"""Rules for functions: where they give up, who is told, what they log, how long they may run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))  # cfn-lint loads each file by itself
from _shape import Finding, Shape, listed, named, rule

FUNCTION = "AWS::Serverless::Function"
#: Sources that hand an event over and do not wait for the answer.
ASYNCHRONOUS = {"Schedule", "ScheduleV2", "EventBridgeRule", "CloudWatchEvent", "S3", "SNS"}
#: Seconds after its function's last moment when a message of a FIFO queue comes back. Six times the timeout,
#: as in other queues, would bar the whole group that long after every crash.
FIFO_MARGIN = 60


def _gives_up_nowhere(shape: Shape) -> Iterator[Finding]:
    by_rules = {
        name
        for told in shape.of_type("AWS::Events::Rule").values()
        for target in told.get("Targets", [])
        for name in named(target.get("Arn"))
    }
    for name, function in shape.of_type(FUNCTION).items():
        events = function.get("Events", {})
        waits_for_nobody = name in by_rules or any(e["Type"] in ASYNCHRONOUS for e in events.values())
        if waits_for_nobody and not _keeps_failed_runs(function):
            yield ["Resources", name], f"{name} runs asynchronously: a run that fails is lost (OnFailure)"
        for key, event in events.items():
            path = ["Resources", name, "Properties", "Events", key]
            if event["Type"] == "Schedule" and "DeadLetterConfig" not in event["Properties"]:
                yield path, f"{key}: an event that finds no function is lost (DeadLetterConfig)"


def _keeps_failed_runs(function: dict[str, Any]) -> bool:
    destinations = function.get("EventInvokeConfig", {}).get("DestinationConfig", {})
    return bool(destinations.get("OnFailure", {}).get("Destination")) or "DeadLetterQueue" in function


def _fails_in_silence(shape: Shape) -> Iterator[Finding]:
    for metric in ("Errors", "Throttles"):
        told = shape.alarmed("AWS/Lambda", metric)
        for name in shape.of_type(FUNCTION):
            if name not in told:
                yield ["Resources", name], f"{name} has no alarm on {metric}"


def _logs_anywhere(shape: Shape) -> Iterator[Finding]:
    groups = shape.of_type("AWS::Logs::LogGroup")
    for name, function in shape.of_type(FUNCTION).items():
        if not named(function.get("LoggingConfig", {}).get("LogGroup")) & set(groups):
            yield ["Resources", name], f"{name} logs to no group of this template"
    for name, group in groups.items():
        for wanted in ("RetentionInDays", "KmsKeyId"):
            if wanted not in group:
                yield ["Resources", name], f"{name} has no {wanted}"


def _comes_again_too_soon(shape: Shape) -> Iterator[Finding]:
    queues = shape.of_type("AWS::SQS::Queue")
    for name, function in shape.of_type(FUNCTION).items():
        timeout = function.get("Timeout", 3)
        for key, event in function.get("Events", {}).items():
            if event["Type"] != "SQS":
                continue
            for queue in named(event["Properties"]["Queue"]) & set(queues):
                seen = queues[queue].get("VisibilityTimeout", 30)
                needed = timeout + FIFO_MARGIN if queues[queue].get("FifoQueue") else 6 * timeout
                if seen < needed:
                    path = ["Resources", name, "Properties", "Events", key]
                    yield path, f"{queue} shows a message again after {seen} s; {name} needs {needed} s"


def _answers_for_whole_batches(shape: Shape) -> Iterator[Finding]:
    queues = shape.of_type("AWS::SQS::Queue")
    for name, function in shape.of_type(FUNCTION).items():
        for key, event in function.get("Events", {}).items():
            if event["Type"] != "SQS":
                continue
            path, told = ["Resources", name, "Properties", "Events", key], event["Properties"]
            if "ReportBatchItemFailures" not in listed(told.get("FunctionResponseTypes", [])):
                yield path, f"{name} answers for whole batches: done messages come again"
            fifo = any(queues.get(queue, {}).get("FifoQueue") for queue in named(told["Queue"]))
            if fifo and told.get("BatchSize") != 1:
                yield path, f"{name}: messages behind a failing one use up their receives (BatchSize 1)"


def _lies_elsewhere(shape: Shape) -> Iterator[Finding]:
    root = Path(shape.filename).parent
    for name, function in shape.of_type(FUNCTION).items():
        path, uri = ["Resources", name], function.get("CodeUri", "")
        folder = Path(str(uri)).name
        wanted = "".join(word.capitalize() for word in folder.split("_")) + "Function"
        module, _, attribute = str(function.get("Handler", "")).partition(".")
        source = root / str(uri) / f"{module}.py"
        if name != wanted:
            yield path, f"{name} has its code in {uri}: folder, service and logical id have one name"
        elif not source.is_file():
            yield path, f"{name}: there is no {source}"
        elif not re.search(rf"^(def )?{attribute}\b\s*[=:(]", source.read_text(), re.M):
            yield path, f"{name}: {source} has no {attribute}"


GivesUpNowhere = rule(
    "E9101",
    "A function that nobody waits for keeps its failed runs",
    "Without a destination a failed run, or an event that reached no function, leaves no trace.",
    _gives_up_nowhere,
)
FailsInSilence = rule(
    "E9102",
    "Every function has alarms on errors and throttles",
    "A fault that nobody hears of lasts until a person misses something.",
    _fails_in_silence,
)
LogsAnywhere = rule(
    "E9103",
    "Every function logs to a group with an end and our own key",
    "A group that Lambda makes by itself keeps everything for ever, under a key of AWS.",
    _logs_anywhere,
)
ComesAgainTooSoon = rule(
    "E9104",
    "A message does not come again while its function may still run",
    "Six times the timeout, as Lambda's documentation asks for; in FIFO queues the timeout and a minute.",
    _comes_again_too_soon,
)
AnswersForWholeBatches = rule(
    "E9105",
    "Consumers answer for each message, and take FIFO messages one by one",
    "One bad message must not bring back the good ones that came with it.",
    _answers_for_whole_batches,
)
LiesElsewhere = rule(
    "E9106",
    "Folder, handler and logical id of a function have one name",
    "Who reads a name in a log finds the code without searching.",
    _lies_elsewhere,
)
