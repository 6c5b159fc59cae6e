"""What can be set, by environment variables of LocalStack's process. README.md lists them."""

from __future__ import annotations

import os
import re
import shutil
import sys

_RUNTIME = re.compile(r"python3\.\d+")


class NoInterpreter(Exception):
    """A runtime that nothing on this machine can run; the message says what to set."""


def interpreter(runtime: str) -> str:
    """The program that runs functions of a runtime: the runtime's own setting, the general one, LocalStack's.

    Raises NoInterpreter.
    """
    if not _RUNTIME.fullmatch(runtime):
        raise NoInterpreter(f"the process executor runs Python, not {runtime or 'container images'}")
    own = "LAMBDA_PROCESS_" + runtime.replace(".", "_").upper()  # LAMBDA_PROCESS_PYTHON3_13
    for name in (own, "LAMBDA_PROCESS_PYTHON"):
        asked = os.environ.get(name, "")
        if asked:
            found = shutil.which(asked)
            if found is None:
                raise NoInterpreter(f"{name}={asked} is no program")
            return found
    return sys.executable


def enforces_memory() -> bool:
    """Whether a function that holds more than its memory size is ended, as on AWS."""
    return os.environ.get("LAMBDA_PROCESS_MEMORY", "enforce") != "report"


def passed_on() -> dict[str, str]:
    """Variables of LocalStack's own environment that functions get, too: none but those asked for."""
    names = os.environ.get("LAMBDA_PROCESS_PASS", "").split(",")
    return {name: os.environ[name] for name in names if name in os.environ}
