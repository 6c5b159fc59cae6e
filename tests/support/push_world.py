"""A small world for push tests: a resource with a history, subscribers, a receiver without a socket.

The source is a plain-Python oracle: what a subscriber must see follows from the
states of the table, not from the SQL that makes it in the product.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
from localstack.receiver import Inbox, Stream
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract, Field
from huitong.delivery.accounts import Deliveries
from huitong.delivery.endpoints import EndpointRules
from huitong.delivery.entitlement import Entitlement, as_created
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Position, Subscription
from huitong.delivery.push import Push
from huitong.delivery.subscriptions import Subscriptions
from huitong.delivery.sweep import Sweep
from huitong.errors import NotFound, Unavailable
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue, PlainSecrets
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.ports import HttpAnswer
from huitong.sharing.access import Access

Row = Mapping[str, Any]
State = Mapping[str, Row]

RESOURCE = "T-01"
UNIT = "11440300MB2C123456"
CHANGED_AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

CONTRACT = Contract(
    id=RESOURCE,
    version=1,
    title="登记",
    table="t_01",
    provider="11440300MB2C000001",
    fields=(
        Field("id", key=1, field_id=7),
        Field("city", field_id=8),
        Field("name", level="L3", mask="name", field_id=9),
        Field("amount", type="decimal", precision=12, scale=2, field_id=10),
    ),
)
ALL = Access(RESOURCE, ("id", "city", "name", "amount"))
SHENZHEN = "\"city\" = 'SZ'"
FILTERS: dict[str, Callable[[Row], bool]] = {
    "": lambda row: True,
    SHENZHEN: lambda row: row["city"] == "SZ",
    '"amount" > 10': lambda row: row["amount"] is not None and row["amount"] > 10,
}


def row(id: str, city: str = "SZ", name: str = "张三", amount: str | None = "1.00") -> dict[str, Any]:
    return {"id": id, "city": city, "name": name, "amount": None if amount is None else Decimal(amount)}


def table(*rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {r["id"]: r for r in rows}


def view(state: State, access: Access) -> dict[str, dict[str, Any]]:
    """What the access shows of a state of the table, by key."""
    passes = FILTERS[access.row_filter]
    return {key: _shown(r, access) for key, r in state.items() if passes(r)}


def as_received(shown: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The view as JSON has it: decimals as text."""
    return {
        key: {n: str(v) if isinstance(v, Decimal) else v for n, v in r.items()} for key, r in shown.items()
    }


def _shown(r: Row, access: Access) -> dict[str, Any]:
    return {n: f"{r[n][0]}{'*' * (len(r[n]) - 1)}" if access.masks.get(n) else r[n] for n in access.fields}


@dataclass(frozen=True)
class Pointer:
    seq: int


@dataclass
class History:
    """Publications and source in one: states[seq] is the table as of publication seq."""

    states: list[State] = field(default_factory=lambda: [{}])
    batch_rows: int = 3  # small batches, so that streams have several

    def publish(self, state: State) -> int:
        self.states.append(dict(state))
        return len(self.states) - 1

    def get(self, resource: str) -> Pointer | None:
        return Pointer(len(self.states) - 1) if resource == RESOURCE and len(self.states) > 1 else None

    def changes(
        self, contract: Contract, access: Access, after: Position, upto: int, *, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        rows = [r for r in self._changes(access, upto) if (r["_seq"], r["_ordinal"]) > after]
        yield from self._batches(rows, limit)

    def snapshot(
        self, contract: Contract, access: Access, seq: int, *, after: int = 0, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        shown = sorted(view(self.states[seq], access).items())
        rows = [
            {"_seq": seq, "_ordinal": n, "_received_at": CHANGED_AT, **_origin(seq, n), **r}
            for n, (_, r) in enumerate(shown, start=1)
        ]
        yield from self._batches(rows[after:], limit)

    def _changes(self, access: Access, upto: int) -> Iterator[dict[str, Any]]:
        for seq in range(1, upto + 1):
            was, now = self.states[seq - 1], self.states[seq]
            before, after = view(was, access), view(now, access)
            touched = [k for k in sorted({*was, *now}) if was.get(k) != now.get(k)]
            for ordinal, key in enumerate(touched, start=1):
                old, new = before.get(key), after.get(key)
                raw_old, raw_new = was.get(key, {}), now.get(key, {})
                changed = [n for n in access.fields if raw_old.get(n) != raw_new.get(n)]
                if (old is None and new is None) or (old and new and not changed):
                    continue
                op = "insert" if old is None else "delete" if new is None else "update"
                yield {
                    "_seq": seq,
                    "_ordinal": ordinal,
                    "_op": op,
                    "_changed_columns": changed if op == "update" else [],
                    "_changed_at": CHANGED_AT,
                    **_origin(seq, ordinal),
                    **(new or old or {}),
                    "_before": old,
                }

    def _batches(self, rows: list[dict[str, Any]], limit: int) -> Iterator[pa.RecordBatch]:
        rows = rows[:limit] if limit else rows
        for start in range(0, len(rows), self.batch_rows):
            yield pa.RecordBatch.from_pylist(rows[start : start + self.batch_rows])


def _origin(seq: int, n: int) -> dict[str, Any]:
    return {
        "_batch_id": f"b{seq}",
        "_unit": CONTRACT.provider,
        "_source_row": n + 1,
        "_case_no": None,
    }


class Registry:
    def get(self, id: str, version: int = 0) -> Contract:
        return CONTRACT


def checked_by_library(secret: str) -> Callable[[bytes, Mapping[str, str]], None]:
    """The receivers' library judges the signature; its look at the clock is left out, time is ours here."""

    def check(body: bytes, headers: Mapping[str, str]) -> None:
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        expected = Webhook(secret).sign(headers["webhook-id"], moment, body.decode())
        if expected not in headers["webhook-signature"].split(" "):
            raise WebhookVerificationError("No matching signature found")

    return check


class Wire:
    """An HttpSender that reaches the inbox directly."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.before_answer: Callable[[], None] | None = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> HttpAnswer:
        self.requests.append((dict(headers), body))
        answer = self.world.inbox.take(headers, body)
        if self.before_answer:
            self.before_answer()
        if answer is None:
            raise Unavailable("没有应答", "No answer")
        return HttpAnswer(answer[0], answer[2], answer[1])


SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"


class World:
    """All services of delivery over local ports."""

    def __init__(self, folder: Path, *, limits: DeliveryLimits | None = None) -> None:
        self.limits = limits or DeliveryLimits(jitter=0.0)
        self.history = History()
        self.register: Any = MemoryRegister()
        self.exports: Any = DiskObjects(folder)
        self.queue: Any = MemoryQueue()
        self.dead_letters: Any = MemoryQueue()
        self.events: Any = MemoryEvents()
        self.clock = ManualClock()
        self.entitlement: Entitlement = as_created
        self.inbox = Inbox(checked_by_library(SECRET), fetch=self.fetch)
        self.wire: Any = Wire(self)

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(
            self.register,
            self.history,
            PlainSecrets(),
            self.queue,
            self.clock,
            rules=EndpointRules(),
            limits=self.limits,
        )

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.register)

    @property
    def push(self) -> Push:
        """Made anew each time, as after a restart."""
        return Push(
            self.register,
            self.subscriptions,
            Registry(),
            self.history,
            lambda: self.history,
            self.exports,
            self.wire,
            self.entitlement,
            self.queue,
            self.dead_letters,
            self.events,
            self.clock,
            self.limits,
            Random(1),
            Traces(self.register, self.clock),
        )

    @property
    def sweep(self) -> Sweep:
        return Sweep(self.subscriptions, self.history, self.register, self.queue, self.clock)

    def fetch(self, url: str) -> bytes:
        key = self.exports.key_of(url.partition("?")[0])
        data: bytes = self.exports.read(key)
        return data

    def subscribe(self, access: Access = ALL, **more: Any) -> str:
        made, _ = self.subscriptions.create(
            UNIT, access, "https://receiver.example.cn/in", by="tester", secret=SECRET, **more
        )
        return made.id

    def subscription(self, id: str) -> Subscription:
        return self.subscriptions.get(id).subscription

    def stream(self, id: str) -> Stream:
        return self.inbox.stream(id)

    def publish(self, *rows: dict[str, Any]) -> int:
        return self.history.publish(table(*rows))

    def handle(self) -> int:
        """What the push function does with the messages that wait; how many there were."""
        messages = self.queue.drain()
        for message in messages:
            if "subscription" in message:
                try:
                    self.push.send(message["subscription"])
                except NotFound:
                    continue
            else:
                self.push.plan(message["resource"], message["seq"])
        return len(messages)

    def settle(self, *, rounds: int = 200) -> None:
        """Let the clock run and the sweep wake until nothing is left to do."""
        for _ in range(rounds):
            self.sweep.run()
            if not self.handle() and not self._waiting():
                return
            while self.handle():
                pass
            self.clock.advance(hours=7)
        raise AssertionError("it never settles")

    def _waiting(self) -> bool:
        found = self.subscriptions.all()
        return any(s.outstanding and s.state == "active" for s in found)


def masked(access: Access) -> Access:
    return replace(access, masks={"name": "name"})


def settled(world: World, id: str) -> None:
    """The receiver has the subscriber's view, and the account balances with nothing open."""
    world.settle()
    access = world.subscription(id).access
    assert world.stream(id).rows == as_received(view(world.history.states[-1], access))
    totals = world.deliveries.totals(RESOURCE)
    assert totals.balanced
    assert (totals.pending, totals.failed) == (0, 0)
