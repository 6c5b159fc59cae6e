"""A capture on the wire between platform and receiver shows nothing of a person (S-22)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from test_http_sender import LOCAL, certificate, plainly, serving

from huitong.aws.http_sender import HttpsSender

NAME, NUMBER, SECRET = "欧阳娜娜", "440300199001011234", "whsec_c2VjcmV0"
BODY = f'{{"name": "{NAME}", "id_no": "{NUMBER}"}}'.encode()
HOST = "receiver.example.cn"


class Capture:
    """A relay that keeps every byte of both ways; ``port`` is where it listens."""

    def __init__(self, listener: socket.socket, target: int) -> None:
        self._listener, self._target = listener, target
        self.port: int = listener.getsockname()[1]
        self.seen = bytearray()
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        with suppress(OSError):  # closed: nobody comes any more
            caller, _ = self._listener.accept()
            receiver = socket.create_connection(("127.0.0.1", self._target))
            for pair in ((caller, receiver), (receiver, caller)):
                self._threads.append(threading.Thread(target=self._carry, args=pair, daemon=True))
                self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65_536):
                self.seen += part
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def captured(target: int) -> Iterator[Capture]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        capture = Capture(listener, target)
        thread = threading.Thread(target=capture.run, daemon=True)
        thread.start()
        yield capture


@pytest.mark.parametrize("sealed", [True, False])
def test_what_a_push_carries_is_on_the_wire_only_where_nothing_seals_it(tmp_path: Path, sealed: bool) -> None:
    """The plain case proves that the capture would see it; only the local stack lets it happen."""
    tls, trusted = certificate(tmp_path, HOST)
    answer = plainly(200, f'{{"received": "{NAME}"}}'.encode())
    with serving(answer, tls if sealed else None) as port, captured(port) as capture:
        sender = HttpsSender(LOCAL, resolve=lambda host, port: ["127.0.0.1"], ca_file=trusted)
        url = f"https://{HOST}:{capture.port}/in" if sealed else f"http://127.0.0.1:{capture.port}/in"
        told = sender.post(url, BODY, {"authorization": SECRET}, seconds=5)
    assert told.status == 200
    assert NAME.encode() in told.body
    assert len(capture.seen) > len(BODY)
    shown = [value for value in (NAME, NUMBER, SECRET) if value.encode() in capture.seen]
    assert shown == ([] if sealed else [NAME, NUMBER, SECRET])
    if sealed:
        assert capture.seen[:2] == b"\x16\x03"  # begins with a handshake of TLS
