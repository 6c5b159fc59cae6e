"""Run by importing.py in an interpreter without site-packages: loads a function as Lambda does.

Reads from standard input: ``paths``, ``handler``, ``builders``, ``third_party``.
"""

import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["paths"]
    began = time.process_time()
    module, _, attribute = asked["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), attribute)
    if not callable(handler):
        raise SystemExit(f"{asked['handler']} cannot be called")
    loaded = time.process_time()
    wiring = importlib.import_module("huitong.wiring")
    for name in asked["builders"]:
        builder = getattr(wiring, name)
        if all(p.default is not p.empty for p in inspect.signature(builder).parameters.values()):
            _build(builder)
    wired = time.process_time()
    peak = _peak_mb()
    for name in asked["third_party"]:
        importlib.import_module(name)
    _only_from(asked["paths"])
    told = {"module": (loaded - began) * 1000, "service": (wired - began) * 1000, "peak_mb": peak}
    sys.stdout.write(json.dumps(told) + "\n")


def _peak_mb() -> float:
    """Of this process alone; what getrusage says includes the one that it was forked from."""
    with Path("/proc/self/status").open() as told:
        line = next(line for line in told if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _build(builder: Callable[[], object]) -> None:
    """Some ask AWS for a key at once; nobody is there to answer, which is as far as they must come."""
    from huitong.errors import Fault

    try:
        builder()
    except Fault as told:
        if "NoCredentialsError" not in str(told):
            raise


def _only_from(paths: list[str]) -> None:
    """Nothing may have come from a folder of packages outside."""
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or ""
        if "-packages" in place and not place.startswith(tuple(paths)):
            raise SystemExit(f"{name} came from {place}")


main()
