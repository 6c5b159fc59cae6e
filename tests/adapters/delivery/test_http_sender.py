"""Pushes over real sockets on this machine: TLS, names, redirects, sizes, slowness."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from huitong.aws.http_sender import LARGEST_ANSWER, HttpsSender
from huitong.delivery.endpoints import EndpointRules
from huitong.errors import NotPermitted, Unavailable

LOCAL = EndpointRules(allow_local=True)
Answering = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def serving(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answering(self, self.rfile.read(int(self.headers["content-length"])))

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def plainly(status: int = 200, body: bytes = b"{}", **headers: str) -> Answering:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def certificate(folder: Path, name: str, *, days: int = 1) -> tuple[ssl.SSLContext, str]:
    """A server context with a certificate for a name, and the file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, str(file)


def test_the_message_arrives_as_it_was_signed() -> None:
    seen: dict[str, Any] = {}

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.update(headers=dict(handler.headers.items()), body=body, path=handler.path)
        plainly(202, b'{"sequence": 1}', **{"x-note": "seen"})(handler, body)

    with serving(answer) as port:
        told = HttpsSender(LOCAL).post(
            f"http://127.0.0.1:{port}/in?a=b", "正文".encode(), {"webhook-id": "s.1"}, seconds=5
        )
    assert (told.status, told.body, told.headers["x-note"]) == (202, b'{"sequence": 1}', "seen")
    assert seen["body"] == "正文".encode()
    assert seen["path"] == "/in?a=b"
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers["webhook-id"] == "s.1"
    assert headers["host"] == f"127.0.0.1:{port}"
    assert headers["accept-encoding"] == "identity"


def test_a_name_is_proven_by_tls_although_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    """S-22: the right certificate for the name, at the address that was checked."""
    tls, trusted = certificate(tmp_path, "receiver.example.cn")
    with serving(plainly(), tls) as port:
        sender = HttpsSender(LOCAL, resolve=lambda host, port: ["127.0.0.1"], ca_file=trusted)
        told = sender.post(f"https://receiver.example.cn:{port}/", b"x", {}, seconds=5)
    assert told.status == 200


@pytest.mark.parametrize("wrong", ["unknown authority", "another name", "expired", "no TLS at all"])
def test_wrong_tls_is_no_answer_and_sends_nothing(tmp_path: Path, wrong: str) -> None:
    """S-22."""
    name = "other.example.cn" if wrong == "another name" else "receiver.example.cn"
    tls, trusted = certificate(tmp_path, name, days=-1 if wrong == "expired" else 1)
    got: list[bytes] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        got.append(body)
        plainly()(handler, body)

    with serving(answer, None if wrong == "no TLS at all" else tls) as port:
        ca_file = "" if wrong == "unknown authority" else trusted
        sender = HttpsSender(LOCAL, resolve=lambda host, port: ["127.0.0.1"], ca_file=ca_file)
        with pytest.raises(Unavailable):
            sender.post(f"https://receiver.example.cn:{port}/", b"secret", {}, seconds=5)
    assert got == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.8"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"], ["fe80::1%eth0"], []],
)
def test_a_public_name_that_leads_inside_is_not_followed(addresses: list[str]) -> None:
    """Rebinding: the address is checked when it is used."""
    sender = HttpsSender(resolve=lambda host, port: addresses)
    with pytest.raises(NotPermitted):
        sender.post("https://receiver.example.cn/", b"x", {}, seconds=1)


def test_of_several_addresses_only_a_permitted_one_is_used() -> None:
    rules = EndpointRules(networks=("127.0.0.0/8",))
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["169.254.169.254", "127.0.0.1"]

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable) as found:
        HttpsSender(rules, resolve=resolve).post(f"https://receiver.example.cn:{port}/", b"x", {}, seconds=1)
    assert found.value.where["why"] == "NewConnectionError"
    assert asked == ["receiver.example.cn"]  # resolved once: what was checked is what was used


@pytest.mark.parametrize(
    "url", ["http://receiver.example.cn/", "https://127.0.0.1/", "https://a:b@r.example.cn/"]
)
def test_an_endpoint_that_became_forbidden_is_not_used(url: str) -> None:
    with pytest.raises(NotPermitted):
        HttpsSender(resolve=lambda host, port: ["8.8.8.8"]).post(url, b"x", {}, seconds=1)


def test_no_redirect_is_followed() -> None:
    posts: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        posts.append(handler.path)
        plainly(307, location="/elsewhere")(handler, body)

    with serving(answer) as port:
        told = HttpsSender(LOCAL).post(f"http://127.0.0.1:{port}/in", b"x", {}, seconds=5)
    assert told.status == 307
    assert posts == ["/in"]


def test_of_a_huge_answer_only_its_beginning_is_read() -> None:
    sent: list[int] = []

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        while sum(sent) < 64 << 20:
            handler.wfile.write(b"x" * 65_536)
            sent.append(65_536)

    with serving(answer) as port:
        told = HttpsSender(LOCAL).post(f"http://127.0.0.1:{port}/", b"x", {}, seconds=10)
    assert len(told.body) == LARGEST_ANSWER


def _drip(handler: BaseHTTPRequestHandler, start: bytes, drop: bytes) -> None:
    handler.wfile.write(start)
    for _ in range(100):
        handler.wfile.write(drop)
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize(
    "slowly",
    [
        lambda handler, _: time.sleep(3),
        lambda handler, _: _drip(handler, b"HTTP/1.1 200 OK\r\nx: ", b"a"),
        lambda handler, _: _drip(handler, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", b"1"),
    ],
    ids=["silence", "headers in drops", "body in drops"],
)
def test_a_slow_receiver_holds_nobody_up(slowly: Answering) -> None:
    with serving(slowly) as port:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            HttpsSender(LOCAL).post(f"http://127.0.0.1:{port}/", b"x", {}, seconds=0.4)
        assert time.monotonic() - began < 1.5


def test_a_broken_answer_is_no_answer() -> None:
    with (
        serving(lambda handler, _: handler.wfile.write(b"not http at all\r\n\r\n") and None) as port,
        pytest.raises(Unavailable),
    ):
        HttpsSender(LOCAL).post(f"http://127.0.0.1:{port}/", b"x", {}, seconds=5)


def test_a_name_that_does_not_exist_is_no_answer() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unavailable) as found:
        HttpsSender(resolve=resolve).post("https://receiver.example.cn/", b"x", {}, seconds=1)
    assert "receiver.example.cn" in found.value.zh


def test_resolving_gives_addresses() -> None:
    from huitong.aws.http_sender import resolved

    assert [ipaddress.ip_address(a).is_loopback for a in resolved("127.0.0.1", 443)] == [True]
