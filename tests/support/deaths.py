"""Whether Lambda ended a function, seen from outside: by what its log says."""

from __future__ import annotations

from typing import Any


def timed_out(stack: Any, function: str, since: int = 0) -> list[str]:
    """The lines by which Lambda tells that a call of the function ran out of time; ``since``: ms, epoch.

    MiniStack writes none.
    """
    configured = stack.client("lambda").get_function_configuration(FunctionName=function)
    group = configured["LoggingConfig"]["LogGroup"]
    events = stack.client("logs").filter_log_events(logGroupName=group, startTime=since)["events"]
    return [event["message"] for event in events if "Task timed out" in event["message"]]
