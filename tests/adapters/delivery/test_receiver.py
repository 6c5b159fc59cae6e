"""Push to the local receiver over a socket: the way the demo goes, and the receiver of docs/receive.md."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from localstack.receiver import Inbox, Receiver, verified_by
from tests.support.push_world import ALL, RESOURCE, SECRET, World, as_received, row, view

from huitong.aws.http_sender import HttpsSender
from huitong.delivery.endpoints import EndpointRules
from huitong.delivery.limits import DeliveryLimits
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects

ROOT = Path(__file__).resolve().parents[3]
LIMITS = DeliveryLimits(inline_events=4, link_events=10, answer_seconds=1.0, jitter=0.0)


class FileLinks(DiskObjects):
    """Links that urllib can follow without a server."""

    def presign_get(self, key: str, *, seconds: int) -> str:
        return self.uri(key)


class LocalWorld(World):
    """The world with a real clock's time and a real sender."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, limits=LIMITS)
        self.exports = FileLinks(folder)
        self.clock = ManualClock(datetime.now(UTC))
        self.wire = HttpsSender(EndpointRules(allow_local=True))

    def subscribe_at(self, url: str) -> str:
        subscriptions = self.subscriptions
        subscriptions._rules = EndpointRules(allow_local=True)
        made, _ = subscriptions.create("U", ALL, url, by="t", secret=SECRET, start="seq", seq=1)
        return made.id


@pytest.fixture
def world(tmp_path: Path) -> LocalWorld:
    return LocalWorld(tmp_path / "exports")


@pytest.fixture
def receiver(world: LocalWorld, tmp_path: Path) -> Iterator[Receiver]:
    inbox = Inbox(verified_by("whsec_" + "QUJD" * 10, SECRET), fetch=world.fetch, log=tmp_path / "log.ndjson")
    with Receiver(inbox) as running:
        yield running


def test_what_is_published_arrives_checked_and_receipted(
    world: LocalWorld, receiver: Receiver, tmp_path: Path
) -> None:
    """C-15, X-06, S-20: signature, digest, sequence and count all checked by the receiver."""
    id = world.subscribe_at(receiver.url)
    world.publish(row("1"), row("2", name="李四光"))
    world.publish(*(row(f"{n:02}") for n in range(9)))
    world.push.plan(RESOURCE)
    assert world.push.send(id) is None
    stream = receiver.inbox.stream(id)
    assert stream.rows == as_received(view(world.history.states[-1], ALL))
    assert receiver.inbox.refused == []
    assert len((tmp_path / "log.ndjson").read_text().splitlines()) == 3
    assert world.deliveries.totals(RESOURCE).acknowledged == 2 + 11


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("error", "http-500"),
        ("busy", "http-503"),
        ("redirect", "redirect"),
        ("no-receipt", "receipt-missing"),
        ("wrong-count", "receipt-mismatch"),
        ("huge", "receipt-missing"),
        ("deaf", "no-answer"),
        ("forgetful", "no-answer"),
        ("slow", "no-answer"),
    ],
)
def test_each_misbehaviour_is_seen_and_mended(
    world: LocalWorld, receiver: Receiver, trouble: str, reason: str
) -> None:
    """X-08."""
    id = world.subscribe_at(receiver.url)
    world.publish(row("1"))
    world.push.plan(RESOURCE)
    receiver.inbox.troubles = [trouble]  # type: ignore[list-item]
    wait = world.push.send(id)
    assert wait
    assert world.deliveries.get(id, 1).delivery.reason == reason
    world.clock.advance(seconds=wait)
    assert world.push.send(id) is None
    assert len(receiver.inbox.stream(id).events) == 1


def test_the_receiver_refuses_what_it_must(world: LocalWorld, receiver: Receiver) -> None:
    """S-20: forged, changed and skipped messages get no receipt."""
    id = world.subscribe_at(receiver.url)
    world.publish(row("1"))
    world.publish(row("2"))
    world.push.plan(RESOURCE)
    sent: list[tuple[bytes, dict[str, str]]] = []
    real = world.wire
    world.wire = type(
        "Tap",
        (),
        {
            "post": lambda self, url, body, headers, seconds: (
                sent.append((body, dict(headers))),
                real.post(url, body, headers, seconds=seconds),
            )[1]
        },
    )()
    world.push.send(id)
    (first, headers), (second, later) = sent
    fresh = Inbox(verified_by(SECRET))
    assert fresh.take(later, second)[0] == 409  # type: ignore[index]
    for changed, wrong in (
        (first + b" ", headers),
        (first, headers | {"webhook-id": f"{id}.2"}),
        (first, headers | {"huitong-sequence": "2"}),
        (first, headers | {"huitong-count": "2"}),
        (first, headers | {"webhook-signature": "v1,AAAA"}),
        (first, {k: v for k, v in headers.items() if k != "content-digest"}),
    ):
        assert fresh.take(wrong, changed)[0] == 400  # type: ignore[index]
    assert fresh.stream(id).events == []
    assert fresh.take(headers, first)[0] == 200  # type: ignore[index]
    assert fresh.take(headers, first)[0] == 200  # type: ignore[index]
    assert len(fresh.stream(id).events) == 1


def example() -> str:
    """The receiver printed in docs/receive.md."""
    text = (ROOT / "docs" / "receive.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(# receiver\.py.*?)```", text, re.DOTALL)
    assert found
    return found.group(1)


def test_the_receiver_of_the_guide_works_as_printed(world: LocalWorld, tmp_path: Path) -> None:
    """docs/receive.md: it takes changes and a file behind a link, refuses forgeries, and knows repeats."""
    source = example()
    assert len([line for line in source.splitlines() if line.strip()]) <= 34
    with Receiver(Inbox(verified_by(SECRET))) as placeholder:
        port = placeholder.server.server_address[1]
    script = tmp_path / "receiver.py"
    script.write_text(source, encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, str(script), str(port), SECRET],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        _until_open(port, running)
        id = world.subscribe_at(f"http://127.0.0.1:{port}/")
        world.publish(row("1", name="王五"), row("2"))
        world.publish(row("2", amount="8.00"))
        world.publish(*(row(f"{n:02}") for n in range(8)))
        world.push.plan(RESOURCE)
        assert world.push.send(id) is None
        taken = (tmp_path / f"{id}.ndjson").read_text(encoding="utf-8").splitlines()
        assert len(taken) == 4 + 9
        assert [d.delivery.form for d in world.deliveries.of_subscription(id)] == ["inline", "inline", "link"]
        assert "王五" in taken[0]
        world.subscriptions.rotate(id, by="t")  # signed with both: still good
        world.publish(row("3"))
        world.push.plan(RESOURCE)
        assert world.push.send(id) is None
        forged = HttpsSender(EndpointRules(allow_local=True)).post(
            f"http://127.0.0.1:{port}/", b"[]", {"huitong-sequence": "9"}, seconds=5
        )
        assert forged.status == 400
    finally:
        running.terminate()
        running.communicate(timeout=10)


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1].decode())
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the receiver never opened its port")
