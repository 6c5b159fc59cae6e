"""One private local stack for the whole session: own port, own folder, ended at the end.

Run in one process (no ``-n``): the emulator serves one delivery at a time anyway.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
import stack as local_stack  # noqa: E402


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_stack.Stack]:
    """A deployed stack: ``endpoint``, ``api_url``, ``token``, ``outputs``, ``profile``, ``client(service)``."""
    folder = tmp_path_factory.mktemp("stack")
    made = local_stack.up(folder)
    try:
        yield made
    finally:
        made.stop()


@dataclass(frozen=True)
class Api:
    """HTTP as any client speaks it."""

    url: str
    token: str = ""

    def as_nobody(self) -> Api:
        return Api(self.url)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded JSON (or text)."""
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())

    def put_file(self, path: Path | bytes, resource: str, unit: str, filename: str = "", **more: Any) -> str:
        """Deliver a file through a presigned address; the upload's id."""
        name = filename or (path.name if isinstance(path, Path) else "delivery.csv")
        status, ticket = self.call(
            "POST", "/v1/uploads", {"resource": resource, "unit": unit, "filename": name, **more}
        )
        assert status == 201, ticket
        content = path.read_bytes() if isinstance(path, Path) else path
        put = urllib.request.Request(ticket["url"], content, ticket.get("headers") or {}, method="PUT")
        with urllib.request.urlopen(put, timeout=60) as answer:
            assert answer.status == 200
        return str(ticket.get("upload_id") or ticket["id"])


@pytest.fixture(scope="session")
def api(stack: local_stack.Stack) -> Api:
    return Api(stack.api_url, stack.token)


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


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
