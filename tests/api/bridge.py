"""A small web server in front of both apps, as a gateway and an object store are: real HTTP for the client."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.api_world import event

from huitong.ports import PresignedUpload
from huitong.web.operations import OPERATIONS

_ROUTES = [
    (o, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", re.sub(r"\.", r"\\.", o.path)) + "$"))
    for o in OPERATIONS
]


@dataclass
class Gateway:
    """``landed`` is called with the key and bytes of a PUT to a presigned address."""

    apps: dict[str, Any]
    landed: Callable[[str, bytes], None]
    port: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)
    failing: int = 0  # so many answers of 503 before any other
    decodes: bool = True  # False: binary answers stay base64, as when the media type is not declared

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def presigned(self, key: str, *, seconds: int, content_type: str = "") -> PresignedUpload:
        return PresignedUpload(f"{self.url}/landing/{key}", {}, f"in {seconds} s")

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        self.calls.append((method, parts.path))
        if self.failing:
            self.failing -= 1
            return {"statusCode": 503, "headers": {}, "body": "busy"}
        if parts.path.startswith("/landing/"):
            self.landed(unquote(parts.path).removeprefix("/landing/"), body)
            return {"statusCode": 200, "headers": {}, "body": ""}
        for operation, pattern in _ROUTES:
            found = pattern.match(parts.path)
            if operation.method == method and found:
                query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
                path = {k: unquote(v) for k, v in found.groupdict().items()}
                made = event(
                    method,
                    operation.path,
                    path=path or None,
                    query=query or None,
                    body=body.decode() if body else None,
                    headers=headers,
                )
                answer: dict[str, Any] = self.apps[operation.app](made, None)
                return answer
        return {"statusCode": 403, "headers": {}, "body": '{"message":"Missing Authentication Token"}'}


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = gateway.answer(self.command, self.path, dict(self.headers.items()), body)
            data = (
                base64.b64decode(said["body"])
                if said.get("isBase64Encoded") and gateway.decodes
                else said["body"].encode()
            )
            self.send_response(said["statusCode"])
            for name, value in said["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
