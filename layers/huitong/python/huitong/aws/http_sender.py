"""One POST to a receiver, with nothing left to chance: where it goes, how long it takes, how much is read.

Part of the adapters because it does I/O; it uses no AWS API.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from threading import Timer
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from huitong.delivery.endpoints import Endpoint, EndpointRules, checked
from huitong.errors import BadRequest, NotPermitted, Unavailable
from huitong.ports import HttpAnswer

LARGEST_ANSWER: Final = 64 * 1024

Resolve = Callable[[str, int], Sequence[str]]


def resolved(host: str, port: int) -> list[str]:
    """Addresses of a host name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class HttpsSender:
    """:class:`huitong.ports.HttpSender`.

    The name is resolved once, its addresses are checked, and the connection
    goes to a checked one: a name that changes in between leads nowhere else.
    TLS still proves the name. No redirect is followed, no proxy is used, at
    most 64 KiB of answer is read, and the whole exchange has one deadline.
    """

    def __init__(
        self,
        rules: EndpointRules | None = None,
        *,
        resolve: Resolve = resolved,
        ca_file: str = "",
    ) -> None:
        self._rules = rules or EndpointRules()
        self._resolve = resolve
        self._ca_file = ca_file

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> HttpAnswer:
        """Raises NotPermitted for an address that is not allowed, Unavailable when no answer came."""
        try:
            endpoint = checked(url, self._rules)
        except BadRequest as error:
            raise NotPermitted(error.zh, error.en) from error
        address = self._address(endpoint)
        connection = self._connection(endpoint, address, seconds)
        sent = {
            **headers,
            "host": endpoint.authority,
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "Huitong",
            "connection": "close",
        }
        cut = _Deadline(connection, seconds)
        try:
            with cut:
                connection.request("POST", endpoint.target, body=body, headers=sent, preload_content=False)
                answer = connection.getresponse()
                told = HttpAnswer(answer.status, _read(answer), dict(answer.headers.items()))
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _no_answer(endpoint, type(error).__name__) from error
        finally:
            connection.close()
        if cut.done:  # what was read by then may look whole and is not
            raise _no_answer(endpoint, "too slow")
        return told

    def _address(self, endpoint: Endpoint) -> str:
        try:
            found = self._resolve(endpoint.host, endpoint.port)
        except OSError as error:
            raise _no_answer(endpoint, "name not found") from error
        permitted = [address for address in found if self._rules.permits(address)]
        if not permitted:
            raise NotPermitted(
                f"接收地址 {endpoint.host} 指向不允许的网络地址",
                f"Endpoint {endpoint.host} leads to an address that deliveries may not go to",
                host=endpoint.host,
            )
        return permitted[0]

    def _connection(self, endpoint: Endpoint, address: str, seconds: float) -> HTTPConnection:
        if endpoint.scheme == "http":
            return HTTPConnection(address, endpoint.port, timeout=seconds)
        context = ssl.create_default_context(cafile=self._ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return HTTPSConnection(
            address,
            endpoint.port,
            timeout=seconds,
            ssl_context=context,
            server_hostname=endpoint.host,
            assert_hostname=endpoint.host,
        )


class _Deadline:
    """Cuts the connection when the time is over, however slowly bytes drip in."""

    def __init__(self, connection: HTTPConnection, seconds: float) -> None:
        self.done = False
        self._connection = connection
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.done = True
        held = self._connection.sock
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


def _read(answer: HTTPResponse) -> bytes:
    kept = bytearray()
    while len(kept) < LARGEST_ANSWER and (
        block := answer.read(LARGEST_ANSWER - len(kept), decode_content=False)
    ):
        kept += block
    return bytes(kept)


def _no_answer(endpoint: Endpoint, why: str) -> Unavailable:
    return Unavailable(
        f"接收端 {endpoint.host} 没有应答:{why}",
        f"No answer from {endpoint.host}: {why}",
        host=endpoint.host,
        why=why,
    )
