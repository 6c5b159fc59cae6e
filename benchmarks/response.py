"""Response times of the API on a local stack of its own, beside a floor measured in the same run.

The floor is the answer to a request that does nothing (``GET /v1/health``): what lies above it is ours.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: At the median, above the floor, in milliseconds (C-35).
GOAL = 300
ASKED = ("/v1/me", "/v1/batches", "/v1/status", "/v1/catalog/search?q=%E6%A1%88%E4%BB%B6")


@dataclass(frozen=True)
class Times:
    path: str
    median: float
    slow: float  # 95th percentile

    def line(self, floor: Times) -> str:
        above = self.median - floor.median
        figures = f"{self.median:.0f} | {self.slow:.0f} | {above:.0f} | {self.median / floor.median:.1f}"
        return f"| {self.path} | {figures} |"


def measured(ask: Callable[[str], None], path: str, times: int) -> Times:
    """After three that warm the function up."""
    for _ in range(3):
        ask(path)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask(path)
        taken.append((time.perf_counter() - began) * 1000)
    return Times(path, statistics.median(taken), statistics.quantiles(taken, n=20)[-1])


def run(times: int = 40) -> str:
    """A table of milliseconds: median, 95th percentile, median above the floor, ratio to the floor."""
    sys.path.insert(0, str(ROOT / "localstack"))
    import stack as stacks

    with tempfile.TemporaryDirectory(prefix="huitong-response-") as folder:
        stack = stacks.up(Path(folder))
        try:

            def ask(path: str) -> None:
                sent = {"Authorization": f"Bearer {stack.token}"}
                request = urllib.request.Request(f"{stack.api_url}{path}", headers=sent)
                with urllib.request.urlopen(request, timeout=60) as answer:
                    json.load(answer)

            floor = measured(ask, "/v1/health", times)
            lines = [measured(ask, path, times).line(floor) for path in ASKED]
        finally:
            stack.stop()
    head = ["| request | median ms | 95 % ms | above the floor ms | × floor |", "|---|---|---|---|---|"]
    return "\n".join([*head, floor.line(floor), *lines, "", f"goal: {GOAL} ms above the floor at the median"])
