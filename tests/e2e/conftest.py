"""One private local stack for the whole session: own port, own folder, ended at the end.

Run in one process (no ``-n``): the emulator serves one delivery at a time anyway.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.town import Api, Town

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
import differences  # noqa: E402
import emulator  # noqa: E402
import emulators  # noqa: E402
import stack as local_stack  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``@pytest.mark.differs(id)``: the test cannot hold on an emulator with that difference, and is not run."""
    name = emulators.chosen().name
    for item in items:
        for mark in item.iter_markers("differs"):
            if differences.holds(mark.args[0], name):
                item.add_marker(pytest.mark.skip(reason=differences.known(mark.args[0]).reason))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_stack.Stack]:
    """A deployed stack: ``endpoint``, ``api_url``, ``token``, ``outputs``, ``profile``, ``client(service)``."""
    folder = tmp_path_factory.mktemp("stack")  # EMULATOR says on which emulator
    try:
        yield local_stack.up(folder)
    finally:
        emulator.stop(folder)  # also after a deployment that failed


@pytest.fixture(scope="session")
def api(stack: local_stack.Stack) -> Api:
    return Api(stack.api_url, stack.token)


@pytest.fixture(scope="session")
def town(
    stack: local_stack.Stack, tmp_path_factory: pytest.TempPathFactory, eventually: Callable[..., Any]
) -> Town:
    return Town(stack, tmp_path_factory.mktemp("people"), eventually)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Ask until the answer will do; the last answer is in the message when it never does."""

    def ask(question: Callable[[], Any], will_do: Callable[[Any], bool], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while True:
            answer = question()
            if will_do(answer):
                return answer
            if time.monotonic() > end:
                pytest.fail(f"not within {seconds} s; last answer: {answer}")
            time.sleep(0.05)

    return ask
