"""A receiving unit on this machine: takes pushes, checks everything, answers with receipts.

Used by the demo and the tests, and a pattern for real receivers (docs/receive.md).
It can be told to misbehave. Run it by hand::

    python localstack/receiver.py --port 9099 --secret whsec_… --log received.ndjson
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

#: How the next request is mistreated: ``deaf`` = answers nothing, ``forgetful`` = takes it, answers nothing.
Trouble = Literal[
    "", "error", "gone", "busy", "redirect", "no-receipt", "wrong-count", "wrong-sequence", "huge", "slow",
    "deaf", "forgetful",
]  # fmt: skip
Answer = tuple[int, dict[str, str], bytes]
Check = Callable[[bytes, Mapping[str, str]], None]


def verified_by(*secrets: str) -> Check:
    """A check by the receivers' own library: one of the secrets must fit, the time must be near."""

    def check(body: bytes, headers: Mapping[str, str]) -> None:
        for secret in secrets[:-1]:
            try:
                Webhook(secret).verify(body, dict(headers), json_parse=False)
                return
            except WebhookVerificationError:
                continue
        Webhook(secrets[-1]).verify(body, dict(headers), json_parse=False)

    return check


@dataclass
class Stream:
    """What came of one subscription: the last sequence, each event once, and the rows that follow."""

    sequence: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    repeats: int = 0

    def apply(self, event: dict[str, Any]) -> None:
        if any(known["id"] == event["id"] for known in self.events[-1:]):
            raise ValueError(f"event {event['id']} twice in a row")
        self.events.append(event)
        if event["data"]["op"] == "delete":
            self.rows.pop(event["subject"], None)
        else:
            self.rows[event["subject"]] = event["data"]["row"]


class Inbox:
    """The receiver without its socket: one request in, one answer out."""

    def __init__(
        self, check: Check, *, fetch: Callable[[str], bytes] | None = None, log: Path | None = None
    ) -> None:
        self.check = check
        self.streams: dict[str, Stream] = {}
        self.troubles: list[Trouble] = []
        self.refused: list[str] = []
        self.posts = 0
        self._fetch = fetch or _download
        self._log = log
        self._lock = threading.Lock()

    def stream(self, subscription: str) -> Stream:
        return self.streams.setdefault(subscription, Stream())

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer one request as told by ``troubles``; None = the connection just ends."""
        with self._lock:
            self.posts += 1
            trouble: Trouble = self.troubles.pop(0) if self.troubles else ""
            early = _EARLY.get(trouble)
            if trouble == "deaf":
                return None
            if early is not None:
                return early
            status, told = self._judge({k.lower(): v for k, v in headers.items()}, body)
        if trouble == "forgetful":
            return None
        if trouble == "slow":
            time.sleep(3)
        if trouble == "wrong-count":
            told = {**told, "count": told.get("count", 0) + 1}
        if trouble == "wrong-sequence":
            told = {**told, "sequence": told.get("sequence", 0) + 1}
        return _json(status, told)

    def _judge(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            self.check(body, headers)
            sequence, count = int(headers["huitong-sequence"]), int(headers["huitong-count"])
            events = self._opened(headers, body, sequence, count)
        except (WebhookVerificationError, KeyError, ValueError) as error:
            self.refused.append(str(error))
            return 400, {"error": str(error)}
        stream = self.stream(headers["huitong-subscription"])
        if sequence > stream.sequence + 1:
            self.refused.append(f"gap: {sequence} after {stream.sequence}")
            return 409, {"expected": stream.sequence + 1}
        receipt = {"sequence": sequence, "count": count, "receipt": headers["webhook-id"]}
        if sequence <= stream.sequence:  # seen already: the sender did not get our receipt
            stream.repeats += 1
            return 200, receipt
        for event in events:
            stream.apply(event)
        stream.sequence = sequence
        stream.receipts.append(receipt)
        self._note(headers["huitong-subscription"], receipt, events)
        return 200, receipt

    def _opened(
        self, headers: Mapping[str, str], body: bytes, sequence: int, count: int
    ) -> list[dict[str, Any]]:
        """The events, with everything checked that can be checked. Raises ValueError."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if headers["content-digest"] != f"sha-256=:{digest}:":
            raise ValueError("digest of the body differs")
        if headers["webhook-id"] != f"{headers['huitong-subscription']}.{sequence}":
            raise ValueError("sequence is not the signed one")
        events: list[dict[str, Any]] = json.loads(body)
        if len(events) == 1 and events[0]["type"].endswith(".available"):
            events = self._linked(events[0]["data"])
        if len(events) != count:
            raise ValueError(f"{len(events)} events instead of {count}")
        if any(int(event["sequence"]) != sequence for event in events):
            raise ValueError("an event of another delivery")
        return events

    def _linked(self, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        packed = self._fetch(data["url"])
        if hashlib.sha256(packed).hexdigest() != data["sha256"] or len(packed) != data["size"]:
            raise ValueError("the file behind the link is not the one announced")
        return [json.loads(line) for line in gzip.decompress(packed).splitlines()]

    def _note(self, subscription: str, receipt: dict[str, Any], events: list[dict[str, Any]]) -> None:
        if self._log is None:
            return
        with self._log.open("a", encoding="utf-8") as log:
            line = {"subscription": subscription, **receipt, "events": [e["id"] for e in events]}
            log.write(json.dumps(line, ensure_ascii=False) + "\n")

    def summary(self) -> dict[str, Any]:
        """What ``GET /`` answers."""
        return {
            "posts": self.posts,
            "refused": self.refused,
            "subscriptions": {
                id: {
                    "sequence": stream.sequence,
                    "events": len(stream.events),
                    "rows": len(stream.rows),
                    "repeats": stream.repeats,
                    "receipts": stream.receipts,
                }
                for id, stream in self.streams.items()
            },
        }


class Receiver:
    """The inbox on a port of this machine. Use as a context manager, or start() and stop()."""

    def __init__(self, inbox: Inbox, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.inbox = inbox

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                answer = inbox.take(dict(self.headers.items()), body)
                if answer is None:
                    self.close_connection = True
                else:
                    self._send(*answer)

            def do_GET(self) -> None:
                self._send(*_json(200, inbox.summary()))

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                try:
                    self.send_response(status)
                    for name, value in {**headers, "content-length": str(len(body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the sender had enough

            def log_message(self, format: str, *args: object) -> None:
                """Quiet: the log file tells what matters."""

        self.server = ThreadingHTTPServer((host, port), Handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def start(self) -> Receiver:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> Receiver:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _json(status: int, told: dict[str, Any]) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(told, ensure_ascii=False).encode()


_EARLY: dict[str, Answer] = {
    "error": _json(500, {"error": "told to fail"}),
    "gone": _json(410, {"error": "gone"}),
    "busy": (503, {"retry-after": "90"}, b""),
    "redirect": (302, {"location": "http://127.0.0.1:1/elsewhere"}, b""),
    "no-receipt": (200, {"content-type": "text/plain"}, b"OK"),
    "huge": (200, {"content-type": "application/json"}, b"[" + b"1," * 200_000 + b"1]"),
}


def _download(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ValueError("not a web address")
    with urllib.request.urlopen(url, timeout=60) as answer:
        packed: bytes = answer.read()
        return packed


def main() -> None:
    parser = argparse.ArgumentParser(description="接收端 a receiving unit on this machine")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9099)
    parser.add_argument(
        "--secret", action="append", required=True, help="whsec_…, may be given more than once"
    )
    parser.add_argument("--log", type=Path)
    chosen = parser.parse_args()
    receiver = Receiver(
        Inbox(verified_by(*chosen.secret), log=chosen.log), host=chosen.host, port=chosen.port
    )
    print(f"接收端已启动 receiving at {receiver.url}", flush=True)
    try:
        receiver.server.serve_forever()
    except KeyboardInterrupt:
        receiver.server.server_close()


if __name__ == "__main__":
    main()
