"""Processor time and peak memory of a piece of work, in a fresh process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: As the data functions run: pages that are touched first cost three times as much with the other allocator.
POOL = {"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}


@dataclass(frozen=True)
class Cost:
    """``cpu`` and ``wall`` in seconds, ``peak`` in MB; imports and start of the interpreter included."""

    cpu: float
    wall: float
    peak: float


def in_fresh_process(statement: str) -> Cost:
    """Run a Python statement (with ``benchmarks`` importable) and measure the whole process."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", statement],
            cwd=ROOT,
            env={
                **os.environ,
                **POOL,
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers/huitong/python'}",
            },
            stdout=sys.stderr,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{statement}\n{said.read()}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)


def table(rows: list[tuple[str, Cost]], floor: Cost) -> str:
    """A Markdown table of costs beside the floor of the same run."""
    lines = ["| work | CPU s | × floor | wall s | peak MB |", "|---|---|---|---|---|"]
    lines += [
        f"| {n} | {c.cpu:.2f} | {c.cpu / floor.cpu:.2f} | {c.wall:.2f} | {c.peak:.0f} |" for n, c in rows
    ]
    return "\n".join(lines)
